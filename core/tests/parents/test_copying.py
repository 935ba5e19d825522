"""A copied element is decoded and built anew at every level."""

from __future__ import annotations

import io

import numpy as np
import pydicom
import pytest
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from dicomwright.errors import ParentError
from dicomwright.parents import ParentSeries, fresh_element

SYNTAXES = [
    ImplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    DeflatedExplicitVRLittleEndian,
]
NAMES = {
    "chrArab": "قباني^لنزار",
    "chrFren": "Buc^Jérôme",
    "chrFrenMulti": "Buc^Jérôme",
    "chrGerm": "Äneas^Rüdiger",
    "chrGreek": "Διονυσιος",
    "chrH31": "Yamada^Tarou=山田^太郎=やまだ^たろう",
    "chrH32": "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう",
    "chrHbrw": "שרון^דבורה",
    "chrI2": "Hong^Gildong=洪^吉洞=홍^길동",
    "chrJapMulti": "やまだ^たろう",
    "chrJapMultiExplicitIR6": "やまだ^たろう",
    "chrKoreanMulti": "김희중",
    "chrRuss": "Люкceмбypг",
    "chrX1": "Wang^XiaoDong=王^小東",
    "chrX2": "Wang^XiaoDong=王^小东",
}


def rewritten(elements: list[DataElement]) -> Dataset:
    """Write elements as UTF-8 and read them again."""
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    for element in elements:
        dataset.add(element)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    target = io.BytesIO()
    dataset.save_as(target, enforce_file_format=False)
    target.seek(0)
    return pydicom.dcmread(target, force=True)


@pytest.mark.parametrize(("name", "expected"), NAMES.items())
def test_names_survive(shared_data, name, expected):
    series = ParentSeries.read(shared_data / "v09_parents_charsets" / f"{name}.dcm")
    assert series.warnings[1:] == ()
    element = series.element(0x00100010)
    assert str(element.value) == expected
    assert rewritten([element]).PatientName == expected


@pytest.mark.parametrize("name", ["chrSQEncoding", "chrSQEncoding1"])
def test_names_in_sequences_survive(shared_data, name):
    """One declares a character set in the item, the other inherits it from the data set."""
    element = ParentSeries.read(shared_data / "v09_parents_charsets" / f"{name}.dcm").element(0x00321064)
    assert "SpecificCharacterSet" not in element.value[0]
    again = rewritten([element]).RequestedProcedureCodeSequence[0]
    assert again.PatientName == "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう"


def test_several_names_in_one_element(shared_data):
    series = ParentSeries.read(shared_data / "v09_parents_charsets" / "chrKoreanMulti.dcm")
    other_names, comment = series.element(0x00101001), series.element(0x001021B0)
    assert [str(name) for name in other_names.value] == ["김희중", "김희중"]
    again = rewritten([other_names, comment])
    assert [str(name) for name in again.OtherPatientNames] == ["김희중", "김희중"]
    assert again.AdditionalPatientHistory == "김희중"


def test_charset_terms(shared_data):
    charsets = shared_data / "v09_parents_charsets"
    assert ParentSeries.read(charsets / "chrGerm.dcm").charset == ("ISO_IR 100",)
    assert ParentSeries.read(charsets / "chrH32.dcm").charset == ("ISO 2022 IR 13", "ISO 2022 IR 87")
    assert ParentSeries([Dataset()]).charset == ()


def test_text_that_the_declared_set_cannot_read_is_refused(slices, write, tmp_path):
    image = slices(places=[0])[0]
    path = write(image, tmp_path / "a.dcm")
    path.write_bytes(path.read_bytes().replace(b"ISO_IR 100", b"ISO_IR 192"))
    series = ParentSeries.read(path)
    assert series.element(0x00100020).value == "P1"
    with pytest.raises(
        ParentError, match=r"a\.dcm: PatientName \(0010,0010\) of the parent cannot be decoded"
    ) as caught:
        series.element(0x00100010)
    assert "ren" not in str(caught.value).replace("parent", "")


