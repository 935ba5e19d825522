"""A node that is killed again and again while it processes and sends: each series arrives once, whole."""

from __future__ import annotations

import random
import time
from collections import Counter

from pydicom import dcmread
from pynetdicom import AE, evt
from pynetdicom.sop_class import CTImageStorage

from dicomwright_node.store import Store, jobs
from workbench.nodes import ServedNode, ct_instance

PATIENTS, SLICES, KILLS = 12, 6, 15
PIPELINE = """
import os, time
from dicomwright import Blueprint
from dicomwright_node import AbstractInput, AbstractPipeline, AbstractProcessor, Address, DicomOutput
from dicomwright_node.pipeline.grinders import to_array


class CTInput(AbstractInput):
    required_values = {"Modality": "CT"}
    grinder = to_array

    def validate(self):
        return self.images == 6


class Pipeline(AbstractPipeline):
    ae_title = "NODE"
    input = {"ct": CTInput}
    header_blueprint = Blueprint.load("ct-image")

    class Processor(AbstractProcessor):
        def process(self, input_container):
            time.sleep(0.3)
            image = input_container["ct"] + int.from_bytes(os.urandom(1), "big")  # never the same again
            series = self.dicom_factory.build_series(image, self.header_blueprint, input_container.datasets["ct"])
            return DicomOutput([(Address("127.0.0.1", int(os.environ["TRIAL_PORT"]), "PACS"), series)])
"""
CONFIG = """
[jobs]
settle = 0.1
[delivery]
first_wait = 0.2
longest_wait = 1
attempts = 1000
[limits]
min_free = 0
"""


def test_kills_while_jobs_run_and_are_sent(tmp_path, figure):
    arrived = Counter()

    def store(event):
        dataset = event.dataset
        arrived[(str(dataset.PatientID), str(dataset.SOPInstanceUID))] += 1
        time.sleep(0.05)
        return 0x0000

    archive = AE("PACS")
    archive.add_supported_context(CTImageStorage)
    server = archive.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_STORE, store)])
    seed = time.time_ns()
    chance = random.Random(seed)
    node = ServedNode(
        tmp_path / "node", PIPELINE, CONFIG, {"TRIAL_PORT": str(server.socket.getsockname()[1])}
    )
    try:
        node.start()
        send(node.dimse_port)
        for _ in range(KILLS):
            time.sleep(chance.uniform(0.1, 3.0))
            node.kill()
            node.start()
        states = finished(node)
        assert node.stop() == 0
    finally:
        node.kill()
        server.shutdown()
    assert states == Counter(done=PATIENTS), f"seed {seed}"
    by_patient = Counter(patient for patient, _ in arrived)
    assert by_patient == {f"P{number}": SLICES for number in range(PATIENTS)}, f"seed {seed}"
    broken = [path for path in node.kept.rglob("*.dcm") if not dcmread(path).PixelData]
    assert broken == []
    assert list((node.kept / "scratch").iterdir()) == []
    figure(
        "kills-of-jobs",
        kills=KILLS,
        instances=PATIENTS * SLICES,
        arrived=len(arrived),
        sent_again=sum(arrived.values()) - len(arrived),
        seed=seed,
    )


def send(port):
    """Send the series of all patients."""
    entity = AE("TRIAL")
    entity.add_requested_context(CTImageStorage)
    association = entity.associate("127.0.0.1", port, ae_title="NODE")
    assert association.is_established
    for number in range(PATIENTS):
        for one in range(1, SLICES + 1):
            dataset = ct_instance(
                one, series=f"2.25.9{number}", PatientID=f"P{number}", FrameOfReferenceUID="2.25.5"
            )
            assert association.send_c_store(dataset).Status == 0
    association.release()


def finished(node):
    """Wait until all jobs have ended; return how many are in which state."""
    store = Store.open(node.kept)
    try:
        deadline = time.monotonic() + 240
        while time.monotonic() < deadline:
            counts = jobs.count(store.database)
            if sum(counts.get(state, 0) for state in ("done", "failed", "timed-out")) == PATIENTS:
                break
            time.sleep(0.2)
        return Counter(jobs.count(store.database))
    finally:
        store.close()
