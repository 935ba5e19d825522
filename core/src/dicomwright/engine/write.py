"""Move the bytes of a series to files: headers in order, pixels and disk in threads."""

from __future__ import annotations

import os
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from dicomwright.blueprint.charset import TEXT_VRS, check_encodable, texts_of
from dicomwright.blueprint.tags import describe
from dicomwright.engine.file_form import file_buffers
from dicomwright.engine.plan import changed_file
from dicomwright.engine.publish import file_name, write_file
from dicomwright.errors import BlueprintError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from concurrent.futures import Future
    from pathlib import Path

    from pydicom import Dataset

    from dicomwright.engine.plan import Plan

__all__ = ["write_instances"]

_WORTH_A_THREAD = 128 * 1024  # bytes of pixels an instance; below, handing over costs more than it gains
_MOST_THREADS = 4
_AT_ONCE = (
    8  # instances whose headers are made one after the other: made between pixels, each takes twice as long
)
_BYTES_AT_ONCE = 2**22
_TEXT_VRS = TEXT_VRS | {"SQ"}


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

    The functions of the blueprint run in this thread, in order of the instances, a few instances ahead. Pixels are
    encoded and written by up to `jobs` threads, each one instance at a time. The first error stops all.
    """
    writer = _Writer(plan, folder, changed or {}, fsync=fsync)
    done = progress or (lambda _: None)
    if plan.count == 0:
        return
    indices = [index for index in range(plan.count) if index not in writer.changed]
    with plan.session(jobs, indices):
        _write_all(writer, jobs, done)


def _write_all(writer: _Writer, jobs: int | None, done: Callable[[int], None]) -> None:
    """Write the first instance, and by its size choose how to write the others."""
    first = writer.write(range(1))
    done(1)
    threads = jobs or _threads_for(first)
    runs = _runs(writer.plan.count, first)
    if threads == 1:
        for run in runs:
            writer.write(run)
            done(len(run))
        return
    with ThreadPoolExecutor(threads) as pool:
        _feed(pool, writer, runs, 2 * threads, done)


def _threads_for(size: int) -> int:
    """Return how many threads pay for instances of this size."""
    return min(os.cpu_count() or 1, _MOST_THREADS) if size >= _WORTH_A_THREAD else 1


def _runs(count: int, size: int) -> Iterator[range]:
    """Yield the instances after the first, a few at a time."""
    step = max(1, min(_AT_ONCE, _BYTES_AT_ONCE // max(size, 1)))
    for start in range(1, count, step):
        yield range(start, min(start + step, count))


def _feed(
    pool: ThreadPoolExecutor,
    writer: _Writer,
    runs: Iterable[range],
    window: int,
    done: Callable[[int], None],
) -> None:
    """Hand instances to threads, a bounded number at a time."""
    waiting: deque[tuple[range, Future[int]]] = deque()

    def wait() -> None:
        run, future = waiting.popleft()
        future.result()
        done(len(run))

    try:
        for run in runs:
            if len(waiting) >= window:
                wait()
            waiting.append((run, pool.submit(writer.finish, run, writer.start(run))))
        while waiting:
            wait()
    except BaseException:
        writer.stopped = True
        pool.shutdown(wait=True, cancel_futures=True)
        raise


class _Writer:
    """Writes instances; `start` in order in one thread, `finish` in any."""

    def __init__(self, plan: Plan, folder: Path, changed: Mapping[int, Dataset], *, fsync: bool) -> None:
        self.plan = plan
        self.start_of_path = os.path.join(folder, "")  # noqa: PTH118  # joining paths costs more than a header
        self.changed = changed
        self.fsync = fsync
        self.seen: dict[bytes, int] = {}
        self.stopped = False

    def write(self, run: range) -> int:
        """Write a run of instances and return the size of the pixels of the last."""
        return self.finish(run, self.start(run))

    def start(self, run: range) -> list[bytes | None]:
        """Make the headers of instances, None for those that were changed."""
        return [self._started(index) for index in run]

    def _started(self, index: int) -> bytes | None:
        """Make a header, refusing a SOPInstanceUID that another instance has."""
        header = None if index in self.changed else self.plan.header(self.plan.environment(index))
        uid = _changed_uid(self.changed[index], index) if header is None else header.sop_instance_uid
        other = self.seen.setdefault(uid, index)
        if other != index:
            text = uid.decode().rstrip("\0")
            raise BlueprintError(
                f"SOPInstanceUID (0008,0018) {text} is that of instance {other + 1} and of instance {index + 1}",
                hint="give each instance its own: FunctionalElement(0x00080018, 'UI', lambda env: gen_uid())",
                kind="identity",
            )
        return None if header is None else header.join()

    def finish(self, run: range, headers: list[bytes | None]) -> int:
        """Write the files of instances and return the size of the pixels of the last."""
        size = 0
        for index, header in zip(run, headers, strict=True):
            if self.stopped:
                break
            size = self._finished(index, header)
        return size

    def _finished(self, index: int, header: bytes | None) -> int:
        """Write the file of an instance and return the size of its pixels."""
        path = self.start_of_path + file_name(index + 1)
        if header is None:
            write_file(path, [changed_file(self.changed[index])], fsync=self.fsync)
            return 0
        head, data = self.plan.bulk_data(self.plan.environment(index))
        syntax = self.plan.request.transfer_syntax_uid
        write_file(path, file_buffers(syntax, header, head, data), fsync=self.fsync)
        return len(data)


def _changed_uid(dataset: Dataset, index: int) -> bytes:
    """Return the SOPInstanceUID of a changed dataset, padded, refusing texts that its character set cannot hold."""
    charset = dataset.get("SpecificCharacterSet")
    for tag in list(dataset.keys()):  # pixels stay unread
        if dataset.get_item(tag).VR in _TEXT_VRS and check_encodable(texts_of(dataset[tag]), charset):
            raise BlueprintError(
                f"{describe(tag)} of instance {index + 1}, which was changed, cannot be written in its character set "
                f"({charset or 'ASCII'})",
                hint="set SpecificCharacterSet of the dataset to 'ISO_IR 192'",
                kind="charset",
            )
    uid = str(dataset.get("SOPInstanceUID", "")).encode()
    return uid + b"\0" * (len(uid) % 2)
