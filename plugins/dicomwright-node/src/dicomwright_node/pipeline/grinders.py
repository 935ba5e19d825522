"""Grinders: small functions from an input to the data that `process` works on.

>>> def windowed(array):
...     return array.clip(-100, 300)
>>> grinder = chain(to_array, windowed)

Each takes the input (an `AbstractInput`, or whatever has its ``paths``, ``datasets`` and ``parents``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray
    from pydicom import Dataset

    from dicomwright import ParentSeries, Volume

__all__ = [
    "chain",
    "many",
    "to_array",
    "to_datasets",
    "to_nifti",
    "to_parents",
    "to_paths",
    "to_volume",
]


_PIXELS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")


def chain(*steps: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return a grinder that hands the result of each function to the next.

    Examples
    --------
    >>> chain(len, str)([1, 2, 3])
    '3'

    """

    def chained(source: Any) -> Any:
        for step in steps:
            source = step(source)
        return source

    return chained


def many(**grinders: Callable[[Any], Any]) -> Callable[[Any], dict[str, Any]]:
    """Return a grinder whose result is a dict with what each grinder gives.

    Examples
    --------
    >>> many(count=len, text=str)([1, 2, 3])
    {'count': 3, 'text': '[1, 2, 3]'}

    """
    return lambda source: {name: grinder(source) for name, grinder in grinders.items()}


def to_paths(source: Any) -> list[Path]:
    """Return the files, in order."""
    return list(source.paths)


def to_datasets(source: Any) -> list[Dataset]:
    """Return the data sets, in order; pixels are read when they are asked for."""
    return list(source.datasets)


def to_parents(source: Any) -> ParentSeries:
    """Return the headers as a `ParentSeries`."""
    parents: ParentSeries = source.parents
    return parents


def to_array(source: Any) -> NDArray[Any]:
    """Return the values, shape (slices, rows, columns), in order along the slice normal.

    Rescale slope and intercept are applied (PS3.3 C.11.1). Values that are all whole are int32, others float32.

    Raises
    ------
    SourceError
        An instance has no pixels, several frames or colours, or another size than the others.
    ParentError
        The instances are of several series.

    """
    import numpy as np

    slices = [_values(path) for path in source.parents.files]
    whole = all(values.dtype == np.int32 for values in slices)
    return np.stack(slices).astype(np.int32 if whole else np.float32, copy=False)


def to_volume(source: Any) -> Volume:
    """Return the values with their place in the patient (LPS mm).

    Raises
    ------
    GeometryError
        Position or orientation is missing, or several slices are at one place.

    """
    import numpy as np

    from dicomwright import Volume
    from dicomwright.errors import GeometryError

    array = to_array(source)
    planes = source.parents.planes
    if planes is None or len(planes) != len(array):
        raise GeometryError(
            "the series is no stack of slices: positions are missing, or the same several times",
            hint="use to_array or to_datasets",
            kind="no-geometry",
        )
    rows, columns = planes.pixel_spacing
    affine = np.eye(4)
    affine[:3, 0] = (planes.positions[-1] - planes.positions[0]) / max(1, len(planes) - 1)
    if len(planes) == 1:
        affine[:3, 0] = planes.normal
    affine[:3, 1] = np.asarray(planes.column_direction) * rows
    affine[:3, 2] = np.asarray(planes.row_direction) * columns
    affine[:3, 3] = planes.positions[0]
    return Volume(array, affine, positions=planes.positions)


def to_nifti(source: Any) -> Any:
    """Return a `nibabel.Nifti1Image` (RAS mm); needs nibabel, and evenly spaced slices.

    Raises
    ------
    GeometryError
        The slices are not evenly spaced, or have no place.

    """
    from dicomwright.errors import GeometryError

    volume = to_volume(source)
    if len(volume) > 1 and source.parents.planes.spacing is None:
        raise GeometryError(
            "the slices are not evenly spaced, which NIfTI cannot say", hint="use to_volume", kind="uneven"
        )
    assert volume.affine is not None
    return _nibabel().Nifti1Image(volume.array.transpose(2, 1, 0), volume.affine.to_ras_ijk())


def _nibabel() -> Any:
    from importlib import import_module

    from dicomwright_node.pipeline.errors import PipelineError

    try:
        return import_module("nibabel")
    except ImportError as error:
        raise PipelineError(
            "to_nifti needs nibabel, which is not installed", hint="python -m pip install dicomwright-nifti"
        ) from error


def _number(dataset: Dataset, keyword: str, default: float) -> float:
    """Return a number of a data set; an element without a value says as little as none."""
    value = dataset.get(keyword)
    return float(default if value is None or value == "" else value)


def _values(path: Path) -> NDArray[Any]:
    """Return the values of an instance of one grey frame."""
    import numpy as np
    from pydicom import dcmread

    from dicomwright.errors import SourceError

    dataset = dcmread(path)
    stored = dataset.pixel_array if any(keyword in dataset for keyword in _PIXELS) else None
    if stored is None or stored.ndim != 2:  # noqa: PLR2004  # rows and columns
        what = "has no pixels" if stored is None else "has several frames or colours"
        raise SourceError(f"instance {dataset.get('SOPInstanceUID', '')} {what}", hint="use to_datasets")
    slope, intercept = _number(dataset, "RescaleSlope", 1), _number(dataset, "RescaleIntercept", 0)
    if slope.is_integer() and intercept.is_integer() and stored.dtype.kind in "iu":
        values = stored.astype(np.int64) * int(slope) + int(intercept)
        if np.abs(values).max(initial=0) < 2**31:
            return values.astype(np.int32)
    return (stored * slope + intercept).astype(np.float32)
