"""Bring finished outputs to their destinations, and write down how that ended."""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import unquote_to_bytes, urlsplit

from dicomwright.delivery import Policy, deliver
from dicomwright.errors import DicomwrightError
from dicomwright_node.jobs.insist import insist
from dicomwright_node.jobs.privacy import redacted, secrets_of
from dicomwright_node.store import deliveries, instances
from dicomwright_node.store.files import sync_folder

if TYPE_CHECKING:
    import threading

    from dicomwright.delivery import DestinationReport
    from dicomwright_node.jobs.settings import DeliverySection
    from dicomwright_node.store import Store
    from dicomwright_node.store.records import DeliveryRow

__all__ = ["Courier"]

_log = logging.getLogger("dicomwright_node.delivery")
_FINAL_KINDS = frozenset({"destination", "option", "policy"})


class Courier:
    """Delivers outputs.

    Parameters
    ----------
    store : Store
        The node's.
    settings : DeliverySection
        How often and how long.
    stop : threading.Event
        Ends a delivery after the file that is being sent.

    """

    def __init__(self, store: Store, settings: DeliverySection, stop: threading.Event) -> None:
        self._store = store
        self._settings = settings
        self._stop = stop

    def run(self, owner: str) -> bool:
        """Try the oldest delivery that may be tried; tell whether there was one."""
        row = deliveries.claim(self._store.database, owner)
        if row is None:
            return False
        about = {"delivery": row.id, "job": row.job_id, "destination": _where(row)}
        _log.info("delivery begins", extra={"event": "delivery-begins", "attempt": row.attempts, **about})
        (output,) = (
            one
            for one in deliveries.outputs_of_job(self._store.database, row.job_id)
            if one.id == row.output_id
        )
        source = self._store.files.path(output.path)
        try:
            if row.destination.startswith("file:"):
                target = os.fsdecode(unquote_to_bytes(urlsplit(row.destination).path))
                _place(source, Path(target))
                self._conclude(row, "sent", stored=output.files, message="")
            else:
                self._send(row, source)
        except DicomwrightError as error:
            self._failed(row, str(error), for_good=True)
        except OSError as error:  # its path may hold the name of a patient
            self._failed(row, error.strerror or type(error).__name__, for_good=False)
        except Exception as error:  # noqa: BLE001  # a sender's code raises what it likes
            _log.exception("delivery failed", extra={"event": "delivery-error", **about})
            self._failed(row, f"internal error: {type(error).__name__}, see the log", for_good=False)
        return True

    def _send(self, row: DeliveryRow, source: Path) -> None:
        policy = Policy(
            retries=self._settings.retries,
            first_wait=min(1.0, self._settings.first_wait),
            longest_wait=self._settings.first_wait,
            timeout=self._settings.timeout,
        )
        report = deliver(
            source,
            row.destination,
            ledger=self._store.files.ledger(row.id),
            options=row.options,
            policy=policy,
            stop=self._stop,
        )
        (found,) = report.destinations
        counts = {
            "stored": sum(one.arrived for one in found.rows),
            "warnings": found.counts["warning"],
            "failed": sum(not one.arrived for one in found.rows),
        }
        if found.complete:
            self._conclude(row, "sent", message="", **counts)
        elif self._stop.is_set():
            self._conclude(row, "pending", message=_told(found), **counts)
        else:
            self._failed(row, _told(found), for_good=_hopeless(found), **counts)

    def _failed(self, row: DeliveryRow, message: str, *, for_good: bool, **counts: int) -> None:
        """Put a delivery off, or give it up."""
        if for_good or row.attempts >= self._settings.attempts:
            self._conclude(row, "failed", message=message, **counts)
            return
        wait = min(self._settings.first_wait * 2.0 ** min(row.attempts - 1, 30), self._settings.longest_wait)
        self._conclude(row, "pending", message=message, not_before=time.time() + wait, **counts)

    def _conclude(
        self, row: DeliveryRow, state: Literal["pending", "sent", "failed"], **changes: object
    ) -> None:
        if changes.get("message"):  # an archive may have quoted what it got
            found = instances.of_job(self._store.database, row.job_id)
            secrets = secrets_of(self._store.files.path(many[0].path) for many in found.values())
            changes["message"] = redacted(str(changes["message"]), secrets)
        job = insist(
            lambda: deliveries.conclude(self._store.database, row.id, state, **changes),
            self._stop.is_set,
        )
        about = {"delivery": row.id, "job": row.job_id, "destination": _where(row), **changes}
        level = logging.INFO if state == "sent" else logging.WARNING
        about["reason"] = about.pop("message", "")
        _log.log(
            level, "delivery %s", state, extra={"event": f"delivery-{state}", "job_state": job.state, **about}
        )


def _where(row: DeliveryRow) -> str:
    """Return a destination for the log; paths may hold names of patients."""
    return "file:" if row.destination.startswith("file:") else row.destination


def _told(report: DestinationReport) -> str:
    """Say what became of the files that have not arrived."""
    missing = [row for row in report.rows if not row.arrived]
    reasons = dict.fromkeys(
        f"{row.state} {row.status} {row.message}".replace("  ", " ").strip() for row in missing
    )
    text = f"{len(missing)} of {len(report.rows)} files have not arrived: {'; '.join([*reasons][:3])}"
    return f"{text}; {report.stopped}" if report.stopped else text


def _hopeless(report: DestinationReport) -> bool:
    """Tell whether all that has not arrived was refused: sending it again is no use."""
    return all(row.arrived or row.state == "refused" for row in report.rows)


def _place(source: Path, target: Path) -> None:
    """Copy a finished file or folder to where the user wants it, whole or not at all; what is there is replaced."""
    target.parent.mkdir(parents=True, exist_ok=True)
    found = source.stat()  # one name for one source: what a node that was killed left is found again
    whose = f"{found.st_dev}-{found.st_ino}-{found.st_mtime_ns}-".encode() + os.fsencode(target.name)
    part = target.with_name(f".{hashlib.sha256(whose).hexdigest()[:32]}.part")
    _remove(part)
    try:
        if source.is_dir():
            shutil.copytree(source, part)
            for file in part.iterdir():
                _sync_file(file)
            sync_folder(part)
            _replace_folder(part, target)
        else:
            shutil.copyfile(source, part)
            _sync_file(part)
            part.replace(target)
        sync_folder(target.parent)
    finally:
        _remove(part)


def _replace_folder(part: Path, target: Path) -> None:
    old = part.with_suffix(".old")
    _remove(old)
    with suppress(FileNotFoundError):
        target.rename(old)
    part.rename(target)
    _remove(old)


def _remove(path: Path) -> None:
    """Remove a folder, a file or a link, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _sync_file(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
