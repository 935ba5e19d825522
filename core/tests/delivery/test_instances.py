"""What is sent of folders and files, and what is refused before anything is."""

from __future__ import annotations

import os
import shutil

import pydicom
import pytest
from pydicom.uid import JPEG2000Lossless, generate_uid

from dicomwright.delivery.instances import find_instances
from dicomwright.errors import DeliveryError


def refusal(files):
    with pytest.raises(DeliveryError) as refused:
        find_instances(files)
    return str(refused.value)


def change(path, **values):
    dataset = pydicom.dcmread(path)
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    dataset.save_as(path)


def test_a_folder_with_those_below_it(series):
    (series / "more").mkdir()
    shutil.move(series / "IM00000", series / "more" / "a.dcm")
    found = find_instances(series)
    assert [one.file.name for one in found.instances] == ["IM00001", "IM00002", "IM00003", "IM00004", "a.dcm"]
    first = pydicom.dcmread(series / "IM00001")
    assert found.instances[0].sop_instance_uid == first.SOPInstanceUID
    assert found.instances[0].series_instance_uid == first.SeriesInstanceUID
    assert found.warnings == ()


def test_files_by_name(series):
    assert len(find_instances([series / "IM00000", str(series / "IM00003")]).instances) == 2


def test_what_is_not_dicom_is_left_out_with_a_word(series):
    (series / "notes.txt").write_text("hello")
    (series / ".hidden").write_text("hello")
    os.mkfifo(series / "pipe")
    found = find_instances(series)
    assert len(found.instances) == 5
    assert found.warnings == ("not to be sent: notes.txt, pipe",)


def test_a_link_to_a_folder_is_told_and_one_to_a_file_is_followed(series, tmp_path):
    shutil.move(series / "IM00000", tmp_path / "a.dcm")
    (series / "IM00000").symlink_to(tmp_path / "a.dcm")
    (series / "more").symlink_to(tmp_path)
    found = find_instances(series)
    assert len(found.instances) == 5
    assert found.warnings == ("nothing is sent of folders behind links: more",)
    (tmp_path / "way").symlink_to(series)
    assert len(find_instances(tmp_path / "way").instances) == 5


def test_an_index_is_no_object(series):
    shutil.copy(series / "IM00000", series / "DICOMDIR")
    assert find_instances(series).warnings == ("not to be sent: DICOMDIR",)


def test_copies_are_sent_once(series):
    shutil.copy(series / "IM00000", series / "again")
    found = find_instances([series, series / "IM00001"])
    assert len(found.instances) == 5
    assert found.warnings == ("2 files are copies of others and are not sent twice",)


def test_one_uid_for_two_contents_is_refused(series):
    shutil.copy(series / "IM00000", series / "other")
    change(series / "other", PatientID="P-002")
    text = refusal(series)
    assert f"{series / 'IM00000'} and {series / 'other'} differ, but have the same SOPInstanceUID" in text
    assert "an archive keeps one of them" in text


def test_all_problems_at_once(series):
    (series / "broken.dcm").write_bytes(b"not dicom")
    (series / "IM00001").write_bytes((series / "IM00001").read_bytes()[:-7])
    before, _, after = (series / "IM00002").read_bytes().rpartition(b"1.2.840.10008.5.1.4.1.1.2\0")
    (series / "IM00002").write_bytes(before + b"../../etc".ljust(26) + after)
    dataset = pydicom.dcmread(series / "IM00003")
    dataset.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    pydicom.dcmwrite(series / "IM00003", dataset)
    text = refusal(series)
    assert "broken.dcm is not a DICOM file" in text
    assert "IM00001: its pixel data is cut off (7 bytes are missing)" in text
    assert "IM00002: SOPClassUID (0008,0016) is '../../etc', which is no UID" in text
    assert "but the file meta information says 1.2.3" in text


def test_a_file_without_meta_information(series):
    dataset = pydicom.dcmread(series / "IM00000")
    written = pydicom.filebase.DicomBytesIO()
    written.is_little_endian, written.is_implicit_VR = True, False
    pydicom.filewriter.write_dataset(written, dataset)
    (series / "IM00000").write_bytes(written.getvalue())
    assert "the file meta information has no TransferSyntaxUID" in refusal(series)


@pytest.mark.parametrize("name", ["nothing", "gone"])
def test_nothing_to_send(tmp_path, name):
    if name == "nothing":
        (tmp_path / name).mkdir()
        assert "there is no DICOM file in" in refusal(tmp_path / name)
    else:
        assert "gone cannot be read (No such file or directory)" in refusal(tmp_path / name)


def test_many_problems_are_counted(series):
    for number in range(30):
        (series / f"{number}.dcm").write_bytes(b"x")
    text = refusal(series)
    assert text.startswith("21 problems")
    assert "and 10 more" in text


def test_compressed_files_are_read_no_further_than_needed(series):
    dataset = pydicom.dcmread(series / "IM00000")
    dataset.PixelData = pydicom.encaps.encapsulate([b"\0" * 8])
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    dataset.file_meta.TransferSyntaxUID = JPEG2000Lossless
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    dataset.save_as(series / "IM00000")
    assert len(find_instances(series).instances) == 5
