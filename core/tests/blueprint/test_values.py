"""What is a value of each VR, and what is said of others."""

from __future__ import annotations

import datetime as dt
import enum
import io
import math
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from pydicom.multival import MultiValue
from pydicom.tag import Tag
from pydicom.uid import UID
from pydicom.valuerep import IS, DSfloat, PersonName

from dicomwright.blueprint.tags import PrivateTag
from dicomwright.blueprint.values import check_value, checker, normalise, normaliser

PRIVATE = PrivateTag(0x0009, "ACME", 1)
UTC_MINUS_3_30 = dt.timezone(dt.timedelta(hours=-3, minutes=-30))


class Colour(enum.Enum):
    """Values that are no DICOM values."""

    RED = "RED"


class Sex(str, enum.Enum):  # noqa: UP042 - what people had before StrEnum
    """Values that are texts."""

    FEMALE = "F"


class Broken:
    """An object that cannot even be shown."""

    def __repr__(self):
        raise RuntimeError("no")


NORMALISED = [
    ("StudyDate", "DA", dt.date(987, 2, 3), "09870203"),
    ("StudyDate", "DA", dt.datetime(2026, 2, 3, 23, 59), "20260203"),  # noqa: DTZ001 - without offset on purpose
    ("StudyDate", "DA", "20260203 ", "20260203"),
    ("StudyDate", "DA", np.datetime64("2026-02-03"), "20260203"),
    ("StudyTime", "TM", dt.time(1, 2, 3), "010203"),
    ("StudyTime", "TM", dt.time(1, 2, 3, 40), "010203.000040"),
    ("StudyTime", "TM", dt.datetime(2026, 2, 3, 1, 2, 3), "010203"),  # noqa: DTZ001 - without offset on purpose
    ("AcquisitionDateTime", "DT", dt.datetime(2026, 2, 3, 1, 2, 3), "20260203010203"),  # noqa: DTZ001 - without offset on purpose
    (
        "AcquisitionDateTime",
        "DT",
        dt.datetime(2026, 2, 3, 1, 2, 3, 4, UTC_MINUS_3_30),
        "20260203010203.000004-0330",
    ),
    ("AcquisitionDateTime", "DT", dt.datetime(2026, 2, 3, tzinfo=dt.UTC), "20260203000000+0000"),
    ("AcquisitionDateTime", "DT", dt.date(2026, 2, 3), "20260203"),
    ("SliceThickness", "DS", 0.1 + 0.2, "0.3"),
    ("SliceThickness", "DS", 1 / 3, "0.33333333333333"),
    ("SliceThickness", "DS", 2, "2"),
    ("SliceThickness", "DS", 10**20, "1e20"),
    ("SliceThickness", "DS", Decimal("1.50"), "1.50"),
    ("SliceThickness", "DS", Decimal(1) / 3, "0.33333333333333"),
    ("SliceThickness", "DS", np.float32(0.5), "0.5"),
    ("SliceThickness", "DS", " 1.50 ", "1.50"),
    ("SliceThickness", "DS", DSfloat("1.50"), "1.50"),
    ("SliceThickness", "DS", DSfloat(0.25), "0.25"),
    ("PixelSpacing", "DS", np.array([0.5, 0.75]), ["0.5", "0.75"]),
    ("PixelSpacing", "DS", (0.5, np.float64(0.75)), ["0.5", "0.75"]),
    ("PixelSpacing", "DS", "0.5\\0.75", ["0.5", "0.75"]),
    ("PixelSpacing", "DS", MultiValue(DSfloat, ["0.50", "0.75"]), ["0.50", "0.75"]),
    ("InstanceNumber", "IS", 5, 5),
    ("InstanceNumber", "IS", np.int64(5), 5),
    ("InstanceNumber", "IS", 5.0, 5),
    ("InstanceNumber", "IS", " +05 ", "+05"),
    ("InstanceNumber", "IS", IS("05"), "05"),
    ("InstanceNumber", "IS", Decimal(5), 5),
    ("Rows", "US", np.uint16(5), 5),
    ("Rows", "US", "512", 512),
    ("Rows", "US", 512.0, 512),
    ("ReferencePixelX0", "SL", " -3 ", -3),
    ("ExposureTimeInms", "FD", 3, 3.0),
    ("ExposureTimeInms", "FD", "1.5e1", 15.0),
    ("ExposureTimeInms", "FD", np.float32(0.5), 0.5),
    ("ExposureTimeInms", "FD", Decimal("0.5"), 0.5),
    ("FrameIncrementPointer", "AT", "FrameTime", Tag(0x00181063)),
    ("FrameIncrementPointer", "AT", (0x0018, 0x1063), Tag(0x00181063)),
    ("FrameIncrementPointer", "AT", 0x00181063, Tag(0x00181063)),
    ("FrameIncrementPointer", "AT", ["FrameTime", "(0018,1065)"], [Tag(0x00181063), Tag(0x00181065)]),
    ("FrameIncrementPointer", "AT", "FrameTime\\FrameTimeVector", [Tag(0x00181063), Tag(0x00181065)]),
    ("ImageType", "CS", "DERIVED\\PRIMARY ", ["DERIVED", "PRIMARY"]),
    ("ScanOptions", "CS", ["FS"], "FS"),
    ("ImageType", "CS", np.array(["DERIVED", "PRIMARY"]), ["DERIVED", "PRIMARY"]),
    ("PatientSex", "CS", Sex.FEMALE, "F"),
    ("PatientSex", "CS", " F ", "F"),
    ("SeriesDescription", "LO", " chest  ", " chest"),
    ("SeriesDescription", "LO", np.str_("chest"), "chest"),
    ("SeriesDescription", "LO", "a\\b", "a\\b"),
    ("OtherPatientIDs", "LO", "a\\b", ["a", "b"]),
    (PRIVATE, "LO", "a\\b", "a\\b"),
    (PRIVATE, "DS", "1\\2", ["1", "2"]),
    ("ImageComments", "LT", " a\\b\r\n ", " a\\b\r\n"),
    ("PatientName", "PN", PersonName("Yamada^Tarou=山田^太郎"), "Yamada^Tarou=山田^太郎"),
    ("PatientName", "PN", "Yamada^Tarou== ", "Yamada^Tarou"),
    ("SOPInstanceUID", "UI", UID("1.2.3"), "1.2.3"),
    ("SOPInstanceUID", "UI", "1.2.3\0", "1.2.3"),
    ("PixelData", "OW", np.array([1, 2], ">u2"), b"\1\0\2\0"),
    ("PixelData", "OW", bytearray(b"ab"), b"ab"),
    ("PixelData", "OB", memoryview(b"ab"), b"ab"),
    ("FloatPixelData", "OF", np.array([[1.5]], "<f4"), np.float32(1.5).tobytes()),
    *[("PatientID", "LO", empty, "") for empty in (None, "", "  ", [], (), [""], np.array([]))],
    *[("SliceThickness", "DS", empty, None) for empty in (None, "", "  ", [], [None])],
    *[("Rows", "US", empty, None) for empty in (None, "", [])],
    *[("PixelData", "OW", empty, None) for empty in (None, b"", "")],
    *[("AnatomicRegionSequence", "SQ", empty, []) for empty in (None, [], ())],
]


