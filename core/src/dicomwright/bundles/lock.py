"""``dicomwright.lock``: which bundles with which bytes, and which plug-ins, a pipeline was tested with."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dicomwright.bundles.bundle import digest_of
from dicomwright.bundles.stores import LOCK_FILE, printable, read_regular, reason_of, replace_text, shown
from dicomwright.bundles.toml_text import decoded, read_toml
from dicomwright.bundles.toml_write import quoted
from dicomwright.errors import BlueprintError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from dicomwright.bundles.bundle import Bundle
    from dicomwright.bundles.bundle_set import BundleSet
    from dicomwright.plugins import PluginSet

__all__ = ["SCHEMA", "Lock", "LockedBundle", "drift", "lock_of", "read_lock", "require_locked", "write_lock"]

#: The version of the format.
SCHEMA = 1

_MAX_BYTES = 4 * 1024 * 1024
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class LockedBundle:
    """One bundle of a lock.

    Attributes
    ----------
    name, version : str
        Of the bundle.
    files : mapping of str to str
        The SHA-256 of each file.

    """

    name: str
    version: str
    files: Mapping[str, str]

    @property
    def sha256(self) -> str:
        """One SHA-256 of all files."""
        return digest_of(dict(self.files))


@dataclass(frozen=True)
class Lock:
    """A lock.

    Attributes
    ----------
    bundles : tuple of LockedBundle
        By name.
    plugins : mapping of str to str
        The version of each distribution.
    file : str
        Where it was read from.

    """

    bundles: tuple[LockedBundle, ...]
    plugins: Mapping[str, str] = field(default_factory=dict)
    file: str = LOCK_FILE

    @property
    def text(self) -> str:
        """The lock as its file has it."""
        lines = [
            f"# Made by: dicomwright bundle lock. Check it with: dicomwright bundle verify\nschema = {SCHEMA}"
        ]
        for bundle in self.bundles:
            files = [f"{quoted(name)} = {quoted(value)}" for name, value in sorted(bundle.files.items())]
            lines += [
                "",
                "[[bundle]]",
                f"name = {quoted(bundle.name)}",
                f"version = {quoted(bundle.version)}",
                f"sha256 = {quoted(bundle.sha256)}",
                "[bundle.files]",
                *files,
            ]
        lines += ["", "[plugins]"]
        lines += [f"{quoted(name)} = {quoted(version)}" for name, version in sorted(self.plugins.items())]
        return "\n".join(lines) + "\n"

    @property
    def sha256(self) -> str:
        """One SHA-256 of what it says."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def lock_of(bundles: Iterable[Bundle], plugin_set: PluginSet) -> Lock:
    """Return the lock of bundles and plug-ins as they are.

    Raises
    ------
    BlueprintError
        A file of a bundle cannot be read.

    """
    locked = [LockedBundle(one.name, one.manifest.version, one.hashes()) for one in bundles]
    return Lock(tuple(sorted(locked, key=lambda one: one.name)), _versions(plugin_set))


def write_lock(lock: Lock, path: Path) -> None:
    """Write a lock, all or nothing; where a link stands, to where it leads.

    Raises
    ------
    BlueprintError
        It is a folder or a device, or the system refuses.

    """
    name = printable(str(path))
    try:
        if path.exists() and not path.is_file():
            message = f"{name} is {'a folder' if path.is_dir() else 'not a regular file'}"
            raise BlueprintError(message, hint="name a file", kind="unwritable")
        replace_text(path, lock.text)
    except OSError as error:
        raise BlueprintError(f"{name} cannot be written: {reason_of(error)}", kind="unwritable") from None


def read_lock(path: Path) -> Lock:
    """Return the lock of a file.

    Raises
    ------
    BlueprintError
        There is none, or it is not a lock.

    """
    name = printable(str(path))
    try:
        data, _ = read_toml(decoded(read_regular(path, name, _MAX_BYTES, "a lock"), name), name)
    except FileNotFoundError:
        raise BlueprintError(
            f"{name} does not exist", hint="make it with dicomwright bundle lock", kind="no-lock"
        ) from None
    except (OSError, ValueError) as error:
        raise BlueprintError(f"{name} cannot be read: {reason_of(error)}", kind="unreadable") from None
    wrong = next(_faults(data), "")
    if wrong:
        raise BlueprintError(f"{name} is not a lock: {wrong}", hint="make it again", kind="bad-lock")
    bundles = tuple(LockedBundle(one["name"], one["version"], one["files"]) for one in data.get("bundle", []))
    for one, bundle in zip(data.get("bundle", []), bundles, strict=True):
        if one["sha256"] != bundle.sha256:
            raise BlueprintError(
                f"{name} was changed by hand: the sha256 of bundle {shown(bundle.name)} is not that of its files",
                hint="make it again",
                kind="bad-lock",
            )
    return Lock(bundles, data["plugins"], name)


