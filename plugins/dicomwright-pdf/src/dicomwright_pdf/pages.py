"""Pages as images, rendered when they are asked for."""

from __future__ import annotations

import hashlib
import math
import os
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Final

import numpy as np

from dicomwright.payload import LazyImages
from dicomwright.reading import refusal
from dicomwright_pdf.child import Child, ChildError
from dicomwright_pdf.document import OPENING, memory_for

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dicomwright_pdf.document import PdfFile
    from dicomwright_pdf.options import ReadOptions

__all__ = ["RenderedPages"]

Shapes = tuple[tuple[int, ...], ...]

_POINTS_PER_INCH: Final = 72
_SLIVER: Final = 0.01  # of a pixel, which is no reason for another row
_MOST_SIDE: Final = 65535  # Rows and Columns are US
_LARGE: Final = 12_000_000  # pixels of a page, from which on one process must do
_FEW: Final = 4  # pages, up to which a second process costs more than it gains
_PAGES_A_CHILD: Final = 100
_WAY_OUT: Final = {"time": "raise the limit (--reader-opt max_seconds=10), "}
_KEPT: Final = 16 * 1024**2  # bytes of pages that are kept in case they are asked for again


class RenderedPages(LazyImages):
    """The pages of a document as images of uint8: (rows, columns, 3), or (rows, columns) in grey.

    A page is rendered when it is asked for, and the one after it is begun, in up to two processes. Few pages
    are in memory at a time, however many there are.

    Parameters
    ----------
    document : PdfFile
        The document.
    options : ReadOptions
        Resolution, colour and limits.

    Attributes
    ----------
    shapes, dtypes : tuple
        Of each page, known before it is rendered.

    Raises
    ------
    SourceError
        A page has no size, or more pixels than allowed.

    """

    def __init__(self, document: PdfFile, options: ReadOptions) -> None:
        self._document = document
        self._options = options
        shapes = tuple(_shapes(document, options))
        super().__init__(shapes, ("u1",) * len(shapes))
        largest = max(rows * columns for rows, columns, *_ in self.shapes)
        several = largest <= _LARGE and len(self.shapes) > _FEW and (os.cpu_count() or 1) > 1
        memory = memory_for(document.data) + 8 * largest
        step = 2 if several else 1
        self._lines = [_Line(document, options, self.shapes, step, memory) for _ in range(step)]
        self._kept: OrderedDict[int, NDArray[np.uint8]] = OrderedDict()
        self._lock = threading.Lock()

    def image(self, position: int) -> NDArray[np.uint8]:
        """Return a page.

        Raises
        ------
        SourceError
            The page cannot be rendered.

        """
        with self._lock:
            kept = self._kept.get(position)
        if kept is not None:
            return kept
        image = self._lines[position % len(self._lines)].page(position)
        image.setflags(write=False)
        with self._lock:
            self._kept[position] = image
            while len(self._kept) > 1 and sum(page.nbytes for page in self._kept.values()) > _KEPT:
                self._kept.popitem(last=False)
        return image

    def digest(self) -> bytes:
        """Return a digest of all that the images follow from."""
        known = (self._options.dpi, self._options.colour, self._document.chosen)
        return hashlib.sha256(self._document.data + repr(known).encode()).digest()

    def close(self) -> None:
        """End the processes; a page that is asked for later starts a new one."""
        for line in self._lines:
            line.close()


def _shapes(document: PdfFile, options: ReadOptions) -> list[tuple[int, ...]]:
    """Return the shape of each page at its resolution, refusing what no page has."""
    samples = (3,) if options.colour == "rgb" else ()
    shapes = []
    for page, (width, height) in zip(document.chosen, document.sizes, strict=True):
        if width <= 0 or height <= 0:
            raise refusal(
                document.source,
                f"page {page + 1} has no size that can be shown",
                "export the document again",
                "size",
            )
        columns, rows = (
            math.ceil(side * options.dpi / _POINTS_PER_INCH - _SLIVER) for side in (width, height)
        )
        if rows * columns > options.max_pixels or max(rows, columns) > _MOST_SIDE:
            what = f"{rows}x{columns} pixels (rows x columns) at {options.dpi:g} dpi"
            limit = f"max_pixels ({options.max_pixels})"
            if rows * columns <= options.max_pixels:
                limit = f"DICOM allows ({_MOST_SIDE} a side)"
            raise refusal(
                document.source,
                f"page {page + 1} would have {what}, more than {limit}",
                "choose a lower dpi (--reader-opt dpi=...), or leave the page out (--reader-opt pages=...)",
                "too-large",
            )
        shapes.append((max(rows, 1), max(columns, 1), *samples))
    return shapes


class _Line:
    """One process that renders every `step`-th page, one ahead of what is asked for."""

    def __init__(
        self, document: PdfFile, options: ReadOptions, shapes: Shapes, step: int, memory: int
    ) -> None:
        self._document = document
        self._options = options
        self._shapes = shapes
        self._step = step
        self._memory = memory
        self._lock = threading.Lock()
        self._child: Child | None = None
        self._made = 0
        self._begun: int | None = None

    def page(self, position: int) -> NDArray[np.uint8]:
        """Return a page."""
        image = np.empty(self._shapes[position], np.uint8)
        with self._lock:
            if self._begun is not None and self._begun != position:
                self._answer(self._begun, np.empty(self._shapes[self._begun], np.uint8))  # begun in vain
            if self._begun is None:
                self._begin(position)
            self._answer(position, image)
            following = position + self._step
            if following < len(self._shapes):
                self._begin(following)
            else:
                self.close()
        return image

    def close(self) -> None:
        """End the process."""
        if self._child is not None:
            self._child.close()
        self._child, self._begun, self._made = None, None, 0

    def _begin(self, position: int) -> None:
        """Ask for a page; a process that has made many is replaced first."""
        if self._made >= _PAGES_A_CHILD:
            self.close()
        if self._child is None:
            self._child = Child(
                self._document.data, password=self._options.password, memory=self._memory, seconds=OPENING
            )
            self._made = -1  # its first answer will be that it has opened the document
        rows, columns, *_ = self._shapes[position]
        request = {
            "task": "render",
            "page": self._document.chosen[position],
            "rows": rows,
            "columns": columns,
            "grey": self._options.colour == "grey",
        }
        self._child.request(request, self._options.max_seconds)
        self._begun = position

    def _answer(self, begun: int, into: NDArray[np.uint8]) -> None:
        """Wait for the page that was begun."""
        assert self._child is not None
        self._begun = None
        try:
            if self._made < 0:
                self._child.answer()
                self._made = 0
            self._child.answer(into.data)
        except ChildError as error:
            self.close()
            raise refusal(
                self._document.source,
                f"page {self._document.chosen[begun] + 1} could not be rendered: {error}",
                _WAY_OUT.get(error.kind, "")
                + "embed the document instead (--blueprint encapsulated-pdf), or choose "
                "other pages (--reader-opt pages=...)",
                "page",
            ) from error
        self._made += 1
