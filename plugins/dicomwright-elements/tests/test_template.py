from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicomwright import SeriesEnvironment, StaticElement
from dicomwright.errors import BlueprintError
from dicomwright_elements.template import Place, TemplateElement

PARENTS = {
    "PatientName": ["Doe^Jane^Q^Dr^PhD=\u5c71\u7530^\u592a\u90ce"],
    "SpecificCharacterSet": ["ISO_IR 192"],
    "PatientID": ["4711"],
    "StudyDate": ["20240305"],
    "ImageType": [["DERIVED", "PRIMARY", "M"]],
    "AcquisitionNumber": [1, 2, 3],
}


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{PatientID}", "4711"),
        ("ID {PatientID} of {StudyDate.day}.{StudyDate.month}.{StudyDate.year}", "ID 4711 of 05.03.2024"),
        ("{PatientName.given} {PatientName.family}", "Jane Doe"),
        ("{PatientName.prefix} {PatientName.middle}, {PatientName.suffix}", "Dr Q, PhD"),
        ("{ImageType.3}/{ImageType.1}", "M/DERIVED"),
        ("{{{PatientID}}}", "{4711}"),
        ("no places", "no places"),
    ],
)
def test_places(values, template, expected):
    assert values("StudyDescription", f'{{ template = "{template}" }}', parents=PARENTS) == [expected] * 3


def test_rules_for_places(series):
    of = '{ AcquisitionNumber = "copy-instance", InstanceNumber = { instance = "instance-number" } }'
    rule = f'ImageComments = {{ template = "{{PatientID}}: {{AcquisitionNumber}}/{{InstanceNumber}}", of = {of} }}'
    made = series(rule, parents=PARENTS)
    assert [one.ImageComments for one in made] == ["4711: 1/1", "4711: 2/2", "4711: 3/3"]


def test_known_values_of_all_instances_are_a_column(series):
    rule = (
        'ImageComments = { template = "{AcquisitionNumber}!", of = { AcquisitionNumber = "copy-instance" } }'
    )
    made = series(rule, parents=PARENTS)
    (part,) = (part for part in made._plan.parts if part.tag == 0x00204000)
    assert type(part).__name__ == "Column"


def test_a_constant_text_costs_nothing_per_instance(series):
    made = series('StudyDescription = { template = "{PatientID}" }', parents=PARENTS)
    (part,) = (part for part in made._plan.parts if part.tag == 0x00081030)
    assert type(part).__name__ == "Fixed"


@pytest.mark.parametrize(
    ("parents", "expected"),
    [({"StudyID": [None]}, "study ?"), ({"StudyID": [""]}, "study ?"), ({"StudyID": ["5"]}, "study 5")],
)
def test_missing_values(values, parents, expected):
    rule = '{ template = "study {StudyID}", missing = "?" }'
    assert values("StudyDescription", rule, parents=parents) == [expected] * 3


@pytest.mark.parametrize(
    ("keyword", "rule", "parents", "expected"),
    [
        (
            "StudyDescription",
            '{ template = "{StudyID}" }',
            {"StudyID": [None]},
            "StudyID (0020,0010) is missing",
        ),
        (
            "StudyDescription",
            '{ template = "{StudyID}" }',
            {"StudyID": [""]},
            "needs StudyID, which has no value",
        ),
        ("StudyDescription", '{ template = "{PatientName.given}" }', {"PatientName": ["Doe"]}, "(its given)"),
        ("StudyDescription", '{ template = "{ImageType}" }', PARENTS, "has 3 values; write {ImageType.1}"),
        ("StudyID", '{ template = "{PatientID}" }', {"PatientID": ["1" * 17]}, "SH holds 16"),
        ("Modality", '{ template = "{PatientID}" }', {"PatientID": ["abc"]}, "use capitals"),
        (
            "StudyDescription",
            '{ template = "{PatientComments}" }',
            {"PatientComments": ["a\\b"]},
            "become several values",
        ),
        ("PatientName", '{ template = "{PatientID}" }', {"PatientID": ["a^b"]}, "other name components"),
        (
            "StudyDescription",
            '{ template = "{AcquisitionNumber}" }',
            PARENTS,
            "differs between the instances",
        ),
    ],
)
def test_refusals(refusal, keyword, rule, parents, expected):
    assert expected in refusal(keyword, rule, parents=parents)


