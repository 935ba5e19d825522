"""The battery for bundles of blueprints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from dicomwright.testing.conformance.base import Conformance
from dicomwright.testing.samples import sample_volume
from dicomwright.testing.work import Job, built

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from dicomwright.bundle_check import BundleCheck

__all__ = ["BundleConformance"]


class BundleConformance(Conformance):
    """Asks of a bundle all that the core and users rely on.

    Give the fixture ``bundle``: its folder, its zip, or the project that packages it. Say ``others``, the modules of
    the plug-ins that it needs.

    Attributes
    ----------
    expected : mapping
        Values of the first instance by keyword, as texts, for the ids of blueprints of images that need no parents:
        ``{"site/mr": {"Manufacturer": "Site"}}``.
    kwargs : mapping
        Parameters for them.
    allow : tuple of str
        Parts of findings that are accepted.

    """

    kind: ClassVar[str] = "bundle"
    calls: ClassVar[int] = 2  # each builds every blueprint
    expected: Mapping[str, Mapping[str, str]] = {}  # a mapping that nobody changes
    kwargs: Mapping[str, Any] = {}  # the same
    allow: tuple[str, ...] = ()

    @pytest.fixture
    def bundle(self) -> Path:
        """Return the folder of the bundle."""
        raise NotImplementedError(f"{type(self).__name__} needs a fixture `bundle`, the folder of the bundle")

    @pytest.fixture
    def job(self, bundle: Path) -> Job:
        """Return the check of the bundle."""
        return self.job_of({"bundle": str(bundle)})

    @pytest.fixture
    def check(self, job: Job) -> BundleCheck:
        """Return what the check finds."""
        from dicomwright.bundle_check import check_bundle

        return check_bundle(job.case["bundle"], job.plugin_set())

    def test_check_finds_nothing(self, check: BundleCheck) -> None:
        """``dicomwright bundle check`` finds neither errors nor warnings."""
        found = [str(one) for one in check.findings if not any(text in str(one) for text in self.allow)]
        assert not found, "\n".join(found)

    def test_each_blueprint_can_be_built(self, check: BundleCheck) -> None:
        """Each blueprint is built and valid, or is a part of others."""
        wrong = {name: state for name, state in check.blueprints if state not in ("built", "part")}
        assert check.blueprints, "the bundle has no blueprints"
        assert not wrong, f"not built: {wrong}"

    def test_values_are_as_expected(self, job: Job, check: BundleCheck) -> None:
        """Builds have the values that are expected."""
        for identifier, values in self.expected.items():
            assert identifier in dict(check.blueprints), f"there is no {identifier}: {dict(check.blueprints)}"
            case = {
                "source": sample_volume(),
                "blueprints": (identifier,),
                "bundles": [job.case["bundle"]],
                "kwargs": dict(self.kwargs),
            }
            first = built(self.job_of(case), job.plugin_set())[0]
            found = {keyword: str(first[keyword].value) if keyword in first else None for keyword in values}
            assert found == dict(values), f"{identifier} gives {found}, not {dict(values)}"
