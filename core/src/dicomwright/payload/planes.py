"""Parallel slices in space, as DICOM's Image Plane module describes them."""

from __future__ import annotations

import math
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from dicomwright._dataclass import dataclass
from dicomwright.errors import GeometryError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["ORTHOGONAL_COSINE", "UNIFORM_ABSOLUTE_MM", "UNIFORM_RELATIVE", "Planes"]

ORTHOGONAL_COSINE = 1e-4
"""Largest cosine between rows and columns that still counts as a right angle."""
UNIFORM_ABSOLUTE_MM = 2e-3
"""Gaps between slices that differ by less than this are equal ..."""
UNIFORM_RELATIVE = 1e-3
"""... or by less than this part of the largest gap."""
_UNIT_LENGTH = 1e-3


@dataclass(frozen=True, eq=False)
class Planes:
    """Where parallel slices of one size lie in the patient (PS3.3 C.7.6.2).

    Examples
    --------
    >>> planes = Planes((1, 0, 0), (0, 1, 0), (0.5, 0.7), [(0, 0, 0), (0, 0, 3)], rows=4, columns=5)
    >>> planes.spacing
    3.0
    >>> planes.index_to_lps(1, 2, 3).tolist()
    [2.0999999999999996, 1.0, 3.0]

    Parameters
    ----------
    row_direction : array_like, shape (3,)
        Unit vector along a row: the way in which the *column index* grows. First triple of
        ImageOrientationPatient (0020,0037).
    column_direction : array_like, shape (3,)
        Unit vector along a column: the way in which the *row index* grows. Second triple.
    pixel_spacing : (float, float)
        PixelSpacing (0028,0030) in mm: between rows, then between columns.
    positions : array_like, shape (n, 3)
        ImagePositionPatient (0020,0032) of each slice: centre of its first pixel, LPS mm.
    rows, columns : int
        Size of each slice.

    Raises
    ------
    GeometryError
        If a number is not finite, a spacing or size is not positive, a direction is not of unit length
        (within 1e-3) or the directions are not at right angles (cosine within 1e-4).

    Notes
    -----
    Directions are kept as given (all digits of the source), never bent into a right angle.

    """

    row_direction: NDArray[np.float64]
    column_direction: NDArray[np.float64]
    pixel_spacing: tuple[float, float]
    positions: NDArray[np.float64]
    rows: int
    columns: int

    def __init__(
        self,
        row_direction: ArrayLike,
        column_direction: ArrayLike,
        pixel_spacing: ArrayLike,
        positions: ArrayLike,
        rows: int,
        columns: int,
    ) -> None:
        fields = {
            "row_direction": _numbers(row_direction, (3,), "row direction"),
            "column_direction": _numbers(column_direction, (3,), "column direction"),
            "pixel_spacing": tuple(_numbers(pixel_spacing, (2,), "pixel spacing").tolist()),
            "positions": _numbers(positions, (-1, 3), "slice positions"),
            "rows": int(rows),
            "columns": int(columns),
        }
        for name, value in fields.items():
            object.__setattr__(self, name, value)
        self._check()

    def _check(self) -> None:
        for name, direction in (("row", self.row_direction), ("column", self.column_direction)):
            length = float(np.linalg.norm(direction))
            if abs(length - 1) > _UNIT_LENGTH:
                raise GeometryError(
                    f"the {name} direction {direction.tolist()} has length {length:.6g}, not 1",
                    kind="orientation",
                )
        cosine = abs(float(self.row_direction @ self.column_direction))
        if cosine > ORTHOGONAL_COSINE:
            angle = math.degrees(math.acos(min(1.0, cosine)))
            raise GeometryError(
                f"rows and columns meet at {angle:.4g}°, but ImageOrientationPatient needs 90°",
                kind="orientation",
            )
        if min(self.pixel_spacing) <= 0 or min(self.rows, self.columns, len(self.positions)) < 1:
            raise GeometryError(
                f"pixel spacing {self.pixel_spacing}, {len(self.positions)} slices of "
                f"{self.rows}x{self.columns} pixels: each must be positive",
                kind="size",
            )

    def __len__(self) -> int:
        """Return the number of slices."""
        return len(self.positions)

    @cached_property
    def normal(self) -> NDArray[np.float64]:
        """Unit vector row direction x column direction."""
        cross = np.cross(self.row_direction, self.column_direction)
        return _frozen(cross / np.linalg.norm(cross))

    @cached_property
    def projections(self) -> NDArray[np.float64]:
        """Distance in mm of each slice along `normal`, shape (n,)."""
        return _frozen(self.positions @ self.normal)

    @cached_property
    def spacing(self) -> float | None:
        """Distance in mm between the centres of neighbouring slices, measured along the normal.

        ``None`` for a single slice, for slices that share a position or go back and forth, and for gaps that
        differ by more than 2e-3 mm and by more than 1e-3 of the largest gap.
        """
        gaps = np.diff(self.projections)
        if gaps.size and gaps[0] < 0:
            gaps = -gaps
        if not gaps.size or gaps.min() <= 0:
            return None
        if gaps.max() - gaps.min() > max(UNIFORM_ABSOLUTE_MM, UNIFORM_RELATIVE * gaps.max()):
            return None
        return float(gaps.mean())

    @cached_property
    def tilt_degrees(self) -> float:
        """Angle between the line from the first slice to the last and the normal; 0 for a single slice."""
        order = np.argsort(self.projections, kind="stable")
        line = self.positions[order[-1]] - self.positions[order[0]]
        along = abs(float(line @ self.normal))
        across = float(np.linalg.norm(np.cross(line, self.normal)))
        return math.degrees(math.atan2(across, along))

    def index_to_lps(self, slice_index: ArrayLike, row: ArrayLike, column: ArrayLike) -> NDArray[np.float64]:
        """Return the LPS position in mm of pixel centres, shape ``(..., 3)`` after broadcasting.

        `slice_index` is a whole number; `row` and `column` may be fractions (PS3.3 equation C.7.6.2.1-1).
        """
        down = np.asarray(row, dtype=np.float64)[..., np.newaxis] * self.column_direction
        across = np.asarray(column, dtype=np.float64)[..., np.newaxis] * self.row_direction
        start = self.positions[np.asarray(slice_index)]
        return np.asarray(start + down * self.pixel_spacing[0] + across * self.pixel_spacing[1])


def _numbers(values: ArrayLike, shape: tuple[int, ...], name: str) -> NDArray[np.float64]:
    """Return read-only float64 of `shape` (-1 = any length), or raise `GeometryError`."""
    try:
        array = np.array(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise GeometryError(f"the {name} are not numbers ({error})", kind="shape") from error
    fits = array.ndim == len(shape) and all(
        want in (-1, got) for want, got in zip(shape, array.shape, strict=True)
    )
    if not fits:
        wanted = "x".join("n" if size < 0 else str(size) for size in shape)
        raise GeometryError(f"the {name} have shape {array.shape}, not {wanted}", kind="shape")
    if not np.isfinite(array).all():
        raise GeometryError(f"the {name} hold NaN or infinite numbers", kind="not-finite")
    return _frozen(array)


def _frozen(array: NDArray[np.float64]) -> NDArray[np.float64]:
    array.flags.writeable = False
    return array
