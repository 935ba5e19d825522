"""Each bad file is one line: which file, what is wrong, what to do. Nothing is allocated for it."""

from __future__ import annotations

import gzip
import io
import os
import resource
import time
import zlib

import numpy as np
import pytest

CUT = "copy the file again or restore it"


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.hdr"])
def test_an_empty_file(refused, tmp_path, name):
    (tmp_path / name).touch()
    assert refused(tmp_path / name) == f"{tmp_path}/{name}: the file is empty; {CUT}"


def test_a_missing_file(refused, tmp_path):
    text = refused(tmp_path / "a.nii")
    assert text == (
        f"{tmp_path}/a.nii: cannot be read: No such file or directory; check the path and its permissions"
    )


def test_a_folder(refused, tmp_path):
    assert "is a folder; name one .nii" in refused(tmp_path)


def test_a_fifo_never_waits(refused, tmp_path):
    os.mkfifo(tmp_path / "a.nii")
    assert "is not a regular file" in refused(tmp_path / "a.nii")
    os.mkfifo(tmp_path / "b.img")
    assert "is not a regular file" in refused(tmp_path / "b.img")


def test_a_device(refused, tmp_path):
    (tmp_path / "a.nii").symlink_to("/dev/zero")
    assert "is not a regular file" in refused(tmp_path / "a.nii")


def test_a_link_to_itself(refused, tmp_path):
    (tmp_path / "a.nii").symlink_to("b.nii")
    (tmp_path / "b.nii").symlink_to("a.nii")
    assert "Too many levels of symbolic links" in refused(tmp_path / "a.nii")


def test_a_name_that_cannot_be(refused, tmp_path):
    text = refused(tmp_path / "a\0.nii")
    assert "cannot be read" in text
    assert "embedded null" in text  # "byte", or from Python 3.13 "character in path"
    assert "File name too long" in refused(tmp_path / ("a" * 300 + ".nii"))


def test_control_characters_in_a_name_are_escaped(refused, tmp_path):
    assert r"a\n\x1b[31m.nii: the file is empty" in refused(_touched(tmp_path / "a\n\x1b[31m.nii"))


def _touched(path):
    path.touch()
    return path


