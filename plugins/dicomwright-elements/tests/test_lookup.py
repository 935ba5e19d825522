from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicomwright import SeriesEnvironment, StaticElement
from dicomwright_elements.lookup import LookupElement

CSV = "code,meaning\nM,male\nF,female\n"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("sexes.csv", CSV),
        ("sexes.csv", CSV.replace(",", ";")),
        ("sexes.csv", "\ufeff" + CSV.replace(",", "\t").replace("\n", "\r\n")),
        ("sexes.csv", 'code,meaning\nM,"male"\n\n F , female \n'),
        ("sexes.toml", 'M = "male"\nF = "female"'),
        ("sexes.json", '{"M": "male", "F": "female"}'),
    ],
)
def test_tables(values, name, content):
    rule = f'{{ lookup = "{name}", from = "PatientSex" }}'
    assert values("PatientComments", rule, {name: content}, {"PatientSex": ["F"]}) == ["female"] * 3


def test_a_table_in_the_rule(values):
    rule = '{ lookup = { M = "male" }, from = "PatientSex" }'
    assert values("PatientComments", rule, parents={"PatientSex": ["M"]}) == ["male"] * 3


def test_columns_by_name(values):
    files = {"t.csv": "id,short,long\n1,CT1,Scanner one\n2,CT2,Scanner two\n"}
    rule = '{ lookup = "t.csv", key = "short", value = "long" }'
    assert values("StationName", rule, files, {"StationName": ["CT2"]}) == ["Scanner two"] * 3


def test_each_instance_by_its_paired_parent(series):
    rule = '{ lookup = { 1 = "first", 2 = "second", 3 = "last" }, from = "AcquisitionNumber", of = "copy-instance" }'
    made = series(f"ImageComments = {rule}", parents={"AcquisitionNumber": [2, 3, 1]})
    assert [one.ImageComments for one in made] == ["second", "last", "first"]
    assert made.explain().of("ImageComments")[0].level == "instance"


def test_a_value_that_differs_is_an_error_without_it(refusal):
    text = refusal(
        "ImageComments",
        '{ lookup = { "1" = "x" }, from = "AcquisitionNumber" }',
        parents={"AcquisitionNumber": [1, 2, 3]},
    )
    assert "differs between the instances" in text


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        ('default = "?"', "?"),
        ('default = ""', ""),
        ("default = { copy = 'required' }", "O"),
        ('default = { template = "{PatientID}", of = { PatientID = { static = "7" } } }', "7"),
    ],
)
def test_what_the_table_does_not_have(values, option, expected):
    rule = f'{{ lookup = {{ M = "male" }}, from = "PatientSex", {option} }}'
    if "copy" in option:
        rule = f'{{ lookup = {{ M = "F" }}, {option} }}'
        assert values("PatientSex", rule, parents={"PatientSex": ["O"]}) == [expected] * 3
    else:
        assert values("PatientComments", rule, parents={"PatientSex": ["O"]}) == [expected] * 3


def test_without_a_default_it_is_an_error_that_does_not_quote_the_patient(refusal):
    text = refusal(
        "PatientComments", '{ lookup = { A = "x" }, from = "PatientID" }', parents={"PatientID": ["secret7"]}
    )
    assert "has a value that the table does not have" in text
    assert "give a default" in text
    assert "secret7" not in text


def test_upper_and_lower_case(values):
    rule = '{ lookup = { Thorax = "chest" }, from = "StudyDescription", ignore-case = true }'
    assert values("PatientComments", rule, parents={"StudyDescription": ["THORAX "]}) == ["chest"] * 3


def test_several_values_each_by_itself(values):
    rule = '{ lookup = { a = "A", b = "B" } }'
    found = values(
        "ImageComments", '{ lookup = { "1" = "one" }, from = "EchoNumbers" }', parents={"EchoNumbers": [1]}
    )
    assert found == ["one"] * 3
    assert values("OtherPatientNames", rule, parents={"OtherPatientNames": [["a", "b"]]})[0] == "[A, B]"


