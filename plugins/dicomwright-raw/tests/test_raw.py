"""Headerless files: what the sidecar or the options say is what is read."""

from __future__ import annotations

import itertools
import json
from dataclasses import fields
from importlib import resources

import numpy as np
import pytest

from dicomwright.errors import SourceError
from dicomwright_raw.description import _PARSERS, AXES, DTYPES, LENGTHS, ORDERS, Description

LPS = {"spacing": "3,0.5,0.7", "origin": "10,20,30", "convention": "LPS"}


@pytest.fixture
def raw(tmp_path, array):
    """Return a function that writes an array as raw bytes with a sidecar of either kind."""

    def write(entries=None, data=None, kind=".json"):
        path = tmp_path / "ct.raw"
        path.write_bytes(array.tobytes() if data is None else data)
        if entries is not None:
            text = json.dumps(entries) if kind == ".json" else entries
            (tmp_path / f"ct.raw{kind}").write_text(text, "utf-8")
        return path

    return write


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("byte_order", ORDERS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_types_and_orders(raw, array, read, dtype, byte_order, order):
    values = np.abs(array).astype(dtype) if dtype.startswith("u") else array.astype(dtype)
    stored = values.astype(values.dtype.newbyteorder(ORDERS[byte_order]))
    told = {"dtype": dtype, "shape": [4, 5, 6], "byte_order": byte_order, "order": order, "offset": 13}
    volume = read(raw(told, bytes(13) + stored.tobytes(order)))
    np.testing.assert_array_equal(volume.array, values)
    assert not volume.array.flags.writeable


@pytest.mark.parametrize("axes", list(itertools.permutations(AXES[:3])))
def test_axes_in_any_order_give_the_same_volume(raw, array, read, axes):
    of = {"slice": (0, 3.0), "row": (1, 0.5), "column": (2, 0.7)}
    stored = array.transpose([of[name][0] for name in axes])
    told = {
        "dtype": "int16",
        "shape": stored.shape,
        "axes": ",".join(axes),
        "spacing": [of[name][1] for name in axes],
        "origin": [1, 2, 3],
        "convention": "LPS mm; said by the scanner",
    }
    volume = read(raw(told, stored.tobytes()))
    np.testing.assert_array_equal(volume.array, array)
    assert volume.affine.matrix.tolist() == [[0, 0, 0.7, 1], [0, 0.5, 0, 2], [3, 0, 0, 3], [0, 0, 0, 1]]


def test_the_file_is_mapped(raw, read):
    array = read(raw(RIGHT)).array
    while isinstance(array.base, np.ndarray):
        array = array.base
    assert type(array) is np.memmap


def test_toml_sidecar(raw, array, read):
    told = 'dtype = "<i2"\nshape = [4, 5, 6]\nslope = 0.5\nintercept = -3\nunits = "HU"\nlabel = true\n'
    volume = read(raw(told, kind=".toml"))
    assert (volume.slope, volume.intercept, volume.label, volume.affine) == (0.5, -3, True, None)
    np.testing.assert_array_equal(volume.array, array)


def test_options_override_the_sidecar(raw, read):
    path = raw({"dtype": "int16", "shape": [5, 4, 6], "convention": "RAS", "spacing": [1, 1, 1]})
    volume = read(path, shape="4,5,6", **LPS)
    assert volume.array.shape == (4, 5, 6)
    assert volume.affine.spacing == (3, 0.5, 0.7)
    affine = "0,0,2,1, 0,2,0,2, 4,0,0,3"
    assert read(path, shape="4 5 6", affine=affine).affine.spacing == (4, 2, 2)


def test_the_byte_order_of_an_option_overrides_that_of_the_sidecar(raw, array, read):
    path = raw({"dtype": ">i2", "shape": [4, 5, 6]})
    np.testing.assert_array_equal(read(path, byte_order="little").array, array)
    path = raw({"dtype": "int16", "byte_order": "big", "shape": [4, 5, 6]})
    np.testing.assert_array_equal(read(path, dtype="<i2").array, array)


def test_numbers_as_python_has_them(raw, read):
    straight = np.eye(3)[::-1]
    place = {"shape": (4, 5, 6), "spacing": np.array([3, 0.5, 0.7]), "direction": tuple(map(tuple, straight))}
    volume = read(raw(), dtype=np.dtype("<i2"), convention="LPS", **place)
    assert (volume.array.shape, volume.affine.spacing) == ((4, 5, 6), (3, 0.5, 0.7))
    matrix = volume.affine.matrix
    np.testing.assert_array_equal(
        read(raw(), dtype="int16", shape=[4, 5, 6], convention="LPS", affine=matrix).affine.matrix, matrix
    )


def test_another_sidecar(raw, array, read, tmp_path):
    (tmp_path / "series.toml").write_text('dtype = "int16"\nshape = [4, 5, 6]\n')
    volume = read(raw(), sidecar=str(tmp_path / "series.toml"))
    np.testing.assert_array_equal(volume.array, array)


def test_ras_and_units_of_length(raw, read):
    direction = [[0, 0.6, 0.8], [0, 0.8, -0.6], [1, 0, 0]]
    told = {"dtype": "int16", "shape": [4, 5, 6], "spacing": [0.3, 0.05, 0.07], "direction": direction}
    path = raw(told | {"origin": [1, 2, 3], "convention": "ras", "length_unit": "cm"})
    expected = [[0, 0, -0.7, -10], [-1.8, -0.4, 0, -20], [2.4, -0.3, 0, 30], [0, 0, 0, 1]]
    np.testing.assert_allclose(read(path).affine.matrix, expected, atol=1e-12)


def test_affine_is_in_the_order_of_the_axes(raw, read, array):
    affine = [[0.7, 0, 0, 1], [0, 0.5, 0.1, 2], [0, 0, 3, 3], [0, 0, 0, 1]]
    told = {"dtype": "int16", "shape": [6, 5, 4], "axes": ["column", "row", "slice"], "affine": affine}
    volume = read(raw(told | {"convention": "LPS"}, array.transpose().tobytes()))
    np.testing.assert_array_equal(volume.array, array)
    np.testing.assert_allclose(volume.affine.matrix[:3], np.array(affine)[:3, [2, 1, 0, 3]])


def test_one_slice_and_colour(raw, read):
    rgb = np.arange(3 * 5 * 4, dtype="u1").reshape(3, 5, 4)
    told = {"dtype": "uint8", "shape": [3, 5, 4], "axes": "sample,row,column", "spacing": [0.5, 0.7]}
    volume = read(raw(told | {"convention": "LPS"}, rgb.tobytes()))
    np.testing.assert_array_equal(volume.array, rgb.transpose(1, 2, 0)[np.newaxis])
    assert volume.affine.spacing == (1, 0.5, 0.7)
    assert volume.affine.matrix[2, 0] == 1


WRONG = {
    "no dtype": ({"shape": [4, 5, 6]}, "nothing says what its bytes are: there is no dtype"),
    "unknown entry": ({"dtypes": "int16"}, "there is no entry 'dtypes'; did you mean dtype?"),
    "type": ({"dtype": "int12"}, "'dtype': 'int12' is not one of int8"),
    "object type": ({"dtype": "O"}, "'O' is not one of"),
    "negative": ({"dtype": "int16", "shape": [-4, -5, 6]}, "'shape': -4 is not a whole number from 1"),
    "fraction": ({"shape": [4, 5.5, 6]}, "5.5 is not a whole number"),
    "huge": ({"dtype": "int16", "shape": [1e300, 5, 6]}, "is not a whole number"),
    "true": ({"shape": [True, 5, 6]}, "True is not a number"),
    "NaN": ({"origin": ["nan", 0, 0]}, "'nan' is not finite"),
    "axes": ({"axes": "slice,row,row"}, "does not name each axis once"),
    "time": ({"axes": "time,row,column"}, "does not name each axis once"),
    "two byte orders": ({"dtype": ">i2", "byte_order": "little"}, "byte_order is little, but dtype says big"),
    "spacing": ({"spacing": [1, 0, 1]}, "is not above 0"),
    "slope": ({"slope": 0}, "it is 0, which makes all values the same"),
    "length in units": ({"units": "cm"}, "'cm' is a unit of lengths; write it as length_unit"),
    "convention": ({"convention": "ITK"}, "'ITK' does not begin with LPS or RAS"),
    "not bool": ({"label": 1}, "1 is not true or false"),
}
RIGHT = {"dtype": "int16", "shape": [4, 5, 6]}
MISPLACED = {
    "no convention": ({"spacing": [3, 1, 1]}, "it is not said whether x, y and z are LPS"),
    "no spacing": (
        {"origin": [0, 0, 0], "convention": "LPS"},
        "origin or direction is given, but no spacing",
    ),
    "both": (
        {"spacing": [3, 1, 1], "affine": list(range(12)), "convention": "LPS"},
        "affine is given beside spacing",
    ),
    "singular": ({"affine": [0] * 12, "convention": "LPS"}, "the affine is singular"),
    "last row": ({"affine": [[1, 0, 0, 0]] * 4, "convention": "LPS"}, "last row of the affine"),
    "count": ({"spacing": [3, 1], "convention": "LPS"}, "not one for each of the axes slice, row, column"),
    "length": (
        {"spacing": [3, 1, 1], "direction": [[0, 0, 2], [0, 1, 0], [1, 0, 0]], "convention": "LPS"},
        "the directions have lengths 2, 1, 1, not 1",
    ),
    "axes": ({"axes": "row,column"}, "its shape has 3 axes (4 x 5 x 6), but axes names 2"),
}


@pytest.mark.parametrize(("entries", "message"), WRONG.values(), ids=WRONG)
def test_wrong_entries(raw, refused, entries, message):
    assert message in refused(raw(entries))


@pytest.mark.parametrize(("entries", "message"), MISPLACED.values(), ids=MISPLACED)
def test_wrong_places(raw, refused, entries, message):
    assert message in refused(raw(RIGHT | entries))


def test_all_wrong_entries_are_told(raw, read):
    with pytest.raises(SourceError) as caught:
        read(raw({"dtype": "int", "shape": [0], "slope": "x"}))
    assert [problem.message.split(":")[0] for problem in caught.value.problems] == [
        "'dtype'",
        "'shape'",
        "'slope'",
    ]


@pytest.mark.parametrize("more", [-7, 7])
def test_the_size_must_be_exact(raw, refused, array, more):
    data = array.tobytes()
    path = raw(RIGHT | {"offset": 2}, bytes(2) + (data[:more] if more < 0 else data + bytes(more)))
    message = refused(path)
    assert f"{242 + more:,} bytes" in message
    assert "a header of 2 bytes and 4 x 5 x 6 values of int16 are 242 bytes" in message
    assert str(path) in message


SIDECARS = {
    "cut off": ('{"dtype": ', ".json", "not valid JSON"),
    "twice": ('{"dtype": "int8", "dtype": "int16"}', ".json", "'dtype' is there twice"),
    "constant": ('{"slope": NaN}', ".json", "NaN is not a number of JSON"),
    "list": ("[1]", ".json", "it holds a list"),
    "deep": ("[" * 60000, ".json", "longer than 8,192 characters"),
    "deep in lines": ("[\n" * 30000, ".json", "not valid JSON"),
    "long": (" \n" * 40000, ".json", "larger than the 65,536 bytes"),
    "toml": ("dtype = int16", ".toml", "not valid TOML"),
    "quadratic": ("a." * 30000 + "b = 1", ".toml", "longer than 8,192 characters"),
}


@pytest.mark.parametrize(("text", "kind", "message"), SIDECARS.values(), ids=SIDECARS)
def test_damaged_sidecars(raw, refused, tmp_path, text, kind, message):
    path = raw()
    (tmp_path / f"ct.raw{kind}").write_text(text)
    assert message in refused(path)


def test_sidecar_that_is_no_text(raw, refused, tmp_path):
    (tmp_path / "ct.raw.json").write_bytes(b"\xff\xfe{}")
    assert "it is not UTF-8 text" in refused(raw())


def test_two_sidecars(raw, refused):
    raw(RIGHT)
    assert "two sidecars, ct.raw.toml and ct.raw.json" in refused(raw("", kind=".toml"))


def test_pipes_and_folders_are_refused_without_waiting(refused, tmp_path):
    import os

    os.mkfifo(tmp_path / "pipe.raw")
    assert "not a regular file" in refused(tmp_path / "pipe.raw", dtype="int8", shape="1,1,1")
    assert "is a folder" in refused(tmp_path.rename(tmp_path.with_suffix(".raw")), dtype="u1", shape="1,1")
    assert "No such file" in refused(tmp_path / "absent.raw", dtype="int8", shape="1,1,1")


def test_the_schema_says_what_the_code_takes():
    schema = json.loads(resources.files("dicomwright_raw").joinpath("sidecar.schema.json").read_text("utf-8"))
    known = schema["properties"]
    assert list(known) == [field.name for field in fields(Description)] == list(_PARSERS)
    assert known["dtype"]["anyOf"][0]["enum"] == list(DTYPES)
    assert known["byte_order"]["enum"] == list(ORDERS)
    assert known["length_unit"]["enum"] == list(LENGTHS)
    assert known["axes"]["anyOf"][1]["items"]["enum"] == list(AXES)
    defaults = {field.name: field.default for field in fields(Description)}
    stated = {name: entry["default"] for name, entry in known.items() if "default" in entry}
    assert stated.pop("axes") == "slice,row,column"
    assert stated == {name: defaults[name] for name in stated}


@pytest.mark.parametrize("name", ["ct_be", "ct_header128", "ct_fortran_u16"])
def test_crop_of_a_real_scan(shared_data, read, name):
    import nibabel

    volume = read(shared_data / "v16_raw_nrrd_mha" / f"{name}.raw")
    values = volume.array * volume.slope + volume.intercept
    whole = nibabel.load(shared_data / "v01_ct_axial" / "ct_axial.nii.gz")
    index = np.linalg.inv(np.diag([-1, -1, 1, 1]) @ whole.affine) @ volume.affine.matrix[:, 3]
    column, row, part = np.rint(index[:3]).astype(int)
    step = np.sign(np.diag(whole.affine)[:3] * [-1, -1, 1]).astype(int)
    stored = np.asanyarray(whole.dataobj)
    columns, rows, slices = (
        start + way * np.arange(count)
        for start, way, count in zip((column, row, part), step, (200, 120, 4), strict=True)
    )
    np.testing.assert_array_equal(values, stored[np.ix_(columns, rows, slices)].T)


def test_short_file_of_a_real_scan(shared_data, refused):
    message = refused(shared_data / "v16_raw_nrrd_mha" / "ct_short.raw")
    assert "191,993 bytes" in message
    assert "192,000 bytes" in message


@pytest.mark.parametrize("kind", [".json", ".toml"])
def test_mutants_of_sidecars(raw, readable, kind, tmp_path):
    import random

    told = RIGHT | {"spacing": [3, 0.5, 0.7], "origin": [1, 2, 3], "convention": "LPS", "order": "C"}
    path = raw(told)
    text = (tmp_path / "ct.raw.json").read_text()
    if kind == ".toml":
        (tmp_path / "ct.raw.json").unlink()
        text = "\n".join(f"{name} = {json.dumps(value)}" for name, value in told.items())
    draw, refusals = random.Random(kind), 0
    for _ in range(600):
        at, length = draw.randrange(len(text)), draw.randint(0, 4)
        word = draw.choice(
            ["-1", "0", "nan", "1e400", "9" * 30, "[", "{", '"', "=", ",", "\0", "\n", "true", ""]
        )
        (tmp_path / f"ct.raw{kind}").write_text(text[:at] + word + text[at + length :])
        refusals += not readable(path)
    assert 60 < refusals < 600
