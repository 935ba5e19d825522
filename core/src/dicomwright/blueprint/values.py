"""Values: from Python to what pydicom wants, and every rule of PS3.5 §6.2 and §6.4 about them.

`normalise` converts, `check_value` judges. Both are cheap enough to run for each value of each instance; code
that does so for one tag over and over takes `normaliser` and `checker` once.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from pydicom.datadict import dictionary_VM
from pydicom.multival import MultiValue
from pydicom.valuerep import EXPLICIT_VR_LENGTH_32

from dicomwright.blueprint._value_rules import TEXT_RULES, Fault, Rule, as_text, shown, wrong_type
from dicomwright.blueprint._value_rules_normalise import CONVERSIONS, EMPTY_IS_TEXT, Conversion
from dicomwright.blueprint._value_rules_numbers import NUMBER_RULES, unsigned_first
from dicomwright.blueprint._value_rules_sequence import check_items
from dicomwright.blueprint.tags import PrivateTag, describe, to_tag
from dicomwright.errors import Problem

if TYPE_CHECKING:
    from pydicom.tag import BaseTag

    from dicomwright.blueprint.tags import AnyTag, TagLike

__all__ = ["Checker", "check_value", "checker", "normalise", "normaliser"]

Checker = Callable[[Any], list[Problem]]

_RULES: dict[str, Rule] = {**TEXT_RULES, **NUMBER_RULES}
_BYTE_VRS = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "UN"})
_SINGLE = _BYTE_VRS | {"LT", "ST", "UR", "UT"}
_CODED = frozenset({"AE", "AS", "AT", "CS", "DA", "DS", "DT", "FD", "FL", "IS", "TM", "UI"}) | {
    "SL",
    "SS",
    "SV",
    "UL",
    "US",
    "UV",
}
_EMPTY_ALLOWED = frozenset({"AE", "CS", "LO", "PN", "SH", "UC"})
_FIXED_SIZE = {"AT": 4, "FD": 8, "FL": 4, "SL": 4, "SS": 2, "UL": 4, "US": 2}
_SHORT_LENGTH = 65534
_MANY = 255
_TOLD = 3
_LUT_DESCRIPTORS = frozenset({0x00281101, 0x00281102, 0x00281103, 0x00283002})
_VM = re.compile(r"(\d+)(?:-(\d*)(n)?)?")
_LISTS = (list, tuple, MultiValue)


def normalise(tag: TagLike, vr: str, value: Any) -> Any:
    r"""Return the value as pydicom wants it. Never raises; what does not fit the VR comes back unchanged.

    Dates and times become text, floats for DS text of at most 16 characters, numpy scalars and arrays Python
    numbers, keywords for AT tags; padding goes. A text with backslashes is split where the tag takes several
    values. Several values come back as a list, one as itself; None, ``""`` and ``[]`` as the empty value: that
    is ``""`` for text, ``[]`` for sequences, else None.

    Examples
    --------
    >>> normalise("PixelSpacing", "DS", [0.1 + 0.2, 0.5])
    ['0.3', '0.5']
    >>> normalise("ImageType", "CS", "DERIVED\\PRIMARY")
    ['DERIVED', 'PRIMARY']
    >>> import datetime
    >>> normalise("StudyDate", "DA", datetime.date(2026, 2, 3))
    '20260203'

    """
    return normaliser(tag, vr)(value)


def check_value(tag: TagLike, vr: str, value: Any, *, show_value: bool = True) -> list[Problem]:
    """Return all that is wrong with a normalised value, nothing if it may be written. Never raises.

    Checked are the Python type, length, characters, syntax and range (PS3.5 §6.2), the number of values
    (§6.4, PS3.6), the size that the length field can tell (§7.1.2); in sequences each element of each item.
    An empty value is right here: whether it may be empty depends on the IOD.

    Examples
    --------
    >>> print(*check_value("SeriesDescription", "LO", "x" * 70))  # doctest: +ELLIPSIS
    SeriesDescription (0008,103E) = 'xxx...xxx': 70 characters, LO holds 64 (PS3.5 §6.2); shorten it
    >>> print(*check_value("StudyDate", "DA", "20260230"))
    StudyDate (0008,0020) = '20260230': there is no such day (PS3.5 §6.2); give a date of the calendar
    >>> check_value("PixelSpacing", "DS", ["0.5", "0.5"])
    []

    Parameters
    ----------
    tag : TagLike
        The element; its number of values is looked up in the dictionary.
    vr : str
        The VR that the value is written with. Whether it fits the tag is `check_vr`'s question.
    value : object
        What `normalise` returned.
    show_value : bool
        False keeps the value out of the messages: it may be a patient's.

    """
    return checker(tag, vr, show_value=show_value)(value)


@lru_cache(maxsize=8192)
def normaliser(tag: TagLike, vr: str) -> Conversion:
    """Return `normalise` for one tag and VR, as a function of the value."""
    convert = CONVERSIONS.get(vr)
    if convert is None:
        return lambda value: value
    if vr == "SQ":
        return lambda value: [] if value is None else _as_list(convert(value))
    empty = "" if vr in EMPTY_IS_TEXT else None
    splits = _splits(to_tag(tag), vr)
    pairs = vr == "AT"

    def normalise_value(value: Any) -> Any:
        if type(value) is str and not (splits and "\\" in value):
            return convert(value) or empty if value else empty
        if value is None:
            return empty
        return _normalise_many(value, convert, empty, splits=splits, pairs=pairs)

    if vr in _BYTE_VRS:
        return lambda value: _normalise_bytes(value, convert)
    return normalise_value


def _normalise_bytes(value: Any, convert: Conversion) -> Any:
    """Return bytes, or None for no bytes."""
    value = convert(value)
    return None if isinstance(value, bytes | str) and not value else value


def _normalise_many(value: Any, convert: Conversion, empty: Any, *, splits: bool, pairs: bool) -> Any:
    """Normalise what is not a plain text: lists, numpy objects, texts with backslashes, single objects."""
    if type(value).__module__ == "numpy" and hasattr(value, "tolist"):
        value = value.tolist()
    if splits and isinstance(value, str) and "\\" in value:
        value = value.split("\\")
    if not isinstance(value, _LISTS) or (pairs and _is_pair(value)):
        value = convert(value)
        return empty if isinstance(value, str) and not value else value
    values = [convert(_python(one)) for one in value]
    if len(values) > 1 or (values and isinstance(values[0], _LISTS)):
        return values
    return values[0] if values and values[0] is not None and not _no_text(values[0]) else empty


def _no_text(value: Any) -> bool:
    """Tell an empty text."""
    return isinstance(value, str) and not value


def _python(value: Any) -> Any:
    """Return the Python object of a numpy scalar."""
    return value.tolist() if type(value).__module__ == "numpy" and hasattr(value, "tolist") else value


def _as_list(value: Any) -> Any:
    """Return tuples as lists."""
    return list(value) if isinstance(value, tuple) else value


def _is_pair(value: Any) -> bool:
    """Tell a (group, element) pair from a list of tags."""
    return isinstance(value, tuple) and len(value) == 2 and all(type(part) is int for part in value)  # noqa: PLR2004 - a pair


def _splits(tag: AnyTag, vr: str) -> bool:
    """Tell whether a backslash in a text separates values: where the tag takes several, and in codes."""
    if vr in _SINGLE:
        return False
    multiplicity = _multiplicity(tag)
    if multiplicity is None:
        return vr in _CODED
    return any(most is None or most > 1 for _, most, _ in multiplicity)


@lru_cache(maxsize=8192)
def _multiplicity(tag: AnyTag) -> tuple[tuple[int, int | None, int], ...] | None:
    """Return the (least, most, step) numbers of values of the dictionary; None if it has no such tag."""
    if isinstance(tag, PrivateTag):
        return None
    try:
        text = dictionary_VM(tag)
    except KeyError:
        return ((1, 1, 1),) if tag.is_private_creator else None
    return tuple(_allowed(part) for part in text.split(" or "))


def _allowed(text: str) -> tuple[int, int | None, int]:
    """Read a value multiplicity such as 1, 1-3, 2-n or 2-2n."""
    match = _VM.fullmatch(text)
    if match is None:
        return (1, None, 1)
    least = int(match[1])
    if match[2] is None:
        return (least, least, 1)
    if match[3]:
        return (least, None, int(match[2] or 1))
    return (least, int(match[2]), 1)


@lru_cache(maxsize=8192)
def checker(tag: TagLike, vr: str, *, show_value: bool = True) -> Checker:
    """Return `check_value` for one tag and VR, as a function of the value."""
    known = to_tag(tag)
    if vr == "SQ":
        return lambda value: check_items(known, value, nested=_nested_checker(show_value=show_value))
    rule = _RULES.get(vr)
    name = describe(known)
    if rule is None:
        return lambda _: [Problem(f"{name}: {shown(vr)} is not a VR (PS3.5 §6.2)", kind="wrong-vr")]
    check_list = _list_checker(known, vr, rule, show_value=show_value)
    one_is_enough = _count_fault(known, vr, 1) is None

    def check(value: Any) -> list[Problem]:
        if value is None or (isinstance(value, str) and not value):
            return []
        if one_is_enough and not isinstance(value, _LISTS):
            fault = rule(value)
            return [] if fault is None else [_problem(name, fault, value if show_value else _HIDDEN)]
        return check_list(value)

    return check


_HIDDEN = object()


def _problem(name: str, fault: Fault, value: Any, place: str = "") -> Problem:
    """Return the problem that tells a fault."""
    given = "" if value is _HIDDEN else f" = {shown(value)}"
    return Problem(f"{name}{place}{given}: {fault.rule} ({fault.section})", fault.hint, kind=fault.kind)


def _list_checker(tag: AnyTag, vr: str, rule: Rule, *, show_value: bool) -> Checker:
    """Return the checker of several values."""
    name = describe(tag)
    first = unsigned_first if vr == "SS" and tag in _LUT_DESCRIPTORS else rule

    def check(value: Any) -> list[Problem]:
        values = value if isinstance(value, _LISTS) else (value,)
        whole = [_count_fault(tag, vr, len(values)), _size_fault(vr, values)] if values else []
        problems = [_problem(name, fault, value if show_value else _HIDDEN) for fault in whole if fault]
        faults = [
            (number, one, fault)
            for number, one in enumerate(values, 1)
            if (fault := _fault(one, vr, rule if number > 1 else first)) is not None
        ]
        for number, one, fault in faults[:_TOLD]:
            place = f" value {number}" if len(values) > 1 else ""
            problems.append(_problem(name, fault, one if show_value else _HIDDEN, place))
        if len(faults) > _TOLD:
            problems.append(Problem(f"{name}: {len(faults) - _TOLD} more values are wrong", kind="bad-value"))
        return problems

    return check


def _fault(value: Any, vr: str, rule: Rule) -> Fault | None:
    """Check one of several values, which may be empty in texts only."""
    if value is None or (isinstance(value, str) and not value):
        if vr in _EMPTY_ALLOWED and value is not None:
            return None
        return Fault("an empty value among several", "leave it out", "empty-value", "PS3.5 §6.4")
    if isinstance(value, _LISTS):
        return wrong_type(value, "one value", "give a flat list")
    return rule(value)


def _count_fault(tag: AnyTag, vr: str, count: int) -> Fault | None:
    """Check the number of values."""
    if vr in _SINGLE:
        if count == 1:
            return None
        return Fault(f"{count} values, {vr} has one", "give one value", "wrong-count", "PS3.5 §6.4")
    multiplicity = _multiplicity(tag)
    if multiplicity is None or any(
        count >= least and (most is None or count <= most) and (count - least) % step == 0
        for least, most, step in multiplicity
    ):
        return None
    allowed = "1" if isinstance(tag, PrivateTag) or tag.is_private else dictionary_VM(tag)
    values = "1 value" if count == 1 else f"{count} values"
    return Fault(f"{values}, allowed are {allowed}", "", "wrong-count", "PS3.5 §6.4, PS3.6")


def _size_fault(vr: str, values: Any) -> Fault | None:
    """Check that 16 bits can tell the length of many values; fewer than 256 always fit."""
    if len(values) <= _MANY or vr in EXPLICIT_VR_LENGTH_32:
        return None
    size = _FIXED_SIZE.get(vr)
    total = (
        len(values) * size
        if size
        else sum(len((as_text(one) or "0").encode("utf-8", "replace")) + 1 for one in values)
    )
    if total <= _SHORT_LENGTH:
        return None
    hint = "use the VR OW" if vr == "US" else "give fewer values"
    return Fault(f"{total} bytes, {vr} holds {_SHORT_LENGTH}", hint, "too-long", "PS3.5 §7.1.2")


def _nested_checker(*, show_value: bool) -> Callable[[BaseTag, str], Checker]:
    """Return how elements inside items find their checkers."""
    return lambda tag, vr: checker(tag, vr, show_value=show_value)
