"""Received instances in the database."""

from __future__ import annotations

from dataclasses import fields
from operator import attrgetter
from typing import TYPE_CHECKING, Literal

from dicomwright_node.store.records import Arrival, Instance, record

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

    from dicomwright_node.store.database import Database

__all__ = [
    "Outcome",
    "add",
    "assigned_to",
    "count",
    "counts_of_job",
    "forget",
    "known",
    "newly_received",
    "of_job",
    "set_aside",
]

#: ``"new"``: in the database; ``"same"``: the same bytes are there already; ``"other"``: other bytes of that UID are.
Outcome = Literal["new", "same", "other"]

_COLUMNS = [field.name for field in fields(Arrival)]
_values = attrgetter(*_COLUMNS)
#: What was set aside, and is sent again, is looked at again: the pipeline may have been mended meanwhile.
_AGAIN = (
    "UPDATE instances SET state = 'received', reason = '' WHERE sop_instance_uid = ? AND state = 'unwanted'"
)
_INSERT = (
    f"INSERT INTO instances ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))}) "  # noqa: S608
    "ON CONFLICT (sop_instance_uid) DO NOTHING"
)


def add(database: Database, arrivals: Sequence[Arrival]) -> list[Outcome]:
    """Add instances in one transaction: when this returns, they are on disk.

    Of several with one SOPInstanceUID the first is kept. The files of those that are not ``"new"`` are the
    caller's to remove.

    Examples
    --------
    >>> from dicomwright_node.store.database import Database
    >>> import pathlib, tempfile, time
    >>> folder = tempfile.TemporaryDirectory()
    >>> database = Database(pathlib.Path(folder.name) / "node.db")
    >>> arrival = Arrival(
    ...     sop_instance_uid="2.25.1", sop_class_uid="1.2.840.10008.5.1.4.1.1.2", series_uid="2.25.2",
    ...     transfer_syntax_uid="1.2.840.10008.1.2.1", study_uid="2.25.3", patient_id="4711", via="dimse",
    ...     calling="CT1", called="NODE", peer="127.0.0.1", path="instances/000000/0.dcm", size=1, sha256="ab",
    ...     received_at=time.time(),
    ... )
    >>> add(database, [arrival])
    ['new']
    >>> add(database, [arrival])
    ['same']
    >>> database.close(); folder.cleanup()

    """
    with database.transaction() as write:
        return [_add(write, arrival) for arrival in arrivals]


def _add(write: sqlite3.Connection, arrival: Arrival) -> Outcome:
    """Insert one row, or say how it differs from the one that is there."""
    if write.execute(_INSERT, _values(arrival)).rowcount == 1:
        return "new"
    row = write.execute(
        "SELECT sha256, transfer_syntax_uid FROM instances WHERE sop_instance_uid = ?",
        (arrival.sop_instance_uid,),
    ).fetchone()
    if tuple(row) != (arrival.sha256, arrival.transfer_syntax_uid):
        return "other"
    write.execute(_AGAIN, (arrival.sop_instance_uid,))
    return "same"


def known(database: Database, sop_instance_uid: str) -> Instance | None:
    """Return the instance with a SOPInstanceUID."""
    rows = database.read("SELECT * FROM instances WHERE sop_instance_uid = ?", (sop_instance_uid,))
    return record(Instance, rows[0]) if rows else None


def newly_received(database: Database, limit: int = 1000) -> list[Instance]:
    """Return instances that no job has looked at, in the order of their arrival."""
    rows = database.read("SELECT * FROM instances WHERE state = 'received' ORDER BY id LIMIT ?", (limit,))
    return [record(Instance, row) for row in rows]


def set_aside(database: Database, instance_id: int, reason: str) -> None:
    """Mark an instance as unwanted: it stays until retention removes it."""
    with database.transaction() as write:
        write.execute(
            "UPDATE instances SET state = 'unwanted', reason = ? WHERE id = ?", (reason, instance_id)
        )


def of_job(database: Database, job_id: int) -> dict[str, list[Instance]]:
    """Return the instances of a job by the name of the input, in the order of their arrival."""
    rows = database.read(
        "SELECT instances.*, job_inputs.name AS input FROM instances "
        "JOIN job_inputs ON instance_id = id WHERE job_id = ? ORDER BY id",
        (job_id,),
    )
    found: dict[str, list[Instance]] = {}
    for row in rows:
        found.setdefault(row["input"], []).append(record(Instance, row))
    return found


def counts_of_job(database: Database, job_id: int) -> dict[str, int]:
    """Return how many instances each input of a job has."""
    rows = database.read(
        "SELECT name, COUNT(*) AS number FROM job_inputs WHERE job_id = ? GROUP BY name ORDER BY MIN(instance_id)",
        (job_id,),
    )
    return {row["name"]: row["number"] for row in rows}


def assigned_to(database: Database, instance_id: int) -> list[int]:
    """Return the jobs that an instance belongs to."""
    rows = database.read("SELECT DISTINCT job_id FROM job_inputs WHERE instance_id = ?", (instance_id,))
    return [row["job_id"] for row in rows]


def count(database: Database) -> dict[str, int]:
    """Return how many instances are in each state."""
    rows = database.read("SELECT state, COUNT(*) AS number FROM instances GROUP BY state")
    return {row["state"]: row["number"] for row in rows}


def forget(write: sqlite3.Connection, instance_ids: Iterable[int]) -> list[str]:
    """Remove instances that no job has, within a transaction; return their files, to be removed after it."""
    paths = []
    for instance_id in instance_ids:
        row = write.execute(
            "DELETE FROM instances WHERE id = ? AND NOT EXISTS "
            "(SELECT 1 FROM job_inputs WHERE instance_id = instances.id) RETURNING path",
            (instance_id,),
        ).fetchone()
        if row is not None:
            paths.append(row["path"])
    return paths
