"""The body of a STOW-RS request (PS3.18 section 10.5): files as they are, read from disk while they are sent."""

from __future__ import annotations

import uuid
from contextlib import suppress
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["Body"]


class Body:
    """A multipart body; it has a length, and gives its bytes piece by piece.

    Examples
    --------
    >>> from pathlib import Path
    >>> body = Body([])
    >>> len(body) == len(body.read(-1))
    True

    Parameters
    ----------
    files : sequence of Path
        DICOM files, the length of each of which must not change.

    Attributes
    ----------
    content_type : str
        For the header of the request.
    started : bool
        Whether anything was read.

    """

    def __init__(self, files: Sequence[Path]) -> None:
        boundary = f"dicomwright-{uuid.uuid4().hex}"
        self.content_type = f'multipart/related; type="application/dicom"; boundary={boundary}'
        head = f"--{boundary}\r\nContent-Type: application/dicom\r\n\r\n".encode("ascii")
        self._parts: list[bytes | Path] = []
        size = 0
        for file in files:
            self._parts += [head, file, b"\r\n"]
            size += file.stat().st_size + len(head) + 2
        end = f"--{boundary}--\r\n".encode("ascii")
        self._parts.append(end)
        self._size = size + len(end)
        self._open: BinaryIO | None = None
        self._rest = b""
        self.started = False

    def __len__(self) -> int:
        """Return the number of bytes."""
        return self._size

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes, fewer than asked for at the end of a piece; none at the end."""
        self.started = True
        if size < 0:
            return b"".join(iter(lambda: self.read(1 << 20), b""))
        while True:
            if self._rest:
                piece, self._rest = self._rest[:size], self._rest[size:]
                return piece
            if self._open is not None:
                piece = self._open.read(size)
                if piece:
                    return piece
                self.close()
            if not self._parts:
                return b""
            part = self._parts.pop(0)
            if isinstance(part, bytes):
                self._rest = part
            else:
                self._open = part.open("rb")

    def close(self) -> None:
        """Close the file that is being read."""
        with suppress(AttributeError):
            self._open.close()  # type: ignore[union-attr]  # None is what is suppressed
        self._open = None
