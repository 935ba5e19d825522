"""A folder appears whole or not at all."""

import errno
import fcntl
import os
import signal
import subprocess
import sys
import time

import pytest

from dicomwright.engine import publish
from dicomwright.errors import PublishError


@pytest.fixture
def series(build):
    return build(count=3)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_an_empty_folder_is_filled(series, tmp_path):
    (tmp_path / "out").mkdir()
    series.write(tmp_path / "out")
    assert names(tmp_path / "out") == ["00001.dcm", "00002.dcm", "00003.dcm"]


def test_a_folder_that_is_not_empty_is_refused(series, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(PublishError, match=r"exists and is not empty \(notes.txt\)"):
        series.write(tmp_path)
    assert names(tmp_path) == ["notes.txt"]


def test_a_file_is_not_a_folder(series, tmp_path):
    (tmp_path / "out").write_text("mine")
    with pytest.raises(PublishError, match="is not a folder"):
        series.write(tmp_path / "out")


def test_overwrite_replaces_an_earlier_series(build, tmp_path):
    build(count=5).write(tmp_path / "out")
    before = (tmp_path / "out" / "00001.dcm").read_bytes()
    build(count=2).write(tmp_path / "out", overwrite=True)
    assert names(tmp_path / "out") == ["00001.dcm", "00002.dcm"]
    assert (tmp_path / "out" / "00001.dcm").read_bytes() != before
    assert names(tmp_path) == ["out"]


@pytest.mark.parametrize("name", ["notes.txt", "00009.dcm", "sub"])
def test_overwrite_leaves_what_others_wrote(build, tmp_path, name):
    build(count=2).write(tmp_path / "out")
    other = tmp_path / "out" / name
    other.mkdir() if name == "sub" else other.write_text("mine")
    with pytest.raises(PublishError, match=f"did not write \\({name}\\)"):
        build(count=2).write(tmp_path / "out", overwrite=True)
    assert other.exists()
    assert "00001.dcm" in names(tmp_path / "out")


def test_a_second_run_refuses_while_the_first_writes(series, tmp_path):
    with publish.staged(tmp_path / "out"):
        start = time.perf_counter()
        with pytest.raises(PublishError, match="another run is writing"):
            series.write(tmp_path / "out")
        assert time.perf_counter() - start < 5
    assert names(tmp_path) == ["out"]


def test_what_a_killed_run_left_is_cleaned_up(series, tmp_path):
    staging = tmp_path / ".out.dicomwright"
    (staging / "new").mkdir(parents=True)
    (staging / "new" / "00001.dcm").write_bytes(b"half")
    (staging / "lock").touch()
    series.write(tmp_path / "out")
    assert names(tmp_path) == ["out"]
    assert names(tmp_path / "out") == ["00001.dcm", "00002.dcm", "00003.dcm"]


def test_a_series_that_a_killed_run_had_moved_away_is_put_back(build, tmp_path):
    build(count=2).write(tmp_path / "out")
    staging = tmp_path / ".out.dicomwright"
    staging.mkdir()
    (tmp_path / "out").rename(staging / "old")
    with pytest.raises(PublishError, match="exists and is not empty"):
        build(count=2).write(tmp_path / "out")
    assert names(tmp_path / "out") == ["00001.dcm", "00002.dcm"]


def test_a_staging_folder_that_is_not_ours_is_left_alone(series, tmp_path):
    (tmp_path / ".out.dicomwright").mkdir()
    (tmp_path / ".out.dicomwright" / "precious.txt").touch()
    with pytest.raises(PublishError, match="not a staging folder of ours"):
        series.write(tmp_path / "out")
    assert (tmp_path / ".out.dicomwright" / "precious.txt").exists()


def test_a_full_disk_is_told_and_leaves_nothing(series, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "writev", full)
    with pytest.raises(PublishError, match=r"cannot write .*00001.dcm: No space left on device"):
        series.write(tmp_path / "out")
    assert names(tmp_path) == []


def test_short_writes_go_on(series, tmp_path, monkeypatch):
    real = os.writev
    monkeypatch.setattr(os, "writev", lambda fd, buffers: real(fd, [memoryview(buffers[0])[:7]]))
    files = series.write(tmp_path / "out")
    monkeypatch.undo()
    assert files[0].read_bytes()[128:132] == b"DICM"
    assert len(files[0].read_bytes()) > 200


def test_the_lock_is_gone_with_its_process(tmp_path):
    staging = tmp_path / ".out.dicomwright"
    with publish.staged(tmp_path / "out") as folder:
        descriptor = os.open(staging / "lock", os.O_RDWR)
        with pytest.raises(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(descriptor)
        assert folder == staging / "new"
    assert not staging.exists()


KILLED = """
import sys, time
from pathlib import Path
from dicomwright.engine.publish import staged
with staged(Path(sys.argv[1])) as folder:
    (folder / "00001.dcm").write_bytes(b"x")
    print("writing", flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_process_publishes_nothing(series, tmp_path, signum):
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path / "out")],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdout.readline() == b"writing\n"
    process.send_signal(signum)
    process.wait(30)
    process.stdout.close()
    assert not (tmp_path / "out").exists()
    assert names(tmp_path) == ([".out.dicomwright"] if signum is signal.SIGKILL else [])
    series.write(tmp_path / "out")
    assert names(tmp_path) == ["out"]
