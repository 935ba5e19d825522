"""What is installed: the one place that reads distribution metadata.

``importlib_metadata`` behaves alike on every Python and names the provenance of a distribution. Importing it
replaces the finder of the standard library's module, so nothing here hands out its objects: callers see plain
values. It is imported by the discovery of plug-ins only, never by ``import dicomwright``.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import importlib_metadata

from dicomwright.plugins.records import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "BUNDLE_GROUP",
    "GROUP",
    "BundleCandidate",
    "Candidate",
    "canonical",
    "core_version",
    "find_bundles",
    "find_candidates",
    "installed_version",
]

#: The entry-point group of plug-ins.
GROUP = "dicomwright"
#: The entry-point group of bundles of blueprints.
BUNDLE_GROUP = "dicomwright.bundles"

_LONGEST_PACKAGE = 200
_HEADER = re.compile(r"^(Name|Version|Requires-Dist):(.*(?:\n[ \t].*)*)", re.MULTILINE | re.IGNORECASE)


class Candidate(NamedTuple):
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


class BundleCandidate(NamedTuple):
    """One entry point that asks to be a bundle of blueprints.

    Attributes
    ----------
    name : str
        The name of the entry point.
    distribution, version : str
        Who installed it.
    folder : str
        Where its files are; empty if that is not known.
    label : str
        The folder as messages call it: from the top of the import path.
    problem : str
        Why it cannot be read; empty if it can.

    """

    name: str
    distribution: str
    version: str
    folder: str = ""
    label: str = ""
    problem: str = ""


def canonical(name: str) -> str:
    """Return a distribution's name in the spelling that compares equal, as PEP 503 says."""
    return re.sub(r"[-_.]+", "-", name).lower()


def core_version() -> str:
    """Return the version of the installed core."""
    for distribution in importlib_metadata.distributions(name="dicomwright"):
        if _metadata_text(distribution):
            return _identity(distribution)[1]
    return UNKNOWN


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
        if GROUP not in text:
            return
        entries = [entry for entry in distribution.entry_points if entry.group == GROUP]
    except Exception as error:  # noqa: BLE001  any fault in foreign metadata becomes a record
        name, version, _ = _identity(distribution)
        problem = f"its entry_points.txt cannot be read: {type(error).__name__}: {error}"
        yield Candidate(name, "", name, version, problem=problem)
        return
    if not entries:
        return
    name, version, requires = _identity(distribution)
    if _is_shadowed(distribution, name):
        return
    for entry in entries:
        yield Candidate(entry.name, entry.value, name, version, requires, _value_problem(entry))


def _identity(distribution: Any) -> tuple[str, str, tuple[str, ...]]:
    """Return name, version and requirements, as far as the metadata tell.

    The headers are taken from the text: the e-mail parser of the standard library would take a third of the
    time that the command line needs to start.
    """
    try:
        headers, _, _ = _metadata_text(distribution).replace("\r\n", "\n").partition("\n\n")
    except (UnicodeError, OSError):  # absent or no text; the record says "unknown"
        return UNKNOWN, UNKNOWN, ()
    fields: dict[str, list[str]] = {"name": [], "version": [], "requires-dist": []}
    for key, value in _HEADER.findall(headers):
        fields[key.lower()].append(" ".join(value.split()))
    name, version = (next(iter(fields[key]), "") or UNKNOWN for key in ("name", "version"))
    return name, version, tuple(fields["requires-dist"])


def _metadata_text(distribution: Any) -> str:
    """Return the text of the metadata, by its name in a wheel or in an older layout."""
    return distribution.read_text("METADATA") or distribution.read_text("PKG-INFO") or ""


def _is_shadowed(distribution: Any, name: str) -> bool:
    """Tell whether another distribution of the same name comes first on the path; empty leftovers do not count."""
    for first in importlib_metadata.distributions(name=name):
        if _metadata_text(first):
            return str(first.locate_file("")) != str(distribution.locate_file(""))
    return False  # the folder bears another name than the metadata in it


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


