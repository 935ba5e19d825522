"""The same check inside every build."""

import datetime as dt
import json

import numpy as np
import pytest
from click.testing import CliRunner

from dicomwright import (
    Blueprint,
    CopyElement,
    DicomFactory,
    DicomwrightError,
    DiscardElement,
    InstanceCopyElement,
    ParentSeries,
    StaticElement,
    Volume,
)
from dicomwright.cli.group import cli
from dicomwright.lint.gate import Gate

AFFINE = [[0, 0, 1.5, -7], [0, 2, 0, 5], [3, 0, 0, 11], [0, 0, 0, 1]]


@pytest.fixture
def volume():
    return Volume(np.arange(60, dtype=np.int16).reshape(3, 4, 5), AFFINE)


def test_errors_stop_a_build_all_at_once(volume):
    blueprint = Blueprint.load("mr-image") + Blueprint(
        [
            DiscardElement("StudyID"),
            StaticElement("PatientSex", "CS", "X"),
            StaticElement("SeriesDescription", "LO", "x" * 65),
            CopyElement("PatientID"),
        ]
    )
    with pytest.raises(DicomwrightError) as caught:
        DicomFactory().build(volume, blueprint)
    told = [problem.message for problem in caught.value.problems]
    assert len(told) == 4
    for keyword in ("StudyID", "PatientSex", "SeriesDescription", "PatientID"):
        assert sum(keyword in message for message in told) == 1
    assert all(__file__ in problem.loc for problem in caught.value.problems)


def test_no_pixel_is_read_before(volume, monkeypatch):
    from dicomwright.encoders import pixels

    monkeypatch.setattr(pixels, "plan_stored_values", lambda *_, **__: pytest.fail("pixels were read"))
    blueprint = Blueprint.load("mr-image") + Blueprint([DiscardElement("StudyID")])
    with pytest.raises(DicomwrightError, match="StudyID"):
        DicomFactory().build(volume, blueprint)


def test_dates_of_reproducible_builds(volume):
    with pytest.raises(DicomwrightError, match=r"SeriesDate .* is empty; .*--instant"):
        DicomFactory().build(volume, Blueprint.load("pet-image"), uids="derived")
    instant = dt.datetime(2026, 11, 24, 9, 30, tzinfo=dt.UTC)
    series = DicomFactory().build(volume, Blueprint.load("pet-image"), uids="derived", instant=instant)
    assert series[0].SeriesDate == "20261124"


def test_exceptions(volume):
    blueprint = Blueprint.load("mr-image") + Blueprint([DiscardElement("StudyID")])
    series = DicomFactory().build(volume, blueprint, allow=["missing:StudyID"])
    assert "StudyID" not in series[0]


def test_warnings_are_in_the_result(volume):
    blueprint = Blueprint.load("mr-image") + Blueprint([StaticElement("KVP", "DS", "120")])
    series = DicomFactory().build(volume, blueprint)
    assert ["KVP" in warning for warning in series.result["warnings"]] == [True]


@pytest.mark.parametrize("name", ["mr-image", "ct-image", "pet-image"])
@pytest.mark.parametrize("kind", [np.int16, np.uint8, np.float32])
def test_shipped_blueprints_give_no_warning(name, kind, make_series):
    parents = make_series(modality="CT" if name == "ct-image" else "MR")
    planes = ParentSeries(parents).planes
    array = (
        np.arange(len(parents) * planes.rows * planes.columns).reshape(len(parents), planes.rows, -1) % 200
    )
    assert DicomFactory().build(Volume(array.astype(kind), AFFINE), Blueprint.load(name)).warnings == ()
    series = DicomFactory().build(array.astype(kind), Blueprint.load(name), parents)
    assert series.warnings == ()
    assert DicomFactory().lint(Blueprint.load(name), parents) == []


def test_what_the_parents_lack_or_vary(make_series):
    parents = make_series(modality="CT")
    for dataset in parents:
        del dataset.StudyID
    blueprint = Blueprint.load("ct-image") + Blueprint(
        [CopyElement("StudyID"), CopyElement("InstanceNumber"), InstanceCopyElement("AcquisitionComments")]
    )
    found = [one for one in DicomFactory().lint(blueprint, parents) if one.severity == "error"]
    assert [one.kind for one in found] == ["parent"] * 3
    assert {one.keyword for one in found} == {"StudyID", "InstanceNumber", "AcquisitionComments"}
    messages = " ".join(one.message for one in found)
    for words in (
        "StudyID (0020,0010) is missing in the parent",
        "InstanceNumber (0020,0013) differs",
        "AcquisitionComments",
    ):
        assert words in messages
    assert all(__file__ in one.origin for one in found)


def test_values_of_the_parents_are_warnings(make_series):
    parents = make_series(modality="CT")
    for dataset in parents:
        dataset.BurnedInAnnotation = "PERHAPS"
    blueprint = Blueprint.load("ct-image") + Blueprint([CopyElement("BurnedInAnnotation")])
    (found,) = [one for one in DicomFactory().lint(blueprint, parents) if one.kind == "enumerated"]
    assert found.severity == "warning"
    assert "PERHAPS" not in found.message


