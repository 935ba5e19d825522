"""Finished files are judged: ours pass, and each thing that is wrong is said."""

import json
from contextlib import nullcontext

import numpy as np
import pydicom
import pytest
from click.testing import CliRunner
from pydicom.dataset import Dataset

from dicomwright import Blueprint, DicomFactory, StaticElement, Volume
from dicomwright.cli.group import cli
from dicomwright.errors import DicomwrightError, PublishError
from dicomwright.plugins import ValidatorSpec, load
from dicomwright.validate import Complaint, Validator, validate, validating

AFFINE = [[0, 0, 1.5, -7], [0, 2, 0, 5], [3, 0, 0, 11], [0, 0, 0, 1]]


@pytest.fixture
def files(tmp_path):
    array = np.random.default_rng(4).integers(-500, 2000, (4, 5, 6)).astype(np.int16)
    blueprint = Blueprint.load("ct-image") + Blueprint([StaticElement("PatientName", "PN", "Bjørn^Æ")])
    return DicomFactory().build(Volume(array, AFFINE), blueprint).write(tmp_path / "out")


@pytest.fixture
def changed(files):
    """Return `changed(change, only=None) -> verdict` of the core's validator over files that were changed."""

    def judged(change, only=None):
        for number, path in enumerate(files):
            if only is None or number == only:
                dataset = pydicom.dcmread(path)
                change(dataset)
                dataset.save_as(path)
        return validate(files, ["standard"])

    return judged


@pytest.mark.parametrize("name", ["mr-image", "ct-image", "pet-image"])
@pytest.mark.parametrize("kind", [np.int16, np.uint8, np.float32])
@pytest.mark.parametrize("with_parents", [False, True])
def test_what_we_build_passes(tmp_path, make_series, name, kind, with_parents):
    array = np.random.default_rng(5).uniform(1, 200, (4, 5, 6)).astype(kind)
    parents = None
    if with_parents:
        parents = make_series(modality="CT" if name == "ct-image" else "MR")
        array = np.ones((len(parents), parents[0].Rows, parents[0].Columns), kind)
    series = DicomFactory().build(
        Volume(array, None if with_parents else AFFINE), Blueprint.load(name), parents
    )
    series.write(tmp_path / "out", checks=[validating(["standard"])])
    found = series.result["validate"]
    assert (found["verdict"], found["errors"]) == ("pass", 0)
    verdict = validate(tmp_path / "out", ["standard"])
    allowed = ("RescaleIntercept", "RescaleSlope", "RescaleType")  # MR with a rescale is a standard extension
    assert [one.message for one in verdict.complaints if not one.message.startswith(allowed)] == []


def put(keyword, value):
    return lambda dataset: setattr(dataset, keyword, value)


def gone(keyword):
    return lambda dataset: delattr(dataset, keyword)


def set_meta(dataset):
    dataset.file_meta.MediaStorageSOPInstanceUID = "1.2.3"


def too_few_pixels(dataset):
    dataset.PixelData = dataset.PixelData[:-2]


def twelve_bits(dataset):
    dataset.BitsStored, dataset.HighBit = 8, 7


def bad_code(dataset):
    code = Dataset()
    code.CodeValue = "1"
    dataset.ProcedureCodeSequence = [code]


WRONG = [
    (
        gone("PatientBirthDate"),
        "error",
        "PatientBirthDate (0010,0030), type 2, Patient module (M) is not produced",
    ),
    (put("Modality", "MR"), "error", "Modality (0008,0060) is 'MR'"),
    (put("PatientSex", "X"), "error", "PatientSex (0010,0040): 'X' is not M or F or O"),
    (put("ImageType", ""), "error", "ImageType (0008,0008), type 1, CT Image module (M) is empty"),
    (put("EchoTime", "3"), "warning", "EchoTime (0018,0081) is no attribute of the CT Image IOD"),
    (bad_code, "warning", "ProcedureCodeSequence.CodeMeaning (0008,0104), type 1"),
    (set_meta, "error", "MediaStorageSOPInstanceUID of the file meta information is 1.2.3"),
    (
        put("HighBit", 11),
        "error",
        "HighBit 11 do not fit BitsAllocated 16",
    ),
    (too_few_pixels, "error", "PixelData (7FE0,0010) has 58 bytes, and Rows, Columns and the rest make 60"),
    (
        put("ImageOrientationPatient", [1, 0, 0, 0.1, 1, 0]),
        "error",
        "ImageOrientationPatient (0020,0037) is not two unit vectors at right angles",
    ),
    (twelve_bits, "error", "BitsStored 8 holds -128 to 127"),
]


