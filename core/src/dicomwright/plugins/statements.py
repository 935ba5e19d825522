"""What a rule of a blueprint file may hold, as data: so that it is checked, completed and documented without code."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dicomwright._dataclass import dataclass
from dicomwright.errors import PluginError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["TAKEN", "VALUE_KINDS", "RuleOption", "RuleValue"]

#: What stands behind a key of a rule, and how messages call it.
VALUE_KINDS: dict[str, str] = {
    "nothing": "nothing",
    "text": "a text",
    "texts": "a list of texts",
    "whole": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "value": "a text, a number, a date, a time or a list of those",
    "values": "a list of values",
    "table": "a table",
    "tables": "a list of tables",
    "rule": "a rule",
    "rules": "a list of rules",
    "items": "a list of tables of rules",
    "keyword": "a keyword or tag",
    "series-function": "the name of a function",
    "instance-function": "the name of a function",
    "any": "anything",
}
_NAME = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*")
#: The keys that every rule may have.
TAKEN = ("vr", "only-if", "final")


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleValue:
    """What stands behind the name of an element type, as ``"optional"`` in ``{ copy = "optional" }``.

    Examples
    --------
    >>> RuleValue(summary="a table, or the name of its file", kinds=("table", "text")).kinds
    ('table', 'text')

    Attributes
    ----------
    summary : str
        What it is, as it goes on after "lookup needs ": ``"a table"``.
    kinds : tuple of str
        One or more of `VALUE_KINDS`; ``"nothing"`` lets the name stand alone, as ``"copy"`` does.
    choices : tuple of str
        The texts that it may be; empty for any.
    example : str
        A whole rule, as a user writes it: ``{ lookup = "sexes.csv" }``.

    """

    summary: str
    kinds: tuple[str, ...] = ("text",)
    choices: tuple[str, ...] = ()
    example: str = ""

    def __post_init__(self) -> None:
        _raise(f"{type(self).__name__} {self.summary!r}", self._problems())

    def _problems(self) -> Iterator[str]:
        """Yield what is wrong with the fields."""
        if not _is_line(self.summary):
            yield f"summary is {self.summary!r}; it is one line of text"
        if self.example and not _is_line(self.example):
            yield f"example is {self.example!r}; it is one line of text"
        yield from _kinds_problems(self.kinds)
        if type(self.choices) is not tuple or not all(map(_is_line, self.choices)):
            yield f"choices is {self.choices!r}; it is a tuple of texts"
        elif self.choices and "text" not in self.kinds:
            yield 'choices are of the kind "text"'


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleOption(RuleValue):
    """A key beside the name of an element type, as ``when-varying`` in ``{ copy = "usable", when-varying = "omit" }``.

    Examples
    --------
    >>> RuleOption(name="step", summary="a whole number, 1 without it", kinds=("whole",)).required
    False

    Attributes
    ----------
    name : str
        The key: lower-case letters and digits with single ``-`` between them.
    required : bool
        Whether the rule must have it.

    """

    name: str
    required: bool = False

    def _problems(self) -> Iterator[str]:
        """Yield what is wrong with the fields."""
        if type(self.name) is not str or not _NAME.fullmatch(self.name):
            yield f'name is {self.name!r}; it is lower-case letters and digits, with single "-" between them'
        elif self.name in TAKEN:
            yield f"name is {self.name!r}, which every rule may have"
        if self.required not in (True, False):
            yield f"required is {self.required!r}; it is True or False"
        yield from RuleValue._problems(self)  # noqa: SLF001  super() does not work in a class with slots before 3.14
        if type(self.kinds) is tuple and "nothing" in self.kinds:
            yield 'an option has no kind "nothing"'


def _is_line(text: object) -> bool:
    """Tell whether it is one line of text."""
    return type(text) is str and bool(text.strip()) and text.isprintable()


def _kinds_problems(kinds: object) -> Iterator[str]:
    """Yield what is wrong with the kinds of a value."""
    if type(kinds) is not tuple or not kinds:
        yield f'kinds is {kinds!r}; it is a tuple such as ("text",)'
        return
    for kind in kinds:
        if type(kind) is not str or kind not in VALUE_KINDS:
            yield f"kinds has {kind!r}; there are {', '.join(VALUE_KINDS)}"


def _raise(what: str, problems: Iterator[str]) -> None:
    """Raise all problems at once."""
    found = [Problem(f"{what}: {text}", kind="descriptor") for text in problems]
    if found:
        raise PluginError.collect(found)
