from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
from click.testing import CliRunner
from pydicom.dataelem import RawDataElement
from pydicom.tag import Tag

from dicomwright import standard
from dicomwright.blueprint.blueprint import Blueprint
from dicomwright.blueprint.copying import CopyElement
from dicomwright.blueprint.elements import StaticElement
from dicomwright.bundles import load_blueprint, shipped_names
from dicomwright.bundles.carried import CarriedElement
from dicomwright.bundles.catalog import catalog
from dicomwright.bundles.conditions import ConditionalElement
from dicomwright.cli.blueprints_command import blueprints
from dicomwright.factory import DicomFactory
from dicomwright.parents import ParentSeries
from dicomwright.payload import Volume

IODS = {
    "mr-image": "MRImageStorage",
    "ct-image": "CTImageStorage",
    "pet-image": "PositronEmissionTomographyImageStorage",
}

#: What the image encoder and the engine give, because it follows from the payload.
OF_THE_ENCODER = {
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "Rows",
    "Columns",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "RescaleSlope",
    "RescaleIntercept",
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "PixelSpacing",
    "SliceThickness",
    "ImageIndex",
    "NumberOfSlices",
}


@pytest.fixture
def volume():
    array = np.arange(2 * 4 * 5, dtype=np.int16).reshape(2, 4, 5)
    return Volume(array, [[0, 0, 1.5, -7], [0, 2, 0, 3], [3, 0, 0, 11], [0, 0, 0, 1]])


@pytest.mark.parametrize("name", shipped_names())
def test_each_loads(name):
    assert len(load_blueprint(name)) > 0


@pytest.mark.parametrize(("name", "sop_class"), IODS.items())
def test_each_attribute_that_the_iod_requires_is_given(name, sop_class):
    blueprint = load_blueprint(name)
    required = [attribute for attribute in standard.iod(sop_class).required() if attribute.required]
    assert len(required) > 30
    missing = {one.keyword for one in required if one.tag not in blueprint} - OF_THE_ENCODER
    assert missing == set()


@pytest.mark.parametrize(
    "module", ["patient", "general-study", "patient-study", "clinical-trial-subject", "clinical-trial-study"]
)
def test_patient_and_study_travel_as_a_whole(module):
    blueprint = load_blueprint("mr-image")
    attributes = standard.iod("MRImageStorage").attributes(nested=False)
    missing = {one.keyword for one in attributes if one.module.key == module and one.tag not in blueprint}
    assert missing == set()


@pytest.mark.parametrize(("name", "sop_class"), IODS.items())
def test_copies_of_enumerated_values_are_limited_to_them(name, sop_class):
    for element in load_blueprint(name):
        terms = [one for one in standard.terms(sop_class, int(element.tag)) if one.enumerated]
        inner = element.element if isinstance(element, ConditionalElement) else element
        if isinstance(inner, CarriedElement) and terms:
            assert inner.among
            assert set(inner.among) <= {value for one in terms for value in one.values}, element


@pytest.mark.parametrize("name", IODS)
def test_nothing_is_demanded_of_the_parent(name):
    blueprint = load_blueprint(name)
    assert blueprint.required_tags() == []
    assert not any(isinstance(element, CopyElement) and not element.optional for element in blueprint)


@pytest.mark.parametrize("name", IODS)
def test_a_bare_volume_gives_a_valid_iod(name, volume, tmp_path, dciodvfy, dcentvfy):
    files = DicomFactory().build(volume, load_blueprint(name)).write(tmp_path / "out")
    assert len(files) == 2
    assert [dciodvfy(file) for file in files] == [[], []]
    assert dcentvfy(files) == []


@pytest.mark.parametrize("body_part", ["HEAD", "KNEE", "CHEST", "SOMETHING"])
@pytest.mark.parametrize("laterality", [None, "R"])
def test_any_body_part_that_a_user_names(body_part, laterality, volume, tmp_path, dciodvfy):
    mine = Blueprint([StaticElement("BodyPartExamined", "CS", body_part)])
    if laterality and body_part == "KNEE":
        mine.add_virtual_element(StaticElement("Laterality", "CS", laterality))
    series = DicomFactory().build(volume, load_blueprint("mr-image") + mine)
    assert dciodvfy(series.write(tmp_path / "out")[0]) == []
    assert ("ImageLaterality" in series[0]) != ("Laterality" in series[0])


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("mr-image", {"ScanningSequence": ["GR", "IR"]}),
        ("mr-image", {"ScanOptions": "CG"}),
        ("mr-image", {"ScanningSequence": "EP"}),
        ("mr-image", {"PatientIdentityRemoved": "YES"}),
        ("pet-image", {"SeriesType": ["DYNAMIC", "IMAGE"]}),
        ("pet-image", {"DecayCorrection": "START"}),
    ],
)
def test_what_becomes_required_is_there(name, values, volume, tmp_path, dciodvfy):
    mine = Blueprint(StaticElement(keyword, "CS", value) for keyword, value in values.items())
    series = DicomFactory().build(volume, load_blueprint(name) + mine)
    assert dciodvfy(series.write(tmp_path / "out")[0]) == []


