"""Files and folders that want to hurt: one clear error each, soon and in little memory."""

from __future__ import annotations

import contextlib
import errno
import os
import pathlib
import struct
import tracemalloc
import zlib

import pydicom.data
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.uid import DeflatedExplicitVRLittleEndian, ImplicitVRLittleEndian

from dicomwright.errors import DicomwrightError, ParentError
from dicomwright.parents import ParentSeries
from dicomwright.parents.headers import read_header


def part10(body: bytes, syntax: str = "1.2.840.10008.1.2.1") -> bytes:
    uid = syntax.encode() + b"\0" * (len(syntax) % 2)
    return bytes(128) + b"DICM" + b"\x02\0\x10\0UI" + struct.pack("<H", len(uid)) + uid + body


def explicit(tag: int, vr: bytes, value: bytes) -> bytes:
    return struct.pack("<HH2sH", tag >> 16, tag & 0xFFFF, vr, len(value)) + value


def nested(depth: int, *, undefined: bool) -> bytes:
    inner = explicit(0x00080104, b"LO", b"deep")
    for _ in range(depth):
        if undefined:
            item = b"\xfe\xff\x00\xe0\xff\xff\xff\xff" + inner + b"\xfe\xff\x0d\xe0\0\0\0\0"
            inner = b"\x08\x00\x40\x11SQ\0\0\xff\xff\xff\xff" + item + b"\xfe\xff\xdd\xe0\0\0\0\0"
        else:
            item = b"\xfe\xff\x00\xe0" + struct.pack("<L", len(inner)) + inner
            inner = b"\x08\x00\x40\x11SQ\0\0" + struct.pack("<L", len(item)) + item
    return part10(inner)


ID = explicit(0x00100020, b"LO", b"P1")


@pytest.fixture
def put(tmp_path):
    def save(data: bytes, name: str = "bad.dcm"):
        path = tmp_path / name
        path.write_bytes(data)
        return path

    return save


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty"),
        (b"not DICOM at all" * 20, "is not a DICOM file"),
        (part10(b""), "holds no data elements"),
        (part10(ID + b"\x10\0\x30"), "is damaged: it ends after"),
        (part10(ID + explicit(0x00100030, b"DA", b"19700101")[:-3]), "is damaged: it ends after"),
        (part10(ID + b"\x09\0\x01\x10OB\0\0\xfe\xff\xff\xff" + b"x" * 50), "are announced"),
        (
            part10(ID + b"\x08\0\x40\x11SQ\0\0\xff\xff\xff\xff" + b"junk" * 9),
            "where a sequence item should begin",
        ),
        (part10(b"\x08\0\x05\0\xff\xff\xff\x7f", ImplicitVRLittleEndian), "are announced"),
        (part10(b"\xff" * 64, DeflatedExplicitVRLittleEndian), "cannot be inflated"),
        (bytes(128) + b"DICM" + b"\x02\0\x10\0UI\xff\xff1.2", "is damaged"),
    ],
)
def test_damaged_files(put, data, message):
    path = put(data)
    with pytest.raises(ParentError) as caught:
        ParentSeries.read(path)
    assert message in str(caught.value)
    assert str(path) in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_trailing_zeros_are_no_damage(put):
    assert ParentSeries.read(put(part10(ID + bytes(64)))).first.PatientID == "P1"


def test_pixel_data_that_is_cut_off_is_a_warning(folder):
    path = folder / "8.dcm"
    path.write_bytes(path.read_bytes()[:-7])
    series = ParentSeries.read(path)
    assert series.warnings[0].endswith("8.dcm: its pixel data is cut off (7 bytes are missing)")


@pytest.mark.parametrize("undefined", [True, False])
def test_depth_of_sequences(put, undefined):
    assert len(ParentSeries.read(put(nested(64, undefined=undefined)))) == 1
    with pytest.raises(ParentError, match="nested more than 64 deep"):
        ParentSeries.read(put(nested(65, undefined=undefined)))
    with pytest.raises(ParentError, match="nested more than 64 deep"):
        ParentSeries.read(put(nested(3000, undefined=undefined)))


@pytest.mark.parametrize("same", [True, False])
def test_the_number_of_elements_is_bounded(put, monkeypatch, same):
    monkeypatch.setattr("dicomwright.parents.scanner.MAX_ELEMENTS", 1000)

    def many(count):
        tags = [0x00110011 if same else 0x00110001 + at for at in range(count)]
        return part10(ID + b"".join(explicit(tag, b"LO", b"") for tag in tags))

    assert ParentSeries.read(put(many(999))).first.PatientID == "P1"
    with pytest.raises(ParentError, match="it has more than 1,000 elements"):
        ParentSeries.read(put(many(1000)))


