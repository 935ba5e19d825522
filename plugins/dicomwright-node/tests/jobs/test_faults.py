"""What user code can do to its own job, and that it does nothing to others."""

from __future__ import annotations

import pytest

from dicomwright_node.jobs import running
from dicomwright_node.jobs.insist import insist

FAULTS = {
    "raises": "Faults raised ValueError: no organ in [patient]",
    "exits": "Faults called sys.exit(0)",
    "leaves": "Faults ended its process with exit code 7",
    "crashes": "Faults was ended by SIGSEGV",
    "hangs": "Faults took more than 8 s",
    "leaks": "Faults ran out of memory",
    "nothing": "Faults raised PipelineError: Faults.Processor.process returned a NoneType, not a PipelineOutput",
}
TRACED = {"raises", "exits", "crashes", "hangs", "leaks"}


@pytest.fixture(scope="module")
def ended(make_node, patient, tmp_path_factory):
    """Return the ended jobs of patients who are named after faults."""
    folder = tmp_path_factory.mktemp("faults")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRIAL_FOLDER", str(folder))
        node = make_node(folder / "node", "Faults", seconds=8.0, memory=900_000_000)
        for seed, key in enumerate([*FAULTS, "dies_once", "works"]):
            node.receive(patient(key, seed=seed))
        yield node.ended(len(FAULTS) + 2)
        assert node.scheduler.healthy
        outputs = node.store.files.root / "outputs"
        assert list(outputs.iterdir()) == []


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_fails_its_own_job(ended, fault):
    job = ended[fault]
    assert job.state == "failed"
    assert job.error.startswith(FAULTS[fault])
    assert ("in [patient]\n" in job.traceback) == (
        fault in TRACED
    )  # the function has the name of the patient


@pytest.mark.parametrize("fault", FAULTS)
def test_no_text_holds_patient_data(ended, fault):
    texts = ended[fault].error + ended[fault].traceback
    assert "Doe" not in texts
    assert "Jane" not in texts
    assert "19700102" not in texts


def test_what_was_printed_is_kept(ended):
    assert "[patient] begins" in ended["crashes"].traceback
    assert "INFO soon an error" in ended["raises"].traceback


def test_only_what_was_killed_is_tried_again(ended):
    attempts = {key: job.attempts for key, job in ended.items()}
    assert attempts == dict.fromkeys(ended, 1) | {"crashes": 2, "dies_once": 2}


def test_the_others_are_done(ended):
    assert ended["dies_once"].state == "done"
    assert ended["works"].state == "done"
    assert ended["works"].note["log"] == "[patient] begins\nINFO all is well"


@pytest.mark.parametrize("key", ["raises", "works"])
def test_the_folder_of_a_function_is_gone_before_its_end_is_written_down(
    make_node, patient, tmp_path, monkeypatch, key
):
    node, left = make_node(tmp_path / "node", "Faults"), []
    scratch = node.store.files.root / "scratch"

    def watched(write):
        def writes(*arguments, **changes):
            left.append(list(scratch.iterdir()))  # what is there may be all that the disk holds
            return write(*arguments, **changes)

        return writes

    monkeypatch.setattr(running, "insist", watched(insist))
    node.receive(patient(key))
    node.ended(1)
    assert left
    assert not any(left)
