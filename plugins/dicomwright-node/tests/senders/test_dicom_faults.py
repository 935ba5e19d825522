"""Whatever the other side does, the ledger says what is known: stored, warning, refused, unknown, not sent."""

from __future__ import annotations

import gc
import time

import pytest
from pydicom.uid import ExplicitVRLittleEndian
from pynetdicom import AE, evt
from pynetdicom.sop_class import MRImageStorage, Verification

from dicomwright_node.plugin import dicomwright_senders
from dicomwright_node.senders.dicom import DicomSender

SENDERS = dicomwright_senders()

# the library leaves a handler's error to its thread
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
OPTIONS = {option.name: option.default for option in SENDERS[0].options if option.default} | {
    "dimse-timeout": "1"
}


@pytest.fixture(autouse=True)
def _no_sockets_for_the_next_test():
    """Collect what the library leaves here, where its warnings are ignored."""
    yield
    gc.collect()


def messages(report):
    return {row.message for row in report.rows if not row.arrived}


def test_all_arrive(node, send, said, uids):
    peer = node()
    report = send(peer.url)
    assert (report.complete, said(report)) == (True, {"stored": 5})
    assert [one.uid for one in peer.received] == uids
    assert {row.status for row in report.rows} == {"0x0000"}


def test_nobody_listens(send, said, free_port):
    report = send(f"dicom://PACS@127.0.0.1:{free_port}", retries=1)
    assert said(report) == {"pending": 5}
    assert messages(report) == {f"no connection to PACS at 127.0.0.1:{free_port}: Connection refused"}
    assert {row.attempts for row in report.rows} == {0}


def test_a_host_without_an_address(send, said):
    report = send("dicom://PACS@no-such-host.invalid:104")
    assert said(report) == {"pending": 5}
    (message,) = messages(report)
    assert message.startswith("no connection to PACS at no-such-host.invalid:104: ")


def test_accepts_and_closes(listener, send, said):
    report = send(f"dicom://PACS@127.0.0.1:{listener(lambda connection: connection.close())}")
    assert said(report) == {"pending": 5}
    (message,) = messages(report)
    assert message.endswith("ended the connection, or what listens there does not speak DICOM")


def test_a_file_that_vanishes_meanwhile(node, send, said, series):
    def answer(number, _):
        if number == 0:
            (series / "IM00002").unlink()
        return 0x0000

    report = send(node(answer).url)
    assert said(report) == {"stored": 4, "refused": 1}
    assert report.rows[2].message.startswith("it cannot be sent: [Errno 2] No such file")


def test_stays_silent(listener, send, said):
    began = time.monotonic()
    report = send(f"dicom://PACS@127.0.0.1:{listener(lambda connection: connection.recv(10))}")
    assert time.monotonic() - began < 10
    assert said(report) == {"pending": 5}
    (message,) = messages(report)
    assert message.endswith("does not answer the request for an association within 1 s")


def test_answers_http(listener, send, said):
    def talk(connection):
        connection.recv(10)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

    report = send(f"dicom://PACS@127.0.0.1:{listener(talk)}")
    assert said(report) == {"pending": 5}
    (message,) = messages(report)
    assert message.endswith("does not speak DICOM")


def test_the_wrong_name_is_refused_once(node, send, said):
    peer = node(entity={"require_called_aet": True})
    report = send(peer.url.replace("PACS@", "PASC@"), retries=3)
    assert said(report) == {"refused": 5}
    (message,) = messages(report)
    assert "rejects the association: Called AE title not recognised" in message
    assert len(peer.associations) <= 2  # one; an answer that got lost on a busy machine is asked for again
    assert {row.status for row in report.rows} == {"A-ASSOCIATE-RJ"}


def test_our_name_is_not_known(node, send, said):
    peer = node(entity={"require_calling_aet": ["OURS"]})
    assert said(send(peer.url)) == {"refused": 5}
    assert said(send(peer.url, calling_aet="OURS")) == {"stored": 5}


def test_too_many_associations_may_pass(node, send, said):
    peer = node(entity={"maximum_associations": 1})
    other = AE()
    other.add_requested_context(Verification)
    held = other.associate("127.0.0.1", peer.server.server_address[1])
    report = send(peer.url, retries=2)
    held.release()
    assert said(report) == {"pending": 5}
    assert "Local limit exceeded" in messages(report).pop()
    assert len(peer.associations) == 4
    assert send(peer.url, retries=2).complete


def test_no_context_matches(node, send, said):
    peer = node(contexts={MRImageStorage: [ExplicitVRLittleEndian]})
    report = send(peer.url, retries=3)
    assert said(report) == {"refused": 5}
    assert messages(report) == {
        "the destination does not take CT Image Storage in Explicit VR Little Endian, nor uncompressed"
    }
    assert len(peer.associations) == 2  # as they are, and in the other encoding; not again


@pytest.mark.parametrize("status", [0xA700, 0xA7F3, 0x0213])
def test_full_for_a_moment(node, send, said, status):
    peer = node(lambda number, _: status if number == 2 else 0x0000)
    report = send(peer.url, retries=1)
    assert said(report) == {"stored": 5}
    assert [row.attempts for row in report.rows] == [1, 1, 2, 1, 1]
    assert len(peer.received) == 6


