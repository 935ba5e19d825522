"""Which value representation (VR) a tag has (PS3.6), and whether a given one is right."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from pydicom.datadict import dictionary_VR
from pydicom.valuerep import STANDARD_VR

from dicomwright.blueprint.tags import PrivateTag, describe, to_tag
from dicomwright.errors import Problem

if TYPE_CHECKING:
    from pydicom.tag import BaseTag

    from dicomwright.blueprint.tags import TagLike

__all__ = ["ALL_VRS", "check_vr", "expected_vrs"]

ALL_VRS = frozenset(vr.value for vr in STANDARD_VR)
"""The value representations of PS3.5 §6.2."""

_SHORT = 20


def expected_vrs(tag: TagLike) -> tuple[str, ...] | None:
    """Return the VRs that the dictionary allows for the tag.

    Examples
    --------
    >>> expected_vrs("SeriesDescription")
    ('LO',)
    >>> expected_vrs("SmallestImagePixelValue")
    ('US', 'SS')
    >>> expected_vrs(0x00091001) is None
    True

    Returns
    -------
    tuple of str or None
        None for a private or unknown tag. Private creators are LO (PS3.5 §7.8.1), group lengths UL (§7.2).
        Empty for item and delimiter tags (FFFE,eeee), which are no elements.

    """
    return _expected(to_tag(tag))


def check_vr(tag: TagLike, vr: object) -> Problem | None:
    """Return what is wrong with the VR for this tag, or None.

    Examples
    --------
    >>> print(check_vr("SeriesDescription", "SH"))
    SeriesDescription (0008,103E) has VR LO, not SH (PS3.6); write LO
    >>> check_vr("SeriesDescription", "LO") is None
    True

    """
    known = to_tag(tag)
    text = str.__str__(vr) if isinstance(vr, str) else ascii(type(vr))
    expected = _expected(known)
    if text in ALL_VRS and (expected is None or text in expected):
        return None
    if expected == ():
        return Problem(
            f"{describe(known)} marks items; it is not an element (PS3.5 §7.5)",
            hint="leave it to the writer",
            kind="wrong-vr",
        )
    hint = _hint(text, expected)
    if text in ALL_VRS and expected:
        wanted = " or ".join(expected)
        return Problem(f"{describe(known)} has VR {wanted}, not {text} (PS3.6)", hint=hint, kind="wrong-vr")
    shown = ascii(text) if len(text) <= _SHORT else f"{text[:_SHORT]!a}..."
    return Problem(f"{describe(known)}: {shown} is not a VR (PS3.5 §6.2)", hint=hint, kind="wrong-vr")


@lru_cache(maxsize=8192)
def _expected(tag: BaseTag | PrivateTag) -> tuple[str, ...] | None:
    """Look the tag up."""
    if isinstance(tag, PrivateTag):
        return None
    if tag.is_private_creator:
        return ("LO",)
    if tag.element == 0:
        return ("UL",)
    try:
        text = dictionary_VR(tag)
    except KeyError:
        return None
    return () if text == "NONE" else tuple(text.split(" or "))


def _hint(vr: str, expected: tuple[str, ...] | None) -> str:
    """Return what to write instead."""
    if expected:
        return f"write {' or '.join(expected)}"
    if vr.strip().upper() in ALL_VRS:
        return f"did you mean {vr.strip().upper()}?"
    return "write two capital letters, such as LO"
