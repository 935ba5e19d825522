"""With loss the images say so, and the error is known."""

from __future__ import annotations

import numpy as np
import pydicom
import pytest

from dicomwright import Blueprint, DicomFactory, InstanceCopyElement, StaticElement
from dicomwright.errors import BlueprintError, PluginError

LOSSY = {"jpeg-ls-near": "ISO_14495_1", "jpeg2000": "ISO_15444_1", "htj2k": "ISO_15444_15"}


@pytest.mark.parametrize("name", LOSSY)
def test_images_say_that_something_is_lost(build, voxels, tmp_path, name, dciodvfy):
    series = build(name, elements=[StaticElement("ImageType", "CS", ["ORIGINAL", "PRIMARY", "AXIAL"])])
    files = series.write(tmp_path / "out")
    largest = 0
    for file, plane in zip(files, voxels, strict=True):
        dataset = pydicom.dcmread(file)
        assert list(dataset.ImageType) == ["DERIVED", "PRIMARY", "AXIAL"]
        assert dataset.LossyImageCompression == "01"
        assert dataset.LossyImageCompressionMethod == LOSSY[name]
        (stream,) = pydicom.encaps.generate_frames(dataset.PixelData, number_of_frames=1)
        assert float(dataset.LossyImageCompressionRatio) == pytest.approx(
            plane.nbytes / len(stream), rel=0.01
        )
        largest = max(largest, int(np.abs(dataset.pixel_array.astype(int) - plane).max()))
    assert series.stored_values["max_abs_error"] == largest > 0
    assert not series.stored_values["lossless"]
    assert dciodvfy(files[0]) == []


@pytest.mark.parametrize("near", [1, 5])
@pytest.mark.parametrize("program", ["dcmdjpls", "gdcmconv"])
def test_near_is_a_bound(build, voxels, tmp_path, decoded, near, program):
    (file, *_) = build("jpeg-ls-near", codec_options={"near": str(near)}).write(tmp_path / "out")
    found = decoded(program, file, *(["--raw"] if program == "gdcmconv" else []))
    assert np.abs(found.astype(int) - voxels[0]).max() == near


def test_ratio_is_aimed_at(build):
    ratio = float(build("jpeg2000", codec_options={"ratio": "5"})[0].LossyImageCompressionRatio)
    assert ratio == pytest.approx(5, rel=0.1)


def test_psnr_is_aimed_at(build, voxels):
    dataset = build("jpeg2000", codec_options={"psnr": "80"})[0]
    mean_square = np.mean((dataset.pixel_array.astype(float) - voxels[0]) ** 2)
    assert 20 * np.log10(2**16 / np.sqrt(mean_square)) == pytest.approx(80, abs=3)


def test_instances_are_others(build):
    def uid(name, **options):
        return build(name, uids="derived", codec_options=options)[0].SOPInstanceUID

    uids = [uid(""), uid("jpeg-ls-near"), uid("jpeg-ls-near", near="3"), uid("jpeg2000")]
    assert len(set(uids)) == 4
    assert uid("jpeg2000") == uids[-1]


def test_earlier_losses_come_first(voxels, make_series):
    parents = make_series(shape=(5, 61, 47))
    for number, dataset in enumerate(parents):
        dataset.LossyImageCompression = "01"
        dataset.LossyImageCompressionRatio = [f"{number + 2}"]
        dataset.LossyImageCompressionMethod = ["ISO_10918_1"]
    elements = [InstanceCopyElement("LossyImageCompressionRatio", "DS")]
    blueprint = Blueprint.load("ct-image") + Blueprint(elements)
    series = DicomFactory().build(voxels, blueprint, parents, transfer_syntax="jpeg-ls-near")
    for number, dataset in enumerate(series):
        assert dataset.LossyImageCompressionMethod == ["ISO_10918_1", "ISO_14495_1"]
        earlier, own = dataset.LossyImageCompressionRatio
        assert (earlier, own > 1) == (number + 2, True)


def test_the_parents_identity_is_refused(voxels, make_series):
    blueprint = Blueprint.load("ct-image") + Blueprint([InstanceCopyElement("SOPInstanceUID", "UI")])
    parents = make_series(shape=(5, 61, 47))
    with pytest.raises(
        BlueprintError, match=r"SOPInstanceUID \(0008,0018\) is copied .* makes another object"
    ):
        DicomFactory().build(voxels, blueprint, parents, transfer_syntax="jpeg2000")


@pytest.mark.parametrize("dtype", ["i2", "u2", "u1"])
def test_the_error_of_numbers_that_fill_their_range_is_what_decoders_show(compressed, dtype):
    limits = np.iinfo(dtype)
    voxels = np.random.default_rng(5).integers(limits.min, limits.max, (1, 61, 47), dtype, endpoint=True)
    dataset, compression = compressed("htj2k", voxels, {"step": "0.01"})
    error = np.abs(dataset.pixel_array.astype(int) - voxels[0]).max()
    assert compression.loss(0).error == error < (limits.max - limits.min) / 20


@pytest.mark.parametrize("near", [1, 2, 5])
@pytest.mark.parametrize("bits", [16, 12])
def test_signed_numbers_at_the_end_of_their_range_keep_their_sign(compressed, voxels, near, bits):
    most = 2 ** (bits - 1) - 1
    voxels = voxels.clip(-most - 1, most)
    voxels[1, 2:9, 3:40] = most - np.arange(37) % 4
    voxels[2, 5:9, 3:40] = np.arange(37) % 4 - most - 1
    dataset, compression = compressed("jpeg-ls-near", voxels, {"near": str(near)}, bits)
    error = np.abs(dataset.pixel_array.astype(int) - voxels).max()
    assert compression.loss(0).error == error <= near


def test_floats_that_fill_the_range_are_near_enough(build, voxels):
    array = voxels / np.float32(7)
    array -= array.mean()
    series = build("jpeg-ls-near", array, "pet-image")
    dataset = series[2]
    slope, intercept = float(dataset.RescaleSlope), float(dataset.RescaleIntercept)
    error = np.abs(dataset.pixel_array * slope + intercept - array[2]).max()
    assert dataset.PixelRepresentation == 1
    assert error <= series.stored_values["max_abs_error"] * 1.0001
    assert series.stored_values["max_abs_error"] <= 2.6 * slope


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("jpeg-ls-near", {"near": "1.5"}, "near='1.5' is not a whole number from 1 to 255"),
        ("jpeg2000", {"ratio": "0.5"}, "ratio='0.5' is not a number from 1"),
        ("jpeg2000", {"psnr": "nan"}, "psnr='nan' is not a number above 0"),
        ("jpeg2000", {"psnr": "60", "ratio": "10"}, "give ratio or psnr, not both"),
        ("jpeg-ls-near", {"near": None}, "near=None is not a whole number from 1 to 255"),
        ("htj2k", {"step": "fine"}, "step='fine' is not a number above 0"),
    ],
)
def test_options_are_numbers(build, name, options, message):
    with pytest.raises(BlueprintError) as caught:
        build(name, codec_options=options)
    assert str(caught.value) == message


def test_lossless_has_no_options(build):
    with pytest.raises(PluginError, match='"rle" has no option "ratio"'):
        build("rle", codec_options={"ratio": "2"})


def test_options_need_a_codec(build):
    with pytest.raises(PluginError, match=r"options of a codec \(ratio\), but no codec"):
        build("", codec_options={"ratio": "2"})
