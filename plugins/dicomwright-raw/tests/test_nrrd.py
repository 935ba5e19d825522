"""NRRD: values and place as SimpleITK reads them; everything else is refused in one line."""

from __future__ import annotations

import bz2
import gzip
import resource
import tempfile

import numpy as np
import pytest

OBLIQUE = "(0.4,0.3,0) (-0.42,0.56,0) (0.1,0,2.5)"
PLACE = {"space": "left-posterior-superior", "space directions": OBLIQUE, "space origin": "(10,-20,30.5)"}
PACK = {"raw": bytes, "gzip": gzip.compress, "bzip2": bz2.compress}


@pytest.fixture
def nrrd(tmp_path, array):
    """Return a function that writes a NRRD file; None leaves a field out."""

    def write(name="a.nrrd", data=None, **fields):
        header = {"type": "short", "dimension": 3, "sizes": "6 5 4", "endian": "little", "encoding": "raw"}
        header |= PLACE | {key.replace("_", " "): value for key, value in fields.items()}
        lines = ["NRRD0004", "# made for a test"]
        lines += [f"{key}: {value}" for key, value in header.items() if value is not None]
        text = "\n".join([*lines, "key:=value: with colon", "", ""]).encode()
        raw = array.tobytes() if data is None else data
        (tmp_path / name).write_bytes(
            text + (b"" if "data file" in header else PACK[header["encoding"]](raw))
        )
        return tmp_path / name

    return write


@pytest.mark.parametrize("endian", ["little", "big"])
@pytest.mark.parametrize("encoding", ["raw", "gzip", "bzip2"])
def test_encodings(nrrd, array, read, encoding, endian):
    stored = array.astype(array.dtype.newbyteorder("<" if endian == "little" else ">"))
    volume = read(nrrd(data=stored.tobytes(), encoding=encoding, endian=endian))
    np.testing.assert_array_equal(volume.array, array)
    expected = [[0.1, -0.42, 0.4, 10], [0, 0.56, 0.3, -20], [2.5, 0, 0, 30.5], [0, 0, 0, 1]]
    np.testing.assert_allclose(volume.affine.matrix, expected)
    assert volume.warnings == ()


@pytest.mark.parametrize("space", ["left-posterior-superior", "RAS", "left-anterior-superior"])
@pytest.mark.parametrize("compress", [False, True])
def test_as_simpleitk(nrrd, read, sitk, sitk_matrix, space, compress):
    right_angles = "(0.4,0.3,0) (-0.42,0.56,0) (0,0,2.5)"
    path = nrrd(space=space, space_directions=right_angles, encoding="gzip" if compress else "raw")
    image, volume = sitk.ReadImage(path), read(path)
    np.testing.assert_array_equal(volume.array, sitk.GetArrayFromImage(image))
    np.testing.assert_allclose(volume.affine.matrix[:3], sitk_matrix(image), atol=1e-12)


@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("dtype", ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8"])
def test_written_by_simpleitk(tmp_path, array, read, sitk, sitk_matrix, dtype, compress):
    image = sitk.GetImageFromArray(np.abs(array).astype(dtype))
    image.SetSpacing((0.5, 0.7, 3))
    image.SetOrigin((-1, 2, 3))
    image.SetDirection((0, 0, 1, 0.6, 0.8, 0, -0.8, 0.6, 0))
    sitk.WriteImage(image, tmp_path / "a.nrrd", compress)
    volume = read(tmp_path / "a.nrrd")
    np.testing.assert_array_equal(volume.array, sitk.GetArrayFromImage(image))
    np.testing.assert_allclose(volume.affine.matrix[:3], sitk_matrix(image), atol=1e-12)


def test_colour_written_by_simpleitk(tmp_path, read, sitk):
    rgb = np.arange(2 * 3 * 4 * 3, dtype="u1").reshape(2, 3, 4, 3)
    sitk.WriteImage(sitk.GetImageFromArray(rgb, isVector=True), tmp_path / "a.nrrd")
    np.testing.assert_array_equal(read(tmp_path / "a.nrrd").array, rgb)


def test_other_dimensions_written_by_simpleitk(tmp_path, array, read, refused, sitk):
    sitk.WriteImage(sitk.GetImageFromArray(array[0]), tmp_path / "flat.nrrd")
    volume = read(tmp_path / "flat.nrrd")
    np.testing.assert_array_equal(volume.array, array[:1])
    assert volume.affine is None
    assert volume.warnings == (
        "its space has 2 dimensions and is not that of a patient: the voxels have no place",
    )
    sitk.WriteImage(sitk.JoinSeries([sitk.GetImageFromArray(array)] * 2), tmp_path / "series.nrrd")
    message = refused(tmp_path / "series.nrrd")
    assert "its axis 4 of 4 (6 x 5 x 4 x 2, kind domain) is not in one volume" in message


def test_detached(nrrd, array, read, tmp_path):
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "a.raw").write_bytes(b"one\ntwo\n123" + array.tobytes())
    volume = read(nrrd("a.nhdr", data_file="below/a.raw", line_skip=2, byte_skip=3))
    np.testing.assert_array_equal(volume.array, array)
    volume = read(nrrd("b.nhdr", data_file="./below/a.raw", byte_skip=-1))
    np.testing.assert_array_equal(volume.array, array)


