"""Drafts of blueprints from example series, and whether they hold."""

from __future__ import annotations

import tomllib

import numpy as np
import pydicom
import pytest
from pydicom._dicom_dict import DicomDictionary
from pydicom.datadict import tag_for_keyword

from dicomwright import Blueprint, DicomFactory
from dicomwright.errors import DicomwrightError, ParentError, SourceError
from dicomwright.learn import KINDS, learn
from dicomwright.parents import ParentSeries
from dicomwright.standard import modules_with

REAL = {
    "v01_ct_axial/dicom": "ct-image",
    "v02_mr_sagittal/dicom": "mr-image",
    "v03_mr_oblique_triple/dicom": "mr-image",
    "v04_mr_oblique_ipp_off_normal/dicom": "mr-image",
    "v06_pet_fdg/dicom": "pet-image",
    "v07_ct_tilt_nonuniform/dicom": "ct-image",
}
COPIED = {"copy": "optional", "when-varying": "paired"}


@pytest.fixture
def example(make_series, write_series, tmp_path):
    """Return `example(name="a", change=None, **how) -> folder` with a series of anisotropic, oblique slices."""

    def make(name="a", change=None, **how):
        series = make_series(**({"modality": "CT", "orientation": "oblique"} | how))
        for index, dataset in enumerate(series):
            dataset.XRayTubeCurrent = 100 + index * index
            dataset.TableHeight = f"{50 + 2.5 * index}"
            dataset.Manufacturer = "ACME"
            dataset.LargestPixelValueInSeries = 99
            dataset.SeriesDescription = 'Chest "thin"'
            dataset.Exposure = 43
            if change:
                change(dataset, index)
        folder = tmp_path / name
        folder.mkdir()
        write_series(series, folder)
        return folder

    return make


def trait(learned, name):
    (found,) = (one for one in learned.traits if one.name == name)
    return found


def rules(learned):
    return tomllib.loads(learned.text)["elements"]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("Manufacturer", "constant"),
        ("PatientID", "patient/study context"),
        ("StudyDate", "patient/study context"),
        ("SOPInstanceUID", "UID"),
        ("StudyInstanceUID", "UID"),
        ("ImagePositionPatient", "linear in position"),
        ("TableHeight", "linear in position"),
        ("XRayTubeCurrent", "varying"),
        ("Rows", "pixel-derived"),
        ("LargestPixelValueInSeries", "pixel-derived"),
    ],
)
def test_each_tag_has_a_kind(example, name, kind):
    learned = learn(example())
    assert trait(learned, name).kind == kind
    assert {one.kind for one in learned.traits} <= set(KINDS)


@pytest.mark.parametrize("x", ["-175.3378906", "0", "1e5"])
def test_places_along_an_axis_are_on_a_line(example, x):
    def axial(dataset, index):
        dataset.ImagePositionPatient = [x, "-87.123456", f"{-105 + 3.27 * index:.4f}"]

    learned = learn(example(change=axial, orientation="axial", shape=(16, 4, 6)))
    assert trait(learned, "ImagePositionPatient").kind == "linear in position"


def test_a_series_of_one_slice_says_nothing_about_lines(example):
    one = example("b")
    for path in sorted(one.iterdir())[1:]:
        path.unlink()
    assert trait(learn(example("a"), one), "TableHeight").kind == "linear in position"
    assert trait(learn(one), "TableHeight").kind == "constant"


def test_the_draft_says_how_each_tag_is_made(example):
    found = rules(learn(example()))
    assert found["Manufacturer"] == {"static": "ACME"}
    assert found["SeriesDescription"] == {"static": 'Chest "thin"'}
    assert found["XRayTubeCurrent"] == found["TableHeight"] == COPIED
    assert found["Exposure"] == COPIED  # how this parent was made, not how the next will be
    assert not {"Rows", "SOPInstanceUID", "ImagePositionPatient", "PatientID"} & found.keys()


