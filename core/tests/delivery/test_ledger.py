"""The ledger survives, is alone, and holds no secrets."""

from __future__ import annotations

import random
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pydicom
import pytest

from dicomwright.delivery import Ledger
from dicomwright.delivery.destinations import looks_like_destination
from dicomwright.delivery.runs import ledger_beside
from dicomwright.errors import DeliveryError


def test_it_is_beside_the_folder_and_only_its_owner_reads_it(send, series):
    before = sorted(series.iterdir())
    path = send().ledger
    assert path == series.parent / "out.ledger"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert sorted(series.iterdir()) == before
    assert sorted(one.name for one in series.parent.iterdir()) == ["out", "out.ledger"]


def test_where_it_is_for_files_and_links(series, tmp_path):
    (tmp_path / "link").symlink_to(series)
    assert ledger_beside(series / "IM00000") == ledger_beside(tmp_path / "link") == tmp_path / "out.ledger"


def test_there_is_nothing_beside_the_root():
    with pytest.raises(DeliveryError, match="there is no room for a ledger beside /; give --ledger a path"):
        ledger_beside(Path("/"))


def test_it_can_be_elsewhere(send, tmp_path):
    report = send(ledger=tmp_path / "deliveries.sqlite")
    assert report.ledger == tmp_path / "deliveries.sqlite"
    assert len(Ledger.read(report.ledger)) == 5


def test_changed_content_is_another_row_and_a_warning(send, series):
    send()
    dataset = pydicom.dcmread(series / "IM00001")
    dataset.SeriesDescription = "changed"
    dataset.save_as(series / "IM00001")
    report = send()
    assert report.destinations[0].sent == 1
    (warning,) = report.warnings
    assert (
        "box://PACS@archive:104 has 1 instances with another content under the same SOPInstanceUID" in warning
    )
    assert len(Ledger.read(report.ledger)) == 6


def test_a_moved_folder_is_known_by_its_uids(send, series, tmp_path):
    ledger = send().ledger
    series.rename(tmp_path / "moved")
    report = send(tmp_path / "moved", ledger=ledger)
    assert (report.complete, report.destinations[0].sent) == (True, 0)
    assert {row.file.parent for row in report.rows} == {tmp_path / "moved"}


def test_a_second_run_is_refused_at_once(send, series):
    with (
        Ledger(ledger_beside(series)),
        pytest.raises(DeliveryError, match="another run is sending with the ledger"),
    ):
        send()
    assert send().complete


def test_a_lock_that_a_killed_run_left_is_no_obstacle(send, series):
    code = f"import os; from dicomwright.delivery import Ledger; Ledger({str(ledger_beside(series))!r}); os._exit(9)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 9
    assert (series.parent / "out.ledger-lock").exists()
    assert send().complete


def test_rows_can_be_read_while_a_run_writes(send, series):
    seen = []
    send(
        progress=lambda _: seen.append(
            [one.state for one in Ledger.read(ledger_beside(series))].count("stored")
        )
    )
    assert seen == [1, 2, 3, 4, 5]


def test_it_is_written_before_the_next_file_is_sent(send, box, series):
    known = []

    def before(_):
        known.append(sum(row.arrived for row in Ledger.read(ledger_beside(series))))

    box.before = before
    send()
    assert known == [0, 1, 2, 3, 4]


def test_what_was_being_sent_when_the_power_failed_is_unknown(send, box, series):
    found = []
    box.before = lambda _: found.append(Ledger.read(ledger_beside(series))[4].state)
    send()
    assert found[0] == "unknown"


def test_other_files_are_not_taken_for_a_ledger(send, tmp_path):
    (tmp_path / "text").write_text("not a database, but long enough to be taken for one " * 20)
    with pytest.raises(DeliveryError, match=r"the ledger .*text cannot be used: file is not a database"):
        send(ledger=tmp_path / "text")
    other = sqlite3.connect(tmp_path / "other")
    other.execute("CREATE TABLE patients (name)")
    other.close()
    with pytest.raises(DeliveryError, match="other is not a ledger of deliveries"):
        send(ledger=tmp_path / "other")