def test_an_unknown_character_set_is_told(slices, write, tmp_path):
    path = write(slices(places=[0])[0], tmp_path / "a.dcm")
    path.write_bytes(path.read_bytes().replace(b"ISO_IR 100", b"ISO_IR 999"))
    assert "SpecificCharacterSet (0008,0005) ['ISO_IR 999'] is not" in ParentSeries.read(path).warnings[0]


@pytest.mark.parametrize("syntax", SYNTAXES, ids=lambda syntax: syntax.name)
def test_values_are_the_same_from_every_encoding(slices, write, tmp_path, syntax):
    image = slices(places=[0])[0]
    item = Dataset()
    item.CodeMeaning, item.RedPaletteColorLookupTableData = "Ångström", bytes([1, 2, 3, 4])
    item["RedPaletteColorLookupTableData"].VR = "OW"
    if syntax == ExplicitVRBigEndian:  # pydicom leaves the byte order of words to the caller
        item.RedPaletteColorLookupTableData = bytes([2, 1, 4, 3])
    image.DerivationCodeSequence = [item]
    image.RedPaletteColorLookupTableDescriptor = [256, 0, 16]
    image.add_new(0x0028010A, "US", 1)
    image.add_new(0x00280106, "US", 40000)
    image.add_new(0x00189089, "FD", [0.1, -2.5, 3e200])
    image.add_new(0x00200062 + 0x3, "AT", [0x00100010, 0x7FE00010])
    series = ParentSeries.read(write(image, tmp_path / "a.dcm", syntax))
    assert str(series.element(0x00100010).value) == "Sørensen^Åse"
    sequence = series.element(0x00089215)
    assert sequence.value[0].CodeMeaning == "Ångström"
    assert sequence.value[0].RedPaletteColorLookupTableData == bytes([1, 2, 3, 4])
    smallest = series.element(0x00280106)
    assert (smallest.VR, smallest.value) == ("US", 40000)
    assert series.element(0x00189089).value == [0.1, -2.5, 3e200]
    assert list(series.element(0x00281101).value) == [256, 0, 16]


def test_words_of_a_big_endian_parent_are_swapped(slices, write, tmp_path):
    image = slices(places=[0])[0]
    image.add_new(0x00281201, "OW", np.arange(4, dtype=">u2").tobytes())
    series = ParentSeries.read(write(image, tmp_path / "a.dcm", ExplicitVRBigEndian))
    assert np.frombuffer(series.element(0x00281201).value, "<u2").tolist() == [0, 1, 2, 3]


def test_nothing_mutable_is_shared():
    inner = Dataset()
    inner.CodeValue, inner.OtherPatientIDs = "1", ["a", "b"]
    element = DataElement(0x00089215, "SQ", Sequence([inner]))
    fresh = fresh_element(element)
    fresh.value[0].CodeValue = "2"
    fresh.value[0].OtherPatientIDs[0] = "z"
    assert inner.CodeValue == "1"
    assert list(inner.OtherPatientIDs) == ["a", "b"]


def test_items_lose_character_set_group_length_and_on_request_private_elements():
    inner = Dataset()
    inner.SpecificCharacterSet, inner.CodeValue = "ISO_IR 100", "1"
    inner.add_new(0x00080000, "UL", 12)
    inner.add_new(0x00090010, "LO", "ACME")
    inner.add_new(0x00091001, "LO", "CANARY")
    inner.is_undefined_length_sequence_item = True
    element = DataElement(0x00089215, "SQ", Sequence([inner]))
    element.is_undefined_length = True
    kept = fresh_element(element)
    assert sorted(kept.value[0].keys()) == [0x00080100, 0x00090010, 0x00091001]
    assert not kept.is_undefined_length
    assert not getattr(kept.value[0], "is_undefined_length_sequence_item", False)
    assert sorted(fresh_element(element, keep_private=False).value[0].keys()) == [0x00080100]


