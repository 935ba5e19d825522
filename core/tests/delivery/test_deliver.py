"""What is sent again, what is not, and what is said of it."""

from __future__ import annotations

import json
import os
import threading
import time

import pytest

from dicomwright.delivery import Ledger, Policy
from dicomwright.errors import DeliveryError, PluginError
from dicomwright.plugins import Delivery

NAMES = [f"IM{number:05d}" for number in range(5)]
BUSY = {"state": "refused", "status": "0xA700", "message": "out of resources", "transient": True}


def test_all_arrive(send, box, series):
    report = send()
    assert report.complete
    assert box.kept == NAMES
    (one,) = report.destinations
    assert (one.destination, one.sender, one.sent, one.stopped) == ("box://PACS@archive:104", "box", 5, "")
    assert one.counts == {"stored": 5, "warning": 0, "refused": 0, "unknown": 0, "pending": 0}
    assert report.ledger == series.with_name("out.ledger")
    assert all(row.attempts == 1 for row in report.rows)


def test_what_has_arrived_is_not_sent_again(send, box):
    send()
    report = send()
    assert (report.complete, report.destinations[0].sent, len(box.calls)) == (True, 0, 1)
    assert send(again=True).destinations[0].sent == 5
    assert box.kept == NAMES * 2


def test_a_warning_has_arrived(send, box, states):
    box.answers["IM00002"] = [{"state": "warning", "status": "0xB000", "message": "coerced"}]
    report = send()
    assert report.complete
    assert states(report)["IM00002"] == "warning"
    assert send().destinations[0].sent == 0


def test_a_refusal_is_final_in_this_run_and_tried_in_the_next(send, box, states):
    box.answers["IM00001"] = [{"state": "refused", "status": "0xC000", "message": "cannot understand"}]
    report = send()
    assert not report.complete
    assert states(report) == dict.fromkeys(NAMES, "stored") | {"IM00001": "refused"}
    (row,) = [row for row in report.rows if not row.arrived]
    assert (row.status, row.message, row.attempts) == ("0xC000", "cannot understand", 1)
    assert len(box.calls) == 1
    assert send().complete
    assert box.calls[1:] == [["IM00001"]]


def test_a_refusal_that_may_pass_is_tried_again(send, box):
    box.answers["IM00001"] = [BUSY, BUSY]
    report = send()
    assert report.complete
    assert box.calls == [NAMES, ["IM00001"], ["IM00001"]]
    assert {row.file.name: row.attempts for row in report.rows}["IM00001"] == 3


def test_it_is_tried_as_often_as_the_policy_says(send, box, states):
    box.answers["IM00001"] = [BUSY] * 9
    report = send()
    assert len(box.calls) == 3
    assert states(report)["IM00001"] == "refused"
    assert report.as_dict()["destinations"][0]["series"][0]["outcome"] == "partly sent"


def test_no_answer_is_unknown_and_what_follows_is_sent_first(send, box):
    box.answers["IM00002"] = ["unknown"]
    box.answers["IM00003"] = ["pending"]
    box.answers["IM00004"] = ["pending"]
    assert send().complete
    assert box.calls == [NAMES, ["IM00003", "IM00004", "IM00002"]]


def test_a_file_of_which_nothing_is_said_is_unknown(send, box, states):
    box.answers["IM00003"] = [None]
    report = send(policy=Policy(retries=0))
    assert states(report) == dict.fromkeys(NAMES[:3], "stored") | dict.fromkeys(NAMES[3:], "unknown")
    assert {row.message for row in report.rows if not row.arrived} == {"no answer came"}


def test_what_was_sent_without_an_answer_stays_unknown_when_nobody_listens_later(send, box, states):
    down = {"state": "pending", "message": "nobody listens"}
    box.answers = {name: [down] * 9 for name in NAMES} | {
        "IM00000": [],
        "IM00002": ["unknown", *[down] * 9],
        "IM00003": [BUSY, *[down] * 9],
    }
    for retries in (1, 0):  # by the same run, and by the next one
        report = send(policy=Policy(retries=retries, first_wait=0.001))
        assert states(report) == dict(
            zip(NAMES, ["stored", "pending", "unknown", "pending", "pending"], strict=True)
        )
        row = report.rows[2]
        assert (row.message, row.attempts) == ("it was sent before, and may be there; nobody listens", 1)


def test_what_has_arrived_is_not_told_as_never_sent_if_nobody_listens_when_it_is_sent_again(
    send, box, states
):
    send()
    box.answers = {name: ["pending"] for name in NAMES}
    assert states(send(again=True, policy=Policy(retries=0))) == dict.fromkeys(NAMES, "unknown")


