"""PDF documents: as they are, or their pages as images."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dicomwright.payload.volume import Document, Frames
from dicomwright.reading import refusal
from dicomwright_pdf.document import inspect
from dicomwright_pdf.files import is_pdf, read_bytes
from dicomwright_pdf.options import RENDERING, ReadOptions
from dicomwright_pdf.pages import RenderedPages

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dicomwright_pdf.document import PdfFile

__all__ = ["PdfReader"]

_MEDIA_TYPE = "application/pdf"


class PdfReader:
    """Read a PDF document.

    Examples
    --------
    >>> from dicomwright_pdf.testing import pdf_of
    >>> document = PdfReader().from_bytes(pdf_of("Findings: none", title="Report"))
    >>> document.pages, document.title, document.media_type
    (1, 'Report', 'application/pdf')
    >>> frames = PdfReader().from_bytes(pdf_of("Findings: none"), {"payload": "Frames", "dpi": "72"})
    >>> frames.images[0].shape  # rows, columns, samples
    (842, 595, 3)

    """

    def can_read(self, path: Path, head: bytes) -> bool:  # noqa: ARG002  # content decides
        """Tell whether a file's first bytes are those of a PDF document."""
        return is_pdf(head)

    def read(self, path: Path, options: Mapping[str, str]) -> Document | Frames:
        """Return the document of a file, or its pages.

        Parameters
        ----------
        path : Path
            The file.
        options : Mapping of str to str
            See `ReadOptions`.

        Raises
        ------
        SourceError
            The file is no PDF document, cut off, damaged beyond repair, encrypted, or beyond a limit.

        """
        chosen = ReadOptions.parse(options)
        path = Path(path)
        return _payload(read_bytes(path, chosen.max_bytes), str(path), options, chosen)

    @staticmethod
    def from_bytes(data: bytes, options: Mapping[str, str] | None = None) -> Document | Frames:
        """Return the document in memory, or its pages, as `read` does."""
        return _payload(data, "PDF", options or {}, ReadOptions.parse(options or {}))


def _of_fonts(document: PdfFile) -> Iterator[str]:
    """Yield what the user should know of letters that may be missing in the images."""
    if document.foreign:
        pages = ", ".join(str(page + 1) for page in document.foreign[:10])
        yield (
            f"page {pages} has text in a font that is not in the document: it is shown with the fonts of this "
            "machine, and left out if they lack its letters"
        )


def _payload(data: bytes, source: str, given: Mapping[str, str], options: ReadOptions) -> Document | Frames:
    """Return what the encoder takes."""
    document = inspect(data, source, options)
    if options.payload == "Frames":
        images = RenderedPages(document, options)
        return Frames(
            images,
            source=source,
            warnings=(*document.warnings, *_of_fonts(document)),
            shapes=images.shapes,
            content=images.digest,
        )
    missing = [str(page + 1) for page, size in zip(document.chosen, document.sizes, strict=True) if 0 in size]
    if len(missing) == len(document.sizes):
        raise refusal(source, "none of the pages can be shown", "export the document again", "damaged")
    idle = [name for name in RENDERING if given.get(name)]
    ignored = f"{', '.join(idle)}: only for pages as images; the document is embedded whole"
    return Document(
        data,
        _MEDIA_TYPE,
        pages=document.pages,
        title=document.title,
        source=source,
        warnings=(
            *document.warnings,
            *([f"page {', '.join(missing[:10])} cannot be shown"] if missing else []),
            *([ignored] if idle else []),
        ),
    )
