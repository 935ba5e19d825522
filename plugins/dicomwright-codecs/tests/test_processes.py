"""Images are compressed side by side: the same bytes, a bounded number under way, and one error if a process dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest

from dicomwright.errors import PublishError
from dicomwright_codecs import session
from dicomwright_codecs.coding import Job
from dicomwright_codecs.session import side_by_side
from dicomwright_codecs.workers import Workers


@pytest.fixture(autouse=True)
def _small_images_are_worth_a_process(monkeypatch):
    monkeypatch.setattr(session, "_WORTH_A_PROCESS", 1)
    monkeypatch.setattr(session, "_WORTH_A_THREAD", 1)


@pytest.fixture
def started(monkeypatch):
    """Return the workers that are started, and kill one of them if asked to."""
    found = []
    begin = Workers.__init__

    def remembered(self, *arguments):
        begin(self, *arguments)
        found.extend(self._all)

    monkeypatch.setattr(Workers, "__init__", remembered)
    return found


@pytest.fixture
def in_processes(monkeypatch):
    """Take an encoder for one that holds Python's lock."""
    monkeypatch.setattr(Job, "lets_go", False)


@pytest.mark.parametrize(
    ("name", "processes"),
    [
        ("rle", 0),
        ("jpeg-ls", 0),
        ("jpeg-ls-near", 0),
        ("jpeg2000-lossless", 0),
        ("jpeg2000", 3),
        ("htj2k", 0),
    ],
)
def test_bytes_do_not_depend_on_the_number_of_jobs(build, tmp_path, name, processes, started):
    alone = build(name, uids="derived").write(tmp_path / "alone", jobs=1)
    assert started == []
    together = build(name, uids="derived").write(tmp_path / "together", jobs=3)
    assert len(started) == processes
    assert [file.read_bytes() for file in together] == [file.read_bytes() for file in alone]
    assert all(worker.process.poll() is not None for worker in started)


@pytest.mark.usefixtures("in_processes")
def test_a_dead_process_is_one_error_and_leaves_nothing(build, tmp_path, started):
    series = build("jpeg-ls", np.zeros((40, 32, 33), np.int16))
    real = series._plan.bulk.varying.func

    def killing(env):
        if env.instance_number == 7:
            for worker in started:
                os.kill(worker.process.pid, signal.SIGKILL)
        return real(env)

    object.__setattr__(series._plan.bulk.varying, "func", killing)
    with pytest.raises(PublishError) as caught:
        series.write(tmp_path / "out", jobs=2)
    (problem,) = caught.value.problems
    assert "the process that compressed it was ended by SIGKILL" in problem.message
    assert list(tmp_path.iterdir()) == []
    assert all(worker.process.poll() is not None for worker in started)


@pytest.mark.usefixtures("in_processes")
def test_a_process_that_cannot_start_is_one_error(build, tmp_path, monkeypatch):
    monkeypatch.setattr("dicomwright_codecs.workers._START", "raise SystemExit('no such thing')")
    with pytest.raises(PublishError, match=r"image 1: the process .* ended with status 1 \(no such thing\)"):
        build("jpeg-ls").write(tmp_path / "out", jobs=2)
    assert list(tmp_path.iterdir()) == []


def test_a_system_without_room_for_processes_is_one_error(build, tmp_path, monkeypatch):
    def popen(*_, **__):
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(subprocess, "Popen", popen)
    with pytest.raises(PublishError) as caught:
        build("jpeg2000").write(tmp_path / "out", jobs=2)
    assert "no process to compress images can be started: Too many open files" in str(caught.value)
    assert "give fewer --jobs" in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_nothing_in_the_working_folder_is_imported(build, tmp_path, monkeypatch):
    for name in ("json", "signal", "mmap", "numpy"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('imported')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [path for path in sys.path if path])
    assert len(build("jpeg2000").write("out", jobs=2)) == 5


