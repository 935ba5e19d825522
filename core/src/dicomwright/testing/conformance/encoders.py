"""The battery for encoders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, cast

import pytest

from dicomwright.encoders.api import Encoder
from dicomwright.errors import DicomwrightError
from dicomwright.payload import Volume
from dicomwright.testing.assertions import assert_same_volume
from dicomwright.testing.conformance.built import BuildConformance
from dicomwright.testing.work import Job, built, instance_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from dicomwright.plugins import EncoderSpec

__all__ = ["EncoderConformance"]

_NONSENSE = "no such value"


class EncoderConformance(BuildConformance):
    """Asks of an encoder all that the core and users rely on.

    Say ``module`` and ``name``; give the fixture ``payload``, unless it takes any `Volume`; and ``blueprints`` if it
    does not complete its IOD by itself.

    Attributes
    ----------
    bad_options : mapping of str to str
        Options with values that it must refuse; each declared option with nonsense, if not given.
    shows_volume : bool
        Whether the files are single-frame images that show the volume where it is.

    """

    kind: ClassVar[str] = "encoder"
    blueprints: tuple[str, ...] = ()
    bad_options: Mapping[str, str] | None = None
    shows_volume: bool = False

    @pytest.fixture
    def refused(self) -> list[Any]:
        """Return payloads of the right class that the encoder must refuse."""
        return []

    @pytest.fixture
    def job(self, payload: Any, parent_series: Path | None) -> Job:
        """Return the build of the payload."""
        return self.job_of(self.case(payload, parent_series))

    def test_it_is_an_encoder(self) -> None:
        """It has the method of `dicomwright.encoders.api.Encoder`."""
        encoder = instance_of(self.plugin_set, "encoder", self.name)
        assert isinstance(encoder, Encoder), f"{type(encoder).__name__} lacks encode(payload, request)"

    def test_it_takes_what_it_says(self, job: Job) -> None:
        """The descriptor names the payload's class; and what is built is one of its SOP classes."""
        spec = cast("EncoderSpec", self.spec)
        plugins = job.plugin_set()
        series = built(job, plugins)
        payload = type(job.case["source"]).__name__
        if payload in ("Volume", "Frames", "Document"):
            assert payload in spec.payloads, f"it takes a {payload}, and its descriptor says {spec.payloads}"
        found = {str(dataset.SOPClassUID) for dataset in series}
        assert not spec.sop_classes or found <= {*spec.sop_classes}, (
            f"it makes {found}, not {spec.sop_classes}"
        )

    def test_pixels_are_where_they_belong(self, job: Job, tmp_path: Path) -> None:
        """Values and places are those of the volume, if `shows_volume` says that this can be seen."""
        series = built(job, job.plugin_set())
        series.write(tmp_path / "out", fsync=False)
        assert len(series) == len(list((tmp_path / "out").iterdir()))
        if self.shows_volume:
            assert isinstance(job.case["source"], Volume), "shows_volume is about volumes"
            assert_same_volume(tmp_path / "out", job.case["source"])

    def test_bad_payloads_and_options_are_refused(self, job: Job, refused: list[Any], tmp_path: Path) -> None:
        """One clear error each, nothing written."""
        options = self.bad_options
        if options is None:
            options = {option.name: _NONSENSE for option in cast("EncoderSpec", self.spec).options}
        jobs = [
            (f"{name}={value}", self.job_of({**job.case, "options": {**job.case["options"], name: value}}))
            for name, value in options.items()
        ]
        jobs += [(repr(payload), self.job_of({**job.case, "source": payload})) for payload in refused]
        if jobs:
            self.check_refusals(jobs, DicomwrightError, tmp_path)