def test_a_destination_that_takes_nothing_is_left_after_some_tries(send, box, patience, states):
    box.answers = {name: [{"state": "pending", "message": "nobody listens"}] * 9 for name in NAMES}
    report = send(policy=Policy(retries=3, first_wait=8), stop=patience)
    assert len(box.calls) == 4
    assert states(report) == dict.fromkeys(NAMES, "pending")
    assert all(row.attempts == 0 for row in report.rows)
    waits = patience.waits
    assert [4 <= waits[0] <= 8, 8 <= waits[1] <= 16, 16 <= waits[2] <= 32] == [True] * 3
    assert report.as_dict()["destinations"][0]["series"][0]["outcome"] == "not sent"


def test_names_that_are_no_text(send, series):
    name = os.fsdecode(b"IM\xe4\n0")
    (series / "IM00000").rename(series / name)
    series.rename(series.with_name(os.fsdecode(b"\xf6ut")))
    for sent in (5, 0):
        report = send(series.with_name(os.fsdecode(b"\xf6ut")))
        assert report.complete
        assert report.destinations[0].sent == sent
        assert {row.file.name for row in Ledger.read(report.ledger)} == {name, *NAMES[1:]}
        assert json.loads(json.dumps(report.as_dict()))["complete"] is True


def test_waits_are_bounded_and_uneven():
    policy = Policy(first_wait=10, longest_wait=30)
    waits = [policy.wait(40) for _ in range(50)]
    assert 15 <= min(waits) < max(waits) <= 30


@pytest.mark.parametrize(
    "wrong", [{"retries": -1}, {"timeout": 0}, {"timeout": float("nan")}, {"first_wait": float("nan")}]
)
def test_limits_that_are_none(wrong):
    with pytest.raises(DeliveryError, match="cannot be negative"):
        Policy(**wrong)


def test_the_other_side_says_when_to_come_back(send, box, patience):
    box.answers["IM00000"] = [BUSY | {"retry_after": 25.0}]
    assert send(policy=Policy(first_wait=1, longest_wait=60), stop=patience).complete
    assert patience.waits == [25.0]


def test_a_wish_to_be_left_alone_for_too_long_ends_it(send, box, patience):
    box.answers["IM00000"] = [BUSY | {"retry_after": 90.0}]
    report = send(policy=Policy(longest_wait=60), stop=patience)
    assert (patience.waits, report.complete) == ([], False)
    assert report.destinations[0].stopped == "it wants to be left alone for 90 s"


def test_no_wait_goes_beyond_the_time(send, box):
    box.answers["IM00000"] = [BUSY] * 9
    began = time.monotonic()
    report = send(policy=Policy(first_wait=60, timeout=0.5))
    assert time.monotonic() - began < 10
    assert not report.complete
    assert report.destinations[0].stopped == "the time of 0.5 s ends before the next try"


def test_a_file_that_is_changed_meanwhile_has_not_arrived(send, box, states, series):
    def change(name):
        if name == "IM00001":
            (series / "IM00002").write_bytes((series / "IM00002").read_bytes() + bytes(2))

    box.before = change
    report = send()
    assert states(report) == dict.fromkeys(NAMES, "stored") | {"IM00002": "unknown"}
    assert report.rows[2].message.startswith("the file was changed while it was sent")
    assert len(box.calls) == 1


def test_one_that_hangs_holds_up_no_other(send, box, monkeypatch):
    monkeypatch.setattr("dicomwright.delivery.transmission.GRACE", 0.2)
    freed = threading.Event()

    def first_hangs(_):
        if threading.current_thread().name == "send to box://dead":
            freed.wait(20)

    box.before = first_hangs
    rows = []
    report = send(destinations=["box://dead", "box://well"], policy=Policy(timeout=1), progress=rows.append)
    freed.set()
    dead, well = report.destinations
    assert (dead.counts["unknown"], well.counts["stored"], well.complete) == (5, 5, True)
    assert len(rows) == 10


def test_the_command_does_not_wait_for_threads_of_a_sender_that_is_left(send, box, monkeypatch):
    monkeypatch.setattr("dicomwright.delivery.transmission.GRACE", 0.2)
    strays = []
    monkeypatch.setattr("dicomwright.delivery.transmission.strays", strays)
    freed = threading.Event()
    threads = []

    def hang(_):
        threads.append(threading.Thread(target=freed.wait, args=(20,), name="of a library", daemon=False))
        threads[0].start()
        freed.wait(20)

    box.before = hang
    send(policy=Policy(timeout=0.2))
    freed.set()
    assert threads[0] in strays
    assert threading.current_thread() not in strays


