"""Checks of values: enumerated values, terms that are nearly right, and values that a blueprint fixes."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from dicomwright.lint.findings import name_of
from dicomwright.lint.tables import modalities, terms_of
from dicomwright.lint.views import COPIES, RuleView
from dicomwright.standard.conditions import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dicomwright.lint.checks import Level
    from dicomwright.lint.findings import Finding
    from dicomwright.standard import Terms

__all__ = ["value_findings"]

_MODALITY, _IMAGE_TYPE = 0x00080060, 0x00080008
_CLOSE = 0.75
#: Pairs and triples that no edition of the standard has added to or will.
_CLOSED = frozenset(
    map(
        frozenset,
        (
            ("YES", "NO"),
            ("00", "01"),
            ("0000H", "0001H"),
            ("0", "1"),
            ("R", "L"),
            ("R", "L", "B", "U"),
            ("M", "F", "O"),
            ("2D", "3D"),
            ("ORIGINAL", "DERIVED"),
            ("PRIMARY", "SECONDARY"),
            ("MONOCHROME1", "MONOCHROME2"),
            ("ON", "OFF"),
            ("ALL", "PART"),
            ("POS", "NEG"),
        ),
    )
)
#: Defined terms that came after the edition of the tables: HTJ2K and JPEG XL (PS3.3 C.7.6.1.1.5.1).
_LATER = {0x00282114: frozenset({"ISO_15444_15", "ISO_18181_1"})}
#: IODs whose ImageType has a third value (PS3.3 C.8.2.1.1.1, C.8.3.1.1.1), or a fixed second one (C.8.9.4.1.2).
_THIRD_VALUE = frozenset({"ct-image", "mr-image"})
_PRIMARY_ONLY = frozenset({"pet-image", "positron-emission-tomography-image", "nuclear-medicine-image"})


def value_findings(level: Level) -> Iterator[Finding]:
    """Yield values of a level that the IOD does not allow."""
    lists = terms_of(level.iod.key, level.path)
    for tag in level.here.tags():
        if tag in lists and level.here.present(tag) is not False:
            value = level.here.value(tag)
            if value is not UNKNOWN and value is not None:
                yield from _terms(level, tag, value, lists[tag])
    if not level.path:
        yield from _modality(level)
        yield from _image_type(level)


def _terms(level: Level, tag: int, value: Any, lists: tuple[Terms, ...]) -> Iterator[Finding]:
    """Yield values that are not among the terms."""
    values = list(value) if isinstance(value, list | tuple) else [value]
    for terms in lists:
        chosen = values[terms.value_number - 1 : terms.value_number] if terms.value_number else values
        for one in chosen:
            if (
                one in (None, "", UNKNOWN)
                or terms.allows(one)
                or one in _LATER.get(tag, ())
                or (len(lists) > 1 and _elsewhere(lists, terms, one))
            ):
                continue
            if terms.enumerated:
                yield _enumerated(level, tag, one, terms)
            else:
                yield from _no_term(level, tag, one, terms)


def _elsewhere(lists: tuple[Terms, ...], terms: Terms, value: Any) -> bool:
    """Tell whether another list for the same value number allows it; defined terms never narrow."""
    same = [other for other in lists if other is not terms and other.value_number == terms.value_number]
    if not terms.enumerated:
        return any(other.allows(value) for other in same)
    return any(
        other.enumerated and other.allows(value) and set(other.values) > set(terms.values) for other in same
    )


def _enumerated(level: Level, tag: int, value: Any, terms: Terms) -> Finding:
    """Return the finding for a value that is not enumerated."""
    copied = isinstance(level.here, RuleView) and isinstance(level.here.rules[tag].element, COPIES)
    closed = frozenset(terms.values) in _CLOSED
    number = f" value {terms.value_number}" if terms.value_number else ""
    grown = "" if closed else " (enumerated values as of 2020; later editions may have more)"
    shown = "the parent's value" if copied else repr(str(value))
    return level.finding(
        "error" if closed and not copied else "warning",
        "enumerated",
        tag,
        f"{_named(tag)}{number}: {shown} is not {_listed(terms)}{grown}",
        _did_you_mean(value, terms) or "use one of these",
    )


def _no_term(level: Level, tag: int, value: Any, terms: Terms) -> Iterator[Finding]:
    """Yield a warning for a value that looks like a misspelt defined term, a note for any other."""
    hint = _did_you_mean(value, terms)
    if hint and len(str(value)) > 2 and not str(value).isdigit():  # noqa: PLR2004 - short words are always near
        yield level.finding(
            "warning",
            "term",
            tag,
            f"{_named(tag)}: {str(value)!r} is near to a defined term, but not one",
            hint,
        )
    elif level.notes:
        yield level.finding(
            "note",
            "term",
            tag,
            f"{_named(tag)}: {str(value)!r} is none of the defined terms of 2020: {_listed(terms)}",
            "a term of one's own is legal, but readers may not know it",
        )


def _modality(level: Level) -> Iterator[Finding]:
    """Yield a modality that is not that of the IOD."""
    value, wanted = level.here.value(_MODALITY), modalities(level.iod)
    if wanted and value not in (None, UNKNOWN, *wanted):
        yield level.finding(
            "error",
            "enumerated",
            _MODALITY,
            f"{_named(_MODALITY)} is {value!r}, and objects of the {level.iod.name} IOD have {' or '.join(wanted)}",
            f"write {wanted[0]}, or another SOPClassUID (0008,0016)",
        )


def _image_type(level: Level) -> Iterator[Finding]:
    """Yield image types that are too short, or that have a second value which the IOD does not allow."""
    value = level.here.value(_IMAGE_TYPE)
    if value in (None, UNKNOWN):
        return
    values = list(value) if isinstance(value, list | tuple) else [value]
    least = 3 if level.iod.key in _THIRD_VALUE else 2
    if len(values) < least:
        yield level.finding(
            "error",
            "value",
            _IMAGE_TYPE,
            f"{_named(_IMAGE_TYPE)} has {len(values)} values, and {level.iod.name} needs {least}",
            "as DERIVED, SECONDARY, OTHER" if level.iod.key == "mr-image" else "as DERIVED, SECONDARY, AXIAL",
        )
    elif level.iod.key in _PRIMARY_ONLY and values[1] != "PRIMARY":
        yield level.finding(
            "error",
            "enumerated",
            _IMAGE_TYPE,
            f"{_named(_IMAGE_TYPE)} value 2 is {values[1]!r}, and {level.iod.name} has PRIMARY alone (PS3.3 C.8)",
            "write PRIMARY",
        )


def _did_you_mean(value: Any, terms: Terms) -> str:
    text = str(value).upper().replace("_", " ")
    near = get_close_matches(text, terms.values, 1, _CLOSE) or get_close_matches(
        str(value), terms.values, 1, _CLOSE
    )
    return f"did you mean {near[0]}?" if near else ""


def _listed(terms: Terms) -> str:
    values = terms.values if len(terms.values) <= 12 else (*terms.values[:12], "...")  # noqa: PLR2004 - a line
    return " or ".join(values)


def _named(tag: int) -> str:
    return f"{name_of(tag)} ({tag >> 16:04X},{tag & 0xFFFF:04X})"
