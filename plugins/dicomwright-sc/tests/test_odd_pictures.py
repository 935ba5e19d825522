"""Pictures that are legal and rare: what Pillow does not tell of them, or tells otherwise."""

from __future__ import annotations

import struct
import sys
import zlib

import numpy as np
import pytest
from PIL import Image

from dicomwright import Blueprint, DicomFactory
from dicomwright.errors import PluginError, SourceError


def png(path, *, depth, values, clear=None):
    """Write grey of few bits as PNG, one value transparent."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows, columns = values.shape
    bits = (values[..., np.newaxis] >> np.arange(depth)[::-1]) & 1
    packed = np.packbits(bits.reshape(rows, -1).astype(bool), axis=1)
    parts = [b"\x89PNG\r\n\x1a\n", chunk(b"IHDR", struct.pack(">IIBBBBB", columns, rows, depth, 0, 0, 0, 0))]
    parts += [chunk(b"tRNS", struct.pack(">H", clear))] if clear is not None else []
    parts += [chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row.tobytes() for row in packed)))]
    path.write_bytes(b"".join([*parts, chunk(b"IEND", b"")]))
    return path


@pytest.mark.parametrize(("depth", "clear"), [(1, 0), (1, 1), (2, 1), (4, 13)])
def test_a_transparent_value_of_few_bits(tmp_path, read, depth, clear):
    values = np.arange(77).reshape(7, 11) * 3 % 2**depth
    path = png(tmp_path / "a.png", depth=depth, values=values, clear=clear)
    spread = values * 255 // (2**depth - 1)
    frames = read(path, background="grey")
    assert frames.warnings == ("transparent pixels were composited on the background #808080",)
    assert frames.images.dtypes == ("u1",)
    np.testing.assert_array_equal(frames.images[0], np.where(values == clear, 128, spread))
    (image,) = read(path, background="#ff8000").images
    through = (values == clear)[..., np.newaxis]
    np.testing.assert_array_equal(image, np.where(through, [255, 128, 0], spread[..., np.newaxis]))


def test_a_transparent_value_of_an_image_in_memory_that_is_asked_for_twice(tmp_path, build, written):
    values = np.arange(77).reshape(7, 11) % 16
    with Image.open(png(tmp_path / "a.png", depth=4, values=values, clear=3)) as image:
        (dataset,) = written(build(image))
    np.testing.assert_array_equal(dataset.pixel_array, np.where(values == 3, 255, values * 17))


@pytest.mark.parametrize(
    ("colour", "mode", "message"),
    [
        (2, "RGB", "it is colour of 16 bit a sample"),
        (4, "LA", "it is grey with transparency of 16 bit a sample"),
    ],
)
def test_samples_of_16_bit_that_pillow_would_cut(tmp_path, refused, refusal_of, colour, mode, message):
    Image.new(mode, (5, 3)).save(tmp_path / "a.png")
    data = bytearray((tmp_path / "a.png").read_bytes())
    data[24], data[29:33] = 16, struct.pack(">I", zlib.crc32(data[12:24] + b"\x10" + data[25:29]))
    assert data[25] == colour
    (tmp_path / "a.png").write_bytes(data)
    assert message in refused(tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as image:
        assert message in refusal_of(image)


@pytest.mark.parametrize("comment", ["# made 5 by 1", "#" + 100 * "c"])
def test_colour_of_16_bit_behind_a_comment(tmp_path, refused, comment):
    (tmp_path / "a.ppm").write_bytes(f"P6\n{comment}\n1 2\n65535\n".encode() + bytes(12))
    assert "colour of 16 bit a sample" in refused(tmp_path / "a.ppm")


def tiff(path, *, bits, kind, data):
    """Write a TIFF of one strip and one sample a pixel, 5 columns and 3 rows."""
    tags = [
        (256, 5),
        (257, 3),
        (258, bits),
        (259, 1),
        (262, 1),
        (273, 8),
        (277, 1),
        (278, 3),
        (279, len(data)),
    ]
    directory = b"".join(struct.pack("<HHII", tag, 4, 1, number) for tag, number in [*tags, (339, kind)])
    head = b"II*\0" + struct.pack("<I", 8 + len(data))
    path.write_bytes(head + data + struct.pack("<H", len(tags) + 1) + directory + bytes(4))
    return path


def test_signed_numbers_of_8_bit(tmp_path, read, refused):
    values = np.arange(15, dtype="i1").reshape(3, 5)
    (image,) = read(tiff(tmp_path / "a.tif", bits=8, kind=2, data=values.tobytes())).images
    np.testing.assert_array_equal(image, values)
    path = tiff(tmp_path / "a.tif", bits=8, kind=2, data=(values - 7).tobytes())
    assert "its grey values reach from -7 to 7" in refused(path)


def test_a_kind_of_tiff_that_is_not_read(tmp_path, refused):
    path = tiff(tmp_path / "a.tif", bits=64, kind=3, data=bytes(120))
    message = refused(path)
    assert "is a kind of TIFF that is not read, or damaged" in message
    assert message.endswith("save it as PNG, or as TIFF of 1, 8 or 16 bit grey or of RGB")


@pytest.mark.parametrize("name", ["a.png", "a.mpo"])
def test_the_first_of_several_pictures(tmp_path, rgb, read, name):
    pictures = [Image.fromarray(rgb), Image.fromarray(255 - rgb)]
    pictures[0].save(tmp_path / name, save_all=True, append_images=pictures[1:])
    frames = read(tmp_path / name)
    assert len(frames.images) == 1
    assert frames.warnings == ("it holds 2 pictures, of which the first was taken",)


def test_a_turned_tiff_that_pillow_maps_is_not_written_with_a_wrong_size(tmp_path, grey16, read, build):
    Image.fromarray(grey16).save(tmp_path / "a.tif", tiffinfo={274: 6})
    (image,) = read(tmp_path / "a.tif").images
    np.testing.assert_array_equal(image, np.rot90(grey16, -1))
    try:
        with Image.open(tmp_path / "a.tif") as mapped:
            (dataset,) = build(mapped)
            np.testing.assert_array_equal(dataset.pixel_array, image)
    except SourceError as error:
        assert "as Pillow told before; give the path of its file" in str(error)  # noqa: PT017  # either is right


@pytest.mark.parametrize(
    ("name", "data"), [("a.jpg", b"\xff\xd8" + 3_000_000 * b"\xff"), ("a.ppm", b"P6\n" + 3_000_000 * b"#")]
)
def test_a_header_without_an_end_is_not_read_to_its_end(tmp_path, refused, name, data):
    (tmp_path / name).write_bytes(data)
    assert "is damaged: it has no end of small parts" in refused(tmp_path / name)


def test_a_damaged_or_closed_image_in_memory_is_refused(tmp_path, rgb, refusal_of, build):
    Image.fromarray(rgb).save(tmp_path / "a.png")
    closed = Image.open(tmp_path / "a.png")
    closed.close()
    assert "Pillow image: is damaged: Operation on closed image" in refusal_of(closed)
    (tmp_path / "a.png").write_bytes((tmp_path / "a.png").read_bytes()[:-40])
    with (
        Image.open(tmp_path / "a.png") as image,
        pytest.raises(SourceError, match="Pillow image: is damaged"),
    ):
        build(image)[0].PixelData  # noqa: B018  # decodes it


def test_options_of_the_reader_reach_images_in_memory():
    image = Image.new("RGBA", (97, 61), (255, 0, 0, 0))
    series = DicomFactory().build(
        image, Blueprint(), encoder="secondary-capture", reader_options={"background": "#204060"}
    )
    assert series[0].pixel_array[60, 96].tolist() == [32, 64, 96]
    with pytest.raises(PluginError, match='"picture" has no option "dpi"'):
        DicomFactory().build(image, Blueprint(), encoder="secondary-capture", reader_options={"dpi": "72"})


def test_bytes_are_not_read_by_the_reader_of_files():
    with pytest.raises(
        SourceError, match="the reader 'picture' reads files, not bytes; write them to a file"
    ):
        DicomFactory().build(b"\x89PNG", Blueprint(), reader="picture", encoder="secondary-capture")


def test_the_loss_of_a_jpeg_that_pillow_opened_is_told(tmp_path, rgb, build):
    Image.fromarray(rgb).save(tmp_path / "a.jpg", quality=80)
    with Image.open(tmp_path / "a.jpg") as image:
        (opened,) = build(image)
        (file,) = build(tmp_path / "a.jpg")
        assert opened.LossyImageCompression == file.LossyImageCompression == "01"
        assert opened.LossyImageCompressionRatio == file.LossyImageCompressionRatio > 1
        assert "LossyImageCompression" not in build(image.rotate(90))[0]


def test_a_tiff_where_standard_error_is_closed(tmp_path, rgb, read, monkeypatch):
    Image.fromarray(rgb).save(tmp_path / "a.tif", compression="tiff_lzw")
    monkeypatch.setattr(sys, "stderr", None)
    np.testing.assert_array_equal(read(tmp_path / "a.tif").images[0], rgb)
