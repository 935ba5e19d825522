"""How pixels are stored: type, bits, rescale and window, and the encoding of one slice."""

from __future__ import annotations

import math
from dataclasses import field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from dicomwright._dataclass import dataclass
from dicomwright.errors import StoredValueError
from dicomwright.payload.decimal_string import ds
from dicomwright.payload.mapping import Cast, Linear, Mapping, is_same_bytes

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["StoredValueRules", "StoredValues"]

_BITS = frozenset((8, 16))


@dataclass(frozen=True, slots=True)
class StoredValueRules:
    """What an IOD allows of its pixels.

    Attributes
    ----------
    bits_allocated : tuple of int
        Allowed BitsAllocated (0028,0100): 8, 16 or both. The smallest that loses nothing is taken.
    signed_allowed : bool
        PixelRepresentation (0028,0103) may be 1 (16 bits only).
    intercept_zero : bool
        RescaleIntercept (0028,1052) is always 0, as in PET (PS3.3 C.8.9.4).
    rescale_allowed : bool
        Values may be stored with a slope and an intercept at all.
    plain_preferred : bool
        Whole numbers that fit are stored without a rescale, even where the source has a slope of its own
        (MR, whose IOD has no Modality LUT).

    """

    bits_allocated: tuple[int, ...] = (16,)
    signed_allowed: bool = True
    intercept_zero: bool = False
    rescale_allowed: bool = True
    plain_preferred: bool = False

    def __post_init__(self) -> None:
        """Refuse bits that no stored type has."""
        if not self.bits_allocated or not _BITS.issuperset(self.bits_allocated):
            raise StoredValueError(
                f"BitsAllocated (0028,0100) may be 8 or 16, not {self.bits_allocated}", kind="bits-allocated"
            )

    @property
    def bits(self) -> int:
        """The largest BitsAllocated."""
        return max(self.bits_allocated)

    def storage(self, minimum: float, maximum: float) -> np.dtype[Any] | None:
        """Return the smallest stored type that holds both numbers, unsigned before signed, or `None`."""
        for bits in sorted(self.bits_allocated):
            if minimum >= 0 and maximum < 1 << bits:
                return np.dtype(f"<u{bits // 8}")
            if self.signed_allowed and bits == 16 and minimum >= -(1 << 15) and maximum < 1 << 15:  # noqa: PLR2004  # no signed 8 bit pixels
                return np.dtype("<i2")
        return None


@dataclass(frozen=True, eq=False)
class StoredValues:
    """How the pixels of one series are stored; made by `plan_stored_values`.

    Attributes
    ----------
    dtype : numpy dtype
        ``<u2``, ``<i2`` or ``u1``.
    slope, intercept : str
        RescaleSlope (0028,1053) and RescaleIntercept (0028,1052), exactly as they are written (DS).
    lossless : bool
        Every value comes back: whole numbers exactly, others in the precision of the source.
    minimum, maximum : float
        Smallest and largest value of the series, after the rescale.
    whole : bool
        All values are whole numbers.
    error_bound : float
        No value is further than this from what is read back, in the unit of the values.
    identity : bool
        The numbers of the array are the stored values, byte for byte.
    rounding : float or None
        Where values are rounded to steps: what the arithmetic adds to the error at most. Else `None`.
    mapping : Mapping
        From the array's numbers to stored values.

    """

    dtype: np.dtype[Any]
    slope: str
    intercept: str
    lossless: bool
    minimum: float
    maximum: float
    whole: bool
    error_bound: float = 0.0
    rounding: float | None = None
    mapping: Mapping = field(default_factory=Cast, repr=False)
    identity: bool = False

    @property
    def bits_allocated(self) -> int:
        """BitsAllocated (0028,0100)."""
        return self.dtype.itemsize * 8

    @property
    def bits_stored(self) -> int:
        """BitsStored (0028,0101); HighBit (0028,0102) is one less."""
        return self.bits_allocated

    @property
    def signed(self) -> bool:
        """PixelRepresentation (0028,0103) is 1."""
        return self.dtype.kind == "i"

    def window(self) -> tuple[str, str, str | None]:
        """Return WindowCenter (0028,1050), WindowWidth (0028,1051) and VOILUTFunction (0028,1056) or `None`.

        The window covers all values, in units after the rescale (PS3.3 C.11.2.1.2). ``LINEAR_EXACT`` is named
        where the width is below 1, which the default function does not allow.
        """
        center = self.minimum / 2 + self.maximum / 2
        half_width = self.maximum / 2 - self.minimum / 2
        if half_width == 0:
            return ds(center), "1", None
        if self.whole:
            return ds(center), ds(_doubled(half_width + 0.5)), None
        return ds(center), ds(_doubled(half_width)), "LINEAR_EXACT" if half_width < 0.5 else None  # noqa: PLR2004

    def encode(self, plane: ArrayLike) -> tuple[NDArray[Any], float]:
        """Return the stored values of one slice, and their largest error in the unit of the values.

        The result is C-contiguous and little endian. It is a view of `plane` if its bytes can go out as they
        are (see `identity`) and are contiguous. May be called from several threads at once.

        The error is measured in the same pass: the distance of each value from its stored step, plus a bound
        on the rounding of the arithmetic, so that it is never below the true one. Where nothing is rounded,
        it is the error of slope and intercept as they are written.
        """
        source = np.asarray(plane)
        if self.identity and is_same_bytes(source.dtype, self.dtype):
            return np.ascontiguousarray(source).view(self.dtype), self.error_bound
        out = np.empty(source.shape, dtype=self.dtype)
        steps = self.mapping.encode(source, out)
        if self.rounding is None:
            return out, self.error_bound
        return out, abs(float(self.slope)) * steps + self.rounding

    @property
    def most_error(self) -> float:
        """The error that rounding to steps cannot exceed, as `encode` gives it; infinite where that is not known."""
        if self.rounding is None or not isinstance(self.mapping, Linear) or self.mapping.limits:
            return math.inf
        return abs(float(self.slope)) * 0.5 + self.rounding

    def unmeasured(self) -> StoredValues:
        """Return the same for slices whose error need not be known: the search for it is a tenth of the work."""
        if not isinstance(self.mapping, Linear):
            return self
        return replace(self, mapping=replace(self.mapping, measure=False))

    def decode(self, stored: ArrayLike) -> NDArray[np.float64]:
        """Return values from stored values, as a reader of the files computes them."""
        return np.asarray(np.asarray(stored, dtype=np.float64) * float(self.slope) + float(self.intercept))


def _doubled(half: float) -> float:
    """Return twice `half`, or the largest double."""
    return min(half, float(np.finfo(np.float64).max) / 2) * 2
