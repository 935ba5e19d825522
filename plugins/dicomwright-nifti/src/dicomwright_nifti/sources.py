"""Where bytes come from: a plain file, mapped, or a gzip stream, decompressed once and checked to its end."""

from __future__ import annotations

import contextlib
import os
import zlib
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from dicomwright.reading import byte_count, refusal, regular_file, unreadable
from dicomwright_nifti.buffers import voxel_buffer

if TYPE_CHECKING:
    import io
    from pathlib import Path

    from numpy.typing import NDArray

    from dicomwright_nifti.options import ReadOptions

__all__ = [
    "GZIP_MAGIC",
    "MAX_TRAILING",
    "ByteSource",
    "GzipSource",
    "PlainSource",
    "open_source",
]

GZIP_MAGIC: Final = b"\x1f\x8b"
MAX_TRAILING: Final = 1024**2  # more than this behind the voxels: the header does not describe the file
_DEFLATE_MOST: Final = 1032  # the largest ratio that the deflate format can reach
_SMALL: Final = 256 * 1024**2  # up to here any ratio is harmless
_INPUT: Final = 32 * 1024  # small: what is left of it is copied at the end of each gzip member
_BLOCK: Final = 1024**2
_COPY_AGAIN: Final = "copy the file again or restore it"
_CHECKS: Final = {"incorrect data check": "checksum (CRC-32)", "incorrect length check": "length"}


class ByteSource(Protocol):
    """Bytes that are read once, forward."""

    @property
    def position(self) -> int:
        """Bytes read so far, after decompression."""

    def read(self, count: int) -> bytes:
        """Return the next bytes, fewer only where the source ends."""

    def skip(self, count: int) -> int:
        """Leave out bytes and return how many, fewer only where the source ends."""

    def admit(self, size: int, limits: ReadOptions) -> None:
        """Refuse a declared size that the source cannot hold, before anything is allocated."""

    def voxels(self, count: int) -> NDArray[np.uint8]:
        """Return the next bytes as a read-only array of exactly this many."""

    def finish(self) -> int:
        """Go to the end of the source and return how many bytes were left over."""

    def close(self) -> None:
        """Let go of the file. Arrays stay valid."""


def open_source(path: Path) -> ByteSource:
    """Open a file by its content: a gzip stream where it starts like one, else plain bytes.

    Raises
    ------
    SourceError
        The file cannot be opened or is empty.

    """
    with contextlib.ExitStack() as opened:
        file = opened.enter_context(regular_file(path, "name one .nii, .nii.gz or .hdr file"))
        try:
            size = os.fstat(file.fileno()).st_size
            magic = file.read(len(GZIP_MAGIC))
            file.seek(0)
        except OSError as error:
            raise unreadable(path, error) from error
        if not magic:
            raise refusal(path, "the file is empty", _COPY_AGAIN, "truncated")
        opened.pop_all()
    return (GzipSource if magic == GZIP_MAGIC else PlainSource)(file, path, size)


class PlainSource:
    """An uncompressed file. Its voxels are mapped, not read."""

    def __init__(self, file: io.FileIO, path: Path, size: int) -> None:
        self._file, self._path, self._size = file, path, size
        self.position = 0

    def read(self, count: int) -> bytes:
        """Return the next bytes, fewer only where the file ends."""
        self._file.seek(self.position)
        try:
            found = self._file.read(min(count, max(0, self._size - self.position)))
        except OSError as error:
            raise unreadable(self._path, error) from error
        self.position += len(found)
        return found

    def skip(self, count: int) -> int:
        """Move on, at most to the end of the file."""
        left = max(0, min(count, self._size - self.position))
        self.position += left
        return left

    def admit(self, size: int, limits: ReadOptions) -> None:  # noqa: ARG002 - mapping takes no memory: no limit
        """Refuse a declared size beyond the end of the file."""
        if size > self._size:
            raise _short(self._path, size, self._size)

    def voxels(self, count: int) -> NDArray[np.uint8]:
        """Return a read-only map of the next bytes."""
        try:
            mapped = np.memmap(self._file, np.uint8, "r", self.position, (count,))
        except OSError as error:
            raise unreadable(self._path, error) from error
        self.position += count
        return mapped

    def finish(self) -> int:
        """Return how many bytes the file holds behind the position."""
        return self._size - self.position

    def close(self) -> None:
        """Close the file; a map stays valid."""
        self._file.close()


