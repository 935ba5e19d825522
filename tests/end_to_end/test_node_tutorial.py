"""The tutorial's pipeline, served: from dcmtk's storescu through the node to an archive."""

from __future__ import annotations

from pathlib import Path

import pydicom
import pytest
from pydicom.data import get_testdata_file

from workbench.fixtures import ROOT
from workbench.nodes import ServedNode


@pytest.fixture
def archive():
    """Start a small archive; return its port and the data sets that it was sent."""
    from pynetdicom import AE, AllStoragePresentationContexts, evt

    received = []

    def store(event):
        dataset = event.dataset
        dataset.file_meta = event.file_meta
        received.append(dataset)
        return 0x0000

    entity = AE("PACS")
    entity.supported_contexts = AllStoragePresentationContexts
    server = entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_STORE, store)])
    yield server.socket.getsockname()[1], received
    server.shutdown()


def pipeline(port):
    """Return the text of the tutorial's pipeline, which sends to another port."""
    page = (ROOT / "docs/tutorial/first-node.md").read_text(encoding="utf-8")
    text = page.split("```python\n")[1].split("```")[0]
    assert text.count("class MyPipeline(AbstractPipeline)") == text.count("11174") == 1
    return text.replace("11174", str(port)) + "\n\nclass Pipeline(MyPipeline):\n    pass\n"


def test_from_storescu_to_an_archive(archive, run_dcmtk, dciodvfy, tmp_path):
    port, received = archive
    series = Path(get_testdata_file("dicomdirtests/98892001/CT5N/2062")).parent
    with ServedNode(
        tmp_path / "node", pipeline(port), "[jobs]\nsettle = 0.2\n[limits]\nmin_free = 0\n"
    ) as node:
        run_dcmtk("storescu", "-aec", "MY_NODE", "127.0.0.1", str(node.dimse_port), *sorted(series.iterdir()))
        sent = node.event("delivery-sent", 60)
        assert (sent["stored"], sent["failed"]) == (5, 0)
        assert node.stop() == 0
        assert "98890234" not in node.text()  # the PatientID
    parents = {
        pydicom.dcmread(path).ImagePositionPatient[2]: pydicom.dcmread(path) for path in series.iterdir()
    }
    assert len({dataset.SOPInstanceUID for dataset in received}) == 5
    assert len({dataset.SeriesInstanceUID for dataset in received}) == 1
    highest = max(_values(parent).max() for parent in parents.values())
    for number, dataset in enumerate(received):
        parent = parents[dataset.ImagePositionPatient[2]]
        assert (dataset.PatientID, dataset.StudyInstanceUID) == (parent.PatientID, parent.StudyInstanceUID)
        assert dataset.SeriesDescription == "My pipeline Series Description"
        assert (_values(dataset) == highest - _values(parent)).all()
        dataset.save_as(tmp_path / f"{number}.dcm", enforce_file_format=True)
        assert dciodvfy(tmp_path / f"{number}.dcm") == []


def _values(dataset):
    """Return the values of an image."""
    return dataset.pixel_array * float(dataset.RescaleSlope) + float(dataset.RescaleIntercept)
