"""Parameters: declared with a type, given to a build by name, checked wherever they are used."""

from __future__ import annotations

import numpy as np
import pytest

from dicomwright.blueprint.blueprint import Blueprint
from dicomwright.blueprint.environment import SeriesEnvironment
from dicomwright.bundles import load_blueprint
from dicomwright.errors import BlueprintError
from dicomwright.factory import DicomFactory
from dicomwright.payload import Volume

LABEL = '[parameters]\nlabel = { type = "LO", default = "none" }\n'


@pytest.fixture
def declared(blueprint_file):
    """Return `declared(parameters, rules, head="schema = 1") -> path`; the parameters begin on line 3."""

    def write(parameters, rules="", head="schema = 1", name="site.toml"):
        return blueprint_file(rules, head=f"{head}\n[parameters]\n{parameters}", name=name)

    return write


def volume():
    return Volume(np.zeros((2, 3, 4), np.int16), [[0, 0, 1.5, 0], [0, 2, 0, 0], [3, 0, 0, 0], [0, 0, 0, 1]])


def refused(call, *arguments, **kwargs):
    with pytest.raises(BlueprintError) as caught:
        call(*arguments, **kwargs)
    return [str(problem) for problem in caught.value.problems]


def value(path, keyword="StudyDescription", **kwargs):
    return load_blueprint(path)[keyword].resolve(SeriesEnvironment(kwargs=kwargs))


def test_default_and_given(declared):
    path = declared('label = { type = "LO", default = "none" }', 'StudyDescription = { parameter = "label" }')
    assert value(path) == "none"
    assert value(path, label="Brain") == "Brain"
    assert value(path, label="") == ""
    assert load_blueprint(path)["StudyDescription"].rule() == "parameter label (LO, default 'none')"


@pytest.mark.parametrize(
    ("vr", "keyword", "text", "expected"),
    [
        ("IS", "SeriesNumber", "901", "901"),
        ("DS", "SliceThickness", "2.5", "2.5"),
        ("DA", "StudyDate", "20260102", "20260102"),
        ("US", "SeriesNumber", 3, 3),
        ("CS", "ImageType", "DERIVED\\SECONDARY", ["DERIVED", "SECONDARY"]),
        ("CS", "ImageType", ["DERIVED", "SECONDARY"], ["DERIVED", "SECONDARY"]),
        ("LO", "PatientName", "Doe^Jane", "Doe^Jane"),
        ("US", "PregnancyStatus", "4", 4),
    ],
)
def test_values_become_what_the_tag_takes(declared, vr, keyword, text, expected):
    path = declared(f'p = {{ type = "{vr}" }}', f'{keyword} = {{ parameter = "p" }}')
    assert value(path, keyword, p=text) == expected


@pytest.mark.parametrize(
    ("vr", "keyword", "given", "expected"),
    [
        ("LO", "StudyDescription", "x" * 70, "70 characters, LO holds 64"),
        ("DA", "StudyDate", "20260230", "there is no such day"),
        ("IS", "SeriesNumber", "abc", "parameter p: SeriesNumber"),
        ("US", "PregnancyStatus", "many", "is not a number"),
        ("LO", "StudyID", "x" * 20, "20 characters, SH holds 16"),
        ("CS", "StudyDescription", "lower case", "parameter p: StudyDescription"),
    ],
)
def test_values_that_are_wrong(declared, vr, keyword, given, expected):
    path = declared(f'p = {{ type = "{vr}" }}', f'{keyword} = {{ parameter = "p" }}')
    (text,) = refused(value, path, keyword, p=given)
    assert expected in text
    assert text.startswith(f"{path}:5: ")


def test_a_required_one_that_is_missing(declared):
    path = declared('label = { type = "LO" }', 'StudyDescription = { parameter = "label" }')
    (text,) = refused(value, path, lable="x")
    assert text == (
        f"{path}:5: StudyDescription (0008,1030) needs the parameter label (LO), which has no default; lable is given, "
        "and there is no such parameter; give --kwarg label=..., in Python kwargs={'label': ...}"
    )