def test_every_tag_stands_in_the_draft(example):
    folder = example(sequences=True, private=True)
    learned = learn(folder)
    present = {int(tag) for path in folder.iterdir() for tag in pydicom.dcmread(path).keys()}  # noqa: SIM118
    for one in learned.traits:
        assert f"{one.name}: " in learned.text or one.name in rules(learned)
    ordinary = {int(one.tag) for one in learned.traits if isinstance(one.tag, int)}
    untold = {tag for tag in present if not tag >> 16 & 1} - ordinary
    assert untold <= {0x00080005, 0x7FE00010}  # the character set follows from the texts, pixels are not read


def test_nothing_of_the_patient_is_in_the_draft(example):
    def name(dataset, _):
        dataset.PatientName = dataset.OperatorsName = dataset.PatientComments = "CANARY^SECRET"
        dataset.PatientID = dataset.AccessionNumber = dataset.RequestedProcedureID = "CANARY-1"
        dataset.ImageComments = "CANARY of the image"

    text = learn(example(change=name)).text
    assert "CANARY" not in text
    assert "OperatorsName = " in text


def test_no_tag_of_the_dictionary_but_the_sites_gives_its_value_to_the_draft(example):
    texts = {"LO": "CANARY %d", "SH": "CANARY %d", "UC": "CANARY %d", "AE": "CANARY %d", "CS": "CANARY %d"}
    rows = [(tag, row[0]) for tag, row in DicomDictionary.items() if row[4] and row[0] in texts]
    outside = {*range(0x08), 0x0028, *range(0x5000, 0x10000)}
    values = {  # PatientAlternativeCalendar and what goes with it are enumerated
        tag: (vr, texts[vr] % number)
        for number, (tag, vr) in enumerate(rows)
        if tag >> 16 not in outside and tag != 0x00080005 and not 0x00100033 <= tag <= 0x00100035
    }

    def everything(dataset, _):
        for tag, value in values.items():
            if tag not in dataset or tag >> 16 == 0x0010:
                dataset.add_new(tag, *value)

    learned = learn(example(change=everything))
    written = {one.name for one in learned.traits if isinstance(one.rule, dict) and "static" in one.rule}
    modules = {"General Equipment", "SC Equipment"}
    others = {name for name in written if modules.isdisjoint(modules_with(tag_for_keyword(name)))}
    assert others == {"SeriesNumber", "SeriesDescription"}
    assert "InstitutionName" in written
    assert trait(learned, "PatientTelephoneNumbers").kind == "patient/study context"


def test_a_draft_takes_other_parents(example, tmp_path):
    def thin(dataset, index):
        dataset.Exposure = 43 + index  # constant in the example
        if index == 1:
            del dataset.XRayTubeCurrent  # everywhere in the example

    draft, other = tmp_path / "draft.toml", ParentSeries.read(example("b", thin, seed=2))
    draft.write_text(learn(example()).text, encoding="utf-8")
    pixels = np.zeros((len(other), other.first.Rows, other.first.Columns), "i2")
    series = DicomFactory().build(pixels, Blueprint.load(draft), other)
    assert [one.Exposure for one in series] == [one.Exposure for one in other]
    assert ["XRayTubeCurrent" in one for one in series] == ["XRayTubeCurrent" in one for one in other]


def test_the_draft_builds_the_example_again(example, tmp_path):
    folder = example(sequences=True)
    learned = learn(folder)
    assert learned.unexpected == ()
    assert learned.largest_error == 0
    draft = tmp_path / "draft.toml"
    draft.write_text(learned.text, encoding="utf-8")
    parents = ParentSeries.read(folder)
    pixels = np.stack([pydicom.dcmread(path).pixel_array for path in parents.files])
    series = DicomFactory().build(pixels, Blueprint.load(draft), parents)
    for built, parent in zip(series, parents, strict=True):
        assert built.XRayTubeCurrent == parent.XRayTubeCurrent
        assert built.PatientID == parent.PatientID
        assert built.SOPInstanceUID != parent.SOPInstanceUID
        assert np.allclose(built.ImagePositionPatient, parent.ImagePositionPatient)


def test_what_differs_is_told(example):
    learned = learn(example(private=True))
    names = {one.name.partition(" ")[0] for one in learned.differences}
    assert {"SOPInstanceUID", "SeriesInstanceUID", "ContributingEquipmentSequence"} <= names
    assert all(one.told and one.why for one in learned.differences if one.what != "missing")
    assert not {"PatientID", "XRayTubeCurrent", "ImagePositionPatient", "Rows"} & names


