"""Volumes that no two axes of can be swapped unseen, and what every refusal has in common."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from dicomwright.errors import DicomwrightError, SourceError
from dicomwright_raw.metaimage import MetaImageReader
from dicomwright_raw.nrrd import NrrdReader
from dicomwright_raw.numpy_files import NumpyReader
from dicomwright_raw.raw import RawReader

if TYPE_CHECKING:
    from pathlib import Path

READERS = {
    ".raw": RawReader, ".npy": NumpyReader, ".npz": NumpyReader, ".nrrd": NrrdReader, ".nhdr": NrrdReader,
    ".mha": MetaImageReader, ".mhd": MetaImageReader,
}  # fmt: skip


@pytest.fixture
def array() -> np.ndarray:
    """Return (slices, rows, columns) of different sizes."""
    return np.arange(-60, 60, dtype="i2").reshape(4, 5, 6)


@pytest.fixture
def read() -> Any:
    """Return a function that reads a file with the reader of its name."""

    def of(path: Path, **options: str) -> Any:
        return READERS[path.suffix]().read(path, options)

    return of


@pytest.fixture
def refused(read: Any) -> Any:
    """Return a function that reads a file and returns the one line that refuses it."""

    def of(path: Path, **options: str) -> str:
        with pytest.raises(SourceError) as caught:
            read(path, **options)
        (problem,) = caught.value.problems
        assert problem.hint
        assert problem.kind
        assert "\n" not in str(problem)
        return str(problem)

    return of


@pytest.fixture
def sitk() -> Any:
    """Return SimpleITK, the judge of NRRD and MetaImage."""
    from workbench import judges

    return judges._library("SimpleITK")


@pytest.fixture
def sitk_matrix() -> Any:
    """Return a function for the LPS matrix over (slice, row, column) of a SimpleITK image."""

    def of(image: Any) -> np.ndarray:
        steps = np.array(image.GetDirection()).reshape(3, 3) * image.GetSpacing()
        return np.column_stack([steps[:, ::-1], image.GetOrigin()])

    return of


WORDS = [b"-1", b"0", b"nan", b"1e400", b"99999999999999", b"(", b"%", b"../x", b"\0", b"\xff", b"\n", b":"]


def is_read(read: Any, path: Path) -> bool:
    """Tell whether a file is read; any error that is not ours ends the test."""
    try:
        read(path).array.max()
    except DicomwrightError as error:
        problems = error.problems
    else:
        return True
    assert not any("\n" in str(problem) for problem in problems)
    return False


@pytest.fixture
def readable(read: Any) -> Any:
    """Return a function that tells whether a file is read or refused."""
    return lambda path: is_read(read, path)


@pytest.fixture
def mutants(read: Any) -> Any:
    """Return a function that damages a file many times: it is read, or refused by us, in little time."""

    def check(path: Path, seed: str, count: int = 600) -> None:
        data, draw, refusals = path.read_bytes(), random.Random(seed), 0
        for _ in range(count):
            mutant = bytearray(data)
            for _ in range(draw.randint(1, 3)):
                at = draw.randrange(len(mutant))
                mutant[at : at + draw.randint(0, 4)] = draw.choice(
                    [*WORDS, bytes([draw.randrange(256)]), b""]
                )
            if draw.random() < 0.1:
                del mutant[draw.randrange(len(mutant)) :]
            path.write_bytes(mutant)
            started = time.process_time()
            refusals += not is_read(read, path)
            assert time.process_time() - started < 5
        assert count / 10 < refusals < count

    return check
