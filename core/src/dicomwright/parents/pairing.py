"""Find, for each slice of an output, the parent instance that lies at the same place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dicomwright._dataclass import dataclass
from dicomwright.errors import Problem
from dicomwright.parents.geometry import plane_name

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dicomwright.payload.planes import Planes

__all__ = ["Pairing", "pair_by_order", "pair_by_position", "refuse_pairing"]

PARALLEL_DEGREES = 1.0
"""Slices at a larger angle than this to the parents' are never paired."""
TOLERANCE_OF_SPACING = 0.25
"""A slice is paired with the nearest parent within this part of the parents' smallest spacing ..."""
LEAST_TOLERANCE_MM = 0.01
"""... but within this distance always."""


@dataclass(frozen=True, slots=True)
class Pairing:
    """Which parent belongs to which output slice.

    Attributes
    ----------
    indices : tuple of int or None
        For each output slice the index of its parent instance; None where there is none.
    tolerance_mm : float
        How far apart along the normal a slice and its parent may be: a quarter of the parents' smallest
        spacing, at least 0.01 mm; 0 when the pairing is by order.
    problem : Problem or None
        Why slices are unpaired.

    """

    indices: tuple[int | None, ...]
    tolerance_mm: float = 0.0
    problem: Problem | None = None

    @property
    def unpaired(self) -> tuple[int, ...]:
        """The output slices that have no parent."""
        return tuple(index for index, parent in enumerate(self.indices) if parent is None)


def _none(count: int, message: str, hint: str, kind: str = "unpaired") -> Pairing:
    return Pairing((None,) * count, problem=Problem(message, hint, kind=kind))


def pair_by_position(
    planes: Planes, parents: Planes, members: tuple[tuple[int, ...], ...], thickness: float | None
) -> Pairing:
    """Pair by projection on the parents' normal.

    Parameters
    ----------
    planes : Planes
        Of the output.
    parents : Planes
        Distinct positions of the parents, along their normal.
    members : tuple of tuple of int
        Which parent instances have an image in each parent plane.
    thickness : float or None
        SliceThickness (0018,0050): stands for the spacing of a single parent.

    """
    count = len(planes)
    angle = np.degrees(np.arccos(np.clip(abs(float(planes.normal @ parents.normal)), 0, 1)))
    if angle > PARALLEL_DEGREES:
        return _none(
            count,
            f"the slices ({plane_name(planes.normal)}) are at {angle:.1f}° to those of the parents "
            f"({plane_name(parents.normal)}) and cannot be paired",
            "slice like the parent",
        )
    gaps = np.diff(parents.projections)
    spacing = float(gaps.min()) if gaps.size else (thickness or 0.0)
    tolerance = max(TOLERANCE_OF_SPACING * spacing, LEAST_TOLERANCE_MM)
    heights = planes.positions @ parents.normal
    places = nearest(heights, parents.projections)
    distance = np.abs(heights - parents.projections[places])
    indices = tuple(
        members[place][0] if far <= tolerance else None
        for place, far in zip(places.tolist(), distance.tolist(), strict=True)
    )
    return Pairing(indices, tolerance, _unpaired_problem(indices, distance, tolerance))


def nearest(heights: NDArray[np.float64], places: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the index of the nearest place of each height; of two as near the lower place.

    Examples
    --------
    >>> nearest(np.array([0.4, 1.5, 9.0]), np.array([2.0, 1.0, 0.0])).tolist()
    [2, 1, 0]

    """
    order = np.argsort(places, kind="stable")
    ends = places[order]
    above = np.searchsorted(ends, heights).clip(max=len(ends) - 1)
    below = (above - 1).clip(min=0)
    is_below = heights - ends[below] <= np.abs(ends[above] - heights)
    found: NDArray[np.intp] = order[np.where(is_below, below, above)]
    return found


def _unpaired_problem(
    indices: tuple[int | None, ...], distance: np.ndarray, tolerance: float
) -> Problem | None:
    lost = [index for index, parent in enumerate(indices) if parent is None]
    if not lost:
        return None
    shown = ", ".join(str(index + 1) for index in lost[:5]) + (", ..." if len(lost) > 5 else "")  # noqa: PLR2004
    return Problem(
        f"{len(lost)} of {len(indices)} slices have no parent within {tolerance:.3g} mm along the normal "
        f"(slices {shown}; the nearest parent of slice {lost[0] + 1} is {distance[lost[0]]:.3g} mm away)",
        "give the parents at the same positions",
        kind="unpaired",
    )


def refuse_pairing(count: int, members: tuple[tuple[int, ...], ...], *, several: bool) -> Pairing | None:
    """Return an empty pairing when it cannot be said which parent belongs to a slice, else None."""
    if several:
        return _none(
            count,
            "each parent holds several images and does not say where: none belongs to a single slice",
            "give single-frame parents",
            "ambiguous-pairing",
        )
    most = max((len(set(stack)) for stack in members), default=0)
    if most > 1:
        return _none(
            count,
            f"the parents hold up to {most} images at each of {len(members)} positions (a time series?): "
            "it is not clear which belongs to a slice",
            "give the parents of one time point",
            "ambiguous-pairing",
        )
    return None


def pair_by_order(count: int, parents: int, *, numbered: bool, sorted_in_space: bool) -> Pairing:
    """Pair one to one, in the parents' order, when their number is right and their order is known."""
    if count != parents:
        return _none(
            count,
            f"there are {count} slices but {parents} parent instances, and no positions to pair them by",
            "give as many parents as slices, or a volume with an affine",
        )
    if not (numbered or sorted_in_space):
        return _none(
            count,
            "the parents have neither positions nor distinct InstanceNumbers (0020,0013) to pair slices by",
            "give parents with InstanceNumber (0020,0013)",
        )
    return Pairing(tuple(range(count)))
