"""A node without a network: instances are put into its store, its scheduler does the rest."""

from __future__ import annotations

import hashlib
import importlib
import time
from pathlib import Path

import pytest

TIMES = {"settle": 0.05, "quiet": 0.05, "timeout": 60.0, "seconds": 60.0, "retry_wait": 0.05}


class Node:
    """A store, a scheduler, and what tests want of them."""

    def __init__(self, folder, pipeline, delivery=None, **settings):
        from dicomwright_node.config import NodeConfig
        from dicomwright_node.jobs import Scheduler
        from dicomwright_node.jobs.settings import DeliverySection, JobsSection
        from dicomwright_node.store import Store, upkeep

        self.store = Store.open(folder)
        self.recovered = upkeep.recover(self.store.database, self.store.files)
        jobs = JobsSection(**(TIMES | settings))
        config = NodeConfig(jobs=jobs, delivery=DeliverySection(**(delivery or {})))
        self.scheduler = Scheduler(self.store, pipeline, config)
        self.count = 0

    def receive(self, datasets):
        """Take in data sets as a receiver does; return what became of each."""
        from dicomwright_node.store import instances

        outcomes = instances.add(self.store.database, [self._arrival(dataset) for dataset in datasets])
        self.scheduler.wake()
        return outcomes

    def _arrival(self, dataset):
        from dicomwright_node.store.records import Arrival

        path = self.store.files.new_instance(self.count)
        self.count += 1
        dataset.save_as(path, enforce_file_format=True)
        return Arrival(
            sop_instance_uid=dataset.SOPInstanceUID,
            sop_class_uid=dataset.SOPClassUID,
            transfer_syntax_uid=dataset.file_meta.TransferSyntaxUID,
            study_uid=dataset.StudyInstanceUID,
            series_uid=dataset.SeriesInstanceUID,
            patient_id=str(dataset.PatientID or ""),
            via="dimse",
            calling="TRIAL",
            called="NODE",
            peer="127.0.0.1",
            path=self.store.files.relative(path),
            size=path.stat().st_size,
            sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
            received_at=time.time(),
        )

    def jobs(self):
        """Return all jobs, the oldest first."""
        from dicomwright_node.store import jobs

        return jobs.find(self.store.database)[::-1]

    def unwanted(self):
        """Return why instances were not wanted."""
        rows = self.store.database.read("SELECT reason FROM instances WHERE state = 'unwanted' ORDER BY id")
        return [row["reason"] for row in rows]

    def until(self, condition, seconds=150.0):
        """Wait until a condition holds, and return what it gives."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = condition()
            if found:
                return found
            time.sleep(0.02)
        pytest.fail(f"it did not come to that: {[(job.key, job.state, job.error) for job in self.jobs()]}")

    def ended(self, count):
        """Wait until so many jobs have ended, and return them by key."""
        from dicomwright_node.store.records import FINAL

        def found():
            done = [job for job in self.jobs() if job.state in FINAL]
            return done if len(done) >= count else None

        return {job.key: job for job in self.until(found)}


@pytest.fixture(scope="session")
def trial_modules():
    """Let processes of jobs import the pipelines of these tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(Path(__file__).parent / "modules")
        yield importlib.import_module("trial_pipelines")


@pytest.fixture(scope="module")
def make_node(trial_modules):
    """Return `make_node(folder, name of a pipeline, ...) -> Node`, started."""
    made = []

    def make(folder, name, **settings):
        node = Node(folder, getattr(trial_modules, name), **settings)
        node.scheduler.start()
        made.append(node)
        return node

    yield make
    for node in made:
        node.scheduler.stop(0)
        node.store.close()


@pytest.fixture(scope="session")
def patient(make_series):
    """Return `patient(key, modality="CT", count=3, seed=1) -> datasets` of a series."""

    def make(key, modality="CT", count=3, seed=1):
        elements = {"PatientID": key, "PatientName": "Doe^Jane", "PatientBirthDate": "19700102"}
        return make_series(modality, shape=(count, 6, 4), seed=seed, elements=elements)

    return make
