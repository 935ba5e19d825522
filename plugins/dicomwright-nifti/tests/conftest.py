"""NIfTI files made field by field, so that each test breaks exactly one."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from nibabel.nifti1 import Nifti1Header, Nifti1PairHeader
from nibabel.nifti2 import Nifti2Header, Nifti2PairHeader

from dicomwright_nifti.reader import NiftiReader

if TYPE_CHECKING:
    from pathlib import Path

# Oblique, anisotropic, left-handed: no two axes can be swapped unseen.
OBLIQUE = np.array(
    [[-0.8, 0.45, 0.9, 12.5], [0.3, 1.1, -1.2, -7.25], [0.2, 0.5, 2.6, 31.75], [0, 0, 0, 1]], np.float64
)
SHAPE = (5, 4, 3)
_KINDS = {
    (1, False): Nifti1Header,
    (1, True): Nifti1PairHeader,
    (2, False): Nifti2Header,
    (2, True): Nifti2PairHeader,
}


@dataclass
class Nifti:
    """The parts of a NIfTI file: header, what lies between, voxels."""

    header: bytes
    between: bytes
    voxels: bytes

    @property
    def single(self) -> bytes:
        return self.header + self.between + self.voxels

    def write(self, path: Path) -> Path:
        path.write_bytes(gzip.compress(self.single, 1) if path.suffix == ".gz" else self.single)
        return path

    def write_pair(self, header: Path, image: Path) -> Path:
        for path, data in ((header, self.header + self.between), (image, self.voxels)):
            path.write_bytes(gzip.compress(data, 1) if path.suffix == ".gz" else data)
        return header


def make_nifti(
    array: np.ndarray | None = None,
    *,
    order: str = "<",
    version: int = 1,
    pair: bool = False,
    between: bytes = b"\0\0\0\0",
    **fields: Any,
) -> Nifti:
    """Return a file with an oblique sform; `fields` are written over the header last, unchecked."""
    if array is None:
        array = np.arange(-30, 30, dtype="i2").reshape(SHAPE)
    header = _KINDS[version, pair](endianness=order)
    header.set_data_dtype(array.dtype)
    header.set_data_shape(array.shape)
    header["vox_offset"] = 0 if pair else header.template_dtype.itemsize + len(between)
    header["scl_slope"] = header["scl_inter"] = np.nan
    header["pixdim"][1:4] = 0.9, 1.3, 3
    header.set_sform(OBLIQUE, code=1)
    for name, value in fields.items():
        header[name] = value
    voxels = array.astype(array.dtype.newbyteorder(order)).tobytes(order="F")
    return Nifti(header.binaryblock, between, voxels)


@pytest.fixture
def nifti() -> Any:
    """Return the builder of NIfTI files."""
    return make_nifti


@pytest.fixture
def oblique() -> np.ndarray:
    """Return the RAS affine of the files that `nifti` builds, in float32 precision."""
    return OBLIQUE.astype("f4").astype("f8")


@pytest.fixture
def reader() -> NiftiReader:
    return NiftiReader()


@pytest.fixture
def refused(reader: NiftiReader) -> Any:
    """Return a function that reads a file and returns the one line that refuses it."""
    from dicomwright.errors import SourceError

    def read(path: Path, **options: str) -> str:
        with pytest.raises(SourceError) as caught:
            reader.read(path, options)
        text = str(caught.value)
        assert len(caught.value.problems) == 1
        assert "\n" not in text
        assert caught.value.problems[0].hint
        assert caught.value.problems[0].kind
        return text

    return read
