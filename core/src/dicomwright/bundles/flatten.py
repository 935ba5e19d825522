"""One blueprint file instead of several: without ``extends``, with the same rules."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from dicomwright.blueprint.elements import SequenceElement, StaticElement
from dicomwright.blueprint.tags import PrivateTag, describe
from dicomwright.bundles.document import SCHEMA
from dicomwright.bundles.stores import printable, reason_of, shown
from dicomwright.bundles.toml_write import key, quoted, value
from dicomwright.errors import BlueprintError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from dicomwright.blueprint.blueprint import Blueprint
    from dicomwright.blueprint.elements import VirtualElement
    from dicomwright.bundles.laying import Notes
    from dicomwright.bundles.load import Reading
    from dicomwright.bundles.parameters import Parameter

__all__ = ["flattened", "write_flattened"]

_OF_LISTS = ("append", "remove")
_LONGEST_SUMMARY = 200


def flattened(reading: Reading, name: str) -> str:
    """Return the text of one blueprint file that makes the same, parameters included.

    Parameters
    ----------
    reading : Reading
        A blueprint without problems.
    name : str
        What it was called.

    Raises
    ------
    BlueprintError
        Two files of it read different data files of one path.

    """
    clashes = [path for path, contents in sorted(reading.resources.items()) if len(contents) > 1]
    if clashes:
        raise BlueprintError(
            f"{printable(name)} cannot be one file: its parts read different files of the name {shown(clashes[0])}",
            hint="rename one of them",
            kind="flatten",
        )
    head = [f"# Flattened from {printable(name)} by: dicomwright blueprint flatten"]
    head += [f"# It reads {path}, which must stand beside it." for path in sorted(reading.resources)]
    head.append(f"schema = {SCHEMA}")
    if reading.summary:
        head.append(f"summary = {quoted(reading.summary[:_LONGEST_SUMMARY])}")
    if reading.parameters:
        head += ["", "[parameters]", *map(_parameter, reading.parameters.values())]
    rules = [_line(element, reading.notes) for element in reading.blueprint]
    return "\n".join([*head, "", "[elements]", *rules]) + "\n"


def _parameter(parameter: Parameter) -> str:
    """Return the line of a parameter."""
    table: dict[str, Any] = {"type": parameter.vr}
    if not parameter.required:
        table["default"] = parameter.default
    if parameter.summary:
        table["summary"] = parameter.summary
    return f"{key(parameter.name)} = {value(table)}"


def _line(element: VirtualElement, notes: Notes) -> str:
    """Return the line of a rule, with its old place behind it."""
    return f"{key(_named(element))} = {value(_rule(element, notes))}  # {element.origin}"


def _named(element: VirtualElement) -> str:
    """Return the key of a rule."""
    from pydicom.datadict import keyword_for_tag

    tag = element.tag
    if isinstance(tag, PrivateTag):
        return str(tag)
    return keyword_for_tag(tag) or f"({tag.group:04X},{tag.element:04X})"


def _rule(element: VirtualElement, notes: Notes) -> Any:
    """Return a rule as data."""
    _, written = notes.written.get(id(element), (None, None))
    options = written if isinstance(written, dict) else {}
    if isinstance(element, SequenceElement) and (written is None or _is_sequence(options)):
        rule: dict[str, Any] = {"sequence": [dict(_items(item, notes)) for item in element.blueprints]}
        return {**rule, "final": True} if element.final else rule
    if isinstance(element, StaticElement) and (written is None or any(name in options for name in _OF_LISTS)):
        kept = {name: one for name, one in options.items() if name not in (*_OF_LISTS, "vr")}
        return {"static": "" if element.value is None else element.value, "vr": element.vr, **kept}
    if (
        written is None
    ):  # it stands in an item that a plug-in's type made, and another file laid rules over it
        raise BlueprintError(
            f"{describe(element.tag)} ({element.rule()}) is a part of a plug-in's rule, and cannot be written alone",
            hint="write the sequence out in one of the files",
            loc=element.origin,
            kind="flatten",
        )
    return written


def _is_sequence(options: dict[str, Any]) -> bool:
    return any(name in options for name in ("sequence", *_OF_LISTS))


def _items(item: Blueprint, notes: Notes) -> Iterator[tuple[str, Any]]:
    """Yield the rules of an item."""
    elements: Iterable[VirtualElement] = item
    for element in elements:
        yield _named(element), _rule(element, notes)


def write_flattened(text: str, resources: Mapping[str, list[bytes]], path: Path) -> None:
    """Write the file, and beside it the data files that it reads; nothing that is there already is changed.

    Raises
    ------
    BlueprintError
        A file is there already, or the system refuses.

    """
    new = {path: text.encode()}
    for name, contents in sorted(resources.items()):
        beside = path.parent / name
        if not os.path.isfile(beside) or beside.read_bytes() != contents[0]:  # noqa: PTH113  # of any name
            new[beside] = contents[0]
    there = [printable(str(one)) for one in new if os.path.lexists(one)]
    if there:
        raise BlueprintError(f"{there[0]} exists", hint="name another file, or take it away", kind="exists")
    try:
        for one, data in new.items():
            one.parent.mkdir(parents=True, exist_ok=True)
            with one.open("xb") as stream:
                stream.write(data)
    except OSError as error:
        name = printable(str(path))
        raise BlueprintError(f"{name} cannot be written: {reason_of(error)}", kind="unwritable") from None
