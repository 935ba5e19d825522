"""All frames as one value of PixelData (7FE0,0010), a few in memory at a time."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from dicomwright.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["check_length", "joined"]

_IN_MEMORY: Final = 64 * 1024**2  # larger values go through a nameless temporary file, which is mapped
_LONGEST: Final = 0xFFFFFFFE  # of a value of defined, even length (PS3.5 section 7.1.1)


def check_length(size: int, source: str, hint: str) -> None:
    """Refuse more pixels than one instance can hold.

    Raises
    ------
    SourceError
        They take more than 4 GiB.

    """
    if size > _LONGEST:
        message = f"its frames take {size:,} bytes, and one value of DICOM has at most {_LONGEST:,}"
        raise SourceError(message, hint=hint, loc=source, kind="too-large")


def joined(parts: Iterable[Any], size: int) -> Any:
    """Return bytes-like parts one after the other as a bytes-like object of `size` bytes.

    Examples
    --------
    >>> bytes(joined([b"ab", b"cd"], 4))
    b'abcd'

    """
    if size > _IN_MEMORY:
        return _spilled(parts, size)
    target = np.empty(size, np.uint8)
    filled = 0
    for part in parts:
        flat = np.frombuffer(part, np.uint8)
        target[filled : filled + flat.size] = flat
        filled += flat.size
    return target


def _spilled(parts: Iterable[Any], size: int) -> Any:
    """Return a map of a temporary file without a name that holds the parts."""
    with tempfile.TemporaryFile(prefix="dicomwright-") as file:
        for part in parts:
            file.write(part)
        file.flush()
        return np.memmap(file, np.uint8, "r", 0, (size,))
