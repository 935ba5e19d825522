"""The pages of a node whose jobs are made up, on a port of this machine."""

from __future__ import annotations

import hashlib
import http.client
import threading
import time
from types import SimpleNamespace
from urllib.parse import urlencode

import numpy as np
import pytest

HOSTILE = '<script>document.title="owned"</script>'
QUOTES = "\"' onmouseover=alert(1) \x07\u202e"


class Site:
    """A store, the pages over it, and a client."""

    def __init__(self, folder, **settings):
        from dicomwright_node import AbstractPipeline
        from dicomwright_node.config import LimitsConfig, NodeConfig
        from dicomwright_node.store import Store
        from dicomwright_node.web import routes
        from dicomwright_node.web.settings import WebSection

        self.store = Store.open(folder)
        self.woken = 0
        self.scheduler = SimpleNamespace(healthy=True, running=1, wake=self._wake)
        config = NodeConfig(web=WebSection(**settings), limits=LimitsConfig(min_free=0))
        self.routes = routes(self.store, AbstractPipeline, config, self.scheduler)
        self._count = 0

    def _wake(self):
        self.woken += 1

    def serve(self):
        """Start the server."""
        import uvicorn
        from starlette.applications import Starlette

        config = uvicorn.Config(
            Starlette(routes=self.routes), host="127.0.0.1", port=0, log_level="error", lifespan="off"
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        while not self._server.started:
            time.sleep(0.01)
        self.port = self._server.servers[0].sockets[0].getsockname()[1]

    def stop(self):
        self._server.should_exit = True
        self._thread.join(10)
        self.store.close()

    def ask(self, path, method="GET", form=None, **headers):
        """Return status, headers and text of an answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        body = urlencode(form) if form is not None else None
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if form is not None:
            named["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            connection.request(method, path, body, named)
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()

    def text(self, path):
        """Return a page that is there."""
        status, _, body = self.ask(path)
        assert status == 200, body
        return body.decode()

    def receive(self, datasets):
        """Put instances into the store and return their ordinals."""
        from dicomwright_node.store import instances
        from dicomwright_node.store.records import Arrival

        arrivals = []
        for dataset in datasets:
            path = self.store.files.new_instance(self._count)
            self._count += 1
            dataset.save_as(path, enforce_file_format=True)
            arrivals.append(
                Arrival(
                    sop_instance_uid=dataset.SOPInstanceUID,
                    sop_class_uid=dataset.SOPClassUID,
                    transfer_syntax_uid=dataset.file_meta.TransferSyntaxUID,
                    study_uid=dataset.StudyInstanceUID,
                    series_uid=dataset.SeriesInstanceUID,
                    patient_id=dataset.PatientID,
                    via="stow",
                    calling=QUOTES,
                    called="",
                    peer="127.0.0.1",
                    path=self.store.files.relative(path),
                    size=path.stat().st_size,
                    sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
                    received_at=time.time(),
                )
            )
        instances.add(self.store.database, arrivals)
        return [one.id for one in instances.newly_received(self.store.database)]


def fill(site, make_series):
    """Make a job of each kind: done, failed, timed out, collecting; and an instance that nobody wanted."""
    from dicomwright_node.store import instances, jobs

    _make_done(site, make_series)
    name = {"PatientName": "Doe^Jane", "PatientID": "HUSH-4711"}
    failed = _job(site, make_series(shape=(2, 6, 4), seed=2, elements=name | {"SeriesDescription": HOSTILE}))
    jobs.move(site.store.database, failed, "collecting", "ready")
    jobs.claim(site.store.database, "ready", "running", "test")
    error = f"ValueError: {HOSTILE} {QUOTES}"
    traceback = f"Traceback:\n  in process\n{error}"
    jobs.move(site.store.database, failed, "running", "failed", error=error, traceback=traceback)
    late = _job(site, make_series(shape=(1, 6, 4), seed=3, elements=name))
    jobs.move(site.store.database, late, "collecting", "timed-out", error="not complete")
    waiting = _job(site, make_series(shape=(1, 6, 4), seed=4, elements=name))
    jobs.remember(site.store.database, waiting, {"waiting": "ct has 1 images"})
    (unwanted,) = site.receive(make_series(shape=(1, 6, 4), seed=5))
    instances.set_aside(site.store.database, unwanted, f"no input takes it: {HOSTILE}")


def _job(site, datasets):
    from dicomwright_node.store import jobs

    found = site.receive(datasets)
    return jobs.assign(site.store.database, "p", "HUSH-4711", [(one, "ct") for one in found]).id


def _make_done(site, make_series):
    from dicomwright import Blueprint, DicomFactory
    from dicomwright_node import DicomOutput
    from dicomwright_node.jobs.written import write_output
    from dicomwright_node.store import deliveries, jobs

    elements = {
        "PatientName": "Doe^Jane",
        "PatientID": "HUSH-4711",
        "SeriesDescription": "Thorax & <b>more</b>",
    }
    parents = make_series(shape=(3, 6, 4), spacing=(2.5, 1.0, 2.0), elements=elements)
    job = _job(site, parents)
    jobs.move(site.store.database, job, "collecting", "ready")
    jobs.claim(site.store.database, "ready", "running", "test")
    image = np.stack([dataset.pixel_array for dataset in parents])
    series = DicomFactory().build_series(image, Blueprint.load("ct-image"), parents)
    folder = site.store.files.output_folder(job, 1)
    (written,) = write_output(DicomOutput([("dicom://PACS@127.0.0.1:104", series)]), folder)
    new = deliveries.NewOutput(
        kind="dicom",
        path=f"outputs/{job}-1/01",
        files=3,
        size=written.size,
        destinations={written.destination: {}},
    )
    jobs.remember(site.store.database, job, {"log": f"INFO {HOSTILE}", "seconds": 1.5, "peak": 2**26})
    deliveries.finish(site.store.database, job, [new])
    row = deliveries.claim(site.store.database, "test")
    deliveries.conclude(site.store.database, row.id, "sent", stored=3)


@pytest.fixture(scope="module")
def make_site(make_series, tmp_path_factory):
    """Return `make_site(show_phi=..., ...) -> Site`, filled and served."""
    made = []

    def make(**settings):
        site = Site(tmp_path_factory.mktemp("site"), **settings)
        fill(site, make_series)
        site.serve()
        made.append(site)
        return site

    yield make
    for site in made:
        site.stop()


@pytest.fixture(scope="module")
def site(make_site):
    """Return a site with the settings that it has without a configuration."""
    return make_site()
