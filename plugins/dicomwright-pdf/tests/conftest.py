"""Documents made object by object, so that each test breaks exactly one thing."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

import pytest

from dicomwright_pdf.reader import PdfReader
from dicomwright_pdf.testing import file_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def stream(data: bytes, entries: bytes = b"", *, packed: int = 0) -> bytes:
    """Return a stream object, compressed so many times."""
    for _ in range(packed):
        data = zlib.compress(data, 9)
    filters = b"/Filter [%b]" % (b"/FlateDecode " * packed) if packed else b""
    return b"<< /Length %d %b %b >>\nstream\n%b\nendstream" % (len(data), filters, entries, data)


def one_page(
    content: bytes,
    *,
    packed: int = 0,
    box: bytes = b"/MediaBox [0 0 60 40]",
    resources: bytes = b"",
    objects: Sequence[bytes] = (),
) -> bytes:
    """Return a document of one page; further objects have the numbers from 7."""
    page = b"<< /Type /Page /Parent 2 0 R %b /Resources << %b >> /Contents 6 0 R >>" % (box, resources)
    catalogue = b"<< /Type /Catalog /Pages 2 0 R >>"
    tree = b"<< /Type /Pages /Kids [5 0 R] /Count 1 >>"
    first = [catalogue, tree, b"<< >>", b"<< >>", page, stream(content, packed=packed)]
    return file_of([*first, *objects])


@pytest.fixture
def page() -> Any:
    """Return the builder of documents of one page."""
    return one_page


@pytest.fixture(scope="session")
def bomb() -> bytes:
    """Return a document of few bytes with a page of 256 MiB."""
    return one_page(b" " * 2**28, packed=3)


@pytest.fixture
def pdf_stream() -> Any:
    """Return the builder of streams."""
    return stream


@pytest.fixture
def frames() -> Any:
    """Return a function that gives the rendered pages of a document, and ends their processes."""
    opened = []

    def read(data: bytes, **options: str) -> Any:
        found = PdfReader.from_bytes(data, {"payload": "Frames", **options})
        opened.append(found.images)
        return found

    yield read
    for images in opened:
        images.close()


@pytest.fixture
def refused(frames: Any) -> Any:
    """Return a function that reads a document and all its pages, and returns the line that refuses it."""
    from dicomwright.errors import SourceError

    def whole(data: bytes | Path, options: dict[str, str]) -> None:
        if isinstance(data, bytes):
            list(frames(data, **options).images)
        else:
            PdfReader().read(data, options)

    def read(data: bytes | Path, **options: str) -> str:
        with pytest.raises(SourceError) as caught:
            whole(data, options)
        (problem,) = caught.value.problems
        assert "\n" not in str(problem)
        assert problem.kind
        return str(problem)

    return read
