"""Where data files are: a folder, a zip that is never unpacked, or the core itself. Nothing outside is ever read."""

from __future__ import annotations

import errno
import os
import re
import stat
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Protocol

from dicomwright._dataclass import dataclass
from dicomwright.errors import BlueprintError

__all__ = [
    "MAX_BUNDLE_BYTES",
    "MAX_DATA_BYTES",
    "FolderStore",
    "Store",
    "printable",
    "read_regular",
    "reason_of",
    "replace_text",
    "shown",
    "within",
]

#: Largest data file beside a blueprint, in bytes.
MAX_DATA_BYTES = 1024 * 1024
#: Most bytes that the files of a bundle have together.
MAX_BUNDLE_BYTES = 64 * 1024 * 1024
#: Most files of a bundle.
MAX_FILES = 2000
#: What makes a lock; it stands beside bundles, and is never part of one.
LOCK_FILE = "dicomwright.lock"

_SHORT = 80
_LONGEST_PATH = 512
_LONGEST_NAME = 64
_NAME = re.compile(r"[a-z0-9]+(?:[-_][a-z0-9]+)*")
_NOT_EVERYWHERE = '\\:*?"<>|'


class Store(Protocol):
    """A set of files with relative names."""

    @property
    def label(self) -> str:
        """What messages call it."""

    def read(self, path: str, most: int) -> bytes:
        """Return the bytes of a file, at most so many.

        Raises
        ------
        BlueprintError
            There is none, it is not regular, too large, or outside.

        """

    def names(self) -> list[str]:
        """Return the names of all files, sorted."""


def printable(text: str) -> str:
    """Return a text with what would disturb a terminal or a log escaped."""
    return text if text.isprintable() else ascii(text)[1:-1]


def shown(text: object) -> str:
    """Return a value of a file as messages quote it: on one line, not too long."""
    quoted = ascii(text) if not isinstance(text, str) or not text.isprintable() else f'"{text}"'
    return quoted if len(quoted) <= _SHORT else f"{quoted[:_SHORT]}..."


def is_name(text: object) -> bool:
    """Tell whether a text may be the name of a bundle, or of a blueprint in one.

    Examples
    --------
    >>> is_name("st-elsewhere"), is_name("../x"), is_name("CT")
    (True, False, False)

    """
    return isinstance(text, str) and len(text) <= _LONGEST_NAME and bool(_NAME.fullmatch(text))


def is_id(text: str) -> bool:
    """Tell whether a text has the form of the id of a blueprint in a bundle.

    Examples
    --------
    >>> is_id("st-elsewhere/ct"), is_id("./st-elsewhere/ct"), is_id("st-elsewhere/ct.toml"), is_id("ct-image")
    (True, False, False, False)

    """
    bundle, slash, name = text.partition("/")
    return bool(slash) and is_name(bundle) and is_name(name)


def within(path: object, label: str = "") -> str:
    """Return a relative path in its plain spelling; messages begin with the label.

    Examples
    --------
    >>> within("./tables/units.csv")
    'tables/units.csv'

    Raises
    ------
    BlueprintError
        It is no path, or it leads elsewhere.

    """
    name = f"{label}: {shown(path)}" if label else shown(path)
    if not isinstance(path, str) or not path or len(path) > _LONGEST_PATH:
        raise BlueprintError(f"{name} is not the path of a file", kind="bad-path")
    parts = PurePosixPath(path).parts
    if not path.isprintable() or any(character in path for character in _NOT_EVERYWHERE):
        raise BlueprintError(
            f"{name} has characters that not every system allows in a path",
            hint="use letters, digits, and / between folders",
            kind="bad-path",
        )
    if path.startswith("/") or ".." in parts or not parts:
        raise BlueprintError(
            f"{name} leads out of the folder",
            hint="name a file below it, such as tables/units.csv",
            kind="bad-path",
        )
    return "/".join(parts)