def ids(cases):
    """Return short names: some values are too long to be names."""
    return [f"{number}-{case[1]}" for number, case in enumerate(cases)]


@pytest.mark.parametrize(("tag", "vr", "given", "expected"), NORMALISED, ids=ids(NORMALISED))
def test_python_values_become_what_pydicom_wants(tag, vr, given, expected):
    value = normalise(tag, vr, given)
    assert value == expected
    assert type(value) is type(expected)
    assert normalise(tag, vr, value) == value
    if "\\" not in str(value) or vr == "LT":
        assert check_value(tag, vr, value) == []


ACCEPTED = [
    ("PatientName", "PN", "Adams^John Robert Quincy^^Rev.^B.A. M.Div."),
    ("PatientName", "PN", "=".join(["x" * 64] * 3)),
    ("PatientName", "PN", "=山田^太郎"),
    ("StationName", "SH", "x" * 16),
    ("SeriesDescription", "LO", "ø" * 64),
    ("ImageComments", "LT", "x" * 10240),
    ("ImageComments", "LT", "tab\tline\nfeed\fpage\rreturn \\ backslash"),
    ("DerivationDescription", "ST", "x" * 1024),
    (PRIVATE, "UT", "x" * 100_000),
    (PRIVATE, "UC", ["x" * 1000, "", "y"]),
    ("RetrieveURL", "UR", "https://a.example/b?c=%20d#e"),
    ("PatientAge", "AS", "042Y"),
    ("StationAETitle", "AE", "PACS 1"),
    ("StudyDate", "DA", "20240229"),
    ("StudyTime", "TM", "23"),
    ("StudyTime", "TM", "2359"),
    ("StudyTime", "TM", "235960"),
    ("StudyTime", "TM", "235959.1"),
    ("AcquisitionDateTime", "DT", "2026"),
    ("AcquisitionDateTime", "DT", "202602"),
    ("AcquisitionDateTime", "DT", "2026+1400"),
    ("AcquisitionDateTime", "DT", "20260203010203.123456-1200"),
    ("SOPInstanceUID", "UI", "2.25." + "9" * 59),
    ("SOPInstanceUID", "UI", "1.2.0.3"),
    ("InstanceNumber", "IS", "-2147483648"),
    ("InstanceNumber", "IS", 2147483647),
    ("SliceThickness", "DS", "-1.5E+10"),
    ("SliceThickness", "DS", ".5"),
    ("SliceThickness", "DS", "5."),
    ("SliceThickness", "DS", "1234567890123456"),
    (PRIVATE, "FL", 3.4028234663852886e38),
    (PRIVATE, "SV", -(2**63)),
    (PRIVATE, "UV", 2**64 - 1),
    (PRIVATE, "UN", b"ab"),
    ("PixelData", "OB", b"odd"),
    ("RedPaletteColorLookupTableDescriptor", "SS", [65535, -5, 16]),
    ("PatientOrientation", "CS", ["L", "P"]),
    ("ReferencedFrameNumber", "IS", [1, 2, 3]),
    ("FrameIncrementPointer", "AT", 0xFFFFFFFF),
    (0x60020010, "US", 5),
    (0x00090010, "LO", "ACME"),
    ("PixelData", "OW", io.BytesIO(b"abcd")),
]


