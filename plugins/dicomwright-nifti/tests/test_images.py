"""nibabel images: loaded ones come from their file, checked; others from memory."""

from __future__ import annotations

import gzip
import io

import nibabel as nib
import numpy as np
import pytest

from dicomwright.errors import SourceError

ARRAY = np.arange(-30, 30, dtype="i2").reshape(5, 4, 3)


def test_an_image_in_memory(reader, oblique):
    volume = reader.from_image(nib.Nifti1Image(ARRAY, oblique))
    np.testing.assert_array_equal(volume.array, ARRAY.transpose(2, 1, 0))
    np.testing.assert_array_equal(volume.affine.to_ras_ijk(), oblique)
    assert np.shares_memory(volume.array, ARRAY)
    assert (volume.slope, volume.source, volume.warnings) == (1, "nibabel image", ())


@pytest.mark.parametrize("shape", [(60,), (5, 12), (5, 4, 3, 1), (5, 4, 3, 1, 1, 1)])
def test_dimensions_of_one(reader, oblique, shape):
    volume = reader.from_image(nib.Nifti1Image(ARRAY.reshape(shape), oblique))
    columns, rows, slices = (*shape, 1, 1)[:3]
    assert volume.array.shape == (slices, rows, columns)


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.hdr"])
def test_a_loaded_image_keeps_stored_integers(reader, nifti, tmp_path, oblique, name):
    file = nifti(ARRAY, pair=name == "a.hdr", scl_slope=0.5, scl_inter=-3, intent_code=1002)
    path = tmp_path / name
    if name == "a.hdr":
        file.write_pair(path, tmp_path / "a.img")
    else:
        file.write(path)
    image = nib.load(path)
    volume = reader.from_image(image)
    np.testing.assert_array_equal(volume.array, ARRAY.transpose(2, 1, 0))
    np.testing.assert_array_equal(
        volume.array * volume.slope + volume.intercept, image.get_fdata().transpose(2, 1, 0)
    )
    np.testing.assert_array_equal(volume.affine.to_ras_ijk(), oblique)
    assert (volume.slope, volume.intercept, volume.label) == (0.5, -3, True)


def test_a_loaded_image_has_its_checksum_checked(reader, nifti, tmp_path):
    noise = np.random.default_rng(3).integers(0, 99, (30, 20, 10), "u1")
    data = bytearray(gzip.compress(nifti(noise).single))
    data[-8] ^= 1
    (tmp_path / "a.nii.gz").write_bytes(data)
    image = nib.load(tmp_path / "a.nii.gz")
    with pytest.raises(SourceError, match="checksum"):
        reader.from_image(image)


def test_an_image_that_lives_in_bytes(reader, oblique):
    data = nib.Nifti1Image(ARRAY, oblique).to_bytes()
    np.testing.assert_array_equal(
        reader.from_image(nib.Nifti1Image.from_bytes(data)).array, ARRAY.transpose(2, 1, 0)
    )
    cut = nib.Nifti1Image.from_stream(io.BytesIO(data[:-1]))
    with pytest.raises(SourceError, match="nibabel cannot read its voxels"):
        reader.from_image(cut)


def test_another_format_of_nibabel(reader, tmp_path, oblique):
    nib.save(nib.MGHImage(ARRAY, oblique), tmp_path / "a.mgz")
    image = nib.load(tmp_path / "a.mgz")
    volume = reader.from_image(image)
    np.testing.assert_array_equal(volume.array, ARRAY.transpose(2, 1, 0))
    np.testing.assert_array_equal(volume.affine.to_ras_ijk(), image.affine)


def test_doubts_of_the_header_are_told(reader, nifti, tmp_path):
    path = nifti(sform_code=0).write(tmp_path / "a.nii")
    assert "neither sform nor qform has a code" in reader.from_image(nib.load(path)).warnings[0]
    path = nifti(qform_code=1, xyzt_units=3).write(tmp_path / "b.nii")
    units, differ = reader.from_image(nib.load(path)).warnings
    assert "micrometres" in units
    assert "mm apart; the sform is used" in differ
    assert reader.from_image(nib.load(path)).affine == reader.read(path, {}).affine
    kept = reader.from_image(nib.load(path), {"units": "mm"})
    np.testing.assert_array_equal(kept.affine.to_ras_ijk(), nib.load(path).affine)


def test_the_image_is_left_as_it_was(reader, nifti, tmp_path):
    image = nib.load(nifti(xyzt_units=1).write(tmp_path / "a.nii"))
    before = image.affine.copy()
    reader.from_image(image)
    np.testing.assert_array_equal(image.affine, before)


def test_rgb_in_memory(reader, oblique):
    rgb = np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")])
    array = np.asfortranarray(np.arange(180, dtype="u1").view(rgb).reshape(5, 4, 3))
    volume = reader.from_image(nib.Nifti1Image(array, oblique))
    assert volume.array.shape == (3, 4, 5, 3)
    assert volume.array[2, 1, 4].tolist() == list(array[4, 1, 2])
    assert np.shares_memory(volume.array, array)


def test_an_image_without_an_affine_has_no_space(reader):
    assert reader.from_image(nib.spatialimages.SpatialImage(ARRAY, None)).affine is None


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros((5, 4, 3), "c8"), "its voxels are complex64"),
        (np.zeros((5, 4, 3), [("R", "u1"), ("G", "u1"), ("B", "u1"), ("A", "u1")]), "its voxels are RGBA"),
        (np.zeros((5, 4, 3, 2), "i2"), "5 x 4 x 3 x 2 voxels, more than one volume"),
        (np.zeros((5, 0, 3), "i2"), "each must be at least 1"),
    ],
)
def test_what_is_refused(reader, oblique, array, words):
    with pytest.raises(SourceError, match=words):
        reader.from_image(nib.Nifti1Image(array, oblique))


def test_a_singular_affine(reader):
    with pytest.raises(SourceError, match="nibabel image: its affine cannot place the voxels"):
        reader.from_image(nib.spatialimages.SpatialImage(ARRAY, np.diag([1, 1, 0, 1])))


def test_options_that_cannot_apply(reader, oblique):
    with pytest.raises(SourceError, match="option orientation does not apply"):
        reader.from_image(nib.Nifti1Image(ARRAY, oblique), {"orientation": "qform"})
