"""Pixels of a finished file: their number, and whether each fits the bits that are declared (PS3.3 C.7.6.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydicom.uid import UID

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydicom.dataset import Dataset

__all__ = ["pixel_complaints"]

_NEEDED = (
    "Rows",
    "Columns",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "SamplesPerPixel",
)
_WHOLE = {8: "u1", 16: "<u2", 32: "<u4"}


def pixel_complaints(dataset: Dataset) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with the pixels."""
    if "PixelData" not in dataset:
        return
    numbers = {name: dataset.get(name) for name in _NEEDED}
    if not all(isinstance(number, int) for number in numbers.values()):
        return  # what is missing is told by the tables
    stored, allocated, high = (
        int(dataset[name].value) for name in ("BitsStored", "BitsAllocated", "HighBit")
    )
    if stored > allocated or high != stored - 1:
        yield (
            "error",
            f"BitsStored {stored} and HighBit {high} do not fit BitsAllocated {allocated} (PS3.3 C.7.6.3)",
        )
        return
    syntax = UID(str(dataset.file_meta.get("TransferSyntaxUID", "")))
    if syntax.is_encapsulated or allocated not in _WHOLE:
        return
    data = bytes(dataset.PixelData)
    count = int(dataset.Rows) * int(dataset.Columns) * int(dataset.SamplesPerPixel)
    if dataset.get("PhotometricInterpretation") == "YBR_FULL_422":
        count = count * 2 // 3
    count *= int(dataset.get("NumberOfFrames") or 1)
    wanted = count * allocated // 8
    if len(data) != wanted + wanted % 2:
        yield (
            "error",
            f"PixelData (7FE0,0010) has {len(data)} bytes, and Rows, Columns and the rest make {wanted}",
        )
        return
    kind = np.dtype(_WHOLE[allocated])
    pixels = np.frombuffer(data, kind if syntax.is_little_endian else kind.newbyteorder(">"), count)
    yield from _range(pixels, stored, allocated, signed=bool(dataset.PixelRepresentation))


def _range(
    pixels: np.ndarray[tuple[int], np.dtype[np.unsignedinteger]], stored: int, allocated: int, *, signed: bool
) -> Iterator[tuple[str, str]]:
    """Yield stored numbers that need more bits than BitsStored."""
    if signed:
        values = pixels.view(pixels.dtype.str.replace("u", "i"))
        low, high = int(values.min()), int(values.max())
        least, most = -(1 << (stored - 1)), (1 << (stored - 1)) - 1
    else:
        low, high, least, most = int(pixels.min()), int(pixels.max()), 0, (1 << stored) - 1
    if stored < allocated and (low < least or high > most):
        yield (
            "error",
            f"stored numbers run from {low} to {high}, and BitsStored {stored} holds {least} to {most} (PS3.3 C.7.6.3)",
        )