def installed_version(name: str) -> str:
    """Return the version of an installed distribution, empty if there is none of that name."""
    for distribution in importlib_metadata.distributions(name=name):
        if _metadata_text(distribution):
            return _identity(distribution)[1]
    return ""


def find_bundles() -> list[BundleCandidate]:
    """Return the bundles of all distributions, with the folders of their files. Nothing of theirs is imported."""
    found: dict[BundleCandidate, None] = {}
    for distribution in importlib_metadata.distributions():
        found |= dict.fromkeys(_bundles_of(distribution))
    return sorted(found, key=lambda one: (canonical(one.distribution), one.name))


def _bundles_of(distribution: Any) -> Iterator[BundleCandidate]:
    """Yield the bundles of one distribution; whatever is wrong with it stays with it."""
    try:
        text = distribution.read_text("entry_points.txt") or ""
        if BUNDLE_GROUP not in text:
            return
        entries = [entry for entry in distribution.entry_points if entry.group == BUNDLE_GROUP]
        name, version, _ = _identity(distribution)
        if not entries or _is_shadowed(distribution, name):
            return
    except Exception as error:  # noqa: BLE001  any fault in foreign metadata becomes a record
        name, version, _ = _identity(distribution)
        problem = f"its entry_points.txt cannot be read: {type(error).__name__}: {error}"
        yield BundleCandidate(name, name, version, problem=problem)
        return
    for entry in entries:
        candidate = BundleCandidate(entry.name, name, version)
        package = entry.value.strip()
        if len(package) > _LONGEST_PACKAGE or not all(part.isidentifier() for part in package.split(".")):
            package = package[:_LONGEST_PACKAGE]
            yield candidate._replace(
                problem=f'its entry point "{entry.name} = {package}" is malformed; it is "{entry.name} = package"'
            )
            continue
        folder = _folder_of(distribution, package.replace(".", "/"))
        problem = (
            ""
            if folder
            else (
                f'no bundle.toml was found in the package "{package}": not in the list of installed files, not on the '
                "import path, not in the project folder of an editable installation"
            )
        )
        yield candidate._replace(folder=str(folder or ""), label=package.replace(".", "/"), problem=problem)


def _folder_of(distribution: Any, package: str) -> Path | None:
    """Return the folder of a package that has a ``bundle.toml``, without importing the package.

    Some installers make a link of each file; then it is the folder where the files are.
    """
    for places in (_listed, _importable, _editable):
        try:
            for folder in places(distribution, package):
                if (folder / "bundle.toml").is_file():
                    return (folder / "bundle.toml").resolve().parent
        except Exception:  # noqa: BLE001, S112  the metadata and finders of others may do anything; the next may know
            continue
    return None


def _listed(distribution: Any, package: str) -> Iterator[Path]:
    """Yield the folder by the list of installed files."""
    wanted = f"{package}/bundle.toml"
    for file in distribution.files or ():
        if str(file) == wanted:
            yield Path(distribution.locate_file(file)).parent


def _importable(_: Any, package: str) -> Iterator[Path]:
    """Yield the folders by the import path: finding a package at the top imports nothing."""
    from importlib.util import find_spec

    top, _, below = package.partition("/")
    spec = find_spec(top)
    for place in (spec and spec.submodule_search_locations) or ():
        yield Path(place) / below


def _editable(distribution: Any, package: str) -> Iterator[Path]:
    """Yield the folders by the project that an editable installation names (PEP 610)."""
    from urllib.parse import urlparse
    from urllib.request import url2pathname

    origin = json.loads(distribution.read_text("direct_url.json") or "{}")
    if origin.get("dir_info", {}).get("editable"):
        project = Path(url2pathname(urlparse(origin["url"]).path))
        yield from (project / "src" / package, project / package)
