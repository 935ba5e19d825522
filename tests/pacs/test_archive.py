"""What is sent to a real archive is there, is found, and comes back as it was."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pydicom
import pytest
from dicomweb_client.api import DICOMwebClient
from dicomweb_client.session_utils import create_session_from_user_pass

from workbench.orthanc import Orthanc


def studies_of(files):
    return {str(pydicom.dcmread(file, stop_before_pixels=True).StudyInstanceUID) for file in files.values()}


def same(before, after):
    """Tell whether datasets have the same elements and the same pixels."""
    equal = np.array_equal(before.pixel_array, after.pixel_array)
    for dataset in (before, after):
        del dataset.PixelData
    return equal and before.to_json_dict() == after.to_json_dict()


def test_c_store_byte_for_byte(archive, send, dicom_url, files, dataset_bytes):
    code, report = send(dicom_url)
    assert (code, report["counts"]["stored"]) == (0, len(files))
    assert archive.instances().keys() == files.keys()
    for uid, file in files.items():
        kept = archive.file(uid)
        assert dataset_bytes(kept) == dataset_bytes(file.read_bytes()), file
        meta = pydicom.filereader.read_file_meta_info
        assert pydicom.dcmread(pydicom.filebase.DicomBytesIO(kept)).file_meta.TransferSyntaxUID == (
            meta(file).TransferSyntaxUID
        )


def test_stow_byte_for_byte(archive, send, credentials, files):
    code, report = send(archive.url, *credentials)
    assert (code, report["counts"]["stored"]) == (0, len(files))
    assert archive.instances().keys() == files.keys()
    for uid, file in files.items():
        assert archive.file(uid) == file.read_bytes(), file  # preamble and file meta information, too


def test_found_and_fetched_by_dcmtk(archive, send, dicom_url, files, run_dcmtk, dataset_bytes, tmp_path):
    send(dicom_url)
    address = ["-aec", archive.title, "127.0.0.1", str(archive.dicom_port)]
    found = run_dcmtk(
        "findscu",
        "-S",
        "-k",
        "QueryRetrieveLevel=STUDY",
        "-k",
        "StudyInstanceUID",
        "-k",
        "PatientID",
        *address,
    )
    assert all(uid in found for uid in studies_of(files))
    (tmp_path / "got").mkdir()
    for uid in studies_of({uid: file for uid, file in files.items() if file.parent.name != "rle"}):
        keys = ["-k", "QueryRetrieveLevel=STUDY", "-k", f"StudyInstanceUID={uid}"]
        run_dcmtk("getscu", "-S", "+B", "-od", tmp_path / "got", *keys, *address)
    got = {}
    for file in (tmp_path / "got").iterdir():
        got[str(pydicom.dcmread(file, stop_before_pixels=True).SOPInstanceUID)] = file
    for uid, file in got.items():
        before, after = pydicom.dcmread(files[uid]), pydicom.dcmread(file)
        if before.file_meta.TransferSyntaxUID == after.file_meta.TransferSyntaxUID:
            assert dataset_bytes(file.read_bytes()) == dataset_bytes(files[uid].read_bytes())
        else:  # the archive changes the encoding for getscu, which proposes explicit little endian first
            assert same(before, after)
    assert len(got) == sum(file.parent.name != "rle" for file in files.values())


def test_moved_by_dcmtk_to_storescp(archive, send, dicom_url, files, ports, run_dcmtk, start_dcmtk, tmp_path):
    send(dicom_url)
    (tmp_path / "moved").mkdir()
    port = ports["MOVED"]
    start_dcmtk("storescp", "+xa", "+B", "-aet", "MOVED", "-od", tmp_path / "moved", port=port)
    for uid in studies_of(files):
        keys = ["-k", "QueryRetrieveLevel=STUDY", "-k", f"StudyInstanceUID={uid}"]
        address = ["-aec", archive.title, "-aem", "MOVED", "127.0.0.1", str(archive.dicom_port)]
        run_dcmtk("movescu", "-S", *keys, *address)
    moved = {}
    for file in (tmp_path / "moved").iterdir():
        moved[str(pydicom.dcmread(file, stop_before_pixels=True).SOPInstanceUID)] = file
    assert moved.keys() == files.keys()
    for uid, file in moved.items():
        assert same(pydicom.dcmread(files[uid]), pydicom.dcmread(file))


def test_found_and_fetched_by_dicomweb(archive, send, credentials, files):
    send(archive.url, *credentials)
    session = create_session_from_user_pass(archive.user, archive.password)
    client = DICOMwebClient(archive.url, session=session)
    found = client.search_for_instances()
    assert {one["00080018"]["Value"][0] for one in found} == files.keys()
    for uid, file in files.items():
        before = pydicom.dcmread(file)
        after = client.retrieve_instance(
            before.StudyInstanceUID, before.SeriesInstanceUID, uid, media_types=(("application/dicom", "*"),)
        )
        assert same(before, after), file
    session.close()


def test_sent_twice_is_there_once(archive, send, dicom_url, credentials, files):
    assert send(dicom_url)[0] == 0
    code, report = send(dicom_url)
    assert (code, report["sent_now"]) == (0, 0)
    code, report = send(dicom_url, "--again")
    assert (code, report["sent_now"]) == (0, len(files))
    assert send(archive.url, *credentials)[0] == 0
    assert len(archive.get("/instances")) == len(files)


def test_commitment(archive, send, dicom_url, files, ports):
    listen = f"commitment-listen=127.0.0.1:{ports['DICOMWRIGHT']}"
    code, report = send(dicom_url, "--sender-opt", "commitment=yes", "--sender-opt", listen)
    assert code == 0
    assert {one["message"] for one in report["instances"]} == {"committed"}
    assert archive.instances().keys() == files.keys()


def test_the_wrong_name(archive, send, dicom_url):
    code, report = send(dicom_url.replace(archive.title, "OTHER"))
    assert (code, report["complete"]) == (1, False)
    assert "rejects the association: Called AE title not recognised" in report["instances"][0]["message"]


def test_the_wrong_password(archive, send, credentials, files, monkeypatch):
    monkeypatch.setenv("ARCHIVE_PASSWORD", "guessed")
    code, report = send(archive.url, *credentials)
    assert (code, report["counts"]["refused"]) == (1, len(files))
    assert report["instances"][0]["status"] == "HTTP 401"
    assert archive.instances() == {}


@pytest.fixture
def large(tmp_path, make_series, write_series):
    """Return a folder whose sending takes long enough to be interrupted."""
    write_series(make_series(shape=(150, 64, 48), seed=9), tmp_path / "large")
    return tmp_path / "large"


@pytest.mark.parametrize("how", ["dicom", "web"])
def test_killed_and_run_again(archive, send, dicom_url, credentials, large, tmp_path, how):
    destination = (
        [dicom_url] if how == "dicom" else [archive.url, *credentials, "--sender-opt", "batch-files=3"]
    )
    command = [
        sys.executable,
        "-m",
        "dicomwright",
        "send",
        large,
        *destination,
        "--ledger",
        tmp_path / "ledger",
    ]
    for wanted in (10, 60):
        child = subprocess.Popen(
            [*map(str, command)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        end = time.monotonic() + 60
        while len(archive.get("/instances")) < wanted:
            assert time.monotonic() < end
            assert child.poll() is None
        os.kill(child.pid, signal.SIGKILL)
        child.wait(10)
        assert len(archive.get("/instances")) < 150
    code, report = send(*destination, source=large)
    assert code == 0
    assert report["sent_now"] < 150 - 50
    uids = {one["sop_instance_uid"] for one in report["instances"]}
    assert (len(uids), archive.instances().keys()) == (150, uids)
    assert len(archive.get("/instances")) == 150


def test_the_archive_goes_away_and_comes_back(send, collection, files, tmp_path):
    own = Orthanc(tmp_path / "own")
    url = f"dicom://{own.title}@127.0.0.1:{own.dicom_port}"
    code, report = send(url, "--retries", "0")
    assert (code, report["counts"]["pending"]) == (1, len(files))
    with own:
        assert send(url, source=collection / "ct")[0] == 0
    code, report = send(url, "--retries", "0")
    assert (code, report["counts"]["stored"], report["counts"]["pending"]) == (1, 4, len(files) - 4)
    with own:
        code, report = send(url)
        assert (code, report["sent_now"]) == (0, len(files) - 4)
        assert own.instances().keys() == files.keys()
