"""The store: what is in it survives, one owner for each piece of work, nothing twice."""

from __future__ import annotations

import sqlite3
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from dicomwright_node.store import Store, deliveries, instances, jobs, upkeep
from dicomwright_node.store.database import Database
from dicomwright_node.store.deliveries import NewOutput
from dicomwright_node.store.errors import StateError, StoreError
from dicomwright_node.store.records import FINAL, NEXT, Arrival

ARRIVAL = Arrival(
    sop_instance_uid="2.25.1",
    sop_class_uid="1.2.840.10008.5.1.4.1.1.2",
    transfer_syntax_uid="1.2.840.10008.1.2.1",
    study_uid="2.25.3",
    series_uid="2.25.2",
    patient_id="4711",
    via="dimse",
    calling="CT1",
    called="NODE",
    peer="127.0.0.1",
    path="instances/000000/1.dcm",
    size=100,
    sha256="ab",
    received_at=1000.0,
)


def arrival(number, **changes):
    path = f"instances/000000/{number}.dcm"
    return replace(ARRIVAL, **{"sop_instance_uid": f"2.25.1.{number}", "path": path} | changes)


@pytest.fixture
def store(tmp_path):
    opened = Store.open(tmp_path / "node")
    yield opened
    opened.close()


@pytest.fixture
def database(store):
    return store.database


def kept(store, count):
    """Put instances with their files into the store; return their numbers."""
    arrivals = [arrival(number) for number in range(1, count + 1)]
    for one in arrivals:
        path = store.files.path(one.path)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x" * one.size)
    instances.add(store.database, arrivals)
    return [one.id for one in instances.newly_received(store.database)]


def ready(store, count=2):
    job = jobs.assign(store.database, "P", "4711", [(number, "ct") for number in kept(store, count)])
    return jobs.move(store.database, job.id, "collecting", "ready")


def processed(store, *destinations):
    """Return a job with one output, and a destination for each."""
    job = ready(store)
    jobs.claim(store.database, "ready", "running", "w")
    folder = store.files.output_folder(job.id, 1)
    folder.mkdir()
    (folder / "00001.dcm").write_bytes(b"y" * 50)
    output = NewOutput(
        kind="dicom",
        path=store.files.relative(folder),
        files=1,
        size=50,
        destinations={url: {"retries": "1"} for url in destinations},
    )
    return deliveries.finish(store.database, job.id, [output])


def test_of_several_with_one_uid_the_first_stays(database):
    first, same = arrival(1), arrival(1, path="instances/000000/9.dcm")
    other = arrival(1, path="instances/000000/8.dcm", sha256="cd")
    recoded = arrival(1, path="instances/000000/7.dcm", transfer_syntax_uid="1.2.840.10008.1.2")
    assert instances.add(database, [first, same]) == ["new", "same"]
    assert instances.add(database, [other, recoded, arrival(2)]) == ["other", "other", "new"]
    assert instances.known(database, "2.25.1.1").path == first.path
    assert instances.known(database, "2.25.9") is None
    assert [one.sop_instance_uid for one in instances.newly_received(database)] == ["2.25.1.1", "2.25.1.2"]
    assert instances.count(database) == {"received": 2}


def test_instances_join_the_one_job_that_collects(store):
    first, second, third = kept(store, 3)
    job = jobs.assign(store.database, "P", "4711", [(first, "ct")], deadline=5.0)
    again = jobs.assign(
        store.database, "P", "4711", [(second, "ct"), (third, "pet"), (first, "ct")], deadline=9.0
    )
    assert again.id == job.id
    assert again.deadline == 5.0
    assert jobs.assign(store.database, "P", "other", []).id != job.id
    found = instances.of_job(store.database, job.id)
    assert {name: [one.id for one in those] for name, those in found.items()} == {
        "ct": [first, second],
        "pet": [third],
    }
    assert instances.newly_received(store.database) == []
    assert instances.assigned_to(store.database, third) == [job.id]
    jobs.move(store.database, job.id, "collecting", "ready")
    assert jobs.collecting(store.database, "P", "4711") is None
    assert jobs.assign(store.database, "P", "4711", []).id != job.id


