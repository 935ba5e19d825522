"""Whether an element follows the position of its slice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pydicom.dataelem import DataElement

    from dicomwright.learn.example import Example

__all__ = ["linear"]

_NUMBERS = frozenset({"DS", "IS", "US", "SS", "UL", "SL", "FD", "FL", "UV", "SV"})
_FEWEST = 3
_RELATIVE = 1e-4
_ROUNDING = 1e-9  # of computing with floats


def linear(examples: list[Example], number: int) -> bool:
    """Tell whether the numbers of an element are a straight line over the positions, in every example.

    Fewer than three places are always on a line, and say nothing.
    """
    telling = [example for example in examples if len(example.parents) >= _FEWEST]
    return bool(telling) and all(_linear(example, number) for example in telling)


def _linear(example: Example, number: int) -> bool:
    """Tell it of one series."""
    planes = example.parents.planes
    if planes is None:
        return False
    values = [_numbers(element) for element in example.elements(number)]
    if any(one is None or len(one) != len(values[0] or ()) for one in values):
        return False
    table = np.array(values, dtype=np.float64)
    places = np.asarray(planes.projections, dtype=np.float64)
    return table.size > 0 and bool(np.isfinite(table).all()) and _on_a_line(places, table)


def _on_a_line(places: NDArray[np.float64], table: NDArray[np.float64]) -> bool:
    """Tell whether columns of numbers are straight lines over places, up to rounding."""
    basis = np.stack([places, np.ones_like(places)], axis=1)
    fit, *_ = np.linalg.lstsq(basis, table, rcond=None)
    off = np.abs(basis @ fit - table).max(axis=0)
    return bool((off <= _RELATIVE * np.ptp(table, axis=0) + _ROUNDING * np.abs(table).max(axis=0)).all())


def _numbers(element: DataElement | None) -> list[float] | None:
    """Return the numbers of an element; None if it has none."""
    if element is None or element.VR not in _NUMBERS or element.is_empty:
        return None
    values: list[Any] = list(element.value) if element.VM > 1 else [element.value]
    try:
        return [float(value) for value in values]
    except (TypeError, ValueError):
        return None
