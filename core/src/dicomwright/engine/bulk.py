"""Values of bulk elements that are too large for memory: made part by part while they are written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dicomwright.errors import BlueprintError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["BulkParts", "groups_of", "in_pieces"]


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
    >>> len(value), bytes(value)
    (6, b'aabbcc')

    """

    def __init__(self, parts: Iterable[Any], size: int) -> None:
        self._parts = parts
        self._size = size

    def __len__(self) -> int:
        return self._size

    def __bytes__(self) -> bytes:
        return b"".join(self)

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


def in_pieces(parts: Iterable[Any], size: int) -> Iterator[memoryview]:
    """Yield bytes that come in parts again in pieces of one size; a part of that size or more is not copied.

    Examples
    --------
    >>> [bytes(piece) for piece in in_pieces([b"aabb", b"c", b"c"], 2)]
    [b'aa', b'bb', b'cc']

    """
    rest = bytearray()
    for part in parts:
        view = memoryview(part).cast("B")
        if rest:
            missing = size - len(rest)
            rest += view[:missing]
            view = view[missing:]
            if len(rest) < size:
                continue
            yield memoryview(bytes(rest))
            rest.clear()
        whole = len(view) - len(view) % size
        for start in range(0, whole, size):
            yield view[start : start + size]
        rest += view[whole:]
    if rest:
        yield memoryview(bytes(rest))
