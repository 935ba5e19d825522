"""The validators pass the battery that third parties' validators pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pydicom
import pytest

from dicomwright.testing import ValidatorConformance

if TYPE_CHECKING:
    from pathlib import Path


class TestDciodvfy(ValidatorConformance):
    module = "dicomwright_validate.plugin"
    name = "dciodvfy"

    @pytest.fixture
    def broken(self, files: list[Path]) -> list[Path]:
        dataset = pydicom.dcmread(files[1])
        del dataset.SeriesInstanceUID
        dataset.save_as(files[1])
        return files