def test_a_name_that_is_nearly_one_is_warned_of(declared):
    path = declared(
        'label = { type = "LO", default = "none" }',
        'StudyDescription = { parameter = "label" }\nStudyID = { parameter = "label" }',
        head='schema = 1\nextends = ["mr-image"]',
    )
    series = DicomFactory().build(volume(), load_blueprint(path), kwargs={"labels": "x"})
    assert list(series.warnings).count("labels is given, and is no parameter; did you mean label?") == 1


def test_all_missing_ones_are_told_at_once(declared):
    path = declared(
        'a = { type = "LO" }\nb = { type = "SH" }',
        'StudyDescription = { parameter = "a" }\nStudyID = { parameter = "b" }',
        head='schema = 1\nextends = ["mr-image"]',
    )
    texts = refused(DicomFactory().build, volume(), load_blueprint(path))
    assert ["parameter a" in texts[0], "parameter b" in texts[1]] == [True, True]


def test_inside_items_defaults_and_private_elements(declared):
    path = declared(
        'code = { type = "SH", default = "1" }\nnote = { type = "LO", default = "n" }',
        """
ProcedureCodeSequence = { sequence = [ { CodeValue = { parameter = "code" } } ] }
StudyDescription = { copy-or-else = { parameter = "note" } }
"ACME 1.0:(0099,xx01)" = { parameter = "note" }
""",
        head='schema = 1\nextends = ["mr-image"]',
    )
    series = DicomFactory().build(volume(), load_blueprint(path), kwargs={"code": "7", "note": "given"})
    assert series[0].ProcedureCodeSequence[0].CodeValue == "7"
    assert series[0].StudyDescription == "given"
    assert series[0].private_block(0x99, "ACME 1.0")[1].value == "given"


def test_a_derived_file_gives_a_default(declared):
    declared(
        'label = { type = "LO", summary = "s" }',
        'StudyDescription = { parameter = "label" }',
        name="base.toml",
    )
    path = declared('label = { default = "mine" }', head='schema = 1\nextends = ["./base.toml"]')
    assert value(path) == "mine"


def test_types_that_do_not_agree(declared, blueprint_file):
    base = declared('p = { type = "LO" }', name="base.toml")
    path = declared('p = { type = "DS" }', head='schema = 1\nextends = ["./base.toml"]')
    (text,) = refused(load_blueprint, path)
    assert text == f"{path}:4: parameter p is of type DS, and of type LO in {base}:3; give it one type"
    other = declared('p = { type = "DS" }', name="other.toml")
    both = blueprint_file(head='schema = 1\nextends = ["./base.toml", "./other.toml"]')
    (text,) = refused(load_blueprint, both)
    assert text.startswith(f"{both}:2: parameter p is of type LO in {base}:3, and of type DS in {other}:3")


@pytest.mark.parametrize(
    ("parameters", "rules", "line", "expected"),
    [
        ("p = 3", "", 3, "parameter p is not a table"),
        ("p = {}", "", 3, "parameter p has no type"),
        ('p = { type = "XX" }', "", 3, 'parameter p is of type "XX"'),
        ('p = { type = ["LO"] }', "", 3, "parameter p is of type ['LO']"),
        ('p = { type = "SQ" }', "", 3, 'parameter p is of type "SQ"'),
        ('p = { type = "LO", defualt = "x" }', "", 3, 'has no "defualt"; did you mean default?'),
        ('p = { type = "DA", default = "today" }', "", 3, "the default of parameter p = 'today'"),
        ('p = { type = "LO", default = true }', "", 3, "neither a text, a number nor a date"),
        ('p = { type = "LO", summary = 3 }', "", 3, "not one line of text"),
        ('"a b" = { type = "LO" }', "", 3, "cannot be the name of a parameter"),
        ("", 'StudyID = { parameter = "p" }', 4 + 1, 'there is no parameter "p"'),
        ("", "StudyID = { parameter = 3 }", 4 + 1, "parameter"),
        (
            'p = { type = "LO", default = "xxxxxxxxxxxxxxxxxxxx" }',
            'StudyID = { parameter = "p" }',
            5,
            "SH holds 16",
        ),
    ],
)
def test_declarations_that_are_wrong(declared, parameters, rules, line, expected):
    path = declared(parameters, rules)
    (text,) = refused(load_blueprint, path)
    assert expected in text
    assert text.startswith(f"{path}:{line}: ")


