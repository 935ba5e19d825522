"""The pages: written on the server, so that they work without JavaScript."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response

from dicomwright.errors import DicomwrightError
from dicomwright.executors import ProcessExecutor
from dicomwright_node.jobs.collecting import name_of
from dicomwright_node.store import deliveries, instances, jobs, upkeep
from dicomwright_node.store.records import NEXT
from dicomwright_node.web.thumbnail import render
from dicomwright_node.web.views import ago, clock, inputs_of, outputs_of, visible

if TYPE_CHECKING:
    from starlette.requests import Request

    from dicomwright_node.jobs import Scheduler
    from dicomwright_node.pipeline import AbstractPipeline
    from dicomwright_node.store import Store
    from dicomwright_node.store.records import Job
    from dicomwright_node.web.guard import Guard
    from dicomwright_node.web.settings import WebSection

__all__ = ["Pages"]

_ON_A_PAGE = 50
_KEPT_PICTURES = 256
_PICTURE_SECONDS = 30.0
_PICTURE_MEMORY = 2 * 2**30
_CAN_RETRY = frozenset({"failed", "timed-out"})


class Pages:
    """The handlers of the pages.

    Parameters
    ----------
    store, pipeline, settings, scheduler, guard
        As `dicomwright_node.web.routes` is given them.

    """

    def __init__(
        self,
        store: Store,
        pipeline: type[AbstractPipeline],
        settings: WebSection,
        scheduler: Scheduler,
        guard: Guard,
    ) -> None:
        self._store = store
        self._settings = settings
        self._scheduler = scheduler
        self._guard = guard
        self._pictures: OrderedDict[str, bytes] = OrderedDict()
        self._lock = threading.Lock()
        self._templates = Environment(
            loader=PackageLoader("dicomwright_node.web"),
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters |= {"clock": clock, "ago": ago, "visible": visible}
        self._templates.globals |= {
            "pipeline": name_of(pipeline),
            "show_phi": settings.show_phi,
            "token": guard.token,
            "can_retry": _CAN_RETRY,
        }

    def jobs(self, request: Request) -> Response:
        """List jobs, the newest first."""
        state = request.query_params.get("state", "")
        before = request.query_params.get("before", "")
        states: Any = [state] if state in NEXT else []
        last = int(before) if before.isascii() and before.isdigit() and len(before) < 16 else None  # noqa: PLR2004
        found = jobs.find(self._store.database, states, limit=_ON_A_PAGE + 1, before_id=last)
        shown = found[:_ON_A_PAGE]
        return self._page(
            "jobs.html",
            jobs=[self._row(job) for job in shown],
            counts=jobs.count(self._store.database),
            states=list(NEXT),
            chosen=state if states else "",
            more=shown[-1].id if len(found) > _ON_A_PAGE else None,
            unwanted=instances.count(self._store.database).get("unwanted", 0),
        )

    def _row(self, job: Job) -> dict[str, Any]:
        """Return a line of the list."""
        images = instances.counts_of_job(self._store.database, job.id)
        outputs = [
            one for one in deliveries.outputs_of_job(self._store.database, job.id) if one.kind == "dicom"
        ]
        picture = f"/jobs/{job.id}/outputs/{outputs[0].id}.png" if outputs else f"/jobs/{job.id}/inputs/0.png"
        return {
            "job": job,
            "images": images,
            "picture": picture if images else "",
            "put_off": deliveries.put_off(self._store.database, job.id),
        }

    def job(self, request: Request) -> Response:
        """Show one job."""
        job = jobs.get(self._store.database, request.path_params["job"])
        if job is None:
            return self._missing()
        return self._page(
            "job.html",
            job=job,
            inputs=inputs_of(self._store, job),
            outputs=outputs_of(self._store, job, show_phi=self._settings.show_phi),
            events=jobs.events(self._store.database, job.id),
            tags_open="tags" in request.query_params,
        )

    def unwanted(self, _: Request) -> Response:
        """List the last instances that no job wanted."""
        rows = self._store.database.read(
            "SELECT sop_instance_uid, series_uid, calling, via, reason, received_at FROM instances "
            "WHERE state = 'unwanted' ORDER BY id DESC LIMIT 200"
        )
        return self._page("unwanted.html", rows=rows)

    def retry(self, request: Request) -> Response:
        """Let a job begin again."""
        job_id = request.path_params["job"]
        try:
            upkeep.retry(self._store.database, job_id)
        except DicomwrightError as error:
            return self._page("problem.html", 409, message=str(error), job_id=job_id)
        self._scheduler.wake()
        return RedirectResponse(f"/jobs/{job_id}", 303)

    def output_picture(self, request: Request) -> Response:
        """Show the middle slice of an output."""
        wanted = request.path_params["output"]
        for output in deliveries.outputs_of_job(self._store.database, request.path_params["job"]):
            folder = self._store.files.path(output.path)
            if output.id == wanted and folder.is_dir():
                return self._picture(f"output-{wanted}", [str(path) for path in sorted(folder.glob("*.dcm"))])
        return self._missing()

    def input_picture(self, request: Request) -> Response:
        """Show the middle slice of an input."""
        many = [*instances.of_job(self._store.database, request.path_params["job"]).values()]
        index = request.path_params["index"]
        if index >= len(many):
            return self._missing()
        paths = [str(self._store.files.path(one.path)) for one in many[index]]
        return self._picture(f"input-{request.path_params['job']}-{index}-{len(paths)}", paths)

    def _picture(self, name: str, paths: list[str]) -> Response:
        """Return a picture that was made before, or make it."""
        with self._lock:
            found = self._pictures.get(name)
        if found is None:
            found = self._rendered(paths)
            with self._lock:
                self._pictures[name] = found
                while len(self._pictures) > _KEPT_PICTURES:
                    self._pictures.popitem(last=False)
        return Response(found, media_type="image/png") if found else self._missing()

    def _rendered(self, paths: list[str]) -> bytes:
        """Return a picture, made where hostile pixels do no harm; empty if there is none."""
        if not paths:
            return b""
        try:
            made: bytes = ProcessExecutor().run(
                render, [paths, self._settings.show_phi], seconds=_PICTURE_SECONDS, memory=_PICTURE_MEMORY
            )
        except DicomwrightError:
            return b""
        return made

    def _page(self, template: str, status: int = 200, **values: Any) -> Response:
        text = self._templates.get_template(template).render(now=time.time(), **values)
        return HTMLResponse(text, status)

    def _missing(self) -> Response:
        return PlainTextResponse("there is no such thing\n", 404)
