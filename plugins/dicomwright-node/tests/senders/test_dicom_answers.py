"""An answer counts for the instance that it names, and for no other."""

from __future__ import annotations

import struct
import threading
import time
import tracemalloc

import pytest

from workbench.dimse import pdu, value

STORED, ECHOED = 0x8001, 0x8030
ASKED, RELEASED = 4, 6


@pytest.fixture
def peer(listener):
    """Return `peer(answers) -> URL`: `answers(number of the instance, message, UID)` gives (message, UID, ...)."""

    def start(answers, longest=16384):
        seen = []

        def talk(connection):
            with connection:
                connection.sendall(accepting(read(connection)[1], longest))
                while (request := read(connection))[0] == ASKED:
                    if request[1][5] == 3:  # a command
                        message, uid = asked(request[1][6:])
                        seen.append(uid)
                    elif request[1][5] == 2:  # the end of an instance
                        told = answers(len(seen), message, uid)
                        connection.sendall(b"".join(x if isinstance(x, bytes) else answer(*x) for x in told))
                connection.sendall(pdu(RELEASED, bytes(4)))

        return f"dicom://PACS@127.0.0.1:{listener(talk)}"

    return start


def read(connection):
    """Return kind and body of a PDU; 0 at the end."""
    try:
        head = exactly(connection, 6)
        return head[0], exactly(connection, int.from_bytes(head[2:], "big"))
    except (OSError, EOFError):
        return 0, b""


def exactly(connection, size):
    data = b""
    while len(data) < size:
        part = connection.recv(size - len(data))
        if not part:
            raise EOFError
        data += part
    return data


def accepting(request, longest=16384):
    """Return the answer to a request with one context, number 1."""

    def item(kind, data):
        return struct.pack(">BxH", kind, len(data)) + data

    user = item(0x51, struct.pack(">L", longest)) + item(0x52, b"1.2.3")
    context = b"\1\0\0\0" + item(0x40, b"1.2.840.10008.1.2.1")
    items = item(0x10, b"1.2.840.10008.3.1.1.1") + item(0x21, context) + item(0x50, user)
    return pdu(2, request[:68] + items)


def asked(command):
    """Return message number and instance of a command set."""
    elements, at = {}, 0
    while at < len(command):
        _, tag, size = struct.unpack_from("<HHL", command, at)
        elements[tag] = command[at + 8 : at + 8 + size]
        at += 8 + size
    return int.from_bytes(elements[0x0110], "little"), elements[0x1000].rstrip(b"\0")


def answer(message, uid, status=0, field=STORED):
    uid += b"\0" * (len(uid) % 2)
    numbers = {0x0100: field, 0x0120: message, 0x0800: 0x0101, 0x0900: status}
    elements = b"".join(struct.pack("<HHLH", 0, tag, 2, number) for tag, number in numbers.items())
    if uid:
        elements += struct.pack("<HHL", 0, 0x1000, len(uid)) + uid
    return pdu(ASKED, value(struct.pack("<HHLL", 0, 0, 4, len(elements)) + elements, 3))


@pytest.mark.parametrize("named", [True, False])
def test_the_right_answers(peer, send, said, named):
    report = send(peer(lambda _, message, uid: [(message, uid if named else b"")]))
    assert said(report) == {"stored": 5}


@pytest.mark.parametrize(
    "wrong",
    [
        lambda message, uid: (message + 7, uid),
        lambda message, _: (message, b"1.2.3"),
        lambda message, uid: (message, uid, 0, ECHOED),
    ],
    ids=["another request", "another instance", "another command"],
)
def test_an_answer_to_something_else(peer, send, said, wrong):
    url = peer(lambda number, message, uid: [wrong(message, uid) if number == 2 else (message, uid)])
    report = send(url)
    assert [row.state for row in report.rows] == ["stored", "unknown", "stored", "stored", "stored"]
    assert report.rows[1].message == "the answer belongs to another request"
    assert said(send(url)) == {"stored": 5}


def test_a_success_that_is_told_twice_is_not_believed_of_the_next_one(peer, send):
    def answers(number, message, uid):
        return [(message, uid)] * 2 if number == 1 else [(message, uid, 0xC000)]

    report = send(peer(answers), retries=1)
    assert [row.state for row in report.rows] == ["stored", *["refused"] * 4]


@pytest.mark.parametrize(
    "nonsense",
    [
        pdu(ASKED, value(b"", 3)),
        pdu(ASKED, value(struct.pack("<HHLH", 0, 0x0100, 2, STORED), 3)),
        pdu(ASKED, value(struct.pack("<HHLHHHLH", 0, 0x0100, 2, 0x0101, 0, 0x0800, 2, 0x0101), 3)),
        pdu(0x63, bytes(4)),
    ],
    ids=["nothing", "a part", "no such command", "no such unit"],
)
def test_nonsense_instead_of_an_answer(peer, send, monkeypatch, nonsense):
    failed = []
    monkeypatch.setattr(threading, "excepthook", failed.append)
    url = peer(lambda number, message, uid: [nonsense if number == 2 else (message, uid)])
    report = send(url)
    assert [row.state for row in report.rows] == ["stored", "unknown", "stored", "stored", "stored"]
    assert report.rows[1].message.startswith("no answer: the association ended after ")
    assert failed == []


@pytest.mark.parametrize("longest", [1, 6])
def test_a_limit_that_leaves_room_for_nothing(peer, send, said, longest):
    assert said(send(peer(lambda _, message, uid: [(message, uid)], longest))) == {"stored": 5}


def test_an_acceptance_that_drips(listener, send, said):
    def talk(connection):
        try:
            for byte in accepting(read(connection)[1]):
                connection.sendall(bytes([byte]))
                time.sleep(0.1)
        except OSError:
            pass

    began = time.monotonic()
    report = send(f"dicom://PACS@127.0.0.1:{listener(talk)}", acse_timeout=0.5)
    assert time.monotonic() - began < 10
    assert said(report) == {"pending": 5}
    assert report.rows[0].message.endswith("does not answer the request for an association within 0.5 s")


@pytest.mark.parametrize("longest", [16384, 0])
def test_a_large_file_is_read_no_faster_than_it_is_sent(
    longest, peer, send, tmp_path, make_series, write_series, monkeypatch
):
    def late(connection):
        time.sleep(0.0002)
        return promptly(connection)

    promptly = read
    monkeypatch.setitem(globals(), "read", late)
    write_series(make_series(shape=(1, 3000, 4000)), tmp_path / "large")  # 24 MB
    url = peer(lambda _, message, uid: [(message, uid)], longest)
    tracemalloc.start()
    try:
        report = send(url, files=tmp_path / "large", dimse_timeout=20)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert report.complete
    assert peak < 8_000_000
