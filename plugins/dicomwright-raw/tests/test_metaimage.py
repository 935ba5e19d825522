"""MetaImage: values and place as SimpleITK reads them; everything else is refused in one line."""

from __future__ import annotations

import zlib

import numpy as np
import pytest

PLACE = {
    "TransformMatrix": "0.6 0.8 0 -0.8 0.6 0 0 0 -1",
    "Offset": "-10 20.25 30",
    "ElementSpacing": "0.5 0.7 3",
}


@pytest.fixture
def meta(tmp_path, array):
    """Return a function that writes a MetaImage file; None leaves a field out."""

    def write(name="a.mha", data=None, **fields):
        header = {"ObjectType": "Image", "NDims": 3, "BinaryData": "True", "BinaryDataByteOrderMSB": "False"}
        header |= PLACE | {"DimSize": "6 5 4", "ElementType": "MET_SHORT"} | fields
        header["ElementDataFile"] = header.pop("ElementDataFile", "LOCAL")
        text = "".join(f"{key} = {value}\n" for key, value in header.items() if value is not None).encode()
        raw = array.tobytes() if data is None else data
        raw = zlib.compress(raw) if header.get("CompressedData") == "True" else raw
        (tmp_path / name).write_bytes(text + (raw if header["ElementDataFile"] == "LOCAL" else b""))
        return tmp_path / name

    return write


@pytest.mark.parametrize("compressed", ["True", "False"])
@pytest.mark.parametrize("msb", ["True", "False"])
def test_as_simpleitk(meta, array, read, sitk, sitk_matrix, msb, compressed):
    stored = array.astype(">i2" if msb == "True" else "<i2").tobytes()
    path = meta(data=stored, BinaryDataByteOrderMSB=msb, CompressedData=compressed)
    volume = read(path)
    np.testing.assert_array_equal(volume.array, array)
    assert volume.warnings == ()
    expected = [[0, -0.56, 0.3, -10], [0, 0.42, 0.4, 20.25], [-3, 0, 0, 30], [0, 0, 0, 1]]
    np.testing.assert_allclose(volume.affine.matrix, expected)
    if compressed == "False":
        image = sitk.ReadImage(path)
        np.testing.assert_array_equal(volume.array, sitk.GetArrayFromImage(image))
        np.testing.assert_allclose(volume.affine.matrix[:3], sitk_matrix(image), atol=1e-12)


