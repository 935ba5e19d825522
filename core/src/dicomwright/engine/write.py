"""Move the bytes of a series to files: headers in order, pixels and disk in threads."""

from __future__ import annotations

import os
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from dicomwright.engine.plan import changed_file
from dicomwright.engine.publish import file_name, write_file
from dicomwright.errors import BlueprintError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from concurrent.futures import Future
    from pathlib import Path

    from pydicom import Dataset

    from dicomwright.engine.instance import BuildEnvironment
    from dicomwright.engine.plan import Header, Plan

__all__ = ["write_instances"]

_WORTH_A_THREAD = 128 * 1024  # bytes of pixels an instance; below, handing over costs more than it gains
_MOST_THREADS = 4


def write_instances(
    plan: Plan,
    folder: Path,
    *,
    jobs: int | None = None,
    changed: Mapping[int, Dataset] | None = None,
    fsync: bool = True,
    progress: Callable[[int], None] | None = None,
) -> None:
    """Write all instances of a plan into a folder.

    The functions of the blueprint run in this thread, in order of the instances. Pixels are encoded and written
    by up to `jobs` threads; at most two instances a thread are under way. The first error stops all.
    """
    writer = _Writer(plan, folder, changed or {}, fsync=fsync)
    done = progress or (lambda _: None)
    if plan.count == 0:
        return
    first = writer.write(0)
    done(1)
    threads = jobs or _threads_for(first)
    if threads == 1:
        for index in range(1, plan.count):
            writer.write(index)
            done(1)
        return
    with ThreadPoolExecutor(threads) as pool:
        _feed(pool, writer, range(1, plan.count), 2 * threads, done)


def _threads_for(size: int) -> int:
    """Return how many threads pay for instances of this size."""
    return min(os.cpu_count() or 1, _MOST_THREADS) if size >= _WORTH_A_THREAD else 1


def _feed(
    pool: ThreadPoolExecutor,
    writer: _Writer,
    indices: range,
    window: int,
    done: Callable[[int], None],
) -> None:
    """Hand instances to threads, a bounded number at a time."""
    waiting: deque[Future[int]] = deque()
    try:
        for index in indices:
            if len(waiting) >= window:
                waiting.popleft().result()
                done(1)
            waiting.append(pool.submit(writer.finish, index, *writer.start(index)))
        while waiting:
            waiting.popleft().result()
            done(1)
    except BaseException:
        pool.shutdown(wait=True, cancel_futures=True)
        raise


class _Writer:
    """Writes single instances; `start` in order in one thread, `finish` in any."""

    def __init__(self, plan: Plan, folder: Path, changed: Mapping[int, Dataset], *, fsync: bool) -> None:
        self.plan = plan
        self.start_of_path = os.path.join(folder, "")  # noqa: PTH118  # joining paths costs more than a header
        self.changed = changed
        self.fsync = fsync
        self.seen: dict[bytes, int] = {}

    def write(self, index: int) -> int:
        return self.finish(index, *self.start(index))

    def start(self, index: int) -> tuple[BuildEnvironment, Header | None]:
        """Make the header of an instance, refusing a SOPInstanceUID that another instance has."""
        env = self.plan.environment(index)
        header = None if index in self.changed else self.plan.header(env)
        uid = _uid(self.changed[index]) if header is None else header.sop_instance_uid
        other = self.seen.setdefault(uid, index)
        if other != index:
            text = uid.decode().rstrip("\0")
            raise BlueprintError(
                f"SOPInstanceUID (0008,0018) {text} is that of instance {other + 1} and of instance {index + 1}",
                hint="give each instance its own: FunctionalElement(0x00080018, 'UI', lambda env: gen_uid())",
                kind="identity",
            )
        return env, header

    def finish(self, index: int, env: BuildEnvironment, header: Header | None) -> int:
        """Write the file of an instance and return the size of its pixels."""
        path = self.start_of_path + file_name(index + 1)
        if header is None:
            write_file(path, [changed_file(self.changed[index])], fsync=self.fsync)
            return 0
        head, data = self.plan.bulk_data(env)
        buffers: list[Any] = [header.join() + head, data]
        if len(data) % 2:
            buffers.append(b"\0")
        write_file(path, buffers, fsync=self.fsync)
        return len(data)


def _uid(dataset: Dataset) -> bytes:
    """Return the SOPInstanceUID of a changed dataset, padded."""
    uid = str(dataset.get("SOPInstanceUID", "")).encode()
    return uid + b"\0" * (len(uid) % 2)
