"""Mutated conversations, and a disk that is really full."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from pynetdicom.dsutils import encode

from workbench.dimse import RawSender, command_set, pdu, request_pdu, value
from workbench.nodes import ServedNode, ct_instance

MUTANTS = int(os.environ.get("DICOMWRIGHT_MUTANTS", "5000"))
CONFIG = "[jobs]\nsettle = 600\nquiet = 600\n[dimse]\nidle_seconds = 0.5\nrequest_seconds = 0.5\n"
STREAM_LIMIT = 100_000


def conversation(number):
    """Return everything that a good sender of one instance says, in one piece."""
    dataset = ct_instance(number, rows=8, columns=8)
    command = command_set(sop_instance=dataset.SOPInstanceUID)
    return b"".join(
        (
            request_pdu(),
            pdu(4, value(command, 3)),
            pdu(4, value(encode(dataset, is_implicit_vr=False, is_little_endian=True), 2)),
            pdu(5, bytes(4)),
        )
    )


def mutated(data, chance):
    """Return the bytes with some changed, removed, repeated or cut off."""
    changed = bytearray(data)
    for _ in range(chance.randint(1, 6)):
        if len(changed) < 30:
            break
        at = chance.randrange(len(changed))
        match chance.randrange(5):
            case 0:
                changed[at] = chance.randrange(256)
            case 1:
                changed[at : at + 4] = chance.choice(
                    [b"\xff\xff\xff\xff", bytes(4), b"\0\0\0\1", b"\x7f\xff\xff\xff"]
                )
            case 2:
                del changed[at : at + chance.randint(1, 20)]
            case 3:
                changed[at:at] = changed[at : at + chance.randint(1, 200)]
            case _:
                del changed[max(1, at) :]
    return bytes(changed[:STREAM_LIMIT])


def test_mutated_conversations(tmp_path, figure):
    """Nothing crashes, nothing is left that has no row, and a good sender is served afterwards."""
    chance = random.Random(66)
    with ServedNode(tmp_path / "n", config=CONFIG) as node:
        before = memory(node)
        for number in range(1, MUTANTS + 1):
            with RawSender(node.dimse_port, associate=False) as sender:
                try:
                    sender.send(mutated(conversation(number), chance))
                    if number % 50 == 0:
                        sender.answer()
                except OSError:
                    continue
        with RawSender(node.dimse_port) as sender:
            assert sender.store(ct_instance(999_999)) == 0
            sender.release()
        time.sleep(3)
        grown = memory(node) - before
        log = node.log()
        assert node.stop() == 0
    failed = [line for line in log if line.get("event") == "association-failed"]
    rows = opened_rows(node.kept)
    figure(
        "mutants",
        sent=MUTANTS,
        stored=len(rows),
        crashes=0,
        faults_of_ours=len(failed),
        grown_megabytes=grown // 10**6,
    )
    assert failed == []
    assert {path.name for path in tmp_path.iterdir()} == {"n"}
    assert grown < 100 * 10**6


def memory(node):
    lines = Path(f"/proc/{node.process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS"))


def opened_rows(kept):
    """Return the rows of the instances, after checking that each has its file and each file its row."""
    from dicomwright_node.store import Store

    store = Store.open(kept)
    rows = store.database.read("SELECT * FROM instances")
    files = {store.files.relative(path) for path in store.files.root.glob("instances/*/*")}
    assert files == {row["path"] for row in rows}
    store.close()
    return rows


@pytest.fixture
def small_disk(tmp_path):
    """Mount a disk of 30 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("only root can mount a small disk")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=30m", "tmpfs", str(folder)], check=True)
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("min_free", ["0", "10MiB"])
def test_a_full_disk(small_disk, tmp_path, figure, min_free):
    """Until it is full everything is stored; from then on everything is refused, and what is stored stays."""
    config = f'[jobs]\nsettle = 600\nquiet = 600\n[limits]\nmin_free = "{min_free}"\n'
    node = ServedNode(tmp_path / "n", config=config)
    node.kept.symlink_to(small_disk)
    acknowledged, answers = set(), []
    with node:
        for number in range(1, 120):
            dataset = ct_instance(number, rows=512, columns=512)
            with RawSender(node.dimse_port) as sender:
                answers.append(sender.store(dataset))
                if answers[-1] == 0:
                    acknowledged.add(dataset.SOPInstanceUID)
                sender.release()
        free = shutil.disk_usage(small_disk).free
        node.kill()
    first = answers.index(0xA700)
    assert set(answers[:first]) == {0}
    assert set(answers[first:]) <= {0, 0xA700}
    rows = opened_rows(small_disk)
    assert {row["sop_instance_uid"] for row in rows} >= acknowledged
    figure(
        "full-disk",
        min_free=min_free,
        stored=len(rows),
        refused=answers.count(0xA700),
        free_megabytes=free // 10**6,
    )
    if min_free != "0":
        assert free > 9 * 2**20
    with node:
        assert node.stop() == 0
    assert len(opened_rows(small_disk)) >= len(acknowledged)
