"""One pass over all values: range, NaN and Inf, and whether all are whole numbers."""

from __future__ import annotations

import math
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from dicomwright.payload.mapped import RELEASED_AT_ONCE, release

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["BLOCK", "Scan", "blocks", "distinct_values", "first_non_finite", "in_memory_order", "scan_values"]

_WORTH_A_THREAD = 16 * 2**20  # bytes
_MOST_THREADS = 4
_SCANNED_AT_ONCE = 2**20  # bytes: they stay in the cache from the minimum to the maximum

BLOCK = 1 << 18
"""Values handled at once: they stay in the processor's cache, and threads seldom wait for the interpreter's lock."""


@dataclass(slots=True)
class Scan:
    """What one pass found.

    Attributes
    ----------
    minimum, maximum : number
        `int` for integers, else `float` (longdouble stays); of the finite values and, where a value stands in for
        non-finite ones, of that value. Zero if there is none.
    whole : bool
        All of these are whole numbers.
    nans, infinities : int
        How many values were NaN and Inf.

    """

    minimum: Any = 0
    maximum: Any = 0
    whole: bool = True
    nans: int = 0
    infinities: int = 0
    _empty: bool = field(default=True, repr=False)

    def add(self, low: Any, high: Any) -> None:
        """Widen the range."""
        self.minimum = low if self._empty else min(self.minimum, low)
        self.maximum = high if self._empty else max(self.maximum, high)
        self._empty = False

    def merge(self, other: Scan) -> None:
        """Take in what was found in another part."""
        if not other._empty:
            self.add(other.minimum, other.maximum)
        self.whole = self.whole and other.whole
        self.nans += other.nans
        self.infinities += other.infinities

    def add_floats(self, block: NDArray[Any], stand_in: float | None) -> None:
        """Add a block of floats that may hold NaN and Inf."""
        low, high = block.min(), block.max()  # either is NaN if any value is
        if not (np.isfinite(low) and np.isfinite(high)):
            block = self._finite_part(block, stand_in)
            if not block.size:
                return
            low, high = block.min(), block.max()
        if self.whole:
            self.whole = bool((np.rint(block) == block).all())
        self.add(low.item(), high.item())

    def _finite_part(self, block: NDArray[Any], stand_in: float | None) -> NDArray[Any]:
        """Count NaN and Inf; return the other values and the one that stands in for them."""
        finite = np.isfinite(block)
        nans = int(np.count_nonzero(np.isnan(block)))
        self.nans += nans
        self.infinities += int(finite.size - np.count_nonzero(finite)) - nans
        values = block[finite]
        return values if stand_in is None else np.append(values, np.float64(stand_in))


def scan_values(array: NDArray[Any], stand_in: float | None = None) -> Scan:
    """Return what one streaming pass over `array` finds; `stand_in` takes the place of NaN and Inf.

    Blocks are read in the order of the memory, whatever the order of the axes, those of a large array by several
    threads. Fractions are looked for until the first one.
    """
    ordered = in_memory_order(array)
    threads = min(os.cpu_count() or 1, _MOST_THREADS, len(ordered)) if array.nbytes > _WORTH_A_THREAD else 1
    if threads == 1:
        return _scan_part(ordered, stand_in)
    scan = Scan()
    with ThreadPoolExecutor(threads) as pool:
        for part in pool.map(lambda part: _scan_part(part, stand_in), np.array_split(ordered, threads)):
            scan.merge(part)
    return scan


def _scan_part(array: NDArray[Any], stand_in: float | None) -> Scan:
    """Return what a pass over an array in the order of its memory finds."""
    scan = Scan()
    floating = array.dtype.kind == "f"
    read = 0
    for (block,) in blocks(array, size=_SCANNED_AT_ONCE // array.itemsize):
        if floating:
            scan.add_floats(block, stand_in)
        else:
            scan.add(int(block.min()), int(block.max()))
        read += block.nbytes
        if read >= RELEASED_AT_ONCE:
            release(array)
            read = 0
    return scan


def blocks(*arrays: NDArray[Any], size: int = BLOCK) -> Iterator[tuple[NDArray[Any], ...]]:
    """Yield matching views of at most about `size` values of arrays of one shape, in C order."""
    first = arrays[0]
    if first.size <= size:
        yield arrays
        return
    if all(array.flags.c_contiguous for array in arrays):
        arrays = tuple(array.reshape(-1) for array in arrays)
        first = arrays[0]
    inner = math.prod(first.shape[1:])
    if inner > size:
        for index in range(len(first)):
            yield from blocks(*(array[index] for array in arrays), size=size)
        return
    step = size // inner
    for start in range(0, len(first), step):
        yield tuple(array[start : start + step] for array in arrays)


def in_memory_order(array: NDArray[Any]) -> NDArray[Any]:
    """Return a view whose axes are ordered and directed so that C order walks forward through memory."""
    forward = tuple(slice(None, None, -1) if stride < 0 else slice(None) for stride in array.strides)
    order = sorted(range(array.ndim), key=lambda axis: -abs(array.strides[axis]))
    return array[forward].transpose(order)


def first_non_finite(array: NDArray[Any]) -> tuple[int, ...]:
    """Return the (slice, row, column[, sample]) of the first NaN or Inf; `array` must hold one."""
    for index, plane in enumerate(array):
        bad = ~np.isfinite(plane)
        if bad.any():
            place = np.unravel_index(int(bad.argmax()), bad.shape)
            return (index, *(int(axis) for axis in place))
    raise ValueError("the array holds finite numbers only")


def distinct_values(array: NDArray[Any], limit: int) -> int:
    """Return the number of distinct values, or ``limit + 1`` as soon as there are more than `limit`."""
    found = np.empty(0, dtype=array.dtype.newbyteorder("="))
    for (block,) in blocks(in_memory_order(array)):
        found = np.union1d(found, block)
        if found.size > limit:
            return limit + 1
    return int(found.size)
