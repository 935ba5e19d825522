"""Files are, byte for byte, what pydicom writes of the same datasets."""

import contextlib
import io
import warnings

import numpy as np
import pydicom
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from dicomwright import (
    Blueprint,
    BulkElement,
    CopyElement,
    FunctionalElement,
    IndexElement,
    InstanceCopyElement,
    PrivateTag,
    SequenceElement,
    StaticElement,
)
from dicomwright.engine.nodes import plain_value
from dicomwright.errors import DicomwrightError
from dicomwright.parents import ParentSeries

ascii_line = st.text("abcXYZ 0129_-.,/()^", max_size=15).map(str.strip)
latin = st.text("abc éüßÅØ", max_size=15).map(str.strip)
wide = st.text("山田太郎 Жук قباني é", max_size=12).map(str.strip)
text = ascii_line | latin | wide
dates = st.dates().map(lambda date: f"{date.year:04d}{date.month:02d}{date.day:02d}")
decimals = st.floats(-1e9, 1e9).map(lambda number: f"{number:.4f}"[:16]) | st.integers(-(10**9), 10**9)
uids = st.lists(st.integers(0, 10**9), min_size=2, max_size=5).map(lambda parts: ".".join(map(str, parts)))
finite = st.floats(allow_nan=False, allow_infinity=False)
codes = st.text("ABCXYZ 0129_", max_size=16).map(str.strip)
PRIVATE = {
    vr: PrivateTag(0x0011, "WORKBENCH", offset) for offset, vr in enumerate(("UL", "SL", "UV", "SV"), 1)
}

KINDS = {
    "AE": ("RetrieveAETitle", ascii_line),
    "AS": ("PatientAge", st.sampled_from(["", "042Y", "003D"])),
    "AT": ("FrameIncrementPointer", st.lists(st.integers(0x00100010, 0x00100050), max_size=3)),
    "CS": ("ScanningSequence", st.lists(codes.filter(bool), max_size=4)),
    "DA": ("ContentDate", st.just("") | dates),
    "DS": ("WindowCenter", st.lists(decimals, max_size=4)),
    "DT": ("AcquisitionDateTime", st.just("") | dates),
    "FD": ("DiffusionGradientOrientation", st.lists(finite, min_size=3, max_size=3)),
    "FL": ("ExaminedBodyThickness", st.none() | st.floats(allow_nan=False, allow_infinity=False, width=32)),
    "IS": ("ReferencedFrameNumber", st.lists(st.integers(-(2**31), 2**31 - 1), max_size=4)),
    "LO": ("SoftwareVersions", st.lists(text.filter(bool), max_size=3)),
    "LT": ("ImageComments", text),
    "PN": ("OperatorsName", st.lists(text.filter(bool), max_size=3)),
    "SH": ("StationName", text.map(lambda value: value[:16])),
    "ST": ("InstitutionAddress", text),
    "TM": ("ContentTime", st.sampled_from(["", "093000", "093000.123456", "09"])),
    "UC": ("LongCodeValue", text),
    "UI": ("SynchronizationFrameOfReferenceUID", st.just("") | uids),
    "UR": ("RetrieveURL", st.sampled_from(["", "https://example.org/a?b=c"])),
    "US": ("AcquisitionMatrix", st.lists(st.integers(0, 65535), min_size=4, max_size=4)),
    "UT": ("TextValue", text),
}
NUMBERS = {
    "UL": (0, 2**32 - 1),
    "SL": (-(2**31), 2**31 - 1),
    "UV": (0, 2**64 - 1),
    "SV": (-(2**63), 2**63 - 1),
}
for name, limits in NUMBERS.items():
    KINDS[name] = (PRIVATE[name], st.lists(st.integers(*limits), max_size=3))
KINDS["OB"] = (PrivateTag(0x0011, "WORKBENCH", 9), st.binary(max_size=9))
KINDS["UN"] = (PrivateTag(0x0013, "OTHER", 1), st.binary(max_size=4).map(lambda data: data * 2))


