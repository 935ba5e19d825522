"""``--uids derived``: the same build gives the same bytes, whatever the clock, the process or the file's name."""

from __future__ import annotations

import os
import shutil

import numpy as np
import pydicom
import pytest


def files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def uids(folder):
    series = [pydicom.dcmread(path) for path in sorted(folder.iterdir())]
    return series[0].StudyInstanceUID, series[0].SeriesInstanceUID, tuple(d.SOPInstanceUID for d in series)


@pytest.fixture
def derived(cli, source, tmp_path):
    """Return `derived(name, *more, path=None) -> folder` of a build with derived UIDs."""

    def run(name, *more, path=None, blueprint="mr-image"):
        path = path or source()
        done = cli(
            "build", path, "--blueprint", blueprint, "--out", tmp_path / name, "--uids", "derived", *more
        )
        assert done.code == 0, done.err
        return tmp_path / name

    return run


def test_two_processes_write_the_same_bytes(command, source, tmp_path):
    path = source()
    for number, seed in enumerate(("1", "2")):
        out = tmp_path / f"out{number}"
        arguments = ["build", path, "--blueprint", "ct-image", "--uids", "derived", "--out", out]
        done = command(*arguments, env={"PYTHONHASHSEED": seed, "TZ": f"UTC+{number}"})
        assert done.code == 0, done.err
    assert files(tmp_path / "out0") == files(tmp_path / "out1")
    assert len(files(tmp_path / "out0")) == 3


def test_a_copied_file_with_another_time_and_name_gives_the_same_bytes(derived, source, tmp_path):
    path = source()
    (tmp_path / "elsewhere").mkdir()
    copied = shutil.copyfile(path, tmp_path / "elsewhere" / "renamed.grid")
    os.utime(copied, (10**9, 10**9))
    assert files(derived("a", path=path)) == files(derived("b", path=copied))


def test_parents_in_another_folder_give_the_same_bytes(derived, make_series, write_series, tmp_path):
    parents = make_series("MR", "axial", shape=(3, 4, 5), sequences=True)
    write_series(parents, tmp_path / "one")
    write_series(parents, tmp_path / "two" / "deeper", shuffled=True)
    outs = [derived(f"of {name}", "--parent", tmp_path / name, "--fill", "copy") for name in ("one", "two")]
    assert files(outs[0]) == files(outs[1])
    dataset = pydicom.dcmread(outs[0] / "00001.dcm")
    assert dataset.StudyInstanceUID == parents[0].StudyInstanceUID


def test_source_date_epoch_gives_the_dates(derived, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    first, again = derived("a"), derived("b")
    assert files(first) == files(again)
    dataset = pydicom.dcmread(first / "00001.dcm")
    dates = {str(element.value) for element in dataset if element.VR == "DA" and element.value}
    assert dates == {"20231114"}


def test_without_any_instant_no_date_is_invented(derived):
    dataset = pydicom.dcmread(derived("a") / "00001.dcm")
    assert not [element for element in dataset if element.VR in ("DA", "TM", "DT") and element.value]


def test_an_instant_that_is_no_number_is_refused(cli, source, tmp_path, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "soon")
    arguments = ["build", source(), "--blueprint", "mr-image", "--out", tmp_path / "o", "--uids", "derived"]
    done = cli(*arguments)
    assert done.code == 1
    assert "SOURCE_DATE_EPOCH" in done.err


def test_uids_are_legal_and_all_different(derived):
    study, series, instances = uids(derived("a"))
    everything = {study, series, *instances}
    assert len(everything) == 5
    for uid in everything:
        assert pydicom.uid.UID(uid).is_valid
        assert len(uid) <= 64
        assert uid.startswith("2.25.")


CHANGES = {
    "content": {"array": np.arange(1, 61, dtype=np.int16).reshape(3, 4, 5)},
    "affine": {"affine": np.diag([2.5, 0.75, 1.25, 1])[[2, 1, 0, 3]]},
    "type": {"array": np.arange(60, dtype=np.float64).reshape(3, 4, 5) / 7},
}


@pytest.mark.parametrize("change", [*CHANGES, "blueprint", "set", "parent", "slicing"])
def test_what_is_built_differently_gets_other_uids(
    derived, source, make_series, write_series, tmp_path, change
):
    first = uids(derived("a"))
    if change in CHANGES:
        other = derived("b", path=source(name="other.grid", **CHANGES[change]))
    elif change == "blueprint":
        other = derived("b", blueprint="ct-image")
    elif change == "set":
        other = derived("b", "--set", "SeriesDescription=other")
    elif change == "slicing":
        other = derived("b", "--encoder-opt", "slicing=sagittal")
    else:
        write_series(make_series("MR", shape=(3, 4, 5)), tmp_path / "p")
        other = derived("b", "--parent", tmp_path / "p")
    second = uids(other)
    assert first[1] != second[1]
    assert not set(first[2]) & set(second[2])


def test_other_parents_give_other_uids(derived, make_series, write_series, tmp_path):
    found = []
    for seed in (1, 2):
        write_series(make_series("MR", shape=(3, 4, 5), seed=seed), tmp_path / f"p{seed}")
        found.append(uids(derived(f"o{seed}", "--parent", tmp_path / f"p{seed}")))
    assert found[0][1] != found[1][1]


def test_random_uids_are_different_each_time(cli, source, tmp_path):
    for name in ("a", "b"):
        assert cli("build", source(), "--blueprint", "mr-image", "--out", tmp_path / name).code == 0
    first, second = uids(tmp_path / "a"), uids(tmp_path / "b")
    assert not {first[0], first[1], *first[2]} & {second[0], second[1], *second[2]}
