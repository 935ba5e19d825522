"""Read the text of blueprint files: shipped ones by name, others by path, all within limits."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

from dicomwright.errors import BlueprintError

__all__ = [
    "MAX_FILE_BYTES",
    "MAX_LINE_CHARACTERS",
    "Source",
    "find",
    "from_path",
    "is_path",
    "shipped",
    "shipped_names",
]

#: Largest blueprint file, in bytes.
MAX_FILE_BYTES = 256 * 1024
#: Longest line of a blueprint file, in characters.
MAX_LINE_CHARACTERS = 8 * 1024

_PACKAGE = "dicomwright.blueprints"
_SUFFIX = ".toml"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_SHORT = 80


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
        data = _bytes(path, name)
    except FileNotFoundError:
        raise BlueprintError(
            f"{name} does not exist", hint=_neighbour(path), kind="unknown-blueprint"
        ) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise BlueprintError(f"{name} cannot be read: {reason}", kind="unreadable") from None
    return Source(name, str(path.resolve()), _decoded(data, name), path.parent)


def printable(text: str) -> str:
    """Return a text with what would disturb a terminal or a log escaped."""
    return text if text.isprintable() else ascii(text)[1:-1]


def shown(text: object) -> str:
    """Return a value of a file as messages quote it: on one line, not too long."""
    quoted = ascii(text) if not isinstance(text, str) or not text.isprintable() else f'"{text}"'
    return quoted if len(quoted) <= _SHORT else f"{quoted[:_SHORT]}..."


def _bytes(path: Path, name: str) -> bytes:
    """Read a regular file of bounded size; a FIFO is never waited for."""
    flags = (
        os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
    )
    descriptor = os.open(path, flags)
    try:
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):
            what = "a folder" if stat.S_ISDIR(mode) else "not a regular file"
            raise BlueprintError(f"{name} is {what}", hint="name a TOML file", kind="unreadable")
        with open(descriptor, "rb", closefd=False) as stream:
            data = stream.read(MAX_FILE_BYTES + 1)
    finally:
        os.close(descriptor)
    if len(data) > MAX_FILE_BYTES:
        raise BlueprintError(
            f"{name} is larger than the {MAX_FILE_BYTES // 1024} kB that a blueprint file may have",
            hint="split it, and name the parts in extends",
            kind="too-large",
        )
    return data


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
