"""Read the text of blueprint files: shipped ones by name, others by path, all within limits."""

from __future__ import annotations

import os
import posixpath
from difflib import get_close_matches
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from dicomwright._dataclass import dataclass
from dicomwright.bundles.stores import (
    MAX_DATA_BYTES,
    FolderStore,
    is_id,
    printable,
    read_regular,
    reason_of,
    shown,
    within,
)
from dicomwright.bundles.toml_text import decoded
from dicomwright.errors import BlueprintError

if TYPE_CHECKING:
    from dicomwright.bundles.bundle import Bundle
    from dicomwright.bundles.bundle_set import BundleSet

__all__ = [
    "MAX_FILE_BYTES",
    "SHIPPED",
    "Source",
    "by_id",
    "find",
    "from_path",
    "in_bundle",
    "is_path",
    "printable",
    "resource",
    "shipped",
    "shipped_names",
    "shown",
]

#: Largest blueprint file, in bytes.
MAX_FILE_BYTES = 256 * 1024

#: How the keys of shipped files start.
SHIPPED = "shipped:"

_PACKAGE = "dicomwright.blueprints"
_SUFFIX = ".toml"


@dataclass(frozen=True, slots=True)
class Source:
    """The text of one blueprint file.

    Attributes
    ----------
    name : str
        What messages call it, the part before the line number: a path, or ``dicomwright/blueprints/NAME.toml``.
    key : str
        The same for two ways to one file.
    text : str
        Its content.
    folder : Path, optional
        Where relative paths in it start; None for files of bundles and shipped ones.
    bundle : Bundle, optional
        The bundle that it is part of.
    path : str
        Its path in the bundle.

    """

    name: str
    key: str
    text: str
    folder: Path | None = None
    bundle: Bundle | None = None
    path: str = ""


def is_path(text: str) -> bool:
    """Tell a path from the name of a shipped blueprint: it has a slash or ends in ``.toml``.

    Examples
    --------
    >>> is_path("mr-image"), is_path("./mr-image"), is_path("site.toml")
    (False, True, True)

    """
    return "/" in text or os.sep in text or text.endswith(_SUFFIX)


def find(name_or_path: str | os.PathLike[str], bundles: BundleSet) -> Source:
    """Return the blueprint file that is meant.

    Raises
    ------
    BlueprintError
        There is none, or it cannot be read as text.

    """
    if isinstance(name_or_path, str):
        if is_id(name_or_path):
            return by_id(name_or_path, bundles, Path())
        return from_path(Path(name_or_path)) if is_path(name_or_path) else shipped(name_or_path)
    try:
        return from_path(Path(name_or_path))
    except TypeError:
        raise BlueprintError(
            f"a blueprint is named by a text or a path, not by a {type(name_or_path).__name__}",
            hint="give a name such as 'mr-image', or the path of a TOML file",
            kind="unknown-blueprint",
        ) from None


def by_id(text: str, bundles: BundleSet, folder: Path | None) -> Source:
    """Return a blueprint of a bundle; where there is no such bundle, a file of that path may be meant.

    Parameters
    ----------
    text : str
        ``BUNDLE/NAME``.
    bundles : BundleSet
        Where the bundle is looked up.
    folder : Path, optional
        Where a path would start; None where files have other names.

    Raises
    ------
    BlueprintError
        There is neither.

    """
    bundle_name, _, name = text.partition("/")
    if folder is not None and bundle_name not in bundles and (folder / text).is_file():
        return from_path(folder / text)
    try:
        bundle = bundles.bundle(bundle_name)
    except BlueprintError as error:
        hint = error.problems[0].hint
        hint = f"{hint}; a path starts with ./ or ends in {_SUFFIX}" if folder is not None else hint
        raise BlueprintError(error.problems[0].message, hint=hint, kind=error.problems[0].kind) from None
    path = bundle.manifest.blueprints.get(name)
    if path is None:
        close = get_close_matches(name, bundle.manifest.blueprints, 1)
        raise BlueprintError(
            f"bundle {shown(bundle_name)} has no blueprint {shown(name)}",
            hint=(f"did you mean {bundle_name}/{close[0]}? " if close else "")
            + f"It has {', '.join(bundle.manifest.blueprints)}",
            kind="unknown-blueprint",
        )
    return in_bundle(bundle, path)


