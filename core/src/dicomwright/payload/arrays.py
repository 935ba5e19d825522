"""What a volume accepts as its array and its positions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dicomwright.errors import GeometryError, SourceError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from dicomwright.payload.affine import Affine

__all__ = ["checked_array", "checked_positions"]

_WITHOUT_SAMPLES, _WITH_SAMPLES, _COLOUR = 3, 4, 3
_SHAPE_HINTS = {2: "array[np.newaxis] makes one slice of it"}
_NO_NUMBERS = {"c": "complex numbers", "V": "records", "O": "Python objects"}
_DTYPE_HINTS = {
    "c": "take np.abs, np.angle, .real or .imag, and build one series for each",
    "V": "give colour as a last axis of 3 unsigned 8 bit samples",
}


def _is_masked(array: ArrayLike) -> bool:
    """Tell whether values are masked. numpy loads what knows of masks when it is first asked for."""
    if isinstance(array, np.memmap):
        return False
    return isinstance(array, np.ma.MaskedArray) and bool(np.ma.is_masked(array))


def checked_array(array: ArrayLike, source: str) -> NDArray[Any]:
    """Return `array` as a plain ndarray that shares its memory, or raise `SourceError`."""
    if type(array) is not np.ndarray and _is_masked(array):
        raise SourceError(
            "the array is masked: DICOM has no missing pixels",
            hint="choose a value for them: array.filled(value)",
            loc=source,
            kind="masked",
        )
    values = np.asarray(array)
    kind = values.dtype.kind
    if kind not in "buif":
        what = _NO_NUMBERS.get(kind, "no numbers")
        hint = _DTYPE_HINTS.get(kind, "convert the array to integers or floats")
        message = f"the array has dtype {values.dtype} ({what}); pixels are real numbers"
        raise SourceError(message, hint=hint, loc=source, kind="dtype")
    _check_shape(values, source)
    return values


def _check_shape(values: NDArray[Any], source: str) -> None:
    """Raise `SourceError` unless the axes are slices, rows, columns and perhaps colour samples."""
    shape = "x".join(map(str, values.shape)) or "a single number"
    if values.ndim not in (_WITHOUT_SAMPLES, _WITH_SAMPLES):
        raise SourceError(
            f"the array has {values.ndim} dimensions ({shape}), not (slices, rows, columns)",
            hint=_SHAPE_HINTS.get(values.ndim, "build one series for each volume"),
            loc=source,
            kind="shape",
        )
    if 0 in values.shape:
        raise SourceError(f"the array is empty ({shape})", loc=source, kind="shape")
    colour = values.shape[-1] == _COLOUR and values.dtype.str[1:] in ("u1", "u2")
    if values.ndim == _WITH_SAMPLES and not colour:
        raise SourceError(
            f"the array has 4 dimensions ({shape}, {values.dtype}); the fourth can only be 3 unsigned 8 or "
            "16 bit colour samples",
            hint="build one series for each time point (array[..., t]); drop or blend an alpha channel",
            loc=source,
            kind="shape",
        )


def checked_positions(
    positions: ArrayLike | None, affine: Affine | None, slices: int, source: str
) -> NDArray[np.float64] | None:
    """Return read-only positions, shape (slices, 3), or raise `GeometryError`."""
    if positions is None:
        return None
    if affine is None:
        raise GeometryError(
            "positions need an affine that gives rows and columns", loc=source, kind="no-space"
        )
    values = np.array(positions, dtype=np.float64)
    if values.shape != (slices, 3):
        raise GeometryError(
            f"the positions have shape {values.shape}, not ({slices}, 3): one for each slice",
            loc=source,
            kind="shape",
        )
    if not np.isfinite(values).all():
        raise GeometryError("the positions hold NaN or infinite numbers", loc=source, kind="not-finite")
    values.flags.writeable = False
    return values
