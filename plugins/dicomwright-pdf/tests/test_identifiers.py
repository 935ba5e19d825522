"""Patients are found however their names are written, and words of other people are not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicomwright import Blueprint, CopyElement, StaticElement
from dicomwright.parents import ParentSeries
from dicomwright_pdf.identifiers import Identifiers


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Müller^Jürgen", "Patient MÜLLER, Jürgen"),
        ("Müller^Jürgen", "Patient: Mueller"),
        ("Müller^Jürgen", "muller"),
        ("Strauß^Eva", "STRAUSS"),
        ("Sørensen^Ib", "Soerensen"),
        ("Sørensen^Ib", "Sorensen"),
        ("Hansen", "H a n s e n"),
        ("Smith-Jones^Anna", "Mrs Smith-Jones"),
        ("van der Berg^Jan", "Berg, Jan van der"),
        ("^Cher", "Cher"),
        ("Yamada^Tarou=山田^太郎=やまだ^たろう", "患者 山田 太郎"),
        ("Люксембург^Анна", "ЛЮКСЕМБУРГ"),
        ("قباني^لنزار", "ينابق"),
        ("Hong^Gildong=洪^吉洞=홍^길동", "환자: 홍길동"),
        ("Müller^Jürgen", "Mül\ufffeler"),  # as PDFium tells of a hyphen at the end of a line
        ("Müller^Jürgen", "M\u00fcl\u00adler"),
        ("Müller^Jürgen", "M\u200büller"),
        ("Smith-Jones^Anna", "Mrs Smith Jones"),
        ("Smith-Jones^Anna", "Mrs Smith\u2011Jones"),
        ("Smith-Jones^Anna", "Mrs Jones"),
        ("García López^Juan", "Sr. García"),
        ("O'Brien^Pat", "Mr O\u2019Brien"),
        ("O'Brien^Pat", "Mr OBrien"),
        ("Doe, Jane", "Mrs Doe"),
        ("DOE JANE", "Mrs Doe's liver"),
        ("Schaefer^Eva", "Frau Schäfer"),
        ("Yıldız^Ali", "YILDIZ"),
        ("Þór^Jón", "Thor"),
        ("Doe^Jane", "report_doe_1"),
    ],
)
def test_names(name, text):
    assert Identifiers(names=[name]).anywhere_in(text)


@pytest.mark.parametrize("text", ["", "Millers", "Mullerian duct", "page 1 of 2", "Jürgen"])
def test_other_words(text):
    assert not Identifiers(names=["Müller^Jürgen"]).anywhere_in(text)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Hong^Gildong=洪^吉洞=홍^길동", "홍조가 있다"),  # a syllable of another word
        ("van der Berg^Jan", "Beeld van de lever"),
        ("Do^Minh", "Anna Lee, D.O."),
        ("Ni^Hao", "A lesion in the liver"),
    ],
)
def test_words_that_share_something(name, text):
    assert not Identifiers(names=[name]).anywhere_in(text)


@pytest.mark.parametrize(
    "text",
    [
        "1980-02-17",
        "17.02.1980",
        "17.2.1980",
        "02/17/1980",
        "2/17/1980",
        "17/02/1980",
        "19800217",
        "17-2-1980",
        "17021980",
        "1 7 0 2 1 9 8 0",
        "1 7 . 0 2 . 1 9 8 0",
        "17 Feb 1980",
        "17FEB1980",
        "February 17th, 1980",
        "17. Februar 1980",
        "17 février 1980",
        "17 de febrero de 1980",
        "17.02.80",
        "1980年2月17日",
        "1980년 2월 17일",
        "١٧/٠٢/١٩٨٠",
    ],
)
def test_birth_dates(text):
    assert Identifiers(birth_dates=["19800217"]).anywhere_in(f"born {text}, seen today")
    assert not Identifiers(birth_dates=["19800218"]).anywhere_in(f"born {text}, seen today")


def test_a_page_that_is_made_to_take_long_does_not():
    assert not Identifiers(birth_dates=["19800217"]).anywhere_in("feb" * 300_000)


def test_numbers():
    found = Identifiers(numbers=["PID-0042", "7"])
    assert found.anywhere_in("ID: pid-0042")
    assert found.anywhere_in("ID:PID-0042/3")
    assert found.anywhere_in("P I D - 0 0 4 2")
    assert found.anywhere_in("PID 0042")
    assert Identifiers(numbers=["12345678"]).anywhere_in("MRN12345678")
    assert Identifiers(numbers=["12345678"]).anywhere_in("12-345-678")
    assert not Identifiers(numbers=["12345678"]).anywhere_in("912345678")
    assert found.anywhere_in("room 7")
    assert not found.anywhere_in("room 71, PID 42")


def test_nothing_known():
    assert not Identifiers()
    assert not Identifiers(names=["", "^^"], numbers=[""], birth_dates=["", "1980"])
    assert Identifiers(numbers=["1"])


@given(st.text(min_size=1, max_size=12), st.text(max_size=20))
def test_any_name_and_any_text(name, text):
    found = Identifiers(names=[name], numbers=[name])
    assert found.anywhere_in(text) in (True, False)
    if found and name.isalnum() and name.isascii():
        assert found.anywhere_in(f"{text} {name} {text}")


def test_of_parents_and_blueprint(make_series):
    other = {
        "OtherPatientIDsSequence": [],
        "PatientName": "Olsen^Kari",
        "PatientID": "P7777",
        "AccessionNumber": "A123",
    }
    series = make_series("CT", shape=(2, 3, 4), elements=other | {"PatientBirthDate": "19710503"})
    parents = ParentSeries(series)
    found = Identifiers.of(parents, Blueprint())
    for text in ("Olsen", "p7777", "A123", "3.5.1971"):
        assert found.anywhere_in(text), text
    copied = Blueprint([CopyElement("PatientName"), CopyElement("PatientID")])
    assert Identifiers.of(parents, copied).anywhere_in("Olsen")
    stated = Blueprint(
        [StaticElement("PatientName", "PN", "Berg^Liv"), StaticElement("PatientID", "LO", "X9999")]
    )
    assert Identifiers.of(None, stated).anywhere_in("Berg")
    assert Identifiers.of(None, stated).anywhere_in("x9999")
    assert not Identifiers.of(None, Blueprint())


def test_a_short_number_is_any_number_unless_it_is_the_patient_id(make_series):
    parents = ParentSeries(
        make_series("CT", shape=(1, 3, 4), elements={"AccessionNumber": "2", "PatientID": "31"})
    )
    found = Identifiers.of(parents, Blueprint())
    assert not found.anywhere_in("Page 2")
    assert found.anywhere_in("ID 31")
