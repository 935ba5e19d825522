"""The built-in encoder: which IODs, which options, and what it decides itself."""

from __future__ import annotations

import numpy as np
import pytest

from dicomwright import Blueprint, DicomFactory, DicomwrightError, StaticElement, Volume
from dicomwright.plugins import load

IMAGE = np.arange(60, dtype=np.int16).reshape(3, 4, 5)
AFFINE = np.array([[0, 0, 1.25, -31.5], [0, 0.75, 0, 17.25], [2.5, 0, 0, -105], [0, 0, 0, 1.0]])
KINDS = {"mr-image": "MR", "ct-image": "CT", "pet-image": "PT"}


def build(array=IMAGE, name="ct-image", *elements, parents=None, affine=AFFINE, **options):
    blueprint = Blueprint.load(name) + Blueprint(elements)
    return DicomFactory().build(Volume(array, affine), blueprint, parents, encoder_options=options)


@pytest.mark.parametrize("name", KINDS)
def test_the_iods(name):
    dataset = build(name=name)[0]
    assert dataset.Modality == KINDS[name]
    assert dataset.SamplesPerPixel == 1
    assert dataset.PhotometricInterpretation == "MONOCHROME2"
    assert (dataset.Rows, dataset.Columns) == (4, 5)
    assert dataset["PixelData"].VR == "OW"
    assert ("SpacingBetweenSlices" in dataset) is (name == "mr-image")
    assert ("ImageIndex" in dataset) is (name == "pet-image")


def test_other_iods_are_refused_by_name():
    blueprint = Blueprint.load("ct-image") + Blueprint(
        [StaticElement("SOPClassUID", "UI", "1.2.840.10008.5.1.4.1.1.7")]
    )
    with pytest.raises(DicomwrightError, match="writes CT, MR, PET, not Secondary Capture Image Storage"):
        DicomFactory(plugin_set=load(enabled=False)).build(Volume(IMAGE, AFFINE), blueprint, encoder="image")


def test_no_iod_at_all():
    with pytest.raises(DicomwrightError, match=r"SOPClassUID \(0008,0016\) is given by nothing"):
        DicomFactory().build(Volume(IMAGE, AFFINE), Blueprint())


def test_colour_is_pointed_to_secondary_capture():
    with pytest.raises(DicomwrightError, match="secondary capture"):
        build(np.zeros((3, 4, 5, 3), np.uint8))


class TestSlicing:
    @pytest.mark.parametrize(
        ("slicing", "count", "iop"),
        [
            ("native", 3, [1, 0, 0, 0, 1, 0]),
            ("auto", 3, [1, 0, 0, 0, 1, 0]),
            ("axial", 3, [1, 0, 0, 0, 1, 0]),
            ("coronal", 4, [1, 0, 0, 0, 0, -1]),
            ("sagittal", 5, [0, 1, 0, 0, 0, -1]),
        ],
    )
    def test_directions(self, slicing, count, iop):
        series = build(slicing=slicing)
        assert len(series) == count
        assert series[0].ImageOrientationPatient == iop

    def test_like_parent(self, make_series):
        parents = make_series("CT", "sagittal", shape=(5, 3, 4))
        series = build(parents=parents, slicing="like-parent")
        assert series[0].ImageOrientationPatient == parents[0].ImageOrientationPatient
        assert len(series) == 5

    def test_auto_is_like_the_parent_where_the_grids_are_parallel(self, make_series):
        origin = (
            -31.5 + 4 * 1.25,
            17.25,
            -105 + 2 * 2.5,
        )  # the corner of the volume that is the first on the normal
        sagittal = make_series("CT", "sagittal", shape=(5, 3, 4), spacing=(1.25, 2.5, 0.75), origin=origin)
        series = build(parents=sagittal)
        assert [d.ImagePositionPatient for d in series] == [d.ImagePositionPatient for d in sagittal]
        assert series[0].FrameOfReferenceUID == sagittal[0].FrameOfReferenceUID
        oblique = make_series("CT", "oblique", shape=(5, 3, 4))
        series = build(parents=oblique)
        assert series[0].ImageOrientationPatient == [1, 0, 0, 0, 1, 0]
        assert any("°" in warning for warning in series.warnings)

    def test_like_a_parent_that_is_not_parallel(self, make_series):
        with pytest.raises(DicomwrightError, match="°"):
            build(parents=make_series("CT", "oblique"), slicing="like-parent")

    def test_like_no_parent(self):
        with pytest.raises(DicomwrightError, match="like-parent"):
            build(slicing="like-parent")

    def test_unknown(self):
        with pytest.raises(DicomwrightError, match="axial"):
            build(slicing="transversal")


class TestNonFinite:
    @pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
    def test_counted_and_placed(self, bad):
        array = IMAGE.astype(np.float32)
        array[1, 2, 3] = array[2, 0, 0] = bad
        with pytest.raises(DicomwrightError, match=r"2 .*slice 1, row 2, column 3") as caught:
            build(array)
        assert len(caught.value.problems) == 1

    def test_a_value_in_their_place(self):
        array = IMAGE.astype(np.float32)
        array[1, 2, 3] = np.nan
        series = build(array, non_finite="-7")
        assert series[1].pixel_array[2, 3] * series[1].RescaleSlope + series[1].RescaleIntercept == -7

    @pytest.mark.parametrize("value", ["x", "nan", "inf", "1e999"])
    def test_the_value_is_a_number(self, value):
        array = IMAGE.astype(np.float32)
        array[0, 0, 0] = np.nan
        with pytest.raises(DicomwrightError, match="finite"):
            build(array, non_finite=value)[0]

    def test_all_of_them(self):
        with pytest.raises(DicomwrightError, match="60"):
            build(np.full((3, 4, 5), np.nan))


