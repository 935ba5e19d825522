"""Small PDF documents, for examples and tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["file_of", "pdf_of"]

_A4 = (595, 842)


def pdf_of(
    *pages: str | Sequence[str],
    title: str = "",
    size: tuple[float, float] = _A4,
    rotate: int = 0,
    extra: str = "",
    content: bytes | None = None,
) -> bytes:
    r"""Return a PDF document with a page for each text, in Helvetica.

    Examples
    --------
    >>> pdf_of("Findings: none", "Page two", title="Report")[:8]
    b'%PDF-1.4'

    Parameters
    ----------
    *pages : str or sequence of str
        The text of each page: one line, or several. It must be Latin-1.
    title : str
        For the metadata.
    size : tuple of float
        Width and height of the pages in points.
    rotate : int
        Clockwise, in degrees.
    extra : str
        More entries of each page's dictionary, such as ``/CropBox [0 0 100 100]``.
    content : bytes
        Content of all pages instead of text.

    """
    count = len(pages)
    kids = " ".join(f"{5 + 2 * index} 0 R" for index in range(count))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {count} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        f"<< /Title ({_escaped(title)}) >>".encode("latin-1"),
    ]
    for index, text in enumerate(pages):
        stream = _lines(text, size[1]) if content is None else content
        box = f"/MediaBox [0 0 {size[0]} {size[1]}] /Rotate {rotate} {extra}"
        resources = "/Resources << /Font << /F 3 0 R >> >>"
        page = f"<< /Type /Page /Parent 2 0 R {box} {resources} /Contents {6 + 2 * index} 0 R >>"
        objects += [page.encode(), b"<< /Length %d >>\nstream\n%b\nendstream" % (len(stream), stream)]
    return file_of(objects)


def _lines(text: str | Sequence[str], height: float) -> bytes:
    """Return content that shows lines from the top of a page."""
    lines = [text] if isinstance(text, str) else text
    shown = " T* ".join(f"({_escaped(line)}) Tj" for line in lines)
    return f"BT /F 12 Tf 14 TL 40 {height - 60} Td {shown} ET".encode("latin-1")


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")


def file_of(objects: Sequence[bytes]) -> bytes:
    """Return objects, numbered from 1, as a file: the first is the catalogue, the fourth the metadata."""
    data = b"%PDF-1.4\n"
    offsets = []
    for number, body in enumerate(objects, 1):
        offsets.append(len(data))
        data += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    table = "".join(f"{offset:010d} 00000 n \n" for offset in offsets)
    start = len(data)
    data += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}".encode()
    trailer = f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R /Info 4 0 R >>\nstartxref\n{start}\n%%EOF\n"
    return data + trailer.encode()