def in_bundle(bundle: Bundle, path: str) -> Source:
    """Return a blueprint file of a bundle.

    Raises
    ------
    BlueprintError
        It is not there, not a regular file, too large, not UTF-8, or outside.

    """
    name = f"{bundle.store.label}/{within(path)}"
    text = decoded(bundle.read(path, MAX_FILE_BYTES), name)
    return Source(name, f"bundle:{bundle.name}/{within(path)}", text, bundle=bundle, path=within(path))


@lru_cache(maxsize=1)
def shipped_names() -> tuple[str, ...]:
    """Return the names of the shipped blueprints, sorted."""
    names = (entry.name for entry in files(_PACKAGE).iterdir())
    return tuple(sorted(name.removesuffix(_SUFFIX) for name in names if name.endswith(_SUFFIX)))


def shipped(name: str) -> Source:
    """Return a shipped blueprint file.

    Raises
    ------
    BlueprintError
        There is none of that name.

    """
    if name not in shipped_names():
        raise BlueprintError(
            f"there is no shipped blueprint {shown(name)}",
            hint=_instead(name),
            kind="unknown-blueprint",
        )
    text = files(_PACKAGE).joinpath(name + _SUFFIX).read_text(encoding="utf-8")
    return Source(f"dicomwright/blueprints/{name}{_SUFFIX}", f"{SHIPPED}{name}", text)


def from_path(path: Path) -> Source:
    """Return a blueprint file of the user.

    Raises
    ------
    BlueprintError
        It is not there, not a regular file, too large, or not UTF-8.

    """
    name = printable(str(path))
    try:
        data = read_regular(path, name, MAX_FILE_BYTES, "a blueprint file")
    except FileNotFoundError:
        raise BlueprintError(
            f"{name} does not exist", hint=_neighbour(path) or _as_id(path), kind="unknown-blueprint"
        ) from None
    except (OSError, ValueError) as error:
        raise BlueprintError(f"{name} cannot be read: {reason_of(error)}", kind="unreadable") from None
    return Source(name, str(path.resolve()), decoded(data, name), path.parent)


def resource(source: Source, path: object) -> bytes:
    """Return the bytes of a data file beside a blueprint file, never of one outside its folder or bundle.

    Raises
    ------
    BlueprintError
        There is none, it is larger than 1 MiB, not a regular file, or outside.

    """
    name = within(path)
    if source.folder is not None:
        return FolderStore(source.folder, printable(str(source.folder))).read(name, MAX_DATA_BYTES)
    if source.bundle is not None:
        return _of_bundle(source.bundle, name, posixpath.dirname(source.path))
    file = files(_PACKAGE).joinpath(name)
    if not file.is_file() or name.endswith(".py"):
        raise BlueprintError(f"dicomwright/blueprints has no file {shown(name)}", kind="missing-file")
    return file.read_bytes()


def _of_bundle(bundle: Bundle, name: str, folder: str) -> bytes:
    """Return a data file of a bundle: by its path from the blueprint's folder, else from the top of the bundle."""
    if folder:
        try:
            return bundle.read(f"{folder}/{name}", MAX_DATA_BYTES)
        except BlueprintError as error:
            if error.problems[0].kind != "missing-file":
                raise
    return bundle.read(name, MAX_DATA_BYTES)


def _instead(name: str) -> str:
    """Say what to write instead of an unknown name."""
    if os.path.isfile(printable(name)):  # noqa: PTH113  # of names that are too long, too
        return f"write ./{name} to name the file in this folder"
    close = get_close_matches(name.lower(), shipped_names(), 1)
    suggestion = f"did you mean {close[0]}? " if close else ""
    return f"{suggestion}Shipped are {', '.join(shipped_names())}; a path has a slash or ends in {_SUFFIX}"


def _as_id(path: Path) -> str:
    """Say how the id of a blueprint in a bundle looks, where one may have been meant."""
    identifier = str(path).removesuffix(_SUFFIX).lower()
    if not is_id(identifier):
        return ""
    return f"the id of a blueprint in a bundle is in small letters without {_SUFFIX}, as {identifier}"


def _neighbour(path: Path) -> str:
    """Say which file in the same folder may have been meant."""
    try:
        names = [entry.name for entry in path.parent.iterdir() if entry.suffix == _SUFFIX]
    except (OSError, ValueError):
        return ""
    close = get_close_matches(path.name, names, 1)
    return f"did you mean {printable(str(path.parent / close[0]))}?" if close else ""
