"""Outputs: written, delivered, the same after another run, and what a retry does."""

from __future__ import annotations

import errno
import os
import socket
import sqlite3
import time
from pathlib import Path

import pytest
from pydicom import Dataset, dcmread
from pynetdicom import AE, AllStoragePresentationContexts, evt

from dicomwright_node import FileOutput
from dicomwright_node.jobs import sending
from dicomwright_node.jobs.sending import _place
from dicomwright_node.jobs.worker import JobSpec, run_job
from dicomwright_node.jobs.written import write_output
from dicomwright_node.store import deliveries, instances, jobs, upkeep


@pytest.fixture
def results(tmp_path, monkeypatch):
    """Return the folder that the pipeline writes to."""
    folder = tmp_path / "results"
    folder.mkdir()
    monkeypatch.setenv("TRIAL_FOLDER", str(folder))
    return folder


def test_from_instances_to_files(make_node, patient, tmp_path, results):
    datasets = patient("one")
    node = make_node(tmp_path / "node", "Inverted")
    node.receive(datasets)
    job = node.ended(1)["one"]
    assert (job.state, job.error) == ("done", "")
    assert (results / "report.txt").read_text() == "one: 3 slices"
    written = [dcmread(path) for path in sorted((results / "series").iterdir())]
    assert [one.ImagePositionPatient for one in written] == [one.ImagePositionPatient for one in datasets]
    assert {one.SeriesDescription for one in written} == {"Inverted"}
    assert {one.StudyInstanceUID for one in written} == {datasets[0].StudyInstanceUID}
    assert [row.state for row in deliveries.of_job(node.store.database, job.id)] == ["sent", "sent"]
    assert sorted(path.name for path in results.iterdir()) == ["report.txt", "series"]
    assert list((node.store.files.root / "scratch").iterdir()) == []
    upkeep.purge(node.store.database, node.store.files)
    assert list((node.store.files.root / "outputs").iterdir()) == []


def test_another_run_gives_the_same_uids(trial_modules, patient, write_series, tmp_path, results):
    paths = {"ct": tuple(map(str, write_series(patient("one"), tmp_path / "ct")))}

    def uids(name, key):
        scratch = tmp_path / f"scratch-{name}"
        scratch.mkdir()
        folder = tmp_path / name
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(scratch)
            result = run_job(trial_modules.Inverted, JobSpec(paths, "one", str(folder), str(scratch), key))
        files = sorted(Path(result.written[0].path).iterdir())
        read = [dcmread(file, stop_before_pixels=True) for file in files]
        return [(one.SeriesInstanceUID, one.SOPInstanceUID) for one in read]

    first = uids("first", "ab" * 32)
    assert first == uids("second", "ab" * 32)
    assert not {*first} & {*uids("third", "cd" * 32)}
    assert results.is_dir()


def test_a_destination_that_is_not_there_is_tried_again_and_a_retry_sends_only(
    make_node, patient, tmp_path, results
):
    results.rmdir()
    results.write_text("in the way")
    node = make_node(tmp_path / "node", "Inverted", delivery={"attempts": 2, "first_wait": 0.5})
    node.receive(patient("one"))
    told = node.until(lambda: node.jobs() and deliveries.put_off(node.store.database, node.jobs()[0].id))
    assert told in {"File exists", "Not a directory"}
    job = node.ended(1)["one"]
    assert job.state == "failed"
    assert told in job.error
    assert [row.attempts for row in deliveries.of_job(node.store.database, job.id)] == [2, 2]
    results.unlink()
    upkeep.retry(node.store.database, job.id)
    node.scheduler.wake()
    node.until(lambda: node.jobs()[0].state == "done")
    assert jobs.get(node.store.database, job.id).attempts == 0  # its function did not run again
    assert (results / "series" / "00003.dcm").is_file()


