"""Turn Python values into what pydicom wants, one value at a time.

Nothing here refuses: what cannot be turned into a value of the VR comes back unchanged, so that the rules
can say what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from pydicom.dataset import Dataset
from pydicom.tag import BaseTag

from dicomwright.blueprint._value_rules import as_text
from dicomwright.blueprint._value_rules_numbers import DECIMAL, INTEGER
from dicomwright.blueprint.tags import to_tag
from dicomwright.errors import BlueprintError, StoredValueError
from dicomwright.payload.decimal_string import ds

__all__ = ["CONVERSIONS", "EMPTY_IS_TEXT", "Conversion"]

Conversion = Callable[[Any], Any]

_DS_LENGTH = 16
_EXACT_DIGITS = 10**16
_LONGEST_NUMBER = 64
_PAIR = 2
_ONE_MINUTE = timedelta(minutes=1)
_WORDS = {"OB": ("ui", 1), "OD": ("f", 8), "OF": ("f", 4), "OL": ("ui", 4), "OV": ("ui", 8), "OW": ("ui", 2)}


def _strip_right(value: Any) -> Any:
    """Text whose leading spaces count or may stay: LO, SH, UC, UR, ST, LT, UT."""
    text = value if type(value) is str else as_text(value)
    return value if text is None else text.rstrip(" ")


def _person_name(value: Any) -> Any:
    """PN, without empty component groups at the end."""
    text = value if type(value) is str else as_text(value)
    return value if text is None else text.rstrip(" =")


def _strip(value: Any) -> Any:
    """Text whose surrounding spaces mean nothing: AE, AS, CS."""
    text = value if type(value) is str else as_text(value)
    return value if text is None else text.strip(" ")


def _uid(value: Any) -> Any:
    """UI, without its padding."""
    text = value if type(value) is str else as_text(value)
    return value if text is None else text.strip(" \0")


def _date(value: Any) -> Any:
    """DA from text, date or datetime."""
    text = value if type(value) is str else as_text(value)
    if text is not None:
        return text.strip(" ")
    return f"{value.year:04d}{value.month:02d}{value.day:02d}" if isinstance(value, date) else value


def _time(value: Any) -> Any:
    """TM from text, time or datetime. A time with an offset from UTC stays: TM has no place for it."""
    text = value if type(value) is str else as_text(value)
    if text is not None:
        return text.strip(" ")
    if isinstance(value, datetime) or (isinstance(value, time) and value.tzinfo is None):
        return _clock(value)
    return value


def _date_time(value: Any) -> Any:
    """DT from text, datetime or date; an offset from UTC is kept, and must be whole minutes."""
    text = value if type(value) is str else as_text(value)
    if text is not None:
        return text.strip(" ")
    if isinstance(value, datetime):
        offset = value.utcoffset()
        if offset is None:
            return f"{_date(value)}{_clock(value)}"
        minutes, rest = divmod(abs(offset), _ONE_MINUTE)
        sign = "-" if offset < timedelta(0) else "+"
        return value if rest else f"{_date(value)}{_clock(value)}{sign}{minutes // 60:02d}{minutes % 60:02d}"
    return _date(value)


def _clock(value: datetime | time) -> str:
    """Return HHMMSS, with microseconds where there are any."""
    seconds = f"{value.hour:02d}{value.minute:02d}{value.second:02d}"
    return f"{seconds}.{value.microsecond:06d}" if value.microsecond else seconds


def _decimal_string(value: Any) -> Any:
    """DS as the text that will be written; a float becomes the nearest number of 16 characters."""
    text = value if type(value) is str else as_text(value)
    if text is not None:
        return text.strip(" ")
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return value
    if isinstance(value, int) and abs(value) < _EXACT_DIGITS:
        return _fitting(str(int(value)), value)
    if isinstance(value, Decimal):
        return _fitting(str(value), value)
    return _nearest(value)


def _fitting(text: str, value: float | Decimal) -> Any:
    """Return the exact text if DS can hold it, else the nearest number that it can."""
    return text if len(text) <= _DS_LENGTH and DECIMAL.fullmatch(text) else _nearest(value)


def _nearest(value: float | Decimal) -> Any:
    """Return the nearest DS; the value itself if it is not finite or beyond 64-bit floating point."""
    try:
        return ds(float(value))
    except (OverflowError, ValueError, StoredValueError):
        return value


def _integer_string(value: Any) -> Any:
    """IS as int, or as the text that was given."""
    text = value if type(value) is str else as_text(value)
    return _whole(value) if text is None else text.strip(" ")


def _integer(value: Any) -> Any:
    """Binary integers; text of digits counts, as command lines give nothing else."""
    if type(value) is int:
        return value
    if isinstance(value, str):
        text = value.strip(" ")
        return int(text) if len(text) < _LONGEST_NUMBER and INTEGER.fullmatch(text) else value
    return _whole(value)


def _whole(value: Any) -> Any:
    """Return an int for whole numbers of any type; everything else unchanged."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return int(value) if value.is_integer() else value
    if isinstance(value, Decimal) and value.is_finite() and abs(value.adjusted()) < _LONGEST_NUMBER:
        return int(value) if value == value.to_integral_value() else value
    return value


