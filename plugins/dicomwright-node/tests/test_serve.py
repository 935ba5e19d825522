"""The serving process as a whole: its start, its end, its log, TLS, and what it refuses."""

from __future__ import annotations

import signal
import socket
import sqlite3
import ssl
import subprocess
import sys
import threading
import time
from contextlib import closing
from http.client import HTTPConnection, HTTPSConnection

import pytest
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian
from pynetdicom import AE

from workbench.dimse import RawSender
from workbench.nodes import QUIET_PIPELINE, ServedNode, ct_instance

ABSENT = "dicomwright: error: none.toml cannot be read (No such file or directory)"
HINT = "check the path; without --config, defaults are used"
SOON = "[jobs]\nsettle = 0.2\nquiet = 0.2\n"


def associate(port, tls=None):
    ae = AE("SCU")
    ae.add_requested_context(CTImageStorage, ExplicitVRLittleEndian)
    ae.acse_timeout = ae.dimse_timeout = 30
    ae.network_timeout = 120  # a busy machine is no reason to leave
    return ae.associate("127.0.0.1", port, ae_title="NODE", tls_args=(tls, "127.0.0.1") if tls else None)


def store(node, *datasets, tls=None):
    association = associate(node.dimse_port, tls)
    assert association.is_established
    answers = [association.send_c_store(dataset).Status for dataset in datasets]
    association.release()
    return answers


def test_from_start_to_end(tmp_path):
    with ServedNode(tmp_path / "n") as node:
        assert store(node, ct_instance(1), ct_instance(2)) == [0, 0]
        assert store(node, ct_instance(1)) == [0]
        connection = HTTPConnection("127.0.0.1", node.http_port, timeout=10)
        connection.request("POST", "/dicom-web/studies", b"", {"Content-Type": "text/plain"})
        assert connection.getresponse().status == 415
        connection.close()
        connection.request("GET", "/metrics")
        figures = connection.getresponse().read().decode()
        connection.close()
        assert 'dicomwright_node_received_total{answer="stored"} 2\n' in figures
        assert 'dicomwright_node_received_total{answer="same"} 1\n' in figures
        assert node.stop() == 0
    events = [line["event"] for line in node.log() if line["logger"] == "dicomwright_node.serve"]
    assert events == ["recovered", "ready", "stopping", "stopped"]
    (first,) = [line for line in node.log() if line.get("counts") == {"stored": 2}]
    assert (first["calling"], first["called"], first["peer"], first["end"]) == (
        "SCU",
        "NODE",
        "127.0.0.1",
        "released",
    )
    with ServedNode(tmp_path / "n") as node:
        assert store(node, ct_instance(2), ct_instance(3)) == [0, 0]
        assert node.stop() == 0
    (again,) = [line for line in node.log() if line.get("event") == "association"]
    assert again["counts"] == {"same": 1, "stored": 1}


def test_a_node_listens_on_this_machine_only(tmp_path):
    with ServedNode(tmp_path / "n") as node:
        for port in (node.dimse_port, node.http_port):
            shown = subprocess.run(
                ["ss", "-Hltn", f"sport = :{port}"], capture_output=True, text=True, check=True
            )
            assert shown.stdout.split()[3] == f"127.0.0.1:{port}"


def test_logs_hold_no_patient_data(tmp_path):
    canaries = {"PatientName": "CANARY^NAME", "PatientID": "CANARY-ID", "AccessionNumber": "CANARY-ACC"}
    with ServedNode(
        tmp_path / "n", config='[logging]\nlevel = "debug"\n[jobs]\nsettle = 0.2\nquiet = 0.2\n'
    ) as node:
        store(node, ct_instance(1, PatientBirthDate="19800401", StudyDescription="CANARY", **canaries))
        store(node, ct_instance(1, **canaries), ct_instance(2, Modality="MR", **canaries))
        node.event("job-processed")
        node.stop()
    assert "CANARY" not in node.text()
    assert "19800401" not in node.text()
    assert all("traceback" not in line for line in node.log())


def test_a_module_that_sets_up_logging_by_itself_changes_nothing(tmp_path):
    loud = f"import logging\nlogging.basicConfig(level=logging.DEBUG)\n{QUIET_PIPELINE}"
    with ServedNode(tmp_path / "n", loud) as node:
        assert store(node, ct_instance()) == [0]
        node.event("association")
        assert node.stop() == 0
        assert len(node.text().splitlines()) == len(node.log())


def test_a_module_that_ignores_signals_is_stopped_all_the_same(tmp_path):
    deaf = f"import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n{QUIET_PIPELINE}"
    with ServedNode(tmp_path / "n", deaf) as node:
        assert node.stop() == 0


