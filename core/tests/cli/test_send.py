"""``dicomwright send``, with a sender on disk that copies files into a folder."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter

import pytest

from dicomwright.delivery import Ledger

PLUGIN = """
from dicomwright.plugins import OptionSpec, SenderSpec, hookimpl

@hookimpl
def dicomwright_senders():
    options = (OptionSpec(name="slow", summary="seconds a file"), OptionSpec(name="answers", summary="a JSON file"))
    return [SenderSpec(name="folder", summary="copies", target="test_folder_sender:Folder", schemes=("folder",),
                       options=options)]
"""
SENDER = """
import json, time, warnings
from pathlib import Path
from dicomwright.plugins import Delivery

class Folder:
    def send(self, files, destination, options):
        print("the sender prints")
        warnings.warn_explicit("an answer is odd", UserWarning, "valuerep.py", 440, module="pydicom.valuerep")
        target = Path(destination.removeprefix("folder:"))
        answers = json.loads(Path(options["answers"]).read_text()) if "answers" in options else {}
        for file in files:
            answer = answers.get(file.name)
            if answer is None:
                with (target / "received").open("a") as log:
                    log.write(f"{file.name}\\n")
                    log.flush()
                time.sleep(float(options.get("slow", 0)))
            yield Delivery(file, *(answer or ["stored"]))
