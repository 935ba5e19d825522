"""Sending under load and under fire: nothing lost, nothing reported that is not so."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from io import BytesIO

import pytest

from dicomwright.delivery import Ledger
from workbench.nodes import ct_instance

STORES = int(os.environ.get("DICOMWRIGHT_SEND_STORES", "20000"))
KILLS = int(os.environ.get("DICOMWRIGHT_SEND_KILLS", "40"))
SEED = 6
PEER = """
import signal, sys, threading
from pynetdicom import AE, evt
from pynetdicom.sop_class import CTImageStorage

log = open(sys.argv[1], "a", buffering=1)
done = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: done.set())

def store(event):
    log.write(f"{event.request.AffectedSOPInstanceUID}\\n")
    return 0x0000

entity = AE(ae_title="PEER")
entity.add_supported_context(CTImageStorage, "1.2.840.10008.1.2.1")
server = entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_STORE, store)])
print(server.server_address[1], flush=True)
done.wait()
server.shutdown()
"""


@pytest.fixture
def peer(tmp_path):
    """Start a node that writes down the UID of each instance; give its URL and its log."""
    log = tmp_path / "received"
    log.touch()
    child = subprocess.Popen([sys.executable, "-c", PEER, str(log)], stdout=subprocess.PIPE, text=True)
    yield f"dicom://PEER@127.0.0.1:{child.stdout.readline().strip()}", log
    child.terminate()
    child.wait(20)
    child.stdout.close()


@pytest.fixture
def instances(tmp_path):
    """Return `instances(count) -> folder` with so many small files."""

    def write(count):
        template = BytesIO()
        ct_instance(10_000_000, rows=32, columns=32).save_as(template, enforce_file_format=True)
        (tmp_path / "out").mkdir()
        for number in range(count):
            data = template.getvalue().replace(b"2.25.77.10000000", f"2.25.77.{10_000_001 + number}".encode())
            (tmp_path / "out" / f"{number:05d}.dcm").write_bytes(data)
        return tmp_path / "out"

    return write


@pytest.fixture
def busy():
    """Keep all cores busy meanwhile."""
    load = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(os.cpu_count() or 1)]
    yield
    for one in load:
        one.kill()
        one.wait()


def sender(folder, url):
    command = [sys.executable, "-m", "dicomwright", "send", str(folder), url, "--json"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


@pytest.mark.usefixtures("busy")
def test_many_stores_on_a_busy_machine(peer, instances, figure):
    url, log = peer
    folder = instances(STORES)
    began = time.perf_counter()
    child = sender(folder, url)
    report = json.loads(child.communicate(timeout=7200)[0])
    seconds = time.perf_counter() - began
    rows = report["destinations"][0]["instances"]
    received = Counter(log.read_text().split())
    stored = {row["sop_instance_uid"] for row in rows if row["state"] == "stored"}
    again = sum(row["attempts"] > 1 for row in rows)
    figure(
        "stores on a busy machine",
        stores=STORES,
        lost=STORES - len(received),
        wrongly_reported=len(stored ^ received.keys()),
        sent_again=again,
        seconds=round(seconds, 1),
        rate=round(STORES / seconds),
    )
    assert (child.returncode, report["complete"]) == (0, True)
    assert len(received) == len(stored) == STORES
    assert stored == received.keys()


def arrived(ledger):
    """Return the UIDs of which a ledger says that they arrived."""
    return {row.sop_instance_uid for row in Ledger.read(ledger) if row.arrived} if ledger.exists() else set()


def run_or_kill(command, seconds):
    """Return the exit code of a command, None if it was killed because its time was over."""
    child = subprocess.Popen([sys.executable, "-m", "dicomwright", *map(str, command)])
    try:
        return child.wait(seconds)
    except subprocess.TimeoutExpired:
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        return None


def send_under_fire(command, ledger, log, chance):
    """Send until it ends, killing it thrice; return exit code, kills, and how much was confirmed and came again."""
    code, kills, confirmed_twice = None, 0, 0
    while code is None:
        known, before = arrived(ledger), Counter(log.read_text().split())
        code = run_or_kill(command, chance.uniform(0.3, 4.0) if kills < 3 else 300)
        kills += code is None
        after = Counter(log.read_text().split())
        confirmed_twice += sum(after[uid] > before[uid] for uid in known)
    return code, kills, confirmed_twice


def test_kills_at_random_times(peer, instances, figure):
    url, log = peer
    count, chance = 300, random.Random(SEED)
    folder = instances(count)
    confirmed_twice = most_in_doubt = 0
    for number in range(KILLS):
        ledger = folder.with_name(f"out{number}.ledger")
        log.write_text("")
        command = ["send", folder, url, "--ledger", ledger, "--quiet"]
        code, kills, again = send_under_fire(command, ledger, log, chance)
        received = Counter(log.read_text().split())
        confirmed_twice += again
        most_in_doubt = max(most_in_doubt, received.total() - count)
        assert code == 0
        assert len(received) == count
        assert received.total() <= count + kills  # at most the one that was on its way
    figure(
        "kill -9 of send",
        runs=KILLS,
        instances=count,
        lost=0,
        confirmed_sent_again=confirmed_twice,
        sent_twice_in_a_run=most_in_doubt,
    )
    assert confirmed_twice == 0
