"""Storage commitment: what is taken counts when the other side promises to keep it."""

from __future__ import annotations

import threading
import time

import pytest
from pydicom.dataset import Dataset
from pynetdicom import AE, build_role, evt
from pynetdicom.sop_class import (
    CTImageStorage,
    StorageCommitmentPushModel,
    StorageCommitmentPushModelInstance,
)

from dicomwright_node.senders.commitment import _Reports

LE = "1.2.840.10008.1.2.1"
CONTEXTS = {CTImageStorage: [LE], StorageCommitmentPushModel: None}


def report_of(request, failed=(), forgotten=()):
    """Return event type and dataset of a report on a request; numbers count its instances."""
    report = Dataset()
    report.TransactionUID = request.TransactionUID
    items = list(request.ReferencedSOPSequence)
    kept = [item for number, item in enumerate(items) if number not in {*failed, *forgotten}]
    if kept:
        report.ReferencedSOPSequence = kept
    if failed:
        for number, reason in dict(failed).items():
            items[number].FailureReason = reason
        report.FailedSOPSequence = [items[number] for number in failed]
    return (2 if failed else 1), report


@pytest.fixture
def committing(node):
    """Return `committing(report=..., status=0, port=None) -> node` that reports on the association or to a port."""

    def start(report=report_of, status=0x0000, port=None):
        def asked(event):
            request, association = event.action_information, event.assoc
            if status == 0:
                told = report(request)
                threading.Timer(0.05, tell, (association, *told)).start()
            return status, None

        def tell(association, kind, dataset):
            target = association if port is None else connect()
            answer, _ = target.send_n_event_report(
                dataset, kind, StorageCommitmentPushModel, StorageCommitmentPushModelInstance
            )
            peer.answers.append(answer.get("Status"))
            if port is not None:
                target.release()

        def connect():
            entity = AE(ae_title="PACS")
            entity.add_requested_context(StorageCommitmentPushModel)
            role = build_role(StorageCommitmentPushModel, scp_role=True)
            return entity.associate("127.0.0.1", port, ae_title="DICOMWRIGHT", ext_neg=[role])

        peer = node(contexts=CONTEXTS, handlers=[(evt.EVT_N_ACTION, asked)])
        peer.answers = []
        return peer

    return start


def test_all_are_committed(committing, send):
    report = send(committing().url, commitment="yes", commitment_timeout=5)
    assert report.complete
    assert {row.message for row in report.rows} == {"committed"}


def test_a_report_is_answered_before_the_association_is_released(committing, send, monkeypatch):
    reported = _Reports._reported

    def slowly(*given):
        answer = reported(*given)
        time.sleep(0.2)  # the report has been heard of before
        return answer

    monkeypatch.setattr(_Reports, "_reported", slowly)
    peer = committing()
    began = time.monotonic()
    assert send(peer.url, commitment="yes", commitment_timeout=5).complete
    assert time.monotonic() - began < 20
    assert peer.answers == [0x0000]


@pytest.mark.parametrize("reason", [None, [1, 2]])
def test_a_reason_that_is_none(committing, send, reason):
    report = send(
        committing(lambda request: report_of(request, {1: reason})).url,
        commitment="yes",
        commitment_timeout=5,
    )
    assert (report.rows[1].state, report.rows[1].status) == ("refused", "0x0000")
    assert report.rows[1].message == "it was taken, but not committed: no reason that is known"


def test_the_report_comes_to_a_port_of_ours(committing, send, free_port):
    peer = committing(port=free_port)
    report = send(
        peer.url, commitment="yes", commitment_timeout=5, commitment_listen=f"127.0.0.1:{free_port}"
    )
    assert report.complete
    assert {row.message for row in report.rows} == {"committed"}


def test_some_are_not_committed(committing, send):
    peer = committing(lambda request: report_of(request, {1: 0x0112, 2: 0x0119}, {3}))
    report = send(peer.url, commitment="yes", commitment_timeout=0.5)
    assert [row.state for row in report.rows] == ["stored", "refused", "refused", "unknown", "stored"]
    assert [row.status for row in report.rows[1:3]] == ["0x0112", "0x0119"]
    assert report.rows[1].message == "it was taken, but not committed: it has no such instance"
    assert report.rows[3].message == "it was taken, but not committed within 0.5 s"


def test_what_was_lost_is_sent_again(committing, send):
    losses = [{1: 0x0112}, {}]
    peer = committing(lambda request: report_of(request, losses.pop(0)))
    report = send(peer.url, retries=1, commitment="yes", commitment_timeout=5)
    assert report.complete
    assert len(peer.received) == 6


def test_a_report_on_another_request_does_not_count(committing, send, said):
    def other(request):
        kind, report = report_of(request)
        report.TransactionUID = "1.2.3"
        return kind, report

    report = send(committing(other).url, commitment="yes", commitment_timeout=0.3)
    assert said(report) == {"unknown": 5}


def test_the_request_is_refused(committing, send, said):
    report = send(committing(status=0x0110).url, commitment="yes", commitment_timeout=5)
    assert said(report) == {"unknown": 5}
    assert report.rows[0].message.endswith("cannot be asked for: the request was answered with 0x0110")


def test_it_is_not_offered(node, send, said):
    report = send(node().url, commitment="yes", commitment_timeout=5)
    assert said(report) == {"unknown": 5}
    assert "the destination does not offer storage commitment" in report.rows[0].message


def test_our_port_is_taken(committing, send, said, listener):
    port = listener(lambda _: None)
    peer = committing()
    report = send(peer.url, commitment="yes", commitment_timeout=1, commitment_listen=f"127.0.0.1:{port}")
    assert said(report) == {"pending": 5}
    assert f"cannot listen at 127.0.0.1:{port}: Address already in use" in report.rows[0].message
    assert peer.received == []


def test_refusals_are_told_as_they_are(node, send, said):
    report = send(node(lambda *_: 0xC000).url, commitment="yes", commitment_timeout=1)
    assert said(report) == {"refused": 5}
