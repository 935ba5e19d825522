"""``bundle check``: what stops a bundle from being given to others."""

from __future__ import annotations

import os
import zipfile

import pytest

from dicomwright.bundle_check import check_bundle
from dicomwright.errors import BlueprintError
from dicomwright.plugins import load

PLUGINS = load(enabled=False)


def checked(path, *others):
    done = check_bundle(path, PLUGINS, others)
    return done, [f"{one.severity}: {one.message}" for one in done.findings]


def with_rules(rules, head='schema = 1\nsummary = "ct"\nextends = ["ct-image", "site/base"]'):
    return {"parts/ct.toml": f"{head}\n[elements]\n{rules}\n"}


def test_a_good_one(bundle_folder, bundle_zip):
    for path in (bundle_folder(), bundle_zip(), bundle_zip("in.zip", top="site/")):
        done, findings = checked(path)
        assert findings == []
        assert done.blueprints == (("site/base", "part"), ("site/ct", "built"))
        assert done.ok


def test_what_is_missing_in_its_frame(bundle_folder):
    text = 'schema = 1\nname = "site"\nversion = "1"\n[blueprints]\nbase = "base.toml"\n'
    done, findings = checked(bundle_folder(files={"bundle.toml": text, "base.toml": "schema = 1\n"}))
    assert findings == [
        "warning: it does not say whom to ask",
        "warning: it does not say which versions of dicomwright it fits",
        "warning: site/base has no summary",
    ]
    assert done.ok


@pytest.mark.parametrize(
    ("readme", "missing"),
    [
        (None, ["base", "ct"]),
        ("the database of ct-images", ["base", "ct"]),
        ("`base`", ["ct"]),
        ("site/base, ct.", []),
    ],
)
def test_each_blueprint_needs_words(bundle_folder, readme, missing):
    _, findings = checked(bundle_folder(files={"README.md": readme}))
    assert findings == [f"error: no page names the blueprint {name}" for name in missing]


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ('StudyDescripton = "copy"', "is not a DICOM keyword or tag"),
        ('PatientSex = { static = "X" }', "PatientSex (0010,0040)"),
        ('Modality = "discard"', "Modality (0008,0060)"),
        ('SOPInstanceUID = { static = "1.2.3" }', "SOPInstanceUID (0008,0018)"),
    ],
)
def test_lint_and_build(bundle_folder, rules, expected):
    done, findings = checked(bundle_folder(files=with_rules(rules)))
    assert not done.ok
    assert any(expected in text for text in findings if text.startswith("error"))
    assert dict(done.blueprints)["site/ct"] == "wrong"


def test_what_only_a_build_shows(bundle_folder):
    rules = 'TriggerTime = { index = [1, 2] }\nStudyDescription = { series = "uid" }\nPatientAge = { series = "now" }'
    done, findings = checked(bundle_folder(files=with_rules(rules)))
    assert not done.ok
    assert any("site/ct cannot be built: PatientAge (0010,1010)" in text for text in findings)


@pytest.mark.parametrize(
    "rules",
    [
        'StudyDescription = "copy"\nAccessionNumber = "copy"\nAcquisitionTime = "copy-instance"',
        'TriggerTime = { keyed-index = "times" }',
        "TriggerTime = { index = [0, 40, 80, 120, 160] }",
        'ProcedureCodeSequence = "copy"',
        'DeviceUID = "copy"',
        'PatientSex = "copy"\nPatientAge = "copy"\nKVP = "copy"',
        '"ACME 1.0:(0099,xx01)" = { copy-or-else = "x", vr = "LO" }',
    ],
)
def test_parents_have_what_is_copied(bundle_folder, rules):
    done, findings = checked(bundle_folder(files=with_rules(rules)))
    assert [text for text in findings if text.startswith("error")] == []
    assert dict(done.blueprints)["site/ct"] == "built"


def test_required_parameters_are_made_up(bundle_folder):
    head = 'schema = 1\nsummary = "ct"\nextends = ["ct-image"]\n'
    head += '[parameters]\nlabel = { type = "LO" }\nday = { type = "DA" }'
    rules = 'StudyDescription = { parameter = "label" }\nContentDate = { parameter = "day" }'
    done, findings = checked(bundle_folder(files=with_rules(rules, head)))
    assert findings == []
    assert done.ok


@pytest.mark.parametrize(
    "name", ["mr-image", "pet-image", "nm-image", "enhanced-ct-image", "secondary-capture"]
)
def test_every_kind_of_object(bundle_folder, name):
    files = {"parts/ct.toml": f'schema = 1\nsummary = "s"\nextends = ["{name}"]\n'}
    done, findings = checked(bundle_folder(files=files))
    assert findings == []
    assert dict(done.blueprints)["site/ct"] in ("built", "linted")


PROJECT = """
[project]
name = "acme-site"
version = "{version}"
[project.entry-points."dicomwright.bundles"]
{name} = "acme_site"
"""


