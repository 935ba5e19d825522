"""Coded concepts (PS3.3 section 8): from pydicom's tables, a table beside the blueprint, or written out."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["Concept", "concept", "schemes", "written_out"]

_LONGEST_MEANING = 64  # LO
_FIELDS = ("code", "scheme", "meaning", "version")


@dataclass(frozen=True)
class Concept:
    """A code, the scheme that it is of, and what it means."""

    code: str
    scheme: str
    meaning: str
    version: str = ""


def concept(text: str, own: Collection[Concept] = ()) -> Concept:
    """Return the concept of ``SCHEME:CODE`` or ``SCHEME:Keyword``.

    Examples
    --------
    >>> concept("DCM:113076").meaning
    'Segmentation'
    >>> concept("SCT:Liver").code
    '10200004'

    Parameters
    ----------
    text : str
        The concept.
    own : collection of Concept
        Those of a table, which come first.

    Raises
    ------
    ValueError
        There is none.

    """
    scheme, _, name = (part.strip() for part in text.partition(":"))
    if not scheme or not name:
        msg = f'"{text}" is not written SCHEME:CODE, such as DCM:113076'
        raise ValueError(msg)
    for one in own:
        if (one.scheme, one.code) == (scheme, name):
            return one
    if scheme not in schemes() and any(one.scheme == scheme for one in own):
        msg = f"the table has no {scheme}:{name}"
        raise ValueError(msg)
    if scheme not in schemes():
        msg = f'the scheme "{scheme}" is in no table; write out code, scheme and meaning'
        raise ValueError(msg)
    by_keyword, by_code = _tables(scheme)
    found = by_keyword.get(name) or by_code.get(name)
    if found is None:
        close = get_close_matches(name, [*by_keyword, *by_code], 1)
        meant = f"; did you mean {scheme}:{close[0]}?" if close else ""
        msg = f'{scheme} has no "{name}"{meant}'
        raise ValueError(msg)
    if len(found.meaning) > _LONGEST_MEANING:
        msg = f"the meaning of {scheme}:{name} has more than {_LONGEST_MEANING} characters; write out a shorter one"
        raise ValueError(msg)
    return found


def written_out(data: dict[str, Any]) -> Concept:
    """Return the concept of a table of code, scheme and meaning, and maybe version.

    Raises
    ------
    ValueError
        It is no such table.

    """
    unknown = [name for name in data if name not in _FIELDS]
    if unknown:
        msg = f"a concept has no {unknown[0]}; it has {', '.join(_FIELDS)}"
        raise ValueError(msg)
    for name in dict.fromkeys((*_FIELDS[:3], *data)):
        text = data.get(name)
        if type(text) is not str or not text.strip():
            msg = f"a concept needs {name}, a text"
            raise ValueError(msg)
    return Concept(**{name: text.strip() for name, text in data.items()})


@lru_cache(maxsize=1)
def schemes() -> frozenset[str]:
    """Return the schemes of pydicom's tables."""
    from pydicom.sr.codedict import codes

    return frozenset(codes.schemes())


@lru_cache(maxsize=8)
def _tables(scheme: str) -> tuple[dict[str, Concept], dict[str, Concept]]:
    """Return the concepts of a scheme by keyword and by code."""
    from pydicom.sr.codedict import codes

    by_keyword = {
        keyword: Concept(str(code.value), str(code.scheme_designator), str(code.meaning))
        for keyword, code in getattr(codes, scheme).concepts.items()
    }
    by_length = sorted(by_keyword.values(), key=lambda one: len(one.meaning), reverse=True)
    return by_keyword, {one.code: one for one in by_length}  # of several meanings the shortest