@pytest.mark.parametrize(("tag", "vr", "value"), ACCEPTED, ids=ids(ACCEPTED))
def test_values_of_the_standard_are_accepted(tag, vr, value):
    assert check_value(tag, vr, value) == []
    assert checker(tag, vr)(normaliser(tag, vr)(value)) == []


REFUSED = [
    ("SeriesDescription", "LO", "x" * 65, "65 characters, LO holds 64"),
    ("SeriesDescription", "LO", "a\\b", "a backslash at character 2, not allowed in LO"),
    ("SeriesDescription", "LO", "a\nb", r"control character '\n' at character 2"),
    ("SeriesDescription", "LO", "a\x1bb", r"control character '\x1b'"),
    ("SeriesDescription", "LO", "a\x85b", r"control character '\x85'"),
    ("SeriesDescription", "LO", "a\0", r"control character '\x00'"),
    ("SeriesDescription", "LO", "a\udc80", "half a surrogate pair"),
    ("SeriesDescription", "LO", ["a", "b"], "2 values, allowed are 1 (PS3.5 §6.4, PS3.6)"),
    ("SeriesDescription", "LO", 5, "a Python int is not a text (LO)"),
    ("SeriesDescription", "LO", True, "a Python bool is not a text (LO)"),
    ("SeriesDescription", "LO", Path("a"), "is not a text (LO)"),
    ("SeriesDescription", "LO", b"a", "a Python bytes is not a text (LO)"),
    ("SeriesDescription", "LO", Colour.RED, "a Python Colour is not a text (LO)"),
    ("SeriesDescription", "LO", Broken(), "a Python Broken is not a text (LO)"),
    ("SeriesDescription", "LO", [["a"]], "not"),
    ("SeriesDescription", "LO", {"a"}, "a Python set is not a text"),
    ("StationName", "SH", "x" * 17, "17 characters, SH holds 16"),
    ("DerivationDescription", "ST", "x" * 1025, "1025 characters, ST holds 1024"),
    ("DerivationDescription", "ST", ["a", "b"], "2 values, ST has one"),
    ("ImageComments", "LT", "x" * 10241, "10241 characters, LT holds 10240"),
    ("ImageComments", "LT", "a\x0bb", r"control character '\x0b' at character 2"),
    (PRIVATE, "UT", "a\x1b", "control character"),
    (PRIVATE, "UC", "a\\b", "a backslash"),
    ("RetrieveURL", "UR", " http://a", "a URI is of the characters of RFC 3986"),
    ("RetrieveURL", "UR", "http://a/%2", "a URI is of the characters of RFC 3986"),
    ("RetrieveURL", "UR", "http://ø", "a URI is of the characters of RFC 3986"),
    ("PatientName", "PN", "a^b^c^d^e^f^g", "7 components, PN has at most 5"),
    ("PatientName", "PN", "a=b=c=d", "4 component groups, PN has at most 3"),
    ("PatientName", "PN", "x" * 65, "65 characters, a component group of PN holds 64"),
    ("PatientName", "PN", "a\\b", "a backslash at character 2"),
    ("PatientName", "PN", "a\x07", "control character"),
    ("PatientName", "PN", ["a", "b"], "2 values, allowed are 1"),
    ("PatientName", "PN", 5, "a Python int is not a person name (PN)"),
    ("Modality", "CS", "ct", "a code is of A-Z, 0-9, space and underscore"),
    ("Modality", "CS", "A-B", "a code is of A-Z"),
    ("Modality", "CS", "Å", "a code is of A-Z"),
    ("Modality", "CS", "X" * 17, "17 characters, CS holds 16"),
    ("Modality", "CS", "A\\B", "a backslash, not allowed in CS"),
    ("ImageType", "CS", "DERIVED", "1 value, allowed are 2-n"),
    ("ImageType", "CS", ["DERIVED", "primary"], "value 2 = 'primary': a code"),
    ("StationAETitle", "AE", "x" * 17, "17 characters, AE holds 16"),
    ("StationAETitle", "AE", "ø", "printable ASCII"),
    ("StationAETitle", "AE", "a\tb", "printable ASCII"),
    ("PatientAge", "AS", "42Y", "an age is nnnD, nnnW, nnnM or nnnY"),
    ("PatientAge", "AS", "042y", "an age is"),
    ("PatientAge", "AS", 42, "a Python int is not a text (AS)"),
    ("StudyDate", "DA", "20260230", "there is no such day"),
    ("StudyDate", "DA", "20230229", "there is no such day"),
    ("StudyDate", "DA", "20261301", "there is no such day"),
    ("StudyDate", "DA", "00000101", "there is no such day"),
    ("StudyDate", "DA", "2026-02-03", "a date is YYYYMMDD"),
    ("StudyDate", "DA", "2026.02.03", "a date is YYYYMMDD"),
    ("StudyDate", "DA", "20260101-20260203", "a date is YYYYMMDD"),
    ("StudyDate", "DA", "\uff12\uff10\uff12\uff16\uff10\uff12\uff10\uff13", "a date is YYYYMMDD"),
    ("StudyDate", "DA", 20260203, "a Python int is not a date (DA)"),
    ("StudyDate", "DA", dt.time(1), "a Python time is not a date (DA)"),
    ("StudyTime", "TM", "24", "a time is HHMMSS.FFFFFF"),
    ("StudyTime", "TM", "236000", "a time is"),
    ("StudyTime", "TM", "235961", "a time is"),
    ("StudyTime", "TM", "23595", "a time is"),
    ("StudyTime", "TM", "235959.", "a time is"),
    ("StudyTime", "TM", "235959.1234567", "a time is"),
    ("StudyTime", "TM", "2359.5", "a time is"),
    ("StudyTime", "TM", "23:59:59", "a time is"),
    ("StudyTime", "TM", dt.time(1, tzinfo=dt.UTC), "a Python time is not a time (TM)"),
    ("AcquisitionDateTime", "DT", "20260230", "there is no such day"),
    ("AcquisitionDateTime", "DT", "202613", "there is no such day"),
    ("AcquisitionDateTime", "DT", "2026020324", "a date and time is"),
    ("AcquisitionDateTime", "DT", "20260203+1401", "+1401 is no offset from UTC"),
    ("AcquisitionDateTime", "DT", "20260203-1230", "-1230 is no offset from UTC"),
    ("AcquisitionDateTime", "DT", "20260203+0160", "+0160 is no offset from UTC"),
    ("AcquisitionDateTime", "DT", "2026-02-03T01:02:03", "a date and time is"),
    ("AcquisitionDateTime", "DT", 5, "a Python int is not a date and time (DT)"),
    (
        "AcquisitionDateTime",
        "DT",
        dt.datetime(1900, 1, 1, tzinfo=dt.timezone(dt.timedelta(seconds=75))),
        "datetime",
    ),
    ("SOPInstanceUID", "UI", "1.02.3", "numbers joined by dots, without leading zeros (PS3.5 §9.1)"),
    ("SOPInstanceUID", "UI", "1..3", "numbers joined by dots"),
    ("SOPInstanceUID", "UI", "1.2.", "numbers joined by dots"),
    ("SOPInstanceUID", "UI", "1", "numbers joined by dots"),
    ("SOPInstanceUID", "UI", "1.2.x", "numbers joined by dots"),
    ("SOPInstanceUID", "UI", "1.\u0662", "numbers joined by dots"),
    ("SOPInstanceUID", "UI", "1.2.3\n", "numbers joined by dots"),
    ("SOPInstanceUID", "UI", "1." + "2" * 63, "65 characters, UI holds 64"),
    ("SOPInstanceUID", "UI", "1.2\\1.3", "a backslash, not allowed in UI"),
    ("SOPInstanceUID", "UI", ["1.2", "1.3"], "2 values, allowed are 1"),
    ("SOPInstanceUID", "UI", 1.2, "a Python float is not a UID as text"),
    ("InstanceNumber", "IS", 2**31, "IS holds -2147483648 to 2147483647"),
    ("InstanceNumber", "IS", "-2147483649", "IS holds -2147483648"),
    ("InstanceNumber", "IS", "0000000000001", "13 characters, IS holds 12"),
    ("InstanceNumber", "IS", "1.0", "not an integer"),
    ("InstanceNumber", "IS", "\u0661", "not an integer"),
    ("InstanceNumber", "IS", 1.5, "a Python float is not an integer or a text (IS)"),
    ("InstanceNumber", "IS", math.nan, "is not an integer or a text (IS)"),
    ("InstanceNumber", "IS", True, "a Python bool is not an integer"),
    ("InstanceNumber", "IS", "1\\2", "a backslash, not allowed in IS"),
    ("InstanceNumber", "IS", 10**5000, "IS holds -2147483648"),
    ("SliceThickness", "DS", "1.23456789012345678", "19 characters, DS holds 16"),
    ("SliceThickness", "DS", "1,5", "not a decimal number"),
    ("SliceThickness", "DS", "0x10", "not a decimal number"),
    ("SliceThickness", "DS", "1e999", "too large a number"),
    ("SliceThickness", "DS", math.nan, "not a finite number"),
    ("SliceThickness", "DS", -math.inf, "not a finite number"),
    ("SliceThickness", "DS", Decimal("NaN"), "not a finite number"),
    ("SliceThickness", "DS", Decimal("sNaN"), "not a decimal number"),
    ("SliceThickness", "DS", 10**400, "DS holds 16"),
    ("SliceThickness", "DS", 10**5000, "DS holds 16"),
    ("SliceThickness", "DS", False, "a Python bool is not a number or a text (DS)"),
    ("SliceThickness", "DS", 1 + 2j, "a Python complex is not a number"),
    ("SliceThickness", "DS", np.bool_(1), "a Python bool is not a number"),
    ("PixelSpacing", "DS", [1, 2, 3], "3 values, allowed are 2"),
    ("PixelSpacing", "DS", [1, None], "value 2 = None: an empty value among several"),
    ("PixelSpacing", "DS", np.ones((2, 2)), "a Python list is not one value"),
    ("Rows", "US", -1, "US holds 0 to 65535"),
    ("Rows", "US", 65536, "US holds 0 to 65535"),
    ("Rows", "US", 1.5, "a Python float is not an integer (US)"),
    ("Rows", "US", "1.5", "a Python str is not an integer (US)"),
    ("Rows", "US", True, "a Python bool is not an integer (US)"),
    ("Rows", "US", b"\1\0", "a Python bytes is not an integer (US)"),
    ("Rows", "US", 10**5000, "US holds 0 to 65535"),
    (PRIVATE, "SS", 32768, "SS holds -32768 to 32767"),
    (PRIVATE, "UL", 2**32, "UL holds 0 to 4294967295"),
    (PRIVATE, "SL", -(2**31) - 1, "SL holds -2147483648"),
    (PRIVATE, "UV", 2**64, "UV holds 0 to 18446744073709551615"),
    (PRIVATE, "SV", 2**63, "SV holds -9223372036854775808"),
    ("RedPaletteColorLookupTableDescriptor", "SS", [65536, 0, 16], "US holds 0 to 65535"),
    ("RedPaletteColorLookupTableDescriptor", "SS", [1, 65535, 16], "SS holds -32768 to 32767"),
    (PRIVATE, "FL", 3.5e38, "FL holds numbers up to 3.403e+38"),
    (PRIVATE, "FL", math.nan, "not a finite number"),
    (PRIVATE, "FD", math.inf, "not a finite number"),
    (PRIVATE, "FD", 10**400, "FD holds numbers up to"),
    (PRIVATE, "FD", "nan", "a Python str is not a number (FD)"),
    (PRIVATE, "FD", True, "a Python bool is not a number (FD)"),
    ("FrameIncrementPointer", "AT", -1, "AT holds 0 to 4294967295"),
    ("FrameIncrementPointer", "AT", "NoSuchKeyword", "a Python str is not a tag (AT)"),
    ("FrameIncrementPointer", "AT", PRIVATE, "a Python PrivateTag is not a tag (AT)"),
    ("PixelData", "OW", b"odd", "3 bytes, OW holds words of 2"),
    ("PixelData", "OW", np.zeros(3, np.uint8), "a Python ndarray is not bytes (OW)"),
    ("PixelData", "OW", "text", "a Python str is not bytes (OW)"),
    ("PixelData", "OW", [b"ab", b"cd"], "2 values, OW has one"),
    ("FloatPixelData", "OF", b"123456", "6 bytes, OF holds words of 4"),
    (PRIVATE, "OD", b"1234", "4 bytes, OD holds words of 8"),
    (PRIVATE, "UN", b"odd", "3 bytes, UN holds words of 2"),
    ("LUTData", "US", [0] * 40_000, "80000 bytes, US holds 65534 (PS3.5 §7.1.2)"),
    (PRIVATE, "DS", ["0.123456789"] * 6000, "72000 bytes, DS holds 65534"),
    (PRIVATE, "XX", "a", "'XX' is not a VR"),
]


