"""What the core itself provides passes the batteries, too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pydicom
import pytest

from dicomwright.testing import (
    CodecConformance,
    EncoderConformance,
    ExecutorConformance,
    ValidatorConformance,
)

if TYPE_CHECKING:
    from pathlib import Path


class TestImage(EncoderConformance):
    name = "image"
    blueprints = ("ct-image",)
    shows_volume = True
    bad_options = {"slicing": "askew", "non_finite": "x", "quantise": "x", "shear": "x"}


class TestImageWithParents(TestImage):
    parents = True


class TestPlanarStack(EncoderConformance):
    name = "planar-stack"
    blueprints = ("nm-image",)


class TestDeflated(CodecConformance):
    name = "deflated"


class TestImplicit(CodecConformance):
    name = "implicit-le"


class TestStandard(ValidatorConformance):
    name = "standard"

    @pytest.fixture
    def broken(self, files: list[Path]) -> list[Path]:
        dataset = pydicom.dcmread(files[1])
        del dataset.SeriesInstanceUID
        dataset.save_as(files[1])
        return files


class TestProcess(ExecutorConformance):
    name = "process"
