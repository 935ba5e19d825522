"""What is a sequence, and how a problem in an item is told."""

from __future__ import annotations

import pytest
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.tag import Tag
from pydicom.valuerep import DSfloat

from dicomwright.blueprint.values import check_value, normalise


def test_a_dataset_stands_for_a_sequence_of_one_item():
    item = Dataset()
    assert normalise("AnatomicRegionSequence", "SQ", item) == [item]
    assert normalise("AnatomicRegionSequence", "SQ", (item,)) == [item]
    sequence = Sequence([item])
    assert normalise("AnatomicRegionSequence", "SQ", sequence) is sequence


def item(**elements):
    """Return a dataset."""
    dataset = Dataset()
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    return dataset


def test_right_sequences_are_accepted():
    code = item(CodeValue="113076", CodingSchemeDesignator="DCM", CodeMeaning="Segmentation")
    nested = item(
        AnatomicRegionSequence=[code], PixelSpacing=[0.5, 0.25], PatientName="A^B", SmallestImagePixelValue=3
    )
    nested.add_new(0x00090010, "LO", "ACME")
    nested.add_new(0x00091001, "UN", b"ab")
    for value in ([], None, [code], Sequence([nested, code]), [nested, nested]):
        assert (
            check_value("DerivationCodeSequence", "SQ", normalise("DerivationCodeSequence", "SQ", value))
            == []
        )


def test_a_problem_in_an_item_comes_with_the_way_to_it():
    inner = item(CodeMeaning="ok")
    inner.add_new("StudyDate", "DA", "20260101")
    inner["StudyDate"]._value = "20260230"
    sequence = [item(), item(AnatomicRegionSequence=[inner])]
    (problem,) = check_value("DerivationCodeSequence", "SQ", sequence)
    assert problem.message == (
        "DerivationCodeSequence (0008,9215) item 2: AnatomicRegionSequence (0008,2218) item 1: "
        "StudyDate (0008,0020) = '20260230': there is no such day (PS3.5 §6.2)"
    )
    (hidden,) = check_value("DerivationCodeSequence", "SQ", sequence, show_value=False)
    assert "20260230" not in hidden.message


def test_items_are_judged_by_what_would_be_written():
    dataset = item()
    dataset.SliceThickness = DSfloat(0.12345678901234567)
    (problem,) = check_value("DerivationCodeSequence", "SQ", [dataset])
    assert "DS holds 16" in problem.message


def test_a_wrong_vr_in_an_item_is_told():
    dataset = item()
    dataset.add_new("SeriesDescription", "SH", "a")
    (problem,) = check_value("DerivationCodeSequence", "SQ", [dataset])
    assert "item 1: SeriesDescription (0008,103E) has VR LO, not SH" in problem.message


def test_an_element_that_cannot_be_decoded_is_told():
    dataset = item()
    dataset[0x00189073] = RawDataElement(
        Tag(0x00189073), "FD", 5, b"12345", 0, is_implicit_VR=False, is_little_endian=True
    )
    (problem,) = check_value("DerivationCodeSequence", "SQ", [dataset])
    assert "item 1: AcquisitionDuration (0018,9073) cannot be decoded" in problem.message
    assert problem.kind == "undecodable"


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (5, "a Python int is not a sequence"),
        ("text", "a Python str is not a sequence"),
        ([5], "item 1: a Python int is not an item"),
        ([{}], "item 1: a Python dict is not an item"),
    ],
)
def test_what_is_no_sequence_is_told(value, reason):
    (problem,) = check_value("DerivationCodeSequence", "SQ", normalise("DerivationCodeSequence", "SQ", value))
    assert reason in problem.message
    assert problem.kind == "wrong-type"


def test_an_item_in_itself_is_told():
    dataset = item()
    dataset.add_new("DerivationCodeSequence", "SQ", [])
    dataset["DerivationCodeSequence"]._value = [dataset]
    (problem,) = check_value("DerivationCodeSequence", "SQ", [dataset])
    assert "the item contains itself" in problem.message


@pytest.mark.parametrize(("depth", "kinds"), [(64, []), (65, ["too-deep"])])
def test_sequences_nest_64_deep(depth, kinds):
    sequence = []
    for _ in range(depth - 1):
        sequence = [item(DerivationCodeSequence=sequence)]
    found = check_value("DerivationCodeSequence", "SQ", sequence)
    assert [problem.kind for problem in found] == kinds