def test_a_stop_ends_a_running_job_which_runs_again_later(make_node, patient, tmp_path, results, monkeypatch):
    monkeypatch.setenv("TRIAL_SECONDS", "60")
    node = make_node(tmp_path / "node", "Inverted")
    node.receive(patient("one"))
    node.until(lambda: node.jobs() and node.jobs()[0].state == "running")
    start = time.monotonic()
    node.scheduler.stop(0.2)
    assert time.monotonic() - start < 15
    assert not node.scheduler.healthy
    (job,) = node.jobs()
    assert (job.state, job.attempts) == ("ready", 0)
    monkeypatch.setenv("TRIAL_SECONDS", "0")
    again = make_node(tmp_path / "node", "Inverted")
    assert again.ended(1)["one"].state == "done"
    assert (results / "report.txt").is_file()


def test_several_jobs_run_at_once(make_node, patient, tmp_path, results, monkeypatch):
    monkeypatch.setenv("TRIAL_SECONDS", "1")
    node = make_node(tmp_path / "node", "Inverted", workers=3)
    for seed, key in enumerate(["one", "two", "three"]):
        node.receive(patient(key, seed=seed))
    node.until(lambda: node.scheduler.running == 3)
    assert [job.state for job in node.jobs()] == ["running"] * 3
    assert {job.state for job in node.ended(3).values()} == {"done"}
    assert (results / "report.txt").is_file()


def test_jobs_of_another_pipeline_are_not_run(make_node, tmp_path):
    node = make_node(tmp_path / "node", "Inverted")
    node.scheduler.stop(0)
    job = jobs.assign(node.store.database, "other:Pipeline", "one", [])
    jobs.move(node.store.database, job.id, "collecting", "ready")
    again = make_node(tmp_path / "node", "Inverted")
    error = again.ended(1)["one"].error
    assert error == "it is a job of the pipeline other:Pipeline, which this node does not serve"


def test_no_message_of_a_delivery_holds_a_path(make_node, patient, tmp_path, results, caplog):
    (results / "report.txt").mkdir()
    node = make_node(tmp_path / "node", "Inverted", delivery={"attempts": 1})
    node.receive(patient("one"))
    job = node.ended(1)["one"]
    assert job.state == "failed"
    assert job.error == "a file: Is a directory"
    assert str(results) not in caplog.text


@pytest.mark.parametrize("there", ["file", "folder", "link to a folder", "link to nothing"])
def test_a_folder_takes_the_place_of_whatever_is_there_and_nothing_is_left(tmp_path, there):
    source, target, other = tmp_path / "source", tmp_path / "results" / "series", tmp_path / "other"
    for folder in (source, target.parent, other):
        folder.mkdir()
    (source / "00001.dcm").write_text("new")
    (other / "kept").touch()
    if there == "file":
        target.write_text("old")
    elif there == "folder":
        target.mkdir()
        (target / "old").touch()
    else:
        target.symlink_to(other if there == "link to a folder" else tmp_path / "nothing")
    _place(source, target)
    assert [path.name for path in target.parent.iterdir()] == ["series"]
    assert [path.name for path in target.iterdir()] == ["00001.dcm"]
    assert not target.is_symlink()
    assert (other / "kept").is_file()


@pytest.mark.parametrize("at", ["copytree", "sync_folder"])
def test_nothing_is_left_of_a_node_that_was_killed_while_it_copied(tmp_path, at):
    source, target = tmp_path / "source", tmp_path / "results" / "series"
    source.mkdir()
    (source / "00001.dcm").write_text("new")
    target.mkdir(parents=True)

    def killed(_, part, *__):
        part.mkdir()
        raise KeyboardInterrupt

    def later(folder):
        if folder == target.parent:
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sending, "_remove", lambda _: None)  # a process that is killed tidies nothing up
        if at == "copytree":
            patch.setattr(sending.shutil, "copytree", killed)
        else:
            patch.setattr(sending, "sync_folder", later)
        with pytest.raises(KeyboardInterrupt):
            _place(source, target)
    assert len(list(target.parent.iterdir())) == 2
    _place(source, target)
    assert [path.name for path in target.parent.iterdir()] == ["series"]
    assert [path.name for path in target.iterdir()] == ["00001.dcm"]


