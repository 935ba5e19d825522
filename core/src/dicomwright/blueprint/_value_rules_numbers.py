"""Rules for one number, tag or byte string of each VR (PS3.5 §6.2)."""

from __future__ import annotations

import io
import math
import re
from decimal import Decimal
from operator import index
from typing import Any

from dicomwright.blueprint._value_rules import Fault, Rule, as_text, wrong_type

__all__ = ["DECIMAL", "INTEGER", "NUMBER_RULES", "unsigned_first"]

DECIMAL = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
INTEGER = re.compile(r"[+-]?[0-9]+")

_DS_LENGTH, _IS_LENGTH = 16, 12
_FLOAT32_MAX, _FLOAT64_MAX = 3.4028234663852886e38, 1.7976931348623157e308
_INTEGER_RANGES = {
    "SL": range(-(2**31), 2**31),
    "SS": range(-(2**15), 2**15),
    "SV": range(-(2**63), 2**63),
    "UL": range(2**32),
    "US": range(2**16),
    "UV": range(2**64),
}
_IS_RANGE = range(-(2**31), 2**31)
_WORD_BYTES = {"OB": 1, "OD": 8, "OF": 4, "OL": 4, "OV": 8, "OW": 2, "UN": 2}
_BYTES_LIMIT = 0xFFFFFFFE


def _integer(vr: str) -> Rule:
    """Return the rule of a binary integer."""
    allowed = _INTEGER_RANGES[vr]

    def rule(value: Any) -> Fault | None:
        number = value if type(value) is int else _index(value)
        if number is None:
            return wrong_type(value, f"an integer ({vr})", "give an int")
        return None if number in allowed else _out_of_range(vr, allowed)

    return rule


def _index(value: Any) -> int | None:
    """Return the value as int if it is an integer; bool is none."""
    if isinstance(value, bool) or type(value).__name__ in {"bool", "bool_"}:
        return None
    try:
        return index(value)
    except TypeError:
        return None


def _out_of_range(vr: str, allowed: range) -> Fault:
    """Return the fault of a number outside a VR's range."""
    return Fault(f"{vr} holds {allowed[0]} to {allowed[-1]}", "", "out-of-range")


def unsigned_first(value: Any) -> Fault | None:
    """Check a lookup table descriptor's first number: a count, unsigned even in SS (PS3.3 C.11.1.1)."""
    return NUMBER_RULES["US"](value)


def _real(vr: str, limit: float) -> Rule:
    """Return the rule of a binary floating point number."""

    def rule(value: Any) -> Fault | None:
        if type(value) is not float and (not isinstance(value, float | int) or isinstance(value, bool)):
            return wrong_type(value, f"a number ({vr})", "give a float")
        if -limit <= value <= limit:
            return None
        if isinstance(value, float) and not math.isfinite(value):
            return Fault(
                "not a finite number", "give a finite number, or leave the element out", "not-finite"
            )
        return Fault(f"{vr} holds numbers up to {limit:.4g}", "", "out-of-range")

    return rule


def _decimal_string(value: Any) -> Fault | None:
    """Check DS: a number in at most 16 characters."""
    if type(value) is int and abs(value) >= 10**_DS_LENGTH:
        return Fault(f"more than {_DS_LENGTH} characters, DS holds {_DS_LENGTH}", "give a float", "too-long")
    text = value if type(value) is str else _number_text(value)
    if text is None:
        return wrong_type(value, "a number or a text (DS)")
    text = text.strip(" ")
    if len(text) <= _DS_LENGTH and DECIMAL.fullmatch(text):
        if math.isfinite(float(text)):
            return None
        return Fault("too large a number for 64-bit floating point", "", "out-of-range")
    return _decimal_fault(text)


def _decimal_fault(text: str) -> Fault:
    """Tell why a text is not DS."""
    if DECIMAL.fullmatch(text):
        return Fault(f"{len(text)} characters, DS holds {_DS_LENGTH}", "give fewer digits", "too-long")
    if text.lower() in {"nan", "inf", "-inf", "infinity", "-infinity"}:
        return Fault("not a finite number", "give a finite number, or leave the element empty", "not-finite")
    return (
        _backslash("DS") if "\\" in text else Fault("not a decimal number", "write it such as 0.75 or 1.5e-3")
    )


def _integer_string(value: Any) -> Fault | None:
    """Check IS: an integer in at most 12 characters, from -2^31 to 2^31 - 1."""
    if type(value) is int:
        return None if value in _IS_RANGE else _out_of_range("IS", _IS_RANGE)
    text = value if type(value) is str else _number_text(value)
    if text is None or isinstance(value, float | Decimal):
        return wrong_type(value, "an integer or a text (IS)", "round it to an int")
    text = text.strip(" ")
    if "\\" in text:
        return _backslash("IS")
    if not INTEGER.fullmatch(text):
        return Fault("not an integer", "write digits only")
    if len(text) > _IS_LENGTH:
        return Fault(f"{len(text)} characters, IS holds {_IS_LENGTH}", "", "too-long")
    return None if int(text) in _IS_RANGE else _out_of_range("IS", _IS_RANGE)


def _backslash(vr: str) -> Fault:
    """Return the fault of a backslash in a number."""
    return Fault(f"a backslash, not allowed in {vr}", "give the values as a list", "backslash")


def _number_text(value: Any) -> str | None:
    """Return the text that pydicom writes for a number, or None."""
    text = as_text(value)
    if text is not None:
        return text
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    return str(value)


def _attribute_tag(value: Any) -> Fault | None:
    """Check AT: a tag, as a number."""
    number = _index(value)
    if number is None:
        return wrong_type(value, "a tag (AT)", "give a keyword, a number or (group, element)")
    return None if 0 <= number <= 0xFFFFFFFF else _out_of_range("AT", _INTEGER_RANGES["UL"])  # noqa: PLR2004 - AT


def _byte_string(vr: str) -> Rule:
    """Return the rule of bytes that hold whole words."""
    word = _WORD_BYTES[vr]

    def rule(value: Any) -> Fault | None:
        if isinstance(value, io.BufferedIOBase):
            return None
        if not isinstance(value, bytes | bytearray | memoryview):
            return wrong_type(value, f"bytes ({vr})", "give bytes in little endian order")
        length = value.nbytes if isinstance(value, memoryview) else len(value)
        if length % word:
            return Fault(f"{length} bytes, {vr} holds words of {word}", "pad it to whole words", "bad-length")
        return None if length <= _BYTES_LIMIT else Fault(f"{length} bytes, at most 2^32 - 2", "", "too-long")

    return rule


NUMBER_RULES: dict[str, Rule] = {
    "AT": _attribute_tag,
    "DS": _decimal_string,
    "FD": _real("FD", _FLOAT64_MAX),
    "FL": _real("FL", _FLOAT32_MAX),
    "IS": _integer_string,
    **{vr: _integer(vr) for vr in _INTEGER_RANGES},
    **{vr: _byte_string(vr) for vr in _WORD_BYTES},
}
