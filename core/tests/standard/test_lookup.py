"""Look-ups, against facts that can be read in PS3.3."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from dicomwright import standard
from dicomwright.errors import DicomwrightError
from dicomwright.standard.iods import tag_of

CT, MR, PET = "CTImageStorage", "MRImageStorage", "PositronEmissionTomographyImageStorage"


@pytest.mark.parametrize(
    "name",
    [
        "CTImageStorage",
        "1.2.840.10008.5.1.4.1.1.2",
        "CT Image Storage",
        "CT Image",
        "ct-image",
        "CT IMAGE STORAGE",
    ],
)
def test_an_iod_has_many_names(name):
    assert standard.iod(name) is standard.iod("ct-image")


def test_an_iod_is_its_own_name():
    ct = standard.iod(CT)
    assert standard.iod(ct) is ct


def test_an_unknown_name_is_refused_with_similar_ones():
    with pytest.raises(DicomwrightError, match="no IOD or SOP class is called 'CTImageStorag'") as caught:
        standard.iod("CTImageStorag")
    assert "CTImageStorage" in caught.value.problems[0].hint
    with pytest.raises(DicomwrightError, match="iods\\(\\) lists the keys"):
        standard.iod("zzzzzz")
    with pytest.raises(DicomwrightError, match="no SOP class is called"):
        standard.sop_class("CT")


def test_sop_classes_lead_to_iods_that_exist():
    keys = set(standard.iods())
    assert len(keys) == 175
    assert len(standard.sop_classes()) == 180
    assert {row.iod for row in standard.sop_classes()} <= keys
    assert len({row.uid for row in standard.sop_classes()}) == len(
        {row.keyword for row in standard.sop_classes()}
    )
    assert standard.sop_class("Secondary Capture Image Storage").uid == "1.2.840.10008.5.1.4.1.1.7"


def test_every_iod_can_be_loaded_and_has_mandatory_modules():
    for key in standard.iods():
        found = standard.iod(key)
        assert found.name
        assert {module.usage for module in found.modules} <= {"M", "C", "U"}
        assert any(module.usage == "M" for module in found.modules), key


@pytest.mark.parametrize(
    ("iod", "place", "kind", "module"),
    [
        (CT, "KVP", "2", "ct-image"),
        (CT, "ImageType", "1", "ct-image"),
        (CT, "RescaleIntercept", "1", "ct-image"),
        (CT, "Laterality", "2C", "general-series"),
        (CT, "PatientName", "2", "patient"),
        (CT, "ImagePositionPatient", "1", "image-plane"),
        (CT, "SliceThickness", "2", "image-plane"),
        (MR, "ScanningSequence", "1", "mr-image"),
        (MR, "EchoTime", "2", "mr-image"),
        (PET, "Units", "1", "pet-series"),
        (PET, "DecayCorrection", "1", "pet-series"),
        (PET, "FrameReferenceTime", "1", "pet-image"),
        (PET, "RescaleSlope", "1", "pet-image"),
        ("SecondaryCaptureImageStorage", "ConversionType", "1", "sc-equipment"),
        ("EncapsulatedPDFStorage", "EncapsulatedDocument", "1", "encapsulated-document"),
        ("EncapsulatedPDFStorage", "DocumentTitle", "2", "encapsulated-document"),
        ("NuclearMedicineImageStorage", "EnergyWindowInformationSequence", "2", "nm-isotope"),
        ("EnhancedCTImageStorage", "VolumetricProperties", "1", "enhanced-ct-image"),
        ("EnhancedMRImageStorage", "InstanceNumber", "1", "enhanced-mr-image-multi-frame-functional-groups"),
    ],
)
def test_known_types(iod, place, kind, module):
    found = standard.attribute(iod, place)
    assert (found.type, found.module.key, found.module.usage) == (kind, module, "M")


@pytest.mark.parametrize(
    ("iod", "keyword"),
    [
        (CT, "ScanningSequence"),
        (CT, "EchoTime"),
        (MR, "KVP"),
        (MR, "RescaleSlope"),
        (PET, "KVP"),
        (MR, "Units"),
    ],
)
def test_attributes_of_other_iods_are_not_found(iod, keyword):
    assert standard.attribute(iod, keyword) is None
    assert standard.iod(iod).at(keyword) == ()


def test_mr_has_no_modality_lut_module_and_secondary_capture_has():
    assert standard.iod(MR).module("modality-lut") is None
    assert standard.iod("SecondaryCaptureImageStorage").module("modality-lut").usage == "U"


def test_modules_have_usage_entity_table_and_condition():
    ct = standard.iod(CT)
    plane, contrast = ct.module("image-plane"), ct.module("contrast-bolus")
    assert (plane.name, plane.usage, plane.entity, plane.table) == ("Image Plane", "M", "Image", "C.7-10")
    assert (contrast.usage, contrast.condition) == ("C", "Required if contrast media was used in this image")
    assert ct.module("frame-of-reference").entity == "Frame of Reference"
    assert ct.table == "A.3-1"


def test_an_attribute_of_several_modules_comes_once_for_each():
    kinds = [(found.module.key, found.type) for found in standard.iod(CT).at("ImageType")]
    assert kinds == [("general-image", "3"), ("ct-image", "1")]


def test_nested_attributes_have_a_path_and_a_type_of_their_own():
    ct = standard.iod(CT)
    found = standard.attribute(ct, "ReferencedStudySequence.ReferencedSOPInstanceUID")
    assert (found.type, found.path, found.place) == ("1", (0x00081110,), (0x00081110, 0x00081155))
    assert ct.at(("ReferencedStudySequence", 0x00081155), "M") == (found,)
    assert str(found).startswith(
        "ReferencedStudySequence.ReferencedSOPInstanceUID (0008,1155), type 1, General Study"
    )


def test_required_merges_modules_and_keeps_the_strictest():
    required = {found.keyword: found for found in standard.iod(CT).required()}
    assert required["ImageType"].type == "1"
    assert required["PatientPosition"].type == "2C"
    assert "ContrastBolusAgent" not in required
    assert "SeriesDescription" not in required
    assert list(required) == [
        found.keyword for found in sorted(required.values(), key=lambda found: found.tag)
    ]
    with_conditional = {found.keyword for found in standard.iod(CT).required(usages="MC")}
    assert "ContrastBolusAgent" in with_conditional


def test_a_module_may_replace_a_stricter_type_of_another():
    capture = standard.iod("SecondaryCaptureImageStorage")
    assert [(found.module.key, found.type) for found in capture.at("Modality")] == [
        ("general-series", "1"),
        ("sc-equipment", "3"),
    ]
    assert capture.strictest("Modality").type == "3"
    assert "Modality" not in {found.keyword for found in capture.required()}
    pdf = standard.attribute("EncapsulatedPDFStorage", "Modality")
    assert (pdf.type, pdf.module.key) == ("1", "encapsulated-document-series")
    frames = standard.iod("MultiFrameGrayscaleWordSecondaryCaptureImageStorage")
    assert frames.strictest("FrameIncrementPointer").type == "1C"


def test_required_inside_a_sequence():
    inside = {
        found.keyword: found.type
        for found in standard.iod(PET).required("RadiopharmaceuticalInformationSequence")
    }
    assert inside["RadionuclideCodeSequence"] == "2"
    assert "RadiopharmaceuticalStartTime" not in inside
    assert standard.iod(CT).required("RadiopharmaceuticalInformationSequence") == ()


def test_functional_groups_know_their_macros():
    enhanced = standard.iod("EnhancedCTImageStorage")
    measures, geometry = enhanced.macro("pixel-measures"), enhanced.macro("ct-geometry")
    assert (measures.name, measures.usage, measures.sequences) == ("Pixel Measures", "M", (0x00289110,))
    assert geometry.usage == "C"
    assert "ORIGINAL or MIXED" in geometry.condition
    for group in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"):
        found = standard.attribute(enhanced, f"{group}.PixelMeasuresSequence.PixelSpacing")
        assert found.type == "1C"
        assert found.condition.startswith("Required if: * Volumetric Properties (0008,9206)")
        assert standard.attribute(enhanced, f"{group}.PixelMeasuresSequence").macro == "pixel-measures"
    assert standard.iod(CT).macros == ()
    mr = standard.iod("EnhancedMRImageStorage")
    assert mr.macro("pixel-value-transformation").sequences == (0x00289145,)
    assert enhanced.macro("ct-pixel-value-transformation").sequences == (0x00289145,)


def test_macros_are_recognised_inside_modules():
    found = standard.attribute(CT, "ProcedureCodeSequence.CodeMeaning")
    assert (found.type, found.macro) == ("1", "code-sequence")


def test_conditions_are_told():
    found = standard.attribute(CT, "Laterality")
    assert found.condition.startswith("Required if the body part examined is a paired structure")
    assert standard.attribute(CT, "KVP").condition == ""


@pytest.mark.parametrize(
    ("iod", "keyword", "enumerated", "values"),
    [
        (CT, "PatientSex", True, ("M", "F", "O")),
        (CT, "PhotometricInterpretation", True, ("MONOCHROME1", "MONOCHROME2")),
        (CT, "BitsAllocated", True, ("16",)),
        (CT, "PixelRepresentation", True, ("0000H", "0001H")),
        (PET, "PhotometricInterpretation", True, ("MONOCHROME2",)),
        (PET, "DecayCorrection", False, ("NONE", "START", "ADMIN")),
        (MR, "MRAcquisitionType", True, ("2D", "3D")),
        (MR, "ScanningSequence", True, ("SE", "IR", "GR", "EP", "RM")),
    ],
)
def test_known_terms(iod, keyword, enumerated, values):
    lists = [found.values for found in standard.terms(iod, keyword) if found.enumerated is enumerated]
    assert values in lists


def test_terms_of_multi_valued_attributes_say_which_value():
    lists = {found.value_number: found for found in standard.terms(CT, "ImageType")}
    assert lists[1].values == ("ORIGINAL", "DERIVED")
    assert lists[2].values == ("PRIMARY", "SECONDARY")
    assert lists[3].values == ("AXIAL", "LOCALIZER")
    assert not lists[3].enumerated
    assert lists[4].when == "for Multi-energy CT Images"


def test_terms_allow_numbers_as_numbers():
    (found,) = [row for row in standard.terms(CT, "PixelRepresentation") if row.enumerated]
    assert found.allows(0)
    assert found.allows(1)
    assert not found.allows(2)
    (bits,) = [row for row in standard.terms(CT, "BitsStored") if row.enumerated]
    assert bits.allows(12)
    assert not bits.allows(8)


def test_a_tag_is_found_wherever_it_is():
    places = {found.path for found in standard.iod("EnhancedMRImageStorage").places("EchoTime")}
    assert places == set()
    places = {found.path for found in standard.iod("EnhancedMRImageStorage").places("EffectiveEchoTime")}
    assert places == {(0x52009229, 0x00189114), (0x52009230, 0x00189114)}


def test_overlays_stand_for_all_their_groups():
    ct = standard.iod(CT)
    first, third = ct.at(0x60000010), ct.at(0x60040010)
    assert first == third
    assert first[0].module.key == "overlay-plane"
    assert ct.at("OverlayRows") == first
    assert ct.at(0x60010010) == ()


@pytest.mark.parametrize("text", ["KVP", "(0018,0060)", "00180060", 0x00180060])
def test_tags_have_many_spellings(text):
    assert tag_of(text) == 0x00180060


def test_an_unknown_keyword_is_refused():
    with pytest.raises(DicomwrightError, match="'KiloVolt' is neither a DICOM keyword nor a tag"):
        standard.attribute(CT, "KiloVolt")


def test_attributes_go_into_sequences_only_if_asked():
    ct = standard.iod(CT)
    flat = list(ct.attributes(nested=False))
    assert all(found.path == () for found in flat)
    assert len(flat) < len(list(ct.attributes())) / 10
    assert {found.module.usage for found in ct.attributes("U", nested=False)} == {"U"}
    assert tuple(flat) == ct.level()


def test_look_ups_by_number_are_fast_and_need_no_heavy_package():
    code = """
import sys, time
from dicomwright import standard
start = time.process_time()
iod = standard.iod("EnhancedMRImageStorage")
found = len(iod.required())
print(time.process_time() - start, found, sorted({"pydicom", "numpy", "nibabel"} & set(sys.modules)))
"""
    runs = []
    for _ in range(3):
        done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
        seconds, found, heavy = done.stdout.split(maxsplit=2)
        assert int(found) > 50
        assert heavy.strip() == "[]"
        runs.append(float(seconds))
    assert min(runs) < 0.020


def test_walking_a_large_iod_is_fast():
    start = time.process_time()
    found = sum(1 for _ in standard.iod("EnhancedCTImageStorage").attributes())
    assert found > 5000
    assert time.process_time() - start < 0.5


def test_modules_that_have_an_attribute():
    assert standard.modules_with("EchoTime") == ("MR Image",)
    assert standard.modules_with("(0008,0060)")[0] == "General Series"
    assert standard.modules_with("CodeMeaning") == ()
