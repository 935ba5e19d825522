"""The bundle passes the battery that third parties' bundles pass."""

from __future__ import annotations

from pathlib import Path

import pytest

from dicomwright.testing import BundleConformance


class TestBundle(BundleConformance):
    @pytest.fixture
    def bundle(self) -> Path:
        return Path(__file__).parents[1]
