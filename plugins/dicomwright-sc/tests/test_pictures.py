"""Pictures of every kind: sizes and values exact where they can be, a reason where they cannot."""

from __future__ import annotations

import random
import struct
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from dicomwright.errors import DicomwrightError, PluginError
from dicomwright_sc.reader import PictureReader

SHARED = {  # of the card: file -> shape, type
    "card_rgb.png": ((61, 97, 3), "u1"),
    "card_rgb_300dpi.png": ((61, 97, 3), "u1"),
    "card.bmp": ((61, 97, 3), "u1"),
    "card_grey8.png": ((61, 97), "u1"),
    "card_grey16.png": ((61, 97), "u2"),
    "card_grey16.tif": ((61, 97), "u2"),
    "card_1bit.png": ((61, 97), "?"),
    "us_frame.png": ((240, 320, 3), "u1"),
}


def saved(folder, image, name="a.png", **options):
    image.save(folder / name, **options)
    return folder / name


@pytest.mark.parametrize("name", SHARED)
def test_lossless_pictures_are_exact(shared_data, read, name):
    shape, dtype = SHARED[name]
    (image,) = read(shared_data / "v18_pictures" / name).images
    assert (image.shape, image.dtype) == (shape, np.dtype(dtype))
    np.testing.assert_array_equal(image, np.asarray(Image.open(shared_data / "v18_pictures" / name)))


@pytest.mark.parametrize("name", ["card_exif6.jpg", "card_exif8.jpg", "card_cmyk.jpg"])
def test_turned_and_cmyk_pictures_show_the_card(shared_data, read, name):
    (image,) = read(shared_data / "v18_pictures" / name).images
    (card,) = read(shared_data / "v18_pictures" / "card_rgb.png").images
    assert image.shape == card.shape
    assert np.abs(image.astype(int) - card).mean() < 12


@pytest.mark.parametrize("background", ["white", "black", "#204060"])
@pytest.mark.parametrize("name", ["card_rgba.png", "card_palette_transparent.png"])
def test_transparent_pixels_lie_on_the_background(shared_data, read, name, background):
    path = shared_data / "v18_pictures" / name
    frames = read(path, background=background)
    over = np.asarray(Image.open(path).convert("RGBA")).astype(float)
    colour = {"white": (255, 255, 255), "black": (0, 0, 0), "#204060": (32, 64, 96)}[background]
    alpha = over[..., 3:] / 255
    expected = over[..., :3] * alpha + np.array(colour) * (1 - alpha)
    assert np.abs(frames.images[0] - expected).max() <= 1
    assert frames.warnings == (
        f"transparent pixels were composited on the background #{bytes(colour).hex()}",
    )


def test_pages_of_a_tiff(shared_data, read):
    images = read(shared_data / "v18_pictures" / "card_pages.tif").images
    assert [image.shape for image in images] == [(61, 97, 3), (80, 50, 3), (33, 40, 3)]
    assert [image.shape for image in images[1:]] == [(80, 50, 3), (33, 40, 3)]


@pytest.mark.parametrize(
    ("name", "message"),
    [("card_rgb16.png", "colour of 16 bit a sample"), ("card_float.tif", "floating point numbers")],
)
def test_what_secondary_capture_cannot_hold_is_refused(shared_data, refused, name, message):
    assert message in refused(shared_data / "v18_pictures" / name)


def test_formats(tmp_path, rgb, read):
    for name in ("a.png", "a.tif", "a.bmp", "a.ppm"):
        (image,) = read(saved(tmp_path, Image.fromarray(rgb), name)).images
        np.testing.assert_array_equal(image, rgb)


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.pgm"])
def test_grey_of_16_bit(tmp_path, grey16, read, name):
    (image,) = read(saved(tmp_path, Image.fromarray(grey16), name)).images
    np.testing.assert_array_equal(image, grey16)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.tif"])
def test_orientation_tags(tmp_path, rgb, read, name, orientation):
    turned = {
        1: rgb, 2: rgb[:, ::-1], 3: rgb[::-1, ::-1], 4: rgb[::-1], 5: rgb.transpose(1, 0, 2),
        6: np.rot90(rgb, -1), 7: np.rot90(rgb[:, ::-1], -1)[::1], 8: np.rot90(rgb, 1),
    }[orientation]  # fmt: skip
    if orientation == 7:
        turned = rgb[::-1, ::-1].transpose(1, 0, 2)
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"quality": 100, "subsampling": 0} if name == "a.jpg" else {}
    (image,) = read(saved(tmp_path, Image.fromarray(rgb), name, exif=exif, **options)).images
    assert image.shape == turned.shape
    assert np.abs(image.astype(int) - turned).max() <= (8 if name == "a.jpg" else 0)


