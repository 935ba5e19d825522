"""Values that are given as text on a command line, ``KEYWORD=VALUE``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dicomwright.blueprint.blueprint import Blueprint
from dicomwright.blueprint.elements import StaticElement
from dicomwright.blueprint.tags import PrivateTag, describe, to_tag
from dicomwright.blueprint.values import check_value, normalise
from dicomwright.blueprint.vr import expected_vrs
from dicomwright.errors import BlueprintError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["NOT_TEXT", "blueprint_of", "from_text"]

_WHOLE = frozenset({"US", "SS", "UL", "SL", "UV", "SV"})
_REAL = frozenset({"FL", "FD"})
_SINGLE_TEXT = frozenset({"LT", "ST", "UT", "UR"})
#: VRs whose values no text can give.
NOT_TEXT = frozenset({"SQ", "OB", "OD", "OF", "OL", "OV", "OW", "UN", "AT"})


def blueprint_of(pairs: Iterable[tuple[str, str]], origin: str) -> Blueprint:
    r"""Return static elements from keywords and texts.

    A backslash separates several values, as in a DICOM file.

    Examples
    --------
    >>> blueprint = blueprint_of([("PatientName", "Doe^Jane"), ("ImageType", r"DERIVED\PRIMARY")], origin="--set")
    >>> [element.value for element in blueprint]
    [['DERIVED', 'PRIMARY'], 'Doe^Jane']

    Raises
    ------
    BlueprintError
        With every keyword that is unknown and every value that is not of its tag's VR.

    """
    blueprint = Blueprint()
    problems: list[Problem] = []
    for keyword, text in pairs:
        try:
            element = _element(keyword, text)
            element.origin = f"{origin} {keyword}"
            blueprint.add_virtual_element(element)
        except BlueprintError as error:
            problems += [Problem(p.message, p.hint, f"{origin} {keyword}", p.kind) for p in error.problems]
    if problems:
        raise BlueprintError.collect(problems)
    return blueprint


def _element(keyword: str, text: str) -> StaticElement:
    """Return one static element."""
    tag = to_tag(keyword)
    vrs = None if isinstance(tag, PrivateTag) else expected_vrs(tag)
    if not vrs:
        raise BlueprintError(
            f"{describe(tag)} is not in the dictionary, so its VR is not known",
            hint="set it in a blueprint file, with vr = ...",
            kind="vr",
        )
    vr = vrs[0]
    if vr in NOT_TEXT:
        raise BlueprintError(
            f"{describe(tag)} of VR {vr} cannot be given as text", hint="use a blueprint file"
        )
    value = normalise(tag, vr, from_text(tag, vr, text))
    wrong = check_value(tag, vr, value)
    if wrong:
        raise BlueprintError.collect(wrong)
    return StaticElement(tag, vr, value)


def from_text(tag: Any, vr: str, text: str) -> Any:
    """Return a text as the value of a VR, several values for one with backslashes.

    Raises
    ------
    BlueprintError
        It is to be a number, and is none.

    """
    if text == "":
        return None
    parts = [text] if vr in _SINGLE_TEXT else text.split("\\")
    try:
        values = [_number(vr, part) for part in parts]
    except ValueError:
        raise BlueprintError(f"{describe(tag)}: {text!r} is not a number (VR {vr})", kind="value") from None
    return values[0] if len(values) == 1 else values


def _number(vr: str, text: str) -> Any:
    if vr in _WHOLE:
        return int(text)
    return float(text) if vr in _REAL else text