@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("dtype", ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8"])
@pytest.mark.parametrize("name", ["a.mha", "a.mhd"])
def test_written_by_simpleitk(tmp_path, array, read, sitk, sitk_matrix, name, dtype, compress):
    image = sitk.GetImageFromArray(np.abs(array).astype(dtype))
    image.SetSpacing((0.5, 0.7, 3))
    image.SetOrigin((-1, 2, 3))
    image.SetDirection((0, 0, 1, 0.6, 0.8, 0, -0.8, 0.6, 0))
    sitk.WriteImage(image, tmp_path / name, compress)
    volume = read(tmp_path / name)
    np.testing.assert_array_equal(volume.array, sitk.GetArrayFromImage(image))
    np.testing.assert_allclose(volume.affine.matrix[:3], sitk_matrix(image), atol=1e-12)


def test_colour_written_by_simpleitk(tmp_path, read, sitk):
    rgb = np.arange(2 * 3 * 4 * 3, dtype="u1").reshape(2, 3, 4, 3)
    sitk.WriteImage(sitk.GetImageFromArray(rgb, isVector=True), tmp_path / "a.mha")
    np.testing.assert_array_equal(read(tmp_path / "a.mha").array, rgb)


@pytest.mark.parametrize("skip", [7, -1])
def test_header_size(meta, array, read, tmp_path, skip):
    (tmp_path / "a.raw").write_bytes(bytes(7) + array.tobytes())
    volume = read(meta("a.mhd", ElementDataFile="a.raw", HeaderSize=skip))
    np.testing.assert_array_equal(volume.array, array)


def test_header_size_of_one_file(meta, array, read, sitk):
    path = meta("a.mha", HeaderSize=-1)
    path.write_bytes(path.read_bytes().replace(array.tobytes(), bytes(7) + array.tobytes()))
    np.testing.assert_array_equal(read(path).array, array)
    np.testing.assert_array_equal(sitk.GetArrayFromImage(sitk.ReadImage(path)), array)


@pytest.mark.parametrize("name", ["../a.raw", "/etc/passwd", "link.raw"])
def test_nothing_outside_the_folder_is_read(meta, refused, tmp_path, name):
    (tmp_path.parent / "a.raw").write_bytes(bytes(240))
    (tmp_path / "link.raw").symlink_to(tmp_path.parent / "a.raw")
    assert "outside the header's folder" in refused(meta("a.mhd", ElementDataFile=name))


def test_what_is_not_said_is_told(meta, read):
    none = dict.fromkeys(PLACE)
    assert read(meta(**none)).affine is None
    volume = read(meta(**none | {"Position": "1 2 3"}, BinaryDataByteOrderMSB=None))
    assert volume.affine.matrix.tolist() == [[0, 0, 1, 1], [0, 1, 0, 2], [1, 0, 0, 3], [0, 0, 0, 1]]
    assert [text.split(";")[0] for text in volume.warnings] == [
        "the header gives no directions",
        "the header gives no voxel sizes",
        "the header does not give the byte order",
    ]
    flat = {
        "NDims": 2,
        "DimSize": "6 5",
        "TransformMatrix": "1 0 0 1",
        "Offset": "0 0",
        "ElementSpacing": "1 2",
    }
    volume = read(meta(**flat))
    assert volume.array.shape == (1, 5, 6)
    assert volume.affine is None
    assert "not applied" in read(meta(ElementToIntensityFunctionSlope=2)).warnings[0]


WRONG = {
    "type": ({"ElementType": "MET_STRING"}, "its ElementType is 'MET_STRING'"),
    "no type": ({"ElementType": None}, "its header has no field 'ElementType'"),
    "object": ({"ObjectType": "Scene"}, "an object of type 'Scene'"),
    "text": ({"BinaryData": "False"}, "written as text"),
    "flag": ({"CompressedData": "maybe"}, "'CompressedData' is 'maybe', not True or False"),
    "dims": ({"NDims": 9}, "it has 9 dimensions"),
    "time": (
        {"NDims": 4, "DimSize": "6 5 2 2", "TransformMatrix": None, "Offset": None, "ElementSpacing": None},
        "more than one volume",
    ),
    "alpha": ({"ElementNumberOfChannels": 4, "ElementType": "MET_UCHAR"}, "its voxels are 4 numbers"),
    "sizes": ({"DimSize": "6 0 4"}, "'DimSize' is '6 0 4', not 3 whole numbers from 1"),
    "matrix": ({"TransformMatrix": "1 0 0"}, "not 9 finite numbers"),
    "infinite": ({"Offset": "1e999 0 0"}, "not 3 finite numbers"),
    "singular": ({"ElementSpacing": "0 1 1"}, "it cannot be placed"),
    "list": ({"ElementDataFile": "LIST"}, "its data is in several files"),
    "missing": ({"ElementDataFile": "b.raw"}, "its data file 'b.raw' is missing"),
    "larger": ({"DimSize": "6 5 5"}, "there are 240 bytes for values, but the shape and type in its header are 300"),
    "larger, compressed": ({"DimSize": "6 5 5", "CompressedData": "True"}, "the zlib stream holds 240 bytes"),
    "smaller, compressed": ({"DimSize": "6 5 3", "CompressedData": "True"}, "holds more than 180 bytes"),
    "bomb": ({"DimSize": "9999 9999 9999", "CompressedData": "True"}, "more than the limit max_bytes"),
}  # fmt: skip


@pytest.mark.parametrize(("fields", "message"), WRONG.values(), ids=WRONG)
def test_wrong(meta, refused, fields, message):
    assert message in refused(meta(**fields))


def test_damaged(meta, refused):
    path = meta(CompressedData="True")
    data = path.read_bytes()
    for change in (data[:-1], data[:-30], data[:-2] + b"\0\0"):
        path.write_bytes(change)
        assert "the zlib stream is damaged after" in refused(path)
    path.write_bytes(b"\x89PNG\r\n\x1a\n")
    assert "not NAME = VALUE" in refused(path)
    path.write_bytes(b"NDims = 3\nNDims = 2\n")
    assert "has the field 'NDims' twice" in refused(path)


@pytest.mark.parametrize("name", ["mr_oblique.mha", "mr_oblique_detached.mhd", "mr_oblique_msb.mha"])
def test_real(shared_data, read, sitk, sitk_matrix, name):
    path = shared_data / "v16_raw_nrrd_mha" / name
    image, volume = sitk.ReadImage(path), read(path)
    np.testing.assert_array_equal(volume.array, sitk.GetArrayFromImage(image))
    np.testing.assert_allclose(volume.affine.matrix[:3], sitk_matrix(image), atol=1e-12)


@pytest.mark.parametrize("compressed", ["True", "False"])
def test_mutants(meta, mutants, compressed):
    mutants(meta(CompressedData=compressed), f"metaimage {compressed}")
