"""Rows as values, and the states that they go through."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Literal, TypeVar

if TYPE_CHECKING:
    import sqlite3

Record = TypeVar("Record", "Instance", "Job", "Event", "Output", "DeliveryRow")

__all__ = [
    "FINAL",
    "NEXT",
    "Arrival",
    "DeliveryRow",
    "DeliveryRowState",
    "Event",
    "Instance",
    "InstanceState",
    "Job",
    "JobState",
    "Output",
    "record",
]

InstanceState = Literal["received", "assigned", "unwanted"]
JobState = Literal[
    "collecting",  # instances join
    "ready",  # complete; waits for a worker
    "running",  # the user's function works
    "processed",  # its output is finished and on disk
    "delivering",  # on its way to the destinations
    "done",
    "failed",  # the function or a delivery failed for good; `retry` begins again
    "timed-out",  # never complete
    "discarded",  # given up by the user or the pipeline
]
DeliveryRowState = Literal["pending", "sending", "sent", "failed"]

#: Which state may follow which. ``running`` to ``ready``: the node died, or the job is tried again.
NEXT: dict[JobState, frozenset[JobState]] = {
    "collecting": frozenset({"ready", "failed", "timed-out", "discarded"}),
    "ready": frozenset({"running", "failed", "discarded"}),
    "running": frozenset({"processed", "ready", "failed", "timed-out", "discarded"}),
    "processed": frozenset({"delivering", "done", "failed"}),
    "delivering": frozenset({"done", "failed"}),
    "done": frozenset(),
    "failed": frozenset({"ready", "processed", "discarded"}),
    "timed-out": frozenset({"ready", "discarded"}),
    "discarded": frozenset(),
}
#: The states in which nothing happens by itself.
FINAL: frozenset[JobState] = frozenset({"done", "failed", "timed-out", "discarded"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """An instance whose file is complete, on its way into the database.

    Attributes
    ----------
    sop_instance_uid, sop_class_uid, transfer_syntax_uid, study_uid, series_uid, patient_id : str
        As the dataset says; empty if it does not.
    via : {"dimse", "stow"}
        How it came.
    calling, called, peer : str
        AE titles and the address of the sender.
    path : str
        The file, relative to the node's folder.
    size : int
        Bytes of the file.
    sha256 : str
        Of the dataset as it came, in hexadecimal.
    received_at : float
        Seconds since 1970.

    """

    sop_instance_uid: str
    sop_class_uid: str
    transfer_syntax_uid: str
    study_uid: str
    series_uid: str
    patient_id: str
    via: Literal["dimse", "stow"]
    calling: str
    called: str
    peer: str
    path: str
    size: int
    sha256: str
    received_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance(Arrival):
    """A received instance.

    Attributes
    ----------
    id : int
        Its ordinal, by arrival.
    state : {"received", "assigned", "unwanted"}
        ``"received"``: no job has looked at it yet.
    reason : str
        Why it is unwanted.

    """

    id: int
    state: InstanceState
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job: instances that are processed together, once. Columns as in ``schema.sql``."""

    id: int
    pipeline: str
    key: str
    state: JobState
    attempts: int
    owner: str
    error: str
    traceback: str
    note: dict[str, Any]
    uid_key: str
    created_at: float
    updated_at: float
    last_input_at: float | None
    not_before: float
    deadline: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One change of a job's state."""

    at: float
    state: JobState
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """A finished folder of DICOM files, or a file, that a job made. Its path is relative to the node's folder."""

    id: int
    job_id: int
    kind: Literal["dicom", "file"]
    path: str
    files: int
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRow:
    """One output on its way to one destination. What became of each file is in the ledger of `dicomwright.delivery`."""

    id: int
    job_id: int
    output_id: int
    destination: str
    options: dict[str, str]
    state: DeliveryRowState
    attempts: int
    stored: int
    warnings: int
    failed: int
    message: str
    owner: str
    not_before: float
    updated_at: float


def record(kind: type[Record], row: sqlite3.Row) -> Record:
    """Return a row as a value; columns that hold JSON are read."""
    values = {field.name: row[field.name] for field in fields(kind)}
    for name in {"note", "options"} & values.keys():
        values[name] = json.loads(values[name])
    return kind(**values)
