"""The kinds of rule in bundles: tables inside, laid over each other, flattened, checked."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from dicomwright import Blueprint
from dicomwright.cli.group import cli

FILES = {
    "bundle.toml": """schema = 1
name = "ste"
version = "1.0"
contact = "x@ste.example"
requires-dicomwright = ">=0.1"
requires-plugins = ["dicomwright-elements>=0.1"]
[blueprints]
base = "base.toml"
mr = "mr.toml"
""",
    "README.md": "base: what all have. mr: for MR.\n",
    "base.toml": """schema = 1
extends = ["mr-image"]
[parameters]
label = { type = "LO", default = "none" }
[elements]
PatientComments = { lookup = "tables/sexes.csv", from = "PatientSex", of = { copy = "optional" }, default = "?" }
ProcedureCodeSequence = { code = "DCM:113076" }
SeriesDescription = { template = "{SeriesDescription}!", of = { SeriesDescription = { parameter = "label" } } }
""",
    "mr.toml": """schema = 1
extends = ["./base.toml"]
[elements]
ProcedureCodeSequence = { sequence = [ { CodeMeaning = { static = "Segm" } } ] }
""",
    "tables/sexes.csv": "code,sex\nM,male\n",
}


@pytest.fixture(params=["folder", "zip"])
def bundle(request, tmp_path):
    folder = tmp_path / "ste"
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    if request.param == "folder":
        return folder
    with zipfile.ZipFile(tmp_path / "ste.zip", "w") as archive:
        for name in FILES:
            archive.write(folder / name, name)
    return tmp_path / "ste.zip"


def run(*arguments):
    done = CliRunner().invoke(cli, list(map(str, arguments)))
    assert done.exit_code == 0, done.output
    return done.stdout


def test_a_bundle_with_tables_is_good(bundle):
    assert run("bundle", "check", bundle).splitlines()[-1] == "ste 1.0: ok"


def test_flattened_it_is_the_same(bundle, tmp_path, monkeypatch):
    text = run("blueprint", "flatten", "--bundle", bundle, "ste/mr")
    monkeypatch.chdir(tmp_path)
    Path("flat.toml").write_text(text, encoding="utf-8")
    Path("tables").mkdir()
    Path("tables/sexes.csv").write_text(FILES["tables/sexes.csv"], encoding="utf-8")
    flat = Blueprint.load("./flat.toml")
    (item,) = flat["ProcedureCodeSequence"].blueprints
    assert [element.value for element in item] == ["113076", "DCM", "Segm"]
    assert flat["PatientComments"].table == {"M": "male"}


@pytest.mark.parametrize(
    "rule",
    [
        'SeriesDescription = { template = "{StudyDescription}" }',
        'StudyDescription = { regex = "^CT", with = "" }',
        'ImageComments = { lookup = { 1 = "pre" }, from = "AcquisitionNumber", of = "copy-instance" }',
        'SeriesDescription = { when = { Modality = "CT" }, then = { static = "x" }, else = "copy" }',
        'SeriesDescription = { copy-or-else = { template = "{StudyDescription}" } }',
        'AcquisitionDateTime = { date-shift = "env:SITE_KEY", of = { copy = "optional" } }',
    ],
)
def test_a_check_makes_up_what_the_rules_read(tmp_path, monkeypatch, rule):
    monkeypatch.setenv("SITE_KEY", "a key for tests, and no secret")
    (tmp_path / "bundle.toml").write_text(FILES["bundle.toml"].replace('base = "base.toml"\n', ""))
    (tmp_path / "README.md").write_text("mr\n")
    (tmp_path / "mr.toml").write_text(f"schema = 1\nextends = ['mr-image']\n[elements]\n{rule}\n")
    assert "ste/mr: built" in run("bundle", "check", tmp_path)
