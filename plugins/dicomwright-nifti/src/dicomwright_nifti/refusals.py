"""Refusals of this reader: one line that says what is wrong, in which file, why and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dicomwright.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["byte_count", "listed", "refusal", "shown"]

_STEP = 1024
_UNITS = ("KiB", "MiB", "GiB", "TiB", "PiB", "EiB")


def shown(text: object) -> str:
    r"""Return text as one printable line.

    Examples
    --------
    >>> shown("a\nb.nii")
    'a\\nb.nii'

    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(text))


def byte_count(count: int) -> str:
    """Return a number of bytes as people read it.

    Examples
    --------
    >>> byte_count(352), byte_count(2**31)
    ('352 bytes', '2.0 GiB')

    """
    if count < _STEP:
        return f"{count} bytes"
    power = min((count.bit_length() - 1) // 10, len(_UNITS))
    return f"{count / _STEP**power:.1f} {_UNITS[power - 1]}"


def listed(names: Iterable[str]) -> str:
    """Return names as a list in words, sorted.

    Examples
    --------
    >>> listed(["units", "max_bytes"])
    'max_bytes, units'

    """
    return ", ".join(sorted(names))


def refusal(where: object, message: str, hint: str = "", kind: str = "") -> SourceError:
    """Return the error that names the file, what is wrong with it and what to do.

    Examples
    --------
    >>> str(refusal("brain.nii", "the file is empty", "copy it again"))
    'brain.nii: the file is empty; copy it again'

    """
    return SourceError(shown(message), hint=shown(hint), loc=shown(where), kind=kind)
