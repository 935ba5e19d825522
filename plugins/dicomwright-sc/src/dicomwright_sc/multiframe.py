"""All frames as one value of PixelData (7FE0,0010), a few in memory at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from dicomwright.encoders import frames

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dicomwright_sc.images import Images

__all__ = ["check_length", "joined", "packed_bits", "pixel_bytes"]

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
    SourceError
        They take more than 4 GiB.

    """
    hint = "write an instance for each image: --blueprint secondary-capture, or --encoder-opt mode=single"
    frames.check_length(size, source, hint)


def joined(images: Images, count: int, size: int, *, single_bits: bool) -> Any:
    """Return the frames one after the other as a bytes-like object of `size` bytes."""
    if single_bits:
        return frames.joined(packed_bits(images.image(index) for index in range(count)), size)
    return frames.joined((images.scaled_image(index) for index in range(count)), size)


def packed_bits(images: Iterable[Any]) -> Iterator[bytes]:
    """Yield frames of single bits: the first pixel is the lowest bit, no padding between frames (PS3.5 8.1.1).

    Examples
    --------
    >>> b"".join(packed_bits([np.array([[1, 0, 0]], bool)] * 3)).hex()
    '4900'

    """
    rest = np.empty(0, bool)
    for frame in images:
        bits = np.concatenate([rest, np.asarray(frame, bool).reshape(-1)])
        whole = bits.size - bits.size % _BYTE
        yield np.packbits(bits[:whole], bitorder="little").tobytes()
        rest = bits[whole:]
    if rest.size:
        yield np.packbits(rest, bitorder="little").tobytes()
