"""From received instances to jobs that are ready: who takes an instance, is a job complete, has it waited too long."""

from __future__ import annotations

import logging
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dicomwright.errors import ExecutionError
from dicomwright_node.jobs.privacy import redacted, secrets_of
from dicomwright_node.jobs.worker import Lacking, run_job, what_lack
from dicomwright_node.pipeline import AbstractInput, PipelineError
from dicomwright_node.pipeline.routing import Route, Router
from dicomwright_node.store import instances, jobs

if TYPE_CHECKING:
    from collections.abc import Callable

    from dicomwright_node.jobs.settings import JobsSection
    from dicomwright_node.pipeline import AbstractPipeline
    from dicomwright_node.store import Store
    from dicomwright_node.store.records import Instance, Job

#: The files of a job by input.
Paths = dict[str, tuple[str, ...]]

__all__ = ["Collector", "name_of", "told", "what_is_missing"]

_log = logging.getLogger("dicomwright_node.jobs")
_AT_ONCE = 50  # jobs that are asked in one process, ...
_INSTANCES = 2000  # ... unless they have more instances
_SECONDS = 120.0  # for their answers

#: Jobs of the same pipeline and key that have, or had, an instance of a series, the latest first.
_OF_SERIES = """
SELECT jobs.id, jobs.state FROM jobs JOIN job_inputs ON job_inputs.job_id = jobs.id
JOIN instances ON instances.id = job_inputs.instance_id
WHERE instances.series_uid = ? AND jobs.pipeline = ? AND jobs.key = ?
AND jobs.state NOT IN ('collecting', 'discarded')
ORDER BY jobs.id DESC LIMIT 1
"""


#: Jobs that have had a pause, the oldest first, with the number of their instances.
_PAUSED = """
SELECT jobs.id AS id, COUNT(instance_id) AS number FROM jobs JOIN job_inputs ON job_id = jobs.id
WHERE state = 'collecting' AND pipeline = ? AND last_input_at <= ? GROUP BY jobs.id ORDER BY jobs.id
"""


def told(error: ExecutionError, pipeline: type[AbstractPipeline]) -> str:
    """Return what an error says, in terms of the user's class."""
    message = error.problems[0].message
    for function in (what_lack, run_job):
        message = message.replace(f"{function.__module__}.{function.__qualname__}", pipeline.__qualname__)
    return message


def what_is_missing(lacking: Lacking) -> str:
    """Return in words what a job lacks."""
    return ", ".join(f"{name} has {images} images" for name, images in lacking.items())


def name_of(pipeline: type[AbstractPipeline]) -> str:
    """Return the name of a pipeline in the database."""
    return f"{pipeline.__module__}:{pipeline.__qualname__}"


def _first_of(due: dict[int, int]) -> list[int]:
    """Return the first jobs, as many as are asked at once; there is one at least."""
    total = 0
    chosen: list[int] = []
    for job_id, count in due.items():
        total += count
        if chosen and (total > _INSTANCES or len(chosen) == _AT_ONCE):
            break
        chosen.append(job_id)
    return chosen