def test_full_for_long(node, send, said, uids):
    report = send(
        node(lambda _, event: 0xA700 if event.request.AffectedSOPInstanceUID == uids[2] else 0).url, 2
    )
    assert said(report) == {"stored": 4, "refused": 1}
    assert not report.complete
    assert (report.rows[2].status, report.rows[2].message) == ("0xA700", "out of resources")
    assert report.rows[2].attempts == 3


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (0xB000, "elements were coerced"),
        (0xB007, "the data set does not match its SOP class"),
        (0x0107, "some attributes were not taken"),
    ],
)
def test_a_warning_has_arrived(node, send, said, status, message):
    report = send(node(lambda number, _: status if number == 2 else 0x0000).url)
    assert (report.complete, said(report)) == (True, {"stored": 4, "warning": 1})
    assert (report.rows[2].status, report.rows[2].message) == (f"0x{status:04X}", message)


def test_what_is_there_already_has_arrived(node, send, said):
    assert said(send(node(lambda *_: 0x0111).url)) == {"warning": 5}


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (0xC000, "cannot understand"),
        (0xC123, "cannot understand"),
        (0xA900, "the data set does not match its SOP class"),
        (0x0122, "SOP class not supported"),
        (0x0124, "not authorised"),
        (0xFE00, ""),
    ],
)
def test_a_refusal_is_not_tried_again(node, send, said, status, message):
    peer = node(lambda number, _: status if number == 2 else 0x0000)
    report = send(peer.url, retries=3)
    assert said(report) == {"stored": 4, "refused": 1}
    assert (report.rows[2].status, report.rows[2].message) == (f"0x{status:04X}", message)
    assert len(peer.received) == 5


def test_pending_is_neither_yes_nor_no(node, send):
    report = send(node(lambda number, _: 0xFF00 if number == 2 else 0x0000).url)
    row = report.rows[2]
    assert (row.state, row.status, row.message) == ("unknown", "0xFF00", "it says that it is still at work")


def test_a_bug_on_the_other_side(node, send, said):
    def answer(number, _):
        if number == 2:
            raise ValueError("a bug")
        return 0x0000

    peer = node(answer)
    report = send(peer.url)
    assert said(report) == {"stored": 2, "refused": 3}  # it never gets beyond the third
    assert {row.status for row in report.rows[2:]} == {"0xC211"}


def test_what_the_other_side_says_is_kept(node, send):
    def answer(number, _):
        from pydicom.dataset import Dataset

        status = Dataset()
        status.Status = 0xC000 if number == 0 else 0
        status.ErrorComment = "no room in the inn"
        return status

    report = send(node(answer).url)
    assert report.rows[0].message == "cannot understand: no room in the inn"


def abort_at(number):
    """Return an answer that aborts the association instead of the given one, once."""
    done = []

    def answer(count, event):
        if count == number and not done:
            done.append(True)
            event.assoc.abort()
        return 0x0000

    return answer


def test_aborts_once(node, send, said, uids):
    peer = node(abort_at(2))
    began = time.monotonic()
    report = send(peer.url, retries=1)
    assert time.monotonic() - began < 10
    assert said(report) == {"stored": 5}
    assert len(peer.associations) == 2
    assert sorted({one.uid for one in peer.received}) == sorted(uids)


def test_without_retries_only_what_was_not_sent_follows(node, send):
    report = send(node(abort_at(2)).url)
    assert [row.state for row in report.rows] == ["stored", "stored", "unknown", "stored", "stored"]
    assert report.rows[2].message.startswith("no answer: the association ended after")


def test_what_follows_an_abort_was_not_sent(node, series):
    said = list(DicomSender().send(sorted(series.iterdir()), node(abort_at(2)).url, OPTIONS))
    assert [one.state for one in said] == ["stored", "stored", "unknown", "pending", "pending"]
    assert said[3].message == "the association had ended before it"


def test_one_file_always_ends_the_association(node, send, said, uids):
    def answer(_, event):
        if event.request.AffectedSOPInstanceUID == uids[1]:
            event.assoc.abort()
        return 0x0000

    peer = node(answer)
    report = send(peer.url, retries=2)
    assert [row.state for row in report.rows] == ["stored", "unknown", "stored", "stored", "stored"]
    assert report.rows[1].attempts == 3
    assert said(send(peer.url)) == {"stored": 4, "unknown": 1}  # nor is it hidden by the next run


def test_never_answers_one(node, send, uids):
    def answer(_, event):
        if event.request.AffectedSOPInstanceUID == uids[2]:
            time.sleep(2)
        return 0x0000

    began = time.monotonic()
    report = send(node(answer).url)
    assert time.monotonic() - began < 10
    assert [row.state for row in report.rows] == ["stored", "stored", "unknown", "stored", "stored"]
    assert report.rows[2].message.startswith("no answer: the association ended after 1.")


def test_a_slow_one_is_waited_for(node, send, said):
    def answer(*_):
        time.sleep(0.3)
        return 0x0000

    assert said(send(node(answer).url)) == {"stored": 5}


def test_the_time_for_an_answer_grows_with_the_file(node, send, series, said, make_series, write_series):
    write_series(make_series(shape=(1, 400, 300)), series.with_name("large"))  # 240 kB: 2.4 s more

    def answer(*_):
        time.sleep(1.5)
        return 0x0000

    assert said(send(node(answer).url, files=series.with_name("large"))) == {"stored": 1}


def test_nothing_reaches_the_log_of_the_user(node, send, caplog):
    caplog.set_level("WARNING")
    send(node(lambda *_: 0xC000).url)
    assert [record for record in caplog.records if not record.name.startswith("pynetdicom")] == []


def test_the_other_side_closes_without_a_word(node, send, said):
    def close(event):
        event.assoc.dul.socket.close()

    peer = node(handlers=[(evt.EVT_ESTABLISHED, close)])
    report = send(peer.url)
    assert not report.complete
    assert set(said(report)) <= {"unknown", "pending"}
