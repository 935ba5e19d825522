"""Refusals of these readers: one line that says what is wrong, in which file, why and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dicomwright.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["COPY_AGAIN", "byte_count", "refusal", "shown", "times", "unreadable"]

COPY_AGAIN: Final = "copy the file again or restore it"
_LONGEST: Final = 120  # characters of a foreign text in a message


def shown(text: object, longest: int = _LONGEST) -> str:
    r"""Return text as one printable line that is not too long.

    Examples
    --------
    >>> shown("a\nb.raw")
    'a\\nb.raw'

    """
    full = str(text)
    line = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in full[:longest])
    return line if len(full) <= longest else f"{line}..."


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


def refusal(where: object, message: str, hint: str = "", kind: str = "") -> SourceError:
    """Return the error that names the file, what is wrong with it and what to do.

    Examples
    --------
    >>> str(refusal("ct.raw", "the file is empty", "copy it again"))
    'ct.raw: the file is empty; copy it again'

    """
    most = 1000
    return SourceError(shown(message, most), hint=shown(hint, most), loc=shown(where, most), kind=kind)


def unreadable(where: object, error: Exception) -> SourceError:
    """Return the error for a file that the operating system does not give."""
    reason = getattr(error, "strerror", None) or str(error)
    return refusal(where, f"cannot be read: {reason}", "check the path and its permissions", "unreadable")
