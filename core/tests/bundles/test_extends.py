from __future__ import annotations

import pytest

from dicomwright.bundles import load_blueprint
from dicomwright.errors import BlueprintError


def test_left_to_right_then_the_file_itself(blueprint_file):
    blueprint_file(
        'StudyID = { static = "a" }\nPatientID = { static = "a" }\nModality = { static = "A" }', name="a.toml"
    )
    blueprint_file('PatientID = { static = "b" }\nModality = { static = "B" }', name="parts/b.toml")
    path = blueprint_file(
        'Modality = { static = "C" }', head='schema = 1\nextends = ["./a.toml", "parts/b.toml"]'
    )
    blueprint = load_blueprint(path)
    assert [blueprint[name].value for name in ("StudyID", "PatientID", "Modality")] == ["a", "b", "C"]
    assert blueprint["PatientID"].origin == f"{path.parent / 'parts' / 'b.toml'}:3"


def test_a_shipped_one(blueprint_file):
    blueprint = load_blueprint(
        blueprint_file('PatientComments = "discard"', head="schema = 1\nextends = ['mr-image']")
    )
    assert blueprint["Modality"].origin.startswith("dicomwright/blueprints/mr-image.toml:")


def test_problems_of_bases_are_told_too(problems_of, blueprint_file):
    base = blueprint_file('PatientNam = "copy"', name="base.toml")
    problems = problems_of(
        'Modalit = "copy"', head="schema = 1\nextends = ['./base.toml', 'mr-imag', './no.toml']"
    )
    texts = [text for _, text in problems]
    assert len(texts) == 4
    assert texts[0].startswith(f"{base}:3: ")
    assert "did you mean mr-image?" in texts[1]
    assert "no.toml does not exist" in texts[2]
    assert [line for line, _ in problems[1:]] == ["2", "2", "4"]


def test_a_base_that_is_no_toml(problems_of, tmp_path):
    (tmp_path / "base.toml").write_text("schema = 1\n=\n")
    problems = problems_of("", head="schema = 1\nextends = ['./base.toml']")
    assert problems[0][1].startswith(f"{tmp_path / 'base.toml'}:2: not valid TOML")


def test_a_circle_shows_its_files(blueprint_file, problems_of):
    for name, other in (("a", "b"), ("b", "c"), ("c", "a")):
        blueprint_file("", head=f"schema = 1\nextends = ['./{other}.toml']", name=f"{name}.toml")
    problems = problems_of("", head="schema = 1\nextends = ['./a.toml']")
    assert len(problems) == 1
    message = problems[0][1]
    assert "goes in a circle" in message
    assert message.count("→") == 3
    assert "c.toml:2: " in message


def test_a_file_that_extends_itself(problems_of):
    assert "circle" in problems_of("", head="schema = 1\nextends = ['./site.toml']")[0][1]


def test_a_missing_base_shows_how_it_was_reached(blueprint_file, problems_of):
    blueprint_file("", head="schema = 1\nextends = ['nowhere']", name="a.toml")
    message = problems_of("", head="schema = 1\nextends = ['./a.toml']")[0][1]
    assert "site.toml → " in message
    assert "a.toml:2" in message


def test_too_long_a_chain(blueprint_file, problems_of):
    for number in range(12):
        blueprint_file("", head=f"schema = 1\nextends = ['./f{number + 1}.toml']", name=f"f{number}.toml")
    blueprint_file("", name="f12.toml")
    message = problems_of("", head="schema = 1\nextends = ['./f0.toml']")[0][1]
    assert "deeper than 10 files" in message


def test_too_many_files(blueprint_file, problems_of):
    for number in range(70):
        blueprint_file("", name=f"f{number}.toml")
    names = ", ".join(f"'./f{number}.toml'" for number in range(70))
    problems = problems_of("", head=f"schema = 1\nextends = [{names}]")
    assert all("more than 64 files" in text for _, text in problems)


def test_one_base_by_two_ways_is_read_once(blueprint_file):
    blueprint_file('StudyID = { static = "1" }', name="base.toml")
    for name in "ab":
        blueprint_file("", head="schema = 1\nextends = ['./base.toml']", name=f"{name}.toml")
    path = blueprint_file("", head="schema = 1\nextends = ['./a.toml', './b.toml']")
    assert len(load_blueprint(path)) == 1


def test_each_problem_once_however_often_a_file_is_extended(blueprint_file):
    blueprint_file("StudyID = 3", name="base.toml")
    for name in "ab":
        blueprint_file("", head="schema = 1\nextends = ['./base.toml']", name=f"{name}.toml")
    path = blueprint_file("", head="schema = 1\nextends = ['./a.toml', './b.toml']")
    with pytest.raises(BlueprintError) as caught:
        load_blueprint(path)
    assert len(caught.value.problems) == 1