@pytest.mark.filterwarnings("ignore::UserWarning")  # pydicom's words on what is wrong on purpose
@pytest.mark.parametrize("wrong", WRONG, ids=lambda row: row[2])
def test_one_file_that_is_wrong(changed, files, wrong):
    change, severity, message = wrong
    verdict = changed(change, only=2)
    said = [one for one in verdict.of(files[2]) if message in one.message]
    assert [one.severity for one in said] == [severity], verdict.complaints
    assert verdict.passed == (severity != "error")
    assert not verdict.of(files[1])


def replaced(path, old, new):
    data = path.read_bytes()
    assert data.count(old) == 1
    path.write_bytes(data.replace(old, new))


def test_text_without_its_character_set(files):
    replaced(files[0], b"\x08\x00\x05\x00CS\x0a\x00ISO_IR 192", b"\x08\x00\x06\x00LO\x0a\x00ISO_IR 192")
    messages = [one.message for one in validate(files, ["standard"]).of(files[0])]
    assert any("PatientName (0010,0010) has characters beyond ASCII" in message for message in messages)


def test_text_of_another_character_set(files):
    replaced(files[0], "Bjørn^Æ".encode() + b" ", b"Bj\xf8rn^\xc6\xc6\xc6 ")
    messages = [one.message for one in validate(files, ["standard"]).errors]
    assert any(
        "PatientName (0010,0010) is not text of the character set ISO_IR 192" in one for one in messages
    )


def test_values_that_are_not_legal(files):
    data = files[1].read_bytes()
    date = pydicom.dcmread(files[1]).ContentDate.encode()
    files[1].write_bytes(data.replace(date, b"20260230"))
    messages = [one.message for one in validate(files, ["standard"]).errors]
    assert any("ContentDate (0008,0023): there is no such day" in message for message in messages)


TOGETHER = [
    (
        put("PatientID", "other"),
        "error",
        "PatientID is not the same in the 4 files of one study: 00003.dcm differ",
    ),
    (put("FrameOfReferenceUID", "1.2.3"), "error", "FrameOfReferenceUID is not the same"),
    (put("StudyInstanceUID", "1.2.3"), "error", "StudyInstanceUID is not the same"),
    (
        put("ImagePositionPatient", [-7, 5, 15.5]),
        "warning",
        "the gaps between the slices run from 1.5 to 4.5 mm",
    ),
    (
        put("ImagePositionPatient", [-7, 5, 14]),
        "warning",
        "1 images of the series lie at the place of another",
    ),
    (put("ImageOrientationPatient", [0, 1, 0, 1, 0, 0]), "warning", "are not parallel"),
    (put("ImagePositionPatient", [-4, 5, 17]), "warning", "00003.dcm is 2.1 mm beside it"),
    (put("InstanceNumber", 77), "warning", "InstanceNumber (0020,0013) does not follow the slices"),
]


@pytest.mark.parametrize("wrong", TOGETHER, ids=lambda row: row[2])
def test_files_that_do_not_belong_together(changed, wrong):
    change, severity, message = wrong
    verdict = changed(change, only=2)
    assert [one.severity for one in verdict.of(None) if message in one.message] == [severity], (
        verdict.complaints
    )


def test_one_identity_for_two_files(files):
    files[2].write_bytes(files[1].read_bytes())
    verdict = validate(files, ["standard"])
    assert all("is that of 2 files" in verdict.of(path)[0].message for path in files[1:3])