def test_a_parameter_that_only_a_derived_file_has_is_unknown_to_its_base(declared, blueprint_file):
    blueprint_file('StudyID = { parameter = "p" }', name="base.toml")
    path = declared('p = { type = "SH" }', head='schema = 1\nextends = ["./base.toml"]')
    assert 'there is no parameter "p"' in refused(load_blueprint, path)[0]


def lint(path, parents=None, **kwargs):
    return DicomFactory().lint(load_blueprint(path), parents, kwargs=kwargs)


@pytest.mark.parametrize("with_parents", [False, True])
def test_lint_takes_what_is_missing_as_given(declared, make_series, with_parents):
    path = declared(
        'sex = { type = "CS" }\nlabel = { type = "LO" }',
        'PatientSex = { parameter = "sex" }\nSeriesDescription = { parameter = "label" }',
        head='schema = 1\nextends = ["mr-image"]',
    )
    parents = make_series("MR", shape=(3, 4, 5)) if with_parents else None
    found = lint(path, parents)
    assert [one.message for one in found if one.severity == "error"] == []
    notes = sorted(str(one) for one in found if one.kind == "parameter")
    assert notes[0].startswith(f"{path}:4: note: the parameter sex (CS) has no default")
    assert len(notes) == 2
    wrong = [one for one in lint(path, parents, sex="X", label="x") if one.severity == "error"]
    assert [(one.keyword, one.kind, one.origin) for one in wrong] == [
        ("PatientSex", "enumerated", f"{path}:7")
    ]
    assert [one.kind for one in lint(path, parents, sex="M", label="x" * 99) if one.severity == "error"] == [
        "value"
    ]


def test_a_default_is_linted(declared):
    path = declared(
        'sex = { type = "CS", default = "X" }',
        'PatientSex = { parameter = "sex" }',
        head='schema = 1\nextends = ["mr-image"]',
    )
    assert [(one.keyword, one.kind) for one in lint(path) if one.severity == "error"] == [
        ("PatientSex", "enumerated")
    ]


def test_derived_uids_follow_the_value(declared):
    path = declared(
        'label = { type = "LO", default = "a" }',
        'SeriesDescription = { parameter = "label" }',
        head='schema = 1\nextends = ["mr-image"]',
    )

    def uid(**kwargs):
        series = DicomFactory().build(volume(), Blueprint.load(path), uids="derived", kwargs=kwargs)
        return series[0].SOPInstanceUID

    assert uid() == uid()
    assert uid(label="b") != uid(label="c")


@pytest.mark.parametrize("with_parents", [False, True])
def test_lint_sees_parameters_inside_rules(declared, make_series, with_parents):
    path = declared(
        'label = { type = "LO" }\nother = { type = "SH" }',
        'SeriesDescription = { copy-or-else = { parameter = "label" } }\n'
        'StudyID = { copy-or-else = { parameter = "other" }, only-if = { Modality = "MR" } }',
        head='schema = 1\nextends = ["mr-image"]',
    )
    found = lint(path, make_series("MR", shape=(3, 4, 5)) if with_parents else None)
    assert [one.message for one in found if one.severity == "error"] == []
    assert sum(one.kind == "parameter" for one in found) == 2


@pytest.mark.parametrize("name", ["label", "tag", "origin", "final", "vr"])
def test_values_count_in_derived_uids_whatever_the_name(declared, name):
    path = declared(f'{name} = {{ type = "LO" }}', f'StudyDescription = {{ parameter = "{name}" }}')
    blueprint = load_blueprint("mr-image") + load_blueprint(path)
    built = [
        DicomFactory().build(volume(), blueprint, uids="derived", kwargs={name: text})
        for text in ("one", "two", "two")
    ]
    found = {series[0].SOPInstanceUID for series in built}
    assert len(found) == 2


def test_a_name_in_other_letters_is_told(declared):
    path = declared('label = { type = "LO" }', 'StudyDescription = { parameter = "label" }')
    assert "Label is given, and there is no such parameter" in refused(value, path, Label="x")[0]