@pytest.mark.parametrize("name", ["../a.raw", "/etc/passwd", "link.raw", "below/../../a.raw", "C:\\a.raw"])
def test_nothing_outside_the_folder_is_read(nrrd, refused, tmp_path, name):
    (tmp_path.parent / "a.raw").write_bytes(bytes(240))
    (tmp_path / "link.raw").symlink_to(tmp_path.parent / "a.raw")
    assert "outside the header's folder" in refused(nrrd("a.nhdr", data_file=name))


def test_units_and_one_slice(nrrd, read):
    units = '"cm" "cm" "cm"'
    path = nrrd(dimension=2, sizes="6 5", space_directions="(0.04,0,0) (0,0.05,0)", space_units=units)
    volume = read(path.rename(path.with_name("b.nrrd")))
    assert volume.array.shape == (1, 5, 6)
    np.testing.assert_allclose(volume.affine.spacing, (10, 0.5, 0.4))
    np.testing.assert_allclose(volume.affine.matrix[:3, 3], (100, -200, 305))
    notes = " ".join(volume.warnings)
    assert "single slice" in notes
    assert "cm and were brought to mm" in notes
    assert "behind the values were ignored" in notes


def test_what_is_not_said_is_told(nrrd, read):
    none = {"space": None, "space_directions": None, "space_origin": None}
    assert read(nrrd(**none)).affine is None
    volume = read(nrrd(**none, spacings="0.5 0.7 3"))
    assert volume.affine.spacing == (3, 0.7, 0.5)
    assert "position and orientation are unknown and were made up" in volume.warnings[0]
    volume = read(nrrd(space=None, space_dimension=3, space_origin=None))
    assert [text.split(";")[0] for text in volume.warnings] == [
        "the header does not name its space",
        "the header has no space origin",
    ]
    assert "not that of a patient" in read(nrrd(space="scanner-xyz")).warnings[0]


