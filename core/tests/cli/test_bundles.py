"""Builds by blueprints of bundles: ids, parameters, final rules, locks."""

from __future__ import annotations

import pytest
from pydicom import dcmread

BUNDLE = 'schema = 1\nname = "site"\nversion = "1.0"\n[blueprints]\nmr = "mr.toml"\n'
MR = """schema = 1
extends = ["mr-image"]
[parameters]
label = { type = "LO" }
number = { type = "IS", default = 901 }
[elements]
InstitutionName = { static = "Site", final = true }
SeriesDescription = { parameter = "label" }
SeriesNumber = { parameter = "number" }
"""


@pytest.fixture
def bundle(tmp_path):
    """Return the folder of a bundle."""
    folder = tmp_path / "bundle"
    folder.mkdir()
    (folder / "bundle.toml").write_text(BUNDLE)
    (folder / "mr.toml").write_text(MR)
    return folder


@pytest.fixture
def built(cli, source, bundle, tmp_path):
    """Return `built(*arguments) -> Outcome` of a build by the bundle's blueprint."""

    def run(*arguments):
        named = ("--blueprint", "site/mr", "--bundle", bundle, "--out", tmp_path / "out")
        return cli("build", source(), *named, "--json", "--quiet", *arguments)

    return run


def test_parameters_and_the_digest(built, tmp_path):
    done = built("--kwarg", "label=Map", "--kwarg", "number=7")
    assert done.code == 0
    dataset = dcmread(tmp_path / "out/00001.dcm")
    assert (dataset.SeriesDescription, dataset.SeriesNumber) == ("Map", 7)
    (found,) = done.result["bundles"]
    assert (found["name"], found["version"], len(found["sha256"])) == ("site", "1.0", 64)
    assert "lock" not in done.result


def test_a_parameter_that_is_missing_or_wrong(built, tmp_path):
    assert "needs the parameter label (LO), which has no default" in built().err
    done = built("--kwarg", "label=x", "--kwarg", "number=abc")
    assert done.code == 1
    assert "parameter number: SeriesNumber (0020,0011)" in done.err
    assert not (tmp_path / "out").exists()


def test_set_and_a_second_blueprint_cannot_override_a_final_rule(built, bundle, tmp_path):
    done = built("--kwarg", "label=x", "--set", "InstitutionName=Other")
    assert done.code == 1
    assert f"--set InstitutionName: InstitutionName (0008,0080) is final in {bundle}/mr.toml:7" in done.err
    other = tmp_path / "other.toml"
    other.write_text('schema = 1\n[elements]\nInstitutionName = { static = "Other" }\n')
    done = built("--kwarg", "label=x", "--blueprint", str(other))
    assert done.code == 1
    assert f"{other}:3: InstitutionName (0008,0080) is final in {bundle}/mr.toml:7" in done.err


def test_a_locked_build(built, cli, bundle, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    arguments = ("--kwarg", "label=x", "--locked")
    assert "dicomwright.lock does not exist" in built(*arguments).err
    assert cli("bundle", "lock", "--bundle", str(bundle), "site").code == 0
    done = built(*arguments)
    assert done.code == 0
    result = done.result
    assert result["bundles"][0]["sha256"] in (tmp_path / "dicomwright.lock").read_text()
    assert cli("bundle", "verify", "--bundle", str(bundle)).out.split()[-1] == result["lock"]["sha256"]
    (bundle / "mr.toml").write_text(MR.replace("Site", "site"))
    done = built(*arguments, "--overwrite")
    assert done.code == 1
    assert f"{bundle}/mr.toml is changed" in done.err
    assert dcmread(tmp_path / "out/00001.dcm").InstitutionName == "Site"


def test_a_lock_that_would_not_be_looked_at(built):
    done = built("--kwarg", "label=x", "--lock-file", "other.lock")
    assert done.code == 2
    assert "--lock-file says which lock --locked holds the build to: give both." in done.err


def test_a_locked_build_by_a_bundle_that_the_lock_does_not_have(built, cli, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli("bundle", "lock").code == 0
    assert (
        "bundle site is used, and is not in dicomwright.lock" in built("--kwarg", "label=x", "--locked").err
    )