@dataclass(frozen=True)
class FolderStore:
    """The files of a folder. A link is followed only as long as it stays inside.

    Attributes
    ----------
    root : Path
        The folder.
    label : str
        What messages call it.

    """

    root: Path
    label: str

    def read(self, path: str, most: int) -> bytes:
        """Return the bytes of a file. See `Store`."""
        name = within(path)
        try:
            return read_regular(self.real(name), f"{self.label}/{name}", most)
        except FileNotFoundError:
            message = f"{self.label} has no file {shown(name)}"
            if os.path.lexists(self.root / name):
                message = f"{self.label}/{name} is a link to a file that does not exist"
            raise BlueprintError(message, hint="check its name", kind="missing-file") from None
        except (OSError, ValueError) as error:
            raise BlueprintError(
                f"{self.label}/{name} cannot be read: {reason_of(error)}", kind="unreadable"
            ) from None

    def real(self, name: str) -> Path:
        """Return where a file really is."""
        root = self.root.resolve()
        real = Path(os.path.realpath(root / name, strict=True))  # Path.resolve raises no OSError for circles
        if not real.is_relative_to(root):
            raise BlueprintError(
                f"{self.label}/{name} is a link that leads out of the folder",
                hint="put the file itself there",
                kind="bad-path",
            )
        return real

    def names(self) -> list[str]:
        """Return the names of all files. See `Store`."""
        found: list[str] = []
        for number, (folder, folders, files) in enumerate(os.walk(self.root, onerror=self._stop)):
            folders[:] = sorted(name for name in folders if belongs(name))
            here = Path(folder).relative_to(self.root)
            linked = [name for name in folders if Path(folder, name).is_symlink()]
            if linked:
                raise BlueprintError(
                    f"{self.label}/{printable((here / linked[0]).as_posix())} is a link to a folder",
                    hint="put the folder itself there",
                    kind="bad-path",
                )
            found += [(here / name).as_posix() for name in files if belongs(name)]
            if max(number, len(found)) > MAX_FILES:
                raise too_many(self.label)
        return sorted(within(name, self.label) for name in found)

    def _stop(self, error: OSError) -> None:
        """Refuse a folder that cannot be listed."""
        raise BlueprintError(f"{self.label} cannot be read: {reason_of(error)}", kind="unreadable")


def belongs(name: str) -> bool:
    """Tell whether a file or folder of this name is part of a bundle: hidden and compiled ones and locks are not."""
    return not name.startswith(".") and name not in ("__pycache__", LOCK_FILE) and not name.endswith(".pyc")


def too_many(label: str) -> BlueprintError:
    """Return the error for a bundle of too many files."""
    return BlueprintError(
        f"{label} has more than the {MAX_FILES} files that a bundle may have", kind="too-large"
    )


def reason_of(error: Exception) -> str:
    """Return why the system refuses a file."""
    if isinstance(error, OSError) and error.errno == errno.ELOOP:
        return "its links go in a circle"
    return (isinstance(error, OSError) and error.strerror) or str(error)


def read_regular(path: Path, name: str, most: int, what: str = "it") -> bytes:
    """Return the bytes of a regular file of bounded size; a FIFO is never waited for.

    Raises
    ------
    BlueprintError
        It is something else, or too large.
    OSError
        The system refuses.

    """
    flags = (
        os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
    )
    descriptor = os.open(path, flags)
    try:
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):
            kind = "a folder" if stat.S_ISDIR(mode) else "not a regular file"
            raise BlueprintError(f"{name} is {kind}", hint="name a file", kind="unreadable")
        with open(descriptor, "rb", closefd=False) as stream:
            data = stream.read(most + 1)
    finally:
        os.close(descriptor)
    if len(data) > most:
        raise BlueprintError(
            f"{name} is larger than the {most // 1024} kB that {what} may have",
            hint="split it",
            kind="too-large",
        )
    return data


def replace_text(path: Path, text: str) -> None:
    """Write a file, all or nothing; where a link stands, to where it leads.

    Raises
    ------
    OSError
        The system refuses.

    """
    target = Path(os.path.realpath(path))
    draft = target.parent / f".{os.getpid()}.dicomwright"
    try:
        draft.write_text(text, encoding="utf-8")
        draft.replace(target)
    except OSError:
        with suppress(OSError):  # below a file there is nothing to take away
            draft.unlink()
        raise