def _real(value: Any) -> Any:
    """Binary floating point numbers; text of a number counts."""
    if type(value) is float or isinstance(value, bool):
        return value
    if isinstance(value, str):
        text = value.strip(" ")
        return float(text) if len(text) < _LONGEST_NUMBER and DECIMAL.fullmatch(text) else value
    if isinstance(value, int | float | Decimal):
        try:
            return float(value)
        except (OverflowError, ValueError):  # beyond 64-bit floating point, or a signalling NaN
            return value
    return value


def _attribute_tag(value: Any) -> Any:
    """AT: a tag in any of its forms, except a private tag without a block."""
    if isinstance(value, BaseTag):
        return value
    if isinstance(value, bool) or not isinstance(value, int | str | tuple):
        return value
    try:
        tag = to_tag(value)
    except BlueprintError:
        return value
    return tag if isinstance(tag, BaseTag) else value


def _byte_string(vr: str) -> Conversion:
    """Return the conversion of a VR that holds bytes; numpy arrays of its word become little endian."""
    kinds, word = _WORDS.get(vr, ("", 0))

    def convert(value: Any) -> Any:
        if isinstance(value, bytearray | memoryview):
            return bytes(value)
        dtype = getattr(value, "dtype", None)
        if dtype is None or type(value).__module__ != "numpy":
            return value
        if dtype.kind not in kinds or dtype.itemsize != word:
            return value
        return value.astype(dtype.newbyteorder("<"), copy=False).tobytes()

    return convert


def _items(value: Any) -> Any:
    """SQ: one dataset stands for a sequence of one item."""
    return [value] if isinstance(value, Dataset) else value


CONVERSIONS: dict[str, Conversion] = {
    **dict.fromkeys(("AE", "AS", "CS"), _strip),
    **dict.fromkeys(("LO", "LT", "SH", "ST", "UC", "UR", "UT"), _strip_right),
    "PN": _person_name,
    "UI": _uid,
    "DA": _date,
    "TM": _time,
    "DT": _date_time,
    "DS": _decimal_string,
    "IS": _integer_string,
    **dict.fromkeys(("SL", "SS", "SV", "UL", "US", "UV"), _integer),
    **dict.fromkeys(("FL", "FD"), _real),
    "AT": _attribute_tag,
    **{vr: _byte_string(vr) for vr in (*_WORDS, "UN")},
    "SQ": _items,
}
EMPTY_IS_TEXT = frozenset(
    {"AE", "AS", "CS", "DA", "DT", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UI", "UR", "UT"},
)
"""The VRs whose empty value is an empty text; the others' is None."""
