from __future__ import annotations

import os
import pathlib
import time

import pytest

from dicomwright.blueprint.blueprint import Blueprint
from dicomwright.bundles import load_blueprint
from dicomwright.errors import BlueprintError


def refused(what):
    with pytest.raises(BlueprintError) as caught:
        load_blueprint(what)
    return str(caught.value)


def test_a_file_and_a_name_load_alike(blueprint_file, monkeypatch):
    path = blueprint_file('PatientID = { static = "1" }')
    assert load_blueprint(path)["PatientID"].value == "1"
    assert load_blueprint(str(path))["PatientID"].value == "1"
    monkeypatch.chdir(path.parent)
    assert Blueprint.load("site.toml")["PatientID"].origin == "site.toml:3"
    assert Blueprint.load("ct-image")["Modality"].value == "CT"


def test_an_unknown_name_lists_and_suggests():
    text = refused("mr-imgae")
    assert "did you mean mr-image?" in text
    assert "ct-image" in text


def test_a_name_that_is_a_file_here_says_how_to_name_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pathlib.Path("site").write_text("schema = 1")
    assert "write ./site" in refused("site")
    assert len(load_blueprint("./site")) == 0


def test_a_missing_file_suggests_its_neighbour(blueprint_file):
    path = blueprint_file()
    text = refused(path.with_name("sit.toml"))
    assert "does not exist" in text
    assert str(path) in text


@pytest.mark.parametrize("what", [3, None, b"mr-image", ["mr-image"], ""])
def test_what_is_no_name_is_refused(what):
    assert "blueprint" in refused(what)


def test_a_nul_in_a_path_is_refused():
    assert "cannot be read" in refused("a\0b.toml")


def test_a_folder_is_refused(tmp_path):
    assert "is a folder" in refused(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no FIFOs")
def test_a_fifo_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.toml")
    assert "not a regular file" in refused(tmp_path / "pipe.toml")


def test_a_large_file_is_refused(tmp_path):
    path = tmp_path / "large.toml"
    path.write_bytes(b"#\n" * (128 * 1024 + 1))
    assert "256 kB" in refused(path)


def test_a_long_line_is_named(tmp_path):
    path = tmp_path / "long.toml"
    path.write_text("schema = 1\n#" + "x" * 9000)
    assert refused(path).startswith(f"{path}:2: ")


def test_bytes_that_are_no_text_are_named_by_line(tmp_path):
    path = tmp_path / "latin.toml"
    path.write_bytes(b'schema = 1\nsummary = "J\xf8rgen"\n')
    text = refused(path)
    assert text.startswith(f"{path}:2: ")
    assert "0xF8" in text


def test_utf16_is_recognised(tmp_path):
    path = tmp_path / "wide.toml"
    path.write_text("schema = 1", encoding="utf-16")
    assert "UTF-16" in refused(path)


def test_a_byte_order_mark_and_windows_line_ends_are_fine(tmp_path):
    path = tmp_path / "windows.toml"
    path.write_bytes(b'\xef\xbb\xbfschema = 1\r\n[elements]\r\nPatientID = { static = "1" }\r\n')
    assert load_blueprint(path)["PatientID"].origin == f"{path}:3"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("schema = 1\nsummary = \n", 2),
        ("schema = 1\n[elements]\nA = 'x'\nA = 'y'\n", 4),
        ("schema = 1\n[elements\n", 2),
        ("schema = 1\nx = [1, 2\n", 2),
        ("\x00", 1),
    ],
)
def test_what_is_no_toml_is_named_by_line(tmp_path, text, line):
    path = tmp_path / "broken.toml"
    path.write_text(text)
    message = refused(path)
    assert message.startswith(f"{path}:{line}: not valid TOML")
    assert "Traceback" not in message


@pytest.mark.parametrize("text", ["x = " + "[" * 8000, "x = " + "[" * 3000 + "]" * 3000, "x = " + "9" * 6000])
def test_absurd_values_are_refused(tmp_path, text):
    path = tmp_path / "absurd.toml"
    path.write_text(text)
    assert str(path) in refused(path)


_DEEP = ".".join(["a"] * 4000)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (f"schema = 1\n{_DEEP} = 1", ":2"),
        (f"schema = 1\n'a' . {_DEEP} = 1", ":2"),
        (f"schema = 1\nx = {{y = 1, {_DEEP} = 1}}", ":2"),
        (f"schema = 1\n[elements.{_DEEP}]\n" + "x = 1\n" * 1, ":2"),
        (f"schema = 1\n[elements.PatientName]\nstatic.{_DEEP} = 1", ":3"),
        ("\n".join(f"x{number}.{_DEEP} = 1" for number in range(30)), ":1"),
        ("x = " + "{a.a.a.a.a.a.a.a.a.a = " * 20 + "1" + "}" * 20, ""),
    ],
)
def test_deep_keys_take_no_time(tmp_path, text, line):
    path = tmp_path / "deep.toml"
    path.write_text(text)
    start = time.process_time()
    assert f"{path}{line}: the values are nested too deeply" in refused(path)
    assert time.process_time() - start < 2


def test_dots_in_texts_and_comments_are_no_keys(blueprint_file):
    dots = ".".join(["a"] * 70)
    assert load_blueprint(blueprint_file(f'# {dots}\nImageComments = {{ static = "{dots}" }}'))


@pytest.mark.parametrize("rule", ["Rows = {{ static = {} }}", "PatientName = {}", "Rows = {{ final = {} }}"])
def test_numbers_that_nobody_can_quote(blueprint_file, rule):
    path = blueprint_file(rule.format("0x" + "f" * 6000))
    assert "a whole number has thousands of digits; shorten it" in refused(path)


def test_thousands_of_unknown_keywords_take_no_time(blueprint_file):
    rules = "\n".join(f'Patient{number}Nam = "copy"' for number in range(4000))
    text = refused(blueprint_file(rules))
    assert text.startswith("201 problems")
    assert "rules are read until 200 things are wrong, and no further; mend these first" in text


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ("", "schema = 1"),
        ("schema = 2", "this dicomwright reads 1"),
        ("schema = 0", "write schema = 1"),
        ("schema = true", "write schema = 1"),
        ('schema = "1"', "write schema = 1"),
        ("schema = 1\nsummry = 'x'", "did you mean summary?"),
        ("schema = 1\nsummary = 3", "summary is not one line"),
        ('schema = 1\nsummary = "a\\nb"', "summary is not one line"),
        ("schema = 1\nPatientID = 'copy'", "below [elements]"),
        ("schema = 1\nextends = 'mr-image'", "extends is a text, not a list"),
        ("schema = 1\nextends = [3]", "extends names 3"),
        ("schema = 1\nextends = ['mr-image', 'mr-image']", "twice"),
        ("schema = 1\nextends = ['https://example.org/x.toml']", "address"),
    ],
)
def test_the_frame_of_the_file_is_checked(problems_of, head, expected):
    problems = problems_of("", head=head)
    assert len(problems) == 1
    assert expected in problems[0][1]


def test_elements_that_are_no_table(tmp_path):
    path = tmp_path / "list.toml"
    path.write_text("schema = 1\nelements = [1]")
    assert "not a table" in refused(path)


def test_too_many_rules(problems_of):
    rules = "\n".join(f'"(0010,{number:04X})" = "discard"' for number in range(1, 5002))
    problems = problems_of(rules)
    assert len(problems) == 1
    assert "more than 5000 rules" in problems[0][1]