def test_an_untold_difference_is_seen(example, monkeypatch):
    from dicomwright.learn import traits

    folder = example()
    monkeypatch.setattr(
        traits, "constant_rule", lambda element: {"static": "43"} if element.VR == "LO" else None
    )
    learned = learn(folder)
    assert {one.name for one in learned.unexpected} >= {"Manufacturer (0008,0070)"}


def test_private_elements_only_when_asked_for(example):
    folder = example(private=True)
    without, kept = learn(folder), learn(folder, keep_private=True)
    assert [one.rule for one in without.traits if one.kind == "private"] == [
        None for one in kept.traits if one.kind == "private"
    ]
    assert any(":(" in name for name in rules(kept))
    assert not any(":(" in name for name in rules(without))
    assert kept.unexpected == ()


def test_private_elements_go_by_their_creators(example):
    def blocks(dataset, index):
        if index % 2:
            dataset.private_block(0x0011, "FIRST", create=True).add_new(1, "LO", "1")
        block = dataset.private_block(0x0011, "ACME", create=True)  # at (0011,xx10) or (0011,xx11)
        block.add_new(1, "US", index)
        dataset.add_new(0x00131001, "LO", "of nobody")

    learned = learn(example(change=blocks), keep_private=True)
    assert learned.unexpected == ()
    kept = {name for name in rules(learned) if ":(" in name}
    assert kept == {"ACME:(0011,xx01)", "FIRST:(0011,xx01)"}
    assert trait(learned, "(0013,1001)").note == "left out; it has no creator"


def test_private_elements_inside_sequences(example):
    def nested(dataset, _):
        item = pydicom.Dataset()
        item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = "1", "99ACME", "one"
        item.private_block(0x0011, "ACME", create=True).add_new(1, "LO", "inside")
        dataset.ProcedureCodeSequence = [item]

    folder = example(change=nested)
    learned, kept = learn(folder), learn(folder, keep_private=True)
    (one,) = (one for one in learned.differences if one.name.startswith("ProcedureCodeSequence"))
    assert (one.what, one.told) == ("differs", True)
    assert one.why == "copied from the parent, without its private elements"
    assert not any(one.name.startswith("ProcedureCodeSequence") for one in kept.differences)


def test_what_stands_behind_the_pixels_is_told(example):
    def change(dataset, _index):
        dataset.private_block(0x7FE1, "ACME", create=True).add_new(0x10, "OB", b"abcd")
        dataset.DigitalSignaturesSequence = [pydicom.Dataset()]
        dataset.DataSetTrailingPadding = b"\0\0"

    learned = learn(example(change=change), keep_private=True)
    told = {one.name: (one.what, one.instances) for one in learned.differences if "behind" in one.why}
    assert told == {
        "ACME:(7FE1,xx10)": ("missing", 5),
        "DigitalSignaturesSequence (FFFA,FFFA)": ("missing", 5),
    }
    assert "# DigitalSignaturesSequence: pixel-derived: left out; it stands behind the pixels" in learned.text


def test_a_rule_of_the_draft_that_changes_the_condition_of_another(example):
    def change(dataset, _index):
        dataset.Laterality = ""  # the shipped blueprint leaves it out, and ImageLaterality needs that
        dataset.ImageLaterality = "L"

    learned = learn(example(change=change))
    assert learned.unexpected == ()
    assert rules(learned)["ImageLaterality"] == COPIED
    assert not any("Laterality" in one.name for one in learned.differences)


def test_an_element_that_cannot_be_decoded(example):
    def broken(dataset, index):
        for name in ["TableHeight"] * (index == 1) + ["KVP"]:
            dataset[name] = pydicom.dataelem.RawDataElement(
                pydicom.tag.Tag(name), "DS", 4, b"none", 0, False, True
            )

    learned = learn(example(change=broken))
    assert learned.unexpected == ()
    assert "cannot be decoded: its value is no DS" in trait(learned, "KVP").note
    assert trait(learned, "TableHeight").kind == "varying"