class Collector:
    """Brings instances together into jobs, and jobs from collecting to ready.

    Parameters
    ----------
    store : Store
        The node's.
    pipeline : type of AbstractPipeline
        What the jobs are for.
    settings : JobsSection
        The times.
    call : callable
        Calls a function with arguments in a process of its own, for some seconds at most; gives its value and what it
        printed.
    stopping : callable
        Tells whether the node stops.

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
        self._stopping = stopping
        self._pipeline = pipeline
        self._settings = settings
        self._call = call
        self._router = Router(pipeline)
        self._joining = threading.Lock()  # no instance joins a job while it becomes ready
        self._asked: dict[int, int] = {}  # how many instances a job had when it was asked
        asks = [kind.validate is not AbstractInput.validate for kind in pipeline.input.values()]
        self._asks = any(asks)
        self._pause = max(self._quiet(kind) for kind in pipeline.input.values())

    def _quiet(self, kind: type[AbstractInput]) -> float:
        if kind.quiet is not None:
            return float(kind.quiet)
        own = kind.validate is not AbstractInput.validate
        return self._settings.settle if own else self._settings.quiet

    def assign(self) -> bool:
        """Give new instances to jobs; tell whether there were any."""
        found = instances.newly_received(self._store.database)
        groups: dict[str, list[tuple[int, str]]] = {}
        earlier: dict[tuple[str, str], tuple[int, str] | None] = {}
        with self._joining:
            for instance in found:
                route = self._route(instance)
                if route is None:
                    continue
                series = instance.series_uid, route.key
                if series not in earlier:
                    earlier[series] = self._earlier(*series)
                groups.setdefault(route.key, []).extend(
                    self._joining_with(instance, route.input, earlier[series])
                )
            for key, inputs in groups.items():
                if inputs:
                    self._join(key, inputs)
            for job_id in {one[0] for one in earlier.values() if one is not None and one[1] == "timed-out"}:
                told = "more instances came: another job goes on"
                jobs.move(self._store.database, job_id, "timed-out", "discarded", error=told)
        return bool(found)

    def _route(self, instance: Instance) -> Route | None:
        """Return the input and the key of an instance; None if it is not wanted."""
        try:
            route = self._router.route(self._router.read(self._store.files.path(instance.path)))
        except PipelineError as error:
            self._set_aside(instance, error.problems[0].message)
            return None
        if not route.input:
            self._set_aside(instance, route.reason)
            return None
        return route

    def _earlier(self, series_uid: str, key: str) -> tuple[int, str] | None:
        """Return the job of a key that took a series before, and its state."""
        rows = self._store.database.read(_OF_SERIES, (series_uid, name_of(self._pipeline), key))
        return (rows[0]["id"], rows[0]["state"]) if rows else None

    def _joining_with(
        self, instance: Instance, name: str, earlier: tuple[int, str] | None
    ) -> list[tuple[int, str]]:
        """Return what joins a job: an instance, and all of a job that timed out; nothing if the instance is late."""
        if earlier is None:
            return [(instance.id, name)]
        job_id, state = earlier
        if state != "timed-out":
            self._set_aside(instance, f"late: job {job_id} took its series before it came")
            return []
        others = instances.of_job(self._store.database, job_id)
        return [(instance.id, name), *((one.id, other) for other in others for one in others[other])]

    def _set_aside(self, instance: Instance, reason: str) -> None:
        instances.set_aside(self._store.database, instance.id, reason)
        about = {
            "event": "instance-unwanted",
            "sop_instance_uid": instance.sop_instance_uid,
            "reason": reason,
        }
        _log.warning("instance not wanted", extra=about)

    def _join(self, key: str, inputs: list[tuple[int, str]]) -> None:
        deadline = time.time() + self._settings.timeout
        job = jobs.assign(self._store.database, name_of(self._pipeline), key, inputs, deadline=deadline)
        about = {"event": "job-collects", "job": job.id, "instances": len(inputs), "phi": {"key": key}}
        _log.debug("instances joined a job", extra=about)

    def settle(self) -> bool:
        """Ask jobs that have had a pause whether they are complete; tell whether there was one."""
        paused = self._paused(self._pause)
        due = {job_id: count for job_id, count in paused.items() if self._asked.get(job_id) != count}
        if not due:
            return False
        asked = [self._asked_of(job_id) for job_id in _first_of(due)]
        try:
            answers = self._answers([paths for _, _, paths in asked])
        except ExecutionError as error:
            if self._stopping():
                return False
            if len(asked) == 1:
                self._fail(*asked[0], error)
                return True
            for one in asked:  # one of them is to blame
                self._ask(*one)
            return True
        for (job, count, _), lacking in zip(asked, answers, strict=True):
            self._take_answer(job, count, lacking)
        return True

    def _asked_of(self, job_id: int) -> tuple[Job, int, Paths]:
        """Return a job, the number of its instances, and their files by input."""
        job = jobs.get(self._store.database, job_id)
        assert job is not None
        found = instances.of_job(self._store.database, job_id)
        paths = {
            name: tuple(str(self._store.files.path(one.path)) for one in many) for name, many in found.items()
        }
        return job, sum(map(len, paths.values())), paths

    def _answers(self, asked: list[Paths]) -> list[Lacking]:
        """Return what jobs lack; where the user's code answers, it does so in a process of its own."""
        missing = [{name: 0 for name in self._pipeline.input if not paths.get(name)} for paths in asked]
        whole = [paths for paths, lacking in zip(asked, missing, strict=True) if not lacking]
        if not self._asks or not whole:
            return missing
        answers, _ = self._call(what_lack, [self._pipeline, whole], _SECONDS)
        given = iter(answers)
        return [lacking or next(given) for lacking in missing]

    def _ask(self, job: Job, count: int, paths: Paths) -> None:
        """Ask one job."""
        try:
            (lacking,) = self._answers([paths])
        except ExecutionError as error:
            if not self._stopping():
                self._fail(job, count, paths, error)
            return
        self._take_answer(job, count, lacking)

    def _take_answer(self, job: Job, count: int, lacking: Lacking) -> None:
        self._asked[job.id] = count
        if lacking:
            self._wait_on(job, lacking)
        else:
            self._make_ready(job, count)

    def _paused(self, seconds: float) -> dict[int, int]:
        """Return the jobs without a new instance for some time, and how many instances they have."""
        values = (name_of(self._pipeline), time.time() - seconds)
        return {row["id"]: row["number"] for row in self._store.database.read(_PAUSED, values)}

    def _count(self, job_id: int) -> int:
        rows = self._store.database.read(
            "SELECT COUNT(*) AS number FROM job_inputs WHERE job_id = ?", (job_id,)
        )
        return int(rows[0]["number"])

    def _wait_on(self, job: Job, lacking: Lacking) -> None:
        waiting = what_is_missing(lacking)
        jobs.remember(self._store.database, job.id, job.note | {"waiting": waiting})
        _log.info("job is not complete", extra={"event": "job-waits", "job": job.id, "waiting": waiting})

    def _make_ready(self, job: Job, count: int) -> None:
        with self._joining:
            if self._count(job.id) != count:
                return  # more came meanwhile: it is asked again
            jobs.move(self._store.database, job.id, "collecting", "ready")
        self._asked.pop(job.id, None)
        _log.info("job is ready", extra={"event": "job-ready", "job": job.id, "instances": count})

    def _fail(self, job: Job, count: int, paths: Paths, error: ExecutionError) -> None:
        """End a job whose inputs cannot be asked."""
        secrets = secrets_of(Path(many[0]) for many in paths.values())
        message = redacted(told(error, self._pipeline), secrets)
        traceback = redacted(error.traceback, secrets)
        with self._joining:
            jobs.move(
                self._store.database, job.id, "collecting", "failed", error=message, traceback=traceback
            )
        about = {"event": "job-failed", "job": job.id, "instances": count, "phi": {"error": message}}
        _log.error("the inputs of a job cannot be asked", extra=about)

    def expire(self) -> bool:
        """End the jobs that have waited too long."""
        paused = self._paused(self._settings.timeout)
        overdue = [job_id for job_id, count in paused.items() if self._asked.get(job_id) == count]
        for job_id in overdue:
            waiting = self._asked_of(job_id)[0].note.get("waiting", "")
            message = f"not complete after {self._settings.timeout:g} s without a new instance: {waiting}"
            with self._joining:
                jobs.move(self._store.database, job_id, "collecting", "timed-out", error=message)
            self._asked.pop(job_id, None)
            about = {"event": "job-timed-out", "job": job_id, "waiting": waiting}
            _log.warning("job timed out", extra=about)
        return bool(overdue)