@pytest.mark.parametrize("lets_go", [True, False])
def test_a_bounded_number_is_under_way(build, tmp_path, monkeypatch, lets_go):
    monkeypatch.setattr(Job, "lets_go", lets_go)
    series = build("jpeg-ls", np.zeros((60, 32, 33), np.int16))
    compression = series._plan.bulk.rule.element._compression
    asked = []
    real = compression._request.frames
    object.__setattr__(compression._request, "frames", lambda index: asked.append(index) or real(index))
    written, ahead = [], []

    def progress(count):
        written.append(count)
        ahead.append(len(asked) - sum(written))

    series.write(tmp_path / "out", jobs=2, progress=progress)
    assert sorted(asked) == list(range(60))
    assert max(ahead) < 40


@pytest.mark.parametrize(("bits", "processes"), [(16, 0), (12, 3)])
def test_multi_frame_images_are_compressed_frame_by_frame(compressed, started, bits, processes):
    frames = np.random.default_rng(2).integers(0, 99, (9, 31, 33)).astype("u2")
    dataset, compression = compressed("jpeg-ls", frames, bits=bits)
    with compression.session(3, [0]):
        value = compression.value(0)
    assert len(started) == processes
    assert bytes(value) == dataset.PixelData
    np.testing.assert_array_equal(dataset.pixel_array, frames)


def test_many_pixels_go_through_a_file(compressed, monkeypatch):
    frames = np.random.default_rng(2).integers(0, 99, (9, 31, 33)).astype("u1")
    dataset, compression = compressed("rle", frames)
    monkeypatch.setattr("dicomwright_codecs.fragments._IN_MEMORY", 10)
    compression._last = None
    assert bytes(compression.value(0)) == dataset.PixelData


def test_a_folder_for_temporary_files_without_room(compressed, monkeypatch):
    _, compression = compressed("rle", np.zeros((9, 31, 33), "u1"))
    monkeypatch.setattr("dicomwright_codecs.fragments._IN_MEMORY", 10)
    monkeypatch.setattr(tempfile, "tempdir", "/absent")
    with pytest.raises(PublishError) as caught:
        compression.value(0)
    assert str(caught.value) == (
        "the compressed frames do not fit into /absent: No such file or directory; nothing was published; "
        "free space there, or set TMPDIR to another folder"
    )


def test_small_series_need_no_processes(monkeypatch):
    monkeypatch.setattr(session, "_WORTH_A_PROCESS", 8 * 2**20)
    assert side_by_side(8, 10, 2**20, processes=True) == 1
    assert side_by_side(8, 32, 2**20, processes=True) == 4
    assert side_by_side(8, 32, 2**20, processes=False) == 8
    assert side_by_side(1, 10**6, 2**20, processes=False) == 1


def test_a_script_without_a_guard_works(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        """
import numpy as np
from dicomwright import Blueprint, DicomFactory, Volume
from dicomwright_codecs import session
from dicomwright_codecs.coding import Job

print("once")
session._WORTH_A_PROCESS = 1
volume = Volume(np.zeros((6, 32, 33), "i2"), np.diag([5.0, 2.0, 1.5, 1.0])[[2, 1, 0, 3]])
series = DicomFactory().build(volume, Blueprint.load("ct-image"), transfer_syntax="jpeg2000")
print(len(series.write("out", jobs=2)))
"""
    )
    done = subprocess.run(
        [sys.executable, script], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.split() == ["once", "6"]


def test_processes_end_with_a_build_that_is_killed(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        """
import os, signal
from dicomwright_codecs.workers import Workers
workers = Workers(2, "jpeg2000")
print(*(worker.process.pid for worker in workers._all), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    )
    done = subprocess.run(
        [sys.executable, script], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
    )
    for process in map(int, done.stdout.split()):
        assert ended(process)


def ended(process):
    """Wait until a process that is not our child is gone."""
    for _ in range(100):
        try:
            status = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
        except OSError:
            return True
        if status == "Z":
            return True
        time.sleep(0.05)
    return False
