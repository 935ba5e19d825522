"""The limit: the same bytes written from ready buffers, the quantising pass included where there is one."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

__all__ = ["RawWrite"]

BLOCK = 1 << 18  # values: with fewer, threads wait for the interpreter's lock


class RawWrite:
    """Write headers and slices with one `os.writev` a file, and nothing else.

    Parameters
    ----------
    volume : ndarray
        (slices, rows, columns). Floats are scaled to 16 bits first, in blocks that fit the cache, after one pass
        for the range; integers leave as they are.
    headers : sequence of bytes
        Of each file, up to the pixels.
    threads : int
        How many share the work.
    fsync : bool
        Whether each file is synced, as dicomwright does by default.
    reading : bool
        Whether the range of integers is looked for, too: a window that shows all values needs it.

    """

    def __init__(
        self, volume: Any, headers: Sequence[bytes], threads: int, *, fsync: bool, reading: bool = False
    ) -> None:
        self.volume, self.headers, self.threads, self.fsync = volume, headers, threads, fsync
        self.reading = reading

    def __call__(self, out: Path) -> None:
        out.mkdir()
        scaled = self.volume.dtype.kind == "f"
        low, high = self._range() if scaled or self.reading else (None, None)
        start, scale = (np.float32(low), np.float32(65535 / (high - low))) if scaled else (None, None)

        def write(indices: Iterable[int]) -> None:
            work = np.empty(BLOCK, "f4")
            for index in indices:
                plane = self.volume[index]
                stored = plane if start is None else _scaled(plane, start, scale, work)
                self._write(f"{out}/{index:05d}.dcm", [self.headers[index], stored])

        self._share(write, len(self.volume))

    def _range(self) -> tuple[Any, Any]:
        blocks = self.volume.reshape(-1, min(BLOCK, self.volume[0].size))

        def ends(indices: Iterable[int]) -> tuple[float, float]:
            parts = [(blocks[index].min(), blocks[index].max()) for index in indices]
            return min(low for low, _ in parts), max(high for _, high in parts)

        found = self._share(ends, len(blocks))
        return min(low for low, _ in found), max(high for _, high in found)

    def _share(self, task: Callable[[Iterable[int]], Any], count: int) -> list[Any]:
        if self.threads == 1:
            return [task(range(count))]
        with ThreadPoolExecutor(self.threads) as pool:
            return list(pool.map(task, (range(part, count, self.threads) for part in range(self.threads))))

    def _write(self, path: str, buffers: list[Any]) -> None:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        os.writev(descriptor, buffers)
        if self.fsync:
            os.fsync(descriptor)
        os.close(descriptor)


def _scaled(plane: Any, start: Any, scale: Any, work: Any) -> Any:
    stored = np.empty(plane.size, "<u2")
    flat = plane.reshape(-1)
    for first in range(0, flat.size, BLOCK):
        part = flat[first : first + BLOCK]
        exact = work[: part.size]
        np.subtract(part, start, out=exact)
        np.multiply(exact, scale, out=exact)
        np.rint(exact, out=exact)
        np.copyto(stored[first : first + BLOCK], exact, casting="unsafe")
    return stored