class TestQuantise:
    def test_exact_refuses_a_loss(self):
        assert build(IMAGE.astype(float), quantise="exact").result["stored_values"]["lossless"]
        with pytest.raises(DicomwrightError, match="without a loss") as caught:
            build(IMAGE / 7 + 1e-3, quantise="exact")
        assert len(caught.value.problems) == 1

    def test_labels_are_never_rescaled(self):
        labels = np.array([0, 41, 614454277], np.int32)[np.indices((3, 4, 5)).sum(0) % 3]
        with pytest.raises(DicomwrightError, match="614454277"):
            build(labels)[0]
        assert not build(labels, quantise="fit").result["stored_values"]["lossless"]

    def test_wide_integers_with_few_steps(self):
        array = (np.arange(60).reshape(3, 4, 5) + 10**7).astype(np.int32)
        series = build(array)
        stored = series.result["stored_values"]
        assert stored["lossless"]
        assert np.array_equal(series[2].pixel_array * stored["slope"] + stored["intercept"], array[2])

    def test_unknown(self):
        with pytest.raises(DicomwrightError, match="exact"):
            build(quantise="best")


class TestRescale:
    def test_a_scaled_volume_keeps_its_numbers(self):
        volume = Volume(IMAGE, AFFINE, slope=0.5, intercept=-100)
        series = DicomFactory().build(volume, Blueprint.load("ct-image"))
        assert (series[0].RescaleSlope, series[0].RescaleIntercept) == (0.5, -100)
        assert np.array_equal(series[2].pixel_array, IMAGE[2])
        assert series.result["stored_values"]["lossless"]

    def test_mr_says_what_a_rescale_means(self):
        dataset = build(np.linspace(0, 1, 60).reshape(3, 4, 5), "mr-image")[0]
        assert "RescaleType" in dataset

    @pytest.mark.parametrize("name", KINDS)
    def test_errors_are_measured_not_guessed(self, name):
        array = np.random.default_rng(4).normal(size=(3, 4, 5)) * 1000
        series = build(array, name)
        stored = series.result["stored_values"]
        worst = max(
            np.abs(d.pixel_array * float(d.RescaleSlope) + float(d.RescaleIntercept) - values).max()
            for d, values in zip(series, array, strict=True)
        )
        assert stored["max_abs_error"] == pytest.approx(worst, rel=1e-6)
        assert 0 < worst <= stored["slope"] / 2 * (1 + 1e-6)

    @pytest.mark.parametrize("seed", range(8))  # in some of them a slice has an error that none exceeds
    def test_the_largest_error_stays_known_when_slices_are_made_again(self, tmp_path, seed):
        series = build((np.random.default_rng(seed).normal(size=(3, 4, 5)) * 100).astype("f4"))
        series.write(tmp_path / "out")
        known = series.result["stored_values"]["max_abs_error"]
        assert all(dataset.PixelData for dataset in series)
        assert series.result["stored_values"]["max_abs_error"] == known > 1e-3


class TestPrecedence:
    def test_what_follows_from_the_pixels_overrides_the_blueprint(self):
        elements = [
            StaticElement("BitsStored", "US", 12),
            StaticElement("PixelRepresentation", "US", 1),
            StaticElement("PhotometricInterpretation", "CS", "MONOCHROME1"),
            StaticElement("RescaleSlope", "DS", "2"),
            StaticElement("PixelSpacing", "DS", [9, 9]),
        ]
        dataset = build(IMAGE, "ct-image", *elements)[0]
        assert dataset.PhotometricInterpretation == "MONOCHROME2"
        assert (dataset.RescaleSlope, dataset.PixelSpacing) == (1, [0.75, 1.25])
        assert dataset.HighBit == dataset.BitsStored - 1

    def test_the_blueprint_overrides_defaults(self):
        elements = [
            StaticElement("WindowCenter", "DS", "40"),
            StaticElement("WindowWidth", "DS", "400"),
            StaticElement("SliceThickness", "DS", "1.5"),
            StaticElement("ImageType", "CS", ["DERIVED", "SECONDARY", "AXIAL"]),
        ]
        dataset = build(IMAGE, "ct-image", *elements)[0]
        assert (dataset.WindowCenter, dataset.WindowWidth, dataset.SliceThickness) == (40, 400, 1.5)
        assert dataset.ImageType[1] == "SECONDARY"


def test_uneven_positions_are_written_as_they_are():
    positions = np.array([[0, 0, 0], [0, 0, 2], [0, 0, 7.0]])
    series = DicomFactory().build(Volume(IMAGE, AFFINE, positions=positions), Blueprint.load("mr-image"))
    assert [d.ImagePositionPatient[2] for d in series] == [0, 2, 7]
    assert "SpacingBetweenSlices" not in series[0]


def test_a_frame_of_reference_of_ones_own_is_kept(make_series):
    parents = make_series("CT", "axial", shape=(3, 4, 5))
    affine = AFFINE.copy()
    affine[:3, 3] += 300
    own = StaticElement("FrameOfReferenceUID", "UI", "2.25.5")
    assert build(IMAGE, "ct-image", own, parents=parents, affine=affine)[0].FrameOfReferenceUID == "2.25.5"


def test_why_the_parents_give_no_place_is_told(make_series):
    parents = make_series("CT", "axial", shape=(3, 4, 5))
    parents[1].FrameOfReferenceUID = "2.25.99"
    with pytest.raises(
        DicomwrightError, match=r"no parents with a place \(the parents have 2 frames of reference"
    ):
        DicomFactory().build_series(IMAGE, Blueprint.load("ct-image"), parents)