def test_what_is_no_dicom(tmp_path):
    (tmp_path / "a.dcm").write_bytes(b"nothing")
    verdict = validate(tmp_path, ["standard"])
    assert "cannot be read as a DICOM file" in verdict.errors[0].message


def test_what_lies_in_a_folder_and_is_no_dicom_is_skipped(files):
    folder = files[0].parent
    (folder / "readme.txt").write_text("nothing")
    (folder / "DICOMDIR").write_bytes(files[0].read_bytes())
    files[1].rename(folder / "IM0001")
    verdict = validate(folder, ["standard"])
    assert verdict.passed
    assert [path.name for path in verdict.skipped] == ["DICOMDIR", "readme.txt"]
    assert folder / "IM0001" in verdict.files
    assert not validate([folder / "readme.txt"], ["standard"]).passed  # it was named
    done = CliRunner().invoke(cli, ["validate", str(folder), "--validator", "standard"])
    assert done.exit_code == 0
    assert "skipped, as not DICOM: DICOMDIR, readme.txt\n" in done.stdout


def test_nothing_to_judge(tmp_path):
    with pytest.raises(DicomwrightError, match="there is no DICOM file to validate"):
        validate(tmp_path)
    with pytest.raises(DicomwrightError, match="is neither a file nor a folder"):
        validate(tmp_path / "missing")


class Grumpy:
    def unavailable(self):
        return ""

    def validate(self, files):
        return [Complaint("error", "is not liked", file) for file in files]


class Absent(Grumpy):
    def unavailable(self):
        return "its program is not installed"


@pytest.fixture
def plugin_set(monkeypatch):
    """Return plug-ins with two more validators."""
    found = load(enabled=False)
    real = found.registry("validator")

    class Registry:
        def names(self):
            return ("absent", "grumpy", *real.names())

        def resolve(self, name):
            return {"absent": Absent, "grumpy": Grumpy()}.get(name) or real.resolve(name)

        def provider(self, _):
            return real.provider("standard")

        def using(self, _):
            return nullcontext()

    whole = type(found).registry
    monkeypatch.setattr(
        type(found), "registry", lambda own, kind: Registry() if kind == "validator" else whole(own, kind)
    )
    return found


def test_validators_of_plug_ins(files, plugin_set):
    verdict = validate(files, plugin_set=plugin_set)
    assert {one.validator for one in verdict.errors} == {"grumpy"}
    assert [row["unavailable"] for row in verdict.validators] == ["its program is not installed", "", ""]
    with pytest.raises(DicomwrightError, match="'absent' cannot run: its program is not installed"):
        validate(files, ["absent"], plugin_set=plugin_set)


def test_what_fails_is_not_published(tmp_path, plugin_set):
    series = DicomFactory().build(Volume(np.zeros((3, 4, 5), np.int16), AFFINE), Blueprint.load("mr-image"))
    with pytest.raises(PublishError, match=r"00001.dcm and 2 more: is not liked \(grumpy\)"):
        series.write(tmp_path / "out", checks=[validating(plugin_set=plugin_set)])
    assert list(tmp_path.iterdir()) == []


def test_protocol():
    assert isinstance(Grumpy(), Validator)
    assert ValidatorSpec(name="grumpy", summary="x", target="a.b:C").name == "grumpy"


class TestCommand:
    def test_json(self, files):
        done = CliRunner().invoke(
            cli, ["validate", str(files[0].parent), "--validator", "standard", "--json"]
        )
        assert done.exit_code == 0
        verdict = json.loads(done.stdout)
        assert (verdict["verdict"], verdict["series"]["verdict"]) == ("pass", "pass")
        assert [row["verdict"] for row in verdict["files"]] == ["pass"] * 4
        assert verdict["validators"][0]["name"] == "standard"

    def test_failure(self, files):
        files[0].write_bytes(b"x")
        done = CliRunner().invoke(cli, ["validate", str(files[0].parent), "--validator", "standard"])
        assert done.exit_code == 1
        assert "00001.dcm: error: cannot be read" in done.stdout
        assert "FAIL: 4 files, 1 with errors, asked: standard" in done.stdout
