"""All frames as one value of PixelData (7FE0,0010), a few in memory at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from dicomwright.engine.bulk import BulkParts
from dicomwright.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["check_length", "joined"]

_AT_ONCE: Final = 16 * 1024**2  # bytes up to which a value is made at once
_LONGEST: Final = 0xFFFFFFFE  # of a value of defined, even length (PS3.5 section 7.1.1)


def check_length(size: int, source: str, hint: str) -> None:
    """Refuse more pixels than one instance can hold.

    Raises
    ------
    SourceError
        They take more than 4 GiB.

    """
    if size > _LONGEST:
        message = f"its frames take {size:,} bytes, and one value of DICOM has at most {_LONGEST:,}"
        raise SourceError(message, hint=hint, loc=source, kind="too-large")


def joined(parts: Iterable[Any], size: int) -> Any:
    """Return bytes-like parts one after the other as a value of `size` bytes: made while it is written if it is large.

    Examples
    --------
    >>> bytes(joined([b"ab", b"cd"], 4))
    b'abcd'

    """
    value = BulkParts(parts, size)
    return value if size > _AT_ONCE else b"".join(value)