def test_a_database_that_is_damaged_is_told(tmp_path):
    with ServedNode(tmp_path / "n") as node:
        assert node.stop() == 0
    with closing(sqlite3.connect(node.kept / "node.db")) as database:
        (size,) = database.execute("PRAGMA page_size").fetchone()
        pages = database.execute("SELECT rootpage FROM sqlite_master WHERE tbl_name = 'jobs'").fetchall()
    with (node.kept / "node.db").open("r+b") as file:
        for (page,) in pages:
            file.seek(size * (page - 1))
            file.write(b"\xff" * size)
    with pytest.raises(AssertionError):
        node.start()
    assert "kept: the node's database cannot be used: database disk image is malformed" in node.text()


def test_phi_is_logged_where_that_is_asked_for(tmp_path):
    with ServedNode(tmp_path / "n", config='[logging]\nlog_phi = true\nlevel = "debug"\n') as node:
        store(node, ct_instance(PatientID="CANARY-ID"))
        assert "CANARY-ID" in str(node.event("job-collects"))


def test_an_association_may_end_by_itself_when_the_node_stops(tmp_path):
    with ServedNode(tmp_path / "n") as node:
        association = associate(node.dimse_port)
        assert association.send_c_store(ct_instance(1)).Status == 0
        node.process.send_signal(signal.SIGTERM)
        node.event("stopping")
        assert association.send_c_store(ct_instance(2)).Status == 0
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", node.dimse_port))
        association.release()
        assert node.process.wait(10) == 0


def test_an_association_that_does_not_end_is_aborted(tmp_path):
    with ServedNode(tmp_path / "n", config="[node]\nstop_seconds = 0.3\n") as node:
        association = associate(node.dimse_port)
        begin = time.monotonic()
        assert node.stop() == 0
        assert time.monotonic() - begin < 8
        association.join(5)
        assert association.is_aborted


def test_the_second_signal_ends_at_once(tmp_path):
    with ServedNode(tmp_path / "n") as node:
        associate(node.dimse_port)
        node.process.send_signal(signal.SIGINT)
        node.event("stopping")
        node.process.send_signal(signal.SIGINT)
        assert node.process.wait(10) == 130