@pytest.mark.parametrize(("depth", "accepted"), [(64, True), (65, False), (90, False)])
def test_depth_of_data_sets_in_memory(depth, accepted):
    element = DataElement(0x00080100, "SH", "deep")
    for _ in range(depth):
        item = Dataset()
        item.add(element)
        element = DataElement(0x00089215, "SQ", Sequence([item]))
    if accepted:
        assert fresh_element(element).VR == "SQ"
    else:
        with pytest.raises(
            ParentError, match=r"DerivationCodeSequence \(0008,9215\) .* nested more than 64 deep"
        ):
            fresh_element(element)


def test_the_text_of_numbers_stays_as_it_is(slices, write, tmp_path):
    image = slices(places=[0])[0]
    image.SliceThickness = "1.50000"
    element = ParentSeries.read(write(image, tmp_path / "a.dcm")).element(0x00180050)
    assert str(element.value) == "1.50000"


def test_varying_and_missing(slices):
    images = slices()
    images[2].SliceThickness = "3"
    for number, image in enumerate(images):
        image.EchoTime = 10 + number
        image.AcquisitionNumber = 1
    series = ParentSeries(images)
    assert series.varies(0x00180081)
    assert series.varies(0x00180050)
    assert not series.varies(0x00200012)
    assert not series.varies(0x00101010)
    assert series.has_everywhere(0x00180081)
    assert not series.has_everywhere(0x00180050)
    assert series.element(0x00180050) is None
    assert series.element(0x00180050, 2).value == 3
    column = series.column(0x00180081, [5, None, 0])
    assert [element and element.value for element in column] == [15, None, 10]


def test_private_elements_are_found_by_creator(slices):
    class Tag:
        group, creator, offset = 0x0009, "ACME", 0x02

    images = slices(places=range(2))
    for block, image in enumerate(images, start=0x10):
        image.private_block(0x0009, "OTHER", create=True).add_new(0x02, "LO", "no")
        if block == 0x11:
            image.private_block(0x0009, "THIRD", create=True)
        image.private_block(0x0009, "ACME", create=True).add_new(0x02, "LO", "yes")
    series = ParentSeries(images)
    assert series.element(Tag(), 0).value == "yes"
    assert series.element(Tag(), 1).value == "yes"
    assert series.has_everywhere(Tag())
    Tag.offset = 0x03
    assert series.element(Tag()) is None


@pytest.mark.parametrize(
    ("vr", "value", "expected"),
    [
        ("US or SS", b"\1\0\2\0", ("US", [1, 2])),
        ("US or SS", 7, ("US", 7)),
        ("OB or OW", b"\1\2", ("OW", b"\1\2")),
        ("US or OW", b"\1\2", ("OW", b"\1\2")),
    ],
)
def test_a_vr_that_depends_on_pixels_is_settled(vr, value, expected):
    element = DataElement(0x00280106, "US", 0)
    element.VR, element._value = vr, value
    fresh = fresh_element(element)
    assert (fresh.VR, fresh.value) == expected


def test_an_implicit_parent_without_pixel_description_still_copies(slices, write, tmp_path):
    image = slices(places=[0])[0]
    del image.PixelRepresentation
    image.add_new(0x00280106, "US", 40000)
    element = ParentSeries.read(write(image, tmp_path / "a.dcm", ImplicitVRLittleEndian)).element(0x00280106)
    assert (element.VR, element.value) == ("US", 40000)


def test_a_number_that_is_none_is_refused_without_quoting_it(slices, write, tmp_path):
    path = write(slices(places=[0], PatientWeight="70.25")[0], tmp_path / "a.dcm")
    path.write_bytes(path.read_bytes().replace(b"70.25", b"CANAR"))
    with pytest.raises(
        ParentError, match=r"PatientWeight \(0010,1030\) of the parent cannot be decoded"
    ) as caught:
        ParentSeries.read(path).element(0x00101030)
    assert "CANAR" not in str(caught.value)
