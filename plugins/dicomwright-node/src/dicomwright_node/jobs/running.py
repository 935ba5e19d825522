"""Run one job: call the user's function elsewhere, and write down how it ended."""

from __future__ import annotations

import logging
import traceback as traceback_of
from pathlib import Path
from time import time
from typing import TYPE_CHECKING, Any

from dicomwright.errors import ExecutionError
from dicomwright_node.jobs.collecting import name_of, told, what_is_missing
from dicomwright_node.jobs.insist import insist
from dicomwright_node.jobs.privacy import redacted, secrets_of
from dicomwright_node.jobs.worker import JobSpec, run_job
from dicomwright_node.store import deliveries, instances, jobs
from dicomwright_node.store.files import remove_folder

if TYPE_CHECKING:
    from collections.abc import Callable

    from dicomwright_node.jobs.settings import JobsSection
    from dicomwright_node.jobs.worker import JobResult
    from dicomwright_node.jobs.written import Written
    from dicomwright_node.pipeline import AbstractPipeline
    from dicomwright_node.store import Store
    from dicomwright_node.store.records import Job, JobState

__all__ = ["Runner"]

_log = logging.getLogger("dicomwright_node.jobs")
_LONGEST = 32 * 1024  # characters of a traceback or an output that are kept


class Runner:
    """Runs jobs that are ready.

    Parameters
    ----------
    store : Store
        The node's.
    pipeline : type of AbstractPipeline
        What they are for.
    settings : JobsSection
        How often a job is tried.
    call : callable
        Calls a function with arguments in a process of its own; gives its value and what it printed.
    stopping : callable
        Tells whether the node stops, so that a job that was ended by it runs again.

    """

    def __init__(
        self,
        store: Store,
        pipeline: type[AbstractPipeline],
        settings: JobsSection,
        call: Callable[..., Any],
        stopping: Callable[[], bool],
    ) -> None:
        self._store = store
        self._pipeline = pipeline
        self._settings = settings
        self._call = call
        self._stopping = stopping

    def run(self, owner: str) -> bool:
        """Run the oldest job that is ready; tell whether there was one."""
        job = jobs.claim(self._store.database, "ready", "running", owner=owner)
        if job is None:
            return False
        _log.info("job runs", extra={"event": "job-runs", "job": job.id, "attempt": job.attempts})
        folder = self._store.files.output_folder(job.id, job.attempts)
        scratch = self._store.files.scratch_folder(job.id, job.attempts)
        try:
            self._run(job, folder, scratch)
        finally:
            remove_folder(scratch)
        return True

    def _run(self, job: Job, folder: Path, scratch: Path) -> None:
        if job.pipeline != name_of(self._pipeline):
            self._fail(job, f"it is a job of the pipeline {job.pipeline}, which this node does not serve")
            return
        found = instances.of_job(self._store.database, job.id)
        paths = {
            name: tuple(str(self._store.files.path(one.path)) for one in many) for name, many in found.items()
        }
        remove_folder(folder)
        spec = JobSpec(paths, job.key, str(folder), str(scratch), job.uid_key)
        secrets = secrets_of(Path(many[0]) for many in paths.values())
        try:
            result, printed = self._called(spec)
            if result.lacking:
                self._give_up(job, what_is_missing(result.lacking))
            else:
                self._finish(job, result, redacted(printed.strip(), secrets))
        except ExecutionError as error:
            remove_folder(folder)
            self._ended(job, error, secrets)
        except Exception as error:  # noqa: BLE001  # whatever it is, the job does not stay half done
            remove_folder(folder)
            message = f"the node could not run it: {type(error).__name__}: {error}"
            self._fail(job, redacted(message, secrets), redacted(traceback_of.format_exc(), secrets))

    def _called(self, spec: JobSpec) -> tuple[JobResult, str]:
        """Call the function; its folder goes before anything is written down, as it may have filled the disk."""
        try:
            value: tuple[JobResult, str] = self._call(run_job, [self._pipeline, spec])
        finally:
            remove_folder(Path(spec.scratch))
        return value

    def _give_up(self, job: Job, missing: str) -> None:
        """Let a job that is not complete wait for the rest: who began it by `retry` may not have known."""
        self._move(job, "timed-out", error=f"inputs are not complete: {missing}")
        about = {"event": "job-timed-out", "job": job.id, "waiting": missing}
        _log.warning("job is not complete", extra=about)

    def _finish(self, job: Job, result: JobResult, log: str) -> None:
        """Write down what a job made; from here on it never runs again."""
        note = {
            "log": log[-_LONGEST:],
            "seconds": round(result.seconds, 3),
            "peak": result.peak,
        }
        database = self._store.database
        insist(lambda: jobs.remember(database, job.id, note), self._stopping)
        outputs = _outputs(result.written, self._store)
        insist(lambda: deliveries.finish(database, job.id, outputs), self._stopping)
        if not outputs:
            insist(lambda: jobs.move(database, job.id, "processed", "done"), self._stopping)
        about = {"event": "job-processed", "job": job.id, "outputs": len(result.written)} | {
            name: note[name] for name in ("seconds", "peak")
        }
        _log.info("job processed", extra=about)

    def _ended(self, job: Job, error: ExecutionError, secrets: frozenset[str]) -> None:
        """Write down how a job failed, or that it runs again."""
        kind = error.problems[0].kind
        if self._stopping():
            self._move(job, "ready", attempts=job.attempts - 1)
            _log.info("job stopped, runs again later", extra={"event": "job-stopped", "job": job.id})
            return
        message = redacted(told(error, self._pipeline), secrets)
        if kind == "killed" and job.attempts < self._settings.attempts:
            wait = self._settings.retry_wait * 2 ** (job.attempts - 1)
            self._move(job, "ready", not_before=time() + wait, error=message)
            _log.warning("job runs again", extra={"event": "job-retried", "job": job.id, "kind": kind})
            return
        text = error.traceback if error.output in error.traceback else f"{error.traceback}\n{error.output}"
        self._fail(job, message, redacted(text, secrets)[-_LONGEST:], kind)

    def _move(self, job: Job, after: JobState, **changes: Any) -> None:
        insist(lambda: jobs.move(self._store.database, job.id, "running", after, **changes), self._stopping)

    def _fail(self, job: Job, message: str, traceback: str = "", kind: str = "") -> None:
        self._move(job, "failed", error=message, traceback=traceback)
        about = {"event": "job-failed", "job": job.id, "kind": kind, "phi": {"error": message}}
        _log.error("job failed", extra=about)


def _outputs(written: list[Written], store: Store) -> list[deliveries.NewOutput]:
    """Return what the database keeps of outputs; one that goes to several destinations is kept once."""
    found: dict[str, deliveries.NewOutput] = {}
    for one in written:
        known = found.get(one.path)
        destinations = dict(known.destinations if known else {}) | {one.destination: one.options}
        found[one.path] = deliveries.NewOutput(
            kind="dicom" if one.kind == "dicom" else "file",
            path=store.files.relative(Path(one.path)),
            files=one.files,
            size=one.size,
            destinations=destinations,
        )
    return list(found.values())
