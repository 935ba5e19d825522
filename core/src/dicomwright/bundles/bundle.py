"""One bundle: a ``bundle.toml`` and the files beside it, in a folder or a zip."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import field
from typing import TYPE_CHECKING

from dicomwright._dataclass import dataclass
from dicomwright.bundles.manifest import FILE, Manifest, read_manifest
from dicomwright.bundles.sources import shipped_names
from dicomwright.bundles.stores import (
    MAX_BUNDLE_BYTES,
    FolderStore,
    belongs,
    printable,
    reason_of,
    shown,
    within,
)
from dicomwright.bundles.toml_text import decoded, read_toml
from dicomwright.errors import BlueprintError, Problem
from dicomwright.plugins.compatibility import fits_core

if TYPE_CHECKING:
    from pathlib import Path

    from dicomwright.bundles.stores import Store

__all__ = ["Bundle", "core_problem", "open_bundle", "open_store", "read_bundle"]

_MAX_MANIFEST = 64 * 1024
_KEPT = 1024 * 1024
_OURS = re.compile(r"dicomwright(-.*)?")
_BELOW = ("*/" + FILE, "src/*/" + FILE)


@dataclass(frozen=True)
class Bundle:
    """A bundle that can be read.

    Attributes
    ----------
    manifest : Manifest
        What its ``bundle.toml`` says.
    store : Store
        Its files.
    place : str
        Where it is: a path.

    """

    manifest: Manifest
    store: Store
    place: str
    _kept: dict[str, bytes] = field(default_factory=dict, repr=False, compare=False)

    @property
    def name(self) -> str:
        """Its name, the first part of the ids of its blueprints."""
        return self.manifest.name

    def read(self, path: str, most: int) -> bytes:
        """Return the bytes of a file; what was read once stays as it was.

        Raises
        ------
        BlueprintError
            There is none, it is too large, or it does not belong to the bundle.

        """
        name = within(path)
        if not all(map(belongs, name.split("/"))):
            raise BlueprintError(
                f"{self.store.label}/{name} is hidden, compiled or a lock, so that it is not part of the bundle",
                hint="give it another name",
                kind="bad-path",
            )
        kept = self._kept.get(name)
        if kept is not None and len(kept) <= most:
            return kept
        data = self.store.read(name, most)
        if len(data) <= _KEPT:
            self._kept[name] = data
        return data

    def hashes(self) -> dict[str, str]:
        """Return the SHA-256 of each file by its name, in order.

        Raises
        ------
        BlueprintError
            A file cannot be read, or all together are too large.

        """
        found: dict[str, str] = {}
        left = MAX_BUNDLE_BYTES
        for name in self.store.names():
            data = self._within(name, left)
            left -= len(data)
            found[name] = hashlib.sha256(data).hexdigest()
        return found

    def _within(self, name: str, left: int) -> bytes:
        """Return the bytes of a file, if all together are not too many."""
        try:
            return self.read(name, left)
        except BlueprintError as error:
            if error.problems[0].kind != "too-large":
                raise
            label, limit = self.store.label, MAX_BUNDLE_BYTES >> 20
            raise BlueprintError(
                f"the files of {label} up to {name} have more than {limit} MB together",
                hint="a bundle holds blueprints and tables",
                kind="too-large",
            ) from None

    def digest(self) -> str:
        """Return one SHA-256 of all its files and their names."""
        return digest_of(self.hashes())


def digest_of(hashes: dict[str, str]) -> str:
    """Return one SHA-256 of those of several files."""
    lines = "".join(f"{value}  {name}\n" for name, value in sorted(hashes.items()))
    return hashlib.sha256(lines.encode()).hexdigest()


def open_store(path: Path, label: str) -> Store:
    """Return the files of a folder or a zip that has a ``bundle.toml``, itself or one folder below.

    Raises
    ------
    BlueprintError
        It is neither, or cannot be read.

    """
    try:
        if not path.is_dir():
            from dicomwright.bundles.zip_store import ZipStore  # late: most bundles are folders

            return ZipStore(path, label)
        if os.path.lexists(path / FILE):  # reading it says what it is
            return FolderStore(path, label)
        below = sorted({found.parent for pattern in _BELOW for found in path.glob(pattern)})
    except FileNotFoundError:
        raise BlueprintError(
            f"{label} does not exist", hint="check the path", kind="unknown-bundle"
        ) from None
    except (OSError, ValueError) as error:
        raise BlueprintError(f"{label} cannot be read: {reason_of(error)}", kind="unreadable") from None
    if len(below) == 1:
        return FolderStore(below[0], printable(str(below[0])))
    several = f", and {len(below)} of its folders have one" if below else ""
    raise BlueprintError(
        f"{label} has no {FILE}{several}", hint="name the folder of a bundle", kind="unknown-bundle"
    )


def open_bundle(path: Path, label: str = "") -> Bundle:
    """Return the bundle of a folder or a zip.

    Parameters
    ----------
    path : Path
        The folder or the zip.
    label : str
        What messages call it; the path if empty.

    Raises
    ------
    BlueprintError
        It is none, or its ``bundle.toml`` is wrong; all problems are in the error.

    """
    bundle, problems = read_bundle(path, label)
    if problems:
        raise BlueprintError.collect(problems)
    return bundle


def read_bundle(path: Path, label: str = "") -> tuple[Bundle, list[Problem]]:
    """Return the bundle of a folder or a zip, and what is wrong with its ``bundle.toml``. See `open_bundle`.

    Raises
    ------
    BlueprintError
        It is none, or its ``bundle.toml`` is not TOML.

    """
    store = open_store(path, label or printable(str(path)))
    file = f"{store.label}/{FILE}"
    data, lines = read_toml(decoded(store.read(FILE, _MAX_MANIFEST), file), file)
    manifest, problems = read_manifest(data, lines, file)
    is_shipped = manifest.name in shipped_names()
    if _OURS.fullmatch(manifest.name) or is_shipped:
        whose = "the name of a shipped blueprint" if is_shipped else "dicomwright's own"
        loc = f"{file}:{lines.get(('name',), 1)}"
        message = f"the name {shown(manifest.name)} is {whose}"
        problems.append(Problem(message, "choose another name", loc, "reserved-name"))
    return Bundle(manifest, store, printable(str(path))), problems


def core_problem(bundle: Bundle, core: str) -> str:
    """Say why a bundle does not fit the core that runs; empty if it does."""
    wanted = bundle.manifest.requires_dicomwright
    try:
        fits = not wanted or fits_core(f"dicomwright{wanted}", core)
    except ValueError:
        fits = False
    return "" if fits else f"it needs dicomwright {wanted}, this is dicomwright {core}"
