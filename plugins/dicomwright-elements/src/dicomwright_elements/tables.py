"""Tables beside a blueprint file: CSV, TOML and JSON."""

from __future__ import annotations

import csv
import io
import json
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dicomwright.errors import BlueprintError, Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dicomwright.bundles import RuleContext

__all__ = ["Row", "csv_rows", "read_table"]

_MOST_PROBLEMS = 10
_SEPARATORS = ",;\t"


@dataclass(frozen=True)
class Row:
    """One entry of a table: what is looked up, its value, and the file where it stands, empty for the rule itself."""

    key: str
    value: Any
    loc: str

    @property
    def place(self) -> str:
        """What messages begin with."""
        return f"{self.loc}: " if self.loc else ""


def read_table(context: RuleContext, path: str, key: str | None, value: str | None) -> list[Row]:
    """Return the entries of a table.

    Parameters
    ----------
    context : RuleContext
        Of the rule that names the file.
    path : str
        The file, relative to the blueprint file.
    key, value : str, optional
        The columns of a CSV file; without them the first and the second.

    Raises
    ------
    BlueprintError
        There is no such file, or it is no such table.

    """
    data = context.resource(path)
    kind = path.rpartition(".")[2].lower()
    if kind == "csv":
        return _of_columns(context, path, csv_rows(context, path, data), key, value)
    if key is not None or value is not None:
        raise context.problem(f"{path} has no columns", hint="key and value are of CSV files")
    if kind == "toml":
        return _of_mapping(context, path, _parsed(context, path, data, tomllib.loads))
    if kind == "json":
        return _of_mapping(context, path, _parsed(context, path, data, _json))
    raise context.problem(f"{path} is no table", hint="name a .csv, .toml or .json file")


def csv_rows(context: RuleContext, path: str, data: bytes) -> list[tuple[str, dict[str, str]]]:
    """Return the rows of a CSV file with a header line, each with its ``file:line``.

    The separator is the one of comma, semicolon and tab that the header has.

    Raises
    ------
    BlueprintError
        It is no such file.

    """
    text = _decoded(context, path, data)
    header = text.partition("\n")[0]
    separator = max(_SEPARATORS, key=header.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        rows = [(f"{path}:{reader.line_num}", [cell.strip() for cell in row]) for row in reader if any(row)]
    except csv.Error as error:
        raise context.problem(f"{path}:{reader.line_num}: not CSV: {error}") from None
    names = rows[0][1] if rows else []
    if len(names) < 2 or len(set(names)) < len(names) or not all(names):  # noqa: PLR2004 - key and value
        raise context.problem(
            f"{path} does not begin with the names of its columns, two or more and no two the same",
            hint="such as: code,meaning",
        )
    problems = [
        Problem(
            f"{loc}: the row has {len(row)} cells, and the header {len(names)}", "", context.loc, "bad-table"
        )
        for loc, row in rows[1:]
        if len(row) != len(names)
    ]
    if problems:
        raise BlueprintError.collect(problems[:_MOST_PROBLEMS])
    return [(loc, dict(zip(names, row, strict=True))) for loc, row in rows[1:]]


def _of_columns(
    context: RuleContext,
    path: str,
    rows: list[tuple[str, dict[str, str]]],
    key: str | None,
    value: str | None,
) -> list[Row]:
    """Return two columns of a CSV file."""
    if not rows:
        return []
    names = list(rows[0][1])
    columns = [names[0] if key is None else key, names[1] if value is None else value]
    for column in columns:
        if column not in names:
            raise context.problem(f'{path} has no column "{column}"', hint=f"it has {', '.join(names)}")
    return [Row(row[columns[0]], row[columns[1]], loc) for loc, row in rows]


def _of_mapping(context: RuleContext, path: str, data: Any) -> list[Row]:
    """Return the entries of a TOML or JSON file."""
    if not isinstance(data, dict):
        raise context.problem(f"{path} is no table of keys and values", hint='such as { "M": "male" }')
    return [Row(key, value, path) for key, value in data.items()]


def _parsed(context: RuleContext, path: str, data: bytes, parse: Any) -> Any:
    """Return what a TOML or JSON file holds."""
    text = _decoded(context, path, data)
    try:
        return parse(text)
    except RecursionError:
        raise context.problem(f"{path} is nested too deeply") from None
    except ValueError as error:
        raise context.problem(f"{path} cannot be read: {error}") from None


def _json(text: str) -> Any:
    """Return what JSON text holds; a key that stands twice is an error."""
    return json.loads(text, object_pairs_hook=_unique)


def _unique(pairs: list[tuple[str, Any]]) -> Mapping[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        msg = f"the key {next(name for name in names if names.count(name) > 1)!r} stands twice"
        raise ValueError(msg)
    return found


def _decoded(context: RuleContext, path: str, data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise context.problem(f"{path} is not UTF-8 at byte {error.start}", hint="save it as UTF-8") from None
