"""Choosing how values are stored: lossless first, then the best linear fit with its measured error."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from dicomwright.errors import StoredValueError
from dicomwright.payload.decimal_string import ds
from dicomwright.payload.fitting import best_fit, constant
from dicomwright.payload.mapping import Cast, Mapping, Shift, is_same_bytes, linear_map
from dicomwright.payload.scan import blocks, distinct_values, in_memory_order
from dicomwright.payload.scanned import Scanned, scan_volume
from dicomwright.payload.storage import StoredValueRules, StoredValues

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dicomwright.payload.volume import Volume

__all__ = ["Quantise", "StoredValueRules", "StoredValues", "plan_stored_values"]

Quantise = Literal["auto", "fit", "exact"]

_SINGLE_ROUNDING = 2.0**-24
_PART_OF_STEP = 2.0**-10
_LABELS = 256
_VOXELS_PER_LABEL = 4
_SAMPLE = 4096
_CHECKED_AT_ONCE = 1 << 14  # values: most candidates fail at the first
# The steps of scaled whole numbers: binary fractions and decimals, the coarsest first.
_ROUND_STEPS = sorted(
    [2.0**-power for power in range(1, 11)] + [10.0**-power for power in range(1, 7)], reverse=True
)


def plan_stored_values(
    volume: Volume,
    rules: StoredValueRules | None = None,
    *,
    candidates: Sequence[tuple[float, float]] = (),
    non_finite: float | None = None,
    quantise: Quantise = "auto",
) -> StoredValues:
    """Return how the values of `volume` are stored, one slope and one intercept for the whole series.

    The first of these that works is taken:

    1. whole numbers that fit the stored type stay as they are (floats that are all whole numbers included);
    2. the source's own whole numbers with its own slope and intercept;
    3. whole numbers that span no more than the stored type: an exact intercept;
    4. one of `candidates`, the common divisor of whole numbers, or a round step (1/2 to 1/1024, 0.1 to 0.000001),
       if it gives back every value in the source's precision;
    5. the linear fit with the smallest largest error, computed with slope and intercept as they are written.
       Where zero lies inside the range, it is one of the steps, so that an empty background stays zero.

    Examples
    --------
    >>> from dicomwright.payload import Volume
    >>> plan = plan_stored_values(Volume(np.array([[[-1024, 0, 3071]]], dtype=np.int32)))
    >>> plan.dtype.str, plan.slope, plan.intercept, plan.lossless
    ('<i2', '1', '0', True)

    Parameters
    ----------
    volume : Volume
        Read once, block by block; twice for candidates or in search of labels.
    rules : StoredValueRules, optional
        What the IOD allows.
    candidates : sequence of (slope, intercept)
        Such as those of the parents.
    non_finite : float, optional
        Value that takes the place of NaN and Inf. Without it they are refused.
    quantise : {'auto', 'fit', 'exact'}
        ``auto`` refuses a loss only for label maps: `Volume.label`, or whole numbers past the stored type
        with at most 256 distinct values that occur four times on average. ``fit`` never refuses a loss,
        ``exact`` always.

    Raises
    ------
    StoredValueError
        For NaN and Inf (with their counts and the first place), for a loss that is not allowed, and for
        values that the rules or double precision cannot express.

    """
    if quantise not in ("auto", "fit", "exact"):
        raise StoredValueError(
            f"unknown quantise {quantise!r}", hint="choose 'auto', 'fit' or 'exact'", kind="quantise"
        )
    source = scan_volume(volume, non_finite)
    rules = rules or StoredValueRules()
    plan = (
        _plain(source, rules)
        or _own_rescale(source, rules)
        or _shifted(source, rules)
        or _candidate(source, rules, [*candidates, *_grids(source, rules)])
        or _exact_constant(source, rules)
    )
    if plan is None:
        _check_loss_allowed(source, rules, quantise)
        plan = best_fit(source, rules)
    return plan


def _plain(source: Scanned, rules: StoredValueRules) -> StoredValues | None:
    """Take whole numbers that fit as they are: slope 1, intercept 0."""
    if not source.whole_values or (dtype := rules.storage(source.low, source.high)) is None:
        return None
    if source.unscaled:
        return _lossless(source, dtype, "1", "0", _cast(source))
    own_allowed = rules.rescale_allowed and not (rules.intercept_zero and source.volume.intercept)
    if own_allowed and not rules.plain_preferred:
        return None
    slope, intercept = source.volume.slope, source.volume.intercept
    mapping = linear_map(
        source.volume.array.dtype,
        source.magnitude,
        -intercept / slope,
        1 / slope,
        None,
        source.stand_in,
        measure=False,
    )
    return _lossless(source, dtype, "1", "0", mapping)


def _own_rescale(source: Scanned, rules: StoredValueRules) -> StoredValues | None:
    """Take the source's whole numbers with the source's slope and intercept."""
    volume = source.volume
    dtype = rules.storage(source.scan.minimum, source.scan.maximum)
    if source.unscaled or not source.scan.whole or dtype is None or not rules.rescale_allowed:
        return None
    if rules.intercept_zero and volume.intercept:
        return None
    slope, intercept = ds(volume.slope), ds(volume.intercept)
    off = source.text_error(slope, intercept)
    if off > _tolerated(source):
        return None
    return _lossless(source, dtype, slope, intercept, _cast(source), off)


def _tolerated(source: Scanned) -> float:
    """Return how far texts may move values of whole numbers that are kept: far less than anyone can tell."""
    if source.unscaled:
        return 0.0
    return min(_SINGLE_ROUNDING * source.largest_value, _PART_OF_STEP * abs(source.volume.slope))


def _shifted(source: Scanned, rules: StoredValueRules) -> StoredValues | None:
    """Take whole numbers that span no more than the stored type, with an exact intercept."""
    if not source.exact_integers or not rules.rescale_allowed or rules.intercept_zero:
        return None
    low, high = int(source.scan.minimum), int(source.scan.maximum)
    slope = ds(source.volume.slope)
    for zeros in range(20):
        offset = low // 10**zeros * 10**zeros
        dtype = rules.storage(0, high - offset)
        if dtype is None:
            return None
        exact = source.volume.slope * offset + source.volume.intercept
        intercept = ds(exact)
        off = source.text_error(slope, intercept, offset)
        if off <= _tolerated(source):
            return _lossless(source, dtype, slope, intercept, _shift(source, offset), off)
    return None


def _candidate(
    source: Scanned, rules: StoredValueRules, candidates: Sequence[tuple[float, float]]
) -> StoredValues | None:
    """Return the first of other series' rescales that gives back every value in the source's precision."""
    if not rules.rescale_allowed:
        return None
    for slope, intercept in candidates:
        if not (math.isfinite(slope) and math.isfinite(intercept)) or slope == 0:
            continue
        if rules.intercept_zero and intercept:
            continue
        plan = _with_rescale(source, rules, ds(slope), ds(intercept))
        if plan is not None:
            return plan
    return None


def _grids(source: Scanned, rules: StoredValueRules) -> Iterator[tuple[float, float]]:
    """Give the round steps on which a sample of floats lies: results are often scaled whole numbers."""
    yield from _common_step(source, rules)
    if source.volume.array.dtype.kind != "f" or source.whole_values:
        return
    block = next(blocks(in_memory_order(source.volume.array)))[0]
    sample = source.values(block.ravel()[:_SAMPLE])
    for step in _ROUND_STEPS:
        if (source.high / 2 - source.low / 2) / step > 1 << 15:
            return  # finer steps span even more
        with np.errstate(over="ignore", invalid="ignore"):
            places = sample / step
            off = float(np.abs(places - np.rint(places)).max())
        if not off <= _PART_OF_STEP:  # NaN where places are too large to tell
            continue
        fits = rules.storage(source.low / step, source.high / step) is not None
        yield step, 0.0 if fits else source.low


def _common_step(source: Scanned, rules: StoredValueRules) -> Iterator[tuple[float, float]]:
    """Give the largest step on which all whole numbers lie, where there is one that makes them fit."""
    if not source.exact_integers or not source.unscaled or source.stand_in is not None:
        return
    low, high = int(source.scan.minimum), int(source.scan.maximum)
    least = (high - low) // ((1 << rules.bits) - 1)
    step = 0
    for (block,) in blocks(in_memory_order(source.volume.array)):
        step = math.gcd(step, int(np.gcd.reduce(block.ravel().astype(np.int64) - low)))
        if 0 < step < least:
            return
    if step > 1:
        fits = low % step == 0 and rules.storage(low // step, high // step) is not None
        yield float(step), 0.0 if fits else float(low)


def _with_rescale(
    source: Scanned, rules: StoredValueRules, slope: str, intercept: str
) -> StoredValues | None:
    """Return the plan for a given rescale, or `None` at the first value that it does not give back."""
    step, start = float(slope), float(intercept)
    with np.errstate(over="ignore"):
        ends = np.rint((np.array([source.low, source.high]) - start) / step)
    dtype = rules.storage(float(ends.min()), float(ends.max()))
    if dtype is None:
        return None
    # The source's rounding, if that is far below what the steps, and the values themselves, differ by.
    telling = min(abs(step), source.high - source.low)
    precision = min(source.precision * max(source.largest_value, abs(start)), _PART_OF_STEP * telling)
    worst = 0.0
    for (block,) in blocks(in_memory_order(source.volume.array), size=_CHECKED_AT_ONCE):
        values = source.values(block)
        back = np.rint((values - start) / step) * step + start
        worst = max(worst, float(np.abs(back - values).max()))
        if worst > precision:
            return None
    return _lossless(source, dtype, slope, intercept, source.linear(step, start, measure=False), worst)


def _exact_constant(source: Scanned, rules: StoredValueRules) -> StoredValues | None:
    """Take the only value, if its text is as precise as the source."""
    plan = constant(source, rules)
    return plan if plan is not None and plan.lossless else None


def _lossless(
    source: Scanned, dtype: np.dtype[Any], slope: str, intercept: str, mapping: Mapping, error: float = 0.0
) -> StoredValues:
    identity = isinstance(mapping, Cast) and is_same_bytes(source.volume.array.dtype, dtype)
    return StoredValues(
        dtype=dtype,
        slope=slope,
        intercept=intercept,
        lossless=True,
        minimum=source.low,
        maximum=source.high,
        whole=source.whole_values,
        error_bound=error,
        mapping=mapping,
        identity=identity,
    )


def _cast(source: Scanned) -> Mapping:
    return Cast(source.stand_in)


def _shift(source: Scanned, offset: int) -> Mapping:
    if source.volume.array.dtype.kind in "iu":
        return Shift(offset)
    return linear_map(
        source.volume.array.dtype, source.magnitude, offset, 1.0, None, source.stand_in, measure=False
    )


def _check_loss_allowed(source: Scanned, rules: StoredValueRules, quantise: Quantise) -> None:
    """Raise `StoredValueError` where rounding the values is not allowed."""
    if quantise == "fit":
        return
    span = f"from {source.low:.10g} to {source.high:.10g}"
    where = f"in {rules.bits} bits" + ("" if rules.rescale_allowed else " without a rescale")
    if quantise == "exact":
        raise StoredValueError(
            f"the values ({source.volume.array.dtype}, {span}) cannot be stored {where} without a loss",
            hint="allow it with quantise='auto', or round or scale the values first",
            loc=source.volume.source,
            kind="loss",
        )
    labels = _labels(source)
    if labels:
        raise StoredValueError(
            f"the label map ({labels}, {span}) cannot be stored exactly {where}",
            hint="renumber the labels (np.unique(..., return_inverse=True)), write a segmentation, or, if "
            "these are measurements, allow rounding with quantise='fit'",
            loc=source.volume.source,
            kind="label-map",
        )


def _labels(source: Scanned) -> str:
    """Return what makes the values a label map, or nothing."""
    if source.volume.label:
        return "declared as labels"
    if not source.exact_integers:
        return ""
    limit = min(_LABELS, source.volume.array.size // _VOXELS_PER_LABEL)
    count = distinct_values(source.volume.array, limit)
    return f"{count} distinct whole numbers" if count <= limit else ""
