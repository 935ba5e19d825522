"""The battery for codecs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, cast

import pydicom
import pytest

from dicomwright.errors import DicomwrightError
from dicomwright.testing.assertions import assert_same_volume
from dicomwright.testing.conformance.built import BuildConformance
from dicomwright.testing.work import Job, built, instance_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from dicomwright.plugins import CodecSpec

__all__ = ["CodecConformance"]

_NONSENSE = "no such value"


class CodecConformance(BuildConformance):
    """Asks of a codec all that the core and users rely on. Say ``module`` and ``name``.

    Attributes
    ----------
    bad_options : mapping of str to str
        Options with values that it must refuse; each declared option with nonsense, if not given.

    """

    kind: ClassVar[str] = "codec"
    bad_options: Mapping[str, str] | None = None

    @pytest.fixture
    def job(self, payload: Any, parent_series: Path | None) -> Job:
        """Return the build of the payload."""
        return self.job_of(self.case(payload, parent_series))

    def test_it_is_a_codec(self) -> None:
        """It has the method of `dicomwright.encoders.codecs.Codec`."""
        codec = instance_of(self.plugin_set, "codec", self.name)
        assert hasattr(codec, "compression"), f"{type(codec).__name__} lacks compression(request)"

    def test_pixels_come_back(self, job: Job, tmp_path: Path) -> None:
        """Files say their transfer syntax, and, unless the codec is lossy, hold every value of the volume."""
        spec = cast("CodecSpec", self.spec)
        files = built(job, job.plugin_set()).write(tmp_path / "out", fsync=False)
        found = {str(pydicom.dcmread(file).file_meta.TransferSyntaxUID) for file in files}
        assert found == {spec.uid}, f"the files are in {found}, not {spec.uid}"
        if not spec.lossy:
            assert_same_volume(tmp_path / "out", job.case["source"])

    def test_bad_options_are_refused(self, job: Job, tmp_path: Path) -> None:
        """One clear error each, nothing written."""
        options = self.bad_options
        if options is None:
            options = {option.name: _NONSENSE for option in cast("CodecSpec", self.spec).options}
        jobs = [
            (f"{name}={value}", self.job_of({**job.case, "options": {**job.case["options"], name: value}}))
            for name, value in options.items()
        ]
        if jobs:
            self.check_refusals(jobs, DicomwrightError, tmp_path)
