"""What every distribution of the workspace has in common, and what keeps the matrix honest."""

from __future__ import annotations

import importlib
import re
import runpy
import tomllib
from importlib import resources
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from dicomwright.plugins._metadata import find_bundles
from workbench.fixtures import ROOT

MEMBERS = [ROOT / "core", *sorted(path.parent for path in ROOT.glob("plugins/*/pyproject.toml"))]
CORE = ROOT / "core"
DATA_ONLY = [member for member in MEMBERS if not list(member.glob("src/**/*.py"))]
each_member = pytest.mark.parametrize("member", MEMBERS, ids=lambda member: member.name)


def read(member):
    return tomllib.loads((member / "pyproject.toml").read_text(encoding="utf-8"))


def name_of(member):
    return read(member)["project"]["name"]


@each_member
def test_the_folder_has_the_name_of_the_distribution(member):
    assert name_of(member) == ("dicomwright" if member == CORE else member.name)


@each_member
def test_files_that_a_distribution_needs(member):
    assert (member / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()
    assert (member / "README.md").read_text(encoding="utf-8").startswith(f"# {name_of(member)}")
    assert (member / "CHANGELOG.md").is_file()
    assert list((member / "tests").rglob("test_*.py"))


@each_member
def test_members_agree_on_pythons_and_licence(member):
    project, core = read(member)["project"], read(CORE)["project"]
    versions = [text for text in project["classifiers"] if "Python ::" in text]
    assert versions == [text for text in core["classifiers"] if "Python ::" in text]
    assert project["requires-python"] == core["requires-python"]
    assert project["license"] == "MIT"


@each_member
def test_every_dependency_has_a_floor(member):
    for text in read(member)["project"]["dependencies"]:
        operators = {part.operator for part in Requirement(text).specifier}
        assert ">=" in operators, text


@pytest.mark.parametrize("member", MEMBERS[1:], ids=lambda member: member.name)
def test_plugins_accept_this_core_and_not_the_next_incompatible_one(member):
    project = read(member)["project"]
    (core,) = (
        Requirement(text) for text in project["dependencies"] if Requirement(text).name == "dicomwright"
    )
    version = Version(read(CORE)["project"]["version"])
    following = f"0.{version.minor + 1}" if version.major == 0 else f"{version.major + 1}.0"
    assert version in core.specifier
    assert Version(following) not in core.specifier
    assert list(project["entry-points"]) == ["dicomwright.bundles" if member in DATA_ONLY else "dicomwright"]


@each_member
def test_the_installed_package_is_typed_and_complete(member):
    package = name_of(member).replace("-", "_")
    installed = (
        installed_bundle(member) if member in DATA_ONLY else resources.files(importlib.import_module(package))
    )
    assert installed.joinpath("py.typed").is_file() is (member not in DATA_ONLY)
    sources = member / "src" / package
    data = {path.relative_to(sources) for path in sources.rglob("*") if path.is_file()}
    absent = {
        path for path in data if "__pycache__" not in path.parts and not (installed / str(path)).is_file()
    }
    assert absent == set()


def installed_bundle(member):
    """Return where a bundle is installed; what has no code need not be importable."""
    (found,) = [Path(one.folder) for one in find_bundles() if one.distribution == name_of(member)]
    return found


def test_data_alone_makes_a_member():
    assert [member.name for member in DATA_ONLY] == ["dicomwright-bundle-example"]


@each_member
def test_modules_are_short(member):
    lengths = {
        path: len(path.read_text(encoding="utf-8").splitlines()) for path in member.rglob("src/**/*.py")
    }
    assert {path.name: length for path, length in lengths.items() if length > 400} == {}


def files_of_the_workspace():
    """Return the files of the checkout, without those that tools leave in hidden folders."""
    tops = [path for path in ROOT.iterdir() if path.name == ".ci" or not path.name.startswith(".")]
    found = [path for top in tops for path in ([top] if top.is_file() else top.rglob("*"))]
    return [path for path in found if path.is_file() and "__pycache__" not in path.parts]


def test_no_file_names_a_package_registry_or_locks_one():
    registry = re.compile(
        rb"(index[-_]url|find[-_]links|registry)\s*=\s*\S*://|pythonhosted\.org|pypi\.org|deb\.debian\.org"
    )
    files = [path for path in files_of_the_workspace() if path.name != "test_workspace.py"]
    assert ROOT / "pyproject.toml" in files
    assert [path for path in files if registry.search(path.read_bytes())] == []
    assert not {"poetry.lock", "pdm.lock"} & {path.name for path in files}


@pytest.fixture(scope="module")
def noxfile():
    return runpy.run_path(str(ROOT / "noxfile.py"))


def test_the_matrix_is_read_from_disk(noxfile):
    assert list(noxfile["MEMBERS"]) == [name_of(member) for member in MEMBERS]
    assert noxfile["PYTHONS"] == ["3.11", "3.12", "3.13"]
    assert noxfile["nox"].options.sessions == ["lint", "types", "tests", "docs"]


def test_default_and_matrix_run_the_tests_of_several_members_once_on_each_python(noxfile):
    assert {noxfile["RUNNING"], *noxfile["ELSEWHERE"]} >= {*noxfile["PYTHONS"]}
    assert noxfile["RUNNING"] not in noxfile["ELSEWHERE"]
    assert noxfile["together"].python == noxfile["ELSEWHERE"]


def test_what_nox_and_the_matrix_leave_out(noxfile):
    sessions = {
        name for name, value in noxfile.items() if hasattr(value, "tags") and hasattr(value, "venv_backend")
    }
    in_the_matrix = {name for name in sessions if "matrix" in noxfile[name].tags}
    assert in_the_matrix == {
        "unit",
        "together",
        "built",
        "outsider",
        "tutorials",
        "pacs",
        "demo",
        "interpreters",
    }
    left_out = sessions - in_the_matrix - set(noxfile["nox"].options.sessions)
    assert left_out == {"bench", "faults", "standard", "matrix"}


def test_floors_are_what_members_declare(noxfile):
    floors = list(noxfile["floors"](noxfile["MEMBERS"].values(), "3.11"))
    assert "pydicom==3.0.2" in floors
    assert not any(floor.startswith("dicomwright") for floor in floors)
    assert len(floors) == len({floor.split("==")[0] for floor in floors})


def test_a_plugin_brings_the_core(noxfile):
    needed = [member.name for member in noxfile["with_own_dependencies"]("dicomwright-nifti")]
    assert needed == ["dicomwright", "dicomwright-nifti"]
