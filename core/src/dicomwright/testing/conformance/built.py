"""What the batteries have in common whose work is a build."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from dicomwright.payload import Volume
from dicomwright.testing.assertions import assert_valid
from dicomwright.testing.conformance.base import PluginConformance
from dicomwright.testing.samples import sample_volume
from dicomwright.testing.work import Job, built

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["BuildConformance"]


class BuildConformance(PluginConformance):
    """A battery whose work is a build.

    Attributes
    ----------
    blueprints : tuple of str
        The blueprints below.
    options : mapping of str to str
        Options of the encoder or codec.
    parents : bool
        Whether there is a parent series, a CT of five slices.
    allow : tuple of str
        Parts of messages of validators that are accepted.

    """

    calls: ClassVar[int] = 4
    blueprints: tuple[str, ...] = ("mr-image",)
    options: Mapping[str, str] = {}  # a mapping that nobody changes
    kwargs: Mapping[str, Any] = {}  # the same
    parents: bool = False
    allow: tuple[str, ...] = ()

    @pytest.fixture
    def parent_series(self, tmp_path: Path) -> Path | None:
        """Return the folder of the parent series, if there is one."""
        if not self.parents:
            return None
        from dicomwright.testing.parents import make_series, write_series

        write_series(make_series(), tmp_path / "parents")
        return tmp_path / "parents"

    @pytest.fixture
    def payload(self, parent_series: Path | None) -> Any:
        """Return what is built from: a small volume, in the place of the parents if there are any."""
        if parent_series is None:
            return sample_volume()
        from dicomwright.testing.assertions import files_of
        from dicomwright.testing.volumes import read_volume

        found = read_volume(files_of(parent_series))
        return Volume(found.array.astype("i2"), found.affine)

    def case(self, payload: Any, parent_series: Path | None, **more: Any) -> dict[str, Any]:
        """Return what a build is made of."""
        return {
            "source": payload,
            "parents": parent_series,
            "blueprints": self.blueprints,
            "options": dict(self.options),
            "kwargs": dict(self.kwargs),
            **more,
        }

    def another(self, job: Job, folder: Path) -> Job:  # noqa: ARG002  # nothing is written
        """Return the build of fewer slices."""
        source = job.case["source"]
        if not isinstance(source, Volume) or len(source.array) < 2:  # noqa: PLR2004  # there must be fewer
            return job
        return self.job_of({**job.case, "source": replace(source, array=source.array[:-1])})

    def test_output_is_valid(self, job: Job, tmp_path: Path) -> None:
        """What is written passes the validators."""
        built(job, job.plugin_set()).write(tmp_path / "valid", fsync=False)
        assert_valid(tmp_path / "valid", allow=self.allow)

    def test_order_of_instances_does_not_count(self, job: Job) -> None:
        """An instance is the same whichever is made first: several threads write a series."""
        series, again = (built(job, job.plugin_set()) for _ in range(2))
        backwards = [again[index] for index in reversed(range(len(again)))]
        assert list(series) == backwards[::-1], (
            f"{self.kind} {self.name} gives other instances if the last is made first"
        )
