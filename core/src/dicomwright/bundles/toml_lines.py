"""On which line each key of a TOML text stands; `tomllib` does not tell."""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Key", "key_lines"]

#: The way to a value: keys of tables, indices of arrays.
Key = tuple[str | int, ...]

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_KEY_PART = re.compile(r"""[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|'[^']*'""")
_STRING = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}(?!")|' r"'''.*?'{3,5}(?!')|" r'"(?:[^"\\\n]|\\.)*"|' r"'[^'\n]*'",
    re.DOTALL,
)
_SCALAR = re.compile(r"[^,\]}#\n]*")


def key_lines(text: str) -> Mapping[Key, int]:
    r"""Return the line of each key and array item of a text that `tomllib` accepts.

    Examples
    --------
    >>> lines = key_lines("schema = 1\n[elements]\nPatientName = 'copy'\nStudyID = {static = '1'}")
    >>> lines["elements", "PatientName"], lines["elements", "StudyID", "static"]
    (3, 4)

    """
    return _Scanner(text.replace("\r\n", "\n")).scan()


class _Scanner:
    """Walks once over the text. Syntax is not checked: `tomllib` has done that."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0
        self.starts = [match.end() for match in re.finditer("\n", text)]
        self.lines: dict[Key, int] = {}
        self.last_item: dict[Key, int] = {}

    def scan(self) -> Mapping[Key, int]:
        """Read headers and key-value pairs to the end."""
        table: Key = ()
        self.skip(_BLANK)
        while self.position < len(self.text):
            if self.text[self.position] == "[":
                table = self.header()
            else:
                self.pair(table)
            self.skip(_BLANK)
        return self.lines

    def skip(self, pattern: re.Pattern[str]) -> str:
        """Go behind what the pattern matches, and return it."""
        match = pattern.match(self.text, self.position)
        if match is None:
            self.position += 1  # not reached for TOML; a step makes sure that the walk ends
            return ""
        self.position = match.end()
        return match[0]

    def at(self, character: str) -> bool:
        """Tell whether this character is next, and go behind it if so."""
        found = self.text.startswith(character, self.position)
        self.position += len(character) if found else 0
        return found

    def note(self, key: Key) -> None:
        """Keep the line of a key that is seen for the first time."""
        self.lines.setdefault(key, bisect_right(self.starts, self.position) + 1)

    def header(self) -> Key:
        """Read ``[table]`` or ``[[array of tables]]``."""
        is_item = self.text.startswith("[[", self.position)
        self.position += 2 if is_item else 1
        key = self.keys(())
        if is_item:
            index = self.last_item.get(key, -1) + 1
            self.last_item[key] = index
            key = (*key, index)
            self.note(key)
        else:
            key = self.current(key)
        self.position = self.text.find("]", self.position) + (2 if is_item else 1)
        return key

    def keys(self, table: Key) -> Key:
        """Read a dotted key and note each of its parts."""
        key = table
        while True:
            self.skip(_SPACE)
            line_position = self.position
            part = self.skip(_KEY_PART)
            key = (*self.current(key), _plain(part))
            self.lines.setdefault(key, bisect_right(self.starts, line_position) + 1)
            self.skip(_SPACE)
            if not self.at("."):
                return key

    def current(self, key: Key) -> Key:
        """Return the key with the item that is being written, if it is an array of tables."""
        return (*key, self.last_item[key]) if key in self.last_item else key

    def pair(self, table: Key) -> None:
        """Read ``key = value``."""
        key = self.keys(table)
        self.at("=")
        self.skip(_SPACE)
        self.value(key)

    def value(self, key: Key) -> None:
        """Go behind a value, and note the keys in it."""
        if self.at("["):
            self.array(key)
        elif self.at("{"):
            self.inline_table(key)
        elif self.text[self.position : self.position + 1] in ("'", '"'):
            self.skip(_STRING)
        else:
            self.skip(_SCALAR)

    def array(self, key: Key) -> None:
        """Go behind an array."""
        index = 0
        self.skip(_BLANK)
        while self.position < len(self.text) and not self.at("]"):
            self.note((*key, index))
            self.value((*key, index))
            self.skip(_BLANK)
            self.at(",")
            self.skip(_BLANK)
            index += 1

    def inline_table(self, key: Key) -> None:
        """Go behind an inline table."""
        self.skip(_BLANK)
        while self.position < len(self.text) and not self.at("}"):
            self.pair(key)
            self.skip(_BLANK)
            self.at(",")
            self.skip(_BLANK)


def _plain(part: str) -> str:
    """Return a key without its quotes."""
    if part[:1] not in ("'", '"'):
        return part
    return next(iter(tomllib.loads(f"{part} = 1")), part)
