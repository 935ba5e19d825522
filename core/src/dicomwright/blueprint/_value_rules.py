"""Rules for one text value of each VR (PS3.5 §6.2), and how a fault is told.

A rule takes one value and returns a `Fault`, or None if the value is right. Rules read a value as pydicom
would write it, so that values inside datasets made elsewhere are judged by the bytes they would become.
"""

from __future__ import annotations

import re
import reprlib
from collections.abc import Callable
from datetime import date
from typing import Any

from pydicom.valuerep import PersonName

from dicomwright._dataclass import dataclass

__all__ = ["TEXT_RULES", "Fault", "Rule", "as_text", "shown", "wrong_type"]

_repr = reprlib.Repr()
_repr.maxstring = _repr.maxother = 48
_repr.maxlevel = 2
_repr.maxlist = _repr.maxtuple = _repr.maxdict = _repr.maxset = 4


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one value: the rule, the way out, and a stable word for programs."""

    rule: str
    hint: str = ""
    kind: str = "bad-value"
    section: str = "PS3.5 §6.2"


Rule = Callable[[Any], Fault | None]


def shown(value: Any) -> str:
    r"""Return a short text of any value, with control characters escaped.

    Examples
    --------
    >>> shown("chest\x07")
    "'chest\\x07'"
    >>> len(shown("x" * 1000)) < 60
    True

    """
    try:
        text = _repr.repr(value)
    except Exception:  # noqa: BLE001 - a broken __repr__, or an int too long to print, must not hide the problem
        return f"<{type(value).__name__}>"
    return text if text.isprintable() else text.encode("unicode_escape", "backslashreplace").decode("ascii")


def as_text(value: Any) -> str | None:
    """Return the text that pydicom would write for the value, or None if it would write none."""
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, PersonName):
        return str(value)
    text = getattr(value, "original_string", None)
    return text if isinstance(text, str) else None


def wrong_type(value: Any, wanted: str, hint: str = "") -> Fault:
    """Return the fault of a value whose Python type does not fit."""
    if isinstance(value, bytes) and not hint:
        hint = "decode it to str first"
    return Fault(f"a Python {type(value).__name__} is not {wanted}", hint, "wrong-type")


_CONTROL = r"\x00-\x1f\x7f-\x9f\ud800-\udfff"
_NOT_IN_LINE = re.compile(rf"[{_CONTROL}\\]")
_NOT_IN_PARAGRAPH = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_BACKSLASH_HINT = "a backslash separates values: give a list, or another character"


def _free_text(vr: str, limit: int | None, forbidden: re.Pattern[str]) -> Rule:
    """Return the rule of LO, SH, UC, ST, LT, UT: a length and characters that may not occur."""

    def rule(value: Any) -> Fault | None:
        text = value if type(value) is str else as_text(value)
        if text is None:
            return wrong_type(value, f"a text ({vr})")
        if limit is not None and len(text) > limit:
            return _too_long(len(text), vr, limit)
        match = forbidden.search(text)
        return _forbidden(match, vr) if match else None

    return rule


def _too_long(length: int, vr: str, limit: int) -> Fault:
    """Return the fault of a value with too many characters."""
    return Fault(f"{length} characters, {vr} holds {limit}", "shorten it", "too-long")


def _forbidden(match: re.Match[str], vr: str) -> Fault:
    """Return the fault of a character that the VR excludes."""
    character, place = match[0], match.start() + 1
    if character == "\\":
        return Fault(f"a backslash at character {place}, not allowed in {vr}", _BACKSLASH_HINT, "backslash")
    if "\ud800" <= character <= "\udfff":
        rule = f"half a surrogate pair {character!a} at character {place}, which no character set can encode"
        return Fault(rule, "decode the text with the right encoding", "not-encodable")
    rule = f"control character {character!a} at character {place}, not allowed in {vr}"
    return Fault(rule, "remove it", "control-character")


def _pattern(vr: str, limit: int, pattern: str, rule_text: str, hint: str = "") -> Rule:
    """Return the rule of a VR with a length and a closed syntax; spaces around do not count, before UR they do."""
    regex = re.compile(pattern, re.ASCII)
    strip = str.rstrip if vr == "UR" else str.strip

    def rule(value: Any) -> Fault | None:
        text = value if type(value) is str else as_text(value)
        if text is None:
            return wrong_type(value, f"a text ({vr})")
        text = strip(text, " ")
        if len(text) > limit:
            return _too_long(len(text), vr, limit)
        if regex.fullmatch(text):
            return None
        if "\\" in text:
            return Fault(f"a backslash, not allowed in {vr}", _BACKSLASH_HINT, "backslash")
        return Fault(rule_text, hint)

    return rule


_PN_GROUPS, _PN_COMPONENTS, _PN_LENGTH = 3, 5, 64


def _person_name(value: Any) -> Fault | None:
    """Check PN: up to 3 groups of up to 64 characters and 5 components (§6.2.1)."""
    text = value if type(value) is str else as_text(value)
    if text is None:
        return wrong_type(value, "a person name (PN)", "write Family^Given as str")
    groups = text.split("=")
    if len(groups) > _PN_GROUPS:
        rule = f"{len(groups)} component groups, PN has at most {_PN_GROUPS}"
        return Fault(rule, "alphabetic=ideographic=phonetic", "bad-name", "PS3.5 §6.2.1")
    for group in groups:
        if len(group) > _PN_LENGTH:
            return _too_long(len(group), "a component group of PN", _PN_LENGTH)
        if group.count("^") >= _PN_COMPONENTS:
            rule = f"{group.count('^') + 1} components, PN has at most {_PN_COMPONENTS}"
            return Fault(rule, "Family^Given^Middle^Prefix^Suffix", "bad-name", "PS3.5 §6.2.1")
    match = _NOT_IN_LINE.search(text)
    return _forbidden(match, "PN") if match else None


_UID = re.compile(r"(?:0|[1-9][0-9]*)(?:\.(?:0|[1-9][0-9]*))+")
_UID_LENGTH = 64


def _uid(value: Any) -> Fault | None:
    """Check UI: numbers joined by dots, without leading zeros, at most 64 characters (§9.1)."""
    text = value if type(value) is str else as_text(value)
    if text is None:
        return wrong_type(value, "a UID as text")
    text = text.rstrip("\0 ")
    if len(text) > _UID_LENGTH:
        return Fault(f"{len(text)} characters, UI holds {_UID_LENGTH}", "", "too-long", "PS3.5 §9.1")
    if _UID.fullmatch(text):
        return None
    if "\\" in text:
        return Fault("a backslash, not allowed in UI", _BACKSLASH_HINT, "backslash")
    rule = "a UID is numbers joined by dots, without leading zeros"
    return Fault(rule, "gen_uid() makes a valid one", section="PS3.5 §9.1")


_DATE = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})")


def _date(value: Any) -> Fault | None:
    """Check DA: YYYYMMDD, a day that exists."""
    text = value if type(value) is str else as_text(value)
    if text is None:
        return wrong_type(value, "a date (DA)", "give a datetime.date or the text YYYYMMDD")
    match = _DATE.fullmatch(text.rstrip(" "))
    if match is None:
        return Fault("a date is YYYYMMDD", "write eight digits")
    return None if _day_exists(match) else Fault("there is no such day", "give a date of the calendar")


def _day_exists(match: re.Match[str]) -> bool:
    """Tell whether year, month and day (the last two may be absent) are of the calendar."""
    year, month, day = (int(part or 1) for part in match.groups()[:3])
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True


_CLOCK = r"(?:[01][0-9]|2[0-3])(?:[0-5][0-9](?:(?:[0-5][0-9]|60)(?:\.[0-9]{1,6})?)?)?"
_TIME = re.compile(_CLOCK)
_DATE_TIME = re.compile(rf"([0-9]{{4}})(?:([0-9]{{2}})(?:([0-9]{{2}})(?:{_CLOCK})?)?)?([+-][0-9]{{4}})?")
_OFFSETS = range(-1200, 1401)
_MINUTES = 60


def _time(value: Any) -> Fault | None:
    """Check TM: HH, HHMM, HHMMSS or HHMMSS.F to .FFFFFF."""
    text = value if type(value) is str else as_text(value)
    if text is None:
        return wrong_type(value, "a time (TM)", "give a datetime.time or the text HHMMSS")
    if _TIME.fullmatch(text.rstrip(" ")):
        return None
    return Fault("a time is HHMMSS.FFFFFF, cut anywhere from the right", "write HHMMSS, without colons")


def _date_time(value: Any) -> Fault | None:
    """Check DT: YYYYMMDDHHMMSS.FFFFFF with an optional offset from UTC."""
    text = value if type(value) is str else as_text(value)
    if text is None:
        return wrong_type(
            value, "a date and time (DT)", "give a datetime.datetime or the text YYYYMMDDHHMMSS"
        )
    match = _DATE_TIME.fullmatch(text.rstrip(" "))
    if match is None:
        return Fault(
            "a date and time is YYYYMMDDHHMMSS.FFFFFF&ZZXX, cut anywhere from the right", "write digits"
        )
    if not _day_exists(match):
        return Fault("there is no such day", "give a date of the calendar")
    offset = match[4]
    if offset and (int(offset) not in _OFFSETS or int(offset[3:]) >= _MINUTES):
        return Fault(f"{offset} is no offset from UTC", "those run from -1200 to +1400")
    return None


TEXT_RULES: dict[str, Rule] = {
    "AE": _pattern("AE", 16, r"[\x20-\x5b\x5d-\x7e]*", "an AE title is printable ASCII without backslash"),
    "AS": _pattern("AS", 4, r"[0-9]{3}[DWMY]", "an age is nnnD, nnnW, nnnM or nnnY", "write it such as 042Y"),
    "CS": _pattern("CS", 16, r"[A-Z0-9_ ]*", "a code is of A-Z, 0-9, space and underscore", "use capitals"),
    "DA": _date,
    "DT": _date_time,
    "LO": _free_text("LO", 64, _NOT_IN_LINE),
    "LT": _free_text("LT", 10240, _NOT_IN_PARAGRAPH),
    "PN": _person_name,
    "SH": _free_text("SH", 16, _NOT_IN_LINE),
    "ST": _free_text("ST", 1024, _NOT_IN_PARAGRAPH),
    "TM": _time,
    "UC": _free_text("UC", None, _NOT_IN_LINE),
    "UI": _uid,
    "UR": _pattern(
        "UR",
        0xFFFFFFFE,
        r"(?:[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})*",
        "a URI is of the characters of RFC 3986",
        "percent-encode the others",
    ),
    "UT": _free_text("UT", None, _NOT_IN_PARAGRAPH),
}
