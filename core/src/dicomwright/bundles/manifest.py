"""``bundle.toml``: what a bundle says of itself."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from dicomwright.bundles.stores import is_name, shown, within
from dicomwright.errors import BlueprintError, Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dicomwright.bundles.toml_lines import Key

__all__ = ["FILE", "MAX_BLUEPRINTS", "SCHEMA", "Manifest", "read_manifest"]

#: Name of the file.
FILE = "bundle.toml"
#: The version of its format.
SCHEMA = 1
#: Most blueprints of a bundle.
MAX_BLUEPRINTS = 500

_PLAIN_VERSION = re.compile(r"\d+(?:\.\d+)*")
_PLAIN_SPECIFIER = re.compile(r"(?:\s*(?:>=|<=|>|<)\s*\d+(?:\.\d+)*\s*(?:,|$))*")
_LONGEST_VERSION = 64
_KEYS = (
    "schema",
    "name",
    "version",
    "summary",
    "contact",
    "requires-dicomwright",
    "requires-plugins",
    "blueprints",
)


@dataclass
class Manifest:
    """A ``bundle.toml``.

    Attributes
    ----------
    name, version, summary, contact : str
        As in the file; empty for what it does not say.
    requires_dicomwright : str
        Versions of the core that fit, as PEP 440 says.
    requires_plugins : tuple of str
        Distributions of plug-ins that its blueprints need, as PEP 508 says.
    blueprints : mapping of str to str
        Path of each blueprint file by its name.

    """

    name: str = ""
    version: str = ""
    summary: str = ""
    contact: str = ""
    requires_dicomwright: str = ""
    requires_plugins: tuple[str, ...] = ()
    blueprints: dict[str, str] = field(default_factory=dict)


def read_manifest(
    data: Mapping[str, Any], lines: Mapping[Key, int], file: str
) -> tuple[Manifest, list[Problem]]:
    """Return what a ``bundle.toml`` says, as far as it is right, and what is wrong in it.

    Parameters
    ----------
    data : mapping
        The file as `tomllib` reads it.
    lines : mapping
        Line of each key.
    file : str
        What messages call the file.

    """
    reader = _Reader(data, lines, file)
    return reader.read(), reader.problems


class _Reader:
    """Reads the keys one by one and collects what is wrong."""

    def __init__(self, data: Mapping[str, Any], lines: Mapping[Key, int], file: str) -> None:
        self.data = data
        self.lines = lines
        self.file = file
        self.problems: list[Problem] = []

    def read(self) -> Manifest:
        """Return what is right."""
        self.check_keys()
        self.check_schema()
        return Manifest(
            name=self.checked(
                "name", is_name, "small letters and digits with - or _ between, at most 64 characters"
            ),
            version=self.checked("version", _is_version, 'a version as PEP 440 says, such as "1.2.0"'),
            summary=self.line("summary"),
            contact=self.line("contact"),
            requires_dicomwright=self.specifier(),
            requires_plugins=self.requirements(),
            blueprints=self.index(),
        )

    def add(self, message: str, hint: str = "", *key: str | int) -> None:
        """Note a problem, at its line."""
        while key and key not in self.lines:
            key = key[:-1]
        loc = f"{self.file}:{self.lines[key]}" if key else self.file
        self.problems.append(Problem(message, hint, loc, "bundle-file"))

    def check_keys(self) -> None:
        """Refuse keys that the format does not have."""
        for key in self.data:
            if key not in _KEYS:
                close = get_close_matches(key.lower(), _KEYS, 1)
                hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(_KEYS)}"
                self.add(f"unknown key {shown(key)}", hint, key)

    def check_schema(self) -> None:
        """Refuse another version of the format."""
        version = self.data.get("schema")
        if version is None:
            self.add("the file does not name its format", f"add a first line: schema = {SCHEMA}")
        elif type(version) is not int or version != SCHEMA:
            newer = type(version) is int and version > SCHEMA
            hint = "install a newer dicomwright" if newer else f"write schema = {SCHEMA}"
            self.add(f"schema is {shown(version)}, and this dicomwright reads {SCHEMA}", hint, "schema")

    def checked(self, key: str, fits: Callable[[str], bool], what: str) -> str:
        """Return a text that must be there."""
        value = self.data.get(key)
        if value is None:
            self.add(f"{key} is missing", f"write {key} = ..., {what}")
        elif not isinstance(value, str) or not fits(value):
            self.add(f"{key} is {shown(value)}", f"it is {what}", key)
        else:
            return value
        return ""

    def line(self, key: str) -> str:
        """Return one line of text that may be missing."""
        value = self.data.get(key, "")
        if isinstance(value, str) and value.isprintable():
            return value.strip()
        self.add(f"{key} is not one line of text", f'write {key} = "..."', key)
        return ""

    def specifier(self) -> str:
        """Return the versions of the core that fit."""
        key = "requires-dicomwright"
        value = self.data.get(key, "")
        if isinstance(value, str) and _is_specifier(value):
            return value.strip()
        self.add(f"{key} is {shown(value)}", 'write versions as PEP 440 says, such as ">=0.1,<0.2"', key)
        return ""

    def requirements(self) -> tuple[str, ...]:
        """Return the plug-ins that are needed."""
        key = "requires-plugins"
        value = self.data.get(key, [])
        if not isinstance(value, list):
            self.add(f"{key} is not a list", f'write {key} = ["dicomwright-elements>=0.1"]', key)
            return ()
        for number, text in enumerate(value):
            wrong = _wrong_requirement(text)
            if wrong:
                self.add(f"{key} names {shown(text)}: {wrong}", 'write "NAME>=VERSION"', key, number)
        return tuple(text for text in value if isinstance(text, str))

    def index(self) -> dict[str, str]:
        """Return the blueprints."""
        value = self.data.get("blueprints")
        if not isinstance(value, dict) or not value:
            self.add("the bundle names no blueprints", 'write [blueprints] with lines such as ct = "ct.toml"')
            return {}
        if len(value) > MAX_BLUEPRINTS:
            self.add(f"the bundle has more than {MAX_BLUEPRINTS} blueprints", "make two of it", "blueprints")
            return {}
        return {name: self.path(name, path) for name, path in value.items()}

    def path(self, name: str, path: Any) -> str:
        """Return the path of one blueprint file."""
        key = ("blueprints", name)
        if not is_name(name):
            hint = "use small letters and digits with - or _ between"
            self.add(f"{shown(name)} cannot be the name of a blueprint", hint, *key)
        if not isinstance(path, str) or not path.endswith(".toml"):
            self.add(
                f"{name} = {shown(path)} is not the path of a .toml file",
                f'write {name} = "{name}.toml"',
                *key,
            )
            return ""
        try:
            return within(path)
        except BlueprintError as error:
            self.add(error.problems[0].message, "all files of a bundle lie in its folder", *key)
            return ""


def _is_version(text: str) -> bool:
    if len(text) > _LONGEST_VERSION:
        return False
    if _PLAIN_VERSION.fullmatch(text):
        return True
    from packaging.version import InvalidVersion, Version  # late: it takes longer than all the rest

    try:
        Version(text)
    except InvalidVersion:
        return False
    return text == text.strip()


def _is_specifier(text: str) -> bool:
    if _PLAIN_SPECIFIER.fullmatch(text):
        return True
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        SpecifierSet(text)
    except InvalidSpecifier:
        return False
    return True


def _wrong_requirement(text: Any) -> str:
    """Say what is wrong with a requirement."""
    from packaging.markers import UndefinedComparison, UndefinedEnvironmentName
    from packaging.requirements import InvalidRequirement, Requirement

    if not isinstance(text, str):
        return "it is not a text"
    try:
        requirement = Requirement(text)
        _ = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
    except InvalidRequirement:
        return "it is not a requirement as PEP 508 says"
    except (UndefinedComparison, UndefinedEnvironmentName):
        return "its marker cannot be decided"
    return "it names an address" if requirement.url else ""
