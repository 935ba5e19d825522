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
_HEADERS_AT_ONCE = 512  # made one after the other: a header that is made between pixels takes twice as long
_HEADER_BYTES = 2**20
_FILES_AT_ONCE = 32  # that a thread takes
_BYTES_AT_ONCE = 2**24
_TURNS = 8  # of each thread, at least, so that none waits long for the others at the end
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
    first = range(1)
    headers = writer.start(first)
    size = writer.finish(first, headers)
    done(1)
    threads = jobs or _threads_for(size, fsync=writer.fsync)
    step = min(_step(_FILES_AT_ONCE, _BYTES_AT_ONCE, size), writer.plan.count // (_TURNS * threads))
    runs = _started_runs(writer, max(step, 1), len(headers[0] or b""))
    if threads == 1:
        for run, started in runs:
            writer.finish(run, started)
            done(len(run))
        return
    with ThreadPoolExecutor(threads) as pool:
        _feed(pool, writer, runs, 2 * threads, done)


def _threads_for(size: int, *, fsync: bool) -> int:
    """Return how many threads pay for instances of this size; a disk syncs several files as fast as one."""
    if fsync:
        return _MOST_THREADS
    return min(os.cpu_count() or 1, _MOST_THREADS) if size >= _WORTH_A_THREAD else 1


def _started_runs(writer: _Writer, step: int, header: int) -> Iterator[tuple[range, list[bytes | None]]]:
    """Yield the instances after the first, `step` at a time, with their headers."""
    several = _step(_HEADERS_AT_ONCE, _HEADER_BYTES, header)
    for batch in _parts(range(1, writer.plan.count), several):
        headers = writer.start(batch)
        for run in _parts(batch, step):
            yield run, headers[run.start - batch.start : run.stop - batch.start]


def _step(most: int, limit: int, size: int) -> int:
    """Return how many things of a size are handled at once, at least one."""
    return max(1, min(most, limit // max(size, 1)))


def _parts(indices: range, step: int) -> Iterator[range]:
    """Yield a range in parts."""
    return (indices[at : at + step] for at in range(0, len(indices), step))


def _feed(
    pool: ThreadPoolExecutor,
    writer: _Writer,
    runs: Iterable[tuple[range, list[bytes | None]]],
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
        for run, headers in runs:
            if len(waiting) >= window:
                wait()
            waiting.append((run, pool.submit(writer.finish, run, headers)))
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

    def start(self, run: range) -> list[bytes | None]:
        """Make the headers of instances, None for those that were changed.

        A SOPInstanceUID that another instance has is refused.
        """
        made = iter(self.plan.headers(index for index in run if index not in self.changed))
        headers = [None if index in self.changed else next(made) for index in run]
        for index, header in zip(run, headers, strict=True):
            uid = _changed_uid(self.changed[index], index) if header is None else header.sop_instance_uid
            self._refuse_twin(uid, index)
        return [None if header is None else header.join() for header in headers]

    def _refuse_twin(self, uid: bytes, index: int) -> None:
        """Refuse a SOPInstanceUID that another instance has."""
        other = self.seen.setdefault(uid, index)
        if other != index:
            text = uid.decode().rstrip("\0")
            raise BlueprintError(
                f"SOPInstanceUID (0008,0018) {text} is that of instance {other + 1} and of instance {index + 1}",
                hint="give each instance its own: FunctionalElement(0x00080018, 'UI', lambda env: gen_uid())",
                kind="identity",
            )

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
