"""The readers pass the battery that third parties' readers pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from dicomwright.testing import ReaderConformance, sample_volume, write_raw

if TYPE_CHECKING:
    from pathlib import Path

    from dicomwright import Volume

PLACE = {"spacing": "5,0.8,0.7", "convention": "LPS"}


class TestRawReader(ReaderConformance):
    module = "dicomwright_raw.plugin"
    name = "raw"

    @pytest.fixture
    def source(self, tmp_path: Path) -> Path:
        return write_raw(tmp_path / "scan.raw")

    @pytest.fixture
    def expected(self) -> Volume:
        return sample_volume()


class TestNumpyReader(ReaderConformance):
    module = "dicomwright_raw.plugin"
    name = "numpy"
    options = PLACE

    @pytest.fixture
    def source(self, tmp_path: Path) -> Path:
        np.save(tmp_path / "scan.npy", sample_volume().array)
        return tmp_path / "scan.npy"


class TestNrrdReader(ReaderConformance):
    module = "dicomwright_raw.plugin"
    name = "nrrd"

    @pytest.fixture
    def source(self, tmp_path: Path) -> Path:
        header = (
            "NRRD0004\ntype: int16\ndimension: 3\nsizes: 5 4 3\nencoding: raw\nendian: little\n"
            "space: left-posterior-superior\nspace directions: (1.25,0,0) (0,0.75,0) (0,0,2.5)\n"
            "space origin: (-31.5,17.25,-105)\n\n"
        )
        (tmp_path / "scan.nrrd").write_bytes(header.encode() + sample_volume().array.astype("<i2").tobytes())
        return tmp_path / "scan.nrrd"

    @pytest.fixture
    def expected(self) -> Volume:
        return sample_volume(
            affine=[[0, 0, 1.25, -31.5], [0, 0.75, 0, 17.25], [2.5, 0, 0, -105], [0, 0, 0, 1]]
        )


class TestMetaImageReader(ReaderConformance):
    module = "dicomwright_raw.plugin"
    name = "metaimage"

    @pytest.fixture
    def source(self, tmp_path: Path) -> Path:
        header = (
            "ObjectType = Image\nNDims = 3\nBinaryData = True\nBinaryDataByteOrderMSB = False\n"
            "TransformMatrix = 1 0 0 0 1 0 0 0 1\nOffset = -31.5 17.25 -105\nElementSpacing = 1.25 0.75 2.5\n"
            "DimSize = 5 4 3\nElementType = MET_SHORT\nElementDataFile = LOCAL\n"
        )
        (tmp_path / "scan.mha").write_bytes(header.encode() + sample_volume().array.astype("<i2").tobytes())
        return tmp_path / "scan.mha"

    @pytest.fixture
    def expected(self) -> Volume:
        return sample_volume(
            affine=[[0, 0, 1.25, -31.5], [0, 0.75, 0, 17.25], [2.5, 0, 0, -105], [0, 0, 0, 1]]
        )
