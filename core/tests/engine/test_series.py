"""Series as sequences of datasets, and their files."""

import copy
import io
import pickle

import numpy as np
import pydicom
import pytest

from dicomwright import (
    Blueprint,
    BulkElement,
    DicomwrightError,
    FunctionalElement,
    PrivateTag,
    SequenceElement,
    StaticElement,
)
from dicomwright.uids import IMPLEMENTATION_CLASS_UID


def pixels(env):
    return np.arange(5, dtype="u1") + env.instance_number


@pytest.fixture
def series(build):
    item = Blueprint(
        [
            StaticElement("CodeValue", "SH", "1"),
            FunctionalElement("CodeMeaning", "LO", lambda env: f"é{env.instance_number}"),
        ],
    )
    return build(
        [
            StaticElement("PatientName", "PN", "Ærø^Bo"),
            StaticElement("ImageType", "CS", ["DERIVED", "PRIMARY"]),
            StaticElement("StudyDate", "DA", None),
            StaticElement(PrivateTag(0x0011, "ACME", 1), "FD", [1.5, 2.5]),
            SequenceElement("DerivationCodeSequence", [item]),
            FunctionalElement("InstanceNumber", "IS", lambda env: env.instance_number),
            FunctionalElement("SliceLocation", "DS", lambda env: env.instance_number / 3),
            FunctionalElement("ImageComments", "LT", lambda env: "odd" * env.instance_number),
            BulkElement("PixelData", "OW", pixels),
        ],
        count=3,
    )


def test_it_is_a_sequence(series):
    assert len(series) == 3
    assert [dataset.InstanceNumber for dataset in series] == [1, 2, 3]
    assert series[-1].InstanceNumber == 3
    assert [dataset.InstanceNumber for dataset in series[1:]] == [2, 3]
    with pytest.raises(IndexError):
        series[3]


def test_files_are_what_pydicom_writes_of_the_same_dataset(series, tmp_path):
    files = series.write(tmp_path / "out")
    for file in files:
        written = file.read_bytes()
        dataset = pydicom.dcmread(file)
        for element in dataset.iterall():
            element.value  # noqa: B018  # decode, so that pydicom encodes anew
        stream = io.BytesIO()
        pydicom.dcmwrite(stream, dataset, enforce_file_format=True)
        assert stream.getvalue() == written


def test_datasets_save_the_same_bytes_as_the_series(build, tmp_path):
    elements = [
        StaticElement("SOPInstanceUID", "UI", "2.25.1"),
        StaticElement("PatientName", "PN", "Ærø^Bo"),
        BulkElement("PixelData", "OW", pixels),
    ]
    series = build(elements)
    series[0].save_as(tmp_path / "one.dcm")
    assert (tmp_path / "one.dcm").read_bytes() == series.write(tmp_path / "out")[0].read_bytes()


def test_file_meta_is_complete(series, tmp_path):
    file = series.write(tmp_path / "out")[0]
    data = file.read_bytes()
    assert data[:132] == b"\0" * 128 + b"DICM"
    dataset = pydicom.dcmread(file)
    meta = dataset.file_meta
    assert meta.MediaStorageSOPInstanceUID == dataset.SOPInstanceUID
    assert meta.MediaStorageSOPClassUID == dataset.SOPClassUID
    assert meta.TransferSyntaxUID == pydicom.uid.ExplicitVRLittleEndian
    assert meta.ImplementationClassUID == IMPLEMENTATION_CLASS_UID
    assert IMPLEMENTATION_CLASS_UID.startswith("2.25.")


def test_odd_pixels_are_padded(series):
    assert series[0].PixelData == bytes([1, 2, 3, 4, 5, 0])


