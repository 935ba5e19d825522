"""Without loss every stored number comes back, by whichever decoder."""

from __future__ import annotations

import io
from itertools import pairwise

import imagecodecs
import numpy as np
import pydicom
import pytest
from pydicom.encaps import parse_basic_offsets, parse_fragments

DCMTK = {"rle": "dcmdrle", "jpeg-ls": "dcmdjpls"}
GDCM = ("rle", "jpeg-ls", "jpeg2000-lossless")
HTJ2K = ("htj2k-lossless", "htj2k-lossless-rpcl")
LOSSLESS = (*GDCM, *HTJ2K)


@pytest.mark.parametrize("name", LOSSLESS)
def test_every_slice_comes_back(build, voxels, tmp_path, name, plugin_set, dciodvfy):
    files = build(name).write(tmp_path / "out")
    for file, plane in zip(files, voxels, strict=True):
        dataset = pydicom.dcmread(file)
        assert dataset.file_meta.TransferSyntaxUID == plugin_set.registry("codec").spec(name).uid
        assert dataset["PixelData"].VR == "OB"
        assert dataset["PixelData"].is_undefined_length
        assert "LossyImageCompressionRatio" not in dataset
        np.testing.assert_array_equal(dataset.pixel_array, plane)
    assert dciodvfy(files[0]) == []


@pytest.mark.parametrize("name", DCMTK)
def test_dcmtk_decodes_the_same(build, voxels, tmp_path, name, decoded):
    files = build(name).write(tmp_path / "out")
    np.testing.assert_array_equal(decoded(DCMTK[name], files[3]), voxels[3])


@pytest.mark.parametrize("name", GDCM)
@pytest.mark.parametrize("dtype", ["i2", "u2"])
def test_gdcm_decodes_the_same(build, voxels, tmp_path, name, decoded, dtype):
    array = (voxels - (voxels.min() if dtype == "u2" else 0)).astype(dtype)
    files = build(name, array, "mr-image").write(tmp_path / "out")
    np.testing.assert_array_equal(decoded("gdcmconv", files[3], "--raw"), array[3])


@pytest.mark.parametrize("name", HTJ2K)
def test_openjph_decodes_the_same(build, voxels, name):
    series = build(name)
    (stream,) = pydicom.encaps.generate_frames(series[2].PixelData, number_of_frames=1)
    np.testing.assert_array_equal(imagecodecs.htj2k_decode(stream), voxels[2])


@pytest.mark.parametrize("name", LOSSLESS)
@pytest.mark.parametrize("shape", [(3, 61, 47), (1, 32, 500), (2, 33, 41, 3)])
@pytest.mark.parametrize("dtype", ["u1", "u2", "i2"])
def test_any_frames_come_back(compressed, name, shape, dtype):
    if dtype == "i2" and len(shape) > 3:
        dtype = "u1"
    limits = np.iinfo(dtype)
    frames = np.random.default_rng(3).integers(limits.min, limits.max, shape, dtype, endpoint=True)
    frames[0].flat[:2] = limits.min, limits.max
    dataset, _ = compressed(name, frames)
    np.testing.assert_array_equal(dataset.pixel_array.reshape(shape), frames)


@pytest.mark.parametrize("value", [0, 255])
@pytest.mark.parametrize("name", LOSSLESS)
def test_flat_frames_come_back(compressed, name, value):
    frames = np.full((1, 40, 32), value, "u1")
    dataset, _ = compressed(name, frames)
    np.testing.assert_array_equal(dataset.pixel_array, frames[0])


@pytest.mark.parametrize("name", LOSSLESS)
@pytest.mark.parametrize("shape", [(2, 3, 500), (1, 17, 5, 3), (1, 40, 1)])
def test_small_frames_come_back(compressed, name, shape):
    frames = np.full(shape, 7, "u1") if shape[-1] == 1 else np.indices(shape).sum(axis=0).astype("u1")
    dataset, _ = compressed(name, frames)
    np.testing.assert_array_equal(dataset.pixel_array.reshape(shape), frames)


def test_colours_of_jpeg_2000_are_told(compressed):
    frames = np.zeros((1, 40, 32, 3), "u1")
    names = {name: compressed(name, frames)[0].PhotometricInterpretation for name in GDCM}
    assert names == {"rle": "RGB", "jpeg-ls": "RGB", "jpeg2000-lossless": "YBR_RCT"}


@pytest.mark.parametrize("name", GDCM)
def test_a_fragment_for_each_frame(compressed, name):
    dataset, _ = compressed(name, np.random.default_rng(1).integers(0, 9, (4, 33, 35)).astype("u1"))
    stream = io.BytesIO(dataset.PixelData)
    offsets = parse_basic_offsets(stream)
    count, places = parse_fragments(stream)
    assert count == 4
    assert [place - places[0] for place in places] == offsets
    assert all((later - earlier) % 2 == 0 for earlier, later in pairwise(places))


@pytest.mark.parametrize("name", [*GDCM, "jpeg-ls-near", "jpeg2000"])
def test_files_are_as_pydicom_writes_them(build, tmp_path, name):
    series = build(name)
    files = series.write(tmp_path / "out")
    stream = io.BytesIO()
    pydicom.dcmwrite(stream, series[1], enforce_file_format=True)
    assert stream.getvalue() == files[1].read_bytes()


def test_without_loss_uids_do_not_depend_on_the_transfer_syntax(build):
    uids = {build(name, uids="derived")[0].SOPInstanceUID for name in ("", "rle", "jpeg-ls", "deflated")}
    assert len(uids) == 1


def test_the_uid_of_a_transfer_syntax_does_as_well(build):
    series = build("1.2.840.10008.1.2.5")
    assert series.result["codec"]["name"] == "rle"


def test_changed_datasets_are_written_as_changed(build, voxels, tmp_path):
    series = build("jpeg-ls")
    series[2].SeriesDescription = "changed"
    files = series.write(tmp_path / "out")
    dataset = pydicom.dcmread(files[2])
    assert dataset.SeriesDescription == "changed"
    np.testing.assert_array_equal(dataset.pixel_array, voxels[2])