@pytest.mark.parametrize(("tag", "vr", "value", "reason"), REFUSED, ids=ids(REFUSED))
def test_values_outside_the_standard_are_refused(tag, vr, value, reason):
    problems = check_value(tag, vr, normalise(tag, vr, value))
    assert any(reason in problem.message for problem in problems), problems
    assert all(problem.kind for problem in problems)
    assert all(len(problem.message) < 250 and problem.message.isprintable() for problem in problems)


def test_a_message_says_what_where_why_and_what_to_do():
    (problem,) = check_value("SeriesDescription", "LO", "chest\x07" + "x" * 20)
    assert str(problem) == (
        r"SeriesDescription (0008,103E) = 'chest\x07xxxxxxxxxxxxxxxxxxxx': control character '\x07' at character 6,"
        " not allowed in LO (PS3.5 §6.2); remove it"
    )


def test_a_patients_value_can_be_kept_out_of_the_message():
    (problem,) = check_value("PatientID", "LO", "secret" * 20, show_value=False)
    assert str(problem) == "PatientID (0010,0020): 120 characters, LO holds 64 (PS3.5 §6.2); shorten it"
    problems = check_value("ImageType", "CS", ["secret"] * 9, show_value=False)
    assert len(problems) == 4
    assert not any("secret" in str(problem) for problem in problems)


