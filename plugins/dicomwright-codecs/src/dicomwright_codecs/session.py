"""Compressing ahead of the writer: a bounded number of instances under way, in as many processes as help."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final, Self

from dicomwright_codecs.workers import Workers

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Future
    from types import TracebackType

__all__ = ["Session", "processes_for"]

_WORTH_A_PROCESS: Final = 8 * 2**20  # bytes of pixels; one more process costs as much as to compress them


def processes_for(jobs: int | None, frames: int, frame_bytes: int) -> int:
    """Return how many processes help; with one, the build itself compresses.

    Examples
    --------
    >>> processes_for(4, 3, 1_000_000), processes_for(4, 1000, 1_000_000)
    (1, 4)

    """
    most = jobs or _cores()
    return max(1, min(most, frames, frames * frame_bytes // _WORTH_A_PROCESS))


def _cores() -> int:
    """Return on how many cores this process may run."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Session:
    """Instances that are compressed in the order in which they will be asked for.

    Parameters
    ----------
    processes : int
        How many compress.
    family : str
        Of the codec.
    indices : sequence of int
        The instances, in order.
    compress : callable
        Compresses an instance, given its index, how to encode a frame, and an executor for its frames or None.

    """

    def __init__(
        self, processes: int, family: str, indices: Sequence[int], compress: Callable[..., Any]
    ) -> None:
        self._indices = indices
        self._place = {index: place for place, index in enumerate(indices)}
        self._ahead = 2 * processes
        self._compress = compress
        self._lock = threading.Lock()
        self._under_way: dict[int, Future[Any]] = {}
        self._next = 0
        self._workers = Workers(processes, family)
        self._threads = ThreadPoolExecutor(processes + 1, "dicomwright-codec")

    def __contains__(self, index: int) -> bool:
        """Tell whether an instance was not yet asked for the last time."""
        return index in self._place

    def compressed(self, index: int, *, last: bool) -> Any:
        """Return an instance compressed; `last` says that it will not be asked for again."""
        if len(self._indices) == 1:
            return self._compress(index, self._workers.encode, self._threads)
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
            self._under_way[index] = self._threads.submit(self._compress, index, self._workers.encode, None)
            self._next += 1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End threads and processes; after an error at once."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._workers.kill()
        self._threads.shutdown(wait=True)
        self._workers.close()
