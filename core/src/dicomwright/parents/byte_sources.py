"""The bytes of a header, read or inflated only as far as somebody needs them, and never past a limit."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from dicomwright.parents.scanner import DamagedError

if TYPE_CHECKING:
    from io import RawIOBase

__all__ = ["HEADER_LIMIT", "FileBytes", "InflatedBytes"]

HEADER_LIMIT = 128 * 2**20
"""The most bytes that may come before the pixel data of a file."""

_FIRST = 16 * 2**10
_CHUNK = 64 * 2**10


class FileBytes:
    """The first bytes of a file, growing on demand.

    Parameters
    ----------
    file : RawIOBase
        Open and unbuffered, at its start.
    size : int
        Of the file.

    Attributes
    ----------
    data : bytes
        What has been read until now.

    """

    def __init__(self, file: RawIOBase, size: int) -> None:
        self._file = file
        self.size = size
        self.data = file.read(_FIRST) or b""

    def upto(self, end: int) -> bytes:
        """Return the bytes up to `end` at least, or all that there are."""
        end = min(end, self.size)
        while len(self.data) < end:
            _check_limit(end)
            wanted = max(end, min(3 * len(self.data), HEADER_LIMIT)) - len(self.data)
            more = self._file.read(wanted)
            if not more:
                break
            self.data += more
        return self.data

    def require(self, end: int) -> bytes:
        """Return the bytes up to `end` at least.

        Raises
        ------
        DamagedError
            When there are not that many, or more than `HEADER_LIMIT` are asked for.

        """
        data = self.upto(end)
        if len(data) < end:
            raise DamagedError(f"it ends after {len(data):,} bytes where {end:,} are announced")
        return data


class InflatedBytes(FileBytes):
    """The deflated data set of a file (PS3.5 A.5), inflated on demand.

    Parameters
    ----------
    file : FileBytes
        The file.
    start : int
        Where its file meta information ends.

    """

    def __init__(self, file: FileBytes, start: int) -> None:
        self._raw = file._file  # noqa: SLF001 - the same class
        self._inflate = zlib.decompressobj(-zlib.MAX_WBITS)
        self._waiting = file.data[start:]
        self.size = -1  # not known before the end
        self.data = b""

    def upto(self, end: int) -> bytes:
        """Return the inflated bytes up to `end` at least, or all that there are."""
        if end <= len(self.data):
            return self.data
        _check_limit(end)
        parts, have = [self.data], len(self.data)
        wanted = max(end, min(3 * have, HEADER_LIMIT))
        while have < wanted and not self._inflate.eof:
            if not self._waiting:
                self._waiting = self._raw.read(_CHUNK) or b""
            part = self._part(wanted - have)
            if not part and not self._waiting:
                break
            parts.append(part)
            have += len(part)
        self.data = b"".join(parts)
        return self.data

    def _part(self, most: int) -> bytes:
        try:
            part = self._inflate.decompress(self._waiting, most)
        except zlib.error as error:
            raise DamagedError(f"its deflated data set cannot be inflated ({error})") from error
        self._waiting = self._inflate.unconsumed_tail
        return part


def _check_limit(end: int) -> None:
    if end > HEADER_LIMIT:
        raise DamagedError(f"its header needs {end:,} bytes, more than the limit of {HEADER_LIMIT:,}")
