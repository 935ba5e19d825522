"""Parent series: read, refuse, order, pair, copy from."""

from __future__ import annotations

from dicomwright.parents.copying import fresh_element
from dicomwright.parents.pairing import Pairing
from dicomwright.parents.series import ParentSeries

__all__ = ["Pairing", "ParentSeries", "fresh_element"]