def refused(folder, *arguments):
    """Return what `node serve` says when it does not serve."""
    done = subprocess.run(
        [sys.executable, "-m", "dicomwright", "node", "serve", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    lines = [line for line in done.stderr.splitlines() if not line.startswith("{")]
    assert "Traceback" not in done.stderr
    return done.returncode, lines


def test_a_second_node_on_a_folder_is_refused(tmp_path):
    with ServedNode(tmp_path / "n") as node:
        code, lines = refused(node.folder, "my_node:Pipeline", "--config", "node.toml")
        assert code == 1
        (line,) = lines
        assert line.endswith(
            "/kept: another node serves this folder; stop it, or give this one another folder"
        )
        assert store(node, ct_instance()) == [0]


def test_a_port_that_is_taken(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        node = ServedNode(tmp_path / "n")
        for section in ("dimse", "http"):
            text = '[node]\nfolder = "kept"\n[dimse]\nport = 0\n[http]\nport = 0\n'.replace(
                f"[{section}]\nport = 0", f"[{section}]\nport = {port}"
            )
            (node.folder / "node.toml").write_text(text)
            code, lines = refused(node.folder, "my_node:Pipeline", "--config", "node.toml")
            assert code == 1
            assert f"the node cannot listen on 127.0.0.1:{port} (Address already in use)" in lines[-1]


def test_what_is_wrong_is_told_in_a_line(tmp_path):
    node = ServedNode(tmp_path / "n", config="[dimse]\nprot = 1\n")
    assert refused(node.folder, "my_node:Pipeline", "--config", "node.toml") == (
        1,
        ["dicomwright: error: node.toml: [dimse] prot is unknown; did you mean port?"],
    )
    code, (line,) = refused(node.folder, "my_node:Pipeline", "--config", "none.toml")
    assert (code, line.partition("; ")) == (1, (ABSENT, "; ", HINT))
    code, (line,) = refused(node.folder, "my_node:Other")
    assert code == 1
    assert "my_node:Other cannot be imported" in line
    (node.folder / "node.toml").write_text('[logging]\nfile = "none/x.log"\n')
    code, (line,) = refused(node.folder, "my_node:Pipeline", "--config", "node.toml")
    assert (code, "cannot be written (No such file or directory)" in line) == (1, True)


def spoken(port, tls=None):
    """Return what a TLS port answers in plain to a peer without a certificate of its own, or without TLS."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as plain:
        try:
            with tls.wrap_socket(plain, server_hostname="127.0.0.1") if tls else plain as used:
                used.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
                return used.recv(100)
        except OSError:
            return b""


def test_tls_on_both_ports(tmp_path, certificates):
    tls = f'tls_certificate = "{certificates.server}"\ntls_key = "{certificates.server_key}"\n'
    tls += f'tls_client_ca = "{certificates.ca}"\n'
    trusting = ssl.create_default_context(cafile=certificates.ca)
    known = ssl.create_default_context(cafile=certificates.ca)
    known.load_cert_chain(certificates.client, certificates.client_key)
    with ServedNode(tmp_path / "n", config=f"[dimse]\n{tls}[http]\n{tls}") as node:
        assert store(node, ct_instance(), tls=known) == [0]
        connection = HTTPSConnection("127.0.0.1", node.http_port, context=known, timeout=10)
        connection.request("POST", "/dicom-web/studies", b"")
        assert connection.getresponse().status == 415
        connection.close()
        for port in (node.dimse_port, node.http_port):
            assert spoken(port, trusting) == spoken(port) == b""
        with socket.create_connection(("127.0.0.1", node.dimse_port)) as silent:
            silent.sendall(b"\x16\x03\x01")
            assert store(node, ct_instance(2), tls=known) == [0]
        assert node.stop() == 0


def test_a_certificate_that_is_none(tmp_path, certificates):
    (tmp_path / "none.pem").write_text("no certificate")
    for section in ("dimse", "http"):
        config = (
            f'[{section}]\ntls_certificate = "{tmp_path}/none.pem"\ntls_key = "{certificates.server_key}"\n'
        )
        node = ServedNode(tmp_path / section, config=config)
        code, lines = refused(node.folder, "my_node:Pipeline", "--config", "node.toml")
        assert code == 1
        assert lines[-1].startswith(f"dicomwright: error: [{section}] the certificate cannot be used")


def test_nothing_acknowledged_is_lost_by_kill(tmp_path):
    """Kill the node while four senders store; all that had an answer is there after the next start, once.

    The folder `faults` has many more such trials.
    """
    acknowledged, sent = set(), iter(range(1, 100_000))

    def send(port):
        try:
            with RawSender(port) as sender:
                while True:
                    number = next(sent)
                    if sender.store(ct_instance(number, rows=64, columns=48)) != 0:
                        return
                    acknowledged.add(f"2.25.77.{number}")
        except OSError:
            return

    for pause in (0.1, 0.3):
        with ServedNode(tmp_path / "n", config="[jobs]\nsettle = 600\nquiet = 600\n") as node:
            senders = [threading.Thread(target=send, args=(node.dimse_port,)) for _ in range(4)]
            for sender in senders:
                sender.start()
            time.sleep(pause)
            node.kill()
            for sender in senders:
                sender.join()
    with ServedNode(tmp_path / "n", config="[jobs]\nsettle = 600\nquiet = 600\n") as node:
        node.stop()
    check_store(node.kept, acknowledged)
    assert len(acknowledged) > 10


def check_store(kept, acknowledged):
    """Check that the store has what was acknowledged, whole, and nothing else than what it has rows for."""
    import hashlib

    from dicomwright_node.store import Store

    opened = Store.open(kept)
    rows = opened.database.read("SELECT * FROM instances")
    assert acknowledged <= {row["sop_instance_uid"] for row in rows}
    assert len({row["sop_instance_uid"] for row in rows}) == len(rows)
    for row in rows:
        data = opened.files.path(row["path"]).read_bytes()
        assert len(data) == row["size"]
        start = 144 + int.from_bytes(data[140:144], "little")
        assert hashlib.sha256(data[start:]).hexdigest() == row["sha256"]
    files = {opened.files.relative(path) for path in opened.files.root.glob("instances/*/*")}
    assert files == {row["path"] for row in rows}
    assert opened.database.read("PRAGMA integrity_check")[0][0] == "ok"
    opened.close()


def test_a_full_disk_is_told_and_nothing_is_half_there(tmp_path):
    """No file of the node may have more than 300 kB: larger instances do not fit, nor does the database for ever."""
    node = ServedNode(tmp_path / "n", config="[limits]\nmin_free = 0\n" + SOON.replace("0.2", "600"))
    with node:
        node.stop()
    try:
        node.start(file_size=300_000)
        answers = []
        with RawSender(node.dimse_port) as sender:
            answers.append(sender.store(ct_instance(1)))
            answers.append(sender.store(ct_instance(2, rows=500, columns=400)))
            answers.append(sender.store(ct_instance(3)))
            assert answers == [0, 0xA700, 0]
            number, stored = 100, {"2.25.77.1", "2.25.77.3"}
            while answers[-1] == 0 and number < 3000:
                answers.append(sender.store(ct_instance(number, rows=2, columns=2)))
                stored |= {f"2.25.77.{number}"} if answers[-1] == 0 else set()
                number += 1
            assert answers[-1] == 0xA700
            assert sender.store(ct_instance(number, rows=2, columns=2)) in {0, 0xA700}
            sender.release()
        assert node.process.poll() is None
    finally:
        node.kill()
    with node:
        node.stop()
    check_store(node.kept, stored)
