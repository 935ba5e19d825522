r"""What readers of every format need: files opened safely, and refusals of one line.

Examples
--------
>>> with regular_file("scan.raw", "name one volume") as file:
...     data = file.read()
Traceback (most recent call last):
dicomwright.errors.SourceError: scan.raw: cannot be read: No such file or directory; check the path and its permissions

"""

from __future__ import annotations

import io
import os
import stat
from typing import TYPE_CHECKING, Final

from dicomwright.errors import SourceError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["byte_count", "refusal", "regular_file", "shown", "unreadable"]

_LONGEST: Final = 120  # characters of a foreign text in a message
_LONGEST_MESSAGE: Final = 1000
_STEP: Final = 1024
_UNITS: Final = ("KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
_FLAGS: Final = ("O_NONBLOCK", "O_NOCTTY", "O_BINARY", "O_CLOEXEC")


def regular_file(path: str | Path, hint: str = "name one file") -> io.FileIO:
    """Open a regular file without ever waiting for it: a pipe or a device is refused instead of read.

    Examples
    --------
    >>> regular_file("/dev/null")
    Traceback (most recent call last):
    dicomwright.errors.SourceError: /dev/null: is not a regular file; name one file

    Parameters
    ----------
    path : path
        The file.
    hint : str
        What to do instead, if it is a folder or no regular file.

    Raises
    ------
    SourceError
        The file is missing, unreadable or not a regular file.

    """
    flags = os.O_RDONLY
    for name in _FLAGS:
        flags |= getattr(os, name, 0)
    try:
        descriptor = os.open(path, flags)
    except (OSError, ValueError) as error:
        raise unreadable(path, error) from error
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        what = "a folder" if stat.S_ISDIR(mode) else "not a regular file"
        raise refusal(path, f"is {what}", hint, "unreadable")
    return io.FileIO(descriptor, "rb")


def refusal(where: object, message: str, hint: str = "", kind: str = "") -> SourceError:
    """Return the error that names the file, what is wrong with it and what to do.

    Examples
    --------
    >>> str(refusal("brain.nii", "the file is empty", "copy it again"))
    'brain.nii: the file is empty; copy it again'

    """
    message, hint, loc = (shown(text, _LONGEST_MESSAGE) for text in (message, hint, where))
    return SourceError(message, hint=hint, loc=loc, kind=kind)


def unreadable(where: object, error: Exception) -> SourceError:
    """Return the error for a file that the operating system does not give."""
    reason = getattr(error, "strerror", None) or str(error)
    return refusal(where, f"cannot be read: {reason}", "check the path and its permissions", "unreadable")


def shown(text: object, longest: int = _LONGEST) -> str:
    r"""Return text as one printable line that is not too long.

    Examples
    --------
    >>> shown("a\nb.raw"), shown("abcdef", 3)
    ('a\\nb.raw', 'abc...')

    """
    full = str(text)
    line = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in full[:longest])
    return line if len(full) <= longest else f"{line}..."


def byte_count(count: int) -> str:
    """Return a number of bytes as people read it.

    Examples
    --------
    >>> byte_count(352), byte_count(2**31)
    ('352 bytes', '2.0 GiB')

    """
    if count < _STEP:
        return f"{count} bytes"
    power = min((count.bit_length() - 1) // 10, len(_UNITS))
    return f"{count / _STEP**power:.1f} {_UNITS[power - 1]}"
