"""From source numbers to stored values, one slice at a time, in blocks that stay in the processor's cache."""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from dicomwright._dataclass import dataclass
from dicomwright.payload.scan import blocks

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "SINGLE_IS_FINE",
    "Cast",
    "Constant",
    "Linear",
    "Mapping",
    "Shift",
    "filled",
    "is_same_bytes",
    "linear_map",
]

# Stored values are below this.
_REACH = 1 << 16
# The largest rounding of x, in stored values, for which single precision is good enough.
SINGLE_IS_FINE = 0.02
# Below a quarter of a step, rounding to the nearest whole number cannot leave the stored type.
_MAY_ROUND_PAST_END = 0.25
# Where half a step is told instead of looking on for a value that lies even further from its step.
_NEARLY_HALF = 0.5 - 2.0**-9
_LOOKED_AT_ONCE = 1 << 13
# Magnitudes whose product, quotient and difference stay well inside single precision.
_SINGLE_RANGE = (1e-30, 1e30)


class Mapping(Protocol):
    """How one slice becomes stored values."""

    def encode(self, plane: NDArray[Any], out: NDArray[Any]) -> float:
        """Fill `out` from `plane`; return the largest |x - stored| in steps, 0 where not measured."""
        ...


@dataclass(frozen=True, slots=True)
class Cast:
    """The numbers themselves, in another type. `stand_in` takes the place of NaN and Inf."""

    stand_in: float | None = None

    def encode(self, plane: NDArray[Any], out: NDArray[Any]) -> float:
        """Fill `out`."""
        for source, target in blocks(plane, out):
            values = source if self.stand_in is None else filled(source, self.stand_in)
            np.copyto(target, values, casting="unsafe")
        return 0.0


@dataclass(frozen=True, slots=True)
class Constant:
    """One stored value for all."""

    stored: int

    def encode(self, plane: NDArray[Any], out: NDArray[Any]) -> float:  # noqa: ARG002  # as all mappings
        """Fill `out`."""
        out.fill(self.stored)
        return 0.0


@dataclass(frozen=True, slots=True)
class Shift:
    """Integers less `offset`: exact for all 64 bits, as long as the differences fit the stored type."""

    offset: int

    def encode(self, plane: NDArray[Any], out: NDArray[Any]) -> float:
        """Fill `out`."""
        native = plane.dtype.newbyteorder("=")
        work = native if native.itemsize >= 4 else np.dtype(np.int32)  # noqa: PLR2004  # 16 bits need no more
        unsigned = np.dtype(f"u{work.itemsize}")
        # Modular: an offset below the type's range wraps, and so do the differences, back into theirs.
        offset = np.int64(self.offset).astype(work)
        for source, target in blocks(plane, out):
            difference = np.subtract(source, offset, dtype=work, casting="unsafe")
            np.copyto(target, difference.view(unsigned), casting="unsafe")
        return 0.0


@dataclass(frozen=True, slots=True)
class Linear:
    """Nearest whole number to ``x = (number - shift) * scale``.

    Attributes
    ----------
    shift, scale : float
        The map; `prescale`, a power of two, is multiplied in first where the scale alone would overflow.
    work : numpy dtype
        float32 or float64, the precision of x.
    slack : float
        Bound, in steps, on what that precision adds to the error.
    limits : (int, int) or None
        Where rounding could leave the stored type, x is cut to these.
    stand_in : float or None
        Takes the place of NaN and Inf.
    measure : bool
        Whether to look for the largest |x - stored|.

    """

    shift: float
    scale: float
    work: np.dtype[Any]
    slack: float = 0.0
    prescale: float = 1.0
    limits: tuple[int, int] | None = None
    stand_in: float | None = None
    measure: bool = True

    def encode(self, plane: NDArray[Any], out: NDArray[Any]) -> float:
        """Fill `out`; return the largest distance in steps.

        As soon as a value lies nearly half a step away, half a step is the answer: no value lies further, and the
        search for it is a third of the work.
        """
        work = self.work
        shift, scale = work.type(self.shift * self.prescale), work.type(self.scale)
        worst = 0.0
        exact = np.empty(0, dtype=work)
        for source, target in blocks(plane, out):
            if exact.shape != source.shape:
                exact = np.empty(source.shape, dtype=work)
            self._subtract(source, shift, exact)
            np.multiply(exact, scale, out=exact)
            if self.measure and (worst < _NEARLY_HALF or self.limits):
                worst = self._farthest(exact, worst)
            np.rint(exact, out=exact)
            if self.limits:
                np.clip(exact, *self.limits, out=exact)
            np.copyto(target, exact, casting="unsafe")
        return 0.5 if worst >= _NEARLY_HALF and not self.limits else worst

    def _farthest(self, exact: NDArray[Any], worst: float) -> float:
        """Return the largest distance of a number from its step, or a lesser one that is nearly half a step."""
        for (part,) in blocks(exact, size=_LOOKED_AT_ONCE):
            steps = np.rint(part)
            if self.limits:
                np.clip(steps, *self.limits, out=steps)
            np.subtract(part, steps, out=steps)
            worst = max(worst, float(steps.max()), -float(steps.min()))
            if worst >= _NEARLY_HALF and not self.limits:
                break
        return worst

    def _subtract(self, source: NDArray[Any], shift: Any, out: NDArray[Any]) -> None:
        if self.stand_in is not None:
            source = filled(source, self.stand_in)
        if self.prescale != 1:
            source = np.multiply(source, self.prescale, dtype=self.work)
        np.subtract(source, shift, out=out, dtype=self.work, casting="same_kind")