@pytest.mark.parametrize("column", ["message", "state"])
def test_a_ledger_with_bytes_that_are_no_text(send, tmp_path, column):
    path = send(ledger=tmp_path / "ledger").ledger
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA ignore_check_constraints = 1")
        database.execute(f"UPDATE delivery SET {column} = CAST(x'2fff' AS TEXT)")
    database.close()
    for use in (lambda: Ledger.read(path), lambda: send(ledger=path)):
        with pytest.raises(DeliveryError, match="ledger cannot be used: Could not decode"):
            use()


def test_a_damaged_ledger_is_told_or_of_no_harm(send, tmp_path):
    path = send(ledger=tmp_path / "ledger").ledger
    whole, chance = path.read_bytes(), random.Random(5)
    told = 0
    for _ in range(60):
        damaged = bytearray(whole)
        for _ in range(20):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        path.write_bytes(damaged)
        try:
            Ledger.read(path)
            with Ledger(path) as ledger:
                ledger.rows()
        except DeliveryError:
            told += 1
    assert told > 20


def test_a_later_version_is_left_alone(send, tmp_path):
    path = send(ledger=tmp_path / "ledger").ledger
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version = 2")
    database.close()
    with pytest.raises(DeliveryError, match="is a ledger of version 2, and this one writes 1"):
        send(ledger=path)
    with pytest.raises(DeliveryError, match="version 2"):
        Ledger.read(path)


def test_a_ledger_that_is_not_there(tmp_path):
    with pytest.raises(DeliveryError, match="cannot be used: unable to open"):
        Ledger.read(tmp_path / "none")


def test_a_place_that_cannot_be_written(send, tmp_path):
    with pytest.raises(
        DeliveryError, match=r"cannot be used: No such file or directory; give --ledger a path"
    ):
        send(ledger=tmp_path / "no" / "such" / "folder")


def test_messages_of_the_other_side_are_one_line_without_control_characters(send, box):
    box.answers["IM00000"] = [
        {"state": "refused", "status": "0xC000", "message": "a\n\x1b[31mb" + "c" * 5000}
    ]
    row = next(row for row in send().rows if not row.arrived)
    assert row.message.startswith("a \\x1b[31mbccc")
    assert len(row.message) < 1000


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("box://user:hunter2@host", "box://host is written with a password, which others would see"),
        ("box://host/?token=hunter2", "box://host is written with a query or a fragment"),
        (
            "box://user:hunter2@host:99999",
            "with box: is no URL: its host, port or letters are written wrongly",
        ),
        ("box://host:1/2:port?token=hunter2", "is written with a query"),
        ("box://user:hunter2/3@host", "with box: is no URL: its host, port or letters are written wrongly"),
        (
            "box://host/\udce4?token=hunter2",
            "with box: is no URL: its host, port or letters are written wrongly",
        ),
        ("box://[::1/?token=hunter2", "with box: is no URL: its host, port or letters are written wrongly"),
    ],
)
def test_secrets_are_refused_in_destinations(send, tmp_path, url, text):
    with pytest.raises(DeliveryError) as refused:
        send(destinations=url, ledger=tmp_path / "ledger")
    assert text in str(refused.value)
    assert "hunter2" not in str(refused.value)
    assert not (tmp_path / "ledger").exists()


def test_options_are_not_in_the_ledger(send, box):
    report = send(options={"colour": "top-secret"})
    assert box.checked == [("box://PACS@archive:104", {"colour": "top-secret"})]
    assert b"top-secret" not in report.ledger.read_bytes()


@pytest.mark.parametrize("text", ["dicom://a", "https://a", "BOX:a", "dicom+tls://a"])
def test_destinations_are_told_from_paths(text):
    assert looks_like_destination(text)
    assert not looks_like_destination(f"./{text}")
