"""``dicomwright node jobs``, ``retry`` and ``purge``: look at the jobs of a node's folder, and change them."""

from __future__ import annotations

import json
import sqlite3
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dicomwright.errors import Problem
    from dicomwright_node.store import Store
    from dicomwright_node.store.records import Job, JobState

__all__ = ["jobs", "purge", "retry"]

_STATES = (
    "collecting",
    "ready",
    "running",
    "processed",
    "delivering",
    "done",
    "failed",
    "timed-out",
    "discarded",
)
_FINAL = ("done", "failed", "timed-out", "discarded")
_DAY = 86400.0
_NUMBER = click.IntRange(1, 2**63 - 1)  # of a job, as the database can hold it


def _of_node(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say which node is meant."""
    for option in (
        click.option("--debug", is_flag=True, help="Show the traceback of an error."),
        click.option(
            "--folder",
            type=click.Path(path_type=Path),
            metavar="DIR",
            help="The node's folder, if there is no --config.",
        ),
        click.option(
            "--config",
            "config_file",
            type=click.Path(path_type=Path),
            metavar="FILE",
            help="The configuration that the node is served with.",
        ),
    ):
        command = option(command)
    return command


@click.command(short_help="List jobs, or show one.")
@click.argument("job_id", metavar="[JOB]", type=_NUMBER, required=False)
@click.option("--state", "states", multiple=True, type=click.Choice(_STATES), help="Only jobs in this state.")
@click.option(
    "--limit", default=100, show_default=True, type=click.IntRange(1, 100_000), help="Most jobs to list."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--show-phi", is_flag=True, help="Print what groups the instances, such as the PatientID, too.")
@_of_node
def jobs(job_id: int | None, **given: Any) -> None:
    """List the jobs of a node, the newest first; with JOB, show one with its history and its traceback.

    It works while the node serves, and while it does not.

    \b
    dicomwright node jobs --config node.toml --state failed
    dicomwright node jobs 17 --json
    """  # noqa: D301  # a real backspace: it keeps the lines below it apart in the help
    from dicomwright_node.store import jobs as rows

    with_phi = given["show_phi"]
    with _store(given) as store:
        if job_id is not None:
            _print(_whole(store, _job(store, job_id), with_phi=with_phi), given["as_json"])
            return
        found = rows.find(store.database, given["states"], limit=given["limit"])
        if given["as_json"]:
            listed = [_row(store, job, with_phi=with_phi) for job in found]
            click.echo(json.dumps({"counts": rows.count(store.database), "jobs": listed}, indent=2))
        else:
            for line in _table(store, found, with_phi=with_phi):
                click.echo(line)


@click.command(short_help="Let a failed job begin again.")
@click.argument("job_ids", metavar="JOB...", type=_NUMBER, nargs=-1, required=True)
@_of_node
def retry(job_ids: tuple[int, ...], **given: Any) -> None:
    """Let failed or timed-out jobs begin again.

    A job that failed in delivery delivers what has not arrived; its function does not run again. A node that serves
    takes it up within seconds, another one when it serves.

    \b
    dicomwright node retry 17 --config node.toml
    """  # noqa: D301  # a real backspace: it keeps the lines below it apart in the help
    from dicomwright_node.store import upkeep
    from dicomwright_node.store.errors import StateError

    problems: list[Problem] = []
    with _store(given) as store:
        for job_id in dict.fromkeys(job_ids):
            try:
                job = upkeep.retry(store.database, job_id)
                click.echo(f"job {job.id} is {job.state}")
            except StateError as error:
                problems += error.problems
    if problems:
        raise StateError.collect(problems)


@click.command(short_help="Remove finished jobs, their instances and outputs.")
@click.argument("job_ids", metavar="[JOB...]", type=_NUMBER, nargs=-1)
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice(_FINAL),
    help="Jobs in this state; done if none is given.",
)
@click.option(
    "--days", default=0.0, type=click.FloatRange(0), help="Only what has not changed for so many days."
)
@click.option("--unwanted", is_flag=True, help="Instances that no job wanted, too.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@_of_node
def purge(job_ids: tuple[int, ...], **given: Any) -> None:
    """Remove finished jobs with their outputs, and the instances that no other job has.

    What was delivered stays where it is.

    \b
    dicomwright node purge --days 7 --config node.toml
    dicomwright node purge 17 18 --config node.toml
    """  # noqa: D301  # a real backspace: it keeps the lines below it apart in the help
    from dicomwright_node.store import upkeep

    if job_ids and (given["states"] or given["days"] or given["unwanted"]):
        raise click.UsageError("numbers of jobs say all: give them without --state, --days and --unwanted")
    states: tuple[JobState, ...] = given["states"] or ("done",)
    with _store(given) as store:
        gone = upkeep.purge(
            store.database,
            store.files,
            before=time.time() - given["days"] * _DAY,
            states=states,
            job_ids=dict.fromkeys(job_ids),
            unwanted=given["unwanted"],
        )
    if given["as_json"]:
        click.echo(json.dumps({"jobs": gone.jobs, "instances": gone.instances}))
    else:
        click.echo(f"removed: {gone.jobs} jobs, {gone.instances} instances")


@contextmanager
def _store(given: dict[str, Any]) -> Iterator[Store]:
    """Open the folder of the node that is meant, which is there already, and close it in the end."""
    from dicomwright_node.config import NodeConfig, load
    from dicomwright_node.store import Store
    from dicomwright_node.store.errors import StoreError

    config = NodeConfig() if given["config_file"] is None else load(given["config_file"])
    folder = given["folder"] or config.node.folder
    try:
        is_node = (folder / "node.db").is_file()
    except OSError as error:
        message = f"{folder} cannot be read ({error.strerror})"
        raise StoreError(message, hint="a node's folder belongs to its user: be that one") from error
    if not is_node:
        raise StoreError(f"{folder} is no folder of a node", hint="give --config or --folder")
    store = Store.open(folder)
    try:
        yield store
    except sqlite3.Error as error:
        message = f"{folder}: the node's database cannot be used: {error}"
        raise StoreError(message, hint="see whether the disk is full, and make some room") from error
    finally:
        store.close()


def _job(store: Store, job_id: int) -> Job:
    from dicomwright_node.store import jobs as rows
    from dicomwright_node.store.errors import StateError

    job = rows.get(store.database, job_id)
    if job is None:
        raise StateError(f"job {job_id} does not exist", hint="see dicomwright node jobs")
    return job


def _row(store: Store, job: Job, *, with_phi: bool) -> dict[str, Any]:
    """Return a job as what JSON can hold."""
    from dicomwright_node.store import deliveries, instances

    images = instances.counts_of_job(store.database, job.id)
    known = ("id", "pipeline", "state", "attempts", "error", "created_at", "updated_at")
    row = {name: getattr(job, name) for name in known} | {"images": images}
    if job.state == "collecting":
        row["waiting"] = job.note.get("waiting", "")
    if job.state == "delivering":
        row["waiting"] = deliveries.put_off(store.database, job.id)
    return row | ({"key": job.key} if with_phi else {})


def _whole(store: Store, job: Job, *, with_phi: bool) -> dict[str, Any]:
    """Return all that is known of a job."""
    from dicomwright_node.store import deliveries
    from dicomwright_node.store import jobs as rows

    sent = {one.id: one for one in deliveries.outputs_of_job(store.database, job.id)}
    return _row(store, job, with_phi=with_phi) | {
        "traceback": job.traceback,
        "log": job.note.get("log", ""),
        "seconds": job.note.get("seconds"),
        "deliveries": [
            {
                "output": sent[one.output_id].path,
                "destination": one.destination
                if with_phi or not one.destination.startswith("file:")
                else "a file",
                "state": one.state,
                "attempts": one.attempts,
                "arrived": one.stored,
                "message": one.message,
            }
            for one in deliveries.of_job(store.database, job.id)
        ],
        "history": [
            {"at": event.at, "state": event.state, "message": event.message}
            for event in rows.events(store.database, job.id)
        ],
    }


def _table(store: Store, found: list[Job], *, with_phi: bool) -> Iterator[str]:
    """Yield the lines of a list of jobs."""
    from dicomwright_node.web.views import clock, visible

    if not found:
        yield "there are no jobs"
        return
    for job in found:
        row = _row(store, job, with_phi=with_phi)
        images = ", ".join(f"{name} {count}" for name, count in row["images"].items()) or "-"
        key = f"  {job.key}" if with_phi else ""
        told = job.error or row.get("waiting") or ""
        line = f"{job.id:>6}  {job.state:<10}  {clock(job.updated_at)}  {images}{key}  {told}"
        yield visible(line.rstrip()).replace("\n", " ")


def _print(whole: dict[str, Any], as_json: bool) -> None:
    """Print one job."""
    from dicomwright_node.web.views import clock, visible

    if as_json:
        click.echo(json.dumps(whole, indent=2))
        return
    images = ", ".join(f"{name} {count}" for name, count in whole["images"].items())
    lines = [
        f"job {whole['id']} is {whole['state']}: {images}",
        whole["error"],
        whole["traceback"],
        whole["log"],
    ]
    lines += [
        f"{one['destination']}: {one['state']}, {one['arrived']} arrived {one['message']}".rstrip()
        for one in whole["deliveries"]
    ]
    lines += [f"{clock(one['at'])}  {one['state']}" for one in whole["history"]]
    for line in lines:
        if line:
            click.echo(visible(line).rstrip())