class GzipSource:
    """A gzip file of one or more members, decompressed in one forward pass.

    Every member's CRC-32 and length are checked, to the end of the file.
    """

    def __init__(self, file: io.FileIO, path: Path, size: int) -> None:
        self._file, self._path, self._size = file, path, size
        self._inflater = zlib.decompressobj(zlib.MAX_WBITS | 16)
        self._input = b""
        self.position = 0

    def read(self, count: int) -> bytes:
        """Return the next decompressed bytes, fewer only where the stream ends."""
        parts: list[bytes] = []
        left = count
        while left and (part := self._next(min(left, _BLOCK))):
            parts.append(part)
            left -= len(part)
        return b"".join(parts)

    def skip(self, count: int) -> int:
        """Decompress bytes and drop them, at most to the end of the stream."""
        left = count
        while left > 0 and (part := self._next(min(left, _BLOCK))):
            left -= len(part)
        return count - left

    def admit(self, size: int, limits: ReadOptions) -> None:
        """Refuse a declared size over a limit, or one that so few bytes cannot decompress to."""
        if size > limits.max_bytes:
            message = (
                f"the header declares {byte_count(size)} once decompressed, "
                f"more than the limit max_bytes ({byte_count(limits.max_bytes)})"
            )
            hint = "if that is right, raise the option max_bytes, or decompress the file first"
            raise refusal(self._path, message, hint, "too-large")
        ratio = size / self._size
        if ratio > _DEFLATE_MOST:
            message = (
                f"the header declares {byte_count(size)}, but a gzip file of {byte_count(self._size)} "
                f"holds at most {byte_count(self._size * _DEFLATE_MOST)}"
            )
            raise refusal(self._path, message, _COPY_AGAIN, "truncated")
        if ratio > limits.max_ratio and size > _SMALL:
            message = (
                f"its {byte_count(self._size)} decompress to {byte_count(size)}, "
                f"more than the limit max_ratio ({limits.max_ratio} to 1): it holds nothing but one value"
            )
            hint = f"if that is right, set the option max_ratio={_DEFLATE_MOST}"
            raise refusal(self._path, message, hint, "too-large")

    def voxels(self, count: int) -> NDArray[np.uint8]:
        """Return the next bytes, decompressed into one buffer of exactly that size."""
        start = self.position
        with voxel_buffer(count, self._path) as buffer:
            left = count
            while left:
                part = self._next(min(left, _BLOCK))
                if not part:
                    raise _short(self._path, start + count, self.position)
                buffer.write(part)
                left -= len(part)
            return buffer.array()

    def finish(self) -> int:
        """Decompress what is left, check the last CRC, and return how many bytes that was."""
        start = self.position
        while self._next(_BLOCK):
            if self.position - start > MAX_TRAILING:
                break
        return self.position - start

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _next(self, limit: int) -> bytes:
        """Return at least one and at most `limit` decompressed bytes; none at the end of the last member."""
        while not self._inflater.eof or self._next_member():
            if not self._input:
                self._input = self._read()
            at_end = not self._input
            try:
                part = self._inflater.decompress(self._input, limit)
            except zlib.error as error:
                raise self._damaged(error) from error
            self._input = self._inflater.unconsumed_tail
            if part:
                self.position += len(part)
                return part
            if at_end and not self._inflater.eof:
                message = f"the gzip stream breaks off after {byte_count(self.position)} decompressed"
                raise refusal(self._path, message, _COPY_AGAIN, "truncated")
        return b""

    def _next_member(self) -> bool:
        """Start the next member; False at the end of the file. Zero bytes are padding."""
        rest = self._inflater.unused_data.lstrip(b"\0")
        while len(rest) < len(GZIP_MAGIC) and (more := self._read()):
            rest = (rest + more).lstrip(b"\0")
        if not rest:
            return False
        if not rest.startswith(GZIP_MAGIC):
            raise refusal(self._path, "other data follows the end of the gzip stream", _COPY_AGAIN, "damaged")
        self._inflater = zlib.decompressobj(zlib.MAX_WBITS | 16)
        self._input = rest
        return True

    def _read(self) -> bytes:
        try:
            return self._file.read(_INPUT)
        except OSError as error:
            raise unreadable(self._path, error) from error

    def _damaged(self, error: zlib.error) -> Exception:
        for text, name in _CHECKS.items():
            if text in str(error):
                message = f"the gzip {name} does not match the decompressed data"
                return refusal(self._path, message, _COPY_AGAIN, "damaged")
        reason = str(error).rpartition(": ")[2]
        message = f"the gzip stream is damaged after {byte_count(self.position)} decompressed: {reason}"
        return refusal(self._path, message, _COPY_AGAIN, "damaged")


def _short(path: Path, declared: int, found: int) -> Exception:
    message = (
        f"the header declares {declared:,} bytes of header and voxels, but the file holds {found:,}: "
        "it is cut off, or its dimensions are wrong"
    )
    return refusal(path, message, _COPY_AGAIN, "truncated")