"""


@pytest.fixture
def folder(site, tmp_path, make_series, write_series, monkeypatch):  # `site` is on the path
    """Put a second distribution beside the reader; return the folder with a series to send."""
    info = site / "test_folder-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: test-folder\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[dicomwright]\nfolder = test_folder_plugin\n")
    (site / "test_folder_plugin.py").write_text(PLUGIN)
    (site / "test_folder_sender.py").write_text(SENDER)
    (tmp_path / "archive").mkdir()
    write_series(make_series(shape=(5, 4, 6)), tmp_path / "out")
    monkeypatch.chdir(tmp_path)
    yield tmp_path / "out"
    for name in ("test_folder_plugin", "test_folder_sender"):
        sys.modules.pop(name, None)


@pytest.fixture
def answers(tmp_path):
    """Return `answers(name=[state, status, message]) -> arguments`."""

    def write(**said):
        (tmp_path / "answers.json").write_text(json.dumps(said))
        return ["--sender-opt", f"answers={tmp_path / 'answers.json'}"]

    return write


def received(folder):
    return Counter((folder.parent / "archive" / "received").read_text().split())


def test_all_arrive(cli, folder):
    done = cli("send", folder, "folder:archive")
    assert done.code == 0
    assert done.out == (f"folder:archive: sent: 5 of 5 arrived\nledger: {folder.with_name('out.ledger')}\n")
    assert received(folder) == dict.fromkeys([f"IM0000{number}" for number in range(5)], 1)
    again = cli("send", "out", "folder:archive")
    assert (again.code, received(folder).total()) == (0, 5)
    assert (cli("send", "out", "folder:archive", "--again").code, received(folder).total()) == (0, 10)


def test_a_part_is_no_success(cli, folder, answers):
    more = answers(
        IM00001=["refused", "0xC000", "cannot understand"],
        IM00003=["refused", "0xC000", "cannot understand"],
        IM00004=["warning", "0xB000", "coerced"],
    )
    done = cli("send", folder, "folder:archive", *more)
    assert done.code == 1
    assert done.out.splitlines()[:3] == [
        "refused: IM00001, IM00003: 0xC000 cannot understand",
        "warning: IM00004: 0xB000 coerced",
        "folder:archive: NOT COMPLETE: 3 of 5 arrived (1 with warnings), 2 refused",
    ]


def test_names_are_told_in_one_line(cli, folder, answers):
    (folder / "IM00001").rename(folder / "a\nfolder:archive: sent: 5 of 5 arrived")
    (folder / "b\nc").write_text("no image")
    outcome = cli(
        "send",
        "out",
        "folder:archive",
        *answers(**{"a\nfolder:archive: sent: 5 of 5 arrived": ["refused", "", ""]}),
    )
    assert outcome.code == 1
    assert outcome.out.splitlines()[0].rstrip() == "refused: a folder:archive: sent: 5 of 5 arrived:"
    assert "dicomwright: warning: not to be sent: b c\n" in outcome.err


def test_json(cli, folder, answers):
    done = cli("send", folder, "folder:archive", "--json", *answers(IM00001=["refused", "0xC000", "no"]))
    assert done.code == 1
    result = done.result
    assert (result["complete"], result["ledger"]) == (False, str(folder.with_name("out.ledger")))
    (one,) = result["destinations"]
    assert one["destination"] == "folder:archive"
    assert one["counts"] == {"stored": 4, "warning": 0, "refused": 1, "unknown": 0, "pending": 0}
    assert [series["outcome"] for series in one["series"]] == ["partly sent"]
    assert one["instances"][1]["status"] == "0xC000"


def test_retries_and_quiet(cli, folder, answers):
    done = cli(
        "send", folder, "folder:archive", "--quiet", "--retries", 0, *answers(IM00001=["unknown", "", ""])
    )
    assert (done.code, done.out, done.err) == (1, "", "the sender prints\n")
    assert received(folder).total() == 4


def test_several_paths_destinations_and_a_ledger(cli, folder):
    (folder.parent / "second").mkdir()
    (folder.parent / "second" / "received").touch()
    files = [folder / "IM00000", folder / "IM00001"]
    done = cli("send", *files, "folder:archive", "folder:second", "--ledger", "book")
    assert done.code == 0
    assert done.out.count("2 of 2 arrived") == 2
    assert len(Ledger.read(folder.parent / "book")) == 4


def test_warnings_are_told(cli, folder):
    (folder / "notes.txt").write_text("hello")
    assert "dicomwright: warning: not to be sent: notes.txt" in cli("send", folder, "folder:archive").err


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (["out"], 2, "Missing argument 'DEST...'"),
        (["folder:archive"], 2, "Missing argument 'DIR|FILE...'"),
        (["none", "folder:archive"], 1, "none cannot be read (No such file or directory)"),
        (["out", "gopher://a"], 1, "nothing that is installed sends to gopher:"),
        (["out", "folder:archive", "--sender-opt", "speed=1"], 1, 'sender "folder" has no option "speed"'),
        (["out", "folder:archive", "--sender", "fax"], 1, 'there is no sender "fax"'),
        (["out", "folder:archive", "--timeout", "0"], 2, "0.0 is not in the range x>0"),
        (["out", "folder:archive", "--no-plugins"], 1, "nothing that is installed sends to folder:"),
    ],
)
def test_misuse(cli, folder, arguments, code, text):  # noqa: ARG001  # the series is there
    done = cli("send", *arguments)
    assert (done.code, done.out) == (code, "")
    assert text in done.err


@pytest.fixture
def start(folder):
    """Return `start(received) -> process` that has sent so many files and sends slowly."""
    children = []

    def run(count):
        arguments = ["send", folder, "folder:archive", "--sender-opt", "slow=0.3"]
        child = subprocess.Popen(
            [sys.executable, "-m", "dicomwright", *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        children.append(child)
        log, limit = folder.parent / "archive" / "received", time.monotonic() + 20
        while not (log.exists() and log.read_text().count("\n") >= count):
            assert child.poll() is None, child.stderr.read()
            assert time.monotonic() < limit
            time.sleep(0.005)
        return child

    yield run
    for child in children:
        child.kill()
        child.communicate()


def test_what_pydicom_warns_of_is_not_shown(start):
    child = start(5)
    out, err = child.communicate(timeout=20)
    assert (child.returncode, out.splitlines()[0]) == (0, "folder:archive: sent: 5 of 5 arrived")
    assert err == "the sender prints\n"


def test_killed_and_run_again_nothing_is_lost_and_nothing_confirmed_is_sent_twice(start, cli, folder):
    child = start(3)
    os.kill(child.pid, signal.SIGKILL)
    child.wait(10)
    known = {row.file.name: row.state for row in Ledger.read(folder.with_name("out.ledger"))}
    assert list(known.values()) == ["stored"] * 2 + ["unknown"] * 3
    assert cli("send", folder, "folder:archive").code == 0
    counts = received(folder)
    assert set(counts) == set(known)
    assert [counts[name] for name in sorted(known)] == [1, 1, 2, 1, 1]  # the third was on its way


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_stopped_it_ends_soon_and_goes_on_later(start, cli, folder, number, code):
    child = start(2)
    began = time.monotonic()
    child.send_signal(number)
    assert child.wait(10) == code
    assert time.monotonic() - began < 5
    assert cli("send", folder, "folder:archive").code == 0
    assert set(received(folder)) == {f"IM0000{number}" for number in range(5)}
