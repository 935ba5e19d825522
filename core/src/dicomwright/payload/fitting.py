"""The best linear fit into a stored type, with slope and intercept as they will be written."""

from __future__ import annotations

import math
from decimal import ROUND_CEILING, Context, Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from dicomwright.errors import StoredValueError
from dicomwright.payload.decimal_string import ds, ds_down, ds_up
from dicomwright.payload.mapping import Constant
from dicomwright.payload.storage import StoredValueRules, StoredValues

if TYPE_CHECKING:
    from dicomwright.payload.scanned import Scanned

__all__ = ["best_fit", "constant"]

_SIGNED = np.dtype("<i2")
_SIGNED_MAX = (1 << 15) - 1
_HALF_ULP = 2.0**-53
_SLOPE_DIGITS, _LEAST_SLOPE_DIGITS = 11, 5


def best_fit(source: Scanned, rules: StoredValueRules) -> StoredValues:
    """Return the plan with the smallest largest error.

    The slope is the smallest DS with which every value fits, given the intercept as written.

    Raises
    ------
    StoredValueError
        If the rules allow no rescale, or no slope and intercept reach all values.

    """
    if not rules.rescale_allowed:
        raise _impossible(
            source, f"whole numbers that fit {rules.bits} bits are needed: the IOD has no rescale"
        )
    one_value = constant(source, rules)
    if one_value is not None:
        return one_value
    dtype, slope, intercept = _choose(source, rules)
    step, start = float(slope), float(intercept)
    info = np.iinfo(dtype)
    if not all(math.isfinite(end * step + start) for end in (int(info.min), int(info.max))):
        raise _impossible(source, "readers would leave the range of double precision")
    mapping = source.linear(step, start, (int(info.min), int(info.max)))
    # What the reader's own product and sum round, and a value that has more digits than a double.
    reading = 2 * _HALF_ULP * source.largest_value + 2 * _HALF_ULP * step * (1 << 16)
    rounding = step * mapping.slack + reading
    # A value that rounding takes past the end of the stored type is cut back by as much.
    cut = step * mapping.slack if mapping.limits else 0.0
    return StoredValues(
        dtype=dtype,
        slope=slope,
        intercept=intercept,
        lossless=False,
        minimum=source.low,
        maximum=source.high,
        whole=source.whole_values,
        error_bound=step / 2 + cut + rounding,
        rounding=rounding,
        mapping=mapping,
    )


def constant(source: Scanned, rules: StoredValueRules) -> StoredValues | None:
    """Return the plan of a volume that holds one value only, `None` if it holds more or has no rescale."""
    value = source.low
    if value != source.high or not rules.rescale_allowed:
        return None
    dtype = np.dtype(f"<u{rules.bits // 8}")
    slope, intercept, stored = "1", ds(value), 0
    if rules.intercept_zero:
        if value < 0:
            dtype = _signed(source, rules)
        slope, intercept, stored = ds(abs(value)), "0", int(math.copysign(1, value))
    # Exact: integers past 2^53 that differ may be one and the same double.
    read = Fraction(stored * float(slope) + float(intercept))
    worst = max(abs(read - end) for end in source.exact_ends())
    error = math.nextafter(float(worst), math.inf) if worst else 0.0
    return StoredValues(
        dtype=dtype,
        slope=slope,
        intercept=intercept,
        lossless=error <= source.precision * abs(value) and abs(value) <= source.exact_up_to,
        minimum=value,
        maximum=value,
        whole=source.whole_values,
        error_bound=error,
        mapping=Constant(stored),
    )


def _choose(source: Scanned, rules: StoredValueRules) -> tuple[np.dtype[Any], str, str]:
    """Return stored type, slope and intercept."""
    low, high = source.low, source.high
    unsigned = np.dtype(f"<u{rules.bits // 8}")
    largest = (1 << rules.bits) - 1
    if rules.intercept_zero and low >= 0:
        return unsigned, _slope(high / largest), "0"
    if rules.intercept_zero or not math.isfinite(high - low):
        step = max(high / _SIGNED_MAX, -low / (_SIGNED_MAX + 1))
        return _signed(source, rules), _slope(step), "0"
    if low < 0 < high and (texts := _zero_on_a_step(low, high, largest)):
        return unsigned, *texts
    intercept = ds_down(low)
    return unsigned, _slope((high - float(intercept)) / largest), intercept


def _slope(step: float) -> str:
    """Return the smallest slope that is not below `step`, and not zero."""
    return ds_up(max(step, math.ulp(0.0)))


def _signed(source: Scanned, rules: StoredValueRules) -> np.dtype[Any]:
    """Return the signed stored type, where the rules have it."""
    if rules.signed_allowed and rules.bits == _SIGNED.itemsize * 8:
        return _SIGNED
    raise _impossible(source, "values on both sides of an intercept of 0 need signed 16 bit pixels")


def _zero_on_a_step(low: float, high: float, largest: int) -> tuple[str, str] | None:
    """Return slope and intercept such that the intercept is exactly a multiple of the slope.

    One step is given up for it. Fewer digits of the slope leave room for those of the product.
    """
    needed = Decimal((high - low) / (largest - 1))
    for digits in range(_SLOPE_DIGITS, _LEAST_SLOPE_DIGITS - 1, -1):
        step = Context(prec=digits, rounding=ROUND_CEILING).create_decimal(needed)
        below = math.ceil(Decimal(-low) / step) if step else 0
        start = -below * step
        slope, intercept = ds(float(step)), ds(float(start))
        exact = Decimal(slope) == step and Decimal(intercept) == start
        if exact and step and (largest - below) * step >= Decimal(high):
            return slope, intercept
    return None


def _impossible(source: Scanned, why: str) -> StoredValueError:
    return StoredValueError(
        f"values from {source.low:.10g} to {source.high:.10g} cannot be stored: {why}",
        hint="scale or round the values, or choose another IOD",
        loc=source.volume.source,
        kind="range",
    )
