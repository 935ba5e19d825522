"""Compare two volumes that may differ in the order and direction of their axes."""

from __future__ import annotations

import math
from itertools import product
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable

    from numpy.typing import ArrayLike, NDArray

__all__ = ["SpatialArray", "VolumeMatch", "compare_volumes", "read_volume"]

FLIP_X_AND_Y = np.diag([-1.0, -1.0, 1.0, 1.0])  # RAS to LPS and back
EVEN_MM = 0.01


class SpatialArray(NamedTuple):
    """An array and the matrix from its index, in the order of its axes, to LPS millimetres."""

    affine: NDArray[np.float64]
    array: NDArray[Any]

    @classmethod
    def from_nifti(cls, image: Any) -> SpatialArray:
        """Return a nibabel image, its axes as they are, in LPS."""
        return cls(FLIP_X_AND_Y @ image.affine, np.asanyarray(image.dataobj))


def read_volume(files: Iterable[os.PathLike[str] | str]) -> SpatialArray:
    """Return single-frame images with pydicom and nothing else: (slices, rows, columns), values rescaled, in LPS.

    Slices are in the order of their positions along the normal (PS3.3 C.7.6.2.1.1).

    Raises
    ------
    ValueError
        There are no images, or they are no even stack.

    """
    import pydicom

    datasets = [pydicom.dcmread(file) for file in files]
    if not datasets:
        raise ValueError("there are no files")
    orientation = np.array(datasets[0].ImageOrientationPatient, np.float64)
    right, down = orientation[:3], orientation[3:]  # the way of the column index, and that of the row index
    normal = np.cross(right, down)
    datasets.sort(key=lambda one: float(normal @ np.array(one.ImagePositionPatient, np.float64)))
    positions = np.array([one.ImagePositionPatient for one in datasets], np.float64)
    between = float(getattr(datasets[0], "SpacingBetweenSlices", 0) or datasets[0].get("SliceThickness") or 1)
    step = (positions[-1] - positions[0]) / (len(datasets) - 1) if len(datasets) > 1 else between * normal
    even = positions[0] + np.arange(len(datasets))[:, np.newaxis] * step
    if np.abs(even - positions).max() > EVEN_MM:
        raise ValueError("the slices are not evenly spaced")
    rows, columns = (float(value) for value in datasets[0].PixelSpacing)
    affine = np.eye(4)
    affine[:3] = np.column_stack([step, rows * down, columns * right, positions[0]])
    values = [
        one.pixel_array * float(one.get("RescaleSlope", 1)) + float(one.get("RescaleIntercept", 0))
        for one in datasets
    ]
    return SpatialArray(affine, np.stack(values))


class VolumeMatch(NamedTuple):
    """How far two volumes are apart; infinite when their axes cannot be brought to match."""

    corner_mm: float
    value_error: float
    reason: str = ""


def compare_volumes(
    affine_a: ArrayLike, array_a: ArrayLike, affine_b: ArrayLike, array_b: ArrayLike
) -> VolumeMatch:
    """Return the largest distance between corners and the largest difference between values.

    Each affine maps the index of its array, in the order of the axes, to one common space. The axes of the
    second are permuted and flipped, never resampled, to follow the first. Axes past the third (colour) stay.
    Values that are NaN in both are equal; NaN in one of them is an infinite error.
    """
    a, b = np.asarray(array_a), np.asarray(array_b)
    space_a, space_b = np.asarray(affine_a, np.float64), np.asarray(affine_b, np.float64)
    step = np.linalg.solve(space_b, space_a)[:3, :3]
    turn = np.rint(step)
    if not np.array_equal(np.abs(turn) @ np.ones(3), np.ones(3)) or abs(np.linalg.det(turn)) != 1:
        return VolumeMatch(math.inf, math.inf, f"the axes do not match: one step is {step.tolist()}")
    order = np.argmax(np.abs(turn), axis=0)
    b = np.transpose(b, [*order, *range(3, b.ndim)])
    if a.shape != b.shape:
        return VolumeMatch(math.inf, math.inf, f"shapes differ: {a.shape} and, turned alike, {b.shape}")
    flipped = [axis for axis in range(3) if turn[order[axis], axis] < 0]
    index = np.eye(4)
    index[:3, :3] = turn
    index[order[flipped], 3] = [a.shape[axis] - 1 for axis in flipped]
    corners = np.array([*product(*((0, size - 1) for size in a.shape[:3]), [1])]).reshape(-1, 4)
    apart = (space_a @ corners.T) - (space_b @ index @ corners.T)
    return VolumeMatch(
        float(np.linalg.norm(apart, axis=0).max()), _value_error(a, np.flip(b, tuple(flipped)))
    )


def _value_error(a: NDArray[Any], b: NDArray[Any]) -> float:
    """Return the largest difference between values."""
    a, b = a.astype(np.float64), b.astype(np.float64)
    if not np.array_equal(np.isnan(a), np.isnan(b)):
        return math.inf
    different = (a != b) & ~np.isnan(a)
    return float(np.max(np.abs(a[different] - b[different]), initial=0.0))
