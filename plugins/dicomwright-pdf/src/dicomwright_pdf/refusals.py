"""Refusals of this distribution: one line that says what is wrong, in which file, why and what to do."""

from __future__ import annotations

from dicomwright.errors import SourceError

__all__ = ["byte_count", "refusal", "shown"]

_STEP = 1024
_UNITS = ("KiB", "MiB", "GiB", "TiB", "PiB", "EiB")


def shown(text: object) -> str:
    r"""Return text as one printable line.

    Examples
    --------
    >>> shown("a\nb.pdf")
    'a\\nb.pdf'

    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(text))


def byte_count(count: int) -> str:
    """Return a number of bytes as people read it.

    Examples
    --------
    >>> byte_count(352), byte_count(100 * 1024**2)
    ('352 bytes', '100.0 MiB')

    """
    if count < _STEP:
        return f"{count} bytes"
    power = min((count.bit_length() - 1) // 10, len(_UNITS))
    return f"{count / _STEP**power:.1f} {_UNITS[power - 1]}"


def refusal(where: object, message: str, hint: str = "", kind: str = "") -> SourceError:
    """Return the error that names the file, what is wrong with it and what to do.

    Examples
    --------
    >>> str(refusal("report.pdf", "the file is empty", "copy it again"))
    'report.pdf: the file is empty; copy it again'

    """
    return SourceError(shown(message), hint=shown(hint), loc=shown(where), kind=kind)
