"""The fixtures of the kit, which pytest finds by itself where ``dicomwright[testing]`` is installed.

Nothing here runs unless a test asks for it, and importing it loads no numpy and no pydicom.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from dicomwright.plugins import PluginSet
    from dicomwright.testing.temporary import PluginSite

pytest.register_assert_rewrite("dicomwright.testing.conformance", "dicomwright.testing.assertions")


@pytest.fixture
def dicomwright_plugins(monkeypatch: pytest.MonkeyPatch) -> Callable[..., PluginSet]:
    """Return ``dicomwright_plugins(*modules) -> PluginSet``: the built-ins and these plug-ins, and no others.

    From the moment a test asks for it, that is also what all of dicomwright uses in this process: at first the
    built-ins alone, then what the last call gave.
    """
    from dicomwright.plugins import plugin_set
    from dicomwright.testing.temporary import plugin_set_of

    def use(*plugins: Any) -> PluginSet:
        found = plugin_set_of(*plugins)
        monkeypatch.setattr(plugin_set, "_default", [found])
        return found

    use()
    return use


@pytest.fixture
def dicomwright_site(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[PluginSite]:
    """Return a folder on the module path for plug-ins and bundles of this test: `PluginSite`."""
    from dicomwright.testing.temporary import PluginSite

    folder = tmp_path_factory.mktemp("site")
    before = set(sys.modules)
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield PluginSite(folder)
    for name in set(sys.modules) - before:
        if str(folder) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


@pytest.fixture
def dicomwright_clock() -> Iterator[dt.datetime]:
    """Have dates and times of all builds be those of one instant, which is returned."""
    from dicomwright.testing.frozen import frozen_clock

    with frozen_clock() as instant:
        yield instant


@pytest.fixture
def dicomwright_uids() -> Iterator[None]:
    """Have UIDs be the same in every run of the test."""
    from dicomwright.testing.frozen import frozen_uids

    with frozen_uids():
        yield


@pytest.fixture
def dicomwright_parents(tmp_path: Path) -> Path:
    """Return the folder of a small CT series, for use as parents."""
    from dicomwright.testing.parents import make_series, write_series

    write_series(make_series(), tmp_path / "parents", shuffled=True)
    return tmp_path / "parents"


@pytest.fixture
def dicomwright_nifti(tmp_path: Path) -> Path:
    """Return a small NIfTI file of the volume that `sample_volume` gives."""
    from dicomwright.testing.samples import write_nifti

    return write_nifti(tmp_path / "sample.nii")


@pytest.fixture
def dicomwright_pdf(tmp_path: Path) -> Path:
    """Return a small PDF document of two pages."""
    from dicomwright.testing.samples import write_pdf

    return write_pdf(tmp_path / "sample.pdf", pages=2)


@pytest.fixture
def dicomwright_raw(tmp_path: Path) -> Path:
    """Return a headerless file of the volume that `sample_volume` gives, described by a sidecar."""
    from dicomwright.testing.samples import write_raw

    return write_raw(tmp_path / "sample.raw")
