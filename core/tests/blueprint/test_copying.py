"""Elements that copy from the parent series."""

from __future__ import annotations

import numpy as np
import pytest

from dicomwright import (
    Blueprint,
    CopyElement,
    CopyOrElseElement,
    DicomFactory,
    DicomwrightError,
    FunctionalElement,
    InstanceCopyElement,
    Level,
    PrivateTag,
    SequenceElement,
    SeriesElement,
    StaticElement,
    gen_uid,
)

IMAGE = np.arange(60, dtype=np.int16).reshape(3, 4, 5)


@pytest.fixture
def parents(make_series):
    return make_series("MR", "coronal", shape=(3, 4, 5), private=True, sequences=True)


@pytest.fixture
def build(parents):
    """Return `build(*elements) -> Series` from the parents."""

    def run(*elements, **options):
        return DicomFactory().build(
            IMAGE, Blueprint.load("mr-image") + Blueprint(elements), parents, **options
        )

    return run


@pytest.mark.parametrize("lacking", [0, 2])
@pytest.mark.parametrize(
    "element",
    [CopyElement("StudyID"), CopyElement("StudyID", optional=True), CopyOrElseElement("StudyID", "SH", "")],
)
def test_a_value_that_some_instances_lack_is_never_dropped_in_silence(build, parents, lacking, element):
    for number, dataset in enumerate(parents):
        dataset.StudyID = "7"
        if number == lacking:
            del dataset.StudyID
    with pytest.raises(DicomwrightError, match=r"StudyID .* differs between the instances"):
        build(element)


class TestCopy:
    def test_text_numbers_and_sequences(self, build, parents):
        dataset = build(
            CopyElement("StudyDescription"),
            CopyElement("RepetitionTime"),
            CopyElement("ProcedureCodeSequence"),
            CopyElement("ReferencedImageSequence"),
        )[0]
        for keyword in (
            "StudyDescription",
            "RepetitionTime",
            "ProcedureCodeSequence",
            "ReferencedImageSequence",
        ):
            assert dataset[keyword].value == parents[0][keyword].value
            assert dataset[keyword].VR == parents[0][keyword].VR

    def test_an_empty_value_of_the_parent_is_copied_as_empty(self, build):
        assert build(CopyElement("ScanOptions"))[0]["ScanOptions"].is_empty

    def test_missing(self, build):
        with pytest.raises(DicomwrightError) as caught:
            build(CopyElement("PatientComments"), CopyElement("StudyComments"))
        assert len(caught.value.problems) == 2
        for problem in caught.value.problems:
            assert "is missing in the parent series" in problem.message
            assert "optional=True" in problem.hint
            assert problem.loc.startswith(__file__)

    def test_optional_is_a_keyword_or_the_second_argument(self, build):
        by_position = CopyElement("PatientComments", True)
        for element in (CopyElement("PatientComments", optional=True), by_position):
            assert "PatientComments" not in build(element)[0]
            assert element.required_tags() == set()

    def test_what_differs_is_refused_with_the_way_out(self, build, parents):
        for number, dataset in enumerate(parents):
            dataset.TriggerTime = number
        with pytest.raises(DicomwrightError, match=r"TriggerTime \(0018,1060\) differs.*InstanceCopyElement"):
            build(CopyElement("TriggerTime"))
        with pytest.raises(DicomwrightError, match="differs"):
            build(CopyElement("TriggerTime", optional=True))
        with pytest.raises(DicomwrightError, match="differs"):
            build(CopyOrElseElement("TriggerTime", "DS", "1"))

    def test_what_only_some_instances_have_differs(self, build, parents):
        parents[1].StudyComments = "only here"
        with pytest.raises(DicomwrightError):
            build(CopyElement("StudyComments"))

    def test_a_private_element_follows_its_creator(self, build, parents):
        tag = PrivateTag(0x0029, "PHANTOM WORKS", 0x01)
        dataset = build(CopyElement(tag))[0]
        assert dataset.private_block(0x0029, "PHANTOM WORKS")[0x01].value == "private text"
        missing = PrivateTag(0x0029, "OTHER", 0x01)
        with pytest.raises(DicomwrightError, match="OTHER"):
            build(CopyElement(missing))
        assert len(build(CopyElement(missing, optional=True))) == len(parents)

    def test_a_copy_inside_an_item_reads_the_top_level(self, build):
        item = Blueprint([CopyElement("StudyID"), CopyElement("PatientComments", optional=True)])
        dataset = build(SequenceElement("DerivationCodeSequence", [item]))[0]
        assert [element.keyword for element in dataset.DerivationCodeSequence[0]] == ["StudyID"]

    def test_the_copy_is_the_outputs_own(self, build, parents):
        dataset = build(CopyElement("ProcedureCodeSequence"))[0]
        dataset.ProcedureCodeSequence[0].CodeMeaning = "changed"
        assert parents[0].ProcedureCodeSequence[0].CodeMeaning == "Head"


