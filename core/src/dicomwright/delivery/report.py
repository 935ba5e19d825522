"""What became of instances, for people and programs."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from dicomwright.plugins.protocols import DeliveryState

__all__ = ["ARRIVED", "STATES", "DeliveryRow", "DestinationReport", "Report"]

STATES = ("stored", "warning", "refused", "unknown", "pending")
ARRIVED = frozenset({"stored", "warning"})


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """What is known of one instance at one destination; a row of the ledger.

    Attributes
    ----------
    destination : str
        As it is in the ledger.
    sop_instance_uid, sha256 : str
        The instance, and the bytes of its file: another content is another row.
    sop_class_uid, series_instance_uid : str
        What it is.
    file : Path
        Where it was when it was sent last.
    state : str
        ``stored``, ``warning`` (stored, with a remark), ``refused``, ``unknown`` (no answer: stored or not) or
        ``pending`` (not sent yet).
    status, message : str
        The last answer.
    attempts : int
        How often it was sent.
    changed : str
        When the state was written, UTC.

    """

    destination: str
    sop_instance_uid: str
    sha256: str
    sop_class_uid: str
    series_instance_uid: str
    file: Path
    state: DeliveryState
    status: str
    message: str
    attempts: int
    changed: str

    @property
    def arrived(self) -> bool:
        """Whether the destination has it."""
        return self.state in ARRIVED

    def as_dict(self) -> dict[str, Any]:
        """Return it as what JSON can hold."""
        return {
            "file": str(self.file),
            "sop_instance_uid": self.sop_instance_uid,
            "series_instance_uid": self.series_instance_uid,
            "sha256": self.sha256,
            "state": self.state,
            "status": self.status,
            "message": self.message,
            "attempts": self.attempts,
        }


@dataclass(frozen=True, slots=True)
class DestinationReport:
    """What became of all instances at one destination.

    Attributes
    ----------
    destination, sender : str
        Where to, and by which sender.
    rows : tuple of DeliveryRow
        One for each instance, in the order of the files.
    sent : int
        How many were sent by this call; the others had arrived before.
    stopped : str
        Why no more was tried, if time or the user ended it; else empty.

    """

    destination: str
    sender: str
    rows: tuple[DeliveryRow, ...]
    sent: int
    stopped: str = ""

    @property
    def complete(self) -> bool:
        """Whether every instance has arrived."""
        return all(row.arrived for row in self.rows)

    @property
    def counts(self) -> dict[str, int]:
        """How many instances are in each state."""
        return _counts(self.rows)

    def as_dict(self) -> dict[str, Any]:
        """Return it as what JSON can hold; a series is ``sent`` if every instance of it has arrived."""
        series: dict[str, list[DeliveryRow]] = {}
        for row in self.rows:
            series.setdefault(row.series_instance_uid, []).append(row)
        return {
            "destination": self.destination,
            "sender": self.sender,
            "complete": self.complete,
            "counts": self.counts,
            "sent_now": self.sent,
            "stopped": self.stopped,
            "series": [
                {"series_instance_uid": uid, "outcome": _outcome(rows), "counts": _counts(rows)}
                for uid, rows in series.items()
            ],
            "instances": [row.as_dict() for row in self.rows],
        }


@dataclass(frozen=True, slots=True)
class Report:
    """What became of all instances at all destinations.

    Attributes
    ----------
    ledger : Path
        Where it is written down.
    destinations : tuple of DestinationReport
        In the order in which they were given.
    warnings : tuple of str
        What the user should know of the files.

    """

    ledger: Path
    destinations: tuple[DestinationReport, ...]
    warnings: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether every instance has arrived at every destination."""
        return all(one.complete for one in self.destinations)

    @property
    def rows(self) -> tuple[DeliveryRow, ...]:
        """The rows of all destinations."""
        return tuple(row for one in self.destinations for row in one.rows)

    def as_dict(self) -> dict[str, Any]:
        """Return it as what JSON can hold."""
        return {
            "complete": self.complete,
            "ledger": str(self.ledger),
            "warnings": list(self.warnings),
            "destinations": [one.as_dict() for one in self.destinations],
        }


def _counts(rows: Iterable[DeliveryRow]) -> dict[str, int]:
    found = Counter[str](row.state for row in rows)
    return {state: found[state] for state in STATES}


def _outcome(rows: list[DeliveryRow]) -> str:
    """Say whether a series is there: all of it, a part or nothing that is known."""
    arrived = sum(row.arrived for row in rows)
    return "sent" if arrived == len(rows) else "partly sent" if arrived else "not sent"
