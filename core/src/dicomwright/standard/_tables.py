"""Read the data files of this package, a line at a time, when they are asked for.

``attributes.jsonl`` holds lists of attributes: an attribute refers to the list inside its items, to its
condition and to its terms by line number. So a look-up parses only the lists that it walks through.
"""

from __future__ import annotations

import json
from functools import cache, lru_cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from dicomwright.standard.model import Entry, Terms

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["condition", "entries", "index", "read_text", "tags_below"]


def read_text(name: str) -> str:
    """Return a data file as text."""
    return resources.files("dicomwright.standard").joinpath("data", name).read_text(encoding="utf-8")


@cache
def index() -> dict[str, Any]:
    """Return the index of SOP classes, IODs, modules and macros as it is stored."""
    found: dict[str, Any] = json.loads(read_text("index.json"))
    return found


@cache
def _lines(name: str) -> list[str]:
    return read_text(name).split("\n")


@cache
def condition(number: int) -> str:
    """Return the text of a condition; number 0 is no text."""
    return str(json.loads(_lines("conditions.jsonl")[number])) if number else ""


@cache
def _terms(number: int) -> tuple[Terms, ...]:
    if not number:
        return ()
    rows = json.loads(_lines("terms.jsonl")[number])
    return tuple(Terms(kind == "E", tuple(values), position, when) for kind, position, when, values in rows)


@lru_cache(maxsize=4096)
def entries(number: int) -> dict[int, Entry]:
    """Return one list of attributes by tag; number 0 is the empty list."""
    if not number:
        return {}
    found = {}
    for row in json.loads(_lines("attributes.jsonl")[number]):
        tag, kind, items, text, terms, macro = row + [0, 0, 0, ""][len(row) - 2 :]
        found[tag] = Entry(tag, kind, condition(text), _terms(terms), macro, items)
    return found


def tags_below(numbers: Iterable[int]) -> frozenset[int]:
    """Return the tags of lists of attributes and of the lists inside their items, at any depth.

    A list that many sequences share is looked at once, and only for its tags: all attributes of an IOD as `entries`
    take longer than the rest of a small build.
    """
    found: set[int] = set()
    waiting, known = list(numbers), {0}
    while waiting:
        number = waiting.pop()
        if number not in known:
            known.add(number)
            for row in json.loads(_lines("attributes.jsonl")[number]):
                found.add(row[0])
                waiting.extend(row[2:3])
    return frozenset(found)