def test_many_wrong_values_are_counted():
    problems = check_value(PRIVATE, "US", [-1] * 1000)
    assert [problem.message for problem in problems] == [
        *(f"ACME:(0009,xx01) value {number} = -1: US holds 0 to 65535 (PS3.5 §6.2)" for number in (1, 2, 3)),
        "ACME:(0009,xx01): 997 more values are wrong",
    ]


@pytest.mark.parametrize(
    ("tag", "vr", "counts"),
    [
        ("KVP", "DS", [1]),
        ("PixelSpacing", "DS", [2]),
        ("ImageOrientationPatient", "DS", [6]),
        ("WindowCenter", "DS", [1, 2, 3, 4, 5, 6, 7]),
        ("ContourData", "DS", [3, 6]),
        ("VerticesOfThePolygonalShutter", "IS", [2, 4, 6]),
        ("ReferencedTimeOffsets", "DS", [1, 2, 3, 4, 5, 6, 7]),
        ("PatientOrientation", "CS", [2]),
        ("ImageType", "CS", [2, 3, 4, 5, 6, 7]),
        (PRIVATE, "DS", [1, 2, 3, 4, 5, 6, 7]),
        (0x00090010, "LO", [1]),
    ],
)
def test_the_number_of_values_is_the_dictionarys(tag, vr, counts):
    accepted = [count for count in range(1, 8) if not check_value(tag, vr, ["1"] * count)]
    assert accepted == counts
