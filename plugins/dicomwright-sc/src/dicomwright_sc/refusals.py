"""Refusals of this distribution: one line that says what is wrong, in which file, why and what to do."""

from __future__ import annotations

from typing import Final

from dicomwright.errors import SourceError

__all__ = ["refusal", "shown"]

_LONGEST: Final = 120  # characters of a foreign text in a message


def shown(text: object, longest: int = _LONGEST) -> str:
    r"""Return text as one printable line that is not too long.

    Examples
    --------
    >>> shown("a\nb.png")
    'a\\nb.png'

    """
    full = str(text)
    line = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in full[:longest])
    return line if len(full) <= longest else f"{line}..."


def refusal(where: object, message: str, hint: str = "", kind: str = "") -> SourceError:
    """Return the error that names the file, what is wrong with it and what to do.

    Examples
    --------
    >>> str(refusal("card.png", "the file is empty", "copy it again"))
    'card.png: the file is empty; copy it again'

    """
    most = 1000
    return SourceError(shown(message, most), hint=shown(hint, most), loc=shown(where, most), kind=kind)