class TestCopyOrElse:
    def test_a_value(self, build):
        assert build(CopyOrElseElement("StudyID", "SH", "other"))[0].StudyID == "S1"
        assert build(CopyOrElseElement("PatientComments", "LT", "none"))[0].PatientComments == "none"

    def test_nothing_is_an_empty_element(self, build):
        assert build(CopyOrElseElement("PatientComments", "LT"))[0]["PatientComments"].is_empty

    def test_another_element(self, build):
        def comment(env):
            return f"{env.instance_number}"

        per_instance = FunctionalElement("PatientComments", "LT", comment)
        series = build(CopyOrElseElement("PatientComments", "LT", per_instance))
        assert [dataset.PatientComments for dataset in series] == ["1", "2", "3"]
        once = build(
            CopyOrElseElement("PatientComments", "LT", SeriesElement("PatientComments", "LT", gen_uid))
        )
        assert len({dataset.PatientComments for dataset in once}) == 1

    def test_its_level_is_at_least_that_of_a_copy(self):
        per_instance = FunctionalElement("StudyID", "SH", lambda _: "1")
        assert CopyOrElseElement("StudyID", "SH", "1").level is Level.SERIES
        assert CopyOrElseElement("StudyID", "SH", StaticElement("StudyID", "SH", "1")).level is Level.SERIES
        assert CopyOrElseElement("StudyID", "SH", per_instance).level is Level.INSTANCE

    def test_an_element_of_another_tag_is_refused(self):
        with pytest.raises(DicomwrightError, match="another tag"):
            CopyOrElseElement("StudyID", "SH", StaticElement("PatientID", "LO", "1"))

    def test_without_a_parent(self):
        from dicomwright import Volume

        blueprint = Blueprint.load("mr-image") + Blueprint([CopyOrElseElement("StudyID", "SH", "alone")])
        assert DicomFactory().build(Volume(IMAGE, np.eye(4)), blueprint)[0].StudyID == "alone"


class TestInstanceCopy:
    def test_each_from_its_own(self, build, parents):
        for number, dataset in enumerate(parents):
            dataset.TriggerTime = number * 10
            dataset.ReferencedImageSequence[0].ReferencedFrameNumber = number + 1
        series = build(
            InstanceCopyElement("TriggerTime", "DS"), InstanceCopyElement("ReferencedImageSequence")
        )
        assert [dataset.TriggerTime for dataset in series] == [0, 10, 20]
        assert [d.ReferencedImageSequence[0].ReferencedFrameNumber for d in series] == [1, 2, 3]

    def test_the_vr_may_be_left_out(self, build, parents):
        for number, dataset in enumerate(parents):
            dataset.TriggerTime = number
        assert build(InstanceCopyElement("TriggerTime"))[2]["TriggerTime"].VR == "DS"

    def test_what_no_parent_has(self, build):
        with pytest.raises(
            DicomwrightError, match=r"TriggerTime \(0018,1060\) is missing in the parent of 3 of 3"
        ):
            build(InstanceCopyElement("TriggerTime", "DS"))

    def test_a_count_that_does_not_fit(self, make_series):
        from dicomwright import Volume

        parents = make_series("MR", "coronal", shape=(2, 4, 5))
        blueprint = Blueprint.load("mr-image") + Blueprint([InstanceCopyElement("SOPClassUID", "UI")])
        with pytest.raises(DicomwrightError, match="no pairing"):
            DicomFactory().build(Volume(IMAGE, np.eye(4)), blueprint, parents)

    def test_without_geometry_the_instance_numbers_pair(self, parents):
        for number, dataset in enumerate(parents):
            for keyword in ("ImagePositionPatient", "ImageOrientationPatient"):
                del dataset[keyword]
            dataset.InstanceNumber = 10 - number
            dataset.TriggerTime = dataset.InstanceNumber
        blueprint = Blueprint([InstanceCopyElement("TriggerTime", "DS")])
        series = DicomFactory().build_series_without_image_encoding(IMAGE, blueprint, parents)
        assert [dataset.TriggerTime for dataset in series] == [8, 9, 10]

    def test_without_geometry_and_instance_numbers_nothing_pairs(self, parents):
        for number, dataset in enumerate(parents):
            for keyword in ("ImagePositionPatient", "ImageOrientationPatient", "InstanceNumber"):
                del dataset[keyword]
            dataset.TriggerTime = number
        blueprint = Blueprint([InstanceCopyElement("TriggerTime", "DS")])
        with pytest.raises(DicomwrightError, match=r"InstanceNumbers? \(0020,0013\)"):
            DicomFactory().build_series_without_image_encoding(IMAGE, blueprint, parents)

    def test_inside_an_item(self, build, parents):
        for number, dataset in enumerate(parents):
            dataset.TriggerTime = number
        item = Blueprint([InstanceCopyElement("TriggerTime", "DS")])
        series = build(SequenceElement("DerivationCodeSequence", [item]))
        assert [d.DerivationCodeSequence[0].TriggerTime for d in series] == [0, 1, 2]
