"""A series is of one patient, study and modality: a rule that says otherwise for an instance is refused."""

import pytest
from pydicom import dcmread

from dicomwright import (
    OMIT,
    Blueprint,
    CopyElement,
    DicomwrightError,
    FunctionalElement,
    IndexElement,
    InstanceCopyElement,
    SequenceElement,
)

SHARED = {
    "PatientID": ("LO", "P{}"),
    "PatientName": ("PN", "Doe^{}"),
    "StudyInstanceUID": ("UI", "2.25.{}"),
    "SeriesInstanceUID": ("UI", "2.25.{}"),
    "FrameOfReferenceUID": ("UI", "2.25.{}"),
    "PatientBirthDate": ("DA", "1970010{}"),
    "SOPClassUID": ("UI", "2.25.{}"),
}


@pytest.mark.parametrize("keyword", SHARED)
@pytest.mark.parametrize("jobs", [1, 3])
def test_a_function_that_differs_is_refused(build, tmp_path, keyword, jobs):
    vr, text = SHARED[keyword]
    element = FunctionalElement(keyword, vr, lambda env: text.format(1 + (env.instance_number == 5)))
    series = build([element], count=6)
    with pytest.raises(
        DicomwrightError, match=rf"{keyword} .* of instance \d is not that of instance \d"
    ) as caught:
        series.write(tmp_path / "out", jobs=jobs)
    assert "build a series of its own for each value" in str(caught.value)
    assert __file__ in caught.value.problems[0].loc
    assert list(tmp_path.iterdir()) == []


def test_values_that_are_known_are_refused_before_anything_is_made(build):
    with pytest.raises(DicomwrightError, match=r"PatientID .* of instance 2 is not that of instance 1"):
        build([IndexElement("PatientID", "LO", ["A", "B", "A"])], count=3)


def test_an_instance_without_the_value_is_refused_too(build, tmp_path):
    element = FunctionalElement("PatientID", "LO", lambda env: "P" if env.instance_number > 1 else OMIT)
    with pytest.raises(DicomwrightError, match="PatientID"):
        build([element], count=3).write(tmp_path / "out")


def test_what_a_patient_is_called_is_not_told(build):
    with pytest.raises(DicomwrightError) as caught:
        build([IndexElement("PatientName", "PN", ["Nobody^Else", "Some^Body"])], count=2)
    assert "Nobody" not in str(caught.value)
    assert "Body" not in str(caught.value)


def test_the_same_value_from_a_function_is_fine(build, tmp_path):
    elements = [
        FunctionalElement("PatientID", "LO", lambda _: "P"),
        IndexElement("StudyID", "SH", ["7"] * 4),
        FunctionalElement("ImageComments", "LT", lambda env: str(env.instance_number)),
    ]
    files = build(elements, count=4).write(tmp_path / "out")
    assert {dcmread(file).PatientID for file in files} == {"P"}
    assert len({dcmread(file).ImageComments for file in files}) == 4


def test_inside_items_it_may_differ(build):
    """A reference names an instance of another series, maybe of another study."""
    element = SequenceElement(
        "SourceImageSequence",
        [Blueprint([FunctionalElement("StudyInstanceUID", "UI", lambda env: f"2.25.{env.instance_number}")])],
    )
    series = build([element], count=2)
    assert [one.SourceImageSequence[0].StudyInstanceUID for one in series] == ["2.25.1", "2.25.2"]


@pytest.mark.parametrize("element", [CopyElement, InstanceCopyElement])
def test_a_copy_from_parents_that_differ_is_refused(build, make_series, element):
    parents = make_series(modality="MR", shape=(3, 6, 4))
    parents[2].PatientSex = "F" if parents[0].PatientSex == "M" else "M"
    with pytest.raises(DicomwrightError, match=r"PatientSex .*(of instance 3 is not that of|differs).*value"):
        build([element("PatientSex")], count=3, parents=parents)


def test_a_study_that_was_numbered_anew_can_be_copied_for_each_instance(build, make_series):
    parents = make_series(modality="MR", shape=(3, 6, 4))
    parents[2].StudyID = "other"
    series = build([InstanceCopyElement("StudyID")], count=3, parents=parents)
    assert series[2].StudyID == "other"
