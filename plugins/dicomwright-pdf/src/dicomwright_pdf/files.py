"""The bytes of a PDF file, and whether they are whole."""

from __future__ import annotations

import io
import os
import re
from typing import TYPE_CHECKING, Final

from dicomwright.reading import byte_count, refusal, regular_file, unreadable

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["check_whole", "is_pdf", "read_bytes", "without_table"]

_HEADER: Final = b"%PDF-"
_HEADER_WITHIN: Final = 1024  # bytes of the start, as viewers take it
_END: Final = b"%%EOF"
_TABLE: Final = b"startxref"
_OBJECT: Final = re.compile(rb"\b[0-9]{1,10}[ \t\r\n]+[0-9]{1,5}[ \t\r\n]+obj\b")
_TRAILING: Final = 1024


def is_pdf(data: bytes) -> bool:
    """Tell whether bytes begin like a PDF document.

    Examples
    --------
    >>> is_pdf(b"%PDF-1.7 ..."), is_pdf(b"PK")
    (True, False)

    """
    return _HEADER in data[: _HEADER_WITHIN + len(_HEADER)]


def read_bytes(path: Path, max_bytes: int) -> bytes:
    """Return the bytes of a regular file that is not larger than allowed."""
    with io.BufferedReader(regular_file(path, "name a PDF file")) as file:
        check_size(path, os.fstat(file.fileno()).st_size, max_bytes)
        try:
            data = file.read(max_bytes + 1)
        except OSError as error:
            raise unreadable(path, error) from error
    check_size(path, len(data), max_bytes)
    return data


def check_size(where: object, size: int, max_bytes: int) -> None:
    """Refuse a document that is larger than allowed."""
    if size > max_bytes:
        raise refusal(
            where,
            f"the document has {byte_count(size)}, more than max_bytes ({byte_count(max_bytes)})",
            "if this is right, raise the limit: --reader-opt max_bytes=1GiB",
            "too-large",
        )


def without_table(data: bytes) -> bytes:
    """Return a document that does not say where its table of objects is, so that they are looked for."""
    before, mark, behind = data.rpartition(_TABLE)
    return before + b"x" * len(mark) + behind


def check_whole(where: object, data: bytes) -> tuple[str, ...]:
    """Refuse bytes that are no PDF document, or only the beginning of one; return warnings.

    A document ends with ``%%EOF``, and so does each later change of it. Where objects follow the last of
    these marks, the end was cut off; viewers then show an older state, or repair what is left.
    """
    if not data:
        raise refusal(where, "the file is empty", "copy it again", "empty")
    if not is_pdf(data):
        raise refusal(
            where, "this is no PDF document: %PDF- is not at its beginning", "name a PDF file", "not-pdf"
        )
    end = data.rfind(_END)
    if end < 0 or (data.find(b"obj", end) > 0 and _OBJECT.search(data, end)):
        raise refusal(
            where,
            f"the document is cut off after {byte_count(len(data))}: its end (%%EOF) is missing",
            "copy it again from where it came from",
            "truncated",
        )
    behind = len(data) - end - len(_END)
    if behind > _TRAILING:
        return (f"{byte_count(behind)} follow the end of the document; they are embedded with it",)
    return ()
