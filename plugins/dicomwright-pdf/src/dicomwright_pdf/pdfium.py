"""A document in PDFium: sizes, text and pictures of its pages. Only ever imported in a process of its own."""

from __future__ import annotations

import ctypes
import math
import re
from typing import Any, Final

import pypdfium2  # type: ignore[import-untyped]  # it ships no types
import pypdfium2.raw as pdfium  # type: ignore[import-untyped]

__all__ = ["Document", "OpenError"]

_POINTS_PER_INCH: Final = 72
_LONGEST_TEXT: Final = 2_000_000  # characters of a page
_MOST_OBJECTS: Final = 100_000  # of a page
_DEEPEST: Final = 4  # forms inside forms
_MOST_DECODED: Final = 256 * 1024**2  # bytes of a picture
_MOST_PIXELS: Final = 2**31 // 3  # of a picture in colour that PDFium takes
#: Bytes a pixel of the kinds of picture that are decoded as a whole.
_WHOLE: Final = {b"JPXDecode": 15.0, b"JBIG2Decode": 0.25}
_TILES: Final = re.compile(rb"/PatternType\s+1\b")  # a stream, so its entries are never compressed
_TILE_COLOUR: Final = (191, 191, 191)  # as which PDFium tells of areas that are filled with tiles
_SIMPLE: Final = 5  # parts of an outline, which are a box and no letter
_LETTERS: Final = 6  # outlines, which are a name of five letters: most have a hole or a dot
_MOST_PARTS: Final = 1000  # of a path that are looked at
_PASSIVE: Final = (pdfium.FPDF_ANNOT_LINK, pdfium.FPDF_ANNOT_POPUP)  # annotations that show no text
_KINDS: Final = {
    pdfium.FPDF_ERR_PASSWORD: "password",
    pdfium.FPDF_ERR_SECURITY: "security",
}


class OpenError(Exception):
    """A document cannot be opened.

    Attributes
    ----------
    kind : str
        ``password``, ``security`` or ``damaged``.

    """

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