def test_a_name_may_be_as_long_as_the_disk_takes_it(tmp_path):
    source, target = tmp_path / "source", tmp_path / ("字" * 85)  # 255 bytes
    source.write_text("new")
    _place(source, target)
    assert target.read_text() == "new"


def test_a_path_may_have_any_bytes(make_node, patient, tmp_path, results, monkeypatch):
    folder = results / os.fsdecode(b"a%20 \xff#?")
    folder.mkdir()
    monkeypatch.setenv("TRIAL_FOLDER", str(folder))
    node = make_node(tmp_path / "node", "Inverted")
    node.receive(patient("one"))
    assert node.ended(1)["one"].state == "done"
    assert sorted(path.name for path in folder.iterdir()) == ["report.txt", "series"]


def test_folders_of_data_sets_are_for_whom_the_umask_says(make_series, tmp_path):
    datasets = make_series("CT", shape=(2, 6, 4), seed=1)
    before = os.umask(0o027)
    try:
        (written,) = write_output(FileOutput([("/results/a", datasets)]), tmp_path / "1-1")
        _place(Path(written.path), tmp_path / "results")
    finally:
        os.umask(before)
    assert (tmp_path / "results").stat().st_mode & 0o777 == 0o750
    assert (tmp_path / "1-1").stat().st_mode & 0o777 == 0o700


def test_a_database_that_cannot_be_written_for_a_while(
    make_node, patient, tmp_path, results, monkeypatch, caplog
):
    node = make_node(tmp_path / "node", "Inverted")
    finish, failures = deliveries.finish, iter([True, False])

    def broken(*arguments):
        if next(failures, False):
            raise sqlite3.OperationalError("database or disk is full")
        return finish(*arguments)

    monkeypatch.setattr(deliveries, "finish", broken)
    node.receive(patient("one"))
    job = node.ended(1)["one"]
    assert (job.state, job.attempts) == ("done", 1)
    assert (results / "report.txt").is_file()
    assert "the database cannot be written" in caplog.text


def test_what_an_archive_says_of_the_patient_is_hidden(make_node, patient, tmp_path, monkeypatch, caplog):
    answer = Dataset()
    answer.Status, answer.ErrorComment = 0xC001, "nobody is Doe^Jane"
    archive = AE("PACS")
    archive.supported_contexts = AllStoragePresentationContexts
    handlers = [(evt.EVT_C_STORE, lambda _: answer)]
    server = archive.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers)
    monkeypatch.setenv("TRIAL_PORT", str(server.socket.getsockname()[1]))
    node = make_node(tmp_path / "node", "Sent")
    node.receive(patient("one"))
    error = node.ended(1)["one"].error
    server.shutdown()
    assert "nobody is [patient]" in error
    assert "Doe" not in error + caplog.text


def test_a_stop_does_not_wait_for_an_archive_that_is_down(make_node, patient, tmp_path, monkeypatch):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # nobody listens
        monkeypatch.setenv("TRIAL_PORT", str(closed.getsockname()[1]))
        node = make_node(tmp_path / "node", "Sent", delivery={"first_wait": 30.0, "retries": 9})
        node.receive(patient("one"))
        node.until(lambda: node.jobs() and node.jobs()[0].state == "delivering")
        time.sleep(0.5)  # it waits between two tries
        start = time.monotonic()
        node.scheduler.stop(10)
        assert time.monotonic() - start < 15
    (row,) = deliveries.of_job(node.store.database, 1)
    assert row.state == "pending"


def test_a_step_that_fails_is_told_and_tried_again(
    make_node, patient, tmp_path, results, monkeypatch, caplog
):
    read, failures = instances.newly_received, iter([True, False])

    def broken(*arguments):
        if next(failures, False):
            raise OSError(errno.EIO, "the disk is gone")
        return read(*arguments)

    monkeypatch.setattr(instances, "newly_received", broken)
    node = make_node(tmp_path / "node", "Inverted")
    node.receive(patient("one"))
    assert node.ended(1)["one"].state == "done"
    assert node.scheduler.healthy
    assert "a step failed and is tried again" in caplog.text
    assert (results / "report.txt").is_file()
