"""What is copied as bytes is what decoding, checking and writing it anew gives."""

import io

import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataelem import DataElement, RawDataElement, convert_raw_data_element
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag

from dicomwright.blueprint.raw_copies import copy_encoded
from dicomwright.engine.encoding import element_bytes
from dicomwright.engine.nodes import plain_value
from dicomwright.parents.copying import fresh_element

TAGS = {
    "AE": 0x00400241,
    "AS": 0x00101010,
    "CS": 0x00080008,
    "DA": 0x00080020,
    "DS": 0x00281050,
    "DT": 0x0008002A,
    "IS": 0x00200013,
    "LO": 0x00081030,
    "LT": 0x00204000,
    "PN": 0x00081060,
    "SH": 0x00080050,
    "ST": 0x00080081,
    "TM": 0x00080030,
    "UI": 0x00080018,
    "US": 0x00280010,
    "SS": 0x00189219,
    "UL": 0x00089162,
    "FL": 0x00089459,
    "FD": 0x00189073,
}
LIKELY = [
    b"",
    b" ",
    b"1",
    b"012",
    b"-1.50 ",
    b" 3",
    b"A^B ",
    b"A^B^^^",
    b"A=B",
    b"1.2.3\0",
    b"1.2.3\0\0",
    b"\0",
]
LIKELY += [
    b"20260203",
    b"101112.500000",
    b"1\\2",
    b"1 \\ 2 ",
    b"A\\B\\C",
    b"a\r\nb ",
    b"040Y",
    b"1e3",
    b"00.5",
    b"\t",
]
values = st.sampled_from(LIKELY) | st.text("0123456789.ABab^=\\ -+_\n\0\x1b~\u00e9", max_size=20).map(
    lambda text: text.encode("latin-1")
)


def decoded_and_written(raw):
    """Return the element the long way, None where it is refused."""
    element = convert_raw_data_element(raw, encoding="iso8859")
    plain, problems = plain_value(int(raw.tag), raw.VR, fresh_element(element))
    return None if problems else element_bytes(int(raw.tag), raw.VR, plain, "iso8859")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("vr", sorted(TAGS))
@settings(max_examples=60)
@given(data=st.data())
def test_elements(vr, data):
    number = vr in {"US", "SS", "UL", "FL", "FD"}
    value = data.draw(st.binary(max_size=17) if number else values)
    raw = RawDataElement(BaseTag(TAGS[vr]), vr, len(value), value, 0, False, True)
    copied = copy_encoded(raw)
    if copied is not None:
        assert copied.vr == vr
        assert decoded_and_written(raw) == copied


texts = st.text("0123456789ABab ^", max_size=9)
items = st.fixed_dictionaries(
    {},
    optional={
        "SpecificCharacterSet": st.just("ISO_IR 100"),
        "ReferencedSOPInstanceUID": st.sampled_from(["1.2.3", "2.25.99"]),
        "PatientName": texts,
        "ImageComments": texts,
        "ReferencedFrameNumber": st.lists(st.integers(1, 9), max_size=3),
        "Rows": st.integers(0, 65535),
        "DiffusionBValue": st.floats(allow_nan=False),
        "StudyID": st.text("\u00e9A", max_size=4),
        "PixelPaddingValue": st.none(),
    },
)


@st.composite
def sequences(draw, depth=2):
    found = []
    for values_of in draw(st.lists(items, max_size=3)):
        item = Dataset()
        for keyword, value in values_of.items():
            if value is not None:
                setattr(item, keyword, value)
        if depth and draw(st.booleans()):
            item.ReferencedImageSequence = draw(sequences(depth - 1))
        item.is_undefined_length_sequence_item = draw(st.integers(0, 5)) == 0
        found.append(item)
    return found


@pytest.mark.filterwarnings("ignore")
@settings(max_examples=120)
@given(found=sequences())
def test_sequences(found):
    dataset = Dataset()
    dataset.add(DataElement(0x00081140, "SQ", found))
    stream = io.BytesIO()
    dataset.save_as(stream, implicit_vr=False, little_endian=True)
    read = pydicom.dcmread(io.BytesIO(stream.getvalue()), force=True)
    raw = read.get_item(0x00081140)
    copied = copy_encoded(raw)
    if copied is not None:
        assert decoded_and_written(raw) == copied


@pytest.mark.parametrize("value", [b"101112.500000", b"093000"])
def test_plain_ascii_is_copied_as_bytes(value):
    raw = RawDataElement(BaseTag(0x00080030), "TM", len(value), value, 0, False, True)
    assert copy_encoded(raw) is not None


def test_what_needs_decoding_is_left_alone():
    tag = BaseTag(0x00081030)
    for raw in (
        RawDataElement(tag, "LO", 2, "é ".encode("latin-1"), 0, False, True),
        RawDataElement(tag, None, 2, b"ab", 0, True, True),
        RawDataElement(tag, "LO", 2, b"ab", 0, False, False),
        RawDataElement(tag, "LO", 70, b"x" * 70, 0, False, True),
        RawDataElement(tag, "UN", 2, b"ab", 0, False, True),
        RawDataElement(BaseTag(0x00081140), "SQ", 4, b"\xfe\xff\x00\xe0", 0, False, True),
    ):
        assert copy_encoded(raw) is None
