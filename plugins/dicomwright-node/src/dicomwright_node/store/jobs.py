"""Jobs in the database: how they collect instances, change state, and are claimed by one worker at a time."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from dicomwright_node.store.errors import StateError
from dicomwright_node.store.records import NEXT, Event, Job, JobState, record

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

    from dicomwright_node.store.database import Database

__all__ = [
    "assign",
    "claim",
    "collecting",
    "count",
    "events",
    "find",
    "get",
    "move",
    "move_within",
    "overdue",
    "remember",
]


def assign(
    database: Database,
    pipeline: str,
    key: str,
    inputs: Sequence[tuple[int, str]],
    *,
    deadline: float | None = None,
) -> Job:
    """Let instances join the job that collects for a key, or begin that job.

    One transaction: no instance is ever half assigned.

    Examples
    --------
    >>> from dicomwright_node.store.database import Database
    >>> import pathlib, tempfile, time
    >>> folder = tempfile.TemporaryDirectory()
    >>> database = Database(pathlib.Path(folder.name) / "node.db")
    >>> assign(database, "MyPipeline", "4711", [], deadline=time.time() + 3600).state  # and [(17, "ct"), ...]
    'collecting'
    >>> database.close(); folder.cleanup()

    Parameters
    ----------
    database : Database
        The node's.
    pipeline, key : str
        What the job is for, and what groups its instances.
    inputs : sequence of (int, str)
        Instance and the name of the input that takes it.
    deadline : float, optional
        When a *new* job times out; of one that exists, it stays.

    """
    now = time.time()
    with database.transaction() as write:
        write.execute(
            "INSERT INTO jobs (pipeline, key, created_at, updated_at, deadline) SELECT ?, ?, ?, ?, ? "
            "WHERE NOT EXISTS (SELECT 1 FROM jobs WHERE pipeline = ? AND key = ? AND state = 'collecting')",
            (pipeline, key, now, now, deadline, pipeline, key),
        )
        row = write.execute(
            "UPDATE jobs SET last_input_at = ? WHERE pipeline = ? AND key = ? AND state = 'collecting' RETURNING *",
            (now, pipeline, key),
        ).fetchone()
        write.executemany(
            "INSERT OR IGNORE INTO job_inputs (job_id, instance_id, name) VALUES (?, ?, ?)",
            [(row["id"], instance_id, name) for instance_id, name in inputs],
        )
        write.executemany(
            "UPDATE instances SET state = 'assigned' WHERE id = ?",
            [(instance_id,) for instance_id, _ in inputs],
        )
    return record(Job, row)


def collecting(database: Database, pipeline: str, key: str) -> Job | None:
    """Return the job that collects for a key."""
    rows = database.read(
        "SELECT * FROM jobs WHERE pipeline = ? AND key = ? AND state = 'collecting'", (pipeline, key)
    )
    return record(Job, rows[0]) if rows else None


def move(database: Database, job_id: int, before: JobState, after: JobState, **changes: Any) -> Job:
    """Change the state of a job, in one transaction.

    Examples
    --------
    >>> from dicomwright_node.store.database import Database
    >>> import pathlib, tempfile, time
    >>> folder = tempfile.TemporaryDirectory()
    >>> database = Database(pathlib.Path(folder.name) / "node.db")
    >>> job = assign(database, "MyPipeline", "4711", [])
    >>> move(database, job.id, "collecting", "failed", error="ValueError: no slices").state
    'failed'
    >>> database.close(); folder.cleanup()

    Parameters
    ----------
    database : Database
        The node's.
    job_id : int
        The job.
    before, after : str
        The state that it must be in, and the next one.
    **changes
        ``error``, ``traceback``, ``not_before``, ``deadline`` and ``owner``, as in the table. ``owner`` and
        ``deadline`` are cleared, and ``error`` and ``traceback`` of a job that goes on, unless given.

    Raises
    ------
    StateError
        The job is in another state, or there is none, or the one does not follow the other.

    """
    with database.transaction() as write:
        return move_within(write, job_id, before, after, **changes)


def move_within(
    write: sqlite3.Connection, job_id: int, before: JobState, after: JobState, **changes: Any
) -> Job:
    """Change the state of a job as `move` does, as a part of a transaction."""
    if after not in NEXT[before]:
        raise StateError(f"job {job_id}: {before} is never followed by {after}")
    cleared = {"owner": "", "deadline": None} | ({} if after == "failed" else {"error": "", "traceback": ""})
    values = cleared | changes | {"state": after, "updated_at": time.time()}
    assignments = ", ".join(f"{name} = :{name}" for name in values)
    row = write.execute(
        f"UPDATE jobs SET {assignments} WHERE id = :job_id AND state = :before RETURNING *",  # noqa: S608
        values | {"job_id": job_id, "before": before},
    ).fetchone()
    if row is None:
        found = write.execute("SELECT state FROM jobs WHERE id = ?", (job_id,)).fetchone()
        what = f"is {found['state']}, not {before}" if found else "does not exist"
        raise StateError(f"job {job_id} {what}", hint="see dicomwright node jobs")
    _tell(write, job_id, after, values.get("error", ""))
    return record(Job, row)


def claim(database: Database, before: JobState, after: JobState, owner: str) -> Job | None:
    """Take the oldest job in a state, for one owner alone; None if there is none, or none may be tried yet.

    Examples
    --------
    >>> from dicomwright_node.store.database import Database
    >>> import pathlib, tempfile, time
    >>> folder = tempfile.TemporaryDirectory()
    >>> database = Database(pathlib.Path(folder.name) / "node.db")
    >>> job = assign(database, "MyPipeline", "4711", [])
    >>> job = move(database, job.id, "collecting", "ready")
    >>> claim(database, "ready", "running", owner="worker-1").attempts
    1
    >>> claim(database, "ready", "running", owner="worker-2") is None
    True
    >>> database.close(); folder.cleanup()

    """
    with database.transaction() as write:
        row = write.execute(
            "SELECT id, attempts FROM jobs WHERE state = ? AND not_before <= ? ORDER BY id LIMIT 1",
            (before, time.time()),
        ).fetchone()
        if row is None:
            return None
        more = {"attempts": row["attempts"] + 1} if after == "running" else {}
        return move_within(write, row["id"], before, after, owner=owner, **more)


def get(database: Database, job_id: int) -> Job | None:
    """Return a job."""
    rows = database.read("SELECT * FROM jobs WHERE id = ?", (job_id,))
    return record(Job, rows[0]) if rows else None


def find(
    database: Database, states: Iterable[JobState] = (), *, limit: int = 100, before_id: int | None = None
) -> list[Job]:
    """Return jobs, the newest first; of all states if none is named, page by page by `before_id`."""
    wanted = list(states)
    marks = ", ".join("?" * len(wanted))
    where = [f"state IN ({marks})"] if wanted else []
    values: list[Any] = [*wanted]
    if before_id is not None:
        where.append("id < ?")
        values.append(before_id)
    condition = f"WHERE {' AND '.join(where)}" if where else ""
    query = f"SELECT * FROM jobs {condition} ORDER BY id DESC LIMIT ?"  # noqa: S608  # only marks and names of ours
    return [record(Job, row) for row in database.read(query, [*values, limit])]


def count(database: Database) -> dict[str, int]:
    """Return how many jobs are in each state."""
    rows = database.read("SELECT state, COUNT(*) AS number FROM jobs GROUP BY state")
    return {row["state"]: row["number"] for row in rows}


def overdue(database: Database, state: JobState) -> list[Job]:
    """Return the jobs in a state whose deadline is over."""
    rows = database.read(
        "SELECT * FROM jobs WHERE state = ? AND deadline <= ? ORDER BY id", (state, time.time())
    )
    return [record(Job, row) for row in rows]


def events(database: Database, job_id: int) -> list[Event]:
    """Return the history of a job."""
    rows = database.read("SELECT at, state, message FROM job_events WHERE job_id = ? ORDER BY id", (job_id,))
    return [record(Event, row) for row in rows]


def remember(database: Database, job_id: int, note: dict[str, Any]) -> None:
    """Replace the note of a job."""
    with database.transaction() as write:
        write.execute("UPDATE jobs SET note = ? WHERE id = ?", (json.dumps(note), job_id))


def _tell(write: sqlite3.Connection, job_id: int, state: JobState, message: str) -> None:
    """Add a line to the history of a job."""
    write.execute(
        "INSERT INTO job_events (job_id, at, state, message) VALUES (?, ?, ?, ?)",
        (job_id, time.time(), state, message),
    )
