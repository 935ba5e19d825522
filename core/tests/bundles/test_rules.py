from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dicomwright.blueprint.copying import CopyElement, CopyOrElseElement, InstanceCopyElement
from dicomwright.blueprint.elements import (
    DiscardElement,
    FunctionalElement,
    IndexElement,
    KeyedIndexElement,
    SequenceElement,
    SeriesElement,
    StaticElement,
)
from dicomwright.blueprint.tags import PrivateTag
from dicomwright.bundles import load_blueprint
from dicomwright.errors import BlueprintError


@pytest.mark.parametrize(
    ("rule", "kind", "vr"),
    [
        ('StudyDescription = { static = "x" }', StaticElement, "LO"),
        ('SeriesInstanceUID = { series = "uid" }', SeriesElement, "UI"),
        ('SOPInstanceUID = { instance = "uid" }', FunctionalElement, "UI"),
        ('InstanceNumber = { instance = "instance-number" }', FunctionalElement, "IS"),
        ('StudyID = "copy"', CopyElement, None),
        ('StudyID = { copy = "required" }', CopyElement, None),
        ('StudyID = { copy-or-else = "" }', CopyOrElseElement, "SH"),
        ('StudyInstanceUID = { copy-or-else = { series = "uid" } }', CopyOrElseElement, "UI"),
        ('AcquisitionTime = "copy-instance"', InstanceCopyElement, None),
        ('OperatorsName = "discard"', DiscardElement, None),
        ("TriggerTime = { index = [0, 40, 80] }", IndexElement, "DS"),
        ('TriggerTime = { keyed-index = "times" }', KeyedIndexElement, "DS"),
        (
            'DerivationCodeSequence = { sequence = [ { CodeValue = { static = "1" } } ] }',
            SequenceElement,
            "SQ",
        ),
        ("DerivationCodeSequence = { sequence = [] }", SequenceElement, "SQ"),
        ('"(0008,1030)" = { static = "x" }', StaticElement, "LO"),
        ('SmallestImagePixelValue = { static = 3, vr = "SS" }', StaticElement, "SS"),
        ('"ACME 1.1:(0009,xx01)" = { static = "x", vr = "LO" }', StaticElement, "LO"),
    ],
)
def test_each_kind_of_rule(blueprint_of, rule, kind, vr):
    (element,) = blueprint_of(rule)
    assert type(element) is kind
    assert element.vr == vr
    assert element.origin.endswith("site.toml:3")


def test_optional_copy(blueprint_of):
    (element,) = blueprint_of('StudyID = { copy = "optional" }')
    assert element.optional


def test_private_tags_are_by_creator(blueprint_of):
    blueprint = blueprint_of('"ACME 1.1:(0009,xx01)" = { static = "x", vr = "LO" }')
    assert PrivateTag(0x0009, "ACME 1.1", 0x01) in blueprint


@pytest.mark.parametrize(
    ("rule", "value"),
    [
        ("StudyDate = { static = 2026-11-24 }", "20261124"),
        ("StudyTime = { static = 09:30:00 }", "093000"),
        ("AcquisitionDateTime = { static = 2026-11-24T09:30:00+01:00 }", "20261124093000+0100"),
        ('ImageType = { static = ["DERIVED", "PRIMARY"] }', ["DERIVED", "PRIMARY"]),
        ('ImageType = { static = "DERIVED\\\\PRIMARY" }', ["DERIVED", "PRIMARY"]),
        ("KVP = { static = 120.5 }", "120.5"),
        ('KVP = { static = "" }', None),
        ("SeriesNumber = { static = 7 }", "7"),
        ("RadiopharmaceuticalInformationSequence = { static = [] }", []),
    ],
)
def test_values_of_toml_become_values_of_dicom(blueprint_of, rule, value):
    (element,) = blueprint_of(rule)
    assert element.value == value or str(element.value) == value


