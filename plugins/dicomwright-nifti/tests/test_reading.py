"""Voxels, scaling and labels are those of the file, whatever its version, byte order and packing."""

from __future__ import annotations

import gzip
import itertools
import tracemalloc

import nibabel as nib
import numpy as np
import pytest

DTYPES = ["u1", "i1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8"]


def unscaled(path):
    """Return what nibabel finds in a file as (slices, rows, columns[, samples])."""
    array = np.asanyarray(nib.load(path).dataobj.get_unscaled())
    if array.dtype.names:
        return np.stack([array[name].transpose(2, 1, 0) for name in array.dtype.names], -1)
    return array.transpose(2, 1, 0)


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_every_type_order_and_version_is_read_as_nibabel_reads_it(
    nifti, reader, tmp_path, dtype, order, version, name
):
    array = (np.arange(60).reshape(5, 4, 3) * 4 + (7 if dtype.startswith("u") else -117)).astype(dtype)
    path = nifti(array, order=order, version=version).write(tmp_path / name)
    volume = reader.read(path, {})
    np.testing.assert_array_equal(volume.array, array.transpose(2, 1, 0))
    np.testing.assert_array_equal(volume.array, unscaled(path))
    np.testing.assert_array_equal(volume.affine.to_ras_ijk(), nib.load(path).affine)
    assert volume.array.dtype == np.dtype(dtype).newbyteorder(order)
    assert (volume.slope, volume.intercept, volume.label, volume.warnings) == (1, 0, False, ())
    assert volume.source == str(path)


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize(
    ("header", "image"),
    [
        ("a.hdr", "a.img"),
        ("a.hdr.gz", "a.img.gz"),
        ("a.hdr", "a.img.gz"),
        ("a.hdr.gz", "a.img"),
        ("A.HDR", "A.IMG"),
    ],
)
def test_either_file_names_a_pair(nifti, reader, tmp_path, header, image, version):
    array = np.arange(60, dtype="i2").reshape(5, 4, 3)
    nifti(array, pair=True, version=version).write_pair(tmp_path / header, tmp_path / image)
    for name in (header, image):
        np.testing.assert_array_equal(reader.read(tmp_path / name, {}).array, array.transpose(2, 1, 0))


def test_a_pair_may_start_its_voxels_late(nifti, reader, tmp_path):
    file = nifti(pair=True, vox_offset=16)
    file.voxels = b"\x55" * 16 + file.voxels
    path = file.write_pair(tmp_path / "a.hdr", tmp_path / "a.img")
    assert reader.read(path, {}).array[0, 0, 0] == -30


def test_plain_voxels_are_mapped_and_not_loaded(nifti, reader, tmp_path):
    array = np.zeros((64, 128, 256), ">i2")
    path = nifti(array, order=">").write(tmp_path / "a.nii")
    tracemalloc.start()
    volume = reader.read(path, {})
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    base = volume.array
    while base.base is not None and not isinstance(base, np.memmap):
        base = base.base
    assert isinstance(base, np.memmap)
    assert not volume.array.flags.writeable
    assert peak < array.nbytes / 8


def test_the_map_outlives_the_reader_and_the_file_name(nifti, reader, tmp_path):
    path = nifti().write(tmp_path / "a.nii")
    volume = reader.read(path, {})
    path.unlink()
    assert volume.array.sum() == -30


def test_compressed_voxels_take_one_buffer(nifti, reader, tmp_path):
    array = np.random.default_rng(1).integers(-9, 9, (128, 128, 64), "i2")
    path = nifti(array).write(tmp_path / "a.nii.gz")
    tracemalloc.start()
    volume = reader.read(path, {})
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < array.nbytes + 6 * 1024**2
    assert not volume.array.flags.writeable


