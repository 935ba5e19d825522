"""``dicomwright learn``."""

from __future__ import annotations

import os

import pytest

from dicomwright import Blueprint


@pytest.fixture
def folder(make_series, write_series, tmp_path):
    path = tmp_path / "series"
    path.mkdir()
    write_series(make_series("MR", "sagittal"), path)
    return path


def test_the_report(cli, folder, tmp_path):
    out = tmp_path / "draft.toml"
    done = cli("learn", folder, "--out", out)
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[0] == f"{out}: a draft on top of mr-image"
    assert "built 5 instances again: largest difference of a pixel value 0" in lines
    assert "  SOPInstanceUID (0008,0018) differs: a new one for each instance" in lines
    assert lines[-1] == "0 tags differ otherwise"
    assert Blueprint.load(out)["Modality"].value == "MR"


def test_json(cli, folder, tmp_path):
    done = cli("learn", folder, "--out", tmp_path / "draft.toml", "--json")
    assert done.code == 0
    assert done.result["base"] == "mr-image"
    assert done.result["instances"] == 5
    assert all(one["told"] for one in done.result["differences"])


def test_a_file_is_not_replaced_unasked(cli, folder, tmp_path):
    out = tmp_path / "draft.toml"
    out.write_text("mine")
    done = cli("learn", folder, "--out", out)
    assert done.code == 1
    assert done.err == f"dicomwright: error: {out} is there already; name another file, or give --overwrite\n"
    assert out.read_text() == "mine"
    assert cli("learn", folder, "--out", out, "--overwrite").code == 0
    assert out.read_text().startswith("schema  = 1\n")


def test_nothing_is_written_when_it_fails(cli, folder, tmp_path):
    (folder / "note.txt").write_text("not DICOM")
    for path in sorted(folder.glob("*"))[:-1]:
        path.write_bytes(b"")
    before = sorted(tmp_path.iterdir())
    done = cli("learn", folder, "--out", tmp_path / "draft.toml")
    assert done.code == 1
    assert "Traceback" not in done.err
    assert sorted(tmp_path.iterdir()) == before


def test_a_folder_that_is_not_there(cli, folder, tmp_path):
    done = cli("learn", folder, "--out", tmp_path / "nowhere" / "draft.toml")
    assert done.code == 1
    assert f"cannot be written: {tmp_path / 'nowhere'} is no folder; make it first" in done.err


def test_links_and_devices_stay_what_they_are(cli, folder, tmp_path):
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "site.toml").write_text("old")
    (tmp_path / "draft.toml").symlink_to("shared/site.toml")
    assert cli("learn", folder, "--out", tmp_path / "draft.toml", "--overwrite").code == 0
    assert (tmp_path / "draft.toml").is_symlink()
    assert "Draft from 5 instances" in (tmp_path / "shared" / "site.toml").read_text(encoding="utf-8")
    os.mkfifo(tmp_path / "pipe")
    done = cli("learn", folder, "--out", tmp_path / "pipe", "--overwrite")
    assert (done.code, "is not a regular file" in done.err) == (1, True)
