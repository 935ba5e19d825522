"""What is installed: the one place that reads distribution metadata.

``importlib_metadata`` behaves alike on every Python and names the provenance of a distribution. Importing it
replaces the finder of the standard library's module, so nothing here hands out its objects: callers see plain
values. It is imported by the discovery of plug-ins only, never by ``import dicomwright``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import importlib_metadata

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["GROUP", "Candidate", "canonical", "core_version", "find_candidates"]

#: The entry-point group of plug-ins.
GROUP = "dicomwright"

_UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Candidate:
    """One entry point that asks to be a plug-in.

    Attributes
    ----------
    name, value : str
        The two sides of the entry point.
    distribution, version : str
        Who installed it.
    requires : tuple of str
        What the distribution depends on, as PEP 508 texts.
    problem : str
        Why the entry point cannot be read; empty if it can.

    """

    name: str
    value: str
    distribution: str
    version: str
    requires: tuple[str, ...] = ()
    problem: str = ""

    def load(self) -> Any:
        """Import what the entry point names."""
        return importlib_metadata.EntryPoint(self.name, self.value, GROUP).load()


def canonical(name: str) -> str:
    """Return a distribution's name in the spelling that compares equal, as PEP 503 says."""
    return re.sub(r"[-_.]+", "-", name).lower()


def core_version() -> str:
    """Return the version of the installed core."""
    try:
        return str(importlib_metadata.version("dicomwright"))
    except importlib_metadata.PackageNotFoundError:
        return _UNKNOWN


def find_candidates() -> list[Candidate]:
    """Return the entry points of all distributions, in an order that does not depend on the file system."""
    found: dict[str, list[Candidate]] = {}
    for distribution in importlib_metadata.distributions():
        for candidate in _candidates_of(distribution):
            found.setdefault(canonical(candidate.distribution), []).append(candidate)
    unique = {candidate: None for candidates in found.values() for candidate in candidates}
    return sorted(unique, key=lambda one: (canonical(one.distribution), one.name, one.value))


def _candidates_of(distribution: Any) -> Iterator[Candidate]:
    """Yield the entry points of one distribution; whatever is wrong with it stays with it."""
    try:
        text = distribution.read_text("entry_points.txt") or ""
        if GROUP not in text or _is_shadowed(distribution, text):
            return
        entries = [entry for entry in distribution.entry_points if entry.group == GROUP]
    except Exception as error:  # noqa: BLE001  any fault in foreign metadata becomes a record
        problem = f"its entry_points.txt cannot be read: {type(error).__name__}: {error}"
        yield Candidate(_UNKNOWN, "", *_identity(distribution), problem=problem)
        return
    for entry in entries:
        yield Candidate(
            entry.name,
            entry.value,
            *_identity(distribution),
            requires=tuple(distribution.requires or ()),
            problem=_value_problem(entry),
        )


def _is_shadowed(distribution: Any, text: str) -> bool:
    """Tell whether another distribution of the same name comes first on the path."""
    name, _ = _identity(distribution)
    if name == _UNKNOWN:
        return False
    return importlib_metadata.distribution(name).read_text("entry_points.txt") != text


def _identity(distribution: Any) -> tuple[str, str]:
    """Return name and version, as far as the metadata say."""
    return _field(distribution, "Name"), _field(distribution, "Version")


def _field(distribution: Any, field: str) -> str:
    """Return one field of the metadata, or a word that says that it is not known."""
    try:
        return str(distribution.metadata[field] or _UNKNOWN)
    except Exception:  # noqa: BLE001  metadata that are absent or not UTF-8; the caller shows "unknown"
        return _UNKNOWN


def _value_problem(entry: importlib_metadata.EntryPoint) -> str:
    """Say why an entry point's value cannot be imported."""
    try:
        parts = [*entry.module.split("."), *(entry.attr or "module").split(".")]
    except ValueError:
        parts = [""]
    if all(part.isidentifier() for part in parts):
        return ""
    return (
        f'its entry point "{entry.name} = {entry.value}" is malformed; it is "{entry.name} = package.plugin"'
    )