def test_messages_need_not_be_complete():
    blueprint = Blueprint([StaticElement("SOPClassUID", "UI", "1.2.840.10008.5.1.4.1.1.7")])
    assert DicomFactory().build_instance(None, blueprint).SOPClassUID == "1.2.840.10008.5.1.4.1.1.7"
    series = DicomFactory().build_series_without_image_encoding([np.zeros((2, 3))], blueprint, None)
    (warning,) = series.warnings
    assert warning.startswith("this is no complete Secondary Capture Image: ")


def test_unknown_sop_classes_are_not_checked():
    blueprint = Blueprint([StaticElement("SOPClassUID", "UI", "1.2.3.4")])
    assert DicomFactory().build_instance(None, blueprint).SOPClassUID == "1.2.3.4"


def test_no_work_for_each_slice(monkeypatch):
    counts = []
    original = Gate.__call__

    def counted(self, *resolved):
        import sys

        calls = 0

        def count(*_):
            nonlocal calls
            calls += 1

        sys.setprofile(count)
        try:
            return original(self, *resolved)
        finally:
            sys.setprofile(None)
            counts.append(calls)

    monkeypatch.setattr(Gate, "__call__", counted)
    blueprint = Blueprint.load("mr-image")
    for slices in (3, 3, 90):
        DicomFactory().build(Volume(np.zeros((slices, 4, 5), np.int16), AFFINE), blueprint)
    assert counts[2] == counts[1]


class TestCommand:
    @pytest.fixture
    def run(self, tmp_path):
        def ran(text, *arguments):
            path = tmp_path / "site.toml"
            path.write_text(f'schema = 1\nsummary = "x"\nextends = ["mr-image"]\n[elements]\n{text}\n')
            return CliRunner().invoke(cli, ["lint", str(path), *arguments])

        return ran

    def test_clean(self, run):
        done = run('SeriesDescription = { static = "x" }')
        assert done.exit_code == 0
        assert done.stdout.splitlines()[-1].startswith("0 errors, 0 warnings, ")

    def test_findings(self, run):
        done = run('PatientSex = { static = "X" }\nKVP = { static = "1" }')
        assert done.exit_code == 1
        assert "site.toml:5: error: PatientSex (0010,0040): 'X' is not M or F or O" in done.stdout
        assert "site.toml:6: warning: KVP (0018,0060) is no attribute of the MR Image IOD" in done.stdout

    def test_json(self, run):
        done = run('PatientSex = { static = "X" }', "--json")
        first = json.loads(done.stdout)[0]
        assert first["origin"].endswith("site.toml:5")
        assert {key: first[key] for key in ("severity", "kind", "tag", "keyword")} == {
            "severity": "error",
            "kind": "enumerated",
            "tag": "(0010,0040)",
            "keyword": "PatientSex",
        }
        assert set(first) == {"severity", "kind", "tag", "keyword", "module", "origin", "message", "fix"}

    def test_allowed(self, run):
        assert run('PatientSex = { static = "X" }', "--allow", "enumerated:PatientSex").exit_code == 0

    def test_a_file_that_cannot_be_read_is_a_finding(self, run):
        done = run('PatientSx = { static = "X" }\nPatientID = { statc = "X" }', "--json")
        assert done.exit_code == 1
        assert [row["kind"] for row in json.loads(done.stdout)] == ["blueprint", "blueprint"]

    def test_what_cannot_be_read_names_tag_and_module(self, run):
        text = 'StudyDate = { series = "tody" }\nEchoTime = { static = "abc" }'
        rows = json.loads(run(text, "--json").stdout)
        assert [(row["keyword"], row["module"]) for row in rows] == [
            ("StudyDate", "General Study"),
            ("EchoTime", "MR Image"),
        ]
        assert rows[0]["message"] == 'StudyDate (0008,0020): there is no function "tody"'
        assert all(row["fix"] for row in rows)


@pytest.mark.parametrize("keyword", ["WindowCenter", "WindowWidth"])
def test_a_window_is_discarded_as_a_whole(volume, keyword):
    dataset = DicomFactory().build(volume, Blueprint.load("ct-image") + Blueprint([DiscardElement(keyword)]))[
        0
    ]
    assert not {"WindowCenter", "WindowWidth", "VOILUTFunction"} & set(dataset.dir())


@pytest.mark.parametrize(
    ("kept", "discarded"), [("WindowCenter", "WindowWidth"), ("WindowWidth", "WindowCenter")]
)
def test_half_a_window_is_an_error(volume, kept, discarded):
    blueprint = Blueprint.load("ct-image") + Blueprint(
        [StaticElement(kept, "DS", "40"), DiscardElement(discarded)]
    )
    with pytest.raises(DicomwrightError, match=rf"{discarded} .* is not produced, required here"):
        DicomFactory().build(volume, blueprint)
