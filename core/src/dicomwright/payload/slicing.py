"""Which array axes become slices, rows and columns: exact permutations and flips, no resampling."""

from __future__ import annotations

import math
from difflib import get_close_matches
from typing import TYPE_CHECKING

import numpy as np

from dicomwright._dataclass import dataclass
from dicomwright.errors import GeometryError
from dicomwright.payload.planes import ORTHOGONAL_COSINE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dicomwright.payload.affine import Affine
    from dicomwright.payload.planes import Planes

__all__ = ["ALIGNED_DEGREES", "SLICINGS", "AxisOrder", "choose_axes", "right_angle_slicings", "shear_degrees"]

ALIGNED_DEGREES = 1.0
"""``like-parent``: largest angle between an array axis and the parent's direction that counts as aligned."""

# Patient directions (LPS) in which the row index and the column index grow, as these views are usually shown.
_VIEWS = {
    "axial": ((0.0, 1.0, 0.0), (1.0, 0.0, 0.0)),
    "coronal": ((0.0, 0.0, -1.0), (1.0, 0.0, 0.0)),
    "sagittal": ((0.0, 0.0, -1.0), (0.0, 1.0, 0.0)),
}
_UPRIGHT = ("sagittal", "coronal", "axial")  # by the patient axis (L, P, S) that the slices run along
_ORDERS = ((0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0))
SLICINGS = ("native", "upright", *_VIEWS, "like-parent")
"""What `Volume.sliced` takes."""


@dataclass(frozen=True, slots=True)
class AxisOrder:
    """Old array axis, and whether it is reversed, for each of (slice, row, column)."""

    axes: tuple[int, int, int]
    flips: tuple[bool, bool, bool]


def choose_axes(affine: Affine, slicing: str, like: Planes | None) -> AxisOrder:
    """Return the axis order of `slicing`; the slice axis then runs along row direction x column direction.

    Raises
    ------
    GeometryError
        If the slicing is unknown, or ``like-parent`` lacks planes or finds no axis within 1° of them.

    """
    if slicing == "native":
        return _along_normal(affine.directions, (0, 1, 2), (False, False))
    if slicing == "upright":
        view = _UPRIGHT[int(np.abs(affine.directions[0]).argmax())]
        return _closest(affine.directions, *_VIEWS[view], orders=((0, 1, 2), (0, 2, 1)))
    if slicing in _VIEWS:
        return _closest(affine.directions, *_VIEWS[slicing])
    if slicing != "like-parent":
        close = get_close_matches(slicing, SLICINGS, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"choose one of {', '.join(SLICINGS)}"
        raise GeometryError(f"unknown slicing {slicing!r}", hint=hint, kind="slicing")
    if like is None:
        raise GeometryError(
            "slicing 'like-parent' needs a parent series whose planes are known",
            hint="choose another",
            kind="slicing",
        )
    order = _closest(affine.directions, tuple(like.column_direction), tuple(like.row_direction))
    _check_aligned(affine.directions, order, like)
    return order


def shear_degrees(directions: NDArray[np.float64], first: int, second: int) -> float:
    """Return by how many degrees the angle between two array axes differs from 90°."""
    return abs(math.degrees(math.asin(float(np.clip(directions[first] @ directions[second], -1, 1)))))


def right_angle_slicings(affine: Affine) -> list[str]:
    """Return the names of the views in which rows and columns meet at a right angle."""
    found = []
    for name, view in _VIEWS.items():
        _, row, column = _closest(affine.directions, *view).axes
        if abs(float(affine.directions[row] @ affine.directions[column])) <= ORTHOGONAL_COSINE:
            found.append(name)
    return found


def _closest(
    directions: NDArray[np.float64],
    down: tuple[float, ...],
    across: tuple[float, ...],
    orders: tuple[tuple[int, int, int], ...] = _ORDERS,
) -> AxisOrder:
    """Match the array axes to the way the row index (`down`) and the column index (`across`) shall grow.

    The assignments are compared as a whole, so that no axis is used twice in an oblique volume.
    """
    targets = np.array([np.cross(across, down), down, across])
    cosines = directions @ targets.T
    # The smallest total of squared sines = the largest total of squared cosines; the first of equals wins.
    axes = max(
        orders,
        key=lambda order: round(
            sum(float(cosines[axis, target]) ** 2 for target, axis in enumerate(order)), 9
        ),
    )
    flips = (bool(cosines[axes[1], 1] < 0), bool(cosines[axes[2], 2] < 0))
    return _along_normal(directions, (axes[0], axes[1], axes[2]), flips)


def _along_normal(
    directions: NDArray[np.float64], axes: tuple[int, int, int], flips: tuple[bool, bool]
) -> AxisOrder:
    """Complete an axis order with the flip that makes the slices run along the normal."""
    down = directions[axes[1]] * (-1 if flips[0] else 1)
    across = directions[axes[2]] * (-1 if flips[1] else 1)
    backwards = bool(directions[axes[0]] @ np.cross(across, down) < 0)
    return AxisOrder(axes, (backwards, *flips))


def _check_aligned(directions: NDArray[np.float64], order: AxisOrder, like: Planes) -> None:
    for name, place, target in (("rows", 2, like.row_direction), ("columns", 1, like.column_direction)):
        axis = directions[order.axes[place]] * (-1 if order.flips[place] else 1)
        angle = math.degrees(math.atan2(float(np.linalg.norm(np.cross(axis, target))), float(axis @ target)))
        if angle > ALIGNED_DEGREES:
            raise GeometryError(
                f"the volume cannot be sliced like the parent: its {name} are {angle:.3g}° off the parent's "
                f"(up to {ALIGNED_DEGREES:g}° would be taken as aligned)",
                hint="choose slicing 'native', or resample the volume onto the parent's grid first",
                kind="not-aligned",
            )
