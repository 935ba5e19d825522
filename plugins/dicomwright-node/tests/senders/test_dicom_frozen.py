"""A peer that freezes while an instance is on its way, so that it reads no more."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

PEER = """
import os, signal
from pynetdicom import AE, evt
from pynetdicom.sop_class import CTImageStorage

heard = []


def freeze(event):
    heard.append(len(event.data))
    if len(heard) == 4:  # the request for an association, the command, and two pieces of the instance
        os.kill(os.getpid(), signal.SIGSTOP)


entity = AE(ae_title="PEER")
entity.add_supported_context(CTImageStorage, "1.2.840.10008.1.2.1")
server = entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_DATA_RECV, freeze)])
print(server.server_address[1], flush=True)
signal.pause()
"""


@pytest.fixture
def frozen():
    child = subprocess.Popen([sys.executable, "-c", PEER], stdout=subprocess.PIPE, text=True)
    yield f"dicom://PEER@127.0.0.1:{child.stdout.readline().strip()}"
    child.kill()
    child.wait(10)
    child.stdout.close()


def test_it_is_left_in_time(frozen, send, tmp_path, make_series, write_series, monkeypatch):
    monkeypatch.setattr("dicomwright_node.senders.dicom.SLOWEST", 1e9)
    write_series(make_series(shape=(2, 3000, 2000)), tmp_path / "large")  # more than the system keeps for it
    began = time.monotonic()
    report = send(frozen, files=tmp_path / "large")
    assert time.monotonic() - began < 20
    assert [row.state for row in report.rows] == ["unknown", "pending"]