def test_large_compressed_voxels_go_to_a_temporary_file(nifti, reader, tmp_path, monkeypatch):
    monkeypatch.setattr("dicomwright_nifti.buffers.IN_MEMORY", 1000)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    array = np.arange(13 * 11 * 7, dtype="i2").reshape(13, 11, 7)
    volume = reader.read(nifti(array).write(tmp_path / "a.nii.gz"), {})
    np.testing.assert_array_equal(volume.array, array.transpose(2, 1, 0))
    assert list((tmp_path / "tmp").iterdir()) == []


@pytest.mark.parametrize("extra", [b"", b"\0" * 512])
def test_members_of_a_gzip_file_are_joined(nifti, reader, tmp_path, extra):
    data = nifti().single
    cuts = [0, 1, 347, 352, 380, len(data)]
    parts = [gzip.compress(data[a:b]) for a, b in itertools.pairwise(cuts)]
    path = tmp_path / "a.nii.gz"
    path.write_bytes(b"".join(parts) + gzip.compress(b"") + extra)
    assert reader.read(path, {}).array.ravel()[-1] == 29


def test_the_content_says_whether_a_file_is_compressed(nifti, reader, tmp_path):
    file = nifti()
    (tmp_path / "plain.nii.gz").write_bytes(file.single)
    (tmp_path / "packed.nii").write_bytes(gzip.compress(file.single))
    for name in ("plain.nii.gz", "packed.nii"):
        assert reader.read(tmp_path / name, {}).array.shape == (3, 4, 5)


@pytest.mark.parametrize(
    ("slope", "inter", "expected"),
    [
        (0.25, -8, (0.25, -8)),
        (1, 5, (1, 5)),
        (-2, 0, (-2, 0)),
        (0, 7, (1, 0)),
        (np.nan, 7, (1, 0)),
        (np.inf, 7, (1, 0)),
    ],
)
@pytest.mark.parametrize("dtype", ["i2", "f4"])
def test_scaling_is_told_and_not_applied(nifti, reader, tmp_path, dtype, slope, inter, expected):
    array = np.arange(60, dtype=dtype).reshape(5, 4, 3)
    path = nifti(array, scl_slope=slope, scl_inter=inter).write(tmp_path / "a.nii")
    volume = reader.read(path, {})
    proxy = nib.load(path).dataobj
    assert (volume.slope, volume.intercept) == expected == (proxy.slope, proxy.inter)
    np.testing.assert_array_equal(volume.array, array.transpose(2, 1, 0))


def test_the_label_intent_marks_a_label_map(nifti, reader, tmp_path):
    assert reader.read(nifti(intent_code=1002).write(tmp_path / "a.nii"), {}).label is True
    assert reader.read(nifti(intent_code=1001).write(tmp_path / "b.nii"), {}).label is False


@pytest.mark.parametrize("order", ["<", ">"])
def test_rgb_has_three_samples_and_no_scaling(nifti, reader, tmp_path, order):
    rgb = np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")])
    array = np.arange(180, dtype="u1").view(rgb).reshape(5, 4, 3)
    path = nifti(array, order=order, scl_slope=3).write(tmp_path / "a.nii.gz")
    volume = reader.read(path, {})
    assert volume.array.shape == (3, 4, 5, 3)
    assert volume.array.dtype == np.uint8
    assert volume.array[2, 1, 4].tolist() == list(array[4, 1, 2])
    assert volume.slope == 1


@pytest.mark.parametrize(
    ("dim", "shape"),
    [
        ([2, 5, 12, 0, 0, 0, 0, 0], (1, 12, 5)),
        ([3, 5, 12, 1, 0, 0, 0, 0], (1, 12, 5)),
        ([4, 5, 4, 3, 1, -1, 9, 9], (3, 4, 5)),
        ([7, 5, 4, 3, 1, 1, 1, 1], (3, 4, 5)),
        ([1, 60, 0, 0, 0, 0, 0, 0], (1, 1, 60)),
    ],
)
def test_missing_and_trailing_dimensions_of_one_are_fine(nifti, reader, tmp_path, dim, shape):
    assert reader.read(nifti(dim=dim).write(tmp_path / "a.nii"), {}).array.shape == shape


