"""Senders that break the protocol, lie, or want to write elsewhere: the node lives, and nothing is left."""

from __future__ import annotations

import ssl
import struct
import time
from contextlib import suppress

import pytest
from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom import AE
from pynetdicom.dsutils import encode

from dicomwright_node.config import LimitsConfig
from dicomwright_node.receive.command import Command, response
from workbench.dimse import ABORT, REJECT, RawSender, command_set, pdu, request_pdu, status_of, value
from workbench.nodes import ct_instance


@pytest.fixture
def receiver(make_receiver):
    """After the test, it still works, keeps only what it has rows for, and wrote nowhere else."""
    receiver = make_receiver()
    yield receiver
    root = receiver.store.files.root
    before = len(list(root.glob("instances/*/*.dcm")))
    ae = AE("SCU")
    ae.add_requested_context(CTImageStorage, ExplicitVRLittleEndian)
    association = ae.associate("127.0.0.1", receiver.port, ae_title="NODE")
    assert association.send_c_store(ct_instance(series="2.25.1234")).Status == 0
    association.release()
    files = {path.relative_to(root).as_posix() for path in root.glob("instances/*/*")}
    assert files == {row["path"] for row in receiver.store.database.read("SELECT path FROM instances")}
    assert len(files) == before + 1
    assert {path.name for path in root.parent.iterdir()} == {root.name}


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500),
        pdu(1, b""),
        pdu(1, b"\0\1" + bytes(66)),
        pdu(1, b"\xff" * 300),
        struct.pack(">BxL", 1, 0xFFFFFFFF),
        pdu(4, value(b"1234", 3)),
        pdu(5, bytes(4)),
        pdu(99, bytes(10)),
        request_pdu()[:100] + b"\xff" * (len(request_pdu()) - 100),
    ],
    ids=[
        "http",
        "tls",
        "empty",
        "zeros",
        "ones",
        "4 GiB",
        "data first",
        "release first",
        "no pdu",
        "scrambled",
    ],
)
def test_what_is_no_association_request_is_aborted(receiver, sent):
    with RawSender(receiver.port, associate=False) as raw:
        raw.send(sent)
        assert raw.answer()[0] in {ABORT, REJECT, 0}


@pytest.mark.parametrize(
    "sent",
    [
        request_pdu(),
        pdu(4, b""),
        pdu(4, b"\0\0\0"),
        pdu(4, struct.pack(">LBB", 1, 1, 3)),
        pdu(4, struct.pack(">LBB", 0xFFFFFFFF, 1, 3)),
        pdu(4, value(b"1234", 3, context=9)),
        pdu(4, value(b"1234", 0xFF)),
        pdu(4, value(b"1234", 3)),
        pdu(4, value(b"", 3)),
        pdu(4, value(struct.pack("<HHL", 0, 0x100, 0xFFFFFFFF), 3)),
        pdu(4, value(struct.pack("<HHL", 8, 0x100, 2) + b"\1\0", 3)),
        pdu(4, value(b"data", 2)),
        struct.pack(">BxL", 4, 2**31),
        pdu(4, value(command_set(), 3)) + pdu(4, value(command_set(), 3)),
        pdu(4, value(command_set(field=0x20), 3)),
        pdu(4, value(bytes(60000), 1)) + pdu(4, value(bytes(60000), 1)),
        pdu(5, b""),
        pdu(6, bytes(4)),
        pdu(200, bytes(4)),
    ],
)
def test_broken_pdus_end_the_association(receiver, sent):
    with RawSender(receiver.port) as raw:
        raw.send(sent)
        if sent == pdu(4, b""):
            raw.send(pdu(5, bytes(4)))
            assert raw.answer()[0] == 6  # an empty data PDU is odd, and harmless
            return
        assert raw.answer()[0] == ABORT


def test_who_only_looks_whether_the_port_is_open_fills_no_log(receiver, caplog):
    with RawSender(receiver.port, associate=False):
        pass
    wait_until_idle(receiver)
    assert [record.message for record in caplog.records if record.levelname != "DEBUG"] == []