def test_files_are_numbered_in_order_and_alone(series, tmp_path):
    files = series.write(tmp_path / "deep" / "out", jobs=2)
    assert [file.name for file in files] == ["00001.dcm", "00002.dcm", "00003.dcm"]
    assert sorted(files) == sorted((tmp_path / "deep" / "out").iterdir())
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["out"]
    assert [pydicom.dcmread(file).InstanceNumber for file in files] == [1, 2, 3]


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_changed_dataset_is_written_as_changed(series, tmp_path, jobs):
    series[1].PatientName = "Other^Name"
    series[2][0x0018A001:]  # a look that changes nothing
    del series[0].ImageComments
    files = series.write(tmp_path / "out", jobs=jobs)
    first, second, third = map(pydicom.dcmread, files)
    assert "ImageComments" not in first
    assert second.PatientName == "Other^Name"
    assert third.PatientName == "Ærø^Bo"
    assert [dataset.PixelData[:1] for dataset in (first, second, third)] == [b"\x01", b"\x02", b"\x03"]


def test_changes_below_the_top_are_written(series, tmp_path):
    series[0].DerivationCodeSequence[0].CodeMeaning = "changed"
    series[1][0x00100010].value = "Element^Value"
    files = series.write(tmp_path / "out")
    assert pydicom.dcmread(files[0]).DerivationCodeSequence[0].CodeMeaning == "changed"
    assert pydicom.dcmread(files[1]).PatientName == "Element^Value"


def test_a_changed_text_is_written_or_refused_but_never_spoilt(build, tmp_path):
    series = build([StaticElement("SeriesDescription", "LO", "Chest")], count=2)
    series[1].SeriesDescription = "Грудь"
    with pytest.raises(
        DicomwrightError, match=r"SeriesDescription \(0008,103E\) of instance 2, which was changed"
    ):
        series.write(tmp_path / "out")
    series[1].SpecificCharacterSet = "ISO_IR 192"
    assert pydicom.dcmread(series.write(tmp_path / "out")[1]).SeriesDescription == "Грудь"


def test_changed_pixels_are_written(series, tmp_path):
    dataset = series[1]
    dataset.PixelData = b"\x09\x09"
    files = series.write(tmp_path / "out")
    assert pydicom.dcmread(files[1]).PixelData == b"\x09\x09"


def test_copies_of_datasets_are_independent(series):
    dataset = series[0]
    for other in (copy.deepcopy(dataset), pickle.loads(pickle.dumps(dataset))):
        assert other == dataset
        assert other.PixelData == dataset.PixelData
        assert other.file_meta.MediaStorageSOPInstanceUID == dataset.SOPInstanceUID


def test_duplicate_instance_uids_of_a_function_are_refused(build, tmp_path):
    series = build([FunctionalElement("SOPInstanceUID", "UI", lambda _: "1.2.3")], count=3)
    with pytest.raises(DicomwrightError, match=r"1\.2\.3 is that of instance 1 and of instance 2"):
        series.write(tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("jobs", [1, 2])
def test_nothing_is_left_when_a_function_fails_late(build, tmp_path, jobs):
    def fails(env):
        if env.instance_number == 7:
            raise ValueError("no seventh")
        return "x"

    series = build([FunctionalElement("ImageComments", "LT", fails)], count=9)
    with pytest.raises(DicomwrightError, match=r"of instance 7.*no seventh"):
        series.write(tmp_path / "out", jobs=jobs)
    assert list(tmp_path.iterdir()) == []


def test_progress_counts_every_instance(series, tmp_path):
    steps = []
    series.write(tmp_path / "out", jobs=2, progress=steps.append)
    assert sum(steps) == 3


def test_the_result_says_what_was_written(series, tmp_path):
    series.write(tmp_path / "out")
    (written,) = series.result["series"]
    assert written["files"] == ["00001.dcm", "00002.dcm", "00003.dcm"]
    assert written["directory"] == str(tmp_path / "out")
    assert written["sop_class_uid"] == "1.2.840.10008.5.1.4.1.1.7"
    assert written["instances"] == 3