def test_a_deflate_bomb_stops_at_the_limit(put):
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    head = ID + b"\x11\0\x01\x10OB\0\0" + struct.pack("<L", 2**31)
    body = (
        packer.compress(head) + b"".join(packer.compress(bytes(2**20)) for _ in range(160)) + packer.flush()
    )
    path = put(part10(body, DeflatedExplicitVRLittleEndian))
    tracemalloc.start()
    with pytest.raises(ParentError, match=r"more than the limit of 134,217,728"):
        ParentSeries.read(path)
    assert tracemalloc.get_traced_memory()[1] < 2**28
    tracemalloc.stop()


def test_a_bomb_of_pixels_is_not_inflated(put):
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    head = ID + b"\xe0\x7f\x10\0OW\0\0" + struct.pack("<L", 2**30)
    body = packer.compress(head) + b"".join(packer.compress(bytes(2**20)) for _ in range(64)) + packer.flush()
    tracemalloc.start()
    assert ParentSeries.read(put(part10(body, DeflatedExplicitVRLittleEndian))).first.PatientID == "P1"
    assert tracemalloc.get_traced_memory()[1] < 2**22
    tracemalloc.stop()


def test_a_sparse_file_with_a_huge_element_stops_at_the_limit(tmp_path):
    path = tmp_path / "sparse.dcm"
    with path.open("wb") as file:
        file.write(part10(ID + b"\x11\0\x01\x10OB\0\0" + struct.pack("<L", 2**31)))
        file.truncate(2**31 + 1000)
    with pytest.raises(ParentError, match="more than the limit of"):
        ParentSeries.read(path)


def test_pipes_devices_and_loops_are_never_entered(folder):
    os.mkfifo(folder / "pipe.dcm")
    (folder / "zero.dcm").symlink_to("/dev/zero")
    (folder / "loop").symlink_to(folder)
    series = ParentSeries.read(folder)
    assert len(series) == 6
    links, skipped = series.warnings
    assert links.startswith("links to folders are not followed: ")
    assert skipped.startswith("not regular files, left out: ")
    for name in ("pipe.dcm", "zero.dcm"):
        with pytest.raises(ParentError, match="is a pipe, a device or a socket, not a file"):
            ParentSeries.read([folder / name])


def test_a_link_that_leads_nowhere_may_be_a_slice(folder):
    (folder / "9.dcm").symlink_to(folder / "gone")
    with pytest.raises(ParentError, match=r"9\.dcm cannot be read \(No such file or directory\)"):
        ParentSeries.read(folder)


def test_a_file_without_permission(folder, monkeypatch):
    def refuse(path, _flags):
        raise PermissionError(errno.EACCES, "Permission denied", path)

    monkeypatch.setattr(os, "open", refuse)  # root, who may run the tests, may read every file
    with pytest.raises(ParentError, match=r"8\.dcm cannot be read \(Permission denied\)"):
        ParentSeries.read(folder)


def test_missing_paths(tmp_path):
    with pytest.raises(ParentError, match=r"nowhere cannot be read \(No such file or directory\)"):
        ParentSeries.read(tmp_path / "nowhere")
    with pytest.raises(ParentError, match="is a folder, not a file"):
        ParentSeries.read([tmp_path])


def test_folders_without_dicom(tmp_path):
    with pytest.raises(ParentError, match=r"there is no DICOM file in .* \(no files\)"):
        ParentSeries.read(tmp_path)
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(ParentError, match=r"there is no DICOM file in .* \(only notes\.txt\)"):
        ParentSeries.read(tmp_path)


def test_other_files_are_left_out_and_told(folder):
    (folder / "README.txt").write_text("hello")
    (folder / ".DS_Store").write_bytes(b"\0\0")
    (folder / "deeper").mkdir()
    (folder / "8.dcm").rename(folder / "deeper" / "no-suffix")
    series = ParentSeries.read(folder)
    assert len(series) == 6
    assert series.warnings == (f"not DICOM, left out: {folder / 'README.txt'}",)


def test_a_file_named_dicom_that_is_none_may_be_a_lost_slice(folder):
    (folder / "9.dcm").write_text("quota exceeded")
    with pytest.raises(ParentError, match=r"9\.dcm is not a DICOM file"):
        ParentSeries.read(folder)