def test_what_the_blueprint_of_the_iod_would_not_copy(example):
    def some(dataset, index):
        if index == 1:
            dataset.StudyID = "7"

    learned = learn(example(change=some))
    assert learned.unexpected == ()
    assert rules(learned)["StudyID"]["copy-or-else"] == ""
    assert "differs between the instances" in trait(learned, "StudyID").note


def test_several_series_tell_the_site_from_the_patient(example):
    def other(dataset, _):
        dataset.SeriesDescription = "Abdomen"

    first, second = example("a"), example("b", other, seed=2)
    alone, both = learn(first), learn(first, second)
    assert rules(alone)["SeriesDescription"] == {"static": 'Chest "thin"'}
    assert rules(both)["SeriesDescription"] == COPIED
    assert rules(both)["Manufacturer"] == {"static": "ACME"}
    assert both.instances == 2 * alone.instances
    assert both.unexpected == ()


def test_a_tag_that_some_instances_lack(example):
    def some(dataset, index):
        if index == 2:
            del dataset.XRayTubeCurrent

    learned = learn(example(change=some))
    assert rules(learned)["XRayTubeCurrent"] == COPIED
    assert learned.unexpected == ()


def test_an_illegal_value_is_left_out_and_told(example):
    def age(dataset, _):
        dataset["PatientAge"] = pydicom.dataelem.RawDataElement(
            pydicom.tag.Tag("PatientAge"), "AS", 4, b"42  ", 0, False, True
        )

    learned = learn(example(change=age))
    (one,) = (one for one in learned.differences if one.name.startswith("PatientAge"))
    assert (one.what, one.told) == ("missing", True)
    assert "an age is nnnD, nnnW, nnnM or nnnY" in one.why


def test_images_that_each_have_a_rescale_of_their_own(example):
    def rescale(dataset, index):
        dataset.RescaleSlope = f"{1 + index / 7:.6f}"

    learned = learn(example(change=rescale))
    assert 0 < learned.largest_error < 0.05
    (pixels,) = (one for one in learned.differences if one.name.startswith("PixelData"))
    assert (pixels.what, pixels.told) == ("rounded", True)
    assert "within one step" in pixels.why
    (slope,) = (one for one in learned.differences if one.name.startswith("RescaleSlope"))
    assert slope.told


@pytest.mark.parametrize(("case", "base"), REAL.items(), ids=[case.partition("/")[0] for case in REAL])
def test_real_series(shared_data, case, base):
    learned = learn(shared_data / case)
    assert learned.base == base
    assert learned.unexpected == ()
    assert learned.largest_error < (1 if base == "pet-image" else 1e-9)
    assert all(f"{one.name} {one.what}" in learned.text for one in learned.differences)


@pytest.mark.parametrize("syntax", ["bigendian", "deflated", "implicit", "rle"])
def test_real_series_in_any_transfer_syntax(shared_data, syntax):
    learned = learn(shared_data / "v08_parents_transfer_syntaxes" / f"series_{syntax}")
    assert (learned.unexpected, learned.largest_error) == ((), 0)


def test_refusals(example, tmp_path):
    with pytest.raises(ParentError, match="no series to learn from"):
        learn()
    with pytest.raises(DicomwrightError, match="nowhere cannot be read"):
        learn(tmp_path / "nowhere")
    with pytest.raises(ParentError, match="of 2 kinds"):
        learn(example("ct"), example("mr", modality="MR"))


def test_a_series_of_another_kind(example):
    def capture(dataset, _):
        dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.7"

    with pytest.raises(ParentError, match="single-frame images of CT, MR, PET, not Secondary Capture"):
        learn(example(change=capture))


def test_several_images_at_one_place(example):
    def still(dataset, index):
        dataset.ImagePositionPatient = [0, 0, index // 2]

    with pytest.raises(ParentError, match="share their positions, as a time series does"):
        learn(example(change=still, orientation="axial"))


def test_pixels_that_cannot_be_decoded(example):
    folder = example()
    path = sorted(folder.iterdir())[1]
    dataset = pydicom.dcmread(path)
    dataset.PixelData = dataset.PixelData[:-4]
    dataset.save_as(path)
    with pytest.raises(SourceError, match="the pixels cannot be decoded"):
        learn(folder)
