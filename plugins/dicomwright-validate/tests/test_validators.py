"""The validators find what is wrong in files, and pass what is right."""

import os
from pathlib import Path

import numpy as np
import pydicom
import pytest

from dicomwright import Blueprint, DicomFactory, Volume
from dicomwright.errors import PublishError
from dicomwright.plugins import load
from dicomwright.validate import Validator, validate, validating
from dicomwright_validate.dciodvfy import Dciodvfy
from dicomwright_validate.dicom_validator import DicomValidator
from workbench.judges import absent

AFFINE = [[0, 0, 1.5, -7], [0, 2, 0, 5], [3, 0, 0, 11], [0, 0, 0, 1]]


@pytest.fixture
def series():
    return DicomFactory().build(
        Volume(np.arange(60, dtype=np.int16).reshape(3, 4, 5), AFFINE), Blueprint.load("ct-image")
    )


@pytest.fixture
def files(series, tmp_path):
    return series.write(tmp_path / "out")


@pytest.fixture
def dciodvfy():
    found = Dciodvfy()
    if found.unavailable():
        absent("dciodvfy", found.unavailable())
    return found


@pytest.fixture
def dicom_validator():
    """Return the validator, whose tables of the standard only the net has."""
    found = DicomValidator()
    if found.unavailable():
        pytest.skip(found.unavailable())
    return found


def change(path, **values):
    dataset = pydicom.dcmread(path)
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    dataset.save_as(path)


def test_both_are_registered():
    registry = load().registry("validator")
    assert set(registry.names()) >= {"standard", "dciodvfy", "dicom-validator"}
    assert isinstance(registry.resolve("dciodvfy")(), Validator)
    assert isinstance(registry.resolve("dicom-validator")(), Validator)
    assert registry.provider("dciodvfy").distribution == "dicomwright-validate"


class TestDciodvfy:
    def test_what_is_right(self, files, dciodvfy):
        assert [one for one in dciodvfy.validate(files) if one.severity == "error"] == []

    def test_deflated_files_are_read_as_plain_ones(self, tmp_path, dciodvfy):
        volume = Volume(np.arange(60, dtype=np.int16).reshape(3, 4, 5), AFFINE)
        series = DicomFactory().build(volume, Blueprint.load("ct-image"), transfer_syntax="deflated")
        files = series.write(tmp_path / "out")
        assert [one for one in dciodvfy.validate(files) if one.severity == "error"] == []
        change(files[1], PatientID="other")
        change(files[2], ImageType=None)
        said = [one for one in dciodvfy.validate(files) if one.severity == "error"]
        assert {one.file for one in said} == {None, files[2]}
        assert any(str(files[1]) in one.message for one in said)

    def test_what_is_wrong(self, files, dciodvfy):
        dataset = pydicom.dcmread(files[1])
        del dataset.ImageType
        dataset.save_as(files[1])
        errors = [one for one in dciodvfy.validate(files) if one.severity == "error"]
        assert {one.file for one in errors} == {files[1]}
        assert any("ImageType" in one.message for one in errors)

    def test_files_together(self, files, dciodvfy):
        change(files[1], PatientID="other")
        assert any("PatientID" in one.message for one in dciodvfy.validate(files) if one.file is None)

    def test_images_that_are_referred_to_need_not_be_there(self, make_series, tmp_path, dciodvfy):
        parents = make_series(modality="CT")
        array = np.zeros((len(parents), parents[0].Rows, parents[0].Columns), np.int16)
        files = DicomFactory().build(array, Blueprint.load("ct-image"), parents).write(tmp_path / "out")
        assert "SourceImageSequence" in pydicom.dcmread(files[0])
        assert [one for one in dciodvfy.validate(files) if one.severity == "error"] == []

    def test_what_is_no_dicom(self, tmp_path, dciodvfy):
        path = tmp_path / "a.dcm"
        path.write_bytes(b"nothing")
        assert [one.severity for one in dciodvfy.validate([path])].count("error") >= 1

    def test_programs_that_are_missing(self, monkeypatch):
        monkeypatch.setattr("dicomwright_validate.dciodvfy._program", lambda _: None)
        assert Dciodvfy().unavailable().startswith("dciodvfy and dcentvfy not found")

    def test_a_program_that_hangs_or_breaks(self, files, tmp_path, monkeypatch):
        program = tmp_path / "broken"
        program.write_text("#!/bin/sh\necho broken\nexit 77\n")
        program.chmod(0o755)
        monkeypatch.setattr("dicomwright_validate.dciodvfy._program", lambda _: program)
        messages = [one.message for one in Dciodvfy().validate(files)]
        assert "dciodvfy gave no verdict (77): broken" in messages
        assert "dcentvfy gave no verdict (77): broken" in messages