def test_items_of_sequences_know_their_lines(blueprint_of):
    (element,) = blueprint_of(
        'DerivationCodeSequence = { sequence = [\n  { CodeValue = "copy" },\n  { CodeMeaning = "copy" },\n] }'
    )
    origins = [inner.origin.rpartition(":")[2] for item in element.blueprints for inner in item]
    assert origins == ["4", "5"]


def test_tables_and_dotted_keys_are_rules_too(blueprint_of):
    blueprint = blueprint_of(
        'StudyID.static = "1"\n[elements.PatientID]\ncopy-or-else = ""\n'
        '[[elements.DerivationCodeSequence.sequence]]\nCodeValue = { static = "1" }',
    )
    assert len(blueprint) == 3
    assert blueprint["DerivationCodeSequence"].blueprints[0]["CodeValue"].value == "1"


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ('PatientNam = "copy"', "did you mean PatientName"),
        ('PatientName = "copi"', "did you mean copy?"),
        ('PatientName = "Doe^Jane"', 'write { static = "Doe^Jane" }'),
        ("PatientName = 3", "write { static = 3 }"),
        ("PatientName = true", "neither a name nor a table"),
        ('PatientName = ["copy"]', "neither a name nor a table"),
        ("PatientName = {}", "names no element type"),
        ('PatientName = { vr = "PN" }', "names no element type"),
        ('PatientName = { statik = "x" }', "did you mean static?"),
        ('PatientName = { static = "x", copy = "optional" }', "2 kinds: "),
        ('PatientName = { static = "x", vrr = "PN" }', "did you mean vr?"),
        ('PatientName = { copy = "optional", when-varing = "omit" }', "did you mean when-varying?"),
        ('PatientName = { copy = "maybe" }', '"required" or "optional" or "usable"'),
        ('PatientName = { copy = "optional", when-varying = "else" }', '"omit"'),
        ('PatientName = { copy = "required", when-varying = "omit" }', "a required copy has no"),
        ('PatientName = { copy-or-else = "", when-unusable = "omit" }', '"else"'),
        ('PatientName = { copy-or-else = "", among = "M" }', "not a list of texts"),
        ("PatientName = { discard = 3 }", "discard takes nothing"),
        ('PatientName = "static"', "static needs a value"),
        ('PatientName = "copy-or-else"', "needs the other value"),
        ('PatientName = "series"', "series needs the name of a function"),
        ('PatientName = "index"', "needs a list"),
        ('PatientName = "keyed-index"', "needs a key"),
        ('DerivationCodeSequence = "sequence"', "needs a list of tables"),
        ('DerivationCodeSequence = { sequence = ["copy"] }', "not a list of tables"),
        ('DerivationCodeSequence = { static = { CodeValue = "1" } }', "write { sequence = [...] }"),
        ("PatientName = { sequence = [] }", "PN"),
        ('PatientName = { static = "x", vr = "LO" }', "PN"),
        ('PatientName = { static = "x", vr = 3 }', "vr is 3"),
        ("PatientName = { static = true }", "neither a text, a number"),
        ("ImageType = { static = [[1]] }", "neither a text, a number"),
        ("SmallestImagePixelValue = { static = 3 }", 'add vr = "US"'),
        ('"ACME:(0009,xx01)" = { static = "x" }', 'add vr = "LO"'),
        ('SeriesInstanceUID = { series = "uiid" }', "did you mean uid?"),
        ("SeriesInstanceUID = { series = 3 }", "not the name of a function"),
        ('InstanceNumber = { series = "instance-number" }', 'write { instance = "instance-number" }'),
        ('StudyDate = { static = "20260230" }', "no such day"),
        ('KVP = { static = "a" }', "KVP"),
        ('Modality = { static = "mr" }', "use capitals"),
        ("KVP = { static = nan }", "KVP"),
        ('StudyID = { static = "12345678901234567" }', "SH holds 16"),
        ('StudyID = { copy-or-else = "12345678901234567" }', "SH holds 16"),
        ('StudyInstanceUID = { copy-or-else = { series = "uuid" } }', "did you mean uid?"),
        ('PatientName = { static = "x", only-if = 3 }', "only-if is 3"),
        ('PatientName = { static = "x", only-if = { Modlity = "MR" } }', "did you mean Modality"),
        ('PatientName = { static = "x", only-if = { Modality = [] } }', "neither a value"),
        ('PatientName = { static = "x", only-if = { "A:(0009,xx01)" = true } }', "private"),
    ],
)
def test_what_is_wrong_with_a_rule(problems_of, rule, expected):
    problems = problems_of(rule)
    assert [line for line, _ in problems] == ["3"]
    assert expected in problems[0][1]