def linear_map(
    source: np.dtype[Any],
    magnitude: float,
    shift: float,
    step: float,
    limits: tuple[int, int] | None = None,
    stand_in: float | None = None,
    *,
    off: float = 0.0,
    rounding: float = SINGLE_IS_FINE,
    measure: bool = True,
) -> Linear:
    """Return ``(number - shift) / step`` in the cheapest precision that is good enough.

    Single precision where it moves x by less than `rounding` stored values, else double. `magnitude` is the
    largest among the source's numbers, and `off` is how far rounding may already have moved the ends of
    their range. Values are cut to `limits` only if rounding could leave them.
    """
    prescale = 1.0 if abs(step) > 4 * sys.float_info.min else 2.0**1000
    scale = 1 / (step * prescale)
    reach = max(map(abs, limits)) if limits else _REACH
    before = off / abs(step)
    single = before + _slack(np.dtype(np.float32), source, magnitude, shift, step, reach)
    work, slack = (np.dtype(np.float32), single) if single < rounding else (np.dtype(np.float64), 0.0)
    if work.itemsize > 4:  # noqa: PLR2004  # not single precision
        slack = before + _slack(work, source, magnitude, shift, step, reach)
    return Linear(
        shift,
        scale,
        work,
        slack=slack,
        prescale=prescale,
        limits=limits if slack > _MAY_ROUND_PAST_END else None,
        stand_in=stand_in,
        measure=measure,
    )


def _slack(
    work: np.dtype[Any], source: np.dtype[Any], magnitude: float, shift: float, step: float, reach: float
) -> float:
    """Return a bound, in steps, on what the arithmetic of a `Linear` adds to x; infinite if it overflows."""
    half_ulp = float(np.finfo(work).eps) / 2
    if work.itemsize == 4:  # noqa: PLR2004  # single precision
        tiny, huge = _SINGLE_RANGE
        if source.kind != "f" or source.itemsize > work.itemsize:
            return math.inf
        if abs(step) < tiny or max(magnitude, abs(shift)) > huge:
            return math.inf
    double = 2.0**-53
    # The shift and the scale as the work type holds them; both were rounded to double before.
    shift_off = abs(float(work.type(shift)) - shift) + 2 * double * abs(shift)
    scale = 1 / step if abs(step) > 4 * sys.float_info.min else math.inf
    scale_off = 0.0 if math.isinf(scale) else abs(float(work.type(scale)) / scale - 1)
    # A difference is rounded unless nothing is subtracted; a source of more digits is rounded first.
    difference = half_ulp * reach if shift else 0.0
    more_digits = source.itemsize > 8 or (source.kind in "iu" and source.itemsize == 8)  # noqa: PLR2004  # bytes
    numbers = double * magnitude if more_digits else 0.0
    product = half_ulp * reach
    return (shift_off + numbers) / abs(step) + (scale_off + 2 * double) * reach + difference + product


def is_same_bytes(source: np.dtype[Any], stored: np.dtype[Any]) -> bool:
    """Tell whether numbers of `source` that fit `stored` have the same bytes there."""
    little = source.itemsize == 1 or source.newbyteorder("<") == source
    return source.kind in "biu" and source.itemsize == stored.itemsize and little


def filled(source: NDArray[Any], stand_in: float) -> NDArray[Any]:
    """Return `source`, or a copy in which `stand_in` takes the place of NaN and Inf."""
    finite = np.isfinite(source)
    return source if finite.all() else np.where(finite, source, np.float64(stand_in))
