from __future__ import annotations

import pytest

from dicomwright import Level


@pytest.mark.parametrize(
    ("keyword", "rule", "expected"),
    [
        ("AcquisitionNumber", '"counter"', ["1", "2", "3"]),
        ("AcquisitionNumber", "{ counter = 10, step = -5 }", ["10", "5", "0"]),
        ("ImageComments", "{ counter = 8, step = 2, width = 3 }", ["008", "010", "012"]),
        ("ImageComments", '{ counter = -1, width = 2, prefix = "n" }', ["n-01", "n00", "n01"]),
        ("TemporalPositionIdentifier", "{ counter = 0 }", ["0", "1", "2"]),
        ("TriggerTime", "{ counter = 0, step = 40 }", ["0", "40", "80"]),
    ],
)
def test_counter(values, keyword, rule, expected):
    assert [one or "0" for one in values(keyword, rule)] == expected


def test_a_counter_is_a_column(series):
    made = series('ImageComments = { counter = 1, prefix = "no " }')
    (part,) = (part for part in made._plan.parts if part.tag == 0x00204000)
    assert type(part).__name__ == "Column"
    (row,) = made.explain().of("ImageComments")
    assert (row.value, row.level, row.rule) == (
        "no 1",
        "instance",
        "no 1, no 2, ... from instance to instance",
    )
    assert row.origin.endswith("site.toml:3")


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("AcquisitionNumber = { counter = 1, width = 3 }", "a number (VR IS) has neither width nor prefix"),
        ("ImageComments = { counter = 1, step = 0 }", "step is 0"),
        ("ImageComments = { counter = 1, width = 65 }", "0 to 64"),
        ("ImageComments = { counter = 1.5 }", "counter is 1.5, not a whole number"),
        ("StudyDate = { counter = 1 }", "StudyDate (0008,0020) has VR DA"),
        ('Modality = { counter = 1, prefix = "a" }', "use capitals"),
        ("StudyID = { counter = 1, width = 17 }", "SH holds 16"),
    ],
)
def test_what_is_wrong_with_a_counter(problems, rule, expected):
    assert expected in "\n".join(problems(rule))


def test_a_number_that_grows_out_of_its_vr(refusal):
    assert "ImageIndex" in refusal("ImageIndex", "{ counter = 65535 }")


CSV = "code,scheme,meaning,version\nLIV,99SITE,Liver of the site,1\nDCM9,DCM,Own,\n"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ('"DCM:113076"', [("113076", "DCM", "Segmentation")]),
        ('"SCT:Liver"', [("10200004", "SCT", "Liver")]),
        ('["SCT:Liver", "SCT:10200004"]', [("10200004", "SCT", "Liver")] * 2),
        ('{ code = "1", scheme = "99X", meaning = "one" }', [("1", "99X", "one")]),
        ('[{ code = "1", scheme = "99X", meaning = "one" }]', [("1", "99X", "one")]),
        ('"99SITE:LIV", table = "codes.csv"', [("LIV", "99SITE", "Liver of the site")]),
        (
            '["DCM:DCM9", "UCUM:Millimeter"], table = "codes.csv"',
            [("DCM9", "DCM", "Own"), ("mm", "UCUM", "mm")],
        ),
    ],
)
def test_codes(series, data, expected):
    made = series(f"ProcedureCodeSequence = {{ code = {data} }}", {"codes.csv": CSV})
    items = [
        (one.CodeValue, one.CodingSchemeDesignator, one.CodeMeaning) for one in made[0].ProcedureCodeSequence
    ]
    assert items == expected


def test_long_codes_and_versions(series):
    data = '{ code = "12345678901234567", scheme = "99X", meaning = "long", version = "2" }'
    (item,) = series(f"ProcedureCodeSequence = {{ code = {data} }}")[0].ProcedureCodeSequence
    assert (item.LongCodeValue, item.CodingSchemeVersion) == ("12345678901234567", "2")
    assert "CodeValue" not in item


def test_codes_are_static_and_explained(blueprint):
    element = blueprint('ProcedureCodeSequence = { code = "DCM:113076" }')["ProcedureCodeSequence"]
    assert element.level is Level.STATIC
    assert element.rule() == "code 113076 (DCM, Segmentation)"
    assert {inner.origin.rpartition(":")[2] for item in element.blueprints for inner in item} == {"3"}


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ('"DCM:SegmentationImageDerivatio"', "did you mean DCM:SegmentationImageDerivation?"),
        ('"DCM:1"', 'DCM has no "1"'),
        ('"XYZ:1"', 'the scheme "XYZ" is in no table'),
        ('"113076"', "not written SCHEME:CODE"),
        ('":1"', "not written SCHEME:CODE"),
        ('{ code = "1", scheme = "99X" }', "a concept needs meaning"),
        ('{ code = 1, scheme = "99X", meaning = "x" }', "a concept needs code, a text"),
        ('{ code = "1", scheme = "99X", meaning = "x", cid = "7" }', "a concept has no cid"),
        ("[]", "code names no concept"),
        ("3", "code is 3, not a text"),
        ('{ code = "1", scheme = "12345678901234567", meaning = "x" }', "SH holds 16"),
        ('"99SITE:LIV", table = "bad.csv"', "bad.csv:2: a concept needs meaning"),
        ('"99SITE:LIV", table = "none.csv"', "none.csv"),
    ],
)
def test_what_is_wrong_with_a_code(problems, data, expected):
    files = {"bad.csv": "code,scheme,meaning\nLIV,99SITE,\n"}
    assert expected in "\n".join(problems(f"ProcedureCodeSequence = {{ code = {data} }}", files))


def test_a_code_is_for_sequences(problems):
    assert (
        "StudyID (0020,0010) has VR SH, and code makes SQ" in problems('StudyID = { code = "DCM:113076" }')[0]
    )


def test_a_meaning_that_is_too_long_for_its_tag(problems):
    (text,) = problems('ProcedureCodeSequence = { code = "SCT:413530006" }')
    assert "the meaning of SCT:413530006 has more than 64 characters; write out a shorter one" in text
