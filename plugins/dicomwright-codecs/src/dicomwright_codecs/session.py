"""Compressing ahead of the writer: a bounded number of instances under way, in threads, or in processes."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final, Self

from dicomwright_codecs.workers import Workers, encode_here

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Future
    from types import TracebackType

__all__ = ["Session", "side_by_side"]

_WORTH_A_PROCESS: Final = 8 * 2**20  # bytes of pixels; one more process costs as much as to compress them
_WORTH_A_THREAD: Final = 2**18


def side_by_side(jobs: int | None, frames: int, frame_bytes: int, *, processes: bool) -> int:
    """Return how many threads or processes help; with one, the build itself compresses.

    Examples
    --------
    >>> side_by_side(4, 3, 1_000_000, processes=True), side_by_side(4, 1000, 1_000_000, processes=True)
    (1, 4)
    >>> side_by_side(4, 3, 1_000_000, processes=False)
    3

    """
    worth = _WORTH_A_PROCESS if processes else _WORTH_A_THREAD
    return max(1, min(jobs or _cores(), frames, frames * frame_bytes // worth))


def _cores() -> int:
    """Return on how many cores this process may run."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Session:
    """Instances that are compressed in the order in which they will be asked for.

    Parameters
    ----------
    count : int
        How many compress at the same time.
    family : str
        Of the codec, if its encoder needs processes; empty for threads.
    indices : sequence of int
        The instances, in order.
    compress : callable
        Compresses an instance, given its index, how to encode a frame, and an executor for its frames or None.

    """

    def __init__(self, count: int, family: str, indices: Sequence[int], compress: Callable[..., Any]) -> None:
        self._indices = indices
        self._place = {index: place for place, index in enumerate(indices)}
        self._ahead = 2 * count
        self._compress = compress
        self._lock = threading.Lock()
        self._under_way: dict[int, Future[Any]] = {}
        self._next = 0
        self._workers = Workers(count, family) if family else None
        self._encode = self._workers.encode if self._workers else encode_here
        self._threads = ThreadPoolExecutor(count + (1 if family else 0), "dicomwright-codec")

    def __contains__(self, index: int) -> bool:
        """Tell whether an instance was not yet asked for the last time."""
        return index in self._place

    def compressed(self, index: int, *, last: bool) -> Any:
        """Return an instance compressed; `last` says that it will not be asked for again."""
        if len(self._indices) == 1:
            return self._compress(index, self._encode, self._threads)
        with self._lock:
            self._go_on_to(self._place[index] + self._ahead)
            future = self._under_way[index]
            if last:
                del self._under_way[index], self._place[index]
        return future.result()

    def _go_on_to(self, place: int) -> None:
        """Begin with the instances up to a place."""
        while self._next <= min(place, len(self._indices) - 1):
            index = self._indices[self._next]
            self._under_way[index] = self._threads.submit(self._compress, index, self._encode, None)
            self._next += 1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End threads and processes; after an error at once."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        if self._workers is not None:
            self._workers.kill()
        self._threads.shutdown(wait=True)
        if self._workers is not None:
            self._workers.close()
