"""The reader passes the battery that third parties' readers pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dicomwright.testing import ReaderConformance, sample_volume, write_nifti

if TYPE_CHECKING:
    from pathlib import Path

    from dicomwright import Volume


class TestNifti(ReaderConformance):
    module = "dicomwright_nifti.plugin"
    name = "nifti"

    @pytest.fixture
    def source(self, tmp_path: Path) -> Path:
        return write_nifti(tmp_path / "brain.nii")

    @pytest.fixture
    def expected(self) -> Volume:
        return sample_volume()


class TestCompressedNifti(TestNifti):
    @pytest.fixture
    def source(self, tmp_path: Path) -> Path:
        return write_nifti(tmp_path / "brain.nii.gz")
