"""The character set that a dataset needs."""

from __future__ import annotations

import io

import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filereader import read_dataset
from pydicom.filewriter import write_dataset

from dicomwright.blueprint.charset import TEXT_VRS, check_encodable, choose_charset, texts_of

DANISH, RUSSIAN, JAPANESE, ARABIC = "Sørensen^Åge", "Жуков^Пётр", "Yamada^Tarou=山田^太郎", "قباني^لنزار"


@pytest.mark.parametrize(
    ("texts", "preferred", "charset"),
    [
        ([], (), None),
        (["Chest", "plain ~\\ ASCII"], (), None),
        (["Chest"], ["ISO_IR 100"], None),
        (["Chest"], ["ISO_IR 192"], None),
        ([DANISH], (), "ISO_IR 192"),
        ([DANISH], ["ISO_IR 100"], "ISO_IR 100"),
        ([DANISH], "ISO_IR 100", "ISO_IR 100"),
        (["Chest", RUSSIAN], ["ISO_IR 144"], "ISO_IR 144"),
        ([DANISH, RUSSIAN], ["ISO_IR 100"], "ISO_IR 192"),
        ([DANISH, RUSSIAN], ["ISO_IR 144"], "ISO_IR 192"),
        ([ARABIC], ["ISO_IR 127"], "ISO_IR 127"),
        (["ﾔﾏﾀﾞ^ﾀﾛｳ"], ["ISO_IR 13"], "ISO_IR 192"),
        (["ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎"], ["ISO_IR 13"], "ISO_IR 192"),
        ([JAPANESE], ["", "ISO 2022 IR 87"], "ISO_IR 192"),
        ([DANISH], ["", "ISO 2022 IR 100"], "ISO_IR 192"),
        ([DANISH], ["ISO 2022 IR 100"], "ISO_IR 192"),
        ([JAPANESE], ["GB18030"], "ISO_IR 192"),
        ([DANISH], ["ISO_IR 6"], "ISO_IR 192"),
        ([DANISH], ["ISO_IR 999"], "ISO_IR 192"),
        ([DANISH], [""], "ISO_IR 192"),
    ],
)
def test_the_set_is_as_small_as_the_texts_allow(texts, preferred, charset):
    assert choose_charset(texts, preferred) == charset


def test_texts_that_are_not_known_yet_need_utf8():
    assert choose_charset(["Chest"], ["ISO_IR 100"], open_ended=True) == "ISO_IR 192"


@pytest.mark.parametrize(
    ("charset", "lost"),
    [
        (None, [DANISH, RUSSIAN, JAPANESE]),
        ("", [DANISH, RUSSIAN, JAPANESE]),
        ("ISO_IR 6", [DANISH, RUSSIAN, JAPANESE]),
        ("ISO_IR 100", [RUSSIAN, JAPANESE]),
        ("ISO_IR 192", []),
        ("GB18030", []),
        (["", "ISO 2022 IR 87"], [DANISH]),
        (["", "ISO 2022 IR 87", "ISO 2022 IR 100"], []),
        ("\\ISO 2022 IR 100", [RUSSIAN, JAPANESE]),
        (["ISO_IR 192", "ISO 2022 IR 87"], ["Chest", DANISH, RUSSIAN, JAPANESE]),
        ("LATIN1", ["Chest", DANISH, RUSSIAN, JAPANESE]),
    ],
)
def test_texts_that_do_not_fit_are_named(charset, lost):
    assert check_encodable(["Chest", DANISH, RUSSIAN, JAPANESE], charset) == lost


def test_half_a_surrogate_pair_fits_nowhere():
    assert check_encodable(["\udc80"], "ISO_IR 192") == ["\udc80"]


def test_texts_are_found_at_every_level():
    inner, outer = Dataset(), Dataset()
    inner.CodeMeaning = "Lunge"
    inner.CodeValue = "T-28000"
    inner.InstanceNumber = 3
    outer.AnatomicRegionSequence = [inner]
    outer.Modality = "CT"
    outer.OtherPatientNames = [DANISH, JAPANESE]
    outer.PatientName = ""
    outer.ImageComments = "two\r\nlines\\one"
    found = [text for element in outer for text in texts_of(element)]
    assert sorted(found) == sorted(["T-28000", "Lunge", DANISH, JAPANESE, "two\r\nlines\\one"])


def test_only_texts_count():
    assert {"LO", "LT", "PN", "SH", "ST", "UC", "UT"} == TEXT_VRS
    assert list(texts_of(DataElement("ImageType", "CS", ["DERIVED", "PRIMARY"]))) == []
    assert list(texts_of(DataElement("AnatomicRegionSequence", "SQ", []))) == []
    assert list(texts_of(DataElement("PatientComments", "LT", None))) == []


SETS = ["ISO_IR 100", "ISO_IR 101", "ISO_IR 109", "ISO_IR 110", "ISO_IR 126", "ISO_IR 127", "ISO_IR 138"]
SETS += ["ISO_IR 144", "ISO_IR 148", "ISO_IR 166", "ISO_IR 13"]


@given(
    st.lists(
        st.text(st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="\\^="), max_size=12),
        max_size=4,
    ),
    st.sampled_from(SETS),
)
def test_what_was_chosen_survives_writing_and_reading(texts, preferred):
    texts = [text.rstrip(" ") for text in texts]
    dataset = Dataset()
    charset = choose_charset(texts, [preferred])
    if charset is not None:
        dataset.SpecificCharacterSet = charset
    for number, text in enumerate(texts):
        dataset.add_new(0x00111000 + number, "UT", text)
        dataset.add_new(0x00111100 + number, "PN", text)
    again = written_and_read(dataset)
    assert [again[0x00111000 + number].value for number in range(len(texts))] == texts
    assert [str(again[0x00111100 + number].value) for number in range(len(texts))] == texts


def written_and_read(dataset):
    """Return what pydicom reads of what it wrote, explicit VR little endian."""
    file = DicomBytesIO()
    file.is_little_endian, file.is_implicit_VR = True, False
    write_dataset(file, dataset, dataset.get("SpecificCharacterSet", "ISO_IR 6"))
    again = read_dataset(io.BytesIO(file.getvalue()), is_implicit_VR=False, is_little_endian=True)
    assert isinstance(again, pydicom.Dataset)
    return again
