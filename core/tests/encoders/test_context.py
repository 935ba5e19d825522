"""Derived images name their sources, exactly these, and how they were made."""

import numpy as np
import pytest

from dicomwright import (
    Blueprint,
    Derivation,
    DicomFactory,
    DiscardElement,
    ParentSeries,
    SequenceElement,
    StaticElement,
    Volume,
)
from dicomwright.errors import BlueprintError

AFFINE = [[0, 0, 1.5, -7], [0, 2, 0, 5], [3, 0, 0, 11], [0, 0, 0, 1]]


@pytest.fixture
def parents(make_series):
    return ParentSeries(make_series(modality="CT", orientation="oblique"))


@pytest.fixture
def build(parents):
    """Return `build(*elements, name=..., **more) -> series` of an array in the place of the parents."""

    def built(*elements, name="ct-image", volume=None, **more):
        array = np.zeros((len(parents), parents.planes.rows, parents.planes.columns), np.int16)
        blueprint = Blueprint.load(name) + Blueprint(elements)
        return DicomFactory().build(array if volume is None else volume, blueprint, parents, **more)

    return built


def references(items):
    return [(item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID) for item in items]


def test_each_slice_names_its_parent(build, parents):
    for dataset, parent in zip(build(), parents, strict=True):
        (source,) = dataset.SourceImageSequence
        assert (source.ReferencedSOPClassUID, source.ReferencedSOPInstanceUID) == (
            parent.SOPClassUID,
            parent.SOPInstanceUID,
        )
        (purpose,) = source.PurposeOfReferenceCodeSequence
        assert (purpose.CodeValue, purpose.CodingSchemeDesignator) == ("121322", "DCM")


def test_what_is_referenced_is_listed_and_nothing_else(build, parents):
    for dataset in build():
        (series,) = dataset.ReferencedSeriesSequence
        assert series.SeriesInstanceUID == parents.first.SeriesInstanceUID
        assert references(series.ReferencedInstanceSequence) == references(dataset.SourceImageSequence)
        assert "StudiesContainingOtherReferencedInstancesSequence" not in dataset


def test_slices_without_a_parent_name_all(build, parents):
    volume = Volume(np.zeros((3, 4, 5), np.int16), AFFINE)
    everything = [(parent.SOPClassUID, parent.SOPInstanceUID) for parent in parents]
    for dataset in build(volume=volume):
        assert references(dataset.SourceImageSequence) == everything
        assert references(dataset.ReferencedSeriesSequence[0].ReferencedInstanceSequence) == everything


def test_another_study(build, parents):
    dataset = build(StaticElement("StudyInstanceUID", "UI", "1.2.3"))[0]
    assert "ReferencedSeriesSequence" not in dataset
    (study,) = dataset.StudiesContainingOtherReferencedInstancesSequence
    assert study.StudyInstanceUID == parents.first.StudyInstanceUID
    (series,) = study.ReferencedSeriesSequence
    assert references(series.ReferencedInstanceSequence) == references(dataset.SourceImageSequence)


def test_the_same_study_by_its_uid(build, parents):
    dataset = build(StaticElement("StudyInstanceUID", "UI", parents.first.StudyInstanceUID))[0]
    assert "ReferencedSeriesSequence" in dataset


@pytest.mark.parametrize(
    "keyword", ["SourceImageSequence", "ReferencedSeriesSequence", "ContributingEquipmentSequence"]
)
def test_each_part_can_be_discarded(build, keyword):
    assert keyword in build()[0]
    assert keyword not in build(DiscardElement(keyword))[0]


def test_what_is_not_referenced_is_not_listed(build):
    assert "ReferencedSeriesSequence" not in build(DiscardElement("SourceImageSequence"))[0]


def own_sources(*uids):
    """Return a SourceImageSequence of a user."""
    ct = StaticElement("ReferencedSOPClassUID", "UI", "1.2.840.10008.5.1.4.1.1.2")
    items = [Blueprint([ct, StaticElement("ReferencedSOPInstanceUID", "UI", uid)]) for uid in uids]
    return SequenceElement("SourceImageSequence", items)


def test_the_blueprint_wins(build, parents):
    dataset = build(own_sources("1.2.3"))[0]
    assert references(dataset.SourceImageSequence) == [("1.2.840.10008.5.1.4.1.1.2", "1.2.3")]
    assert "ReferencedSeriesSequence" not in dataset
    dataset = build(own_sources("1.2.3", parents[1].SOPInstanceUID))[0]
    (series,) = dataset.ReferencedSeriesSequence
    assert references(series.ReferencedInstanceSequence) == [
        (parents[1].SOPClassUID, parents[1].SOPInstanceUID)
    ]


@pytest.mark.parametrize("name", ["ct-image", "mr-image", "pet-image", "nm-image"])
def test_loss_is_carried_unless_it_is_discarded(make_series, name):
    parents = make_series(modality="CT")
    for dataset in parents:
        dataset.LossyImageCompression = "01"
    array = np.zeros((len(parents), parents[0].Rows, parents[0].Columns), np.int16)
    blueprint = Blueprint.load(name)
    assert DicomFactory().build(array, blueprint, parents)[0].LossyImageCompression == "01"
    without = blueprint + Blueprint([DiscardElement("LossyImageCompression")])
    assert "LossyImageCompression" not in DicomFactory().build(array, without, parents)[0]


