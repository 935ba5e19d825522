"""Group commit: many files that came at the same time become durable together."""

from __future__ import annotations

import errno
import logging
import sqlite3
from concurrent.futures import Future
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING

from dicomwright_node.receive.answers import Answer, Outcome
from dicomwright_node.store import instances
from dicomwright_node.store.files import sync_folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dicomwright_node.store import Store
    from dicomwright_node.store.records import Arrival

__all__ = ["Committer", "Pending"]

_MOST_AT_ONCE = 256
_DISK = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_log = logging.getLogger("dicomwright_node.receive")
_ANSWERS: dict[instances.Outcome, Answer] = {
    "new": Answer(Outcome.STORED),
    "same": Answer(Outcome.SAME, "it is here already"),
    "other": Answer(Outcome.OTHER, "another instance with this SOPInstanceUID is here, and stays"),
}


@dataclass(frozen=True, slots=True)
class Pending:
    """A complete, synced file under its temporary name, its final name, and its row."""

    part: Path
    path: Path
    arrival: Arrival


class Committer:
    """One thread that renames files, syncs their folder and commits their rows.

    An answer is given only after the commit: what it says is on disk. `stored` is called after new rows, and `grown`
    before each answer that tells of one, with its bytes.
    """

    def __init__(self, store: Store, stored: Callable[[], None], grown: Callable[[int], None]) -> None:
        self._store = store
        self._stored = stored
        self._grown = grown
        self._queue: SimpleQueue[tuple[Pending, Future[Answer]] | None] = SimpleQueue()
        self._synced: set[Path] = set()
        self._thread = Thread(target=self._run, name="committer", daemon=True)
        self._thread.start()

    def submit(self, pending: Pending) -> Future[Answer]:
        """Queue a file."""
        future: Future[Answer] = Future()
        self._queue.put((pending, future))
        return future

    def close(self) -> None:
        """Commit what is queued, and stop."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        """Commit batch after batch."""
        going = True
        while going:
            batch = [self._queue.get()]
            try:
                while len(batch) < _MOST_AT_ONCE:
                    batch.append(self._queue.get_nowait())
            except Empty:
                pass
            going = None not in batch
            self._commit([entry for entry in batch if entry is not None])

    def _commit(self, batch: list[tuple[Pending, Future[Answer]]]) -> None:
        """Commit one batch, and answer."""
        if not batch:
            return
        try:
            answers = self._store_all([pending for pending, _ in batch])
        except Exception as error:  # noqa: BLE001  # the thread must live; each sender is told
            _log.exception(
                "instances could not be stored", extra={"event": "store-failed", "number": len(batch)}
            )
            answers = [_failure(error)] * len(batch)
            self._undo([pending for pending, _ in batch])
        for (pending, future), answer in zip(batch, answers, strict=True):
            if answer.outcome is Outcome.STORED:
                self._grown(pending.arrival.size)
            future.set_result(answer)
        if any(answer.outcome is Outcome.STORED for answer in answers):
            self._stored()

    def _store_all(self, batch: list[Pending]) -> list[Answer]:
        """Rename, sync, commit; remove the files of duplicates."""
        for pending in batch:
            pending.part.rename(pending.path)
        for folder in {pending.path.parent for pending in batch}:
            sync_folder(folder)
            if folder not in self._synced:
                sync_folder(folder.parent)
                self._synced.add(folder)
        outcomes = instances.add(self._store.database, [pending.arrival for pending in batch])
        for pending, outcome in zip(batch, outcomes, strict=True):
            if outcome != "new":
                pending.path.unlink()
        return [_ANSWERS[outcome] for outcome in outcomes]

    def _undo(self, batch: list[Pending]) -> None:
        """Remove files whose rows are not there; what cannot be removed, the next start removes."""
        for pending in batch:
            try:
                row = instances.known(self._store.database, pending.arrival.sop_instance_uid)
                if row is None or row.path != pending.arrival.path:
                    pending.part.unlink(missing_ok=True)
                    pending.path.unlink(missing_ok=True)
            except (OSError, sqlite3.Error):
                _log.warning("a file may be left", exc_info=True, extra={"event": "file-left"})


def _failure(error: Exception) -> Answer:
    """Return what to say when a batch cannot be stored."""
    code = getattr(error, "sqlite_errorcode", None)
    no_write = isinstance(error, sqlite3.Error) and code is not None and code & 0xFF in _DISK
    if no_write or (isinstance(error, OSError) and error.errno in _NO_ROOM):
        return Answer(Outcome.FULL, "the disk of the node is full, or fails")
    return Answer(Outcome.FAILED, "the node cannot store it")
