"""What `check_value` accepts is written and read back equal, and nothing makes it raise."""

from __future__ import annotations

import datetime as dt
import io
import math
import struct
from decimal import Decimal
from fractions import Fraction
from functools import partial

import numpy as np
import pydicom
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from pydicom import config
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian
from pydicom.valuerep import DA, DT, IS, TM, DSdecimal, DSfloat, PersonName

from dicomwright.blueprint.charset import choose_charset, texts_of
from dicomwright.blueprint.tags import PrivateTag
from dicomwright.blueprint.values import check_value, normalise
from dicomwright.blueprint.vr import ALL_VRS
from dicomwright.errors import Problem

PLAIN_VRS = sorted(ALL_VRS - {"SQ"})
LIST_VRS = sorted(
    {"AE", "AS", "AT", "CS", "DA", "DS", "DT", "FD", "FL", "IS", "LO", "PN", "SH", "TM", "UC", "UI", "US"}
)
TAG = PrivateTag(0x0011, "ACME", 0)


def digits(vr):
    """Return texts that look like values of a VR with a closed syntax."""
    alphabets = {
        "AS": "0123456789DWMY",
        "CS": "ABC_ 019",
        "DA": "0123",
        "DS": "+-.eE0123 ",
        "DT": "0123+-.",
        "IS": "+-0123 ",
        "TM": "0123.",
        "UI": "012.",
        "UR": "ab:/?%20#",
    }
    return st.text(alphabets.get(vr, "abc ^=ø山Жل\\\t\n"), max_size=28)


def likely(vr):
    """Return values of the Python type that fits a VR."""
    if vr in {"US", "SS", "UL", "SL", "UV", "SV"}:
        return st.integers(-(2**63), 2**64) | st.integers(0, 40_000)
    if vr == "AT":
        return st.integers(0, 2**32 - 1) | st.tuples(st.integers(0, 0xFFFF), st.integers(0, 0xFFFF))
    if vr in {"FL", "FD"}:
        return st.floats(allow_nan=False, width=32) | st.floats()
    if vr in {"OB", "OD", "OF", "OL", "OV", "OW", "UN"}:
        return st.binary(max_size=4).map(lambda word: word * 8) | st.binary()
    special = {
        "AS": st.from_regex(r"[0-9]{3}[DWMY]", fullmatch=True),
        "UR": st.from_regex(r"https?://[a-z/%20#?]{0,20}", fullmatch=True),
        "UI": st.from_regex(r"(0|[1-9][0-9]{0,5})(\.(0|[1-9][0-9]{0,5})){1,9}", fullmatch=True),
        "DA": st.dates(),
        "TM": st.times(),
        "DT": st.datetimes(timezones=st.none() | st.timezones()),
        "DS": st.floats() | st.integers() | st.decimals(),
        "IS": st.integers(-(2**31), 2**31),
    }
    return special.get(vr, digits(vr)) | digits(vr)


ELEMENTS = st.sampled_from(PLAIN_VRS).flatmap(
    lambda vr: st.tuples(st.just(vr), likely(vr))
) | st.sampled_from(
    LIST_VRS,
).flatmap(lambda vr: st.tuples(st.just(vr), st.lists(likely(vr), min_size=1, max_size=4)))


def accepted(elements):
    """Return (vr, normalised value) of the elements that are right."""
    plain = [(vr, normalise(TAG, vr, value)) for vr, value in elements]
    return [(vr, value) for vr, value in plain if not check_value(TAG, vr, value)]


def dataset_of(elements):
    """Return a dataset with the elements in a private block, nested ones included."""
    dataset = Dataset()
    dataset.add_new(0x00110010, "LO", "ACME")
    for number, (vr, value) in enumerate(elements):
        element = DataElement(0x00111000 + number, vr, value, validation_mode=config.RAISE)
        dataset.add(element)
    texts = [text for element in dataset for text in texts_of(element)]
    if charset := choose_charset(texts):
        dataset.SpecificCharacterSet = charset
    return dataset


def written(dataset, file):
    """Write a dataset as a Part 10 file."""
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    dataset.file_meta.MediaStorageSOPInstanceUID = "2.25.1"
    pydicom.dcmwrite(file, dataset, enforce_file_format=True)


def as_written(vr, value):
    """Return a value in the precision and padding of its VR."""
    if isinstance(value, list):
        return [as_written(vr, one) for one in value]
    if vr == "FL" and value is not None:
        return struct.unpack("<f", struct.pack("<f", value))[0]
    if vr == "IS" and isinstance(value, int):
        return str(value)
    if vr == "OB" and value is not None and len(value) % 2:
        return value + b"\0"
    return value


@given(st.lists(ELEMENTS, max_size=20))
@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
def test_what_is_accepted_is_read_back_equal(elements):
    elements = accepted(elements)
    file = io.BytesIO()
    written(dataset_of(elements), file)
    again = pydicom.dcmread(io.BytesIO(file.getvalue()))
    for number, (vr, value) in enumerate(elements):
        element = again[0x00111000 + number]
        assert vr == element.VR
        assert as_written(vr, normalise(TAG, vr, element.value)) == as_written(vr, value)
        assert check_value(TAG, vr, element.value) == []


