"""What is done to the store as a whole: recover after a crash, try again, remove what is no longer needed."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dicomwright_node.store import instances
from dicomwright_node.store.errors import StateError
from dicomwright_node.store.files import remove_folder
from dicomwright_node.store.jobs import move_within
from dicomwright_node.store.records import FINAL

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from dicomwright_node.store.database import Database
    from dicomwright_node.store.files import Files
    from dicomwright_node.store.records import Job, JobState

__all__ = ["Purged", "Recovered", "mend_times", "purge", "recover", "retry", "sweep", "used_bytes"]

_LONGEST_WAIT = 30.0  # seconds
_AHEAD = 60.0  # seconds: clocks are corrected by a little all the time
#: What waits for times of a clock that was ahead.
_TIMES = (
    "UPDATE jobs SET last_input_at = :now WHERE last_input_at > :now + :ahead",
    "UPDATE jobs SET updated_at = :now, not_before = 0 WHERE updated_at > :now + :ahead",
    "UPDATE deliveries SET updated_at = :now, not_before = 0 WHERE updated_at > :now + :ahead",
    "UPDATE instances SET received_at = :now WHERE received_at > :now + :ahead",
)


@dataclass(frozen=True, slots=True)
class Recovered:
    """What a start after a crash found: jobs that run again, deliveries that go on, files that nobody needs."""

    jobs: int
    failed_jobs: int
    deliveries: int
    files: int


@dataclass(frozen=True, slots=True)
class Purged:
    """What was removed."""

    jobs: int
    instances: int


def recover(database: Database, files: Files, *, most_attempts: int = 20) -> Recovered:
    """Bring everything into a state from which it goes on; called once, by the node that holds the folder's lock.

    A job that was running runs again: at once after the first time, later after a wait that doubles, so that others
    go before it. It may be what brings the node down: after `most_attempts` times, at least seven minutes, it fails.
    A delivery that was under way is pending: the ledger knows which files arrived.
    """
    again, failed = 0, 0
    with database.transaction() as write:
        for row in write.execute(
            "SELECT id, attempts FROM jobs WHERE state = 'running' ORDER BY id"
        ).fetchall():
            if row["attempts"] < most_attempts:
                wait = 2.0 ** (row["attempts"] - 2) if row["attempts"] > 1 else 0.0
                move_within(
                    write, row["id"], "running", "ready", not_before=time.time() + min(wait, _LONGEST_WAIT)
                )
                again += 1
            else:
                error = f"the node ended while it ran, {row['attempts']} times"
                move_within(write, row["id"], "running", "failed", error=error)
                failed += 1
        deliveries = write.execute(
            "UPDATE deliveries SET state = 'pending', owner = '' WHERE state = 'sending'"
        ).rowcount
    return Recovered(again, failed, deliveries, sweep(database, files))


def mend_times(database: Database) -> int:
    """Let what was written down while the clock was ahead be of now, or it would wait for then; return how much."""
    with database.transaction() as write:
        values = {"now": time.time(), "ahead": _AHEAD}
        return sum(write.execute(statement, values).rowcount for statement in _TIMES)


def sweep(database: Database, files: Files) -> int:
    """Remove files that no row names, left by a crash; only while nothing is received or runs. Return how many."""
    removed = 0
    for folder, query in (
        ("instances/*/*", "SELECT path FROM instances"),
        ("outputs/*", "SELECT path FROM outputs"),
    ):
        named = {row["path"] for row in database.read(query)}
        named |= {"/".join(path.split("/")[:2]) for path in named if path.startswith("outputs/")}
        orphans = [path for path in files.root.glob(folder) if files.relative(path) not in named]
        files.remove(files.relative(path) for path in orphans)
        removed += len(orphans)
    known = {str(row["id"]) for row in database.read("SELECT id FROM deliveries")}
    ledgers = [path for path in files.root.glob("ledgers/*") if path.name.partition(".")[0] not in known]
    files.remove(map(files.relative, ledgers))
    removed += len(ledgers)
    for path in (files.root / "scratch").iterdir():
        remove_folder(path)
        removed += 1
    return removed


def retry(database: Database, job_id: int) -> Job:
    """Let a failed or timed-out job begin again, with a fresh count of attempts.

    A job that failed in delivery delivers again what is not sent yet; its function does not run again.

    Raises
    ------
    StateError
        The job is in another state, or does not exist.

    """
    with database.transaction() as write:
        row = write.execute("SELECT state FROM jobs WHERE id = ?", (job_id,)).fetchone()
        if row is None or row["state"] not in ("failed", "timed-out"):
            what = f"is {row['state']}" if row else "does not exist"
            raise StateError(f"job {job_id} {what}", hint="only a failed or timed-out job can be tried again")
        unsent = write.execute(
            "UPDATE deliveries SET state = 'pending', attempts = 0, not_before = 0 "
            "WHERE job_id = ? AND state = 'failed'",
            (job_id,),
        ).rowcount
        after: JobState = "processed" if unsent else "ready"
        return move_within(write, job_id, row["state"], after, attempts=0, not_before=0)


def purge(
    database: Database,
    files: Files,
    *,
    before: float | None = None,
    states: Iterable[JobState] = ("done",),
    job_ids: Iterable[int] = (),
    unwanted: bool = True,
) -> Purged:
    """Remove finished jobs with their outputs, and instances that no job needs.

    Rows go first, then files: a crash between leaves files that the next start removes.

    Parameters
    ----------
    database, files : Database, Files
        The node's.
    before : float, optional
        Only what has not changed since then (seconds since 1970).
    states : iterable of str
        Final states of the jobs to remove.
    job_ids : iterable of int
        Only these jobs, and their instances; then `states` and `unwanted` say nothing.
    unwanted : bool
        Instances that no job wanted, too.

    Raises
    ------
    StateError
        A state is not final, or a job is not in a final state.

    """
    limit = time.time() if before is None else before
    chosen = list(job_ids)
    with database.transaction() as write:
        jobs = _chosen(write, chosen) if chosen else _finished(write, list(states), limit)
        candidates, paths = _remove_jobs(write, jobs)
        if unwanted and not chosen:
            rows = write.execute(
                "SELECT id FROM instances WHERE state = 'unwanted' AND received_at <= ?", (limit,)
            )
            candidates |= {row["id"] for row in rows}
        gone = instances.forget(write, sorted(candidates))
    files.remove([*paths, *gone])
    return Purged(len(jobs), len(gone))


def _finished(write: sqlite3.Connection, states: list[JobState], limit: float) -> list[int]:
    """Return the jobs in these final states that have not changed since a time."""
    if not FINAL.issuperset(states):
        raise StateError(f"a job that is {', '.join(sorted({*states} - FINAL))} cannot be removed")
    marks = ", ".join("?" * len(states))
    query = f"SELECT id FROM jobs WHERE state IN ({marks}) AND updated_at <= ?"  # noqa: S608  # only marks
    return [row["id"] for row in write.execute(query, [*states, limit])]


def _chosen(write: sqlite3.Connection, job_ids: list[int]) -> list[int]:
    """Return these jobs, if all of them are finished."""
    for job_id in job_ids:
        row = write.execute("SELECT state FROM jobs WHERE id = ?", (job_id,)).fetchone()
        if row is None or row["state"] not in FINAL:
            what = f"is {row['state']}" if row else "does not exist"
            raise StateError(f"job {job_id} {what}", hint="only a job that has ended can be removed")
    return job_ids


def _remove_jobs(write: sqlite3.Connection, jobs: list[int]) -> tuple[set[int], list[str]]:
    """Remove rows of jobs; return the instances that they had, and what to remove from the folder."""
    candidates: set[int] = set()
    paths: list[str] = []
    for job_id in jobs:
        rows = write.execute("SELECT instance_id FROM job_inputs WHERE job_id = ?", (job_id,))
        candidates |= {row["instance_id"] for row in rows}
        rows = write.execute("SELECT path FROM outputs WHERE job_id = ?", (job_id,))
        paths += {"/".join(row["path"].split("/")[:2]) for row in rows}  # with what is beside an output
        rows = write.execute("SELECT id FROM deliveries WHERE job_id = ?", (job_id,))
        paths += [f"ledgers/{row['id']}.db" for row in rows]
        write.execute("DELETE FROM jobs WHERE id = ?", (job_id,))
    return candidates, paths


def used_bytes(database: Database) -> int:
    """Return how many bytes the files have that the database names."""
    query = "SELECT (SELECT COALESCE(SUM(size), 0) FROM instances) + (SELECT COALESCE(SUM(size), 0) FROM outputs) AS n"
    return int(database.read(query)[0]["n"])
