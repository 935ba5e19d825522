"""Parents made for the tests: small, anisotropic, not square, turned as asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ROWS, COLUMNS, SPACING = 5, 4, 2.5
DIRECTIONS = {
    "axial": ((1, 0, 0), (0, 1, 0)),
    "sagittal": ((0, 1, 0), (0, 0, -1)),
    "coronal": ((1, 0, 0), (0, 0, -1)),
    "oblique": ((0.8, 0.36, 0.48), (-0.6, 0.48, 0.64)),
}


@pytest.fixture(scope="session")
def slices() -> Callable[..., list[Dataset]]:
    """Return a maker of data sets: `places` are distances along the normal."""

    def make(plane: str = "axial", places: Any = range(6), **elements: Any) -> list[Dataset]:
        row, column = (np.array(direction, dtype=float) for direction in DIRECTIONS[plane])
        normal = np.cross(row, column)
        made = []
        for number, place in enumerate(places, start=1):
            image = Dataset()
            image.SOPClassUID = "1.2.840.10008.5.1.4.1.1.4"
            image.SOPInstanceUID = f"2.25.7.{number}"
            image.PatientID, image.StudyInstanceUID, image.SeriesInstanceUID = "P1", "2.25.5", "2.25.6"
            image.PatientName = "Sørensen^Åse"
            image.SpecificCharacterSet = "ISO_IR 100"
            image.InstanceNumber = number
            image.ImagePositionPatient = [
                f"{x:.6f}" for x in np.array([3, -7, 11]) + SPACING * place * normal
            ]
            image.ImageOrientationPatient = [f"{x:.6f}" for x in (*row, *column)]
            image.PixelSpacing, image.Rows, image.Columns = [0.9, 1.7], ROWS, COLUMNS
            image.BitsAllocated, image.PixelRepresentation, image.SamplesPerPixel = 16, 0, 1
            for keyword, value in elements.items():
                setattr(image, keyword, value)
            made.append(image)
        return made

    return make


@pytest.fixture(scope="session")
def write() -> Callable[..., Path]:
    """Return a writer of one data set."""

    def save(dataset: Dataset, path: Path, syntax: str = ExplicitVRLittleEndian, pixels: bytes = b"") -> Path:
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = syntax
        if pixels:
            dataset.PixelData = pixels
            dataset["PixelData"].VR = "OW"
        path.parent.mkdir(parents=True, exist_ok=True)
        dataset.save_as(path, enforce_file_format=True)
        return path

    return save


@pytest.fixture
def folder(slices: Callable[..., list[Dataset]], write: Callable[..., Path], tmp_path: Path) -> Path:
    """Return a folder of six axial slices, named against their order in space."""
    for image in slices():
        write(image, tmp_path / "series" / f"{9 - image.InstanceNumber}.dcm", pixels=b"\1\0" * ROWS * COLUMNS)
    return tmp_path / "series"