@st.composite
def one_element(draw, vr):
    """Return an element of a VR, decided once or for each of two instances."""
    tag, values = KINDS[vr]
    kind = draw(st.sampled_from(["static", "function", "index"]))
    first, second = draw(values), draw(values)
    if kind == "static":
        return StaticElement(tag, vr, first)
    if kind == "function":
        return FunctionalElement(tag, vr, lambda env: (first, second)[env.instance_number - 1])
    return IndexElement(tag, vr, [first, second])


@st.composite
def blueprints(draw, depth=2):
    vrs = draw(st.lists(st.sampled_from(sorted(KINDS)), unique=True, max_size=9))
    elements = [draw(one_element(vr)) for vr in vrs]
    if depth and draw(st.booleans()):
        items = draw(st.lists(blueprints(depth - 1), max_size=2))
        elements.append(SequenceElement("ReferencedImageSequence", items))
    return Blueprint(elements)


def anew(dataset):
    """Return a dataset with every element decoded and built again, so that pydicom encodes all of it."""
    fresh = Dataset()
    for element in dataset:
        value = element.value
        if element.VR == "SQ":
            value = Sequence([anew(item) for item in value])
        fresh.add(DataElement(element.tag, element.VR, value, already_converted=True))
    return fresh


def as_pydicom_writes(dataset):
    fresh = anew(dataset)
    fresh.file_meta = dataset.file_meta
    stream = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pydicom.dcmwrite(stream, fresh, enforce_file_format=True, implicit_vr=False, little_endian=True)
    return stream.getvalue()


@pytest.fixture
def check(build, tmp_path_factory):
    """Return a function that builds, writes, and compares."""

    def checked(elements, **more):
        series = build(elements, **more)
        folder = tmp_path_factory.mktemp("written") / "out"
        for file in series.write(folder, jobs=more.get("jobs")):
            written = file.read_bytes()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                assert as_pydicom_writes(pydicom.dcmread(file)) == written

    return checked


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(elements=blueprints())
def test_any_blueprint(check, elements):
    check(
        [
            *elements,
            BulkElement("PixelData", "OW", lambda env: np.arange(env.instance_number + 2, dtype="u1")),
        ],
        count=2,
    )


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.text("Müller^Jörg ж山", min_size=1, max_size=20).map(str.strip))
@pytest.mark.parametrize(
    "charset", ["ISO_IR 100", "ISO_IR 144", "ISO_IR 192", ["ISO 2022 IR 6", "ISO 2022 IR 87"]]
)
def test_given_character_sets(check, charset, name):
    elements = [
        StaticElement("SpecificCharacterSet", "CS", charset),
        StaticElement("PatientName", "PN", name),
        FunctionalElement("PatientComments", "LT", lambda _: name),
        IndexElement("StudyDescription", "LO", [name]),
    ]
    with contextlib.suppress(DicomwrightError):  # a name that the set does not have
        check(elements)


def copies(series):
    """Yield copying elements for all that is legal in a parent, as a series' and an instance's by turns."""
    for number, tag in enumerate(series.first.keys()):
        if tag.group in {0x0002, 0x7FE0, 0xFFFE} or tag in {0x00080005, 0x00080016, 0x00080018}:
            continue
        if tag.is_private and (tag.group << 16 | tag.element >> 8) not in series.first:
            continue  # a creator, or without one
        with contextlib.suppress(DicomwrightError):
            element = series.element(tag)
            if not plain_value(tag, element.VR, element)[1]:
                yield (CopyElement if number % 2 else InstanceCopyElement)(tag)


def test_real_headers(check, shared_data):
    compared = 0
    for path in sorted(shared_data.rglob("*.dcm")):
        try:
            series = ParentSeries.read(path)
        except DicomwrightError:
            continue  # a file that is wrong on purpose
        compared += 1
        check(list(copies(series)), parents=series, count=1)
    assert compared > 100
