"""``dicomwright node jobs``, ``retry`` and ``purge``."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from dicomwright.errors import DicomwrightError
from dicomwright_node.cli.group import node
from dicomwright_node.store import Store, instances, jobs, upkeep

SECRET = "HUSH^4711"


@pytest.fixture
def folder(make_node, patient, tmp_path):
    """Return the folder of a node with a collecting, a failed and a timed-out job, and an unwanted instance."""
    served = make_node(tmp_path / "node", "Faults")
    served.scheduler.stop(0)
    served.receive([*patient(SECRET), *patient("other", seed=2)])
    database = served.store.database
    found = instances.newly_received(database)
    for state, part in (("failed", found[:3]), ("timed-out", found[3:4]), ("", found[4:5])):
        job = jobs.assign(database, "trial_pipelines:Faults", SECRET, [(one.id, "ct") for one in part])
        if state:
            error = f"it was \x1b[31m{state}"
            jobs.move(database, job.id, "collecting", state, error=error, traceback="in process\n\x1b[31m")
        else:
            jobs.remember(database, job.id, {"waiting": "ct has 1 images"})
    instances.set_aside(database, found[5].id, "why not")
    return tmp_path / "node"


def run(*arguments, folder, **more):
    """Return what a command prints."""
    options = [] if folder is None else ["--folder", str(folder)]
    done = CliRunner().invoke(node, [*arguments, *options], catch_exceptions=False, **more)
    assert done.exit_code == 0, done.output
    return done.output


def test_the_list(folder):
    lines = run("jobs", folder=folder).splitlines()
    assert [line.split()[:2] for line in lines] == [["3", "collecting"], ["2", "timed-out"], ["1", "failed"]]
    assert lines[0].endswith("ct 1  ct has 1 images")
    assert lines[2].endswith(r"ct 3  it was \x1b[31mfailed")
    assert run("jobs", "--state", "done", folder=folder) == "there are no jobs\n"
    assert run("jobs", "--limit", "1", folder=folder).split()[0] == "3"


def test_the_list_as_json(folder):
    found = json.loads(run("jobs", "--json", "--state", "failed", folder=folder))
    assert found["counts"] == {"collecting": 1, "failed": 1, "timed-out": 1}
    (job,) = found["jobs"]
    assert (job["id"], job["state"], job["images"]) == (1, "failed", {"ct": 3})


def test_one_job(folder):
    text = run("jobs", "1", folder=folder)
    assert text.startswith("job 1 is failed: ct 3\nit was \\x1b[31mfailed\nin process\n\\x1b[31m\n")
    assert text.splitlines()[-1].endswith("failed")
    whole = json.loads(run("jobs", "1", "--json", folder=folder))
    assert whole["traceback"] == "in process\n\x1b[31m"
    assert [event["state"] for event in whole["history"]][-1] == "failed"


@pytest.mark.parametrize("arguments", [["jobs"], ["jobs", "--json"], ["jobs", "1"], ["jobs", "1", "--json"]])
def test_patient_data_is_printed_only_if_it_is_asked_for(folder, arguments):
    assert SECRET not in run(*arguments, folder=folder)
    if arguments != ["jobs", "1"]:
        assert SECRET in run(*arguments, "--show-phi", folder=folder)


def test_a_retry(folder):
    assert run("retry", "1", "2", "1", folder=folder) == "job 1 is ready\njob 2 is ready\n"
    with pytest.raises(DicomwrightError) as caught:
        run("retry", "1", "3", "9", folder=folder)
    assert [problem.message for problem in caught.value.problems] == [
        "job 1 is ready",
        "job 3 is collecting",
        "job 9 does not exist",
    ]


def test_purges(folder):
    assert run("purge", folder=folder) == "removed: 0 jobs, 0 instances\n"
    assert run("purge", "--state", "failed", "--days", "1", folder=folder) == "removed: 0 jobs, 0 instances\n"
    with pytest.raises(click.UsageError, match="numbers of jobs say all"):
        run("purge", "1", "--days", "30", folder=folder, standalone_mode=False)
    assert run("purge", "1", "1", folder=folder) == "removed: 1 jobs, 3 instances\n"
    gone = json.loads(run("purge", "--state", "timed-out", "--unwanted", "--json", folder=folder))
    assert gone == {"jobs": 1, "instances": 2}
    store = Store.open(folder)
    assert [job.id for job in jobs.find(store.database)] == [3]
    assert len(list((folder / "instances").rglob("*.dcm"))) == 1
    store.close()
    with pytest.raises(
        DicomwrightError, match="job 3 is collecting; only a job that has ended can be removed"
    ):
        run("purge", "3", folder=folder)


@pytest.mark.usefixtures("folder")
def test_the_folder_of_a_configuration(tmp_path):
    (tmp_path / "node.toml").write_text('[node]\nfolder = "node"\n')
    assert run("jobs", "--config", str(tmp_path / "node.toml"), folder=None).startswith("     3  collecting")


def test_a_folder_that_is_none_is_not_made(tmp_path):
    with pytest.raises(DicomwrightError, match="is no folder of a node; give --config or --folder"):
        run("jobs", folder=tmp_path / "absent")
    assert not (tmp_path / "absent").exists()
    Store.open(tmp_path / "new").close()
    with pytest.raises(DicomwrightError, match="job 7 does not exist"):
        run("jobs", "7", folder=tmp_path / "new")


def test_a_disk_that_is_full_is_told(folder, monkeypatch):
    def full(*_, **__):
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(upkeep, "purge", full)
    with pytest.raises(
        DicomwrightError, match="cannot be used: database or disk is full; see whether the disk"
    ):
        run("purge", folder=folder)


def test_a_folder_of_somebody_else(tmp_path, monkeypatch):
    def denied(_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "is_file", denied)
    with pytest.raises(
        DicomwrightError, match=r"cannot be read \(Permission denied\); a node's folder belongs"
    ):
        run("jobs", folder=tmp_path)


@pytest.mark.parametrize("command", ["jobs", "retry", "purge"])
@pytest.mark.parametrize("number", ["0", str(2**63)])
def test_a_number_that_no_job_can_have(tmp_path, command, number):
    done = CliRunner().invoke(node, [command, number, "--folder", str(tmp_path)])
    assert done.exit_code == 2
    assert f"{number} is not in the range" in done.output