def test_a_file_without_permission(nifti, refused, tmp_path, monkeypatch):
    path = nifti().write(tmp_path / "a.nii")

    def deny(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("dicomwright_nifti.sources.os.open", deny)  # the superuser may read every file
    assert "cannot be read: Permission denied" in refused(path)


@pytest.mark.parametrize("reads", [0, 1, 2])
@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_an_error_while_reading(nifti, refused, tmp_path, monkeypatch, name, reads):
    path = nifti(
        np.random.default_rng(5).integers(0, 99, (99, 99, 60), "u1"), between=b"\1" + b"\0" * 19
    ).write(tmp_path / name)

    class Failing(io.FileIO):
        left = reads

        def read(self, size=-1):
            if not self.left:
                raise OSError(5, "Input/output error")
            self.left -= 1
            return super().read(size)

    monkeypatch.setattr("dicomwright_nifti.sources.regular_file", lambda path, _: Failing(path))
    assert "cannot be read: Input/output error" in refused(path)


def test_an_error_while_mapping(nifti, refused, tmp_path, monkeypatch):
    path = nifti().write(tmp_path / "a.nii")

    def fail(*_):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(np, "memmap", fail)
    assert "cannot be read: Input/output error" in refused(path)


@pytest.mark.parametrize(
    "data", [b"x", b"garbage" * 100, b"\0" * 400, b"DICM" * 200, b"\x5c\1\0\0" + b"z" * 999]
)
@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_garbage(refused, tmp_path, data, name):
    (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith("gz") else data)
    text = refused(tmp_path / name)
    assert any(
        words in text for words in ("is not NIfTI", "too few for a NIfTI header", "has no NIfTI magic")
    )


def test_analyze_has_no_orientation(nifti, refused, tmp_path):
    text = refused(nifti(magic=b"\0\0\0\0").write(tmp_path / "a.hdr"))
    assert "Analyze 7.5" in text


@pytest.mark.parametrize("size", [0, -1, 347, 349, 2**31 - 1])
def test_a_bad_sizeof_hdr(nifti, refused, tmp_path, size):
    assert "sizeof_hdr, is neither 348 nor 540" in refused(nifti(sizeof_hdr=size).write(tmp_path / "a.nii"))


def test_nifti2_copied_as_text(nifti, refused, tmp_path):
    file = nifti(version=2)
    file.header = file.header.replace(b"\r\n\x1a\n", b"\n\x1a\n\n")
    assert "was copied as text" in refused(file.write(tmp_path / "a.nii"))


@pytest.mark.parametrize("version", [1, 2])
def test_every_cut(nifti, refused, tmp_path, version):
    data = nifti(version=version).single
    for end in range(1, len(data)):
        (tmp_path / "a.nii").write_bytes(data[:end])
        refused(tmp_path / "a.nii")
    (tmp_path / "a.nii").write_bytes(data[:-1])
    assert (
        f"declares {len(data):,} bytes of header and voxels, but the file holds {len(data) - 1:,}"
        in refused(tmp_path / "a.nii")
    )


@pytest.mark.parametrize(
    "dims", [[3, 0, 4, 3], [3, 5, -4, 3], [3, -1, 1, 1], [4, 5, 4, 3, 0], [4, 5, 4, 3, -2]]
)
def test_dimensions_below_one(nifti, refused, tmp_path, dims):
    text = refused(nifti(dim=(dims + [1] * 8)[:8]).write(tmp_path / "a.nii"))
    assert f"its dimensions are {' x '.join(map(str, dims[1:]))}: each must be at least 1" in text


@pytest.mark.parametrize("count", [0, -1, 8, 32767])
def test_a_bad_number_of_dimensions(nifti, refused, tmp_path, count):
    text = refused(nifti(dim=[count, 5, 4, 3, 1, 1, 1, 1]).write(tmp_path / "a.nii"))
    assert f"dim[0] is {count}, not 1 to 7" in text


@pytest.mark.parametrize(
    "dims", [[4, 5, 4, 3, 2, 1, 1, 1], [5, 5, 4, 3, 1, 3, 1, 1], [6, 5, 4, 3, 2, 1, 6, 1]]
)
def test_more_than_one_volume(nifti, refused, tmp_path, dims):
    text = refused(nifti(dim=dims).write(tmp_path / "a.nii"))
    for at, count in enumerate(dims):
        assert (f"dim[{at}] = {count}" in text) == (at > 3 and count > 1)
    assert "split it into 3-D volumes first" in text


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
@pytest.mark.parametrize("version", [1, 2])
def test_dimensions_beyond_the_file_take_no_memory(nifti, refused, tmp_path, version, name):
    most = 32767 if version == 1 else 2**62
    path = nifti(version=version, dim=[3, most, most, most, 1, 1, 1, 1]).write(tmp_path / name)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    text = refused(path, max_bytes="900000TiB")
    assert "the header declares" in text
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000


@pytest.mark.parametrize(
    ("code", "name"),
    [(0, "unknown"), (1, "1-bit"), (3, "unknown"), (1536, "float128"), (2304, "RGBA32"), (32767, "unknown")],
)
def test_types_that_cannot_be_stored(nifti, refused, tmp_path, code, name):
    text = refused(nifti(datatype=code).write(tmp_path / "a.nii"))
    assert f"its voxels are {name} (datatype {code})" in text


def test_transparency_is_not_a_fourth_sample(nifti, refused, tmp_path):
    assert "transparency is not supported here" in refused(nifti(datatype=2304).write(tmp_path / "a.nii"))


@pytest.mark.parametrize(("code", "name"), [(32, "complex64"), (1792, "complex128"), (2048, "complex256")])
def test_complex_numbers(nifti, refused, tmp_path, code, name):
    text = refused(nifti(datatype=code).write(tmp_path / "a.nii"))
    assert f"its voxels are {name}" in text
    assert "save magnitude and phase as two real images" in text


@pytest.mark.parametrize("offset", [-1, 0, 348, 351, 352.5, np.nan, np.inf, -np.inf])
def test_a_bad_vox_offset(nifti, refused, tmp_path, offset):
    text = refused(nifti(vox_offset=offset).write(tmp_path / "a.nii"))
    assert "not a whole number of bytes from 352" in text


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
@pytest.mark.parametrize("offset", [400, 1e9, 3e38])
def test_a_vox_offset_beyond_the_file(nifti, refused, tmp_path, offset, name):
    text = refused(nifti(vox_offset=offset).write(tmp_path / name))
    assert "the header declares" in text


def test_an_intercept_that_is_not_finite(nifti, refused, tmp_path):
    text = refused(nifti(scl_slope=2, scl_inter=np.inf).write(tmp_path / "a.nii"))
    assert "scl_slope is 2.0 but scl_inter is inf" in text


@pytest.mark.parametrize("size", [-(2**31), -1, 1, 7, 40, 2**31 - 1])
@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.hdr"])
def test_extensions_of_impossible_sizes(nifti, refused, tmp_path, size, name):
    between = b"\1\0\0\0" + size.to_bytes(4, "little", signed=True) + b"\6\0\0\0" + b"x" * 24
    if name == "a.hdr":
        if size == 40:
            size = 33
            between = between.replace(b"(", b"!", 1)
        nifti(pair=True, between=between).write_pair(tmp_path / name, tmp_path / "a.img")
    else:
        nifti(between=between).write(tmp_path / name)
    assert f"a header extension says that it has {size} bytes" in refused(tmp_path / name)


def test_a_flood_of_extensions(nifti, refused, tmp_path):
    between = b"\1\0\0\0" + (b"\x08\0\0\0\6\0\0\0") * 200_000
    started = time.process_time()
    text = refused(nifti(between=between).write(tmp_path / "a.nii.gz"))
    assert "more than 10,000 header extensions" in text
    assert time.process_time() - started < 5


def test_a_header_without_its_voxels(nifti, refused, tmp_path):
    (tmp_path / "a.hdr").write_bytes(nifti(pair=True).header)
    assert "the voxels of this pair are missing: there is no a.img" in refused(tmp_path / "a.hdr")


def test_voxels_without_their_header(refused, tmp_path):
    (tmp_path / "a.img").write_bytes(b"\0" * 999)
    assert "is not NIfTI" in refused(tmp_path / "a.img")


def test_a_pair_with_short_voxels(nifti, refused, tmp_path):
    file = nifti(pair=True)
    file.voxels = file.voxels[:-1]
    path = file.write_pair(tmp_path / "a.hdr", tmp_path / "a.img")
    assert f"{tmp_path}/a.img: the header declares 120 bytes" in refused(path)


def test_a_pair_header_in_a_single_file(nifti, refused, tmp_path):
    path = nifti(pair=True).write(tmp_path / "a.nii")
    assert "the voxels are in another file, but it is not named .hdr" in refused(path)


@pytest.mark.parametrize("name", ["a.hdr", "a.hdr.gz"])
def test_a_header_file_that_goes_on(nifti, refused, tmp_path, name):
    file = nifti(pair=True)
    file.between += bytes(2 * 1024**2)
    path = file.write_pair(tmp_path / name, tmp_path / "a.img")
    assert "it says that it is a header, but far more follows" in refused(path)


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_much_more_than_the_header_declares(nifti, refused, tmp_path, name):
    file = nifti()
    file.voxels += bytes(2 * 1024**2)
    text = refused(file.write(tmp_path / name))
    assert "more than 1.0 MiB follow the 120 bytes of voxels that its header declares" in text


# gzip


@pytest.fixture
def packed(nifti, tmp_path):
    """Return a compressed file whose voxels are not compressible, and its path."""
    array = np.random.default_rng(7).integers(0, 256, (20, 15, 10), "u1")
    return gzip.compress(nifti(array).single, 6, mtime=0), tmp_path / "a.nii.gz"


def test_every_cut_of_a_gzip_file(packed, refused):
    data, path = packed
    for end in [*range(1, len(data), 37), len(data) - 8, len(data) - 4, len(data) - 1]:
        path.write_bytes(data[:end])
        refused(path)
    path.write_bytes(data[:-1])
    assert "the gzip stream breaks off after 3.3 KiB decompressed" in refused(path)
    path.write_bytes(data[: len(data) // 2])
    assert "breaks off" in refused(path)


def test_a_wrong_checksum(packed, refused):
    data, path = packed
    path.write_bytes(data[:-5] + bytes([data[-5] ^ 1]) + data[-4:])
    assert refused(path) == f"{path}: the gzip checksum (CRC-32) does not match the decompressed data; {CUT}"


def test_a_wrong_length(packed, refused):
    data, path = packed
    path.write_bytes(data[:-1] + b"\1")
    assert "the gzip length does not match" in refused(path)


def test_a_flipped_bit_anywhere(packed, refused, reader):
    data, path = packed
    for at in range(0, len(data), 23):
        path.write_bytes(data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1 :])
        if not 4 <= at < 10:  # time, level and system of the gzip header say nothing of the data
            refused(path)
    assert reader.can_read(path, data)


@pytest.mark.parametrize("tail", [b"garbage", b"\0\0\0x", b"\x1f\x8b", b"\x1f", b"\x1f\x8b\x08 and no more"])
def test_garbage_behind_the_stream(packed, refused, tail):
    data, path = packed
    path.write_bytes(data + tail)
    text = refused(path)
    assert "other data follows" in text or "breaks off" in text or "damaged" in text


def test_a_checksum_is_checked_in_each_member(nifti, refused, tmp_path):
    data = nifti().single
    first = bytearray(gzip.compress(data[:360]))
    first[-8] ^= 1
    (tmp_path / "a.nii.gz").write_bytes(bytes(first) + gzip.compress(data[360:]))
    assert "checksum" in refused(tmp_path / "a.nii.gz")


def test_a_pair_header_is_checked_too(nifti, refused, tmp_path):
    path = nifti(pair=True).write_pair(tmp_path / "a.hdr.gz", tmp_path / "a.img.gz")
    data = path.read_bytes()
    path.write_bytes(data[:-8] + b"\0\0\0\0" + data[-4:])
    assert "a.hdr.gz: the gzip checksum" in refused(path)


def _bomb(path, header, size):
    """Write `size` bytes of zeros, compressed, behind a header."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    zeros = bytes(1024**2)
    with path.open("wb") as file:
        file.write(packer.compress(header))
        for _ in range(size // len(zeros)):
            file.write(packer.compress(zeros))
        file.write(packer.flush())
    return path


@pytest.mark.parametrize(
    ("dims", "words"),
    [
        ((1024, 1024, 300), "more than the limit max_ratio (1000 to 1)"),
        ((1024, 1024, 3000), "more than the limit max_bytes (2.0 GiB)"),
        ((1024, 1024, 400), "holds at most"),
        ((8, 8, 8), "its dimensions are wrong"),
    ],
)
def test_a_bomb_is_refused_without_memory(nifti, refused, tmp_path, dims, words):
    file = nifti(np.zeros((2, 2, 2), "u1"), dim=[3, *dims, 1, 1, 1, 1])
    path = _bomb(tmp_path / "a.nii.gz", file.header + file.between, 300 * 1024**2)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.process_time()
    assert words in refused(path)
    assert time.process_time() - started < 5
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000


def test_a_flood_of_members_is_read_in_little_time(nifti, reader, tmp_path):
    path = tmp_path / "a.nii.gz"
    path.write_bytes(gzip.compress(b"", mtime=0) * 100_000 + gzip.compress(nifti().single))
    started = time.process_time()
    assert reader.read(path, {}).array.size == 60
    assert time.process_time() - started < 5


def test_limits_are_options(nifti, refused, reader, tmp_path):
    path = nifti().write(tmp_path / "a.nii.gz")
    text = refused(path, max_bytes="471")
    assert "declares 472 bytes once decompressed, more than the limit max_bytes (471 bytes)" in text
    assert "raise the option max_bytes" in text
    assert reader.read(path, {"max_bytes": "472"}).array.size == 60


def test_no_room_for_temporary_files(nifti, refused, tmp_path, monkeypatch):
    path = nifti().write(tmp_path / "a.nii.gz")
    monkeypatch.setattr("dicomwright_nifti.buffers.IN_MEMORY", 100)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "absent"))
    assert f"do not fit into {tmp_path}/absent" in refused(path)


def test_no_memory(nifti, refused, tmp_path, monkeypatch):
    path = nifti().write(tmp_path / "a.nii.gz")

    def fail(*_):
        raise MemoryError

    monkeypatch.setattr("dicomwright_nifti.buffers._Memory", fail)
    assert "its 120 bytes of voxels do not fit into memory" in refused(path)
