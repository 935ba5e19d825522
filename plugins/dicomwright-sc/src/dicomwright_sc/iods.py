"""The SOP classes of secondary capture and the kinds of pixels that they hold (PS3.3 A.8)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["MULTI_FRAME", "SINGLE_FRAME", "SOP_CLASSES", "Kind"]

SINGLE_FRAME: Final = "1.2.840.10008.5.1.4.1.1.7"


@dataclass(frozen=True, slots=True)
class Kind:
    """What a pixel is.

    Attributes
    ----------
    samples : int
        SamplesPerPixel (0028,0002).
    bits : int
        BitsAllocated (0028,0100) in a multi-frame image: 1, 8 or 16.

    """

    samples: int
    bits: int

    def __str__(self) -> str:
        if self.samples > 1:
            return "8 bit colour"
        return "1-bit" if self.bits == 1 else f"{self.bits} bit grey"

    @classmethod
    def of(cls, shape: tuple[int, ...], dtype: str) -> Kind:
        """Return the kind of an image.

        Examples
        --------
        >>> str(Kind.of((61, 97, 3), "u1"))
        '8 bit colour'

        """
        return cls(3 if len(shape) > 2 else 1, {"?": 1, "u1": 8}.get(dtype, 16))  # noqa: PLR2004  # rows and columns


MULTI_FRAME: Final = {
    Kind(1, 1): "1.2.840.10008.5.1.4.1.1.7.1",
    Kind(1, 8): "1.2.840.10008.5.1.4.1.1.7.2",
    Kind(1, 16): "1.2.840.10008.5.1.4.1.1.7.3",
    Kind(3, 8): "1.2.840.10008.5.1.4.1.1.7.4",
}
SOP_CLASSES: Final = {SINGLE_FRAME: "Secondary Capture"} | {
    uid: f"Multi-frame {name} Secondary Capture"
    for uid, name in zip(
        MULTI_FRAME.values(), ("Single Bit", "Grayscale Byte", "Grayscale Word", "True Color"), strict=True
    )
}