def test_each_bad_file_is_told_up_to_a_bound(folder):
    for number in range(200):
        (folder / f"a{number:03}.dcm").write_bytes(b"")
    with pytest.raises(ParentError) as caught:
        ParentSeries.read(folder)
    assert len(caught.value.problems) == 20


def test_a_dicomdir_is_an_index_that_is_not_followed(folder, write, slices):
    index = slices(places=[0], SOPInstanceUID="2.25.1")[0]
    index.SOPClassUID = "1.2.840.10008.1.3.10"
    write(index, folder / "DICOMDIR")
    assert len(ParentSeries.read(folder)) == 6
    with pytest.raises(ParentError, match="DICOMDIR, an index that is not followed"):
        ParentSeries.read(folder / "DICOMDIR")


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_mutants_give_a_header_or_our_error(folder, data):
    raw = bytearray((folder / "8.dcm").read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(128, len(raw) - 1))] = data.draw(st.integers(0, 255))
    path = folder / "mutant"
    path.write_bytes(raw[: data.draw(st.integers(120, len(raw)))])
    with contextlib.suppress(DicomwrightError):
        series = ParentSeries.read(path)
        for tag in series.first.keys():  # noqa: SIM118 - a Dataset iterates over elements
            series.element(tag)


@pytest.mark.parametrize("name", ["CT_small", "MR_small", "rtplan", "priv_SQ", "image_dfl", "reportsi"])
def test_headers_are_what_pydicom_reads(name):
    path = pydicom.data.get_testdata_file(f"{name}.dcm")
    expected = pydicom.dcmread(path, stop_before_pixels=True)
    header = read_header(pathlib.Path(path)).dataset
    for element in expected:
        if element.tag.element:
            assert header[element.tag] == element


@pytest.mark.parametrize("terms", [b"ISO_IR 1\0X", b"KLINGON", b"\xff\xfe"])
def test_character_sets_that_are_none_are_told(put, terms):
    series = ParentSeries.read(put(part10(explicit(0x00080005, b"CS", terms) + ID)))
    assert "SpecificCharacterSet (0008,0005)" in series.warnings[0]
    assert series.element(0x00100020).value == "P1"


def test_limits_of_a_series_are_named(folder, monkeypatch):
    monkeypatch.setattr("dicomwright.parents.files.SERIES_LIMIT", 1000)
    with pytest.raises(ParentError, match=r"hold more than 1,000 bytes"):
        ParentSeries.read(folder)
    monkeypatch.setattr("dicomwright.parents.files.MAX_FILES", 5)
    with pytest.raises(ParentError, match="holds more than 5 files"):
        ParentSeries.read(folder)


def test_a_sequence_that_is_damaged_within_its_bounds_is_left_out(put):
    damaged = b"\x08\0\x40\x11SQ\0\0" + struct.pack("<L", 12) + b"junkjunkjunk"
    series = ParentSeries.read(put(part10(damaged + ID)))
    assert series.element(0x00100020).value == "P1"
    assert "(0008,1140) is damaged and was left out: " in series.warnings[0]
    assert series.element(0x00081140) is None


def test_encapsulated_bytes_outside_pixel_data_are_left_out(put):
    fragments = b"\xfe\xff\x00\xe0\4\0\0\0abcd\xfe\xff\xdd\xe0\0\0\0\0"
    body = b"\x09\0\x01\x10OB\0\0\xff\xff\xff\xff" + fragments + ID
    series = ParentSeries.read(put(part10(body)))
    assert sorted(series.first.keys()) == [0x00100020]
    assert series.warnings[0].endswith("(0009,1001) of undefined length was left out")


def test_implicit_items_in_unknown_sequences_are_read(put):
    item = b"\xfe\xff\x00\xe0\x0c\0\0\0" + b"\x08\0\x04\x01\4\0\0\0name"
    known = b"\x08\0\x40\x11UN\0\0" + struct.pack("<L", len(item)) + item
    private = b"\x09\0\x01\x10UN\0\0\xff\xff\xff\xff" + item + b"\xfe\xff\xdd\xe0\0\0\0\0"
    series = ParentSeries.read(put(part10(known + private)))
    assert series.element(0x00081140).value[0].CodeMeaning == "name"
    assert series.element(0x00091001).value[0].CodeMeaning == "name"
    assert series.warnings[:-1] == ()
