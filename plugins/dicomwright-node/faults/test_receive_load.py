"""20 associations at once, 500 CT instances each: none lost, as fast as storescp, with little memory."""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import subprocess
import time
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import pytest

from workbench.judges import dcmtk_program
from workbench.nodes import ServedNode, ct_instance

ASSOCIATIONS = 20
INSTANCES = int(os.environ.get("DICOMWRIGHT_LOAD_INSTANCES", "500"))
LEAST_SHARE = 0.7
MOST_MEMORY = 250 * 2**20
CONFIG = "[jobs]\nsettle = 600\nquiet = 600\n[limits]\nmin_free = 0\n"  # no job begins meanwhile


@pytest.fixture(scope="module")
def sent(tmp_path_factory):
    """Write the instances, a folder for each association; return the folder and the digest of each dataset."""
    folder = tmp_path_factory.mktemp("sent")
    digests = {}
    for number in range(ASSOCIATIONS):
        series = f"2.25.{1000 + number}"
        template = BytesIO()
        ct_instance(1000000, series=series, rows=512, columns=512).save_as(template, enforce_file_format=True)
        mark = f"{series}.1000000".encode()
        data = template.getvalue()
        start = len(data) - len(dataset_of(data))
        (folder / f"{number:02d}").mkdir()
        for one in range(INSTANCES):
            uid = f"{series}.{1000001 + one}".encode()
            copy = data.replace(mark, uid)
            (folder / f"{number:02d}" / f"{one:04d}.dcm").write_bytes(copy)
            digests[uid.decode()] = hashlib.sha256(copy[start:]).hexdigest()
    yield folder, digests
    shutil.rmtree(folder)


def dataset_of(data: bytes) -> bytes:
    """Return what follows the file meta information."""
    return data[144 + int.from_bytes(data[140:144], "little") :]


def send(folder: Path, port: int) -> tuple[float, int]:
    """Send each folder by a storescu of its own, all at once; return seconds and how many failed."""
    begin = time.perf_counter()
    senders = [
        subprocess.Popen(
            [
                dcmtk_program("storescu"),
                "-q",
                "--scan-directories",
                "-aec",
                "NODE",
                "127.0.0.1",
                str(port),
                str(one),
            ],
            stderr=subprocess.DEVNULL,
        )
        for one in sorted(folder.iterdir())
    ]
    failed = sum(sender.wait() != 0 for sender in senders)
    return time.perf_counter() - begin, failed


@contextmanager
def storescp(folder: Path, *options: str):
    """Run dcmtk's storescp, which keeps what it gets in a folder; yield its port."""
    folder.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [dcmtk_program("storescp"), "-q", *options, "-aet", "NODE", "-od", str(folder), str(port)]
    )
    try:
        for _ in range(100):
            done = subprocess.run(
                [dcmtk_program("echoscu"), "-aec", "NODE", "127.0.0.1", str(port)],
                capture_output=True,
                check=False,
            )
            if done.returncode == 0:
                break
            time.sleep(0.05)
        yield port
    finally:
        process.kill()
        process.wait()


def peak_memory(pid: int) -> int:
    """Return the most bytes that a process had resident."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    (line,) = (line for line in lines if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def received(node: ServedNode) -> dict[str, tuple[str, Path]]:
    """Return digest and file of each instance that the node says it has."""
    from dicomwright_node.store import Store

    store = Store.open(node.kept)
    rows = store.database.read("SELECT sop_instance_uid, sha256, path FROM instances")
    found = {row["sop_instance_uid"]: (row["sha256"], store.files.path(row["path"])) for row in rows}
    assert len(found) == len(rows)
    store.close()
    return found


def peer_seconds(folder: Path, kept: Path, number: int) -> float:
    """Return how long storescp takes, with a process for each association."""
    with storescp(kept, "--fork") as port:
        seconds, failed = send(folder, port)
    assert failed == 0
    assert len(list(kept.iterdir())) == number
    shutil.rmtree(kept)
    return seconds


def test_twenty_associations_at_once(sent, tmp_path, figure):
    folder, digests = sent
    before = peer_seconds(folder, tmp_path / "peer", len(digests))
    with ServedNode(tmp_path / "node", config=CONFIG) as node:
        seconds, failed = send(folder, node.dimse_port)
        memory = peak_memory(node.process.pid)
        assert failed == 0
        node.kill()  # what was acknowledged needs no good end
        found = received(node)
    assert {uid: digest for uid, (digest, _) in found.items()} == digests
    for uid, (_, file) in found.items():
        assert hashlib.sha256(dataset_of(file.read_bytes())).hexdigest() == digests[uid]
    peer = (before + peer_seconds(folder, tmp_path / "peer", len(digests))) / 2  # the machine may be busy
    shutil.rmtree(tmp_path / "node")
    share = peer / seconds
    figure(
        "receive-load",
        instances=len(digests),
        storescp_fork_per_second=round(len(digests) / peer, 1),
        node_per_second=round(len(digests) / seconds, 1),
        share=round(share, 2),
        peak_megabytes=round(memory / 1e6),
    )
    assert share >= LEAST_SHARE
    assert memory < MOST_MEMORY


def test_what_syncing_costs(sent, tmp_path, figure):
    """The same with files that are not synced: what storescp leaves undone."""
    folder, digests = sent
    (tmp_path / "unsynced").mkdir()
    (tmp_path / "unsynced" / "sitecustomize.py").write_text("import os\nos.fsync = lambda file: None\n")
    rates = {}
    for name, environment in (("synced", {}), ("unsynced", {"PYTHONPATH": str(tmp_path / "unsynced")})):
        with ServedNode(tmp_path / name / "node", config=CONFIG, environment=environment) as node:
            seconds, failed = send(folder, node.dimse_port)
            assert failed == 0
        rates[name] = round(len(digests) / seconds, 1)
        shutil.rmtree(tmp_path / name / "node")
    figure("receive-sync", **{f"{name}_per_second": rate for name, rate in rates.items()})
    assert min(rates.values()) > 0


def test_storescp_as_it_is_by_default(sent, tmp_path, figure):
    """One process for one association after another: of 20 at once some time out, so few come in a row."""
    folder, _ = sent
    chosen = [str(one) for one in sorted(folder.rglob("*.dcm"))[:100]]
    with storescp(tmp_path / "peer") as port:
        begin = time.perf_counter()
        subprocess.run(
            [dcmtk_program("storescu"), "-q", "-aec", "NODE", "127.0.0.1", str(port), *chosen], check=True
        )
        seconds = time.perf_counter() - begin
    assert len(list((tmp_path / "peer").iterdir())) == len(chosen)
    figure("storescp-default", one_association_per_second=round(len(chosen) / seconds, 1))
