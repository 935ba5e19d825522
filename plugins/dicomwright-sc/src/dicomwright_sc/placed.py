"""Volumes: cut into slices, placed where they lie, and what their images are."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from dicomwright.encoders.pixels import VolumePixels
from dicomwright.encoders.placement import Placement, place
from dicomwright.errors import StoredValueError
from dicomwright.payload import StoredValueRules
from dicomwright.reading import refusal
from dicomwright_sc.images import FrameImages

if TYPE_CHECKING:
    from dicomwright.parents import ParentSeries
    from dicomwright.payload import StoredValues, Volume
    from dicomwright_sc.settings import Settings

__all__ = ["images_of", "orientation_letters", "placed"]

#: One image an instance: any of 8 and 16 bit, with a rescale where it is needed.
_SINGLE: Final = StoredValueRules(bits_allocated=(8, 16))
_BYTE: Final = StoredValueRules(bits_allocated=(8,), signed_allowed=False, rescale_allowed=False)
_WORD: Final = StoredValueRules(bits_allocated=(16,), signed_allowed=False, rescale_allowed=False)
_LEAST_COSINE: Final = 1e-3


def placed(volume: Volume, parents: ParentSeries | None, settings: Settings) -> Placement:
    """Return a volume cut into slices.

    Unlike CT or MR, an image here needs no place: an array that does not fit its parents has none.

    Raises
    ------
    GeometryError
        The slicing is not possible.

    """
    if volume.affine is None and parents is not None and not _fits(volume, parents):
        why = "the array has no affine, and its slices are not those of the parents"
        return Placement(volume, None, pairing_problem=why, warnings=(f"{why}: they have no place",))
    return place(volume, parents, settings.slicing, settings.shear)


def _fits(volume: Volume, parents: ParentSeries) -> bool:
    """Tell whether an array has a slice for each parent, of its size."""
    planes = parents.planes
    return (
        planes is not None
        and len(planes) == len(parents) == volume.slices
        and (planes.rows, planes.columns) == (volume.rows, volume.columns)
    )


def images_of(
    volume: Volume, source: Volume, settings: Settings, *, multi_frame: bool
) -> FrameImages | VolumePixels:
    """Return the images of a volume that was cut into slices; `source` is the same before that.

    Raises
    ------
    SourceError
        Its colour has 16 bit a sample.

    """
    array = volume.array
    shape = array.shape[1:]
    if volume.samples > 1 and array.dtype != np.uint8:
        message = f"its colour samples are {array.dtype}; secondary capture has colour of 8 bit"
        raise refusal(volume.source or "volume", message, "bring them to uint8", "depth")
    plain = volume.slope == 1 and volume.intercept == 0
    if volume.samples > 1 or (array.dtype == bool and plain):
        dtype = "?" if array.dtype == bool else "u1"
        return FrameImages(array, [shape] * len(array), [dtype] * len(array), _digest_of(volume))
    if not multi_frame:
        return VolumePixels(
            volume, source, _SINGLE, non_finite=settings.non_finite, quantise=settings.quantise
        )
    rules = _BYTE if array.dtype == np.uint8 and plain else _WORD
    return FramePixels(volume, source, rules, non_finite=settings.non_finite, quantise=settings.quantise)


class FramePixels(VolumePixels):
    """The frames of a multi-frame image, which has no rescale and no signed numbers (PS3.3 C.8.6.3)."""

    @cached_property
    def stored(self) -> StoredValues:
        """How the values are stored."""
        try:
            return super().stored
        except StoredValueError as error:
            message = f"{error.problems[0].message} (multi-frame secondary capture)"
            hint = "write an instance for each slice, which may have a rescale: --blueprint secondary-capture"
            raise StoredValueError(
                message, hint=hint, loc=self.volume.source, kind=error.problems[0].kind
            ) from error


def _digest_of(volume: Volume) -> Any:
    """Return the function that gives the digest of values and place, as of any volume."""
    return VolumePixels(volume, volume, _SINGLE).digest


def orientation_letters(direction: Any) -> str:
    """Return a direction in the patient for PatientOrientation (0020,0020), the largest part first.

    Examples
    --------
    >>> orientation_letters((0.0, 0.8, -0.6))
    'PF'

    """
    parts = sorted(zip(direction, ("LR", "PA", "HF"), strict=True), key=lambda part: -abs(part[0]))
    return "".join(
        letters[0] if number > 0 else letters[1] for number, letters in parts if abs(number) > _LEAST_COSINE
    )
