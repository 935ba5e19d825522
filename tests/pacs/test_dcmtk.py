"""dcmtk's storescp as a peer: strict, picky or rude."""

from __future__ import annotations

import numpy as np
import pydicom
import pytest
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian


@pytest.fixture
def storescp(start_dcmtk, ports, tmp_path):
    """Return `storescp(*options) -> (url, folder)`."""

    def start(*options):
        folder = tmp_path / "received"
        folder.mkdir()
        start_dcmtk("storescp", *options, "-aet", "STORESCP", "-od", folder, port=ports["MOVED"])
        return f"dicom://STORESCP@127.0.0.1:{ports['MOVED']}", folder

    return start


def received(folder):
    found = [pydicom.dcmread(path) for path in folder.iterdir()]
    return {str(dataset.SOPInstanceUID): dataset for dataset in found}


def test_bit_for_bit(send, storescp, files, dataset_bytes):
    url, folder = storescp("+xa", "+B")
    assert send(url)[0] == 0
    for path in folder.iterdir():
        uid = str(pydicom.dcmread(path, stop_before_pixels=True).SOPInstanceUID)
        assert dataset_bytes(path.read_bytes()) == dataset_bytes(files[uid].read_bytes())
    assert received(folder).keys() == files.keys()


@pytest.mark.parametrize("option", ["+xi", "+x="])
def test_one_that_does_not_take_every_encoding(send, storescp, files, option):
    url, folder = storescp(option)
    assert send(url)[0] == 0
    for uid, after in received(folder).items():
        before = pydicom.dcmread(files[uid])
        own = before.file_meta.TransferSyntaxUID
        taken = (
            ImplicitVRLittleEndian
            if option == "+xi"
            else ExplicitVRLittleEndian
            if own.is_compressed
            else own
        )
        assert after.file_meta.TransferSyntaxUID == taken
        assert np.array_equal(after.pixel_array, before.pixel_array)
        assert after.get("PatientName") == before.get("PatientName")
    assert received(folder).keys() == files.keys()


def test_one_that_refuses_every_association(send, storescp, files):
    url, folder = storescp("--refuse")
    code, report = send(url)
    assert (code, report["counts"]["stored"]) == (1, 0)
    assert len(report["instances"]) == len(files)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("option", ["--abort-during", "--abort-after"])
def test_one_that_aborts_at_the_first_instance(send, storescp, option):
    url, _ = storescp(option)
    code, report = send(url, "--retries", "1", "--timeout", "20")
    assert code == 1
    assert report["counts"]["refused"] == 0
    assert report["counts"]["unknown"] > 0


def test_a_slow_one(send, storescp, collection):
    url, folder = storescp("--sleep-after", "1")
    assert send(url, source=collection / "mr")[0] == 0
    assert len(list(folder.iterdir())) == 3