def test_patient_study_and_space_come_from_the_parent(make_series):
    given = {
        "IssuerOfPatientID": "Hospital",
        "PatientAge": "054Y",
        "ClinicalTrialSponsorName": "Sponsor",
        "Laterality": "",
        "KVP": "100",
        "OperatorsName": "Operator^Olga",
        "DeviceSerialNumber": "4711",
        "LossyImageCompression": "01",
        "LossyImageCompressionRatio": "12.5",
        "InstitutionName": "Elsewhere",
    }
    parents = make_series("CT", shape=(3, 4, 5), elements=given)
    series = DicomFactory().build_series(np.zeros((3, 4, 5), np.int16), load_blueprint("ct-image"), parents)
    output = series[0]
    same = [
        "PatientName",
        "PatientID",
        "IssuerOfPatientID",
        "PatientBirthDate",
        "PatientSex",
        "PatientAge",
        "StudyInstanceUID",
        "StudyID",
        "StudyDate",
        "StudyTime",
        "AccessionNumber",
        "ReferringPhysicianName",
        "StudyDescription",
        "FrameOfReferenceUID",
        "PatientPosition",
        "KVP",
        "BodyPartExamined",
        "LossyImageCompression",
        "LossyImageCompressionRatio",
        "ClinicalTrialSponsorName",
    ]
    assert {keyword: output[keyword].value for keyword in same} == {
        keyword: parents[0][keyword].value for keyword in same
    }
    for keyword in ("SeriesInstanceUID", "SOPInstanceUID"):
        assert output[keyword].value != parents[0][keyword].value
    for keyword in ("OperatorsName", "DeviceSerialNumber", "InstitutionName", "SeriesDescription"):
        assert keyword not in output
    assert output.Manufacturer == ""
    assert output.ImageType == ["DERIVED", "SECONDARY", "AXIAL"]


def test_acquisition_that_differs_is_paired(make_series):
    parents = make_series("MR", shape=(3, 4, 5))
    for number, dataset in enumerate(parents):
        dataset.EchoTime = 10 + number
        dataset.ScanningSequence = "GR" if number else "SE"
        dataset.LossyImageCompression = f"0{number % 2}"
    series = DicomFactory().build_series(np.zeros((3, 4, 5), np.int16), load_blueprint("mr-image"), parents)
    assert [float(dataset.EchoTime) for dataset in series] == [10, 11, 12]
    assert {dataset.ScanningSequence for dataset in series} == {"RM"}
    assert {dataset.LossyImageCompression for dataset in series} == {"01"}


def test_illegal_values_of_the_parent_are_left_out(make_series):
    parents = make_series("CT", shape=(3, 4, 5))
    for dataset in parents:
        for tag, vr, text in (
            (0x00101010, "AS", "54"),
            (0x00180060, "DS", "high"),
        ):
            dataset[tag] = RawDataElement(
                Tag(tag), vr, len(text), text.encode(), 0, is_implicit_VR=False, is_little_endian=True
            )
    series = DicomFactory().build_series(np.zeros((3, 4, 5), np.int16), load_blueprint("ct-image"), parents)
    assert "PatientAge" not in series[0]
    assert series[0].KVP is None
    assert "PatientAge (0010,1010)" in "\n".join(series.result["warnings"])


@pytest.mark.parametrize(
    "case",
    [
        "v01_ct_axial/dicom",
        "v02_mr_sagittal/dicom",
        "v03_mr_oblique_triple/dicom",
        "v04_mr_oblique_ipp_off_normal/dicom",
        "v06_pet_fdg/dicom",
        "v07_ct_tilt_nonuniform/dicom",
    ],
)
def test_real_parents_give_valid_iods(case, shared_data, tmp_path, dciodvfy):
    parents = ParentSeries.read(shared_data / case)
    name = {"CT": "ct-image", "MR": "mr-image", "PT": "pet-image"}[parents.first.Modality]
    image = np.zeros((len(parents), parents.first.Rows, parents.first.Columns), np.int16)
    image[0, 1, 2] = 7
    series = DicomFactory().build_series(image, load_blueprint(name), parents)
    assert dciodvfy(series.write(tmp_path / "out")[0]) == []


def test_the_catalog_tells_the_sop_class():
    found = {entry.name: entry for entry in catalog()}
    assert tuple(sorted(found)) == shipped_names()
    assert all(entry.summary for entry in found.values())
    assert {name: found[name].sop_class_uid for name in IODS} == {
        name: standard.sop_class(keyword).uid for name, keyword in IODS.items()
    }
    general = found.pop("secondary-capture")  # whose encoder chooses among the classes of secondary capture
    assert general.sop_class_uid == found["secondary-capture-image"].sop_class_uid
    uids = [entry.sop_class_uid for entry in found.values() if entry.sop_class_uid]
    assert len(uids) == len(set(uids))


def test_the_command_lists_them():
    result = CliRunner().invoke(blueprints)
    assert result.exit_code == 0
    assert "mr-image" in result.output
    rows = json.loads(CliRunner().invoke(blueprints, ["--json"]).output)
    assert {"name", "summary", "sop_class_uid", "sop_class"} == set(rows[0])
    assert "ct-image" in [row["name"] for row in rows]


def test_the_command_is_light_to_import():
    code = (
        "import sys, dicomwright.cli.blueprints_command as c; print({'numpy', 'pydicom'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
