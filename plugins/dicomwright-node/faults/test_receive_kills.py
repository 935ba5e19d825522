"""kill -9 while instances come in by C-STORE and STOW-RS: what was acknowledged is there, whole, once."""

from __future__ import annotations

import hashlib
import io
import itertools
import json
import os
import random
import threading
import time
from http.client import HTTPConnection, HTTPException

from workbench.dimse import RawSender
from workbench.nodes import ServedNode, ct_instance

TRIALS = int(os.environ.get("DICOMWRIGHT_KILL_TRIALS", "60"))
CONFIG = "[jobs]\nsettle = 600\nquiet = 600\n[limits]\nmin_free = 0\n"
TYPE = 'multipart/related; type="application/dicom"; boundary=b'
REFERENCED = "00081199"


def by_dimse(port, numbers, acknowledged):
    """Store until the node is gone."""
    try:
        with RawSender(port) as sender:
            while True:
                number = next(numbers)
                if sender.store(ct_instance(number, rows=128, columns=96)) != 0:
                    return
                acknowledged.add(f"2.25.77.{number}")
    except OSError:
        return


def by_stow(port, numbers, acknowledged):
    """Store three at once, until the node is gone."""
    try:
        while True:
            body = b"".join(part(next(numbers)) for _ in range(3)) + b"--b--"
            connection = HTTPConnection("127.0.0.1", port, timeout=20)
            try:
                connection.request("POST", "/dicom-web/studies", body, {"Content-Type": TYPE})
                answer = json.loads(connection.getresponse().read())
            finally:
                connection.close()
            acknowledged |= {item["00081155"]["Value"][0] for item in answer[REFERENCED]["Value"]}
    except (OSError, HTTPException, ValueError):
        return


def part(number):
    file = io.BytesIO()
    ct_instance(number, rows=128, columns=96).save_as(file, enforce_file_format=True)
    return b"--b\r\nContent-Type: application/dicom\r\n\r\n" + file.getvalue() + b"\r\n"


def check(kept, acknowledged):
    """Check the whole store against what was acknowledged; return how many instances it has."""
    from dicomwright_node.store import Store

    opened = Store.open(kept)
    rows = opened.database.read("SELECT * FROM instances")
    uids = [row["sop_instance_uid"] for row in rows]
    assert acknowledged <= set(uids)
    assert len(uids) == len(set(uids))
    for row in rows:
        data = opened.files.path(row["path"]).read_bytes()
        start = 144 + int.from_bytes(data[140:144], "little")
        assert hashlib.sha256(data[start:]).hexdigest() == row["sha256"]
    files = {opened.files.relative(path) for path in opened.files.root.glob("instances/*/*")}
    assert files == {row["path"] for row in rows}
    assert opened.database.read("PRAGMA integrity_check")[0][0] == "ok"
    opened.close()
    return len(rows)


def test_kills_while_receiving(tmp_path, figure):
    acknowledged: set[str] = set()
    numbers = itertools.count(1)
    chance = random.Random(6)
    for _ in range(TRIALS):
        with ServedNode(tmp_path / "n", config=CONFIG) as node:
            work = [(by_dimse, node.dimse_port)] * 4 + [(by_stow, node.http_port)] * 2
            senders = [
                threading.Thread(target=function, args=(port, numbers, acknowledged))
                for function, port in work
            ]
            for sender in senders:
                sender.start()
            time.sleep(chance.uniform(0.05, 0.6))
            node.kill()
            for sender in senders:
                sender.join()
    with ServedNode(tmp_path / "n", config=CONFIG) as node:
        node.stop()
    stored = check(node.kept, acknowledged)
    figure("receive-kills", trials=TRIALS, acknowledged=len(acknowledged), stored=stored)
    assert len(acknowledged) > TRIALS
