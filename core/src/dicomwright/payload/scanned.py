"""A volume together with what one pass over its numbers found."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from dicomwright._dataclass import dataclass
from dicomwright.errors import StoredValueError
from dicomwright.payload.mapping import SINGLE_IS_FINE, Linear, filled, linear_map
from dicomwright.payload.scan import Scan, first_non_finite, scan_values

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dicomwright.payload.volume import Volume

__all__ = ["EXACT_IN_DOUBLE", "Scanned", "scan_volume"]

EXACT_IN_DOUBLE = 1 << 53
"""Whole numbers up to this are exact in double precision, in which readers compute."""
_AXES = ("slice", "row", "column", "sample")
# Values; up to here double precision costs less than anybody notices, and rounds to the nearest step always.
_PRECISE_UP_TO = 1 << 24


def scan_volume(volume: Volume, non_finite: float | None = None) -> Scanned:
    """Return `volume` with its range; refuse NaN and Inf unless `non_finite` names a value for them.

    Raises
    ------
    StoredValueError
        With the counts of NaN and Inf and the first place; also for values beyond double precision.

    """
    stand_in = _stand_in(volume, non_finite)
    scan = scan_values(volume.array, stand_in)
    found = scan.nans + scan.infinities
    if found and stand_in is None:
        place = first_non_finite(volume.array)
        where = ", ".join(f"{axis} {index}" for axis, index in zip(_AXES, place, strict=False))
        raise StoredValueError(
            f"the array holds {scan.nans} NaN and {scan.infinities} Inf, the first at {where} (counted "
            "from 0), and DICOM's stored values are integers",
            hint="name a value for them: non_finite=0 (--encoder-opt non_finite=0)",
            loc=volume.source,
            kind="non-finite",
        )
    with np.errstate(over="ignore"):
        ends = [float(end) * volume.slope + volume.intercept for end in (scan.minimum, scan.maximum)]
    if not all(map(math.isfinite, ends)):
        raise StoredValueError(
            "the values leave the range of double precision, which no rescale can express",
            hint="scale the values",
            loc=volume.source,
            kind="range",
        )
    return Scanned(volume, scan, stand_in if found else None, min(ends), max(ends))


def _stand_in(volume: Volume, non_finite: float | None) -> float | None:
    """Return the number that takes the place of NaN and Inf in the array, before slope and intercept."""
    if non_finite is None or volume.array.dtype.kind != "f":
        return None
    if not math.isfinite(non_finite):
        raise StoredValueError(
            f"{non_finite} cannot take the place of NaN and Inf",
            hint="name a finite value",
            kind="non-finite",
        )
    return (non_finite - volume.intercept) / volume.slope


@dataclass(frozen=True)
class Scanned:
    """A volume and its range.

    Attributes
    ----------
    stand_in : float or None
        What takes the place of NaN and Inf in the array, where there are any.
    low, high : float
        Smallest and largest value, after slope and intercept of the volume.

    """

    volume: Volume
    scan: Scan
    stand_in: float | None
    low: float
    high: float

    @property
    def unscaled(self) -> bool:
        """The numbers of the array are the values."""
        return self.volume.slope == 1 and self.volume.intercept == 0

    @property
    def whole_values(self) -> bool:
        """All values are whole numbers, exact in double precision."""
        return self.exact_integers and self.volume.slope.is_integer() and self.volume.intercept.is_integer()

    @property
    def exact_integers(self) -> bool:
        """The numbers of the array are whole and exact in double precision."""
        return self.scan.whole and max(self.magnitude, self.largest_value) <= EXACT_IN_DOUBLE

    @property
    def exact_up_to(self) -> float:
        """Largest magnitude up to which values are exact in double precision; no limit for floats."""
        return math.inf if self.volume.array.dtype.kind == "f" else EXACT_IN_DOUBLE

    @property
    def magnitude(self) -> float:
        """Largest magnitude among the numbers of the array."""
        return max(abs(float(self.scan.minimum)), abs(float(self.scan.maximum)))

    @property
    def largest_value(self) -> float:
        """Largest magnitude among the values."""
        return max(abs(self.low), abs(self.high))

    @cached_property
    def precision(self) -> float:
        """Relative rounding of a value in the source: 0 for whole numbers that are not scaled."""
        dtype = self.volume.array.dtype
        if dtype.kind == "f":
            return float(np.finfo(dtype).eps) if dtype.itemsize <= 8 else float(np.finfo(np.float64).eps)  # noqa: PLR2004  # longdouble is read as float64
        return 0.0 if self.unscaled else float(np.finfo(np.float32).eps)

    def values(self, block: NDArray[Any]) -> NDArray[np.float64]:
        """Return the values of a block of the array."""
        numbers = block if self.stand_in is None else filled(block, self.stand_in)
        return np.asarray(numbers.astype(np.float64) * self.volume.slope + self.volume.intercept)

    def exact_ends(self) -> tuple[Fraction, Fraction]:
        """Return the values of the smallest and the largest number of the array, without rounding."""
        slope, intercept = Fraction(self.volume.slope), Fraction(self.volume.intercept)
        low, high = (Fraction(*end.as_integer_ratio()) for end in (self.scan.minimum, self.scan.maximum))
        return low * slope + intercept, high * slope + intercept

    def text_error(self, slope: str, intercept: str, offset: int = 0) -> float:
        """Return how far values move, exactly, if `slope` and `intercept` are read, numbers less `offset`."""
        own_slope, own_intercept = Fraction(self.volume.slope), Fraction(self.volume.intercept)
        slope_read, intercept_read = Fraction(float(slope)), Fraction(float(intercept))
        worst = Fraction(0)
        for number in (self.scan.minimum, self.scan.maximum):
            exact = Fraction(int(number))
            read = (exact - offset) * slope_read + intercept_read
            worst = max(worst, abs(read - (exact * own_slope + own_intercept)))
        if (slope_read, intercept_read) == (own_slope, own_intercept) or (self.unscaled and not worst):
            return float(worst)
        # The products and sums of the source's and of the file's reader are rounded each in its own way.
        return float(worst) + 2.0**-51 * max(self.largest_value, abs(self.volume.intercept))

    def linear(
        self, step: float, start: float, limits: tuple[int, int] | None = None, *, measure: bool = True
    ) -> Linear:
        """Return the map to ``(value - start) / step``."""
        shift = (start - self.volume.intercept) / self.volume.slope
        # Products and sums of the source's own rescale are rounded, and so are the ends of the range.
        off = 0.0 if self.unscaled else 2.0**-52 * max(self.largest_value, abs(self.volume.intercept))
        return linear_map(
            self.volume.array.dtype,
            self.magnitude,
            shift,
            step / self.volume.slope,
            limits,
            self.stand_in,
            off=off / abs(self.volume.slope),
            rounding=SINGLE_IS_FINE if self.volume.array.size > _PRECISE_UP_TO else 0.0,
            measure=measure,
        )
