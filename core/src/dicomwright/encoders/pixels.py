"""The pixels of a volume on their way out: quantised slice by slice, errors measured as they go."""

from __future__ import annotations

import hashlib
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from dicomwright.payload.mapped import RELEASED_AT_ONCE, release
from dicomwright.payload.stored_values import plan_stored_values

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dicomwright.payload.stored_values import Quantise, StoredValueRules, StoredValues
    from dicomwright.payload.volume import Volume

__all__ = ["VolumePixels"]


class VolumePixels:
    """The slices of a volume, as values and as stored numbers.

    Parameters
    ----------
    volume : Volume
        Cut into slices.
    source : Volume
        The same before it was cut: its values are looked through in their own order, and named by it in messages.
    rules : StoredValueRules
        What the IOD allows.
    candidates : sequence of (float, float)
        Slopes and intercepts to try before a new one is fitted.
    non_finite : float, optional
        What stands for NaN and infinity.
    quantise : str
        ``auto``, ``exact`` or ``fit``.

    """

    def __init__(
        self,
        volume: Volume,
        source: Volume,
        rules: StoredValueRules,
        *,
        candidates: Sequence[tuple[float, float]] = (),
        non_finite: float | None = None,
        quantise: Quantise = "auto",
    ) -> None:
        self.volume = volume
        self._source = source
        self._rules = rules
        self._candidates = candidates
        self._non_finite = non_finite
        self._quantise = quantise
        self._errors = np.full(volume.slices, np.nan)
        self._settled: StoredValues | None = None  # once a slice has an error that none exceeds

    @cached_property
    def stored(self) -> StoredValues:
        """How the values are stored; the first look at it reads the volume once."""
        return plan_stored_values(
            self._source,
            self._rules,
            candidates=self._candidates,
            non_finite=self._non_finite,
            quantise=self._quantise,
        )

    @property
    def slope(self) -> float:
        """RescaleSlope as it is written."""
        return float(self.stored.slope)

    @property
    def intercept(self) -> float:
        """RescaleIntercept as it is written."""
        return float(self.stored.intercept)

    def image(self, index: int) -> Any:
        """Return the values of one slice, unmodified."""
        plane = self.volume.array[index]
        if self.volume.slope == 1 and self.volume.intercept == 0:
            return plane
        return plane * self.volume.slope + self.volume.intercept

    def scaled_image(self, index: int) -> Any:
        """Return the stored numbers of one slice, C-contiguous and little endian."""
        plane = self.volume.array[index]
        if index % max(1, RELEASED_AT_ONCE // plane.nbytes) == 0:
            release(self.volume.array)
        stored, error = (self._settled or self.stored).encode(plane)
        # A slice may be made again, and is not measured any more then.
        self._errors[index] = np.fmax(self._errors[index], error)
        if self._settled is None and error >= self.stored.most_error:
            self._settled = self.stored.unmeasured()
        return stored

    def result(self) -> dict[str, Any]:
        """Return slope, intercept, the largest error that was measured, and whether anything is lost."""
        for index in np.flatnonzero(np.isnan(self._errors)) if not self.stored.identity else ():
            self.scaled_image(int(index))
        measured = 0.0 if self.stored.identity else float(self._errors.max())
        return {
            "slope": self.slope,
            "intercept": self.intercept,
            "max_abs_error": measured,
            "lossless": self.stored.lossless,
        }

    def digest(self) -> bytes:
        """Return a digest of values and place."""
        state = hashlib.sha256()
        volume = self.volume
        affine = b"" if volume.affine is None else volume.affine.matrix.astype("<f8").tobytes()
        positions = b"" if volume.positions is None else volume.positions.astype("<f8").tobytes()
        kind = volume.array.dtype.newbyteorder("<").str
        state.update(
            repr((volume.array.shape, kind, volume.slope, volume.intercept)).encode() + affine + positions
        )
        for plane in volume.array:
            state.update(np.ascontiguousarray(plane, dtype=kind).data)
        return state.digest()