def tiff(folder, *, bits, photometric, data, sample_format=1):
    """Write a TIFF of one strip and one sample a pixel, 5 columns and 3 rows."""
    tags = [(256, 5), (257, 3), (258, bits), (259, 1), (262, photometric), (273, 8), (277, 1), (278, 3)]
    tags += [(279, len(data)), (339, sample_format)]
    directory = struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", tag, 4, 1, n) for tag, n in tags)
    path = folder / "a.tif"
    path.write_bytes(b"II*\0" + struct.pack("<I", 8 + len(data)) + data + directory + bytes(4))
    return path


def test_white_is_zero_of_16_bit_is_turned_round(tmp_path, read):
    values = np.arange(0, 60000, 4000, dtype="<u2").reshape(3, 5)
    (image,) = read(tiff(tmp_path, bits=16, photometric=0, data=values.tobytes())).images
    np.testing.assert_array_equal(image, 65535 - values)


def test_integers_of_32_bit_that_fit_are_kept_and_others_refused(tmp_path, read, refused):
    values = np.arange(15, dtype="<i4").reshape(3, 5) * 4000
    (image,) = read(tiff(tmp_path, bits=32, photometric=1, data=values.tobytes(), sample_format=2)).images
    np.testing.assert_array_equal(image, values)
    path = tiff(tmp_path, bits=32, photometric=1, data=(values - 7).tobytes(), sample_format=2)
    assert "its grey values reach from -7 to 55993" in refused(path)


