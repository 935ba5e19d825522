"""nibabel images as volumes: from their file where they have one, else from memory."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from nibabel.arrayproxy import ArrayProxy
from nibabel.nifti1 import Nifti1Header
from numpy.lib.recfunctions import structured_to_unstructured

from dicomwright.errors import SourceError
from dicomwright.payload.volume import Volume
from dicomwright.reading import refusal
from dicomwright_nifti.header import LABEL_INTENT, Header, Layout, grid
from dicomwright_nifti.space import checked, describe
from dicomwright_nifti.voxels import load_file

if TYPE_CHECKING:
    from nibabel.spatialimages import SpatialImage
    from numpy.typing import NDArray

    from dicomwright_nifti.options import ReadOptions

__all__ = ["volume_of_image"]

_SPATIAL: Final = 3
_COLOUR: Final = ("R", "G", "B")


def volume_of_image(image: SpatialImage, options: ReadOptions) -> Volume:
    """Return the volume of an image that nibabel loaded or made.

    Parameters
    ----------
    image : nibabel.spatialimages.SpatialImage
        3-D, or with further dimensions of 1. Its `affine` places it (RAS, mm).
    options : ReadOptions
        All but `orientation` apply.

    Raises
    ------
    SourceError
        It is not one volume, its type or affine cannot be used, or its file is damaged.

    """
    if options.orientation != "auto":
        message = "option orientation does not apply to an image in memory: its affine places it"
        raise SourceError(message, hint="leave the option out", kind="option")
    name = image.get_filename() or "nibabel image"
    shape = grid(image.shape, name)
    array, slope, intercept, notes = _stored(image.dataobj, shape, name, options)
    label = False
    matrix = None if image.affine is None else np.array(image.affine, np.float64)
    if isinstance(image.header, Nifti1Header):
        header = Header(image.header, single=True, path=Path(name))
        label = header["intent_code"] == LABEL_INTENT
        notes += [] if matrix is None else describe(header, matrix, shape, options.units)
    affine = None if matrix is None else checked(matrix, name, "affine", "give the image a valid affine")
    return Volume(
        array, affine, slope=slope, intercept=intercept, label=label, source=name, warnings=tuple(notes)
    )


def _stored(
    data: Any, shape: tuple[int, int, int], name: str, limits: ReadOptions
) -> tuple[NDArray[Any], float, float, list[str]]:
    """Return stored values with their slope and intercept, from the file where there is a plain one."""
    if type(data) is ArrayProxy:
        slope, intercept = float(data.slope), float(data.inter)
        if isinstance(data.file_like, (str, os.PathLike)) and data.order == "F":
            base, colour = _sample(np.dtype(data.dtype), name)
            layout = Layout(shape + colour, base, int(data.offset))
            array, _ = load_file(Path(data.file_like), layout, limits)
            return array, slope, intercept, []
        data = _fetched(data.get_unscaled, name)
    else:
        slope, intercept = 1.0, 0.0
        data = _fetched(lambda: np.asanyarray(data), name)
    return _oriented(data, name), slope, intercept, []


def _fetched(fetch: Any, name: str) -> NDArray[Any]:
    """Return an array that nibabel reads."""
    try:
        return np.asanyarray(fetch())
    except (OSError, EOFError, ValueError, MemoryError, ArithmeticError) as error:
        message = f"nibabel cannot read its voxels: {error}"
        raise refusal(name, message, "restore the file", "damaged") from error


def _sample(dtype: np.dtype[Any], name: str) -> tuple[np.dtype[Any], tuple[int, ...]]:
    """Return type and number of samples of a voxel: none, or (3,) for RGB."""
    if dtype.names == _COLOUR:
        return np.dtype("u1"), (3,)
    if dtype.kind not in "biuf":
        what = "RGBA" if dtype.names else dtype.name
        hint = {
            "c": "save magnitude and phase as two real images",
            "V": "transparency is not supported here: blend it over a background and save RGB",
        }.get(dtype.kind, "convert it to numbers")
        raise refusal(name, f"its voxels are {what}, which cannot be stored", hint, "unsupported")
    return dtype, ()


def _oriented(array: NDArray[Any], name: str) -> NDArray[Any]:
    """Return a view of (columns, rows, slices) as (slices, rows, columns)."""
    _, colour = _sample(array.dtype, name)
    cube = array
    while cube.ndim > _SPATIAL:
        cube = cube[..., 0]
    while cube.ndim < _SPATIAL:
        cube = cube[..., np.newaxis]

    if not colour:
        return cube.transpose(2, 1, 0)
    return structured_to_unstructured(cube, copy=False).transpose(2, 1, 0, 3)