def test_extensions_are_stepped_over(nifti, reader, tmp_path):
    def extension(size):
        return size.to_bytes(4, "little") + (6).to_bytes(4, "little") + b"x" * (size - 8)

    between = b"\1\0\0\0" + extension(32) + extension(20) + b"\0" * 12
    for name in ("a.nii", "a.nii.gz"):
        assert reader.read(nifti(between=between).write(tmp_path / name), {}).array[0, 0, 0] == -30
    path = nifti(pair=True, between=between).write_pair(tmp_path / "a.hdr", tmp_path / "a.img")
    assert reader.read(path, {}).array[0, 0, 0] == -30


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_bytes_behind_the_voxels_are_told(nifti, reader, tmp_path, name):
    file = nifti()
    file.voxels += b"tail"
    assert reader.read(file.write(tmp_path / name), {}).warnings == (
        "the 4 bytes behind the voxels were ignored",
    )


def test_a_wrong_bitpix_is_told(nifti, reader, tmp_path):
    volume = reader.read(nifti(bitpix=8).write(tmp_path / "a.nii"), {})
    assert volume.warnings == ("bitpix is 8 but datatype 4 has 16 bits; the datatype is used",)


def test_can_read_goes_by_content(nifti, reader, tmp_path):
    for version in (1, 2):
        for name in ("a.nii", "b.nii.gz", "c.bin"):
            path = nifti(version=version).write(tmp_path / name)
            assert reader.can_read(path, path.read_bytes()[:512])
    nifti(pair=True).write_pair(tmp_path / "d.hdr", tmp_path / "d.img")
    assert reader.can_read(tmp_path / "d.img", b"\0" * 512)
    assert not reader.can_read(tmp_path / "e.img", b"\0" * 512)
    (tmp_path / "f.hdr").touch()
    assert not reader.can_read(tmp_path / "f.img", b"\0" * 512)
    assert not reader.can_read(tmp_path / "e.nii", b"")
    assert not reader.can_read(tmp_path / "e.nii.gz", b"\x1f\x8b garbage")
    assert not reader.can_read(tmp_path / "e.dcm", b"\0" * 128 + b"DICM" + b"\0" * 300)


def test_real_files_are_read_as_nibabel_reads_them(reader, shared_data):
    paths = sorted(
        path for case in shared_data.glob("v*") for path in case.rglob("*") if _is_nifti_name(path)
    )
    refused = {}
    for path in paths:
        try:
            volume = reader.read(path, {})
        except Exception as error:  # noqa: BLE001 - which ones is asserted below
            refused[path.name] = str(error)
            continue
        image = nib.load(path)
        np.testing.assert_array_equal(volume.array, unscaled(path))
        np.testing.assert_array_equal(volume.affine.to_ras_ijk(), image.affine)
        assert (volume.slope, volume.intercept) == (image.dataobj.slope, image.dataobj.inter)
        assert reader.can_read(path, path.read_bytes()[:512])
    assert len(paths) - len(refused) >= 38
    assert sorted(refused) == [
        "complex64.nii.gz",
        "ge_4d.nii.gz",
        "ge_nifti2.nii",
        "mosaic_4d.nii.gz",
        "rgba32_oblique.nii.gz",
        "xa10_4d.nii.gz",
    ]


def _is_nifti_name(path):
    return path.name.endswith((".nii", ".nii.gz", ".hdr")) or path.name == "pair.img"


def test_real_oddities_are_told(reader, shared_data):
    headers = shared_data / "v14_nifti_headers"
    (no_codes,) = reader.read(headers / "no_codes.nii.gz", {}).warnings
    assert no_codes.startswith("neither sform nor qform has a code")
    (differ,) = reader.read(headers / "sform_and_qform_differ.nii.gz", {}).warnings
    assert differ == "sform (code 1) and qform (code 2) place voxels up to 21.6 mm apart; the sform is used"
    assert reader.read(headers / "qform_only.nii.gz", {}).warnings == ()
