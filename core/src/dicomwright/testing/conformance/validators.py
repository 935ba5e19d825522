"""The battery for validators."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import pytest

from dicomwright.testing.conformance.base import PluginConformance, snapshot
from dicomwright.testing.work import Job, instance_of, sample_files
from dicomwright.validate import validate
from dicomwright.validate.api import Complaint, Validator

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["ValidatorConformance"]

_SEVERITIES = ("error", "warning", "note")


class ValidatorConformance(PluginConformance):
    """Asks of a validator all that the core and users rely on.

    Say ``module`` and ``name``; give the fixture ``broken``: files that it must complain about.

    Attributes
    ----------
    values : mapping of str to str
        Values by keyword that good files need, such as ``{"PatientID": "4711"}``.

    """

    kind: ClassVar[str] = "validator"
    values: Mapping[str, str] = {}  # a mapping that nobody changes

    @pytest.fixture
    def files(self, tmp_path: Path) -> list[Path]:
        """Return files that are as they should be: a small MR series."""
        return sample_files(tmp_path / "good", self.values)

    @pytest.fixture
    def broken(self, files: list[Path]) -> list[Path]:
        """Return files that the validator must complain about."""
        raise NotImplementedError(
            f"{type(self).__name__} needs a fixture `broken`, made of {files} for example"
        )

    @pytest.fixture(autouse=True)
    def _available(self) -> None:
        """Skip what cannot be tested where the validator cannot run."""
        if self.name in self.plugin_set.registry("validator"):
            reason = instance_of(self.plugin_set, "validator", self.name).unavailable()
            if reason:
                pytest.skip(f"validator {self.name} cannot run here: {reason}")

    @pytest.fixture
    def job(self, files: list[Path]) -> Job:
        """Return the judging of the good files."""
        return self.job_of({"files": [str(file) for file in files]})

    def test_it_is_a_validator(self) -> None:
        """It has the methods of `dicomwright.validate.api.Validator`."""
        validator = instance_of(self.plugin_set, "validator", self.name)
        assert isinstance(validator, Validator), (
            f"{type(validator).__name__} lacks unavailable() or validate(files)"
        )
        assert isinstance(validator.unavailable(), str), "unavailable() is no text"

    def test_good_files_pass(self, files: list[Path]) -> None:
        """Nothing is wrong with files that are as they should be."""
        verdict = validate(files, [self.name], plugin_set=self.plugin_set)
        assert verdict.passed, f"it complains about good files: {[one.message for one in verdict.errors]}"

    def test_broken_files_do_not(self, broken: list[Path]) -> None:
        """It says in one line what is wrong, with a file that was given, or the files together."""
        found = list(instance_of(self.plugin_set, "validator", self.name).validate(broken))
        assert found, "it has nothing to say of the broken files"
        for one in found:
            assert isinstance(one, Complaint), f"it gives a {type(one).__name__}, not a Complaint"
            assert one.severity in _SEVERITIES, f"severity {one.severity!r} is none of {_SEVERITIES}"
            assert one.message.strip(), "a complaint without a message"
            assert one.file is None or one.file in broken, (
                f"it complains about {one.file}, which was not given"
            )

    def test_files_that_are_no_dicom(self, tmp_path: Path) -> None:
        """Garbage is a complaint, never an exception."""
        garbage = [tmp_path / "empty.dcm", tmp_path / "garbage.dcm"]
        garbage[0].write_bytes(b"")
        garbage[1].write_bytes(bytes(range(256)) * 4)
        validator = instance_of(self.plugin_set, "validator", self.name)
        try:
            found = list(validator.validate(garbage))
        except BaseException as error:
            raise AssertionError(f"files that are no DICOM raise {type(error).__name__}: {error}") from error
        assert found, "it has nothing to say of files that are no DICOM"

    def test_files_stay_as_they_are(self, files: list[Path]) -> None:
        """It changes nothing, and leaves nothing beside the files."""
        before = snapshot(files[0].parent)
        list(instance_of(self.plugin_set, "validator", self.name).validate(files))
        assert snapshot(files[0].parent) == before, "it changes the files, or leaves others beside them"
