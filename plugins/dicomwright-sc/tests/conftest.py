"""Pictures that no turn or mirror leaves the same, and what every refusal has in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from dicomwright import Blueprint, DicomFactory
from dicomwright.errors import DicomwrightError, SourceError
from dicomwright_sc.reader import PictureReader

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def rgb() -> np.ndarray:
    """Return a colour image of odd, different sides."""
    rows, columns = np.mgrid[:61, :97]
    return np.stack([rows * 4, columns * 2, (rows + 2 * columns) % 256], axis=-1).astype("u1")


@pytest.fixture
def grey16() -> np.ndarray:
    """Return a 16 bit grey image with both ends of the range."""
    return np.linspace(0, 65535, 61 * 97).round().astype("u2").reshape(61, 97)


@pytest.fixture
def read() -> Any:
    """Return a function that reads a picture and returns its frames."""
    return lambda path, **options: PictureReader().read(path, options)


@pytest.fixture
def refused(read: Any) -> Any:
    """Return a function that reads a picture and returns the one line that refuses it."""

    def of(path: Path, **options: str) -> str:
        with pytest.raises(SourceError) as caught:
            list(read(path, **options).images)
        (problem,) = caught.value.problems
        assert problem.hint
        assert problem.kind
        assert "\n" not in str(problem)
        return str(problem)

    return of


@pytest.fixture
def build() -> Any:
    """Return a function that builds secondary capture from any source."""

    def of(source: Any, parents: Any = None, elements: Any = (), **options: str) -> Any:
        blueprint = Blueprint(elements)
        return DicomFactory().build(
            source, blueprint, parents, encoder="secondary-capture", encoder_options=options
        )

    return of


@pytest.fixture
def refusal_of(build: Any) -> Any:
    """Return a function that builds in vain and returns the message."""

    def of(*args: Any, **options: Any) -> str:
        with pytest.raises(DicomwrightError) as caught:
            list(build(*args, **options))
        (problem,) = caught.value.problems
        assert problem.hint
        return str(problem)

    return of


@pytest.fixture
def written(dciodvfy: Any, dcmdump: Any, dcentvfy: Any, tmp_path: Path) -> Any:
    """Return a function that writes a series, has it judged, and returns its datasets as they are read."""

    def of(series: Any, name: str = "out") -> list[Any]:
        from pydicom import dcmread

        files = series.write(tmp_path / name)
        assert [error for file in files for error in dciodvfy(file)] == []
        assert dcentvfy(files) == []
        dcmdump(files[0])
        return [dcmread(file) for file in files]

    return of
