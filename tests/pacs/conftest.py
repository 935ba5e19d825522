"""A real archive and a collection to send to it. `nox -s pacs` runs these tests, in a network of their own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time

import numpy as np
import pydicom
import pytest
from pydicom.uid import ImplicitVRLittleEndian, RLELossless

from workbench.judges import dcmtk_program
from workbench.orthanc import Orthanc

if os.environ.get("DICOMWRIGHT_PACS") != "1":
    collect_ignore_glob = ["test_*.py"]  # they would start Orthanc, which listens on all addresses


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


@pytest.fixture(scope="session")
def ports():
    """Return ports of ours that the archive knows: where it moves instances to, and where it reports."""
    return {"MOVED": free_port(), "DICOMWRIGHT": free_port()}


@pytest.fixture(scope="session")
def running(tmp_path_factory, ports):
    """Start Orthanc once."""
    known = {name.lower(): (name, "127.0.0.1", port) for name, port in ports.items()}
    with Orthanc(tmp_path_factory.mktemp("orthanc"), known) as archive:
        yield archive


@pytest.fixture
def archive(running):
    """Return Orthanc, empty."""
    running.clear()
    return running


@pytest.fixture(scope="session")
def collection(tmp_path_factory, make_series, write_series):
    """Return a folder with series of several kinds, one of them made by dicomwright."""
    from dicomwright import Blueprint, DicomFactory, StaticElement, Volume

    folder = tmp_path_factory.mktemp("collection")
    write_series(make_series(shape=(4, 9, 7), private=True, sequences=True, seed=1), folder / "ct")
    write_series(
        make_series(
            "MR",
            "oblique",
            shape=(3, 6, 10),
            transfer_syntax=ImplicitVRLittleEndian,
            charset="ISO_IR 192",
            elements={"PatientName": "山田^太郎=Sørensen"},
            seed=2,
        ),
        folder / "mr",
    )
    write_series(make_series(shape=(3, 16, 12), transfer_syntax=RLELossless, seed=3), folder / "rle")
    affine = np.array([[0, 0, 1.25, -31.5], [0, 0.75, 0, 17.25], [2.5, 0, 0, -105], [0, 0, 0, 1.0]])
    volume = Volume(np.arange(5 * 7 * 6, dtype=np.float32).reshape(5, 7, 6) / 3, affine)
    blueprint = Blueprint.load("mr-image") + Blueprint([StaticElement("PatientID", "LO", "4711")])
    DicomFactory().build(volume, blueprint).write(folder / "built")
    return folder


@pytest.fixture(scope="session")
def files(collection):
    """Return the files of the collection by SOPInstanceUID."""
    found = [path for path in sorted(collection.rglob("*")) if path.is_file()]
    return {str(pydicom.dcmread(path, stop_before_pixels=True).SOPInstanceUID): path for path in found}


@pytest.fixture(scope="session")
def dataset_bytes():
    """Return `dataset_bytes(file's bytes) -> what is behind the file meta information`."""
    return lambda data: data[144 + int.from_bytes(data[140:144], "little") :]


@pytest.fixture
def send(collection, tmp_path, monkeypatch):
    """Return `send(*arguments) -> (exit code, JSON)`: the command, in a process of its own."""
    import json

    monkeypatch.setenv("ARCHIVE_PASSWORD", Orthanc.password)

    def run(*arguments, source=collection, ledger=tmp_path / "ledger"):
        command = [sys.executable, "-m", "dicomwright", "send", source, *arguments, "--ledger", ledger]
        done = subprocess.run(
            [*map(str, command), "--json"], capture_output=True, text=True, check=False, timeout=120
        )
        assert done.stdout.startswith("{"), done.stderr
        return done.returncode, json.loads(done.stdout)["destinations"][0]

    return run


@pytest.fixture
def credentials():
    """Return the arguments that make us known to the archive's web service."""
    return ["--sender-opt", f"user={Orthanc.user}", "--sender-opt", "password-env=ARCHIVE_PASSWORD"]


@pytest.fixture
def dicom_url(archive):
    return f"dicom://{archive.title}@127.0.0.1:{archive.dicom_port}"


@pytest.fixture
def start_dcmtk():
    """Return `start_dcmtk(program, *arguments, port=...)`: a server of dcmtk, until the test ends."""
    children = []

    def run(program, *arguments, port):
        child = subprocess.Popen(
            [dcmtk_program(program), *map(str, arguments), str(port)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        children.append(child)
        end = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
            except OSError:
                assert child.poll() is None, child.stdout.read()
                assert time.monotonic() < end
                time.sleep(0.02)
            else:
                return child

    yield run
    for child in children:
        child.kill()
        child.communicate()
