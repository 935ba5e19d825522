"""Read the entries of a configuration into dataclasses; each kind of value has one check."""

from __future__ import annotations

import re
from dataclasses import fields
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_type_hints

from dicomwright.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["values_of"]

_UNITS = {"": 1, "B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
_SIZE = re.compile(r"(\d{1,15})\s*([KMGT]iB|B)?")
_AE = re.compile(r"(?=.*[^ ])[ -\[\]-~]{1,16}")
_UID = re.compile(r"[0-9.]{1,64}")
_SHORTEST = 0.001
_SMALLEST_PDU, _LARGEST_PDU = 4096, 16 * 2**20
_LAST_PORT = 65535


def values_of(kind: Any, document: dict[str, Any], base: Path, problems: list[Problem]) -> dict[str, Any]:
    """Return what to make the dataclass of the whole configuration of; add what is wrong to `problems`."""
    sections = {one.name: one for one in fields(kind)}
    values: dict[str, Any] = {}
    for name, entries in document.items():
        if name not in sections:
            problems.append(_unknown(f"[{name}]", name, list(sections)))
        elif not isinstance(entries, dict):
            problems.append(
                Problem(f"{name} is not a section", hint=f"write [{name}] and its entries below it")
            )
        else:
            section: Any = sections[name].default_factory
            values[name] = section(**_section(section, name, entries, base, problems))
    return values


def _section(
    kind: Any, section: str, entries: dict[str, Any], base: Path, problems: list[Problem]
) -> dict[str, Any]:
    """Return the values of one section."""
    known = get_type_hints(kind, include_extras=True)
    values = {}
    for name, given in entries.items():
        if name not in known:
            problems.append(_unknown(f"[{section}] {name}", name, list(known)))
            continue
        read, wanted = _KINDS[known[name].__metadata__[0]]
        try:
            value = read(given)
        except (TypeError, ValueError):
            problems.append(Problem(f"[{section}] {name} is {given!r}", hint=f"it is {wanted}"))
            continue
        values[name] = base / value if isinstance(value, Path) else value
    return values


def _unknown(what: str, name: str, known: list[str]) -> Problem:
    """Say that there is no such entry, and which one may be meant."""
    close = get_close_matches(name, known, n=1)
    hint = f"did you mean {close[0]}?" if close else f"known: {', '.join(known)}"
    return Problem(f"{what} is unknown", hint=hint)


def _exactly(kind: type) -> Callable[[Any], Any]:
    """Return a check for values of one type, where true is no number."""

    def read(given: Any) -> Any:
        if type(given) is not kind:
            raise TypeError
        return given

    return read


def _whole(least: int, most: float = float("inf")) -> Callable[[Any], int]:
    """Return a check for whole numbers in a range."""

    def read(given: Any) -> int:
        if type(given) is not int or not least <= given <= most:
            raise ValueError
        return given

    return read


def _number(least: float, most: float) -> Callable[[Any], float]:
    """Return a check for numbers in a range."""

    def read(given: Any) -> float:
        if type(given) not in (int, float) or not least <= given <= most:
            raise ValueError
        return float(given)

    return read


def _size(given: Any) -> int:
    """Return bytes, given as a number or as a text such as ``"512MiB"``."""
    if type(given) is int and given >= 0:
        return given
    match = _SIZE.fullmatch(given)
    if match is None:
        raise ValueError
    return int(match[1]) * _UNITS[match[2] or ""]


def _matching(pattern: re.Pattern[str]) -> Callable[[Any], str]:
    """Return a check for texts of one shape."""

    def read(given: Any) -> str:
        if pattern.fullmatch(given) is None:
            raise ValueError
        return str(given)

    return read


def _several(one: Callable[[Any], str]) -> Callable[[Any], tuple[str, ...]]:
    """Return a check for lists."""

    def read(given: Any) -> tuple[str, ...]:
        if not isinstance(given, list):
            raise TypeError
        return tuple(one(value) for value in given)

    return read


def _path(given: Any) -> Path:
    """Return a path, a leading ``~`` resolved."""
    if not isinstance(given, str) or not given or "\0" in given:
        raise ValueError
    try:
        return Path(given).expanduser()
    except RuntimeError as error:  # nobody has that name
        raise ValueError from error


_KINDS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "bool": (_exactly(bool), "true or false"),
    "text": (_exactly(str), "a text"),
    "path": (_path, "a path, as a text; ~ and ~NAME are homes of users that there are"),
    "host": (_matching(re.compile(r"[A-Za-z0-9.:_-]{1,253}")), 'an address or a name, such as "127.0.0.1"'),
    "port": (_whole(0, _LAST_PORT), f"a whole number from 0 to {_LAST_PORT}"),
    "count": (_whole(1), "a whole number, 1 or more"),
    "number": (_whole(0), "a whole number, 0 or more"),
    "pdu": (_whole(_SMALLEST_PDU, _LARGEST_PDU), f"a whole number from {_SMALLEST_PDU} to {_LARGEST_PDU}"),
    "size": (_size, 'a number of bytes, or a text such as "512MiB" or "2GiB"'),
    "seconds": (_number(0, 1e9), "a number of seconds, 0 or more"),
    "patience": (_number(_SHORTEST, 1e9), "a number of seconds, more than 0"),
    "days": (_number(0, 1e6), "a number of days, 0 or more"),
    "ae": (_matching(_AE), "an AE title: at most 16 printable characters, no backslash"),
    "ae-list": (
        _several(_matching(_AE)),
        "a list of AE titles: at most 16 printable characters, no backslash",
    ),
    "host-list": (_several(_matching(re.compile(r"[A-Za-z0-9.:_-]{1,253}"))), "a list of names of hosts"),
    "uid-list": (_several(_matching(_UID)), "a list of UIDs"),
    "level": (_matching(re.compile("debug|info|warning|error")), "debug, info, warning or error"),
}
