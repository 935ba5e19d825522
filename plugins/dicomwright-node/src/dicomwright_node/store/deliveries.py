"""Finished outputs and their deliveries in the database."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from dicomwright_node.store.errors import StateError
from dicomwright_node.store.jobs import move_within
from dicomwright_node.store.records import DeliveryRow, Job, Output, record

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dicomwright_node.store.database import Database

__all__ = ["NewOutput", "claim", "conclude", "count", "finish", "of_job", "outputs_of_job", "put_off"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOutput:
    """A finished folder or file, and where it is to go.

    Attributes
    ----------
    kind : {"dicom", "file"}
        What it is.
    path : str
        Relative to the node's folder; it must be on disk (synced) by now.
    files, size : int
        How many files, and their bytes.
    destinations : mapping of str to mapping
        URLs that ``dicomwright send`` takes, each with the options of its sender. Empty: it stays here.

    """

    kind: Literal["dicom", "file"]
    path: str
    files: int
    size: int
    destinations: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def finish(database: Database, job_id: int, outputs: Sequence[NewOutput]) -> Job:
    """End a running job with its outputs and their deliveries, all in one transaction.

    A node that is killed before runs the job again; one that is killed after never does.

    Raises
    ------
    StateError
        The job is not running (any more).

    """
    now = time.time()
    with database.transaction() as write:
        job = move_within(write, job_id, "running", "processed")
        for output in outputs:
            (output_id,) = write.execute(
                "INSERT INTO outputs (job_id, kind, path, files, size) VALUES (?, ?, ?, ?, ?) RETURNING id",
                (job_id, output.kind, output.path, output.files, output.size),
            ).fetchone()
            write.executemany(
                "INSERT INTO deliveries (job_id, output_id, destination, options, updated_at) VALUES (?, ?, ?, ?, ?)",
                [
                    (job_id, output_id, url, json.dumps(dict(opts)), now)
                    for url, opts in output.destinations.items()
                ],
            )
    return job


def claim(database: Database, owner: str) -> DeliveryRow | None:
    """Take the oldest delivery that may be tried now, for one owner alone.

    Its job, if it is ``processed``, becomes ``delivering``.
    """
    now = time.time()
    with database.transaction() as write:
        row = write.execute(
            "UPDATE deliveries SET state = 'sending', owner = ?, attempts = attempts + 1, updated_at = ? WHERE id = "
            "(SELECT deliveries.id FROM deliveries JOIN jobs ON jobs.id = job_id "
            "WHERE deliveries.state = 'pending' AND deliveries.not_before <= ? "
            "AND jobs.state IN ('processed', 'delivering') ORDER BY deliveries.id LIMIT 1) RETURNING *",
            (owner, now, now),
        ).fetchone()
        if row is None:
            return None
        (state,) = write.execute("SELECT state FROM jobs WHERE id = ?", (row["job_id"],)).fetchone()
        if state == "processed":
            move_within(write, row["job_id"], "processed", "delivering")
    return record(DeliveryRow, row)


def conclude(
    database: Database,
    delivery_id: int,
    state: Literal["pending", "sent", "failed"],
    **changes: Any,
) -> Job:
    """Record how an attempt ended; the last delivery of a job ends the job, in the same transaction.

    The job becomes ``done`` when all its deliveries are ``sent``, and ``failed`` when none is open and one failed.

    Parameters
    ----------
    database : Database
        The node's.
    delivery_id : int
        A delivery that is ``sending``.
    state : {"pending", "sent", "failed"}
        ``"pending"``: it is tried again, not before ``not_before``.
    **changes
        ``stored``, ``warnings``, ``failed``, ``message`` and ``not_before``, as in the table.

    Raises
    ------
    StateError
        The delivery is not ``sending``.

    """
    values = {"owner": ""} | changes | {"state": state, "updated_at": time.time()}
    assignments = ", ".join(f"{name} = :{name}" for name in values)
    with database.transaction() as write:
        row = write.execute(
            f"UPDATE deliveries SET {assignments} WHERE id = :id AND state = 'sending' RETURNING *",  # noqa: S608
            values | {"id": delivery_id},
        ).fetchone()
        if row is None:
            raise StateError(f"delivery {delivery_id} is not being sent")
        states = write.execute(
            "SELECT state, destination, message FROM deliveries WHERE job_id = ? ORDER BY id",
            (row["job_id"],),
        ).fetchall()
        job = write.execute("SELECT * FROM jobs WHERE id = ?", (row["job_id"],)).fetchone()
        if {one["state"] for one in states} & {"pending", "sending"}:
            return record(Job, job)
        failed = [
            f"{_told(one['destination'])}: {one['message']}" for one in states if one["state"] == "failed"
        ]
        after: Literal["failed", "done"] = "failed" if failed else "done"
        return move_within(write, row["job_id"], "delivering", after, error="; ".join(failed))


def _told(destination: str) -> str:
    """Return a destination for a message: a path may hold the name of a patient."""
    return "a file" if destination.startswith("file:") else destination


def of_job(database: Database, job_id: int) -> list[DeliveryRow]:
    """Return the deliveries of a job."""
    rows = database.read("SELECT * FROM deliveries WHERE job_id = ? ORDER BY id", (job_id,))
    return [record(DeliveryRow, row) for row in rows]


def put_off(database: Database, job_id: int) -> str:
    """Return why a delivery of a job has to be tried again later; empty if none has."""
    query = (
        "SELECT message FROM deliveries WHERE job_id = ? AND state = 'pending' AND attempts > 0 ORDER BY id"
    )
    rows = database.read(query, (job_id,))
    return str(rows[0]["message"]) if rows else ""


def outputs_of_job(database: Database, job_id: int) -> list[Output]:
    """Return the outputs of a job."""
    return [
        record(Output, row)
        for row in database.read("SELECT * FROM outputs WHERE job_id = ? ORDER BY id", (job_id,))
    ]


def count(database: Database) -> dict[str, int]:
    """Return how many deliveries are in each state."""
    rows = database.read("SELECT state, COUNT(*) AS number FROM deliveries GROUP BY state")
    return {row["state"]: row["number"] for row in rows}
