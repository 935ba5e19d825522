"""From the archive to a node, through a pipeline, and back into the archive."""

from __future__ import annotations

import time

import numpy as np
import pydicom
import pytest

from workbench.nodes import ServedNode

PIPELINE = """
import os

from dicomwright import Blueprint, DicomFactory, StaticElement
from dicomwright_node import (
    AbstractInput, AbstractPipeline, AbstractProcessor, Address, DicomOutput, MultiOutput,
)
from dicomwright_node.pipeline.grinders import to_array


class CTInput(AbstractInput):
    required_values = {"Modality": "CT"}
    grinder = to_array

    def validate(self):
        return self.images == 4


class Pipeline(AbstractPipeline):
    ae_title = "NODE"
    input = {"ct": CTInput}
    dicom_factory = DicomFactory()
    header_blueprint = Blueprint.load("ct-image") + Blueprint(
        [StaticElement("SeriesDescription", "LO", "Inverted")]
    )

    class Processor(AbstractProcessor):
        def process(self, input_container):
            image = input_container["ct"]
            parents = input_container.datasets["ct"]
            series = self.dicom_factory.build_series(image.max() - image, self.header_blueprint, parents)
            address = Address("127.0.0.1", int(os.environ["ARCHIVE_PORT"]), "ORTHANC")
            options = {"user": os.environ["ARCHIVE_USER"], "password-env": "ARCHIVE_PASSWORD"}
            return MultiOutput(
                [
                    DicomOutput([(address, series)], {"calling-aet": "NODE"}),
                    DicomOutput([(os.environ["ARCHIVE_URL"], series)], options),
                ]
            )
"""


@pytest.fixture
def node(archive, tmp_path, monkeypatch):
    """Start a node that the archive knows as NODE."""
    monkeypatch.setenv("ARCHIVE_PORT", str(archive.dicom_port))
    monkeypatch.setenv("ARCHIVE_URL", archive.url)
    monkeypatch.setenv("ARCHIVE_USER", archive.user)
    monkeypatch.setenv("ARCHIVE_PASSWORD", archive.password)
    config = "[limits]\nmin_free = 0\n[jobs]\nsettle = 0.2\n"
    with ServedNode(tmp_path / "node", PIPELINE, config) as one:
        archive.know("NODE", one.dimse_port)
        yield one


@pytest.mark.parametrize("how", ["c-move", "rest"])
def test_there_and_back(archive, node, send, dicom_url, collection, run_dcmtk, how):
    assert send(dicom_url, source=collection / "ct")[0] == 0
    before = {uid: pydicom.dcmread(path) for uid, path in _by_uid(collection / "ct").items()}
    study = next(iter(before.values())).StudyInstanceUID
    if how == "rest":
        archive.request("POST", "/modalities/node/store", list(archive.instances().values()))
    else:
        keys = ["-k", "QueryRetrieveLevel=STUDY", "-k", f"StudyInstanceUID={study}"]
        run_dcmtk(
            "movescu",
            "-S",
            *keys,
            "-aec",
            archive.title,
            "-aem",
            "NODE",
            "127.0.0.1",
            str(archive.dicom_port),
        )
    end = time.monotonic() + 60
    while not any(line.get("job_state") == "done" for line in node.log()):
        assert time.monotonic() < end, node.text()
        time.sleep(0.1)
    assert [line["stored"] for line in node.log() if line.get("event") == "delivery-sent"] == [4, 4]
    made = [
        pydicom.dcmread(pydicom.filebase.DicomBytesIO(archive.file(uid)))
        for uid in archive.instances().keys() - before.keys()
    ]
    assert len(made) == 4  # sent twice, by C-STORE and by STOW-RS, and there once
    assert {one.SeriesDescription for one in made} == {"Inverted"}
    assert {one.StudyInstanceUID for one in made} == {study}
    assert {one.PatientID for one in made} == {"P-001"}
    largest = max(int(values(one).max()) for one in before.values())
    parents = {tuple(one.ImagePositionPatient): one for one in before.values()}
    for one in made:
        parent = parents[tuple(one.ImagePositionPatient)]
        assert np.array_equal(values(one), largest - values(parent))


def values(dataset):
    """Return the pixels as the modality means them."""
    return dataset.pixel_array * float(dataset.RescaleSlope) + float(dataset.RescaleIntercept)


def _by_uid(folder):
    files = {path: pydicom.dcmread(path, stop_before_pixels=True) for path in folder.iterdir()}
    return {str(dataset.SOPInstanceUID): path for path, dataset in files.items()}
