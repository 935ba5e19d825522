"""Read a multipart body (RFC 2046) as it comes, holding no more than one header and one delimiter."""

from __future__ import annotations

import re
from email.message import Message
from enum import Enum, auto
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Begin", "Data", "End", "MultipartReader", "media_type"]

_BOUNDARY = re.compile(r"[A-Za-z0-9'()+_,./:=? -]{0,69}[A-Za-z0-9'()+_,./:=?-]")
_LONGEST_HEADERS = 16 * 1024
_LONGEST_PADDING = 128


class Begin(NamedTuple):
    """A part begins."""

    content_type: str


class Data(NamedTuple):
    """The next bytes of the part."""

    data: bytes


class End(NamedTuple):
    """The part is complete."""


class _Where(Enum):
    DELIMITER = auto()
    HEADERS = auto()
    BODY = auto()
    EPILOGUE = auto()


def media_type(header: str) -> tuple[str, dict[str, str]]:
    """Return the media type of a Content-Type header, in lower case, and its parameters.

    Examples
    --------
    >>> media_type('Multipart/Related; type="application/dicom"; boundary=b')
    ('multipart/related', {'type': 'application/dicom', 'boundary': 'b'})

    """
    message = Message()
    message["content-type"] = header
    (kind, _), *parameters = message.get_params(failobj=[("", "")])
    return kind.lower(), {name.lower(): str(value) for name, value in parameters}


class MultipartReader:
    r"""Splits a body into its parts.

    Examples
    --------
    >>> reader = MultipartReader("b")
    >>> body = b"--b\r\nContent-Type: application/dicom\r\n\r\n123\r\n--b--\r\n"
    >>> list(reader.feed(body))
    [Begin(content_type='application/dicom'), Data(data=b'123'), End()]
    >>> reader.complete
    True

    Parameters
    ----------
    boundary : str
        As the Content-Type of the body says.

    Raises
    ------
    ValueError
        The boundary is none; in `feed`: the body is damaged.

    """

    def __init__(self, boundary: str) -> None:
        if _BOUNDARY.fullmatch(boundary) is None:
            raise ValueError("the boundary is missing, or wrong")
        self._delimiter = b"\r\n--" + boundary.encode("ascii")
        self._held = b"\r\n"  # the first delimiter needs no line break of its own
        self._at = 0  # what is held before this is done with
        self._where = _Where.BODY
        self._in_part = False  # before the first delimiter there is a preamble, which is nothing

    @property
    def complete(self) -> bool:
        """Whether the last delimiter has come."""
        return self._where is _Where.EPILOGUE

    @property
    def begun(self) -> bool:
        """Whether the first delimiter has come."""
        return self._in_part or self._where is not _Where.BODY

    def feed(self, data: bytes) -> Iterator[Begin | Data | End]:
        """Yield what the next bytes of the body complete."""
        self._held, self._at = self._held[self._at :] + data, 0
        while True:
            match self._where:
                case _Where.BODY:
                    yield from self._body()
                    if self._where is _Where.BODY:
                        return
                case _Where.DELIMITER:
                    if not self._after_delimiter():
                        return
                case _Where.HEADERS:
                    headers = self._headers()
                    if headers is None:
                        return
                    yield headers
                case _Where.EPILOGUE:
                    self._at = len(self._held)
                    return

    def _body(self) -> Iterator[Data | End]:
        """Take everything before the next delimiter."""
        start, found = self._at, self._held.find(self._delimiter, self._at)
        end = found if found >= 0 else max(start, len(self._held) - len(self._delimiter) + 1)
        self._at = end
        if end > start and self._in_part:
            yield Data(self._held[start:end])
        if found < 0:
            return
        self._at = end + len(self._delimiter)
        self._where = _Where.DELIMITER
        if self._in_part:
            yield End()

    def _after_delimiter(self) -> bool:
        """Take the end of the delimiter's line; return whether it has come."""
        if self._held.startswith(b"--", self._at):
            self._where = _Where.EPILOGUE
            return True
        end = self._held.find(b"\r\n", self._at)
        if end < 0:
            if len(self._held) - self._at > _LONGEST_PADDING:
                raise ValueError("a delimiter of the body has no end")
            return False
        if self._held[self._at : end].strip(b" \t"):
            raise ValueError("a delimiter of the body is damaged")
        self._at = end  # with the line break, so that an empty header ends like any other
        self._where = _Where.HEADERS
        return True

    def _headers(self) -> Begin | None:
        """Take the headers of a part; None if they have not all come."""
        start, end = self._at, self._held.find(b"\r\n\r\n", self._at)
        if (len(self._held) if end < 0 else end) - start > _LONGEST_HEADERS:
            raise ValueError("the headers of a part are too long")
        if end < 0:
            return None
        self._at = end + 4
        self._where, self._in_part = _Where.BODY, True
        for line in self._held[start:end].split(b"\r\n"):
            name, _, value = line.partition(b":")
            if name.strip().lower() == b"content-type":
                return Begin(value.decode("latin-1").strip())
        return Begin("")
