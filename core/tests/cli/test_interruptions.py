"""A run that is stopped, killed, or not alone leaves a whole series or none."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pydicom
import pytest

SLICES = 400


@pytest.fixture
def large(source):
    """Return a source whose files take long enough to be interrupted."""
    array = np.random.default_rng(2).integers(0, 4000, (SLICES, 160, 150)).astype(np.int16)
    return source(array, "large.grid")


@pytest.fixture
def start(site, large, tmp_path):  # noqa: ARG001  # the reader must be there
    """Return `start(*more) -> process` that is writing when it is handed over."""
    children = []

    def run(*more, out="out"):
        arguments = ["build", large, "--blueprint", "mr-image", "--out", tmp_path / out, "--json", *more]
        child = subprocess.Popen(
            [sys.executable, "-m", "dicomwright", *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        children.append(child)
        staged = tmp_path / f".{out}.dicomwright" / "new"
        limit = time.monotonic() + 20
        while not (staged / "00005.dcm").exists():
            assert child.poll() is None, child.stderr.read()
            assert time.monotonic() < limit
            time.sleep(0.002)
        return child

    yield run
    for child in children:
        child.kill()
        child.communicate()


def names(folder):
    return sorted(path.name for path in folder.iterdir() if path.suffix != ".grid")


@pytest.mark.parametrize(
    ("number", "code", "word"), [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")]
)
def test_a_stopped_run_leaves_nothing(start, tmp_path, number, code, word):
    child = start()
    child.send_signal(number)
    out, errors = child.communicate(timeout=10)
    assert child.returncode == code
    assert out == ""
    assert errors.splitlines()[-1] == f"dicomwright: error: {word}"
    assert "Traceback" not in errors
    assert names(tmp_path) == []


def test_a_stopped_run_leaves_the_series_that_was_there(start, cli, source, tmp_path):
    assert cli("build", source(), "--blueprint", "mr-image", "--out", tmp_path / "out").code == 0
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    child = start("--overwrite")
    child.send_signal(signal.SIGINT)
    child.communicate(timeout=10)
    assert child.returncode == 130
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before
    assert names(tmp_path) == ["out"]


def test_a_killed_run_leaves_no_file_in_out_and_the_next_run_cleans_up(start, cli, large, tmp_path):
    child = start()
    child.kill()
    child.communicate()
    assert not (tmp_path / "out").exists()
    assert names(tmp_path) == [".out.dicomwright"]
    done = cli("build", large, "--blueprint", "mr-image", "--out", tmp_path / "out", "--no-fsync")
    assert done.code == 0, done.err
    assert names(tmp_path) == ["out"]
    files = sorted((tmp_path / "out").iterdir())
    assert len(files) == SLICES
    assert len({pydicom.dcmread(path).SOPInstanceUID for path in files[::40]}) == 10


def test_a_run_killed_while_it_overwrites_loses_nothing(start, cli, source, tmp_path):
    arguments = ["build", source(), "--blueprint", "mr-image", "--out", tmp_path / "out"]
    assert cli(*arguments).code == 0
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    child = start("--overwrite")
    child.kill()
    child.communicate()
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before
    assert cli(*arguments, "--overwrite").code == 0
    assert names(tmp_path) == ["out"]


def test_the_second_of_two_runs_into_one_folder_refuses(start, cli, source, tmp_path):
    child = start()
    os.kill(child.pid, signal.SIGSTOP)
    begun = time.monotonic()
    second = cli("build", source(), "--blueprint", "mr-image", "--out", tmp_path / "out")
    took = time.monotonic() - begun
    os.kill(child.pid, signal.SIGCONT)
    assert second.code == 1
    assert "another run is writing" in second.err
    assert took < 5  # the first run stands still
    _, errors = child.communicate(timeout=30)
    assert child.returncode == 0, errors
    assert len(list((tmp_path / "out").iterdir())) == SLICES
    assert names(tmp_path) == ["out"]


def test_runs_into_two_folders_do_not_disturb_each_other(start, tmp_path):
    children = [start(out=name) for name in ("a", "b")]
    for child in children:
        _, errors = child.communicate(timeout=60)
        assert child.returncode == 0, errors
    assert names(tmp_path) == ["a", "b"]


@pytest.mark.parametrize("delay", [0.0, 0.1, 0.2, 0.35])
def test_killed_at_any_time(site, large, tmp_path, delay):  # noqa: ARG001  # the reader must be there
    """The folder is whole or absent, whenever the run ends."""
    arguments = ["build", large, "--blueprint", "mr-image", "--out", tmp_path / "out", "--no-fsync"]
    child = subprocess.Popen(
        [sys.executable, "-m", "dicomwright", *map(str, arguments)], stderr=subprocess.DEVNULL
    )
    limit = time.monotonic() + 20
    while child.poll() is None and not (tmp_path / ".out.dicomwright").exists():
        assert time.monotonic() < limit
        time.sleep(0.001)
    time.sleep(delay)
    child.kill()
    child.wait()
    if (tmp_path / "out").exists():
        assert len(list((tmp_path / "out").iterdir())) == SLICES


def test_sigterm_while_a_plug_in_loads(cli, source, site, tmp_path):
    (site / "test_grid_reader.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGTERM)\n")
    done = cli("build", source(), "--blueprint", "mr-image", "--out", tmp_path / "out")
    assert done.code == 143
    assert "report it" not in done.err
