"""Read the text of blueprint files: shipped ones by name, others by path, all within limits."""

from __future__ import annotations

import os
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

from dicomwright.bundles.stores import (
    MAX_DATA_BYTES,
    FolderStore,
    printable,
    read_regular,
    reason_of,
    shown,
    within,
)
from dicomwright.errors import BlueprintError

__all__ = [
    "MAX_FILE_BYTES",
    "MAX_LINE_CHARACTERS",
    "Source",
    "find",
    "from_path",
    "is_path",
    "printable",
    "resource",
    "shipped",
    "shipped_names",
    "shown",
]

#: Largest blueprint file, in bytes.
MAX_FILE_BYTES = 256 * 1024
#: Longest line of a blueprint file, in characters.
MAX_LINE_CHARACTERS = 8 * 1024

_PACKAGE = "dicomwright.blueprints"
_SUFFIX = ".toml"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


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
        Where relative paths in it start; None for shipped files, which name only shipped ones.

    """

    name: str
    key: str
    text: str
    folder: Path | None = None


def is_path(text: str) -> bool:
    """Tell a path from the name of a shipped blueprint: it has a slash or ends in ``.toml``.

    Examples
    --------
    >>> is_path("mr-image"), is_path("./mr-image"), is_path("site.toml")
    (False, True, True)

    """
    return "/" in text or os.sep in text or text.endswith(_SUFFIX)


def find(name_or_path: str | os.PathLike[str]) -> Source:
    """Return the blueprint file that is meant.

    Raises
    ------
    BlueprintError
        There is none, or it cannot be read as text.

    """
    if isinstance(name_or_path, str):
        return from_path(Path(name_or_path)) if is_path(name_or_path) else shipped(name_or_path)
    try:
        return from_path(Path(name_or_path))
    except TypeError:
        raise BlueprintError(
            f"a blueprint is named by a text or a path, not by a {type(name_or_path).__name__}",
            hint="give a name such as 'mr-image', or the path of a TOML file",
            kind="unknown-blueprint",
        ) from None


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
    return Source(f"dicomwright/blueprints/{name}{_SUFFIX}", f"shipped:{name}", text)


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
            f"{name} does not exist", hint=_neighbour(path), kind="unknown-blueprint"
        ) from None
    except (OSError, ValueError) as error:
        raise BlueprintError(f"{name} cannot be read: {reason_of(error)}", kind="unreadable") from None
    return Source(name, str(path.resolve()), _decoded(data, name), path.parent)


def resource(source: Source, path: object) -> bytes:
    """Return the bytes of a data file beside a blueprint file, never of one outside its folder.

    Raises
    ------
    BlueprintError
        There is none, it is larger than 1 MiB, not a regular file, or outside.

    """
    if source.folder is not None:
        name = printable(str(source.folder))
        return FolderStore(source.folder, name).read(within(path), MAX_DATA_BYTES)
    name = within(path)
    file = files(_PACKAGE).joinpath(name)
    if not file.is_file() or name.endswith(".py"):
        raise BlueprintError(f"dicomwright/blueprints has no file {shown(name)}", kind="missing-file")
    return file.read_bytes()


def _decoded(data: bytes, name: str) -> str:
    """Return the text, without a byte order mark."""
    if data.startswith(_UTF16_MARKS):
        raise BlueprintError(f"{name} is UTF-16", hint="save it as UTF-8", kind="not-utf-8")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise BlueprintError(
            f"byte 0x{data[error.start]:02X} is not UTF-8, the encoding of TOML",
            hint="save the file as UTF-8",
            loc=f"{name}:{line}",
            kind="not-utf-8",
        ) from None
    for line, content in enumerate(text.split("\n"), 1):
        if len(content) > MAX_LINE_CHARACTERS:
            raise BlueprintError(
                f"the line has {len(content)} characters, more than the {MAX_LINE_CHARACTERS} that are read",
                hint="break it",
                loc=f"{name}:{line}",
                kind="too-large",
            )
    return text


def _instead(name: str) -> str:
    """Say what to write instead of an unknown name."""
    if Path(printable(name)).is_file():
        return f"write ./{name} to name the file in this folder"
    close = get_close_matches(name.lower(), shipped_names(), 1)
    suggestion = f"did you mean {close[0]}? " if close else ""
    return f"{suggestion}Shipped are {', '.join(shipped_names())}; a path has a slash or ends in {_SUFFIX}"


def _neighbour(path: Path) -> str:
    """Say which file in the same folder may have been meant."""
    try:
        names = [entry.name for entry in path.parent.iterdir() if entry.suffix == _SUFFIX]
    except (OSError, ValueError):
        return ""
    close = get_close_matches(path.name, names, 1)
    return f"did you mean {printable(str(path.parent / close[0]))}?" if close else ""