def test_several_are_stopped_together(send, box, monkeypatch):
    def interrupt(_):
        raise KeyboardInterrupt

    stop = threading.Event()
    monkeypatch.setattr("dicomwright.delivery.runs.wait", interrupt)
    box.before = lambda _: stop.wait(20)
    with pytest.raises(KeyboardInterrupt):
        send(destinations=["box://a", "box://b"], stop=stop)
    assert stop.is_set()
    assert set(box.kept) <= {NAMES[0]}  # what was being sent


def test_a_sender_that_hangs_is_left(send, box, monkeypatch, states):
    monkeypatch.setattr("dicomwright.delivery.transmission.GRACE", 0.2)
    freed = threading.Event()
    box.before = lambda name: freed.wait(20) if name == "IM00002" else None
    report = send(policy=Policy(timeout=0.5))
    freed.set()
    assert list(states(report).values()) == ["stored"] * 2 + ["unknown"] * 3
    assert report.destinations[0].stopped == "the time of 0.5 s is up"
    assert "was told to stop, and did not" in report.rows[2].message


def test_stop_ends_after_the_present_file(send, box, states):
    stop = threading.Event()
    box.before = lambda name: stop.set() if name == "IM00001" else None
    report = send(stop=stop)
    assert list(states(report).values()) == ["stored"] * 2 + ["unknown"] * 3
    assert report.destinations[0].stopped == "stopped"
    assert box.kept == NAMES[:2]


def test_what_was_said_before_an_interruption_is_kept(send, box, series):
    def progress(row):
        if row.file.name == "IM00002":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        send(progress=progress)
    rows = Ledger.read(series.with_name("out.ledger"))
    assert [row.state for row in rows] == ["stored"] * 3 + ["unknown"] * 2
    assert send().complete
    assert box.kept == NAMES


def test_a_sender_that_fails_is_tried_again_and_named(send, box, states):
    def fail(name):
        if name == "IM00001":
            raise OSError("the cable\nis out")

    box.before = fail
    report = send()
    assert len(box.calls) == 3
    assert states(report)["IM00001"] == "unknown"
    (message,) = {row.message for row in report.rows if not row.arrived}
    assert message == 'sender "box" of acme-box 1.0 failed: OSError: the cable is out'


def test_a_sender_that_ends_the_program_does_not(send, box):
    box.before = lambda name: exit(0)  # noqa: ARG005, PLR1722
    assert not send(policy=Policy(retries=0)).complete


@pytest.mark.parametrize("said", ["stored", None, Delivery("other", "stored"), Delivery("IM00000", "fine")])
def test_nonsense_is_not_an_arrival(send, box, said, monkeypatch):
    monkeypatch.setattr(type(box), "send", lambda *_: iter([said]))
    report = send(policy=Policy(retries=0))
    assert {row.state for row in report.rows} == {"unknown"}


def test_the_first_word_on_a_file_counts(send, box, monkeypatch):
    def twice(_, files, *__):
        for file in files:
            yield Delivery(file, "refused", "0xC000")
            yield Delivery(file, "stored")

    monkeypatch.setattr(type(box), "send", twice)
    assert {row.state for row in send().rows} == {"refused"}


def test_a_sender_may_refuse_while_it_sends(send, box, monkeypatch):
    def refuse(*_):
        raise DeliveryError("no such room")

    monkeypatch.setattr(type(box), "send", refuse)
    with pytest.raises(DeliveryError, match="no such room"):
        send()


def test_progress_is_told_row_by_row(send):
    told = []
    send(progress=lambda row: told.append((row.file.name, row.state)))
    assert told == [(name, "stored") for name in NAMES]


@pytest.mark.parametrize(
    "wrong", [{"retries": -1}, {"first_wait": -1}, {"timeout": 0}], ids=lambda wrong: next(iter(wrong))
)
def test_a_policy_that_makes_no_sense(wrong):
    with pytest.raises(DeliveryError, match="cannot be negative"):
        Policy(**wrong)


def test_nothing_is_sent_when_one_destination_is_wrong(send, box):
    with pytest.raises(DeliveryError, match="has no scheme"):
        send(destinations=["box://a", "nowhere"])
    with pytest.raises(PluginError, match="nothing that is installed sends to ftp:"):
        send(destinations=["box://a", "ftp://b"])
    assert box.calls == []


def test_each_destination_has_its_own_rows(send, box):
    report = send(destinations=["box://a", "box://b", "BOX://A/"])
    assert [one.destination for one in report.destinations] == ["box://a", "box://b"]
    assert len(report.rows) == 10
    assert sorted(box.kept) == sorted(NAMES * 2)