def test_a_sender_that_leaves_within_an_instance(receiver):
    with RawSender(receiver.port) as raw:
        raw.send(pdu(4, value(command_set(), 3)) + pdu(4, value(bytes(5000), 0)))
    with RawSender(receiver.port) as raw:
        raw.send(pdu(4, value(command_set(), 3)) + pdu(4, value(bytes(5000), 0)) + pdu(7, bytes(4)))
        assert raw.answer() == (0, b"")
    with RawSender(receiver.port) as raw:
        raw.send(pdu(4, value(command_set(), 3)) + pdu(4, value(bytes(5000), 0))[:2000])
    wait_until_idle(receiver)


def wait_until_idle(receiver):
    end = time.monotonic() + 5
    while receiver.listener.associations() and time.monotonic() < end:
        time.sleep(0.01)
    assert receiver.listener.associations() == 0


def test_a_request_that_comes_byte_by_byte_is_cut_off(make_receiver):
    receiver = make_receiver(timeouts=(0.3, 10.0))
    with RawSender(receiver.port, associate=False) as sender:
        for byte in request_pdu():
            try:
                sender.send(bytes((byte,)))
            except OSError:
                break
            time.sleep(0.02)
        assert sender.answer()[0] in {ABORT, 0}
    assert not receiver.intake.counts()
    with RawSender(receiver.port) as sender:
        time.sleep(0.5)  # the time of the request is over, and concerns it no more
        assert sender.store(ct_instance()) == 0
        sender.release()


def test_a_handshake_that_comes_byte_by_byte_is_cut_off(make_receiver):
    receiver = make_receiver(timeouts=(0.3, 10.0), tls=ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
    end = time.monotonic() + 3
    with RawSender(receiver.port, associate=False) as sender, suppress(OSError):
        sender.send(b"\x16\x03\x01\x3f\xff\x01")
        while not receiver.listener.associations():
            time.sleep(0.01)
        while receiver.listener.associations() and time.monotonic() < end:
            sender.send(b"\0")
            time.sleep(0.02)
    assert time.monotonic() < end
    assert receiver.listener.associations() == 0


def test_a_silent_sender_is_aborted(make_receiver):
    receiver = make_receiver(timeouts=(0.2, 0.2))
    with RawSender(receiver.port, associate=False) as raw:
        assert raw.answer()[0] == ABORT
    with RawSender(receiver.port) as raw:
        assert raw.answer()[0] == ABORT
    with RawSender(receiver.port) as raw:
        raw.send(pdu(4, value(command_set(), 3)) + pdu(4, value(bytes(5000), 0)))
        assert raw.answer()[0] == ABORT
    wait_until_idle(receiver)
    assert list(receiver.store.files.root.glob("instances/*/*")) == []


HOSTILE_UIDS = [
    "../../escaped",
    "/etc/passwd",
    "1.2/../../3",
    "1.2\\3",
    "..",
    ".",
    "1" * 65,
    "1.2.x",
    "1.2\n3",
]


def store(receiver, dataset, *, command_uid=None, data=None):
    """Send a dataset as it is, under a command set as it is; return status and comment."""
    uid = dataset.SOPInstanceUID if command_uid is None else command_uid
    with RawSender(receiver.port) as raw:
        raw.send(pdu(4, value(command_set(sop_instance=uid), 3)))
        raw.send(pdu(4, value(encode(dataset, False, True) if data is None else data, 2)))
        kind, body = raw.answer()
        assert kind == 4
        raw.send(pdu(5, bytes(4)))
        assert raw.answer()[0] == 6
    return status_of(body)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("uid", [*HOSTILE_UIDS, "", "1..2"])
def test_uids_that_are_paths_go_nowhere(receiver, uid):
    assert store(receiver, ct_instance(), command_uid=uid) == (
        0xC000,
        "a UID that announces the instance is none",
    )
    dataset = ct_instance()
    dataset["SOPInstanceUID"]._value = uid
    status, comment = store(receiver, dataset, command_uid="2.25.77.1")
    assert status == 0xC000
    assert comment in {
        "SOPInstanceUID (0008,0018) is not a UID",
        "SOPInstanceUID (0008,0018) is missing",
    }


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("uid", HOSTILE_UIDS)
def test_study_and_series_that_are_paths_are_refused(receiver, uid):
    for keyword, tag in (("StudyInstanceUID", "(0020,000D)"), ("SeriesInstanceUID", "(0020,000E)")):
        dataset = ct_instance()
        dataset[keyword]._value = uid
        assert store(receiver, dataset) == (0xC000, f"{keyword} {tag} is not a UID")


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(
    "patient_id", ["../../x", "/abs", "a\0b", "x" * 300, "'; DROP TABLE jobs; --", "$(id)", "ü"]
)
def test_any_patient_id_is_only_a_value(receiver, patient_id):
    dataset = ct_instance()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset["PatientID"]._value = patient_id
    assert store(receiver, dataset)[0] == 0
    (row,) = receiver.store.database.read("SELECT patient_id FROM instances")
    assert row["patient_id"].replace("\0", "") == patient_id.replace("\0", "")


def test_an_endless_patient_id_is_refused(receiver):
    dataset = ct_instance()
    dataset["PatientID"]._value = "x" * 2000
    assert store(receiver, dataset) == (0xC000, "PatientID (0010,0020) is longer than 1024 bytes")


def test_a_dataset_that_is_another_instance(receiver):
    assert store(receiver, ct_instance(2), command_uid="2.25.77.1") == (
        0xA900,
        "SOPInstanceUID (0008,0018) of the dataset is not the announced o",
    )
    dataset = ct_instance(SOPClassUID="1.2.840.10008.5.1.4.1.1.4")
    assert store(receiver, dataset)[0] == 0xA900


def nested(depth):
    item = Dataset()
    item.PatientID = "inner"
    for _ in range(depth):
        outer = Dataset()
        outer.ReferencedStudySequence = [item]
        item = outer
    dataset = ct_instance()
    dataset.ReferencedStudySequence = [item]
    return dataset


def test_deep_sequences(receiver):
    assert store(receiver, nested(20))[0] == 0
    status, comment = store(receiver, nested(80), command_uid="2.25.77.1")
    assert status == 0xC000
    assert comment.startswith("the dataset is damaged: sequences are nested")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0",
        b"not a dataset at all, just text",
        b"\xff" * 1000,
        encode(ct_instance(), False, True)[:100],
        encode(ct_instance(), False, True)[:-50],
        encode(ct_instance(), True, True)[:30] + b"\xff\xff\xff\x7f" + bytes(100),
        bytes(100_000),
    ],
)
def test_datasets_that_are_none(receiver, data):
    status, comment = store(receiver, ct_instance(), data=data)
    assert status == 0xC000
    assert comment


