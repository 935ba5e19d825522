"""Memory for decompressed voxels: a buffer of exactly their size, large ones backed by a temporary file."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from dicomwright.reading import byte_count, refusal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import IO

    from numpy.typing import NDArray

__all__ = ["IN_MEMORY", "VoxelBuffer", "voxel_buffer"]

IN_MEMORY: Final = 512 * 1024**2  # larger volumes go to a nameless temporary file and are mapped from it


class VoxelBuffer(Protocol):
    """What is filled from its start to its end, once."""

    def write(self, part: bytes) -> None:
        """Append bytes."""

    def array(self) -> NDArray[np.uint8]:
        """Return all bytes, read-only."""


@contextmanager
def voxel_buffer(count: int, path: Path) -> Iterator[VoxelBuffer]:
    """Yield a buffer of `count` bytes, in memory up to `IN_MEMORY`, else in a temporary file.

    The temporary file has no name, is readable by nobody else, and goes with the array's last reference.

    Raises
    ------
    SourceError
        There is not enough memory, or no room in the folder for temporary files.

    """
    try:
        if count <= IN_MEMORY:
            yield _Memory(count)
            return
        with tempfile.TemporaryFile(prefix="dicomwright-", buffering=0) as file:
            yield _Spill(count, file)
    except MemoryError as error:
        message = f"its {byte_count(count)} of voxels do not fit into memory"
        hint = "decompress the file first: plain .nii is mapped"
        raise refusal(path, message, hint, "too-large") from error
    except OSError as error:
        reason = error.strerror or str(error)
        message = f"its {byte_count(count)} of voxels do not fit into {tempfile.gettempdir()}: {reason}"
        raise refusal(path, message, "set TMPDIR, or decompress the file first", "too-large") from error


class _Memory:
    """A buffer in memory."""

    def __init__(self, count: int) -> None:
        self._array = np.empty(count, np.uint8)

        self._filled = 0

    def write(self, part: bytes) -> None:
        """Append bytes."""
        self._array[self._filled : self._filled + len(part)] = np.frombuffer(part, np.uint8)
        self._filled += len(part)

    def array(self) -> NDArray[np.uint8]:
        """Return all bytes, read-only."""
        self._array.setflags(write=False)
        return self._array


class _Spill:
    """A buffer in a temporary file. Filled by writing, so that its pages are never this process's memory."""

    def __init__(self, count: int, file: IO[bytes]) -> None:
        self._count, self._file = count, file

    def write(self, part: bytes) -> None:
        """Append bytes."""
        left = memoryview(part)
        while left:
            left = left[self._file.write(left) :]

    def array(self) -> NDArray[np.uint8]:
        """Return a read-only map of all bytes."""
        return np.memmap(self._file, np.uint8, "r", 0, (self._count,))
