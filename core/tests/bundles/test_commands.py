"""The commands about blueprints and bundles, from the command line."""

from __future__ import annotations

import json
import tomllib

import numpy as np
import pytest

from dicomwright.blueprint.blueprint import Blueprint
from dicomwright.cli import entry
from dicomwright.factory import DicomFactory
from dicomwright.payload import Volume


@pytest.fixture
def run(capsys, monkeypatch, tmp_path):
    """Return `run(*arguments) -> (exit code, standard output, standard error)`, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DICOMWRIGHT_DISABLE_PLUGINS", "all")
    monkeypatch.setattr("dicomwright.plugins.plugin_set._default", [])

    def command(*arguments):
        code = entry._run([str(argument) for argument in arguments], debug=False)
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return code, out, err

    return command


def test_bundles(run, bundle_folder):
    bundle = bundle_folder()
    bundle_folder("broken", {"bundle.toml": "schema = 1\n"})
    code, out, _ = run("bundles", "--bundle", bundle, "--bundle", "broken", "--json")
    found = {one["place"]: one for one in json.loads(out)}
    assert code == 0
    assert found[str(bundle)]["blueprints"] == ["site/base", "site/ct"]
    assert found[str(bundle)]["contact"] == "pacs@example.org"
    assert found["broken"]["status"] == "failed"
    _, out, _ = run("bundles", "--bundle", bundle)
    assert out.splitlines()[1].split()[:3] == ["site", "1.0", "--bundle"]


def test_a_bundle_that_lacks_plugins_is_listed_as_such(run, bundle_folder, bundle_files):
    text = bundle_files["bundle.toml"].replace("[blueprints]", 'requires-plugins = ["acme>=1"]\n[blueprints]')
    _, out, _ = run("bundles", "--bundle", bundle_folder(files={"bundle.toml": text}), "--json")
    (record,) = [one for one in json.loads(out) if one["name"] == "site"]
    assert record["status"] == "incompatible"
    assert "needs acme>=1, which is not installed" in record["reason"]


def test_blueprints_lists_those_of_bundles(run, bundle_folder):
    bundle = bundle_folder(files={"base.toml": "x = ["})
    _, out, _ = run("blueprints", "--bundle", bundle, "--json")
    found = {one["name"]: one for one in json.loads(out)}
    assert found["site/ct"]["sop_class"] == "CT Image Storage"
    assert "cannot be read: " in found["site/base"]["summary"]
    assert "mr-image" in found


def test_a_circle_does_not_hang_the_list(run, bundle_folder):
    bundle = bundle_folder(files={"base.toml": 'schema = 1\nextends = ["site/ct"]\n'})
    code, out, _ = run("blueprints", "--bundle", bundle)
    assert code == 0
    assert "site/base" in out


@pytest.mark.parametrize("command", ["build", "lint", "explain", "blueprints", "show"])
def test_a_broken_bundle_that_is_given_is_one_error(run, bundle_folder, command):
    bundle_folder("broken", {"bundle.toml": "schema = 1\nname = 3\n"})
    arguments = {
        "build": ["build", "x.nii", "--blueprint", "ct-image", "--out", "out"],
        "lint": ["lint", "ct-image"],
        "explain": ["explain", "ct-image"],
        "blueprints": ["blueprints"],
        "show": ["blueprint", "show", "ct-image"],
    }[command]
    code, _, err = run(*arguments, "--bundle", "broken")
    assert code == 1
    assert err.startswith("dicomwright: error: 3 problems:\n  - broken/bundle.toml")


def test_show(run, bundle_folder):
    bundle = bundle_folder(
        files={"parts/ct.toml": 'schema = 1\nextends = ["site/base"]\n[parameters]\np = { type = "LO" }\n'}
    )
    code, out, _ = run("blueprint", "show", "site/ct", "--bundle", bundle)
    assert code == 0
    assert f"parameter p (LO, required)  {bundle}/parts/ct.toml:4" in out
    assert f"(0008,0080)  InstitutionName  LO  static 'Site' (final)  {bundle}/base.toml:4" in out
    _, out, _ = run("blueprint", "show", "site/ct", "--bundle", bundle, "--json")
    shown = json.loads(out)
    assert shown["files"] == [f"{bundle}/base.toml", f"{bundle}/parts/ct.toml"]
    assert shown["rules"][0]["final"] is True
    assert shown["bundles"][0]["name"] == "site"


def test_diff(run, blueprint_file):
    item = "{ sequence = [ { CodeValue = { static = '%s' } } ] }"
    old = blueprint_file(
        f'StudyID = "copy"\nPatientID = "copy"\nProcedureCodeSequence = {item % 1}', name="old.toml"
    )
    new = blueprint_file(
        f'StudyID = {{ copy = "optional" }}\nAccessionNumber = "copy"\nProcedureCodeSequence = {item % 2}',
        name="new.toml",
    )
    code, out, _ = run("blueprint", "diff", old, new)
    assert code == 0
    assert [line.split(": ")[0] for line in out.splitlines()] == [
        "+ AccessionNumber (0008,0050)",
        "- ProcedureCodeSequence[1].CodeValue (0008,0100)",
        "+ ProcedureCodeSequence[1].CodeValue (0008,0100)",
        "- PatientID (0010,0020)",
        "- StudyID (0020,0010)",
        "+ StudyID (0020,0010)",
    ]
    _, out, _ = run("blueprint", "diff", old, new, "--json")
    assert [one["change"] for one in json.loads(out)] == ["added", "changed", "removed", "changed"]
    assert run("blueprint", "diff", old, old)[1] == "no rule differs\n"


def test_creators_with_dots_and_brackets(run, blueprint_file):
    rule = "'SITE [v2.1]:(0099,xx01)' = {{ static = '{}', vr = 'LO' }}"
    rules = f"{rule}\nProcedureCodeSequence = {{{{ sequence = [ {{{{ {rule} }}}} ] }}}}"
    old = blueprint_file(rules.format(1, 1), name="old.toml")
    new = blueprint_file(rules.format(1, 2), name="new.toml")
    tag = "SITE [v2.1]:(0099,xx01)"
    lines = run("blueprint", "show", old)[1].splitlines()
    assert f"{tag}    {tag}  LO  static '1'" in lines[2]
    assert f"{tag}  {tag}    LO  static '1'" in lines[3]
    assert [line.split(": ")[0] for line in run("blueprint", "diff", old, new)[1].splitlines()] == [
        f"- ProcedureCodeSequence[1].{tag} {tag}",
        f"+ ProcedureCodeSequence[1].{tag} {tag}",
    ]
    shown = run("explain", old, "--iod", "ct-image")[1]
    assert f"\n{tag}  {tag}  " in shown
    assert f"\n{tag}    {tag}  " in shown


def test_diff_compares_each_parameter_alone(run, blueprint_file):
    head = 'schema = 1\n[parameters]\nlabel = {{type = "LO", default = "x"}}\nother = {{type = "LO", default = "{}"}}'
    rules = (
        'StudyDescription = {{ parameter = "label" }}\n'
        'SeriesDescription = {{ copy-or-else = {{ parameter = "{}" }} }}'
    )
    old = blueprint_file(rules.format("label"), head=head.format("one"), name="old.toml")
    new = blueprint_file(rules.format("label"), head=head.format("two"), name="new.toml")
    assert run("blueprint", "diff", old, new)[1] == "no rule differs\n"
    new = blueprint_file(rules.format("other"), head=head.format("two"), name="new.toml")
    assert [line[:19] for line in run("blueprint", "diff", old, new)[1].splitlines()] == [
        "- SeriesDescription",
        "+ SeriesDescription",
    ]


def test_flatten_of_a_file_with_an_odd_name(run, blueprint_file):
    path = blueprint_file('StudyID = "copy"', name="a\nb.toml")
    code, out, _ = run("blueprint", "flatten", path)
    assert code == 0
    assert list(tomllib.loads(out)) == ["schema", "elements"]


def test_flatten_builds_the_same(run, bundle_folder, tmp_path):
    bundle = bundle_folder(
        files={
            "parts/ct.toml": 'schema = 1\nextends = ["ct-image", "site/base"]\n'
            '[parameters]\nlabel = { type = "LO", default = "none" }\nother = { type = "SH" }\n'
            '[elements]\nSeriesDescription = { parameter = "label" }\nStudyID = { parameter = "other" }\n'
            'ImageType = { append = ["X"] }\n'
        }
    )
    assert run("blueprint", "flatten", "site/ct", "--bundle", bundle, "--out", "flat.toml")[0] == 0
    volume = Volume(
        np.arange(24, dtype=np.int16).reshape(2, 3, 4), np.diag([5.0, 2.0, 1.5, 1.0])[[2, 1, 0, 3]]
    )
    files = []
    for blueprint in (Blueprint.load("site/ct", [bundle]), Blueprint.load("flat.toml")):
        series = DicomFactory().build(volume, blueprint, kwargs={"label": "a", "other": "1"}, uids="derived")
        files.append([path.read_bytes() for path in series.write(tmp_path / f"out{len(files)}")])
    assert files[0] == files[1]
    code, _, err = run("blueprint", "flatten", "site/ct", "--bundle", bundle, "--out", "flat.toml")
    assert code == 1
    assert "flat.toml exists" in err
    assert run("blueprint", "flatten", "flat.toml")[1].count("\n") == (
        tmp_path / "flat.toml"
    ).read_text().count("\n")


def test_check_of_a_part_and_of_a_wrong_one(run, bundle_folder, blueprint_file):
    code, out, _ = run("blueprint", "check", "site/base", "--bundle", bundle_folder())
    assert code == 0
    assert "a part of other blueprints" in out
    wrong = blueprint_file('InstitutionName = "copy"', head='schema = 1\nextends = ["site/ct"]')
    code, out, _ = run("blueprint", "check", wrong, "--bundle", bundle_folder(), "--json")
    assert code == 1
    (finding,) = json.loads(out)
    assert finding["kind"] == "blueprint"
    assert "is final in" in finding["message"]


def test_bundle_check(run, bundle_folder):
    code, out, _ = run("bundle", "check", bundle_folder())
    assert code == 0
    assert out.splitlines()[-1] == "site 1.0: ok"
    code, out, _ = run("bundle", "check", bundle_folder(files={"README.md": "x"}), "--json")
    assert code == 1
    assert json.loads(out)["ok"] is False


def test_lock_and_verify(run, bundle_folder, tmp_path, monkeypatch):
    bundle = bundle_folder()
    monkeypatch.setenv("DICOMWRIGHT_BUNDLES", str(bundle))
    code, out, _ = run("bundle", "lock")
    assert (code, out) == (0, "dicomwright.lock: site 1.0; 1 distributions of plug-ins\n")
    assert run("bundle", "verify")[0] == 0
    with (bundle / "base.toml").open("ab") as stream:
        stream.write(b"#")
    code, _, err = run("bundle", "verify")
    assert code == 1
    assert err == f"dicomwright: error: {bundle}/base.toml is changed\n"
    assert run("bundle", "lock", "other")[0] == 1
    assert run("bundle", "lock", "site", "--lock-file", "other.lock")[0] == 0
    assert (tmp_path / "other.lock").read_text().count("[[bundle]]") == 1


LONG = "x" * 300


@pytest.mark.parametrize(
    "arguments",
    [
        ("blueprint", "show", LONG),
        ("blueprint", "flatten", "patient", "--out", f"{LONG}.toml"),
        ("bundle", "check", LONG),
        ("lint", "mr-image", "--parent", LONG),
        ("learn", LONG, "--out", "x.toml"),
        ("learn", "x", "--out", LONG),
        ("validate", LONG),
    ],
)
def test_names_that_no_file_can_have(run, arguments):
    code, _, err = run(*arguments)
    assert code == 1
    assert err.startswith("dicomwright: error: ")
    assert "internal" not in err