@pytest.mark.parametrize(
    ("version", "name", "expected"),
    [
        ("1.0", "site", []),
        ("1.0.0", "site", []),
        ("1.1", "site", ['error: the distribution is version "1.1", its bundle.toml says "1.0"']),
        ("1.0", "other", ["error: no entry point makes site known when it is installed"]),
    ],
)
def test_a_project(bundle_folder, tmp_path, version, name, expected):
    bundle_folder("project/src/acme_site", {"README.md": None})
    (tmp_path / "project/README.md").write_text("base and ct")
    (tmp_path / "project/pyproject.toml").write_text(PROJECT.format(version=version, name=name))
    assert checked(tmp_path / "project")[1] == expected


@pytest.fixture
def project(bundle_folder, tmp_path):
    """Return `project(pyproject) -> path`: the project of a bundle that is good but for what is given."""

    def make(pyproject):
        bundle_folder("project/src/acme_site")
        path = tmp_path / "project/pyproject.toml"
        path.write_bytes(pyproject if isinstance(pyproject, bytes) else pyproject.encode())
        return tmp_path / "project"

    return make


GOOD = PROJECT.format(version="1.0", name="site")


@pytest.mark.parametrize(
    ("pyproject", "expected"),
    [
        (GOOD.replace('"acme_site"', '"other"'), 'site = "other" does not name the folder of the bundle'),
        (GOOD.replace('"acme_site"', "3"), "site = 3 does not name the folder of the bundle"),
        ("", "no entry point makes site known"),
        ("project = 3", "no entry point makes site known"),
        ("[project]\nentry-points = []", "no entry point makes site known"),
        ('[project.entry-points]\n"dicomwright.bundles" = 3', "no entry point makes site known"),
        ("[project]\ndynamic = 3", "no entry point makes site known"),
        ('[project]\ndynamic = ["entry-points"]', None),
        ("x = " + "[" * 3000, "nested too deeply"),
        (b"\xff\xfe", "UTF-16"),
        ("[project", "not valid TOML"),
    ],
)
def test_a_pyproject_that_is_wrong(project, pyproject, expected):
    found = checked(project(pyproject))[1]
    assert [expected in one for one in found] == [True] if expected else found == []


def test_a_folder_in_a_repository_of_something_else(project):
    assert checked(project('[project]\nname = "pipeline"\nversion = "7"') / "src/acme_site")[1] == []


@pytest.mark.parametrize("kind", ["fifo", "folder", "link"])
def test_pages_of_a_project_that_cannot_be_read(project, kind):
    root = project(GOOD)
    page = root / "NOTES.md"
    {
        "fifo": lambda: os.mkfifo(page),
        "folder": page.mkdir,
        "link": lambda: page.symlink_to("nowhere"),
    }[kind]()
    assert checked(root)[1] == []


def test_names_that_are_one_file_elsewhere(bundle_folder):
    root = bundle_folder(files={"Base.toml": "schema = 1", "\u00e9.csv": "", "e\u0301.csv": ""})
    assert checked(root)[1] == [
        'error: "Base.toml" and "base.toml" are one file on some systems',
        'error: "e\u0301.csv" and "\u00e9.csv" are one file on some systems',
    ]


def test_what_is_wrong_with_a_file_is_said_once(bundle_folder):
    root = bundle_folder()
    os.mkfifo(root / "table.csv")
    found = checked(root)[1]
    assert sum("table.csv is not a regular file" in one for one in found) == 1


def test_a_wheel(bundle_folder, tmp_path):
    root = bundle_folder()
    path = tmp_path / "acme_site-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for name in ("bundle.toml", "base.toml", "parts/ct.toml"):
            wheel.write(root / name, f"acme_site/{name}")
        wheel.writestr("acme_site-1.0.dist-info/METADATA", "Name: acme-site\n\nbase and ct\n")
    done, findings = checked(path)
    assert findings == []
    assert done.ok


def test_plugins_that_are_missing(bundle_folder, bundle_files):
    text = bundle_files["bundle.toml"].replace(
        "[blueprints]", 'requires-plugins = ["acme-elements>=1"]\n[blueprints]'
    )
    done, findings = checked(bundle_folder(files={"bundle.toml": text}))
    assert not done.ok
    assert any("needs acme-elements>=1, which is not installed" in one for one in findings)


def test_pages_that_cannot_be_read_are_not_said_to_lack_words(bundle_folder):
    path = bundle_folder(files={"a\\b.csv": "1"})
    done, findings = checked(path)
    assert not done.ok
    assert len(findings) == 1
    assert "has characters that not every system allows" in findings[0]


def test_a_link_that_leads_out(bundle_folder):
    root = bundle_folder()
    (root / "secret.csv").symlink_to("/etc/hostname")
    done, findings = checked(root)
    assert any("secret.csv is a link that leads out of the folder" in one for one in findings)
    assert not done.ok


def test_no_bundle(tmp_path):
    with pytest.raises(BlueprintError, match=r"has no bundle\.toml"):
        check_bundle(tmp_path, PLUGINS)
