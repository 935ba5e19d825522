"""NumPy files: mapped or decompressed, never unpickled."""

from __future__ import annotations

import pickle
import tracemalloc
import zipfile

import numpy as np
import pytest


class Bomb:
    """Tells if somebody unpickles it."""

    def __reduce__(self):
        return (pytest.fail, ("it was unpickled",))


def _owner(array):
    """Return the type of the array at the bottom of a chain of views."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return type(array)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", ["<i2", ">i2", "u1", "<f4", ">f8", "?"])
def test_npy_is_mapped(tmp_path, array, read, dtype, order):
    values = np.array(array.astype(dtype), order=order)
    np.save(tmp_path / "a.npy", values)
    volume = read(tmp_path / "a.npy")
    np.testing.assert_array_equal(volume.array, values)
    assert _owner(volume.array) is np.memmap


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_versions_of_the_format(tmp_path, array, read, version):
    with (tmp_path / "a.npy").open("wb") as file:
        np.lib.format.write_array(file, array, version=version)
    np.testing.assert_array_equal(read(tmp_path / "a.npy").array, array)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_npz(tmp_path, array, read, refused, save):
    save(tmp_path / "one.npz", volume=np.asfortranarray(array))
    save(tmp_path / "two.npz", ct=array, mask=array > 0)
    np.testing.assert_array_equal(read(tmp_path / "one.npz").array, array)
    np.testing.assert_array_equal(read(tmp_path / "two.npz", array="mask").array, array > 0)
    message = refused(tmp_path / "two.npz")
    assert "does not hold one array but 2; it holds ct, mask; name one with the option array" in message
    assert "it has no array 'pet'; it holds ct, mask" in refused(tmp_path / "two.npz", array="pet")


def test_a_sidecar_or_options_place_it(tmp_path, array, read, refused):
    np.save(tmp_path / "a.npy", array.transpose(2, 0, 1))
    (tmp_path / "a.npy.json").write_text('{"axes": "column,slice,row", "spacing": [0.7, 3, 0.5]}')
    assert "whether x, y and z are LPS" in refused(tmp_path / "a.npy")
    volume = read(tmp_path / "a.npy", convention="LPS")
    np.testing.assert_array_equal(volume.array, array)
    assert volume.affine.spacing == (3, 0.5, 0.7)
    assert "there is no entry 'dtype'" in refused(tmp_path / "a.npy", dtype="int16")


def test_colour_and_flat_images(tmp_path, read):
    rgb = np.arange(4 * 5 * 6 * 3, dtype="u2").reshape(4, 5, 6, 3)
    np.save(tmp_path / "a.npy", rgb)
    np.testing.assert_array_equal(read(tmp_path / "a.npy").array, rgb)
    np.save(tmp_path / "b.npy", rgb[0, ..., 0])
    assert read(tmp_path / "b.npy").array.shape == (1, 5, 6)


def test_objects_are_not_unpickled(tmp_path, refused):
    objects = np.array([[[Bomb()]]], dtype=object)
    np.save(tmp_path / "a.npy", objects, allow_pickle=True)
    np.savez(tmp_path / "a.npz", a=objects)
    (tmp_path / "b.npy").write_bytes(pickle.dumps(Bomb()))
    for name in ("a.npy", "a.npz"):
        assert "Python objects, which are never unpickled" in refused(tmp_path / name)
    assert "is not that of a NumPy array" in refused(tmp_path / "b.npy")


@pytest.mark.parametrize("more", [-5, 5])
def test_size(tmp_path, array, refused, more):
    path = tmp_path / "a.npy"
    np.save(path, array)
    data = path.read_bytes()
    path.write_bytes(data[:more] if more < 0 else data + bytes(more))
    message = refused(path)
    assert f"{len(data) + more} bytes" in message
    assert "a header of 128 bytes and 4 x 5 x 6 values of int16 are 368 bytes" in message


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.zeros((2, 3, 4), complex), "complex numbers"),
        (np.zeros((2, 3), [("r", "u1")]), "not numbers"),
        (np.zeros((2, 3, 4), "M8[s]"), "not numbers"),
        (np.zeros((2, 0, 4)), "there is no volume in it"),
        (np.zeros(()), "there is no volume in it"),
        (np.zeros(7), "its shape has 1 axes (7), which is not one volume"),
        (np.zeros((2, 3, 4, 5)), "it has 4 axes (2 x 3 x 4 x 5), which is not one volume"),
        (np.zeros((2, 3, 4, 3)), "4 dimensions"),
    ],
)
def test_arrays_that_are_no_volume(tmp_path, refused, values, message):
    np.save(tmp_path / "a.npy", values)
    assert message in refused(tmp_path / "a.npy")


def header(text, version=b"\1\0"):
    size = len(text).to_bytes(2 if version == b"\1\0" else 4, "little")
    return b"\x93NUMPY" + version + size + text


HEADERS = {
    "empty": b"",
    "no zip": b"PK\3\4",
    "cut off": b"\x93NUMPY\1",
    "version": header(b"{}", b"\4\0"),
    "no dict": header(b"[1]"),
    "code": header(b"__import__('os')"),
    "deep": header(b"(" * 9000),
    "long": header(b" " * 60000 + b"{}"),
    "shape": header(b"{'descr': '<i2', 'fortran_order': False, 'shape': (2, -3)}"),
    "huge": header(b"{'descr': '<i2', 'fortran_order': False, 'shape': (99999999999999999999, 3)}"),
    "escape": header(b"{'descr': '\\d', 'fortran_order': False, 'shape': (2, 3)}"),
}


@pytest.mark.parametrize("data", HEADERS.values(), ids=HEADERS)
def test_damaged_headers(tmp_path, refused, data):
    (tmp_path / "a.npy").write_bytes(data)
    assert str(tmp_path) in refused(tmp_path / "a.npy")


def test_bomb(tmp_path, refused):
    head = header(b"{'descr': '<i2', 'fortran_order': False, 'shape': (1000, 1000, 1000)}")
    with zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", head + bytes(10000))
    assert "it would hold nothing but one value" in refused(tmp_path / "a.npz")
    assert "more than the limit max_bytes (10 bytes)" in refused(tmp_path / "a.npz", max_bytes="10")
    assert "option max_bytes cannot be '1 GB'" in refused(tmp_path / "a.npz", max_bytes="1 GB")


def test_a_header_of_absurd_length_is_not_read(tmp_path, refused):
    tracemalloc.start()
    try:
        with zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(
                "a.npy", header(b" ", b"\2\0")[:8] + (2**24).to_bytes(4, "little") + bytes(2**24)
            )
        tracemalloc.reset_peak()
        assert "its header has 16,777,216 bytes; NumPy reads 10,000" in refused(tmp_path / "a.npz")
        assert tracemalloc.get_traced_memory()[1] < 2**23
    finally:
        tracemalloc.stop()


def test_damaged_zip(tmp_path, array, refused):
    np.savez_compressed(tmp_path / "a.npz", a=array)
    data = bytearray((tmp_path / "a.npz").read_bytes())
    data[120] ^= 0xFF
    (tmp_path / "a.npz").write_bytes(data)
    assert "damaged" in refused(tmp_path / "a.npz")


@pytest.mark.parametrize("name", ["ct_c.npy", "ct_fortran.npy", "ct.npz"])
def test_real(shared_data, read, name):
    path = shared_data / "v16_raw_nrrd_mha" / name
    expected = np.load(path, allow_pickle=False)
    expected = expected["volume"] if name.endswith("npz") else expected
    np.testing.assert_array_equal(read(path).array, expected)


@pytest.mark.parametrize("name", ["a.npy", "a.npz"])
def test_mutants(tmp_path, array, mutants, name):
    path = tmp_path / name
    np.save(path, array) if name == "a.npy" else np.savez_compressed(path, a=array)
    mutants(path, name)