@pytest.mark.parametrize("name", ["ct-image", "mr-image", "pet-image", "nm-image"])
@pytest.mark.parametrize("with_parents", [False, True])
@pytest.mark.parametrize("kind", [np.int16, np.uint8, np.float32])
def test_shipped_image_blueprints(name, with_parents, kind, make_series, tmp_path):
    """No validator that can run here finds an error, whatever the values and wherever the patient comes from."""
    array = np.random.default_rng(6).uniform(1, 200, (4, 5, 6)).astype(kind)
    volume, parents = Volume(array, AFFINE), None
    if with_parents:
        parents = make_series(modality="CT" if name == "ct-image" else "MR")
        volume = Volume(np.ones((len(parents), parents[0].Rows, parents[0].Columns), kind))
    series = DicomFactory().build(volume, Blueprint.load(name), parents)
    verdict = validate(series.write(tmp_path / "out"))
    assert verdict.errors == ()


LISTING = """Using DICOM edition 2020b
Validating DICOM file {0}
SOP class is "1.2.840.10008.5.1.4.1.1.2" (CT Image IOD)

Errors
======
Module "CT Image":
Tag (0018,0060) (KVP) is missing

Module "General":
Tag (0018,1040) (Contrast/Bolus Route) is unexpected

======
Validating DICOM file {1}
Unknown SOPClassUID (probably retired): 1.2.3
"""


class TestDicomValidator:
    @pytest.fixture
    def tables(self, tmp_path, monkeypatch):
        (tmp_path / "tables" / "2020b").mkdir(parents=True)
        (tmp_path / "tables" / "2019e").mkdir()
        monkeypatch.setenv("DICOMWRIGHT_DICOM_STANDARD", str(tmp_path / "tables"))
        monkeypatch.setattr("dicomwright_validate.dicom_validator.find_spec", lambda _: object())

    @pytest.mark.usefixtures("tables")
    def test_its_listing(self, monkeypatch):
        asked = []

        def run(command, _):
            asked.append(command)
            return 1, LISTING.format("/a/1.dcm", "/a/2.dcm")

        monkeypatch.setattr("dicomwright_validate.dicom_validator.run", run)
        files = [Path("/a/1.dcm"), Path("/a/2.dcm")]
        said = [(one.severity, one.message, one.file) for one in DicomValidator().validate(files)]
        assert said == [
            ("error", "CT Image: Tag (0018,0060) (KVP) is missing", files[0]),
            ("warning", "General: Tag (0018,1040) (Contrast/Bolus Route) is unexpected", files[0]),
            ("note", "Unknown SOPClassUID (probably retired): 1.2.3", files[1]),
        ]
        assert asked[0][asked[0].index("--edition") + 1] == "2020b"

    @pytest.mark.usefixtures("tables")
    def test_no_verdict(self, monkeypatch):
        monkeypatch.setattr("dicomwright_validate.dicom_validator.run", lambda *_: (1, "aborting"))
        (one,) = DicomValidator().validate([Path("a.dcm")])
        assert one.message == "dicom-validator gave no verdict (1): aborting"

    def test_without_tables(self, tmp_path, monkeypatch):
        monkeypatch.setattr("dicomwright_validate.dicom_validator.find_spec", lambda _: object())
        monkeypatch.setenv("DICOMWRIGHT_DICOM_STANDARD", str(tmp_path))
        assert "no tables of the standard" in DicomValidator().unavailable()

    def test_not_installed(self, monkeypatch):
        monkeypatch.setattr("dicomwright_validate.dicom_validator.find_spec", lambda _: None)
        assert 'pip install "dicomwright-validate[dicom-validator]"' in DicomValidator().unavailable()

    def test_for_real(self, files, dicom_validator):
        assert [one for one in dicom_validator.validate(files) if one.severity == "error"] == []

    def test_nothing_in_the_working_folder_is_imported(self, files, dicom_validator, tmp_path, monkeypatch):
        (tmp_path / "json.py").write_text("raise SystemExit('imported')")
        monkeypatch.chdir(tmp_path)
        assert [one for one in dicom_validator.validate(files) if one.severity == "error"] == []


def test_a_build_that_fails_is_not_published(series, tmp_path, dciodvfy):
    assert isinstance(dciodvfy, Dciodvfy)
    series[1].Modality = ""
    with pytest.raises(PublishError, match="Modality"):
        series.write(tmp_path / "bad", checks=[validating(["dciodvfy"])])
    assert not os.path.lexists(tmp_path / "bad")


def test_all_that_can_run(files):
    verdict = validate(files)
    assert verdict.passed
    assert {row["name"] for row in verdict.validators} >= {"standard", "dciodvfy", "dicom-validator"}