def _faults(data: Mapping[str, Any]) -> Iterator[str]:
    """Yield why data are no lock."""
    if data.get("schema") != SCHEMA or type(data["schema"]) is not int:
        yield f"its schema is {shown(data.get('schema'))}, and this dicomwright reads {SCHEMA}"
        return
    unknown = set(data) - {"schema", "bundle", "plugins"}
    if unknown:
        yield f"unknown key {shown(min(unknown))}"
    if not _is_texts(data.get("plugins")):
        yield "[plugins] is not a table of versions"
    bundles = data.get("bundle", [])
    if not isinstance(bundles, list):
        yield "bundle is not a list of tables"
        return
    for one in bundles:
        if not _is_bundle(one):
            yield "a bundle has not name, version, sha256 and files"
    names = [one.get("name") for one in bundles if isinstance(one, dict)]
    if len(names) != len(set(map(str, names))):
        yield "a bundle stands in it twice"


def _is_bundle(one: Any) -> bool:
    """Tell whether it is a bundle of a lock."""
    return (
        isinstance(one, dict)
        and all(isinstance(one.get(key), str) for key in ("name", "version", "sha256"))
        and _is_texts(one.get("files"))
        and all(map(_SHA256.fullmatch, one["files"].values()))
    )


def _is_texts(table: Any) -> bool:
    """Tell whether it is a table of texts."""
    return isinstance(table, dict) and all(isinstance(value, str) for value in table.values())


def _versions(plugin_set: PluginSet) -> dict[str, str]:
    """Return the version of each distribution whose plug-ins are used."""
    return {
        one.distribution: one.version for one in plugin_set.records if one.status in ("loaded", "conflict")
    }


def drift(lock: Lock, bundles: BundleSet, plugin_set: PluginSet) -> list[Problem]:
    """Return all that is not as a lock says, each file by its name."""
    found: list[Problem] = []
    for locked in lock.bundles:
        found += _bundle_drift(locked, bundles)
    versions = _versions(plugin_set)
    for name, version in sorted(lock.plugins.items()):
        now = versions.get(name)
        if now != version:
            what = f"{name} {now} is installed" if now else f"{name} is not installed, or cannot be used"
            found.append(
                _problem(f"{what}, locked is {version}", f'python -m pip install "{name}=={version}"')
            )
    return found


def _bundle_drift(locked: LockedBundle, bundles: BundleSet) -> Iterator[Problem]:
    """Yield what is not as it was in one bundle."""
    try:
        bundle = bundles.bundle(locked.name)
        hashes = bundle.hashes()
    except BlueprintError as error:
        for one in error.problems:
            yield _problem(f"bundle {locked.name} {locked.version}: {one.message}", one.hint)
        return
    if bundle.manifest.version != locked.version:
        yield _problem(
            f"bundle {locked.name} is version {bundle.manifest.version}, locked is {locked.version}"
        )
    for name in sorted({*hashes, *locked.files}):
        was, now = locked.files.get(name), hashes.get(name)
        if was == now:
            continue
        state = "is missing" if now is None else "is new" if was is None else "is changed"
        yield _problem(f"{bundle.store.label}/{name} {state}")


def _problem(message: str, hint: str = "") -> Problem:
    return Problem(message, hint, kind="drift")


def require_locked(lock: Lock, bundles: BundleSet, plugin_set: PluginSet, used: Iterable[str] = ()) -> None:
    """Refuse what is not as a lock says.

    Parameters
    ----------
    lock : Lock
        What it is to be.
    bundles : BundleSet
        The bundles of the run.
    plugin_set : PluginSet
        The plug-ins of the run.
    used : iterable of str
        Names of bundles that are used, which the lock must have.

    Raises
    ------
    BlueprintError
        With everything that differs.

    """
    known = {one.name for one in lock.bundles}
    problems = drift(lock, bundles, plugin_set)
    problems += [
        _problem(f"bundle {name} is used, and is not in {lock.file}", "make the lock again")
        for name in used
        if name not in known
    ]
    if problems:
        raise BlueprintError.collect(problems)