def test_empty_ones_of_several_values_stay_so(values):
    rule = '{ lookup = { A = "x" } }'
    assert (
        values("SoftwareVersions", rule, parents={"SoftwareVersions": [["", "A", ""]]})
        == ["['', 'x', '']"] * 3
    )


def test_absent_and_empty_stay_so(values):
    rule = '{ lookup = { A = "x" }, of = { copy = "optional" } }'
    assert values("StudyDescription", rule, parents={"StudyDescription": [None]}) == [None] * 3
    assert values("StudyDescription", rule, parents={"StudyDescription": [""]}) == [""] * 3


@pytest.mark.parametrize(
    ("rule", "files", "expected"),
    [
        ('{ lookup = "none.csv" }', {}, "none.csv"),
        ('{ lookup = "../x.csv" }', {}, "../x.csv"),
        ('{ lookup = "t.txt" }', {"t.txt": "a"}, "name a .csv, .toml or .json file"),
        ('{ lookup = "t.csv" }', {"t.csv": ""}, "names of its columns"),
        ('{ lookup = "t.csv" }', {"t.csv": "one\n"}, "names of its columns"),
        ('{ lookup = "t.csv" }', {"t.csv": "a,a\n1,2\n"}, "no two the same"),
        ('{ lookup = "t.csv" }', {"t.csv": "a,b\n1,2,3\n"}, "t.csv:2: the row has 3 cells, and the header 2"),
        ('{ lookup = "t.csv" }', {"t.csv": 'a,b\n"1,2\n'}, "not CSV"),
        ('{ lookup = "t.csv" }', {"t.csv": b"a,b\n\xff,2\n"}, "not UTF-8 at byte 4"),
        ('{ lookup = "t.csv" }', {"t.csv": "a,b\n1,x\n1,y\n"}, 't.csv:3: "1" has two values'),
        ('{ lookup = "t.csv", value = "c" }', {"t.csv": "a,b\n1,x\n"}, 'no column "c"; it has a, b'),
        ('{ lookup = "t.csv" }', {"t.csv": "a,b\n1,12345678901234567\n"}, "t.csv:2: StudyID"),
        ('{ lookup = "t.json" }', {"t.json": '{"a": 1, "a": 2}'}, "stands twice"),
        ('{ lookup = "t.json" }', {"t.json": "[1]"}, "no table of keys and values"),
        ('{ lookup = "t.json" }', {"t.json": "[" * 100_000}, "nested too deeply"),
        ('{ lookup = "t.json" }', {"t.json": '{"a": {"b": 1}}'}, "neither a text"),
        ('{ lookup = "t.toml", key = "a" }', {"t.toml": "a = 1"}, "of CSV files"),
        ('{ lookup = { a = "b" }, key = "a" }', {}, "of CSV files"),
        ('{ lookup = { a = "b" }, from = "Patientid" }', {}, "from"),
        ("{ lookup = 3 }", {}, "lookup is 3, not a text or a table"),
        ('"lookup"', {}, 'write { lookup = "sexes.csv" }'),
        ('{ lookup = { a = "b" }, defalt = 1 }', {}, "did you mean default?"),
        ('{ lookup = { a = "b" }, ignore-case = "yes" }', {}, "not true or false"),
    ],
)
def test_what_is_wrong(problems, rule, files, expected):
    assert expected in "\n".join(problems(f"StudyID = {rule}", files))


@given(
    st.dictionaries(
        st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1),
        st.text("abc", min_size=1),
        min_size=1,
    )
)
def test_every_key_gives_its_value(table):
    for key, value in table.items():
        source = StaticElement("PatientComments", "LT", key)
        element = LookupElement("PatientComments", "LT", source, table)
        assert element.resolve(SeriesEnvironment()) == value
