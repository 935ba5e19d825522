"""The fixtures, light to import: each loads what it needs when a test asks for it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pydicom.dataset import Dataset

    from dicomwright.testing.volumes import SpatialArray, VolumeMatch
    from workbench.certificates import Certificates

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def workspace() -> Path:
    """Return the root folder of the checkout."""
    return ROOT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder with real test data."""
    named = os.environ.get("DICOMWRIGHT_TEST_DATA")
    folder = Path(named) if named else ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        outcome = pytest.fail if os.environ.get("DICOMWRIGHT_REQUIRE_DATA") == "1" else pytest.skip
        outcome(f"test data is not at {folder}; set DICOMWRIGHT_TEST_DATA to its folder")
    return folder


@pytest.fixture(scope="session")
def dciodvfy() -> Callable[[os.PathLike[str] | str], list[str]]:
    """Return `dciodvfy(file) -> errors`."""
    from workbench import judges

    return judges.dciodvfy


@pytest.fixture(scope="session")
def dcentvfy() -> Callable[[Iterable[os.PathLike[str] | str]], list[str]]:
    """Return `dcentvfy(files) -> errors`."""
    from workbench import judges

    return judges.dcentvfy


@pytest.fixture
def dcm2niix(tmp_path_factory: pytest.TempPathFactory) -> Callable[[os.PathLike[str] | str], list[Any]]:
    """Return `dcm2niix(folder) -> nibabel images`."""
    from workbench import judges

    return lambda folder: judges.dcm2niix(folder, tmp_path_factory.mktemp("dcm2niix"))


@pytest.fixture(scope="session")
def sitk_read() -> Callable[[os.PathLike[str] | str], SpatialArray]:
    """Return `sitk_read(folder) -> SpatialArray(affine, array)` with axes (slices, rows, columns) in LPS."""
    from workbench import judges

    return judges.sitk_read


@pytest.fixture(scope="session")
def dcmdump() -> Callable[[os.PathLike[str] | str], str]:
    """Return `dcmdump(file) -> listing`."""
    from workbench import judges

    return judges.dcmdump


@pytest.fixture(scope="session")
def run_dcmtk() -> Callable[..., str]:
    """Return `run_dcmtk(program, *arguments) -> text`."""
    from workbench import judges

    return judges.run_dcmtk


@pytest.fixture(scope="session")
def compare_volumes() -> Callable[..., VolumeMatch]:
    """Return `compare_volumes(affine_a, array_a, affine_b, array_b) -> VolumeMatch`."""
    from dicomwright.testing import volumes

    return volumes.compare_volumes


@pytest.fixture(scope="session")
def nifti_in_lps() -> Callable[[Any], SpatialArray]:
    """Return `nifti_in_lps(nibabel image) -> SpatialArray(affine, array)`, axes as in the image."""
    from dicomwright.testing import volumes

    return volumes.SpatialArray.from_nifti


@pytest.fixture(scope="session")
def make_series() -> Callable[..., list[Dataset]]:
    """Return `make_series(modality="CT", orientation="axial", ...) -> datasets`: see `dicomwright.testing.parents`."""
    from dicomwright.testing import parents

    return parents.make_series


@pytest.fixture(scope="session")
def write_series() -> Callable[..., list[Path]]:
    """Return `write_series(datasets, folder) -> files`."""
    from dicomwright.testing import parents

    return parents.write_series


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Return files for encrypted connections: `ca`, `server`, `server_key`, `client`, `client_key`."""
    from workbench.certificates import make_certificates

    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(autouse=True)
def _docstring_examples_in_an_empty_folder(request: pytest.FixtureRequest) -> None:
    """Run each docstring's example where the files that it writes do no harm."""
    if isinstance(request.node, pytest.DoctestItem):
        folder = request.getfixturevalue("tmp_path")
        request.getfixturevalue("monkeypatch").chdir(folder)