class Document:
    """An open document.

    Parameters
    ----------
    data : bytes
        The file.
    password : str
        Empty for none.

    """

    def __init__(self, data: bytes, password: str) -> None:
        try:
            self._pdf = pypdfium2.PdfDocument(data, password=password or None)
        except pypdfium2.PdfiumError as error:
            raise OpenError(_KINDS.get(getattr(error, "err_code", None), "damaged")) from error
        self._tiled = _TILES.search(data) is not None
        if self._pdf.get_formtype():
            self._pdf.init_forms()  # so that fields show what they hold; PDFium is built without scripts

    def properties(self) -> dict[str, Any]:
        """Return number of pages, title, and whether the document is encrypted."""
        return {
            "pages": len(self._pdf),
            "title": self._title(),
            "encrypted": pdfium.FPDF_GetSecurityHandlerRevision(self._pdf) >= 0,
        }

    def _title(self) -> str:
        """Return the title of the metadata; half a character in it is none."""
        length = pdfium.FPDF_GetMetaText(self._pdf, b"Title", None, 0)
        text = ctypes.create_string_buffer(max(length, 2))
        pdfium.FPDF_GetMetaText(self._pdf, b"Title", text, length)
        return text.raw[:-2].decode("utf-16-le", "replace")

    def sizes(self, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        """Return width and height of pages in points, rotated and cropped as they are shown; 0 if unknown."""
        return {"sizes": [self._size(index) for index in request["pages"]]}, b""

    def _size(self, index: int) -> tuple[float, float]:
        size = pdfium.FS_SIZEF()
        if not pdfium.FPDF_GetPageSizeByIndexF(self._pdf, index, size):
            return 0.0, 0.0
        width, height = float(size.width), float(size.height)
        return (width, height) if math.isfinite(width) and math.isfinite(height) else (0.0, 0.0)

    def render(self, request: dict[str, Any]) -> tuple[dict[str, Any], Any]:
        """Return a page as pixels, rows from the top: one byte a sample, grey or RGB, on white."""
        rows, columns, grey = request["rows"], request["columns"], request["grey"]
        page = self._pdf[request["page"]]
        if _Objects(page).beyond_memory():  # PDFium would leave the picture out without a word
            return {"error": "picture"}, b""
        kind = pdfium.FPDFBitmap_Gray if grey else pdfium.FPDFBitmap_BGR
        bitmap = pypdfium2.PdfBitmap.new_native(columns, rows, format=kind, rev_byteorder=not grey)
        bitmap.fill_rect((255, 255, 255, 255), 0, 0, columns, rows)
        flags = pdfium.FPDF_ANNOT | (pdfium.FPDF_GRAYSCALE if grey else pdfium.FPDF_REVERSE_BYTE_ORDER)
        place = (0, 0, columns, rows, 0, flags)
        pdfium.FPDF_RenderPageBitmap(bitmap, page, *place)
        if self._pdf.formenv:
            pdfium.FPDF_FFLDraw(self._pdf.formenv, bitmap, page, *place)
        page.close()
        return {}, _packed(bitmap, columns * bitmap.n_channels)

    def text(self, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        """Return the text of a page, and why it may not be all that can be read on it; empty if it is."""
        page = self._pdf[request["page"]]
        text, unsearched = _page_text(page)
        objects = _Objects(page, tiled=self._tiled)
        objects.look()
        if objects.veiled:
            shown, unsearched = _page_text(page)
            text = f"{text}\n{shown}"
        unsearched = unsearched or self._unsearched(page, objects, blank=not text.strip())
        page.close()
        return {"text": text, "unsearched": unsearched}, b""

    def _unsearched(self, page: Any, objects: _Objects, *, blank: bool) -> str:
        """Return what on a page may show text that was not found."""
        if any(_annotation_kind(page, number) not in _PASSIVE for number in _annotations(page)):
            return "has annotations or form fields"
        kinds, large = objects.found()
        if large:
            return "has pictures"
        if objects.drawn_letters():
            return "has drawings that may be letters"
        if blank and kinds - {pdfium.FPDF_PAGEOBJ_TEXT}:
            return "has drawings and no text"
        return ""


def _page_text(page: Any) -> tuple[str, str]:
    """Return the text of a page, and why it is not all of it."""
    text_page = page.get_textpage()
    try:
        count = text_page.count_chars()
        if count > _LONGEST_TEXT:
            return "", "has too much text"
        unmapped = any(pdfium.FPDFText_HasUnicodeMapError(text_page, index) == 1 for index in range(count))
        text = text_page.get_text_range() if count else ""
        return text, "has characters that are known by their shape only" if unmapped else ""
    finally:
        text_page.close()


def _unveil(thing: Any) -> bool:
    """Take from text what says that it stands for other text; return whether there was such a mark."""
    marks = [
        pdfium.FPDFPageObj_GetMark(thing, number) for number in range(pdfium.FPDFPageObj_CountMarks(thing))
    ]
    veils = [mark for mark in marks if pdfium.FPDFPageObjMark_GetParamValueType(mark, b"ActualText")]
    for mark in veils:
        pdfium.FPDFPageObj_RemoveMark(thing, mark)
    return bool(veils)


def _packed(bitmap: Any, row: int) -> Any:
    """Return the bytes of a bitmap without what fills up its rows."""
    if bitmap.stride == row:
        return bitmap.buffer
    view = memoryview(bitmap.buffer).cast("B")
    starts = range(0, bitmap.height * bitmap.stride, bitmap.stride)
    return b"".join(view[start : start + row] for start in starts)


def _annotations(page: Any) -> range:
    return range(pdfium.FPDFPage_GetAnnotCount(page))


def _annotation_kind(page: Any, number: int) -> int:
    annotation = pdfium.FPDFPage_GetAnnot(page, number)
    if not annotation:
        return int(pdfium.FPDF_ANNOT_UNKNOWN)
    kind = int(pdfium.FPDFAnnot_GetSubtype(annotation))
    pdfium.FPDFPage_CloseAnnot(annotation)
    return kind


class _Objects:
    """The objects of a page, so far as they show something.

    Drawings and text are looked at only if it is said whether the document has tiles.
    """

    _LARGE = 0.05  # of the page: a logo is smaller, a scan or a screen shot is larger

    def __init__(self, page: Any, *, tiled: bool | None = None) -> None:
        self._page = page
        self._tiled = tiled
        self._area = page.get_width() * page.get_height()
        self._left = _MOST_OBJECTS
        self._kinds: set[int] = set()
        self._large = False
        self._covered = 0.0
        self._outlines: dict[int, int] = {}  # of a path of so many parts, as marks of a chart are alike
        self._needed = 0
        self.veiled = False

    def beyond_memory(self) -> bool:
        """Tell whether a picture needs more memory than there is to decode it."""
        self.look()
        return self._needed > _MOST_DECODED

    def look(self) -> None:
        """Look at all objects, and unveil text."""
        for index in range(min(pdfium.FPDFPage_CountObjects(self._page), self._left + 1)):
            self._visit(pdfium.FPDFPage_GetObject(self._page, index), 0, 1.0)

    def found(self) -> tuple[set[int], bool]:
        """Return the kinds of objects, and whether there is a picture in which text could be read."""
        return self._kinds, self._large or self._covered > self._LARGE

    def drawn_letters(self) -> bool:
        """Tell whether there are so many filled outlines of different shapes that they may be letters."""
        return sum(self._outlines.values()) >= _LETTERS

    def _visit(self, thing: Any, depth: int, scale: float) -> None:
        """Look at an object; `scale` is by how much the forms around it enlarge areas."""
        self._left -= 1
        if self._left < 0 or depth > _DEEPEST:
            self._large = True  # too much to look at
            return
        kind = int(pdfium.FPDFPageObj_GetType(thing))
        if kind == pdfium.FPDF_PAGEOBJ_FORM:
            scale *= _enlargement(thing)
            for index in range(min(pdfium.FPDFFormObj_CountObjects(thing), self._left + 1)):
                self._visit(pdfium.FPDFFormObj_GetObject(thing, index), depth + 1, scale)
            return
        self._kinds.add(kind)
        if kind == pdfium.FPDF_PAGEOBJ_IMAGE:
            self._covered += self._share(thing) * scale  # a scan may come in strips
            self._needed = max(self._needed, _decoded(thing))
        if kind == pdfium.FPDF_PAGEOBJ_TEXT and self._tiled is not None:
            self.veiled |= _unveil(thing)
        if kind == pdfium.FPDF_PAGEOBJ_PATH and self._tiled is not None:
            self._visit_path(thing, scale)

    def _visit_path(self, thing: Any, scale: float) -> None:
        """Look for pictures and letters in what is drawn."""
        if self._tiled and _fill_colour(thing) == _TILE_COLOUR:
            self._covered += self._share(thing) * scale
        parts = int(pdfium.FPDFPath_CountSegments(thing))
        if parts > _SIMPLE and parts not in self._outlines and not self.drawn_letters():
            self._outlines[parts] = _outlines(thing)

    def _share(self, thing: Any) -> float:
        """Return the part of the page that an object covers."""
        left, bottom, right, top = (ctypes.c_float() for _ in range(4))
        if not self._area or not pdfium.FPDFPageObj_GetBounds(thing, left, bottom, right, top):
            return 1.0
        return float(abs((right.value - left.value) * (top.value - bottom.value)) / self._area)


def _fill_colour(thing: Any) -> tuple[int, ...]:
    """Return red, green and blue of an object."""
    colour = [ctypes.c_uint() for _ in range(4)]
    pdfium.FPDFPageObj_GetFillColor(thing, *colour)
    return tuple(part.value for part in colour[:3])


def _outlines(path: Any) -> int:
    """Return how many outlines a path fills; none if no part is curved, as in boxes and bars."""
    mode, stroke = ctypes.c_int(), ctypes.c_int()
    if not pdfium.FPDFPath_GetDrawMode(path, mode, stroke) or not mode.value:
        return 0
    parts = [
        pdfium.FPDFPathSegment_GetType(pdfium.FPDFPath_GetPathSegment(path, index))
        for index in range(min(pdfium.FPDFPath_CountSegments(path), _MOST_PARTS))
    ]
    return parts.count(pdfium.FPDF_SEGMENT_MOVETO) if pdfium.FPDF_SEGMENT_BEZIERTO in parts else 0


def _decoded(picture: Any) -> int:
    """Return how many bytes a picture takes while it is decoded; nothing if that is done row by row."""
    columns, rows = ctypes.c_uint(), ctypes.c_uint()
    if not pdfium.FPDFImageObj_GetImagePixelSize(picture, columns, rows):
        return 0
    pixels = columns.value * rows.value
    count = pdfium.FPDFImageObj_GetImageFilterCount(picture)
    name = ctypes.create_string_buffer(32)
    length = pdfium.FPDFImageObj_GetImageFilter(picture, count - 1, name, len(name)) if count else 0
    each = _WHOLE.get(name.value if length <= len(name) else b"", 0.0)
    return int(pixels * each) if pixels <= _MOST_PIXELS else _MOST_DECODED + 1


def _enlargement(form: Any) -> float:
    """Return by how much a form enlarges the areas in it."""
    matrix = pdfium.FS_MATRIX()
    if not pdfium.FPDFPageObj_GetMatrix(form, matrix):
        return 1.0
    return abs(float(matrix.a * matrix.d - matrix.b * matrix.c))