@given(elements=st.lists(ELEMENTS, min_size=10, max_size=60))
@settings(
    max_examples=12,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
    ],
)
def test_dcmtk_reads_what_is_accepted_without_a_complaint(elements, tmp_path, dcmdump):
    written(dataset_of(accepted(elements)), tmp_path / "values.dcm")
    assert "ACME" in dcmdump(tmp_path / "values.dcm")


class Odd:
    """An object that looks like nothing."""

    __hash__ = None

    def __eq__(self, other):
        raise RuntimeError("no")

    def __len__(self):
        raise RuntimeError("no")

    def __repr__(self):
        raise RuntimeError("no")


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(10**320, 10**330),
    st.builds(pow, st.just(10), st.just(5000)),
    st.floats(),
    st.complex_numbers(),
    st.decimals(),
    st.sampled_from([Decimal("sNaN"), Decimal("1e999999"), Decimal("-1e-999999"), math.inf]),
    st.fractions(),
    st.text(),
    st.text("\\ \0\n1.+-eENaNinf", max_size=20),
    st.binary(),
    st.binary().map(bytearray),
    st.binary().map(memoryview),
    st.dates(),
    st.times(),
    st.datetimes(timezones=st.none() | st.timezones()),
    st.timedeltas(),
    st.builds(Odd),
    st.builds(object),
    st.builds(Dataset),
    st.builds(lambda: dt.datetime(1900, 1, 1, tzinfo=dt.timezone(dt.timedelta(seconds=75)))),
    st.sampled_from([DA("20260203"), TM("010203"), DT("2026"), IS("05"), DSfloat("1.50"), DSdecimal("1.50")]),
    st.sampled_from([PersonName("A^B"), PersonName(b"A^\xf8"), Fraction(1, 3), print, int, ..., iter([1])]),
    hnp.arrays(
        hnp.scalar_dtypes() | hnp.unicode_string_dtypes(),
        hnp.array_shapes(min_dims=0, max_dims=2, min_side=0),
    ),
    hnp.from_dtype(np.dtype("f2")),
    hnp.from_dtype(np.dtype("M8[ns]")),
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text(), inner)
    ),
    max_leaves=6,
)
TAGS = [
    "PatientName",
    "PixelSpacing",
    "ImageType",
    "RedPaletteColorLookupTableDescriptor",
    TAG,
    0x00091001,
    0x60020010,
]


@given(st.sampled_from([*PLAIN_VRS, "SQ", "XX"]), st.sampled_from(TAGS), ANYTHING)
@settings(max_examples=1500, suppress_health_check=[HealthCheck.too_slow])
def test_any_object_is_a_value_or_problems(vr, tag, given_value):
    value = normalise(tag, vr, given_value)
    for problems in (check_value(tag, vr, value), check_value(tag, vr, given_value)):
        assert all(isinstance(problem, Problem) and problem.message.isprintable() for problem in problems)


@given(ANYTHING, st.integers(1, 5))
@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
def test_any_object_in_an_item_is_a_value_or_problems(value, depth):
    sequence = value
    for _ in range(depth):
        item = Dataset()
        item.add_new("DerivationCodeSequence", "SQ", [])
        item["DerivationCodeSequence"]._value = sequence
        item.add_new("PatientID", "LO", "x")
        item["PatientID"]._value = value
        sequence = [item]
    problems = check_value("DerivationCodeSequence", "SQ", sequence)
    assert all(isinstance(problem, Problem) and problem.message.isprintable() for problem in problems)


@pytest.mark.parametrize("tag", ["SliceThickness", TAG])
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_is_always_a_decimal_string_of_11_digits_or_more(tag, number):
    text = normalise(tag, "DS", number)
    assert check_value(tag, "DS", text) == []
    assert len(text) <= 16
    assert float(text) == pytest.approx(number, rel=1e-8)


BAD_IN_THE_FIELD = [  # what pydicom writes, or warns of only, unless told otherwise
    ("SOPInstanceUID", "UI", ["1.2", "1.3"]),
    ("PatientID", "LO", "A\\B"),
    ("PatientName", "PN", "A^B\\C^D"),
    ("PixelSpacing", "DS", [0.5, 0.5, 0.5]),
    ("PatientID", "LO", "A\x00B"),
    ("PatientID", "LO", "A\nB"),
    ("StudyDate", "DA", "20260230"),
    ("PatientName", "PN", "a^b^c^d^e^f^g"),
]


@pytest.mark.parametrize(("tag", "vr", "value"), BAD_IN_THE_FIELD)
def test_what_pydicom_would_write_is_refused(tag, vr, value):
    assert check_value(tag, vr, normalise(tag, vr, value))


def test_checkers_of_one_tag_are_made_once():
    from dicomwright.blueprint.values import checker, normaliser

    for make in (partial(checker, TAG, "LO"), partial(normaliser, TAG, "LO")):
        assert make() is make()
