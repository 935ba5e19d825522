"""Pages of mapped files are let go, and never one that holds a change."""

from pathlib import Path

import numpy as np
import pytest

from dicomwright import Blueprint, DicomFactory, Volume
from dicomwright.payload.mapped import release

AFFINE = np.array([[0, 0, 1.5, 0], [0, 2.0, 0, 0], [3.0, 0, 0, 0], [0, 0, 0, 1]])


def mapped_bytes():
    """Bytes of files in this process's memory."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("RssFile"))


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "volume.npy"
    np.save(path, np.arange(40 * 1024 * 1024, dtype="<i2").reshape(40, 1024, 1024) % 1000)
    return path


def test_pages_are_let_go(file):
    array = np.load(file, mmap_mode="r")
    before = mapped_bytes()
    total = int(array.sum())
    assert mapped_bytes() - before > 70 * 2**20
    release(array[3:, ::2])
    assert mapped_bytes() - before < 4 * 2**20
    assert int(array.sum()) == total


def test_changes_of_a_private_map_stay(file):
    array = np.load(file, mmap_mode="c")
    array[5, 3, 2] = -7
    release(array)
    release(np.asarray(array)[5])
    assert array[5, 3, 2] == -7


def test_arrays_in_memory_are_left_alone():
    array = np.arange(6).reshape(2, 3)
    release(array[::-1])
    assert array[1, 2] == 5


def test_a_mapped_source_is_never_loaded_whole(file, tmp_path):
    array = np.load(file, mmap_mode="r")
    before = mapped_bytes()
    series = DicomFactory().build(Volume(array, AFFINE), Blueprint.load("mr-image"))
    assert mapped_bytes() - before < 72 * 2**20
    files = series.write(tmp_path / "out", fsync=False)
    assert len(files) == 40
    assert mapped_bytes() - before < 72 * 2**20
