from __future__ import annotations

import os
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.uid import UID

from dicomwright import Level, SeriesEnvironment, StaticElement
from dicomwright.blueprint.values import check_value
from dicomwright_elements.hash_id import HashElement
from dicomwright_elements.keys import digest, read_key

RULE = '{ hash-id = "env:SITE_KEY" }'


@pytest.mark.usefixtures("key")
def test_the_same_for_the_same_value_in_every_tag_and_build(values):
    parents = {"PatientID": ["4711"], "StudyID": ["4711"]}
    first = values("PatientID", RULE, parents=parents)
    assert first == values("StudyID", RULE, parents=parents)
    assert first == values(
        "StudyDescription", '{ hash-id = "env:SITE_KEY", from = "PatientID" }', parents=parents
    )
    assert re.fullmatch("[A-Z2-7]{16}", first[0])
    assert first != values("PatientID", RULE, parents={"PatientID": ["4712"]})


def test_another_key_gives_another_pseudonym(values, monkeypatch):
    found = set()
    for key in ("one key of 16 bytes", "two keys, 16 bytes"):
        monkeypatch.setenv("SITE_KEY", key)
        found.add(values("PatientID", RULE, parents={"PatientID": ["4711"]})[0])
    assert len(found) == 2


def test_a_key_from_a_file(values, tmp_path, key):
    file = tmp_path / "site.key"
    file.write_text(f"{key}\n", encoding="utf-8")
    rule = f'{{ hash-id = "file:{file}" }}'
    parents = {"PatientID": ["4711"]}
    assert values("PatientID", rule, parents=parents) == values("PatientID", RULE, parents=parents)


@pytest.mark.usefixtures("key")
def test_prefix_and_length(values):
    rule = '{ hash-id = "env:SITE_KEY", prefix = "SITE-", length = 10 }'
    assert re.fullmatch("SITE-[A-Z2-7]{10}", values("PatientID", rule)[0])
    short = values("StudyID", '{ hash-id = "env:SITE_KEY", prefix = "ABCD" }', parents={"StudyID": ["5"]})[0]
    assert re.fullmatch("ABCD[A-Z2-7]{12}", short)


@pytest.mark.usefixtures("key")
def test_uids_are_uids(values):
    found = values("FrameOfReferenceUID", RULE)
    assert len(set(found)) == 1
    assert UID(found[0]).is_valid
    assert found[0].startswith("2.25.")


@pytest.mark.usefixtures("key")
def test_each_instance_by_its_paired_parent(series):
    rule = 'ImageComments = { hash-id = "env:SITE_KEY", from = "AcquisitionNumber", of = "copy-instance", vr = "LT" }'
    with pytest.raises(Exception, match="VR LT"):
        series(rule, parents={"AcquisitionNumber": [1, 2, 1]})
    rule = 'ContentLabel = { hash-id = "env:SITE_KEY", from = "AcquisitionNumber", of = "copy-instance" }'
    first, second, third = (
        one.ContentLabel for one in series(rule, parents={"AcquisitionNumber": [1, 2, 1]})
    )
    assert first == third != second


@pytest.mark.usefixtures("key")
def test_empty_ones_of_several_values_stay_so(series):
    (found, *_) = series(f"SoftwareVersions = {RULE}", parents={"SoftwareVersions": [["", "A", ""]]})
    first, second, third = found.SoftwareVersions
    assert (first, len(second), third) == ("", 16, "")


@pytest.mark.usefixtures("key")
def test_absent_and_empty_stay_so(values):
    rule = '{ hash-id = "env:SITE_KEY", of = { copy = "optional" } }'
    assert values("StudyDescription", rule, parents={"StudyDescription": [None]}) == [None] * 3
    assert values("StudyDescription", rule, parents={"StudyDescription": [""]}) == [""] * 3


def test_without_a_key_it_refuses(refusal, monkeypatch, tmp_path):
    monkeypatch.delenv("SITE_KEY", raising=False)
    assert "the environment variable SITE_KEY is not set; give the key" in refusal("PatientID", RULE)
    monkeypatch.setenv("SITE_KEY", "short")
    text = refusal("PatientID", RULE)
    assert "has 5 bytes, fewer than the 16" in text
    assert "short" not in text
    assert "cannot be read: No such file" in refusal("PatientID", f'{{ hash-id = "file:{tmp_path}/no" }}')
    assert "not a regular file" in refusal("PatientID", f'{{ hash-id = "file:{tmp_path}" }}')
    os.mkfifo(tmp_path / "fifo")
    assert "not a regular file" in refusal("PatientID", f'{{ hash-id = "file:{tmp_path}/fifo" }}')
    (tmp_path / "large").write_bytes(b"x" * 5000)
    assert "more than 4096" in refusal("PatientID", f'{{ hash-id = "file:{tmp_path}/large" }}')


@pytest.mark.parametrize(
    ("keyword", "rule", "expected"),
    [
        ("PatientID", '{ hash-id = "geheim" }', "the key itself never stands in a blueprint"),
        ("PatientID", '{ hash-id = "env:1A" }', "neither env:NAME nor file:/PATH"),
        ("PatientID", '{ hash-id = "file:key" }', "begins with / or ~/"),
        ("PatientID", '"hash-id"', 'write { hash-id = "env:SITE_KEY" }'),
        ("PatientID", '{ hash-id = "env:A", length = 7 }', "at least 8"),
        ("PatientID", '{ hash-id = "env:A", length = 53 }', "at most 52"),
        ("PatientID", '{ hash-id = "env:A", length = "8" }', "not a whole number"),
        ("StudyID", '{ hash-id = "env:A", prefix = "123456789" }', "at least 8"),
        ("StudyID", '{ hash-id = "env:A", prefix = "1", length = 16 }', "SH holds 16"),
        ("PatientID", '{ hash-id = "env:A", prefix = "a\\\\b" }', "PatientID"),
        ("FrameOfReferenceUID", '{ hash-id = "env:A", prefix = "1" }', "neither prefix nor length"),
        ("StudyDate", '{ hash-id = "env:A" }', "StudyDate (0008,0020) has VR DA, and hash-id makes"),
    ],
)
def test_what_is_wrong(problems, keyword, rule, expected):
    assert expected in "\n".join(problems(f"{keyword} = {rule}"))


def test_neither_element_nor_explanation_has_the_key(blueprint, key):
    element = blueprint(f"PatientID = {RULE}")["PatientID"]
    assert element.level is Level.SERIES
    element.inputs = (StaticElement("PatientID", "LO", "4711"),)
    element.resolve(SeriesEnvironment())
    assert key not in f"{vars(element)} {element.rule()} {element!r}"
    assert "env:SITE_KEY" in element.rule()


@pytest.mark.usefixtures("key")
def test_accents_in_two_spellings_are_one_name():
    one, two = (digest(read_key("env:SITE_KEY"), "id", text) for text in ("Jos\xe9", "Jose\u0301 "))
    assert one == two


@given(st.text(min_size=1, max_size=64).filter(lambda text: text.strip(" \0")))
def test_every_text_gives_a_legal_value(text):
    os.environ["SITE_KEY"] = "a key for tests, and no secret"
    for keyword, vr in (
        ("PatientID", "LO"),
        ("StudyID", "SH"),
        ("StudyInstanceUID", "UI"),
        ("Modality", "CS"),
        ("PatientName", "PN"),
    ):
        made = HashElement(keyword, vr, StaticElement("PatientComments", "LT", text), "env:SITE_KEY")
        value = made.resolve(SeriesEnvironment())
        assert not check_value(made.tag, vr, value)
        assert text not in value or len(text) < 3
