"""From the bytes of an instance to a file and a row that survive a power cut."""

from __future__ import annotations

import errno
import hashlib
import itertools
import os
import time
from collections import Counter
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Literal

from dicomwright_node.receive.answers import Answer, Outcome, RefusedError
from dicomwright_node.receive.committer import Committer, Pending
from dicomwright_node.receive.facts import is_uid, read_facts
from dicomwright_node.receive.file_meta import file_start
from dicomwright_node.store.files import PART
from dicomwright_node.store.records import Arrival
from dicomwright_node.store.upkeep import used_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from concurrent.futures import Future
    from pathlib import Path

    from dicomwright_node.config import LimitsConfig
    from dicomwright_node.receive.facts import Facts
    from dicomwright_node.store import Store

__all__ = ["Announced", "Incoming", "Intake", "Origin"]

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_LOOK_AGAIN_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Origin:
    """Who sends: protocol, AE titles (empty if there are none) and address."""

    via: Literal["dimse", "stow"]
    calling: str
    called: str
    peer: str


@dataclass(frozen=True, slots=True)
class Announced:
    """What is said of an instance before its dataset comes; `study` only if it must be of one."""

    sop_class: str
    sop_instance: str
    transfer_syntax: str
    study: str = ""


class Intake:
    """Takes instances from any number of threads.

    Parameters
    ----------
    store : Store
        Where to.
    limits : LimitsConfig
        How much.
    stored : callable
        Called after new instances are in the database.

    """

    def __init__(self, store: Store, limits: LimitsConfig, stored: Callable[[], None] = lambda: None) -> None:
        self.store = store
        self.limits = limits
        self._counts: Counter[str] = Counter()
        self._lock = Lock()
        self._used = (0, -_LOOK_AGAIN_SECONDS)
        self._grown = 0  # bytes since it was looked up
        (row,) = store.database.read("SELECT COALESCE(MAX(id), 0) AS newest FROM instances")
        self._ordinals = itertools.count(row["newest"])
        self._committer = Committer(store, stored, self._grow)

    def begin(self, origin: Origin, announced: Announced) -> Incoming:
        """Begin to take an instance.

        Raises
        ------
        RefusedError
            A UID is none, or there is no room.

        """
        uids = (announced.sop_class, announced.sop_instance, announced.transfer_syntax)
        if not all(map(is_uid, uids)):
            raise RefusedError(Outcome.NOT_UNDERSTOOD, "a UID that announces the instance is none")
        self.check_room()
        try:
            path = self.store.files.new_instance(next(self._ordinals))
        except OSError as error:
            raise _refusal(error) from error
        return Incoming(self, path, origin, announced)

    def check_room(self) -> None:
        """Refuse before the disk is full.

        Raises
        ------
        RefusedError
            There is no room.

        """
        if self.store.files.free() < self.limits.min_free:
            raise RefusedError(Outcome.FULL, "the disk of the node is nearly full")
        if self.limits.max_stored and self._stored_bytes() >= self.limits.max_stored:
            raise RefusedError(Outcome.FULL, "the node keeps as much as it may")

    def commit(self, pending: Pending) -> Future[Answer]:
        """Hand a complete file over; the answer comes when it is on disk."""
        return self._committer.submit(pending)

    def tell(self, answer: Answer, size: int = 0) -> None:
        """Count an answer."""
        with self._lock:
            self._counts[answer.outcome.label] += 1
            self._counts["bytes"] += size

    def counts(self) -> Mapping[str, int]:
        """Return how many instances had each outcome since the start, and under ``"bytes"`` how much came."""
        with self._lock:
            return dict(self._counts)

    def close(self) -> None:
        """Finish what was handed over, and stop."""
        self._committer.close()

    def _grow(self, size: int) -> None:
        """Count what was stored."""
        with self._lock:
            self._grown += size

    def _stored_bytes(self) -> int:
        """Return how much is stored: looked up now and then, and what came since."""
        with self._lock:
            known, at = self._used
            if time.monotonic() - at >= _LOOK_AGAIN_SECONDS:
                known, self._grown = used_bytes(self.store.database), 0
                self._used = (known, time.monotonic())
            return known + self._grown