class TestFrameOfReference:
    """It is the parents' where every pixel lies in one of theirs."""

    @pytest.fixture
    def built(self, parents, build):
        """Return `built(first pixel, step of rows and columns, rows, columns) -> is it the parents'?` in their grid."""
        planes = parents.planes

        def compared(start=(0, 0), step=(1, 1), rows=planes.rows, columns=planes.columns, turned=False):
            down, along = planes.column_direction, planes.row_direction
            if turned:
                down, along = along, -down
            matrix = np.eye(4)
            matrix[:3, 0] = planes.positions[1] - planes.positions[0]
            matrix[:3, 1] = down * planes.pixel_spacing[0] * step[0]
            matrix[:3, 2] = along * planes.pixel_spacing[1] * step[1]
            matrix[:3, 3] = planes.index_to_lps(0, *start)
            volume = Volume(np.zeros((len(planes), rows, columns), np.int16), matrix)
            series = build(volume=volume, encoder_options={"slicing": "native"})
            said = [text for text in series.warnings if "FrameOfReferenceUID (0020,0052) is new" in text]
            return series[0].FrameOfReferenceUID == parents.first.FrameOfReferenceUID, bool(said)

        return compared

    def test_the_same_grid(self, built):
        assert built() == (True, False)

    def test_a_part(self, built):
        assert built((1, 2), rows=3, columns=2) == (True, False)

    def test_a_finer_grid(self, built, parents):
        planes = parents.planes
        assert built((-0.25, -0.25), (0.5, 0.5), 2 * planes.rows, 2 * planes.columns) == (True, False)

    @pytest.mark.parametrize("start", [(3, 0), (0, 3), (-3, 0), (0, -3), (0, 1)])
    def test_moved_within_the_planes(self, built, start):
        assert built(start) == (False, True)

    def test_larger_pixels(self, built):
        assert built(step=(1, 1.5)) == (False, True)

    def test_turned_about_the_normal(self, built):
        assert built(turned=True) == (False, True)


def test_without_parents_there_is_nothing_to_name():
    dataset = DicomFactory().build(Volume(np.zeros((2, 3, 4), np.int16), AFFINE), Blueprint.load("mr-image"))[
        0
    ]
    assert "SourceImageSequence" not in dataset
    assert "ReferencedSeriesSequence" not in dataset


@pytest.mark.parametrize("broken", ["", "1.02.3", "no-uid"])
def test_parents_without_identity_are_not_named(make_series, broken):
    parents = make_series(modality="CT")
    for dataset in parents:
        dataset["SOPInstanceUID"]._value = broken
    array = np.zeros((len(parents), parents[0].Rows, parents[0].Columns), np.int16)
    for parent_list in (parents[:1],):
        dataset = DicomFactory().build(array[:1], Blueprint.load("ct-image"), parent_list)[0]
        assert "SourceImageSequence" not in dataset


@pytest.mark.parametrize(
    ("name", "kind"), [("ct-image", "SECONDARY"), ("mr-image", "SECONDARY"), ("pet-image", "PRIMARY")]
)
def test_image_type(build, name, kind):
    assert build(name=name)[0].ImageType[:2] == ["DERIVED", kind]


def test_how_they_were_made(build):
    derivation = Derivation(
        "Nodules, threshold 0.5",
        (("113076", "DCM", "Segmentation"), ("a-code-of-more-than-16", "99ACME", "Own")),
        algorithm="NoduleNet",
        algorithm_version="2.1",
        manufacturer="ACME",
    )
    dataset = build(derivation=derivation)[0]
    assert dataset.DerivationDescription == "Nodules, threshold 0.5"
    first, second = dataset.DerivationCodeSequence
    assert (first.CodeValue, first.CodeMeaning, second.LongCodeValue) == (
        "113076",
        "Segmentation",
        "a-code-of-more-than-16",
    )
    ours, theirs = dataset.ContributingEquipmentSequence
    assert (ours.Manufacturer, theirs.Manufacturer) == ("dicomwright", "ACME")
    assert (theirs.ManufacturerModelName, theirs.SoftwareVersions) == ("NoduleNet", "2.1")
    assert theirs.PurposeOfReferenceCodeSequence[0].CodeValue == "109102"


def test_a_text_is_a_description(build):
    assert build(derivation="Smoothed")[0].DerivationDescription == "Smoothed"


@pytest.mark.parametrize("code", [("113076", "DCM"), ("", "DCM", "x"), "abcd"])
def test_codes_that_are_none(code):
    with pytest.raises(BlueprintError, match="is not value, scheme and meaning"):
        Derivation(codes=(code,))


def test_lint_and_validators_like_it(build, tmp_path, dciodvfy):
    files = build(derivation=Derivation("x", (("113076", "DCM", "Segmentation"),), "n", "1")).write(
        tmp_path / "out"
    )
    assert dciodvfy(files[0]) == []
