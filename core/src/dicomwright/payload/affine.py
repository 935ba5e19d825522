"""The one map from array indices to patient space."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dicomwright._dataclass import dataclass
from dicomwright.errors import GeometryError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, DTypeLike, NDArray

__all__ = ["Affine"]

# RAS and LPS differ in the sign of x and y; the map is its own inverse.
_RAS_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
_IJK_TO_ARRAY = [2, 1, 0, 3]
# Volume of the cell spanned by the three unit directions, below which they count as lying in one plane.
_FLAT = 1e-6


@dataclass(frozen=True, eq=False)
class Affine:
    """Map of array indices ``(slice, row, column, 1)`` to LPS millimetres.

    LPS: x grows to the patient's left, y to posterior, z to superior (PS3.3 C.7.6.2.1.1). The map points at
    voxel centres. Column *n* of the matrix is the step, in mm, along array axis *n*.

    Examples
    --------
    >>> affine = Affine([[0, 0, 0.5, 10], [0, 0.5, 0, 20], [3, 0, 0, 30], [0, 0, 0, 1]])
    >>> affine.spacing
    (3.0, 0.5, 0.5)

    Parameters
    ----------
    matrix : array_like, shape (4, 4)
        Kept as read-only float64. The last row is ``0 0 0 1``.

    Raises
    ------
    GeometryError
        If the matrix is not 4x4, not finite, has another last row, or does not span three dimensions.

    """

    matrix: NDArray[np.float64]

    def __init__(self, matrix: ArrayLike | Affine) -> None:
        object.__setattr__(self, "matrix", _checked(matrix))

    @classmethod
    def from_ras(cls, matrix_ijk: ArrayLike) -> Affine:
        """Return the affine of ``data.transpose(2, 1, 0)`` for a NIfTI-style RAS matrix over (i, j, k).

        Examples
        --------
        >>> ras = [[-2, 0, 0, 90], [0, 2, 0, -126], [0, 0, 3, -72], [0, 0, 0, 1]]
        >>> Affine.from_ras(ras).matrix[:3, 3].tolist()
        [-90.0, 126.0, -72.0]

        """
        return cls((_RAS_LPS @ _checked(matrix_ijk))[:, _IJK_TO_ARRAY])

    def to_ras_ijk(self) -> NDArray[np.float64]:
        """Return the RAS matrix over (i, j, k) = (column, row, slice), as `from_ras` takes it."""
        # Adding zero turns the -0.0 of the sign change into 0.0.
        return np.asarray((_RAS_LPS @ self.matrix)[:, _IJK_TO_ARRAY] + 0.0)

    @property
    def steps(self) -> NDArray[np.float64]:
        """Steps in mm, shape (3, 3): row *n* is the step along array axis *n* (slice, row, column)."""
        return self.matrix[:3, :3].T

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Lengths in mm of one step along (slice, row, column)."""
        slices, rows, columns = np.linalg.norm(self.steps, axis=1).tolist()
        return slices, rows, columns

    @property
    def directions(self) -> NDArray[np.float64]:
        """Unit steps, shape (3, 3), in the row order of `steps`."""
        return np.asarray(self.steps / np.linalg.norm(self.steps, axis=1, keepdims=True))

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        """Return the matrix, so that numpy takes an affine as an array."""
        return np.array(self.matrix, dtype=dtype, copy=copy)

    def __eq__(self, other: object) -> bool:
        """Tell whether both matrices hold the same numbers."""
        return isinstance(other, Affine) and np.array_equal(self.matrix, other.matrix)

    def __hash__(self) -> int:
        """Hash of the numbers."""
        return hash(tuple(self.matrix.ravel().tolist()))


def _checked(matrix: ArrayLike | Affine) -> NDArray[np.float64]:
    """Return `matrix` as read-only float64, or raise `GeometryError`."""
    try:
        values = np.array(matrix, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise GeometryError(f"the affine is not a matrix of numbers ({error})", kind="affine") from error
    if values.shape != (4, 4):
        raise GeometryError(
            f"the affine has shape {values.shape}, not (4, 4)",
            hint="it maps (slice, row, column, 1) to LPS mm",
            kind="affine",
        )
    if not np.isfinite(values).all():
        raise GeometryError(
            f"the affine holds NaN or infinite numbers: {_text(values)}",
            hint="repair the affine of the source (NIfTI: sform or qform)",
            kind="affine",
        )
    if not np.array_equal(values[3], (0, 0, 0, 1)):
        raise GeometryError(
            f"the last row of the affine is {_text(values[3])}, not 0 0 0 1",
            hint="a matrix that was transposed has its translation there",
            kind="affine",
        )
    _check_spans_space(values)
    values.flags.writeable = False
    return values


def _check_spans_space(values: NDArray[np.float64]) -> None:
    """Raise `GeometryError` unless the three steps have a length and do not lie in one plane."""
    columns = values[:3, :3]
    with np.errstate(over="ignore"):
        lengths = np.linalg.norm(columns, axis=0)
    hint = "repair the affine of the source (NIfTI: sform or qform)"
    if not (np.isfinite(lengths).all() and (lengths > 0).all()):
        raise GeometryError(
            f"the affine is singular: its steps are {_text(lengths)} mm long", hint=hint, kind="affine"
        )
    if abs(np.linalg.det(columns / lengths)) < _FLAT:
        raise GeometryError(
            f"the affine is singular: its three steps lie in one plane: {_text(columns)}",
            hint=hint,
            kind="affine",
        )


def _text(values: NDArray[np.float64]) -> str:
    """Return numbers for a message, rows separated by semicolons."""
    rows = np.atleast_2d(values).tolist()
    return "; ".join(" ".join(f"{number:g}" for number in row) for row in rows)
