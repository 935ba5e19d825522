"""Data as TOML text."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Mapping
from typing import Any

__all__ = ["key", "quoted", "value"]

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_SHORT = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", '"': '\\"', "\\": "\\\\"}
_SPACE, _DELETE = 0x20, 0x7F


def quoted(text: str) -> str:
    r"""Return a text as a basic string.

    Examples
    --------
    >>> print(quoted('a "b"\n'))
    "a \"b\"\n"

    """
    return f'"{"".join(map(_escaped, text))}"'


def _escaped(character: str) -> str:
    if character in _SHORT:
        return _SHORT[character]
    code = ord(character)
    return f"\\u{code:04X}" if code < _SPACE or code == _DELETE else character


def key(name: str) -> str:
    """Return a key, in quotes where it needs them."""
    return name if _BARE.fullmatch(name) else quoted(name)


def value(data: Any) -> str:
    """Return a value on one line, as `tomllib` reads it again.

    Examples
    --------
    >>> value({"static": ["a", 1.5], "vr": "LO"})
    '{ static = ["a", 1.5], vr = "LO" }'

    """
    if isinstance(data, str):
        return quoted(data)
    if isinstance(data, bool | float):
        return _number(data)
    if isinstance(data, dt.date | dt.time):  # a datetime is a date
        return data.isoformat()
    if isinstance(data, Mapping):
        inside = ", ".join(f"{key(name)} = {value(one)}" for name, one in data.items())
        return f"{{ {inside} }}" if inside else "{}"
    if isinstance(data, list | tuple):
        return f"[{', '.join(map(value, data))}]"
    return str(data)


def _number(number: bool | float) -> str:
    if isinstance(number, bool):
        return "true" if number else "false"
    if math.isfinite(number):
        return repr(number)
    return "nan" if math.isnan(number) else "inf" if number > 0 else "-inf"
