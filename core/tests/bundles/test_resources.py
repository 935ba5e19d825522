"""Data files beside a blueprint file, and nothing else."""

from __future__ import annotations

import os

import pytest

from dicomwright.blueprint.elements import StaticElement
from dicomwright.bundles import load_blueprint
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