WRONG = {
    "field": ({"spaec": "ras"}, "'spaec: ras', which is no field of NRRD"),
    "type": ({"type": "block"}, "its type is 'block'"),
    "no type": ({"type": None}, "its header has no field 'type'"),
    "endian": ({"endian": None}, "endian is not given"),
    "encoding": ({"encoding": "hex", "data_file": "x"}, "its encoding is 'hex'"),
    "sizes": ({"sizes": "6 5"}, "'sizes' is '6 5', not 3 whole numbers from 1"),
    "negative": ({"sizes": "6 -5 -4"}, "not 3 whole numbers from 1"),
    "huge": ({"sizes": "9" * 40 + " 5 4"}, "not 3 whole numbers from 1"),
    "dimension": ({"dimension": "999999999999"}, "its dimension is 999999999999"),
    "time": ({"dimension": 4, "sizes": "6 5 2 2", "space directions": OBLIQUE + " none"}, "is not in one volume"),
    "vectors": ({"space_directions": "(1,0,0)"}, "not 3 vectors"),
    "not finite": ({"space_origin": "(nan,0,0)"}, "not 3 finite numbers"),
    "singular": ({"space_directions": "(1,0,0) (1,0,0) (0,0,1)"}, "it cannot be placed"),
    "space-time": ({"space": "left-posterior-superior-time"}, "with time"),
    "text": ({"encoding": "ascii", "endian": None, "data_file": "x"}, "its encoding is 'ascii'"),
    "list": ({"data_file": "LIST\\na.raw\\nb.raw"}, "its data is in several files"),
    "pattern": ({"data_file": "a%03d.raw 1 4 1"}, "its data is in several files"),
    "missing": ({"data_file": "b.raw"}, "its data file 'b.raw' is missing"),
    "skip": ({"byte_skip": -2}, "not 1 whole number from -1"),
    "byte skip": ({"byte_skip": -1, "encoding": "gzip"}, "which is for raw data only"),
    "larger": ({"sizes": "6 5 5"}, "there are 240 bytes for values, but the shape and type in its header are 300"),
    "larger in gzip": ({"sizes": "6 5 5", "encoding": "gzip"}, "the gzip stream holds 240 bytes"),
    "smaller in gzip": ({"sizes": "6 5 3", "encoding": "gzip"}, "holds more than 180 bytes"),
    "bomb": ({"sizes": "6000 5000 40", "encoding": "gzip"}, "more than the limit max_bytes"),
    "ratio": ({"sizes": "6000 5000 10", "encoding": "bzip2"}, "it would hold nothing but one value"),
}  # fmt: skip


@pytest.mark.parametrize(("fields", "message"), WRONG.values(), ids=WRONG)
def test_wrong(nrrd, refused, fields, message):
    assert message in refused(nrrd(**fields))


def test_a_folder_for_temporary_files_without_room(nrrd, array, read, refused, monkeypatch):
    path = nrrd(encoding="gzip")
    monkeypatch.setattr("dicomwright_raw.unpack._IN_MEMORY", 100)
    np.testing.assert_array_equal(read(path).array, array)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))  # as a full disk
    try:
        message = refused(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert f"its 240 bytes of values do not fit into {tempfile.gettempdir()}: File too large" in message
    assert "set TMPDIR, or save it without compression" in message


def test_damaged(nrrd, refused):
    path = nrrd(encoding="gzip")
    data = path.read_bytes()
    for change in (data[:-1], data[:-9], data[:-6] + b"\0" + data[-5:]):
        path.write_bytes(change)
        assert "the gzip stream is damaged after" in refused(path)
    path.write_bytes(b"NRRD0009\n")
    assert "its first line is 'NRRD0009', not NRRD0001 to NRRD0005" in refused(path)
    path.write_bytes(b"NRRD0004\n" + b"# \n" * 500_000)
    assert "its header does not end within 1,048,576 bytes" in refused(path)
    path.write_bytes(b"NRRD0004\ntype: short\ntype: int\n")
    assert "has the field 'type' twice" in refused(path)


@pytest.mark.parametrize(
    "name",
    [
        "BallBinary30x30x30.nhdr", "BallBinary30x30x30.nrrd", "BallBinary30x30x30_byteskip_minus_one.nhdr",
        "BallBinary30x30x30_gz.nrrd", "legacy_ct_label.nrrd", "mr_oblique_gz.nrrd",
    ],
)  # fmt: skip
def test_real(shared_data, read, sitk, sitk_matrix, name):
    path = shared_data / "v16_raw_nrrd_mha" / name
    image, volume = sitk.ReadImage(path), read(path)
    np.testing.assert_array_equal(volume.array, sitk.GetArrayFromImage(image))
    np.testing.assert_allclose(volume.affine.matrix[:3], sitk_matrix(image), atol=1e-12)


def test_bzip2_is_the_same_ball(shared_data, read):
    folder = shared_data / "v16_raw_nrrd_mha"
    packed, plain = read(folder / "BallBinary30x30x30_bz2.nrrd"), read(folder / "BallBinary30x30x30.nrrd")
    np.testing.assert_array_equal(packed.array, plain.array)


@pytest.mark.parametrize("encoding", ["raw", "gzip", "bzip2"])
def test_mutants(nrrd, mutants, encoding):
    path = nrrd(encoding=encoding, kinds="domain domain domain", byte_skip=0, line_skip=0)
    mutants(path, f"nrrd {encoding}")
