"""All frames as one value of PixelData (7FE0,0010), a few in memory at a time."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from dicomwright.errors import BlueprintError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dicomwright_sc.images import Images

__all__ = ["check_length", "joined", "packed_bits", "pixel_bytes"]

_IN_MEMORY: Final = 64 * 1024**2  # larger values go through a nameless temporary file, which is mapped
_LONGEST: Final = 0xFFFFFFFE  # of a value of defined, even length (PS3.5 section 7.1.1)
_BYTE: Final = 8


def pixel_bytes(shape: tuple[int, ...], bits: int, count: int) -> int:
    """Return the bytes that frames take.

    Examples
    --------
    >>> pixel_bytes((3, 3), 1, 3)  # single bits are not padded between frames
    4

    """
    numbers = count
    for length in shape:
        numbers *= length
    return -(-numbers * bits // _BYTE)


def check_length(size: int, source: str) -> None:
    """Refuse more pixels than one instance can hold.

    Raises
    ------
    BlueprintError
        They take more than 4 GiB.

    """
    if size > _LONGEST:
        message = f"its frames take {size:,} bytes, and one value of DICOM has at most {_LONGEST:,}"
        hint = "write an instance for each image: --encoder-opt mode=single"
        raise BlueprintError(message, hint=hint, loc=source, kind="too-large")


def joined(images: Images, count: int, size: int, *, single_bits: bool) -> Any:
    """Return the frames one after the other as a bytes-like object of `size` bytes."""
    if single_bits:
        parts: Iterable[Any] = packed_bits(images.image(index) for index in range(count))
    else:
        parts = (images.scaled_image(index) for index in range(count))
    if size > _IN_MEMORY:
        return _spilled(parts, size)
    target = np.empty(size, np.uint8)
    filled = 0
    for part in parts:
        flat = np.frombuffer(part, np.uint8)
        target[filled : filled + flat.size] = flat
        filled += flat.size
    return target


def packed_bits(frames: Iterable[Any]) -> Iterator[bytes]:
    """Yield frames of single bits: the first pixel is the lowest bit, no padding between frames (PS3.5 8.1.1).

    Examples
    --------
    >>> b"".join(packed_bits([np.array([[1, 0, 0]], bool)] * 3)).hex()
    '4900'

    """
    rest = np.empty(0, bool)
    for frame in frames:
        bits = np.concatenate([rest, np.asarray(frame, bool).reshape(-1)])
        whole = bits.size - bits.size % _BYTE
        yield np.packbits(bits[:whole], bitorder="little").tobytes()
        rest = bits[whole:]
    if rest.size:
        yield np.packbits(rest, bitorder="little").tobytes()


def _spilled(parts: Iterable[Any], size: int) -> Any:
    """Return a map of a temporary file without a name that holds the parts."""
    with tempfile.TemporaryFile(prefix="dicomwright-") as file:
        for part in parts:
            file.write(part)
        file.flush()
        return np.memmap(file, np.uint8, "r", 0, (size,))
