"""From axes in any order to (slice, row, column) and a place in LPS mm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from dicomwright.errors import GeometryError
from dicomwright.payload import Affine
from dicomwright.reading import refusal
from dicomwright_raw.description import AXES, LENGTHS
from dicomwright_raw.refusals import times

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dicomwright_raw.description import Description

__all__ = ["across", "arranged", "axes_of", "checked", "place"]

_COLOUR: Final = 3
_FLAT: Final = 2
_DEFAULTS: Final = {2: ("row", "column"), 3: ("slice", "row", "column"), 4: AXES}
_TO_LPS: Final = {"LPS": (1.0, 1.0, 1.0), "RAS": (-1.0, -1.0, 1.0)}
#: Without a direction: slices run to +z, rows to +y, columns to +x.
_STRAIGHT: Final = {"slice": (0.0, 0.0, 1.0), "row": (0.0, 1.0, 0.0), "column": (1.0, 0.0, 0.0)}


def axes_of(told: Description, shape: tuple[int, ...], where: object) -> tuple[str, ...]:
    """Return the names of the axes of an array.

    Raises
    ------
    SourceError
        Their number is not that of the shape.

    """
    axes = told.axes or _DEFAULTS.get(len(shape), ())
    if len(axes) == len(shape):
        return axes
    has = f"its shape has {len(shape)} axes ({times(shape)})"
    message = f"{has}, but axes names {len(told.axes)}" if told.axes else f"{has}, which is not one volume"
    hint = "name each axis once, for example axes=slice,row,column" if told.axes else "give one volume"
    raise refusal(where, message, hint, "axes")


def arranged(array: NDArray[Any], axes: tuple[str, ...]) -> NDArray[Any]:
    """Return a view with the axes (slice, row, column) and perhaps sample."""
    if "slice" not in axes:
        array, axes = array[np.newaxis], ("slice", *axes)
    return array.transpose([axes.index(name) for name in AXES if name in axes])


def place(told: Description, axes: tuple[str, ...], where: object) -> Affine | None:
    """Return where the voxels are, None if nothing says it.

    Raises
    ------
    SourceError
        The convention is not named, entries contradict each other, or the affine is singular.

    """
    if not (told.spacing or told.affine):
        if told.origin or told.direction:
            message = "origin or direction is given, but no spacing"
            raise refusal(where, message, "add spacing, or give the affine", "geometry")
        return None
    if not told.convention:
        message = "it is not said whether x, y and z are LPS (DICOM, ITK) or RAS (NIfTI)"
        raise refusal(where, message, "add convention=LPS or convention=RAS", "convention")
    spatial = [name for name in axes if name != "sample"]
    matrix = _by_affine(told, spatial, where) if told.affine else _by_spacing(told, spatial, where)
    columns = {name: matrix[:, place] for place, name in enumerate(spatial)}
    columns.setdefault("slice", across(columns["column"], columns["row"]) / LENGTHS[told.length_unit])
    steps = np.column_stack([columns[name] for name in AXES[:3]] + [matrix[:, -1]])
    return checked(steps * LENGTHS[told.length_unit], told.convention, where)


def across(row_direction: NDArray[np.float64], column_direction: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a step of length 1 across a single slice."""
    with np.errstate(all="ignore"):
        normal = np.cross(row_direction, column_direction)
        return np.asarray(normal / np.linalg.norm(normal))


def checked(steps: NDArray[np.float64], convention: str, where: object) -> Affine:
    """Return a 3 x 4 matrix over (slice, row, column) as the affine in LPS.

    Raises
    ------
    SourceError
        It is not finite or singular.

    """
    matrix = np.eye(4)
    with np.errstate(all="ignore"):
        matrix[:3] = np.diag(_TO_LPS[convention]) @ steps + 0.0
        try:
            return Affine(matrix)
        except GeometryError as error:
            message = f"it cannot be placed: {error.problems[0].message}"
            raise refusal(where, message, "correct spacing, direction or affine", "geometry") from error


def _by_affine(told: Description, spatial: list[str], where: object) -> NDArray[np.float64]:
    """Return the columns of the affine, the translation last."""
    if told.spacing or told.origin or told.direction:
        message = "affine is given beside spacing, origin or direction"
        raise refusal(where, message, "leave out one or the other", "geometry")
    matrix = np.array(told.affine).reshape(-1, 4)
    if len(spatial) == _FLAT:
        message = "an affine needs three axes in space, and it has rows and columns only"
        raise refusal(where, message, "give a shape with one slice", "geometry")
    if len(matrix) > _COLOUR and matrix[3].tolist() != [0, 0, 0, 1]:
        message = "the last row of the affine is not 0 0 0 1"
        raise refusal(where, message, "write the matrix row by row", "geometry")
    return matrix[:3]


def _by_spacing(told: Description, spatial: list[str], where: object) -> NDArray[np.float64]:
    """Return the columns that spacing, direction and origin give."""
    if len(told.spacing) != len(spatial) or len(told.direction) not in (0, 3 * len(spatial)):
        message = f"spacing or direction is not one for each of the axes {', '.join(spatial)}"
        raise refusal(where, message, "give them in the order of the axes", "geometry")
    directions = np.array([_STRAIGHT[name] for name in spatial])
    if told.direction:
        directions = np.array(told.direction).reshape(-1, 3)
        lengths = np.linalg.norm(directions, axis=1)
        if not np.allclose(lengths, 1, atol=1e-3):
            message = f"the directions have lengths {', '.join(f'{length:g}' for length in lengths)}, not 1"
            raise refusal(where, message, "give one unit vector for each axis", "geometry")
        directions /= lengths[:, np.newaxis]
    origin = told.origin or (0.0, 0.0, 0.0)
    return np.column_stack([*(directions * np.array(told.spacing)[:, np.newaxis]), origin])
