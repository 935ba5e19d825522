"""One blueprint file as data: its summary, what it extends, and its rules with their lines."""

from __future__ import annotations

from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from dicomwright.bundles.sources import shown
from dicomwright.bundles.toml_text import read_toml
from dicomwright.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dicomwright.bundles.sources import Source
    from dicomwright.bundles.toml_lines import Key

__all__ = ["MAX_EXTENDS", "SCHEMA", "Document", "parse"]

#: The version of the file format.
SCHEMA = 1
#: Most blueprints that one file names in extends.
MAX_EXTENDS = 64

_KEYS = ("schema", "summary", "extends", "parameters", "elements")


@dataclass
class Document:
    """A parsed blueprint file.

    Attributes
    ----------
    source : Source
        Where it comes from.
    summary : str
        One line for people.
    extends : mapping
        The names or paths of the blueprints that it builds on, weakest first, each with its ``file:line``.
    parameters : mapping
        The parameters as they stand in the file, by name.
    elements : mapping
        The rules as they stand in the file, by tag as it is written.
    lines : mapping
        Line of each key.
    problems : list of Problem
        What is wrong with the frame of the file; rules are not looked at here.

    """

    source: Source
    summary: str = ""
    extends: dict[str, str] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    elements: Mapping[str, Any] = field(default_factory=dict)
    lines: Mapping[Key, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def loc(self, *key: str | int) -> str:
        """Return ``file:line`` of a key, or of the nearest one around it."""
        while key and key not in self.lines:
            key = key[:-1]
        return f"{self.source.name}:{self.lines[key]}" if key else self.source.name

    def add(self, message: str, hint: str = "", *key: str | int) -> None:
        """Note a problem of the file's frame."""
        self.problems.append(Problem(message, hint, self.loc(*key), "blueprint-file"))


def parse(source: Source) -> Document:
    """Return the file as data; what is wrong with its frame is in `Document.problems`.

    Raises
    ------
    BlueprintError
        It is not TOML.

    """
    data, lines = read_toml(source.text, source.name)
    document = Document(source, lines=lines)
    _check_keys(document, data)
    _check_schema(document, data)
    _read_summary(document, data)
    _read_extends(document, data)
    document.parameters = _table(document, data, "parameters")
    document.elements = _table(document, data, "elements")
    return document


def _table(document: Document, data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Return a table of the file."""
    table = data.get(key, {})
    if isinstance(table, dict):
        return table
    document.add(f"{key} is {_type(table)}, not a table", f"write [{key}]", key)
    return {}


def _check_keys(document: Document, data: Mapping[str, Any]) -> None:
    """Refuse keys that the format does not have."""
    for key in data:
        if key in _KEYS:
            continue
        close = get_close_matches(key.lower(), _KEYS, 1)
        hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(_KEYS)}"
        if key[:1].isupper() or key[:1] == "(":
            hint = "rules stand below [elements]"
        document.add(f"unknown key {shown(key)}", hint, key)


def _check_schema(document: Document, data: Mapping[str, Any]) -> None:
    """Refuse a file of another version of the format."""
    version = data.get("schema")
    if version is None:
        document.add("the file does not name its format", f"add a first line: schema = {SCHEMA}")
    elif type(version) is not int or version < SCHEMA:
        document.add(f"schema is {shown(version)}", f"write schema = {SCHEMA}", "schema")
    elif version > SCHEMA:
        document.add(
            f"schema is {shown(version)}, and this dicomwright reads {SCHEMA}",
            "install a newer one",
            "schema",
        )


def _read_summary(document: Document, data: Mapping[str, Any]) -> None:
    """Take the summary: one line of text."""
    summary = data.get("summary", "")
    if isinstance(summary, str) and (summary.isprintable()):
        document.summary = summary.strip()
    else:
        document.add("summary is not one line of text", 'write summary = "..."', "summary")


def _read_extends(document: Document, data: Mapping[str, Any]) -> None:
    """Take the names of the bases."""
    names = data.get("extends", [])
    if not isinstance(names, list):
        document.add(f"extends is {_type(names)}, not a list", 'write extends = ["mr-image"]', "extends")
        return
    if len(names) > MAX_EXTENDS:
        document.add(f"extends names more than {MAX_EXTENDS} files", "join some", "extends")
    for index, name in enumerate(names[:MAX_EXTENDS]):
        if not isinstance(name, str) or not name:
            document.add(f"extends names {shown(name)}, not a blueprint", "give texts", "extends", index)
        elif "://" in name:
            document.add(
                f"extends names the address {shown(name)}", "blueprints come from files", "extends", index
            )
        elif name in document.extends:
            document.add(f"extends names {shown(name)} twice", "name it once", "extends", index)
        else:
            document.extends[name] = document.loc("extends", index)


_TYPES = {
    bool: "a boolean",
    int: "a number",
    float: "a number",
    str: "a text",
    list: "a list",
    dict: "a table",
}


def _type(value: object) -> str:
    """Return what TOML calls the type of a value."""
    return _TYPES.get(type(value), "a date or time")
