"""Reader and encoder pass the batteries that those of third parties pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from dicomwright import Frames
from dicomwright.testing import EncoderConformance, ReaderConformance

if TYPE_CHECKING:
    from pathlib import Path


def _picture() -> np.ndarray:
    rows, columns = np.mgrid[:21, :33]
    return np.stack([rows * 4, columns * 2, (rows + 2 * columns) % 256], axis=-1).astype("u1")


class TestReader(ReaderConformance):
    module = "dicomwright_sc.plugin"
    name = "picture"

    @pytest.fixture
    def source(self, tmp_path: Path) -> Path:
        Image.fromarray(_picture()).save(tmp_path / "photo.png")
        return tmp_path / "photo.png"


class TestEncoder(EncoderConformance):
    module = "dicomwright_sc.plugin"
    name = "secondary-capture"
    bad_options = {"mode": "askew"}  # nobody changes it

    @pytest.fixture
    def payload(self) -> Frames:
        return Frames([_picture(), _picture()[:11]])


class TestMultiframe(TestEncoder):
    options = {"mode": "multiframe"}  # nobody changes it

    @pytest.fixture
    def payload(self) -> Frames:
        return Frames([_picture(), _picture()[::-1]])

    @pytest.fixture
    def refused(self) -> list[Frames]:
        return [Frames([_picture(), _picture()[:11]])]
