"""Peers that behave as told: a DICOM node, a web server, and what listens and is neither."""

from __future__ import annotations

import http.server
import json
import re
import socket
import threading
import time
from functools import partialmethod
from typing import NamedTuple

import pydicom
import pytest
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom import AE, evt
from pynetdicom.sop_class import CTImageStorage, Verification
from pynetdicom.transport import ThreadedAssociationServer

from dicomwright.delivery import Policy, deliver
from dicomwright.plugins import load

QUICK = {"acse-timeout": "1", "dimse-timeout": "1", "connect-timeout": "1", "network-timeout": "5"}


@pytest.fixture
def series(tmp_path, make_series, write_series):
    """Return the folder of a series of five files, IM00000 to IM00004."""
    write_series(make_series(shape=(5, 4, 6)), tmp_path / "out")
    return tmp_path / "out"


@pytest.fixture(scope="session")
def plugins():
    return load(enabled=True)


@pytest.fixture
def send(series, plugins):
    """Return `send(destination, retries=0, **options) -> report`."""

    def run(destination, retries=0, files=series, **options):
        given = {name.replace("_", "-"): str(value) for name, value in options.items()}
        known = QUICK if destination.startswith("dicom") else {"connect-timeout": "1"}
        policy = Policy(retries=retries, first_wait=0.01, longest_wait=2.0, timeout=60)
        return deliver(files, destination, options={**known, **given}, policy=policy, plugin_set=plugins)

    return run


@pytest.fixture
def said():
    """Return `said(report) -> {state: number}` without the states that do not occur."""
    return lambda report: {state: count for state, count in report.destinations[0].counts.items() if count}


class Received(NamedTuple):
    """An instance as it came over the network."""

    uid: str
    syntax: str
    data: bytes


class Node:
    """A DICOM node that notes what it receives; `answer(number, event)` gives the status of each C-STORE."""

    def __init__(self, answer, contexts, **settings):
        self.received = []
        self.associations = []
        self.echoes = 0
        self.answer = answer
        self.entity = AE(ae_title="PACS")
        for name, value in settings.pop("entity", {}).items():
            setattr(self.entity, name, value)
        for abstract, syntaxes in contexts.items():
            self.entity.add_supported_context(abstract, syntaxes)
        handlers = [
            (evt.EVT_C_STORE, self._store),
            (evt.EVT_C_ECHO, self._echo),
            (evt.EVT_REQUESTED, self._requested),
            *settings.pop("handlers", ()),
        ]
        self.server = self.entity.start_server(
            ("127.0.0.1", 0), block=False, evt_handlers=handlers, **settings
        )
        self.url = f"dicom://PACS@127.0.0.1:{self.server.server_address[1]}"

    def _store(self, event):
        data = event.request.DataSet.getvalue()
        uid = str(event.request.AffectedSOPInstanceUID)
        status = self.answer(len(self.received), event)
        self.received.append(Received(uid, str(event.context.transfer_syntax), data))
        return status

    def _echo(self, _):
        self.echoes += 1
        return 0x0000

    def _requested(self, event):
        proposed = event.assoc.requestor.primitive.presentation_context_definition_list
        self.associations.append(
            [(str(one.abstract_syntax), [str(syntax) for syntax in one.transfer_syntax]) for one in proposed]
        )


@pytest.fixture
def node(monkeypatch):
    """Return `node(answer=..., contexts=..., **settings) -> Node`, listening."""
    running = []
    often = partialmethod(ThreadedAssociationServer.serve_forever, 0.02)  # it ends when told so
    monkeypatch.setattr(ThreadedAssociationServer, "serve_forever", often)

    def start(answer=lambda *_: 0x0000, contexts=None, **settings):
        known = {CTImageStorage: [ExplicitVRLittleEndian, ImplicitVRLittleEndian], Verification: None}
        one = Node(answer, known if contexts is None else contexts, **settings)
        running.append(one)
        return one

    yield start
    for one in running:
        one.server.shutdown()


@pytest.fixture
def listener():
    """Return `listener(talk) -> port`: `talk(socket)` is called in a thread for each connection."""
    sockets = []

    def start(talk):
        server = socket.create_server(("127.0.0.1", 0))
        sockets.append(server)

        def serve():
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                sockets.append(connection)
                threading.Thread(target=talk, args=(connection,), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        return server.getsockname()[1]

    yield start
    for one in sockets:
        one.close()


@pytest.fixture
def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


class Web:
    """A web server; `answers` has a function for each request, the last one for all that follow."""

    def __init__(self, answers):
        self.requests = []
        self.answers = list(answers)
        web = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                web.requests.append((self.path, dict(self.headers), body))
                answer = web.answers.pop(0) if len(web.answers) > 1 else web.answers[0]
                answer(self, uids_of(body))

            def do_GET(self):
                web.requests.append((self.path, dict(self.headers), b""))
                self.send_error(404)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/dicom-web"

    def uids(self):
        return [uid for _, _, body in self.requests for uid in uids_of(body)]


def parts_of(body):
    """Return the parts of a multipart body."""
    boundary = body.partition(b"\r\n")[0]
    return [part.partition(b"\r\n\r\n")[2][:-2] for part in body.split(boundary)[1:-1]]


def uids_of(body):
    """Return the SOPInstanceUIDs of a multipart body."""
    return [
        re.search(rb"\x02\x00\x03\x00UI..([0-9.]+)", part, re.DOTALL)[1].decode() for part in parts_of(body)
    ]


def reply(handler, status, body=b"", media_type="application/dicom+json", **headers):
    """Send an answer."""
    handler.send_response(status)
    handler.send_header("Content-Type", media_type)
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def stow(stored=(), failed=(), warned=()):
    """Return the body of an answer: UIDs, and (UID, reason) of failures and warnings."""
    referenced = [{"00081155": {"vr": "UI", "Value": [uid]}} for uid in stored]
    referenced += [
        {"00081155": {"vr": "UI", "Value": [uid]}, "00081196": {"vr": "US", "Value": [reason]}}
        for uid, reason in warned
    ]
    failures = [
        {"00081155": {"vr": "UI", "Value": [uid]}, "00081197": {"vr": "US", "Value": [reason]}}
        for uid, reason in failed
    ]
    answer = {"00081199": {"vr": "SQ", "Value": referenced}, "00081198": {"vr": "SQ", "Value": failures}}
    return json.dumps({tag: value for tag, value in answer.items() if value["Value"]}).encode()


def stored(handler, uids):
    reply(handler, 200, stow(uids))


@pytest.fixture
def answers():
    """Return the functions that make answers."""

    class Answers:
        reply = staticmethod(reply)
        stow = staticmethod(stow)
        stored = staticmethod(stored)
        parts_of = staticmethod(parts_of)

        @staticmethod
        def status(code, body=b"", media_type="text/plain", **headers):
            return lambda handler, _: reply(handler, code, body, media_type, **headers)

    return Answers


@pytest.fixture
def web():
    """Return `web(*answers) -> Web`, listening."""
    running = []

    def start(*answers):
        one = Web(answers or [stored])
        running.append(one)
        return one

    yield start
    for one in running:
        one.server.shutdown()
        one.server.server_close()


@pytest.fixture
def wait_for():
    """Return `wait_for(condition)`: waits until it holds."""

    def wait(condition, seconds=20.0):
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end
            time.sleep(0.005)

    return wait


@pytest.fixture
def uids(series):
    """Return the SOPInstanceUIDs in the order of the files."""
    return [str(pydicom.dcmread(file).SOPInstanceUID) for file in sorted(series.iterdir())]