def png(folder, *, depth, colour, rows, extra=b""):
    """Write a PNG of 5 columns and 3 rows from its raw rows."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 5, 3, depth, colour, 0, 0, 0))
    body = chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows)))
    path = folder / "a.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + head + extra + body + chunk(b"IEND", b""))
    return path


@pytest.mark.parametrize(("colour", "samples"), [(2, 3), (4, 2), (6, 4)])
def test_colour_and_alpha_of_16_bit_are_refused(tmp_path, refused, colour, samples):
    path = png(tmp_path, depth=16, colour=colour, rows=[bytes(5 * samples * 2)] * 3)
    assert "16 bit a sample" in refused(path)


def test_grey_with_transparency_stays_grey(tmp_path, read):
    values = np.arange(15, dtype="u1").reshape(3, 5) * 17
    layers = np.stack([values, np.full_like(values, 128)], axis=-1)
    (image,) = read(saved(tmp_path, Image.fromarray(layers, "LA"))).images
    expected = values * (128 / 255) + 255 * (127 / 255)
    assert image.shape == (3, 5)
    assert np.abs(image - expected).max() <= 1
    (image,) = read(tmp_path / "a.png", background="#ff0000").images
    assert image.shape == (3, 5, 3)
    key = saved(tmp_path, Image.fromarray(values), transparency=34)
    (image,) = read(key, background="black").images
    np.testing.assert_array_equal(image, np.where(values == 34, 0, values))


def test_transparent_value_of_16_bit_grey(tmp_path, read):
    values = np.arange(0, 60000, 4000, dtype="u2").reshape(3, 5)
    data = struct.pack(">H", 8000)
    extra = struct.pack(">I", 2) + b"tRNS" + data + struct.pack(">I", zlib.crc32(b"tRNS" + data))
    path = png(
        tmp_path, depth=16, colour=0, rows=[row.astype(">u2").tobytes() for row in values], extra=extra
    )
    (image,) = read(path).images
    np.testing.assert_array_equal(image, np.where(values == 8000, 65535, values))


def test_pillow_images_in_memory(rgb, build, written):
    image = Image.fromarray(rgb)
    (dataset,) = written(build(image))
    np.testing.assert_array_equal(dataset.pixel_array, rgb)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"background": "mauve"}, "option background of the reader of pictures cannot be 'mauve'"),
        ({"max_pixels": "0"}, "option max_pixels"),
    ],
)
def test_options(tmp_path, rgb, refused, options, message):
    assert message in refused(saved(tmp_path, Image.fromarray(rgb)), **options)


def test_an_option_that_there_is_not(tmp_path, rgb):
    with pytest.raises(PluginError, match='"picture" has no option "dpi"; it has background, max_pixels'):
        PictureReader().read(Path(saved(tmp_path, Image.fromarray(rgb))), {"dpi": "300"})


def test_limits(tmp_path, refused):
    path = saved(tmp_path, Image.new("1", (9000, 9000)))
    assert "9000x9000 pixels (rows x columns), more than the limit max_pixels (50,000,000)" in refused(path)
    head = struct.pack(">IIBBBBB", 2**31 - 1, 2**31 - 1, 8, 2, 0, 0, 0)
    huge = (
        b"\x89PNG\r\n\x1a\n"
        + struct.pack(">I", 13)
        + b"IHDR"
        + head
        + struct.pack(">I", zlib.crc32(b"IHDR" + head))
    )
    (tmp_path / "b.png").write_bytes(huge + bytes(4) + b"IDAT")
    assert "more pixels than Pillow opens" in refused(tmp_path / "b.png")
    images = [Image.new("L", (3, 2))] * 4
    path = saved(tmp_path, images[0], "a.tif", save_all=True, append_images=images[1:])
    assert "more pages than the limit max_pages (3)" in refused(path, max_pages="3")


@pytest.mark.parametrize(
    "content",
    [b"", b"nothing", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"II*\0", b"BM" + bytes(20), b"P6 1"],
)
def test_no_pictures(tmp_path, refused, content):
    (tmp_path / "a.png").write_bytes(content)
    assert str(tmp_path) in refused(tmp_path / "a.png")


def test_damaged_tiff_prints_nothing(tmp_path, rgb, refused, capfd):
    path = saved(tmp_path, Image.fromarray(rgb), "a.tif", compression="tiff_adobe_deflate")
    data = bytearray(path.read_bytes())
    data[40:60] = bytes(20)
    path.write_bytes(data)
    assert "is damaged" in refused(path)
    assert capfd.readouterr() == ("", "")


def test_a_jpeg_that_is_scanned_again_and_again(tmp_path, rgb, read, refused):
    path = saved(tmp_path, Image.fromarray(rgb), "a.jpg", progressive=True)
    assert read(path).images[0].shape == (61, 97, 3)
    data = path.read_bytes()
    scan = data[data.rindex(b"\xff\xda") : -2]
    path.write_bytes(data[:-2] + scan * 200 + data[-2:])
    assert "scans; a JPEG needs no more than 100" in refused(path)


def test_formats_that_few_need_are_not_opened(tmp_path, refused):
    (tmp_path / "a.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n")
    assert "is no picture that is read here" in refused(tmp_path / "a.png")


def test_pipes_are_refused_without_waiting(tmp_path, refused):
    import os

    os.mkfifo(tmp_path / "a.png")
    assert "not a regular file" in refused(tmp_path / "a.png")
    assert "No such file" in refused(tmp_path / "b.png")


def test_damaged_pages_are_told_when_they_are_asked_for(tmp_path, refused):
    noise = np.random.default_rng(3).integers(0, 256, (61, 97), np.uint8)
    path = saved(tmp_path, Image.fromarray(noise))
    path.write_bytes(path.read_bytes()[:-200])
    assert "is damaged" in refused(path)


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.tif", "b.tif", "a.bmp"])
def test_mutants(tmp_path, rgb, read, name):
    image = Image.fromarray(rgb)
    ImageDraw.Draw(image).text((5, 5), "text")
    exif = Image.Exif()
    exif[0x0112] = 6
    options = {"compression": "tiff_lzw"} if name == "b.tif" else {} if name == "a.bmp" else {"exif": exif}
    path = saved(tmp_path, image, name, **options)
    data, draw, refusals = path.read_bytes(), random.Random(name), 0
    for _ in range(400):
        mutant = bytearray(data)
        for _ in range(draw.randint(1, 3)):
            at = draw.randrange(min(len(mutant), 200)) if draw.random() < 0.7 else draw.randrange(len(mutant))
            mutant[at : at + draw.randint(0, 4)] = draw.choice(
                [b"\xff\xff", b"\0", b"\x7f\xff", bytes([at % 256])]
            )
        if draw.random() < 0.1:
            del mutant[draw.randrange(len(mutant)) :]
        path.write_bytes(mutant)
        started = time.process_time()
        refusals += not is_read(read, path)
        assert time.process_time() - started < 5
    assert 20 < refusals < 400


def is_read(read, path):
    """Tell whether a picture is read; any error that is not ours ends the test."""
    try:
        for image in read(path).images:
            image.max()
    except DicomwrightError as error:
        text = str(error)
    else:
        return True
    assert "\n" not in text
    return False