def test_all_problems_at_once_each_with_its_line(problems_of):
    problems = problems_of(
        'PatientNam = "copy"\n'
        'Modality = { static = "mr" }\n'
        'StudyID = { static = "1" }\n'
        "DerivationCodeSequence = { sequence = [\n"
        '  { CodeValu = "copy" },\n'
        '  { CodeValue = "copy", CodeMeaning = { static = 3 } },\n'
        "] }\n"
        'SeriesInstanceUID = { series = "guid" }',
        head="schema = 1\nsumary = ''",
    )
    assert [line for line, _ in problems] == ["2", "4", "5", "8", "9", "11"]


def test_one_tag_in_two_spellings(problems_of):
    problems = problems_of('PatientID = "copy"\n"(0010,0020)" = "discard"')
    assert [line for line, _ in problems] == ["4"]
    assert "has a rule already" in problems[0][1]


def test_rules_nested_without_end(problems_of):
    rule = "{ sequence = [ { ReferencedSeriesSequence = " * 20 + '"copy"' + " } ] }" * 20
    assert "nested too deeply" in problems_of(f"ReferencedSeriesSequence = {rule}")[0][1]


def test_control_characters_do_not_reach_the_message(problems_of):
    text = problems_of('PatientName = { "a\\u001b[31m" = 1 }')[0][1]
    assert "\x1b" not in text


def test_dates_of_toml_keep_their_meaning(blueprint_of):
    (element,) = blueprint_of("AcquisitionDateTime = { static = 2026-11-24 }")
    assert element.value == dt.date(2026, 11, 24).strftime("%Y%m%d")


NAMES = [
    "static",
    "series",
    "copy",
    "copy-or-else",
    "copy-instance",
    "instance",
    "discard",
    "sequence",
    "index",
]
ODD = [
    "''",
    "'uid'",
    "'a\\\\b'",
    "true",
    "-1",
    "99999999999999999999",
    "1e999",
    "nan",
    "1979-05-27",
    "07:32:00",
    "[]",
    "[[]]",
    "[{}]",
    "{}",
    "{ static = 1 }",
    "{ sequence = [ {} ] }",
    "[ { PatientName = 'copy' } ]",
    "'" + "é" * 70 + "'",
]
KEYWORDS = [
    "PatientName",
    "KVP",
    "PixelData",
    "Rows",
    "DerivationCodeSequence",
    "'(0009,1001)'",
    "'A:(0009,xx01)'",
]


@settings(max_examples=150)
@given(
    st.sampled_from(KEYWORDS),
    st.dictionaries(
        st.sampled_from([*NAMES, "vr", "only-if", "among", "when-varying"]), st.sampled_from(ODD), max_size=3
    ),
)
def test_any_value_anywhere_loads_or_is_refused(tmp_path_factory, keyword, rule):
    text = ", ".join(f"{name} = {value}" for name, value in rule.items())
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_text(f"schema = 1\n[elements]\n{keyword} = {{ {text} }}\n", encoding="utf-8")
    try:
        assert len(load_blueprint(path)) == 1
    except BlueprintError as error:
        assert {problem.loc for problem in error.problems} == {f"{path}:3"}  # noqa: PT017  # either end is right
