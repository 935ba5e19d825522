"""A node that is killed goes on where it was: nothing is lost, nothing gets another name."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from dicomwright_node.store import Store, jobs

CONFIG = """
[node]
folder = "node"
[dimse]
enabled = false
[http]
enabled = false
[limits]
min_free = 0
[jobs]
settle = 0.05
[delivery]
first_wait = 0.2
"""


class Process:
    """A node that serves, as its administrator starts it."""

    def __init__(self, folder, pipeline, **variables):
        (folder / "node.toml").write_text(CONFIG)
        self.folder = folder
        self._command = [
            *(sys.executable, "-m", "dicomwright", "node", "serve"),
            *(f"trial_pipelines:{pipeline}", "--config", str(folder / "node.toml")),
        ]
        modules = str(Path(__file__).parent / "modules")
        self._environment = {**os.environ, "PYTHONPATH": os.pathsep.join([modules, *sys.path]), **variables}
        self.process = None

    def start(self, **variables):
        with (self.folder / "node.log").open("ab") as log:
            self.process = subprocess.Popen(self._command, env=self._environment | variables, stderr=log)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def events(self):
        """Return the events of the log."""
        lines = (self.folder / "node.log").read_text().splitlines()
        return [json.loads(line)["event"] for line in lines if line.startswith("{")]

    def until(self, condition):
        deadline = time.monotonic() + 60
        while not condition():
            assert self.process.poll() is None, (self.folder / "node.log").read_text()
            assert time.monotonic() < deadline, (self.folder / "node.log").read_text()
            time.sleep(0.02)


@pytest.fixture
def make_process(tmp_path):
    """Return `make_process(pipeline, **environment) -> Process` over a node's folder in the test's."""
    made = []

    def make(pipeline, **variables):
        made.append(Process(tmp_path, pipeline, **variables))
        return made[-1]

    yield make
    for one in made:
        if one.process and one.process.poll() is None:
            one.kill()


@pytest.fixture
def state(tmp_path):
    """Return `state() -> state` of the only job."""
    store = Store.open(tmp_path / "node")
    yield lambda: (jobs.get(store.database, 1) or type("None", (), {"state": ""})).state
    store.close()


@pytest.fixture
def received(make_node, patient, tmp_path):
    """Let the node's folder hold a series that nobody has looked at."""
    node = make_node(tmp_path / "node", "Inverted")
    node.scheduler.stop(0)
    node.receive(patient("one"))
    node.store.close()


@pytest.mark.usefixtures("received")
def test_killed_while_it_processes(make_process, state, tmp_path):
    results = tmp_path / "results"
    process = make_process("Inverted", TRIAL_FOLDER=str(results))
    process.start(TRIAL_SECONDS="600")
    process.until(lambda: state() == "running" and list((tmp_path / "node/scratch").iterdir()))
    process.kill()
    process.start(TRIAL_SECONDS="0")
    process.until(lambda: state() == "done")
    assert (results / "report.txt").read_text() == "one: 3 slices"
    assert sorted(path.name for path in (results / "series").iterdir()) == [
        "00001.dcm",
        "00002.dcm",
        "00003.dcm",
    ]
    assert [path.name for path in (tmp_path / "node/outputs").iterdir()] == ["1-2"]
    assert Counter(process.events())["job-processed"] == 1
    process.process.send_signal(signal.SIGTERM)
    assert process.process.wait(20) == 0


@pytest.fixture
def archive():
    """Start an archive that takes its time; return its port and the UIDs that it was sent."""
    from pynetdicom import AE, evt
    from pynetdicom.sop_class import CTImageStorage

    uids = []

    def store(event):
        uids.append(str(event.request.AffectedSOPInstanceUID))
        time.sleep(0.4)
        return 0x0000

    entity = AE("PACS")
    entity.add_supported_context(CTImageStorage)
    server = entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_STORE, store)])
    yield server.socket.getsockname()[1], uids
    server.shutdown()


@pytest.fixture
def many(make_node, patient, tmp_path):
    """Let the node's folder hold a job of three slices, ready to run."""
    node = make_node(tmp_path / "node", "Sent")
    node.scheduler.stop(0)
    node.receive(patient("one", count=3))
    node.store.close()


@pytest.mark.usefixtures("many")
def test_killed_while_it_sends(make_process, state, archive):
    port, uids = archive
    process = make_process("Sent", TRIAL_PORT=str(port))
    process.start()
    process.until(lambda: len(uids) == 2)
    process.kill()
    before = set(uids)
    process.start()
    process.until(lambda: state() == "done")
    assert len(set(uids)) == 3
    assert before < set(uids)
    assert len(uids) <= 4  # at most the one that was on its way is sent again
    assert Counter(process.events())["job-processed"] == 1
