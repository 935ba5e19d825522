"""Data files beside a blueprint file, and nothing else."""

from __future__ import annotations

import os

import pytest

from dicomwright.blueprint.elements import StaticElement
from dicomwright.bundles import load_blueprint
from dicomwright.bundles.flatten import flattened, write_flattened
from dicomwright.bundles.load import read_blueprints
from dicomwright.errors import BlueprintError


@pytest.fixture
def reading(plugin_set_with):
    """Plug-ins with an element type ``file``, whose value is what stands in a data file."""

    def file(tag, data, context):
        return StaticElement(tag, context.vr_of(tag), context.resource(data).decode())

    return plugin_set_with({"file": file})


@pytest.fixture
def value_of(blueprint_file, reading):
    """Return `value_of(path) -> text` of a file that a rule names."""

    def read(path):
        rule = blueprint_file(f"StudyID = {{ file = {path!r} }}", name="rules/site.toml")
        return load_blueprint(rule, reading)["StudyID"].value

    return read


@pytest.mark.parametrize("path", ["id.txt", "./id.txt", "tables/id.txt", "tables//id.txt"])
def test_a_file_beside_the_blueprint(tmp_path, value_of, path):
    (tmp_path / "rules/tables").mkdir(parents=True)
    for name in ("id.txt", "tables/id.txt"):
        (tmp_path / "rules" / name).write_text("4711")
    assert value_of(path) == "4711"


def test_the_folder_is_that_of_the_file_that_has_the_rule(blueprint_file, tmp_path, reading):
    blueprint_file('StudyID = { file = "id.txt" }', name="base/base.toml")
    (tmp_path / "base/id.txt").write_text("base")
    (tmp_path / "id.txt").write_text("site")
    path = blueprint_file(head='schema = 1\nextends = ["base/base.toml"]')
    assert load_blueprint(path, reading)["StudyID"].value == "base"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("../secret.txt", "leads out of the folder"),
        ("tables/../../secret.txt", "leads out of the folder"),
        ("/etc/hostname", "leads out of the folder"),
        ("..\\secret.txt", "not every system allows"),
        ("C:/secret.txt", "not every system allows"),
        (".", "leads out of the folder"),
        ("", "is not the path of a file"),
        ("out.txt", "is a link that leads out of the folder"),
        ("folder/secret.txt", "is a link that leads out of the folder"),
        ("circle.txt", "cannot be read"),
        ("none.txt", 'has no file "none.txt"'),
        ("tables", "is a folder"),
        ("large.txt", "larger than the 1024 kB"),
    ],
)
def test_what_is_refused(tmp_path, value_of, path, expected):
    rules = tmp_path / "rules"
    (rules / "tables").mkdir(parents=True)
    (tmp_path / "secret.txt").write_text("secret")
    (rules / "out.txt").symlink_to(tmp_path / "secret.txt")
    (rules / "folder").symlink_to(tmp_path)
    (rules / "circle.txt").symlink_to(rules / "circle.txt")
    (rules / "large.txt").write_bytes(b"x" * (1024 * 1024 + 1))
    with pytest.raises(BlueprintError) as caught:
        value_of(path)
    (problem,) = caught.value.problems
    assert expected in problem.message
    assert problem.loc == f"{rules / 'site.toml'}:3"
    assert "secret\n" not in str(caught.value)


def test_a_link_inside_is_followed(tmp_path, value_of):
    (tmp_path / "rules/..data").mkdir(parents=True)
    (tmp_path / "rules/..data/id.txt").write_text("1")
    (tmp_path / "rules/id.txt").symlink_to("..data/id.txt")
    assert value_of("id.txt") == "1"


def test_a_fifo_is_not_waited_for(tmp_path, value_of):
    (tmp_path / "rules").mkdir()
    os.mkfifo(tmp_path / "rules/pipe")
    with pytest.raises(BlueprintError, match="not a regular file"):
        value_of("pipe")


@pytest.mark.parametrize("kind", ["folder", "zip"])
@pytest.mark.parametrize(("path", "expected"), [("id.txt", "beside"), ("tables/id.txt", "from the top")])
def test_files_of_a_bundle(bundle_folder, bundle_zip, reading, kind, path, expected):
    files = {
        "parts/ct.toml": f'schema = 1\n[elements]\nStudyDescription = {{ file = "{path}" }}\n',
        "parts/id.txt": "beside",
        "id.txt": "not this",
        "tables/id.txt": "from the top",
    }
    bundle = bundle_folder(files=files) if kind == "folder" else bundle_zip(files=files)
    assert load_blueprint("site/ct", reading, [bundle])["StudyDescription"].value == expected


@pytest.mark.parametrize("path", ["../../secret.txt", "/etc/hostname", ".hidden", "tables/.hidden"])
def test_nothing_outside_a_bundle(bundle_folder, reading, path):
    files = {"parts/ct.toml": f'schema = 1\n[elements]\nStudyID = {{ file = "{path}" }}\n', ".hidden": "x"}
    with pytest.raises(BlueprintError) as caught:
        load_blueprint("site/ct", reading, [bundle_folder(files=files)])
    assert "leads out of the folder" in str(caught.value) or "is hidden" in str(caught.value)


def test_a_flattened_blueprint_takes_its_files_along(bundle_folder, reading, tmp_path):
    files = {
        "parts/ct.toml": 'schema = 1\n[elements]\nStudyID = { file = "tables/id.txt" }\n',
        "tables/id.txt": "4711",
    }
    read = read_blueprints(["site/ct"], reading, [bundle_folder(files=files)])
    out = tmp_path / "out" / "flat.toml"
    write_flattened(flattened(read, "site/ct"), read.resources, out)
    assert (tmp_path / "out/tables/id.txt").read_text() == "4711"
    assert load_blueprint(out, reading)["StudyID"].value == "4711"
    with pytest.raises(BlueprintError, match="exists"):
        write_flattened("", read.resources, out)
    (tmp_path / "out/tables/id.txt").write_text("other")
    with pytest.raises(BlueprintError, match=r"id\.txt exists"):
        write_flattened("", read.resources, out.with_name("new.toml"))


def test_two_files_of_one_name_cannot_be_flattened(bundle_folder, reading):
    files = {
        "base.toml": 'schema = 1\n[elements]\nStudyID = { file = "id.txt" }\n',
        "parts/ct.toml": 'schema = 1\nextends = ["site/base"]\n[elements]\nAccessionNumber = { file = "id.txt" }\n',
        "id.txt": "1",
        "parts/id.txt": "2",
    }
    read = read_blueprints(["site/ct"], reading, [bundle_folder(files=files)])
    with pytest.raises(BlueprintError, match="cannot be one file"):
        flattened(read, "site/ct")