def test_unwanted_instances_are_set_aside_with_a_reason(store):
    (number,) = kept(store, 1)
    instances.set_aside(store.database, number, "no input takes it")
    one = instances.known(store.database, "2.25.1.1")
    assert (one.state, one.reason) == ("unwanted", "no input takes it")
    assert instances.newly_received(store.database) == []


def test_only_the_states_that_follow(store):
    job = ready(store)
    with pytest.raises(StateError, match=f"job {job.id}: ready is never followed by done"):
        jobs.move(store.database, job.id, "ready", "done")
    with pytest.raises(StateError, match=f"job {job.id} is ready, not running"):
        jobs.move(store.database, job.id, "running", "failed")
    with pytest.raises(StateError, match="job 77 does not exist"):
        jobs.move(store.database, 77, "ready", "running")
    assert {state for state, after in NEXT.items() if not after} <= FINAL
    assert {state for after in NEXT.values() for state in after} | {"collecting"} == set(NEXT)


def test_a_job_is_claimed_by_one_of_many(store):
    for number in range(10):
        job = jobs.assign(store.database, "P", str(number), [])
        jobs.move(store.database, job.id, "collecting", "ready")
    claimed = []

    def work(owner):
        while (job := jobs.claim(store.database, "ready", "running", owner)) is not None:
            claimed.append(job.id)

    threads = [threading.Thread(target=work, args=(f"w{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(claimed) == list(range(1, 11))
    assert jobs.count(store.database) == {"running": 10}


def test_a_claim_waits_for_its_time_and_counts_attempts(store):
    job = ready(store)
    assert jobs.claim(store.database, "ready", "running", "w").attempts == 1
    jobs.move(store.database, job.id, "running", "ready", not_before=time.time() + 100)
    assert jobs.claim(store.database, "ready", "running", "w") is None
    with store.database.transaction() as write:
        write.execute("UPDATE jobs SET not_before = 0")
    again = jobs.claim(store.database, "ready", "running", "w")
    assert (again.attempts, again.owner) == (2, "w")
    failed = jobs.move(store.database, job.id, "running", "failed", error="ValueError", traceback="line 1")
    assert (failed.error, failed.traceback, failed.owner) == ("ValueError", "line 1", "")
    states = [event.state for event in jobs.events(store.database, job.id)]
    assert states == ["ready", "running", "ready", "running", "failed"]
    assert jobs.events(store.database, job.id)[-1].message == "ValueError"


def test_lists_pages_notes_and_deadlines(store):
    for number in range(5):
        jobs.assign(store.database, "P", str(number), [], deadline=float(number))
    assert [job.id for job in jobs.find(store.database, limit=2)] == [5, 4]
    assert [job.id for job in jobs.find(store.database, limit=2, before_id=4)] == [3, 2]
    jobs.move(store.database, 2, "collecting", "timed-out")
    assert [job.id for job in jobs.find(store.database, ["timed-out", "failed"])] == [2]
    assert [job.id for job in jobs.overdue(store.database, "collecting")] == [1, 3, 4, 5]
    jobs.remember(store.database, 1, {"seconds": 2})
    assert jobs.get(store.database, 1).note == {"seconds": 2}
    assert jobs.get(store.database, 9) is None


def test_a_job_ends_with_its_last_delivery(store):
    job = processed(store, "dicom://A@h:1", "dicom://B@h:2")
    assert job.state == "processed"
    first = deliveries.claim(store.database, "w")
    assert (first.destination, first.options, first.attempts) == ("dicom://A@h:1", {"retries": "1"}, 1)
    assert jobs.get(store.database, job.id).state == "delivering"
    second = deliveries.claim(store.database, "w")
    assert deliveries.claim(store.database, "w") is None
    assert deliveries.conclude(store.database, first.id, "sent", stored=1).state == "delivering"
    assert (
        deliveries.conclude(store.database, second.id, "pending", message="busy", not_before=0.0).state
        == "delivering"
    )
    again = deliveries.claim(store.database, "w")
    assert (again.id, again.attempts) == (second.id, 2)
    done = deliveries.conclude(store.database, second.id, "sent", stored=1)
    assert done.state == "done"
    with pytest.raises(StateError, match=f"delivery {second.id} is not being sent"):
        deliveries.conclude(store.database, second.id, "sent")
    assert deliveries.count(store.database) == {"sent": 2}


def test_one_failed_delivery_fails_the_job_and_only_it_is_tried_again(store):
    job = processed(store, "dicom://A@h:1", "dicom://B@h:2")
    first, second = (deliveries.claim(store.database, "w") for _ in range(2))
    deliveries.conclude(store.database, first.id, "failed", failed=1, message="refused")
    failed = deliveries.conclude(store.database, second.id, "sent", stored=1)
    assert (failed.state, failed.error) == ("failed", "dicom://A@h:1: refused")
    again = upkeep.retry(store.database, job.id)
    assert (again.state, again.error) == ("processed", "")
    one = deliveries.claim(store.database, "w")
    assert (one.id, one.attempts) == (first.id, 1)
    assert deliveries.conclude(store.database, one.id, "sent").state == "done"


def test_what_is_finished_cannot_be_finished_again(store):
    job = processed(store)
    with pytest.raises(StateError, match="is processed, not running"):
        deliveries.finish(store.database, job.id, [])
    assert len(deliveries.outputs_of_job(store.database, job.id)) == 1


def test_after_a_crash_everything_goes_on_from_a_safe_state(store):
    delivering = processed(store, "dicom://A@h:1")
    deliveries.claim(store.database, "w")
    running = jobs.assign(store.database, "P", "2", [])
    jobs.move(store.database, running.id, "collecting", "ready")
    jobs.claim(store.database, "ready", "running", "w")
    scratch = store.files.scratch_folder(running.id, 1)
    (scratch / "half").write_text("x")
    store.files.output_folder(running.id, 1).mkdir()
    (store.files.root / "instances/000000/orphan.dcm").write_text("x")
    (store.files.root / "instances/000000/half.part").write_text("x")
    for name in ("1.db", "1.db-wal", "7.db"):  # there is one delivery
        (store.files.root / "ledgers" / name).touch()
    found = upkeep.recover(store.database, store.files)
    assert found == upkeep.Recovered(jobs=1, failed_jobs=0, deliveries=1, files=5)
    assert jobs.get(store.database, running.id).state == "ready"
    assert jobs.get(store.database, delivering.id).state == "delivering"
    assert deliveries.of_job(store.database, delivering.id)[0].state == "pending"
    left = sorted(store.files.relative(path) for path in store.files.root.rglob("*") if path.is_file())
    assert [path for path in left if not path.startswith("node.db")] == [
        "instances/000000/1.dcm",
        "instances/000000/2.dcm",
        "ledgers/1.db",
        "ledgers/1.db-wal",
        f"outputs/{delivering.id}-1/00001.dcm",
    ]


def test_a_job_under_which_the_node_died_again_and_again_fails(store, monkeypatch):
    job, clock = ready(store), [1e9]
    monkeypatch.setattr("time.time", lambda: clock[0])
    waits = []
    for _ in range(7):
        assert jobs.claim(store.database, "ready", "running", "w").id == job.id
        upkeep.recover(store.database, store.files, most_attempts=8)
        waits.append(jobs.get(store.database, job.id).not_before - clock[0])
        clock[0] += waits[-1]
    assert waits == [0, 1, 2, 4, 8, 16, 30]
    jobs.claim(store.database, "ready", "running", "w")
    assert upkeep.recover(store.database, store.files, most_attempts=8).failed_jobs == 1
    failed = jobs.get(store.database, job.id)
    assert (failed.state, failed.error) == ("failed", "the node ended while it ran, 8 times")
    assert upkeep.retry(store.database, job.id).attempts == 0


def test_a_job_under_which_the_node_died_lets_others_go_first(store):
    suspect, other = ready(store), ready(store)
    for _ in range(2):
        assert jobs.claim(store.database, "ready", "running", "w").id == suspect.id
        upkeep.recover(store.database, store.files)
    assert jobs.claim(store.database, "ready", "running", "w").id == other.id


def test_only_what_failed_is_tried_again(store):
    job = ready(store)
    with pytest.raises(
        StateError, match=r"job 1 is ready; only a failed or timed-out job can be tried again"
    ):
        upkeep.retry(store.database, job.id)
    with pytest.raises(StateError, match="job 9 does not exist"):
        upkeep.retry(store.database, 9)


def test_purging_removes_rows_and_files_and_keeps_what_others_need(store):
    job = processed(store)
    jobs.move(store.database, job.id, "processed", "done")
    shared = jobs.assign(store.database, "Q", "4711", [(1, "ct")])
    assert upkeep.used_bytes(store.database) == 250
    assert upkeep.purge(store.database, store.files, before=0.0) == upkeep.Purged(0, 0)
    assert upkeep.purge(store.database, store.files) == upkeep.Purged(jobs=1, instances=1)
    assert jobs.get(store.database, job.id) is None
    assert [one.name for one in sorted(store.files.root.glob("instances/*/*"))] == ["1.dcm"]
    assert list((store.files.root / "outputs").iterdir()) == []
    jobs.move(store.database, shared.id, "collecting", "discarded")
    assert upkeep.purge(store.database, store.files, job_ids=[shared.id]) == upkeep.Purged(1, 1)
    assert upkeep.used_bytes(store.database) == 0


def test_unwanted_instances_are_purged_on_their_own(store):
    first, _ = kept(store, 2)
    instances.set_aside(store.database, first, "no")
    assert upkeep.purge(store.database, store.files, unwanted=False) == upkeep.Purged(0, 0)
    assert upkeep.purge(store.database, store.files, states=(), before=999.0) == upkeep.Purged(0, 0)
    assert upkeep.purge(store.database, store.files, states=()) == upkeep.Purged(0, 1)
    assert instances.count(store.database) == {"received": 1}


def test_what_is_not_finished_is_not_purged(store):
    job = ready(store)
    with pytest.raises(StateError, match="job 1 is ready"):
        upkeep.purge(store.database, store.files, job_ids=[job.id])
    with pytest.raises(StateError, match="job 9 does not exist"):
        upkeep.purge(store.database, store.files, job_ids=[9])
    with pytest.raises(StateError, match="a job that is ready cannot be removed"):
        upkeep.purge(store.database, store.files, states=["ready"])


def test_an_error_undoes_the_whole_transaction(database):
    insert = "INSERT INTO jobs (pipeline, key, created_at, updated_at) VALUES ('p', 'k', 0, 0)"

    def twice():
        with database.transaction() as write:
            write.execute(insert)
            write.execute(insert)

    with pytest.raises(sqlite3.IntegrityError):
        twice()
    assert database.read("SELECT * FROM jobs") == []
    assert jobs.assign(database, "p", "k", []).id == 1


def test_a_thread_that_ends_takes_its_connection_with_it(database):
    def open_files():
        return len(list(Path("/proc/self/fd").iterdir()))

    def work():
        database.read("SELECT 1")

    before = open_files()
    for _ in range(20):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert open_files() <= before + 2


def test_every_connection_is_durable(database):
    assert database.read("PRAGMA journal_mode")[0][0] == "wal"
    assert database.read("PRAGMA synchronous")[0][0] == 2
    assert database.read("PRAGMA foreign_keys")[0][0] == 1


def test_one_node_a_folder(store):
    refused = pytest.raises(StoreError, match="another node serves this folder; stop it")
    with store.files.lock(), refused, store.files.lock():
        pass
    with store.files.lock():
        pass


def test_nobody_else_can_read_it(store):
    kept(store, 1)
    assert (store.files.root / "node.db").stat().st_mode & 0o777 == 0o600
    assert store.files.root.stat().st_mode & 0o777 == 0o700


def test_what_is_no_database_of_a_node(tmp_path):
    (tmp_path / "node.db").write_bytes(b"no database" * 1000)
    with pytest.raises(StoreError, match="the node's database cannot be used"):
        Database(tmp_path / "node.db")
    other = sqlite3.connect(tmp_path / "other.db")
    other.execute("PRAGMA user_version = 99")
    other.close()
    with pytest.raises(StoreError, match="is a node's database of version 99; this is version 1"):
        Database(tmp_path / "other.db")
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreError, match="the node's folder cannot be made"):
        Store.open(tmp_path / "file" / "node")


def test_folders_of_instances_stay_small(store):
    paths = {store.files.new_instance(number).parent.name for number in (0, 4095, 4096, 9000)}
    assert paths == {"000000", "000001", "000002"}
