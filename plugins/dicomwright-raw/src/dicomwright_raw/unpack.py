"""Decompression in one forward pass, into a buffer of exactly the declared size, checked to its end."""

from __future__ import annotations

import bz2
import gzip
import os
import re
import tempfile
import zlib
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np

from dicomwright.errors import SourceError
from dicomwright.reading import refusal, shown
from dicomwright_raw.refusals import COPY_AGAIN, byte_count

if TYPE_CHECKING:
    import io
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["DEFAULT_MAX_BYTES", "Packed", "admit", "max_bytes_of", "read_exactly", "unpack"]

DEFAULT_MAX_BYTES: Final = 2 * 1024**3
_IN_MEMORY: Final = 256 * 1024**2  # larger volumes go to a nameless temporary file and are mapped from it
_MOST_RATIO: Final = 1000  # of larger volumes; real ones stay below, one repeated value does not
_BLOCK: Final = 1024**2
_UNITS: Final = {"": 1, "kib": 1024, "mib": 1024**2, "gib": 1024**3, "tib": 1024**4}
_SIZE: Final = re.compile(r"([0-9]{1,18})\s*(|[KMGT]iB)", re.IGNORECASE | re.ASCII)
_DAMAGE: Final = (OSError, EOFError, ValueError, zlib.error)


class Packed(Protocol):
    """A stream that decompresses as it is read."""

    def read(self, count: int, /) -> bytes:
        """Return at most this many bytes, none at the end, once every checksum was right."""


class _Zlib:
    """One zlib or gzip stream, as MetaImage has it; what follows it is not read."""

    def __init__(self, file: io.BufferedReader) -> None:
        self._file, self._rest = file, b""
        self._stream = zlib.decompressobj(zlib.MAX_WBITS | 32)

    def read(self, count: int, /) -> bytes:
        """Return at most this many bytes."""
        while not self._stream.eof:
            rest = self._rest or self._file.read(_BLOCK // 16)
            part = self._stream.decompress(rest, count)
            self._rest = self._stream.unconsumed_tail
            if part:
                return part
            if not rest:
                raise EOFError("the stream breaks off")
        return b""


_STREAMS: Final[Mapping[str, Any]] = {
    "gzip": lambda file: gzip.GzipFile(fileobj=file),
    "bzip2": bz2.BZ2File,
    "zlib": _Zlib,
}


def max_bytes_of(options: Mapping[str, str]) -> int:
    """Return the option ``max_bytes`` as a number.

    Examples
    --------
    >>> max_bytes_of({"max_bytes": "4GiB"})
    4294967296

    """
    text = options.get("max_bytes") or str(DEFAULT_MAX_BYTES)
    match = _SIZE.fullmatch(str(text).strip())
    if match is None or int(match[1]) == 0:
        hint = "write a number of bytes, or for example 512MiB or 4GiB"
        raise SourceError(f"option max_bytes cannot be {shown(text)!r}", hint=hint, kind="option")
    return int(match[1]) * _UNITS[match[2].lower()]


def unpack(
    file: io.BufferedReader, path: Path, method: str, count: int, packed: int, most: int
) -> NDArray[np.uint8]:
    """Return what a compressed stream holds, which must be `count` bytes.

    Parameters
    ----------
    file : io.BufferedReader
        At the start of the stream.
    path : Path
        For messages.
    method : str
        ``gzip``, ``bzip2`` or ``zlib``.
    count : int
        The size that was declared.
    packed : int
        Most bytes that the stream can have.
    most : int
        The limit ``max_bytes``.

    Raises
    ------
    SourceError
        The stream is damaged, holds another number of bytes, or more than is allowed.

    """
    admit(path, count, packed, most)
    return read_exactly(_STREAMS[method](file), path, count, f"the {method} stream")


def admit(path: Path, count: int, packed: int, most: int) -> None:
    """Refuse a declared size before anything is allocated."""
    if count > most:
        message = (
            f"it declares {byte_count(count)} of values, more than the limit max_bytes ({byte_count(most)})"
        )
        raise refusal(path, message, f"if that is right, set the option max_bytes={count}", "too-large")
    if count > _IN_MEMORY and count > _MOST_RATIO * packed:
        message = (
            f"it declares {byte_count(count)} of values from {byte_count(packed)} of compressed data: "
            "it would hold nothing but one value"
        )
        raise refusal(path, message, "if that is right, save it without compression", "too-large")


def read_exactly(stream: Packed, path: Path, count: int, what: str) -> NDArray[np.uint8]:
    """Return the `count` bytes of a stream, which must end there."""
    found = 0
    target = _buffer(count, path)
    try:
        while found < count and (part := stream.read(min(_BLOCK, count - found))):
            target[found : found + len(part)] = np.frombuffer(part, np.uint8)
            found += len(part)
        more = stream.read(1)
    except _DAMAGE as error:
        reason = str(error).rpartition(": ")[2] or type(error).__name__
        message = f"{what} is damaged after {byte_count(found)} of {byte_count(count)}: {reason}"
        raise refusal(path, message, COPY_AGAIN, "damaged") from error
    if more or found < count:
        holds = f"more than {byte_count(count)}" if more else byte_count(found)
        message = f"{what} holds {holds}, but the declared shape and type are {byte_count(count)}"
        raise refusal(path, message, "correct the declaration, or restore the file", "size")
    target.flags.writeable = False
    return target


def _buffer(count: int, path: Path) -> NDArray[np.uint8]:
    """Return memory for so many bytes, large ones in a temporary file without a name."""
    hint = "save it without compression: then it is mapped"
    try:
        if count <= _IN_MEMORY:
            return np.empty(count, np.uint8)
        with tempfile.TemporaryFile(prefix="dicomwright-") as file:
            _reserve(file.fileno(), count)
            return np.memmap(file, np.uint8, "r+", 0, (count,))
    except MemoryError as error:
        message = f"its {byte_count(count)} of values do not fit into memory"
        raise refusal(path, message, hint, "too-large") from error
    except OSError as error:
        reason = error.strerror or str(error)
        message = f"its {byte_count(count)} of values do not fit into {tempfile.gettempdir()}: {reason}"
        raise refusal(path, message, f"set TMPDIR, or {hint}", "too-large") from error


def _reserve(descriptor: int, count: int) -> None:
    """Make a file so long, with room on the disk for all of it: writing to a map of a full disk ends the process."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, count)
    else:
        os.ftruncate(descriptor, count)
