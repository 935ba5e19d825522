"""The plug-in as a whole: light, complete, linted, explained, and on real series."""

from __future__ import annotations

import subprocess
import sys
from typing import cast

import numpy as np
import pytest

from dicomwright import Blueprint, DicomFactory, Volume
from dicomwright.bundles import load_blueprint
from dicomwright.errors import BlueprintError
from dicomwright.parents import ParentSeries
from dicomwright.plugins import ElementTypeSpec, load

NAMES = ["code", "counter", "date-shift", "first-of", "hash-id", "lookup", "regex", "template", "when"]


@pytest.fixture(scope="module")
def specs():
    registry = load().registry("element-type")
    return {name: cast("ElementTypeSpec", registry.spec(name)) for name in NAMES}


def test_all_kinds_are_there_and_can_be_imported(specs):
    registry = load().registry("element-type")
    assert all(callable(registry.resolve(name)) for name in specs)
    assert {str(registry.provider(name)) for name in specs} == {"dicomwright-elements 0.1.0"}


def test_the_module_is_light():
    code = "import dicomwright_elements.plugin, sys; print(sorted({'numpy', 'pydicom', 're2'} & set(sys.modules)))"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        == "[]\n"
    )


def test_every_example_is_a_good_rule(specs, blueprint, monkeypatch):
    monkeypatch.setenv("SITE_KEY", "a key for tests, and no secret")
    keywords = {"code": "ProcedureCodeSequence", "date-shift": "StudyDate", "lookup": "PatientSex"}
    for name, spec in specs.items():
        keyword = keywords.get(name, "StudyID")
        assert f" {name} = " in spec.value.example
        found = blueprint(f"{keyword} = {spec.value.example}", {"sexes.csv": "code,sex\nm,M\n"})
        assert len(found) == 1


def test_lint_tells_what_is_wrong_before_anything_is_built(blueprint):
    rules = 'Modality = { template = "mr" }\nStudyID = { regex = "a", with = "b" }'
    findings = DicomFactory().lint(Blueprint.load("mr-image") + blueprint(rules))
    told = {(finding.keyword, finding.kind): str(finding) for finding in findings}
    assert "use capitals" in told["Modality", "value"]
    assert "StudyID" in told["", "parent"]


def test_explain_names_rule_level_and_line(series):
    made = series('StudyDescription = { regex = "a", with = "b" }', parents={"StudyDescription": ["aa"]})
    (row,) = made.explain().of("StudyDescription")
    assert (row.value, row.level, row.rule) == ("bb", "series", "copy, with 'a' by 'b'")
    assert row.origin.endswith("site.toml:3")
    assert row.layer == "blueprint"


def test_rules_inside_rules_inside_items(series):
    inner = '{ lookup = { A = "B" }, from = "StudyID", of = { copy = "optional" } }'
    rule = f"""[[elements.ProcedureCodeSequence.sequence]]
CodeValue = {{ first-of = [ {inner}, {{ static = "1" }} ] }}
CodingSchemeDesignator = {{ when = {{ Modality = "MR" }}, then = {{ static = "99X" }} }}
CodeMeaning = {{ template = "{{PatientID}}" }}"""
    (item,) = series(rule, parents={"StudyID": ["A"], "PatientID": ["p7"]})[0].ProcedureCodeSequence
    assert (item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning) == ("B", "99X", "p7")


def test_written_files_are_those_of_the_datasets(series, tmp_path, monkeypatch):
    monkeypatch.setenv("SITE_KEY", "a key for tests, and no secret")
    rules = """PatientID = { hash-id = "env:SITE_KEY" }
StudyDate = { date-shift = "env:SITE_KEY" }
ImageComments = { template = "{InstanceNumber}", of = { InstanceNumber = { instance = "instance-number" } } }"""
    made = series(rules)
    made.write(tmp_path / "out")
    import pydicom

    for number, dataset in enumerate(made, 1):
        read = pydicom.dcmread(tmp_path / "out" / f"{number:05d}.dcm")
        assert read.PatientID == dataset.PatientID
        assert read.ImageComments == str(number)


def test_derived_uids_follow_from_every_part_of_a_rule(blueprint, make_series):
    def uid(rule):
        volume = Volume(np.zeros((3, 4, 5), np.int16))
        whole = Blueprint.load("mr-image") + blueprint(rule)
        parents = make_series("MR", shape=(3, 4, 5))
        return DicomFactory().build(volume, whole, parents=parents, uids="derived")[0].SOPInstanceUID

    rules = [
        'StudyID = { regex = "a", with = "b" }',
        'StudyID = { regex = "c", with = "b" }',
        'StudyID = { when = { Modality = { matches = "a" } }, then = "copy" , else = "copy" }',
        'StudyID = { when = { Modality = { matches = "b" } }, then = "copy" , else = "copy" }',
        'StudyID = { template = "1{Modality}" }',
        'StudyID = { template = "2{Modality}" }',
        'StudyID = { lookup = { A = "1" }, default = "x" }',
        'StudyID = { lookup = { A = "2" }, default = "x" }',
    ]
    assert len({uid(rule) for rule in rules}) == len(rules)
    assert uid(rules[0]) == uid(rules[0])


def test_where_it_cannot_be_used_it_is_named(tmp_path):
    path = tmp_path / "site.toml"
    path.write_text(
        'schema = 1\n[elements]\nStudyID = { from = "Modality", lookup = { A = "1" } }', encoding="utf-8"
    )
    with pytest.raises(BlueprintError, match='"lookup" comes from dicomwright-elements'):
        load_blueprint(path, load(enabled=False))


RULES = """PatientID = { hash-id = "env:SITE_KEY", prefix = "A-" }
PatientName = { template = "{PatientID}^anonymous", of = { PatientID = { hash-id = "env:SITE_KEY" } } }
StudyDate = { date-shift = "env:SITE_KEY", of = { copy = "optional" } }
SeriesDescription = { regex = [["[^A-Za-z0-9]+", " "]], of = { first-of = [ "copy", { static = "none" } ] } }
StudyDescription = { when = { Modality = ["CT", "MR"] }, then = { static = "slices" }, else = { static = "other" } }
ImageComments = { counter = 1, width = 4 }
ProcedureCodeSequence = { code = ["SCT:Liver", "DCM:113076"] }"""


@pytest.mark.parametrize(
    ("folder", "base"),
    [("v01_ct_axial", "ct-image"), ("v02_mr_sagittal", "mr-image"), ("v06_pet_fdg", "pet-image")],
)
def test_real_series(shared_data, blueprint, key, folder, base):
    parents = ParentSeries.of(shared_data / folder / "dicom")
    planes = parents.planes
    volume = Volume(np.zeros((len(parents), planes.rows, planes.columns), np.int16))
    whole = Blueprint.load(base) + blueprint(RULES)
    made = DicomFactory().build(volume, whole, parents=parents)
    first, last = made[0], made[len(made) - 1]
    assert key
    assert first.PatientID.startswith("A-")
    assert str(first.PatientName) == f"{first.PatientID[2:]}^anonymous"
    assert first.StudyDescription == ("other" if base == "pet-image" else "slices")
    assert (first.ImageComments, last.ImageComments) == ("0001", f"{len(made):04d}")
    assert first.get("StudyDate") != parents.first.get("StudyDate") or not parents.first.get("StudyDate")
    assert [item.CodeMeaning for item in first.ProcedureCodeSequence] == ["Liver", "Segmentation"]
