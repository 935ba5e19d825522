"""`first-of` and `when`."""

from __future__ import annotations

import pytest

from dicomwright import Level


@pytest.mark.parametrize(
    ("rules", "parents", "expected"),
    [
        ('"copy", { static = "x" }', {"StudyID": ["5"]}, "5"),
        ('"copy", { static = "x" }', {"StudyID": [None]}, "x"),
        ('"copy", { static = "x" }', {"StudyID": [""]}, "x"),
        ('{ copy = "optional" }, { static = "x" }', {"StudyID": [None]}, "x"),
        ('{ lookup = { A = "a" } }, { static = "x" }', {"StudyID": ["B"]}, "x"),
        ('{ lookup = { A = "a" } }, { static = "x" }', {"StudyID": ["A"]}, "a"),
        (
            '{ lookup = { A = "a" }, from = "AccessionNumber" }, "copy", { static = "x" }',
            {"StudyID": ["7"], "AccessionNumber": ["B"]},
            "7",
        ),
        ('{ static = "" }, { static = "y" }', {}, "y"),
        ('"copy", { static = "" }', {"StudyID": [None]}, ""),
        ('{ keyed-index = "ids" }, { static = "y" }', {}, "y"),
    ],
)
def test_the_first_that_gives_a_value(values, rules, parents, expected):
    assert values("StudyID", f"{{ first-of = [ {rules} ] }}", parents=parents) == [expected] * 3


def test_nothing_left_is_what_the_last_says(values, refusal):
    parents = {"StudyDescription": [None]}
    assert values("StudyDescription", '{ first-of = [ "copy", "discard" ] }', parents=parents) == [None] * 3
    text = refusal("StudyDescription", '{ first-of = [ { copy = "optional" }, "copy" ] }', parents=parents)
    assert "missing in the parent series" in text


def test_an_illegal_value_is_no_value(values):
    with pytest.warns(UserWarning, match="maximum length"):
        found = values(
            "StudyID", '{ first-of = [ "copy", { static = "x" } ] }', parents={"StudyID": ["1" * 17]}
        )
    assert found == ["x"] * 3


def test_each_instance_has_its_own_first(series):
    first = '{ copy = "optional", when-varying = "paired" }'
    rule = f'ImageComments = {{ first-of = [ {first}, {{ counter = 1, prefix = "no " }} ] }}'
    made = series(rule, parents={"ImageComments": ["a", None, ""]})
    assert [one.ImageComments for one in made] == ["a", "no 2", "no 3"]


def test_a_value_that_differs_stays_an_error(refusal):
    rule = '{ first-of = [ "copy", { static = "1" } ] }'
    assert "differs between" in refusal("AcquisitionNumber", rule, parents={"AcquisitionNumber": [1, 2, 3]})


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ('Modality = "MR"', True),
        ('Modality = "CT"', False),
        ('Modality = ["CT", "MR"]', True),
        ("Modality = { in = ['CT', 'PT'] }", False),
        ("Modality = { equals = 'MR' }", True),
        ("Modality = true", True),
        ("StudyID = { present = false }", True),
        ("StudyID = true", False),
        ("PatientID = { matches = '^[0-9]+$' }", True),
        ("PatientID = { matches = 'x' }", False),
        ("AcquisitionNumber = 4", True),
        ("SliceThickness = 2.5", True),
        ("SliceThickness = '2.50'", True),
        ("SliceThickness = '2.5'", False),
        ("ImageType = 'PRIMARY'", True),
        ("ImageType = 'X'", False),
        ("RequestAttributesSequence = false", True),
        ('Modality = "MR", PatientID = "4711"', True),
        ('Modality = "MR", PatientID = "1"', False),
        ('"ACME:(0009,xx01)" = false', True),
    ],
)
def test_conditions(values, condition, holds):
    parents = {
        "StudyID": [""],
        "PatientID": ["4711"],
        "AcquisitionNumber": [4],
        "SliceThickness": ["2.50"],
        "ImageType": [["ORIGINAL", "PRIMARY"]],
    }
    rule = f'{{ when = {{ {condition} }}, then = {{ static = "yes" }}, else = {{ static = "no" }} }}'
    assert values("StudyDescription", rule, parents=parents) == ["yes" if holds else "no"] * 3


def test_without_an_else_the_tag_is_not_there(values):
    rule = '{ when = { Modality = "CT" }, then = { static = "x" } }'
    assert values("StudyDescription", rule) == [None] * 3


def test_only_the_rule_that_counts_is_asked(values):
    rule = '{ when = { Modality = "MR" }, then = { static = "x" }, else = "copy" }'
    assert values("StudyDescription", rule, parents={"StudyDescription": [None]}) == ["x"] * 3


def test_a_sequence_of_rules(series):
    made = series('ProcedureCodeSequence = { when = { Modality = "MR" }, then = { code = "DCM:113076" } }')
    assert made[0].ProcedureCodeSequence[0].CodeMeaning == "Segmentation"


def test_each_instance_by_its_paired_parent(series):
    rules = "then = { counter = 1 }, else = { static = 9 }"
    rule = f'{{ when = {{ AcquisitionNumber = 2 }}, when-varying = "paired", {rules} }}'
    made = series(f"TemporalPositionIdentifier = {rule}", parents={"AcquisitionNumber": [1, 2, 2]})
    assert [one.TemporalPositionIdentifier for one in made] == [9, 2, 3]


def test_a_condition_that_differs_is_an_error_without_it(refusal):
    rule = '{ when = { AcquisitionNumber = 2 }, then = { static = "x" } }'
    text = refusal("StudyDescription", rule, parents={"AcquisitionNumber": [1, 2, 2]})
    assert "AcquisitionNumber (0020,0012), which differs between the instances" in text
    assert 'when-varying = "paired"' in text


def test_without_a_parent_nothing_is_present(blueprint):
    from dicomwright import SeriesEnvironment

    (element,) = blueprint('StudyID = { when = { Modality = false }, then = { static = "a" } }')
    assert element.resolve(SeriesEnvironment()) == "a"
    assert element.level is Level.SERIES


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("{ first-of = [] }", "first-of is [], not a list of rules"),
        ('{ first-of = "copy" }', "not a list of rules"),
        ('{ first-of = [ "copi" ] }', "did you mean copy"),
        ('{ when = { Modality = "MR" } }', "a rule of type when needs then"),
        ('{ when = {}, then = "copy" }', "no condition"),
        ('{ when = { Modlity = "MR" }, then = "copy" }', "did you mean Modality"),
        ('{ when = { Modality = [] }, then = "copy" }', "no text, number"),
        ('{ when = { Modality = { is = "MR" } }, then = "copy" }', "one of equals, in, present, matches"),
        ('{ when = { Modality = { equals = "a", in = ["b"] } }, then = "copy" }', "equals and in"),
        ('{ when = { Modality = { present = "yes" } }, then = "copy" }', "neither true nor false"),
        ('{ when = { Modality = { matches = "(" } }, then = "copy" }', "missing )"),
        ('{ when = { Modality = { matches = 3 } }, then = "copy" }', "is no text"),
        ('{ when = { Modality = "MR" }, then = "copy", els = "copy" }', "did you mean else?"),
        ('{ when = { Modality = "MR" }, then = "copy", when-varying = "largest" }', '"error" or "paired"'),
    ],
)
def test_what_is_wrong(problems, rule, expected):
    assert expected in "\n".join(problems(f"StudyID = {rule}"))