def test_a_whole_name_keeps_its_components(values):
    assert values("PatientName", '{ template = "{PatientName}" }', parents=PARENTS)[0].startswith(
        "Doe^Jane^Q"
    )


def test_texts_of_any_script_are_declared(series):
    made = series(
        'StudyDescription = { template = "{PatientID} \u5c71" }',
        parents={"PatientID": ["J\xf6rg"], "SpecificCharacterSet": ["ISO_IR 100"]},
    )
    assert made[0].StudyDescription == "J\xf6rg \u5c71"
    assert made[0].SpecificCharacterSet == "ISO_IR 192"


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ('{ template = "{PatientID.__class__}" }', "cannot be read from character 1"),
        ('{ template = "{PatientID!r}" }', "cannot be read from character 1"),
        ('{ template = "{PatientID:>10}" }', "cannot be read from character 1"),
        ('{ template = "{PatientID[0]}" }', "cannot be read from character 1"),
        ('{ template = "a {" }', "from character 3"),
        ('{ template = "a }" }', "write {{ and }}"),
        ('{ template = "{}" }', "a place is {Keyword}"),
        ('{ template = "{0}" }', "a place is {Keyword}"),
        ('{ template = "{PatientID.first}" }', "names no part"),
        ('{ template = "{PatientI}" }', "did you mean PatientID"),
        ('{ template = "{PatientID.year}" }', "{PatientID.year} in the template: PatientID is no date"),
        ('{ template = "{StudyID.family}" }', "StudyID is no name of a person"),
        ('{ template = "{PatientID}", of = { StudyID = "copy" } }', "which is not in the template"),
        ('{ template = "{PatientID}", of = { PatientID = "copie" } }', "did you mean copy"),
        ('{ template = "{PatientID}", of = "copy" }', "not a table"),
        (f'{{ template = "{"a" * 1001}" }}', "more than 1000"),
        ('"template"', "write { template ="),
    ],
)
def test_what_is_wrong(problems, rule, expected):
    assert expected in "\n".join(problems(f"StudyDescription = {rule}"))


def test_a_tag_of_another_kind(problems):
    assert "StudyDate (0008,0020) has VR DA" in problems('StudyDate = { template = "{PatientID}" }')[0]


@given(st.text(st.characters(codec="utf-8"), max_size=30), st.sampled_from(["LO", "PN", "LT"]))
def test_what_is_inserted_never_becomes_more_than_one_value_or_component(text, vr):
    tag = {"LO": "StudyDescription", "PN": "PatientName", "LT": "PatientComments"}[vr]
    source = StaticElement("PatientComments", "LT", text)
    element = TemplateElement(
        tag, vr, ["A^B " if vr == "PN" else "", Place(0, "PatientComments")], [source], "-"
    )
    made = ""
    with contextlib.suppress(BlueprintError):
        made = element.resolve(SeriesEnvironment())
    assert made or "\\" in text or "^" in text or "=" in text
    assert vr == "LT" or "\\" not in made
    assert not made or vr != "PN" or (made.count("^"), made.count("=")) == (1, 0)


@pytest.mark.parametrize(("text", "year", "month"), [("1999.12.31", "1999", "12"), ("2024+0100", "2024", "")])
def test_parts_of_dates_as_files_have_them(text, year, month):
    assert Place(0, "AcquisitionDateTime", "year").of(text) == year
    assert Place(0, "AcquisitionDateTime", "month").of(text) == month


@pytest.mark.parametrize(
    "rule",
    [
        '{ template = "{PatientComments} and more", of = { PatientComments = "copy-instance" } }',
        '{ regex = "A", with = "Aaaaaaaaaaaaaaaaaa", from = "PatientComments" }',
        '{ first-of = [ "copy-instance", { template = "{PatientComments} and more" } ] }',
        '{ when = { Modality = "MR" }, then = { template = "{PatientComments} and more" } }',
    ],
)
def test_a_result_that_its_tag_may_not_have_is_not_quoted(refusal, rule):
    parents = {"PatientComments": ["CANARY CANARY"], "StudyID": ["", "", ""]}
    text = refusal("StudyID", rule, parents=parents)
    assert "SH holds 16 (PS3.5 §6.2); shorten it" in text
    assert "CANARY" not in text
