"""Memory-mapped sources: what has been read of them need not stay in this process's memory."""

from __future__ import annotations

import mmap
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["RELEASED_AT_ONCE", "release"]

RELEASED_AT_ONCE = 32 * 2**20
"""Bytes that may be read before they are released: the system call costs nothing against reading so much."""


def release(array: NDArray[Any]) -> None:
    """Let go of the pages of the file that an array maps, if it maps one; they are read again when needed.

    Pages of a private map (mode ``c``) are left alone: they may hold changes that no file has.
    """
    held: Any = array
    is_safe = False
    while isinstance(held, np.ndarray):
        if isinstance(held, np.memmap):
            is_safe = held.mode in {"r", "r+"}
        held = held.base
    if is_safe and isinstance(held, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        held.madvise(mmap.MADV_DONTNEED)