class Incoming:
    """One instance that is being received into a file that nobody else knows of."""

    def __init__(self, intake: Intake, path: Path, origin: Origin, announced: Announced) -> None:
        self._intake = intake
        self._path = path
        self._part = path.with_suffix(PART)
        self._origin = origin
        self._announced = announced
        self._hash = hashlib.sha256()
        self._size = 0
        start = file_start(
            announced.sop_class, announced.sop_instance, announced.transfer_syntax, origin.calling
        )
        try:
            self._file = os.open(self._part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            self._write(memoryview(start))
        except OSError as error:
            self.discard()
            raise _refusal(error) from error

    def write(self, data: memoryview) -> None:
        """Take the next bytes of the dataset.

        Raises
        ------
        RefusedError
            They are too many, or there is no room. Nothing is left on disk.

        """
        if self._size + len(data) > self._intake.limits.max_instance:
            self.discard()
            raise RefusedError(
                Outcome.TOO_LARGE, f"it has more than {self._intake.limits.max_instance} bytes"
            )
        try:
            self._write(data)
        except OSError as error:
            self.discard()
            raise _refusal(error) from error
        self._hash.update(data)

    def finish(self) -> Future[Answer]:
        """Bring the file to the disk, and hand it over.

        Raises
        ------
        RefusedError
            It is not what was announced, cannot be read, or there is no room. Nothing is left on disk.

        """
        try:
            os.fsync(self._file)
            self._close()
            facts = read_facts(self._part)
            self._compare(facts)
            arrival = self._arrival(facts)
        except OSError as error:
            self.discard()
            raise _refusal(error) from error
        except BaseException:
            self.discard()
            raise
        return self._intake.commit(Pending(self._part, self._path, arrival))

    def discard(self) -> None:
        """Remove the file."""
        self._close()
        self._part.unlink(missing_ok=True)

    def _write(self, data: memoryview) -> None:
        """Write all of the bytes."""
        self._size += len(data)
        while data:
            data = data[os.write(self._file, data) :]

    def _close(self) -> None:
        """Close the file once."""
        file, self._file = getattr(self, "_file", -1), -1
        if file >= 0:
            os.close(file)

    def _compare(self, facts: Facts) -> None:
        """Refuse a dataset that is not the announced instance."""
        for what, said, found in (
            ("SOPClassUID (0008,0016)", self._announced.sop_class, facts.sop_class),
            ("SOPInstanceUID (0008,0018)", self._announced.sop_instance, facts.sop_instance),
        ):
            if said != found:
                raise RefusedError(Outcome.MISMATCH, f"{what} of the dataset is not the announced one")
        if self._announced.study not in ("", facts.study):
            raise RefusedError(Outcome.MISMATCH, "StudyInstanceUID (0020,000D) is not that of the request")

    def _arrival(self, facts: Facts) -> Arrival:
        """Return the row."""
        return Arrival(
            sop_instance_uid=facts.sop_instance,
            sop_class_uid=facts.sop_class,
            transfer_syntax_uid=self._announced.transfer_syntax,
            study_uid=facts.study,
            series_uid=facts.series,
            patient_id=facts.patient_id,
            via=self._origin.via,
            calling=self._origin.calling,
            called=self._origin.called,
            peer=self._origin.peer,
            path=self._intake.store.files.relative(self._path),
            size=self._size,
            sha256=self._hash.hexdigest(),
            received_at=time.time(),
        )


def _refusal(error: OSError) -> RefusedError:
    """Return what a failed write means."""
    if error.errno in _NO_ROOM:
        return RefusedError(Outcome.FULL, "the disk of the node is full")
    return RefusedError(Outcome.FAILED, f"the node cannot write ({error.strerror})")
