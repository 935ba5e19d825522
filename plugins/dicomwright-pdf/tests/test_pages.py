"""Pages as images: shape, order, rotation, colour, and what a hostile page can do."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from dicomwright.errors import SourceError
from dicomwright_pdf.reader import PdfReader
from dicomwright_pdf.testing import pdf_of

#: Red, green, blue and black in the four corners of a page of 60x40 points, on white.
CORNERS = b"1 0 0 rg 0 30 10 10 re f 0 1 0 rg 50 30 10 10 re f 0 0 1 rg 50 0 10 10 re f 0 g 0 0 10 10 re f"
RED, GREEN, BLUE, BLACK, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (0, 0, 0), (255, 255, 255)


def corners(image: np.ndarray) -> list[tuple[int, ...]]:
    """Return the colours of the corners, clockwise from the upper left."""
    return [tuple(image[y, x].tolist()) for y, x in ((3, 3), (3, -4), (-4, -4), (-4, 3))]


@pytest.mark.parametrize(
    ("rotate", "shape", "expected"),
    [
        (0, (40, 60, 3), [RED, GREEN, BLUE, BLACK]),
        (90, (60, 40, 3), [BLACK, RED, GREEN, BLUE]),
        (180, (40, 60, 3), [BLUE, BLACK, RED, GREEN]),
        (270, (60, 40, 3), [GREEN, BLUE, BLACK, RED]),
    ],
)
def test_rotation(page, frames, rotate, shape, expected):
    found = frames(page(CORNERS, box=b"/MediaBox [0 0 60 40] /Rotate %d" % rotate), dpi="72")
    assert found.shapes == (shape,)
    assert found.images[0].shape == shape
    assert found.images[0].dtype == np.uint8
    assert corners(found.images[0]) == expected


def test_crop_box_with_an_offset(page, frames):
    box = b"/MediaBox [-100 -100 200 200] /CropBox [30 0 60 40]"
    found = frames(page(CORNERS, box=box), dpi="72")
    assert corners(found.images[0]) == [WHITE, GREEN, BLUE, WHITE]
    assert found.shapes == ((40, 30, 3),)


def test_grey(page, frames):
    image = frames(page(CORNERS), dpi="72", colour="grey").images[0]
    assert image.shape == (40, 60)
    red, green, blue, black = (int(image[y, x]) for y, x in ((3, 3), (3, -4), (-4, -4), (-4, 3)))
    assert black == 0 < blue < red < green < 255 == int(image[20, 30])


@pytest.mark.parametrize(
    ("dpi", "shape"), [("72", (842, 595, 3)), ("150", (1755, 1240, 3)), ("36.5", (427, 302, 3))]
)
def test_resolution(frames, dpi, shape):
    found = frames(pdf_of("x"), dpi=dpi)
    assert found.images[0].shape == found.shapes[0] == shape


def test_a_sliver_of_a_pixel_is_no_row(frames):
    assert frames(pdf_of("x", size=(419.52, 595.2)), dpi="150").shapes == ((1240, 874, 3),)


def levels(count: int) -> bytes:
    """Return a document whose pages are grey: the n-th n levels."""
    pages = pdf_of(*[""] * count, size=(30, 20))
    for number in range(count):
        old = b"BT /F 12 Tf 14 TL 40 -40 Td () Tj ET"
        new = b"%.6f g 0 0 30 20 re f" % ((number + 1) / 255)
        pages = pages.replace(old, new.ljust(len(old)), 1)
    return pages


def test_order_and_random_access(frames):
    images = frames(levels(12), dpi="72", colour="grey").images
    assert [int(image[5, 5]) for image in images] == list(range(1, 13))
    assert [int(images[index][5, 5]) for index in (7, 3, 11, 3, 0, -1)] == [8, 4, 12, 4, 1, 12]
    assert [int(image[5, 5]) for image in images[2:5]] == [3, 4, 5]
    with pytest.raises(IndexError):
        images[12]


def test_chosen_pages_stand_in_page_order(frames):
    found = frames(levels(9), dpi="72", colour="grey", pages="7,2-3,3")
    assert [int(image[5, 5]) for image in found.images] == [2, 3, 7]


def test_several_threads(frames):
    images = frames(levels(20), dpi="72", colour="grey").images
    seen: dict[int, int] = {}

    def look(start: int) -> None:
        for index in range(start, 20, 3):
            seen[index] = int(images[index][5, 5])

    threads = [threading.Thread(target=look, args=(start,)) for start in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == {index: index + 1 for index in range(20)}


def test_shapes_and_digest_make_no_image(frames):
    found = frames(levels(3), dpi="72")
    assert found.content() == frames(levels(3), dpi="72").content()
    assert found.content() != frames(levels(3), dpi="73").content()
    assert found.content() != frames(levels(2), dpi="72").content()
    assert found.images.dtypes == ("u1",) * 3
    assert all(line._child is None for line in found.images._lines)


def test_images_are_not_to_be_changed(frames):
    with pytest.raises(ValueError, match="read-only"):
        frames(levels(1)).images[0][0, 0] = 0


def test_processes_are_replaced_and_end_with_the_last_page(frames, monkeypatch):
    monkeypatch.setattr("dicomwright_pdf.pages._PAGES_A_CHILD", 3)
    images = frames(levels(11), dpi="72", colour="grey").images
    assert [int(image[5, 5]) for image in images] == list(range(1, 12))
    assert all(line._child is None for line in images._lines)


def test_a_form_shows_what_its_fields_hold(page, frames, pdf_stream):
    appearance = pdf_stream(b"1 0 0 rg 0 0 20 20 re f", b"/Type /XObject /Subtype /Form /BBox [0 0 20 20]")
    field = b"<< /Type /Annot /Subtype /Widget /FT /Tx /T (a) /Rect [20 10 40 30] /F 4 /AP << /N 8 0 R >> >>"
    data = page(b"", box=b"/MediaBox [0 0 60 40] /Annots [7 0 R]", objects=[field, appearance])
    data = data.replace(b"/Pages 2 0 R >>", b"/Pages 2 0 R /AcroForm << /Fields [7 0 R] >> >>", 1)
    assert tuple(frames(data, dpi="72").images[0][20, 30]) == RED


# -- hostile pages ----------------------------------------------------------------------------------------------------


def test_size_limits(page, refused):
    large = page(b"", box=b"/MediaBox [0 0 14400 14400]")
    assert (
        "page 1 would have 30000x30000 pixels (rows x columns) at 150 dpi, more than max_pixels"
        in refused(large)
    )
    long = page(b"", box=b"/MediaBox [0 0 1 14400]")
    assert "more than DICOM allows (65535 a side)" in refused(long, dpi="2400")
    for box in (b"[10 10 10 30]", b"[0 0 9999999999 30]", b"[9999999000 0 9999999030 40]"):
        assert "page 1 has no size that can be shown" in refused(page(b"", box=b"/MediaBox " + box))


def test_letters_that_may_be_missing_are_told(page, frames):
    """Fonts of Chinese, Japanese and Korean are often not in a document."""
    descendant = b"<< /Type /Font /Subtype /CIDFontType0 /BaseFont /HeiseiMin-W3 /CIDSystemInfo %b >>"
    system = b"<< /Registry (Adobe) /Ordering (Japan1) /Supplement 2 >>"
    font = b"<< /Type /Font /Subtype /Type0 /BaseFont /A /Encoding /UniJIS-UCS2-H /DescendantFonts [7 0 R] >>"
    resources = b"/Font << /F %b >>" % font
    data = page(b"BT /F 9 Tf (80B8) Tj ET", resources=resources, objects=[descendant % system])
    (told,) = frames(data).warnings
    assert told.startswith("page 1 has text in a font that is not in the document")
    assert PdfReader.from_bytes(data).warnings == ()
    assert frames(pdf_of("Helvetica")).warnings == ()


@pytest.mark.parametrize("entry", [b"%010d 00000 n", b"0000000000 00001 f"], ids=["misplaced", "free"])
@pytest.mark.parametrize("number", [5, 6, 7], ids=["page", "content", "form"])
def test_what_is_not_where_the_table_says_is_looked_for(page, frames, pdf_stream, number, entry):
    """PDFium alone shows an empty page."""
    form = b"/Type /XObject /Subtype /Form /BBox [0 0 60 40]"
    data = page(b"/X Do", resources=b"/XObject << /X 7 0 R >>", objects=[pdf_stream(CORNERS, form)])
    place = data.index(b"%d 0 obj" % number)
    wrong = entry % (place + 7) if b"%" in entry else entry
    found = frames(data.replace(b"%010d 00000 n" % place, wrong), dpi="72")
    assert corners(found.images[0]) == [RED, GREEN, BLUE, BLACK]
    assert "the document is damaged and was repaired" in found.warnings[0]


def forms(count: int, calls: int, pdf_stream) -> list[bytes]:
    """Return forms each of which shows the next so many times."""
    entries = b"/Type /XObject /Subtype /Form /BBox [0 0 60 40] /Resources << /XObject << /X %d 0 R >> >>"
    return [pdf_stream(b"/X Do " * calls, entries % (8 + index)) for index in range(count)]


SHADING = (
    b"<< /ShadingType 2 /ColorSpace /DeviceRGB /Coords [0 0 60 40] /Extend [true true] "
    b"/Function << /FunctionType 2 /Domain [0 1] /C0 [0 0 0] /C1 [1 1 1] /N 1 >> >>"
)


def test_nested_forms_are_stopped(page, refused, pdf_stream):
    bomb = page(b"/X Do", resources=b"/XObject << /X 7 0 R >>", objects=forms(30, 10, pdf_stream))
    assert "page 1 could not be rendered: it " in refused(bomb)


def test_stacked_compression_is_stopped(bomb, refused):
    assert "page 1 could not be rendered: it needs too much memory" in refused(bomb)


def test_a_slow_page_is_stopped(page, refused):
    slow = page(
        b"/S sh " * 500_000,
        packed=1,
        box=b"/MediaBox [0 0 600 600]",
        resources=b"/Shading << /S 7 0 R >>",
        objects=[SHADING],
    )
    start = time.perf_counter()
    text = refused(slow, max_seconds="0.5")
    assert "page 1 could not be rendered: it takes more than 0.5 s of processor time" in text
    assert "--reader-opt max_seconds=" in text
    assert time.perf_counter() - start < 20  # half a second of processor time, on a machine that is busy


@pytest.mark.parametrize(("side", "filters"), [(30000, b""), (8000, b"/Filter /JPXDecode")])
def test_a_huge_picture_is_not_left_out_without_a_word(page, refused, pdf_stream, side, filters):
    kind = b"/Type /XObject /Subtype /Image /Width %d /Height %d /BitsPerComponent 8 /ColorSpace /DeviceRGB"
    picture = pdf_stream(b"", kind % (side, side) + filters)
    data = page(b"60 0 0 40 0 0 cm /I Do", resources=b"/XObject << /I 7 0 R >>", objects=[picture])
    assert "page 1 could not be rendered: it has a picture that takes too much memory" in refused(data)


def test_a_crash_costs_one_page(frames):
    images = frames(levels(6), dpi="72", colour="grey").images
    assert int(images[0][5, 5]) == 1
    line = images._lines[2 % len(images._lines)]
    line._child._process.kill()
    line._child._process.wait()
    with pytest.raises(SourceError, match=r"page 3 could not be rendered") as caught:
        images[2]
    assert "--reader-opt pages=" in str(caught.value)
    assert int(images[2][5, 5]) == 3  # a new process makes it
