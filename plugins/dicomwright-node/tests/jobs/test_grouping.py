"""Which instances make a job, and when it begins."""

from __future__ import annotations

from dicomwright_node.store import upkeep


def states(node):
    return [(job.key, job.state) for job in node.jobs()]


def test_two_patients_at_once_and_two_inputs_of_each(make_node, patient, tmp_path):
    node = make_node(tmp_path, "Both")
    parts = [
        part
        for key, seed in (("one", 1), ("two", 3))
        for part in (patient(key, seed=seed), patient(key, "MR", 2, seed=seed + 1))
    ]
    for datasets in zip(*parts, strict=False):
        node.receive(datasets)
    node.receive([parts[0][2], parts[2][2]])
    ended = node.ended(2)
    assert {key: job.state for key, job in ended.items()} == {"one": "done", "two": "done"}
    assert {job.note["log"] for job in ended.values()} == {
        "INFO {'ct': 3, 'mr': 2} of {'[patient]'}",
    }


def test_duplicates_and_late_instances(make_node, patient, tmp_path):
    node = make_node(tmp_path, "Both")
    ct, mr = patient("one", seed=1), patient("one", "MR", 2, seed=2)
    assert node.receive([*ct, *mr]) == ["new"] * 5
    assert node.receive(ct) == ["same"] * 3
    assert node.ended(1)["one"].state == "done"
    late = patient("one", "MR", 3, seed=2)[2]
    assert node.receive([*mr, late]) == ["same", "same", "new"]
    assert node.until(node.unwanted) == ["late: job 1 took its series before it came"]
    assert states(node) == [("one", "done")]
    node.receive([*patient("one", seed=5), *patient("one", "MR", 2, seed=6)])  # another examination
    node.until(lambda: states(node) == [("one", "done"), ("one", "done")])


def test_unwanted_instances_are_set_aside(make_node, patient, tmp_path):
    node = make_node(tmp_path, "Faults")
    nobody = patient(None)
    node.receive([*patient("one", "MR", 1, seed=4), nobody[0]])
    assert node.until(lambda: len(node.unwanted()) == 2 and node.unwanted()) == [
        "no input takes it: ct wants another Modality (0008,0060)",
        "it has no PatientID (0010,0020), so that no job can be found for it",
    ]
    assert node.jobs() == []


def test_what_was_set_aside_and_is_sent_again_is_looked_at_again(make_node, patient, tmp_path):
    node = make_node(tmp_path, "Faults")  # wants no MR
    datasets = [*patient("one"), *patient("one", "MR", 2, seed=2)]
    node.receive(datasets[3:])
    node.until(lambda: len(node.unwanted()) == 2)
    node.scheduler.stop(0)
    mended = make_node(tmp_path, "Both")
    assert mended.receive(datasets) == ["new"] * 3 + ["same"] * 2
    assert mended.ended(1)["one"].state == "done"
    assert mended.unwanted() == []


def test_an_incomplete_job_says_what_it_waits_for_and_times_out(make_node, patient, tmp_path):
    node = make_node(tmp_path, "Both", timeout=0.6)
    node.receive(patient("one", count=2))
    node.until(lambda: [job for job in node.jobs() if job.note.get("waiting") == "mr has 0 images"])
    job = node.ended(1)["one"]
    assert job.state == "timed-out"
    assert job.error == "not complete after 0.6 s without a new instance: mr has 0 images"


def test_what_comes_after_a_time_out_goes_on_with_what_was_there(make_node, patient, tmp_path):
    node = make_node(tmp_path, "Faults", timeout=0.5)
    datasets = patient("works")
    node.receive(datasets[:2])
    assert node.ended(1)["works"].state == "timed-out"
    assert "ct has 2 images" in node.jobs()[0].error
    upkeep.retry(node.store.database, 1)  # by somebody who does not know
    node.scheduler.wake()
    node.until(lambda: node.jobs()[0].error == "inputs are not complete: ct has 2 images")
    assert states(node) == [("works", "timed-out")]
    assert node.receive(datasets) == ["same", "same", "new"]
    node.until(lambda: states(node) == [("works", "discarded"), ("works", "done")])
    assert node.unwanted() == []


def test_a_series_uid_of_two_patients_mixes_nothing(make_node, patient, tmp_path):
    node = make_node(tmp_path, "Faults", timeout=0.5)
    node.receive(patient("works")[:2])
    assert node.ended(1)["works"].state == "timed-out"
    other = patient("other")
    for number, dataset in enumerate(other):
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = f"2.25.8.{number}"
    assert node.receive(other[:2]) == ["new", "new"]
    assert node.ended(2)["other"].error == "not complete after 0.5 s without a new instance: ct has 2 images"
    node.receive(other[2:])
    node.until(lambda: states(node)[2:] == [("other", "failed")])  # a pipeline that knows no such patient
    assert states(node)[:2] == [("works", "timed-out"), ("other", "discarded")]
    assert node.unwanted() == []


def test_inputs_that_cannot_be_asked_fail_their_job(make_node, patient, tmp_path):
    node = make_node(tmp_path, "Undecided")
    node.receive(patient("one"))
    job = node.ended(1)["one"]
    assert job.state == "failed"
    assert job.error == "Undecided raised RuntimeError: no idea"
    assert "in validate" in job.traceback


def test_a_damaged_file_is_set_aside(make_node, patient, tmp_path):
    node = make_node(tmp_path, "Faults")
    node.scheduler.stop(0)
    node.receive(patient("one", count=1))
    (path,) = (row["path"] for row in node.store.database.read("SELECT path FROM instances"))
    node.store.files.path(path).write_bytes(b"nonsense")
    again = make_node(tmp_path, "Faults")
    assert again.until(again.unwanted) == [
        "the file is not a DICOM file: it has no DICM mark, and does not begin with an element"
    ]
