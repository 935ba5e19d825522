"""Values of bulk elements that are too large for memory: made part by part while they are written."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from dicomwright.errors import BlueprintError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["BulkParts", "groups_of"]

_IN_MEMORY: Final = 64 * 1024**2  # larger values go through a nameless temporary file, which is mapped


class BulkParts:
    """Bytes-like parts that are one value, one after the other; to be gone through once.

    The function of a `BulkElement` may return it instead of a bytes-like object: the parts are then made while the
    file is written, and no two of them are in memory.

    Parameters
    ----------
    parts : iterable of bytes-like
        The parts, made when they are asked for.
    size : int
        Bytes of all parts.

    Examples
    --------
    >>> value = BulkParts((letter * 2 for letter in (b"a", b"b", b"c")), 6)
    >>> len(value), bytes(value.whole())
    (6, b'aabbcc')

    """

    def __init__(self, parts: Iterable[Any], size: int) -> None:
        self._parts = parts
        self._size = size

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[memoryview]:
        """Yield the parts as bytes.

        Raises
        ------
        BlueprintError
            They are not as long as was said.

        """
        left = self._size
        for part in self._parts:
            view = memoryview(part).cast("B")
            left -= len(view)
            yield view
        if left:
            message = f"the parts of a value have {self._size - left:,} bytes, not {self._size:,}"
            raise BlueprintError(message, hint="report this to the makers of the encoder", kind="length")

    def whole(self) -> Any:
        """Return all parts as one bytes-like object, in a temporary file if it is large."""
        if self._size <= _IN_MEMORY:
            return b"".join(self)
        with tempfile.TemporaryFile(prefix="dicomwright-") as file:
            for part in self:
                file.write(part)
            file.flush()
            return np.memmap(file, np.uint8, "r", 0, (self._size,))


def groups_of(buffers: Iterable[Any]) -> Iterator[list[Any]]:
    """Yield buffers in groups to be written at once: all together, or part by part where one is made of parts.

    Examples
    --------
    >>> list(groups_of([b"head", b"data"]))
    [[b'head', b'data']]
    >>> [[bytes(part) for part in group] for group in groups_of([b"head", BulkParts([b"da", b"ta"], 4)])]
    [[b'head'], [b'da'], [b'ta']]

    """
    group: list[Any] = []
    for buffer in buffers:
        if isinstance(buffer, BulkParts):
            yield group
            for part in buffer:
                yield [part]
            group = []
        else:
            group.append(buffer)
    yield from [group] if group else []
