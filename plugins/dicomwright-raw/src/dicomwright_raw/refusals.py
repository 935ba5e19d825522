"""Words of the refusals of these readers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dicomwright.reading import shown

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["COPY_AGAIN", "byte_count", "times"]

COPY_AGAIN: Final = "copy the file again or restore it"


def byte_count(count: int) -> str:
    """Return a number of bytes, exactly.

    Examples
    --------
    >>> byte_count(192000)
    '192,000 bytes'

    """
    return f"{count:,} bytes"


def times(numbers: Iterable[int]) -> str:
    """Return a shape for people.

    Examples
    --------
    >>> times((4, 120, 200))
    '4 x 120 x 200'

    """
    return shown(" x ".join(map(str, numbers)))