def test_an_instance_that_is_too_large(make_receiver):
    receiver = make_receiver(limits=LimitsConfig(min_free=0, max_instance=10_000))
    large = ct_instance(rows=100, columns=100)
    assert store(receiver, large) == (0xC001, "it has more than 10000 bytes")
    assert store(receiver, ct_instance(2))[0] == 0


def test_a_refused_dataset_without_end_is_aborted(make_receiver, monkeypatch):
    from dicomwright_node.receive import association

    monkeypatch.setattr(association, "_DRAINED", 100_000)
    receiver = make_receiver(limits=LimitsConfig(min_free=0, max_instance=10_000))
    with RawSender(receiver.port) as raw:
        raw.send(pdu(4, value(command_set(), 3)))
        for _ in range(10):
            raw.send(pdu(4, value(bytes(50_000), 0)))
        assert raw.answer()[0] in {ABORT, 0}


def test_unknown_requests_are_answered(receiver):
    with RawSender(receiver.port) as raw:
        raw.send(pdu(4, value(command_set(field=0x0021, dataset=0x0101), 3)))
        kind, body = raw.answer()
        command = Command(0x0021, 1, dataset=False, sop_class=CTImageStorage, sop_instance="2.25.77.1")
        assert (kind, body[6:]) == (4, response(command, 0x0211))
        raw.send(pdu(4, value(command_set(field=0x0FFF, dataset=0x0101), 3)))  # C-CANCEL has no answer
        raw.send(pdu(5, bytes(4)))
        assert raw.answer()[0] == 6


def test_implicit_bytes_in_an_explicit_context_are_read_as_they_are(receiver):
    data = encode(ct_instance(), True, True)
    assert store(receiver, ct_instance(), data=data)[0] == 0
    assert ImplicitVRLittleEndian != ExplicitVRLittleEndian
