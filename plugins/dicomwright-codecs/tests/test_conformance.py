"""The codecs pass the battery that third parties' codecs pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dicomwright.testing import CodecConformance, sample_volume

if TYPE_CHECKING:
    from dicomwright import Volume


class TestRle(CodecConformance):
    module = "dicomwright_codecs.plugin"
    name = "rle"

    @pytest.fixture
    def payload(self) -> Volume:
        return sample_volume((3, 40, 50))  # JPEG 2000 takes no less than 32 by 32


class TestJpegLs(TestRle):
    name = "jpeg-ls"


class TestJpegLsNear(TestRle):
    name = "jpeg-ls-near"


class TestJpeg2000(TestRle):
    name = "jpeg2000"


class TestJpeg2000Lossless(TestRle):
    name = "jpeg2000-lossless"


class TestHtj2k(TestRle):
    name = "htj2k"


class TestHtj2kLossless(TestRle):
    name = "htj2k-lossless"


class TestHtj2kLosslessRpcl(TestRle):
    name = "htj2k-lossless-rpcl"
