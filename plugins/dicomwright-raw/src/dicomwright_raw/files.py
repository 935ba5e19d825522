"""Files: opened only if they are regular, mapped instead of read, never outside the folder of their header."""

from __future__ import annotations

import io
import os
from pathlib import Path, PureWindowsPath
from typing import TYPE_CHECKING, Any

import numpy as np

from dicomwright.reading import refusal, regular_file, unreadable
from dicomwright_raw.refusals import COPY_AGAIN, byte_count

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["beside", "check_size", "mapped", "open_regular", "read_text", "size_of"]


def open_regular(path: Path) -> io.BufferedReader:
    """Open a regular file without ever waiting for it: a pipe or a device is refused instead of read.

    Raises
    ------
    SourceError
        The file is missing, unreadable or not a regular file.

    """
    return io.BufferedReader(regular_file(path))


def size_of(file: io.BufferedReader) -> int:
    """Return the number of bytes of an open file."""
    return os.fstat(file.fileno()).st_size


def read_text(path: Path, most: int) -> str:
    """Return the text of a small UTF-8 file.

    Raises
    ------
    SourceError
        It cannot be read, is larger than `most` bytes, or is not UTF-8.

    """
    with open_regular(path) as file:
        try:
            data = file.read(most + 1)
        except OSError as error:
            raise unreadable(path, error) from error
    if len(data) > most:
        message = f"it is larger than the {byte_count(most)} that such a file may have"
        raise refusal(path, message, "name the right file", "too-large")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise refusal(path, f"it is not UTF-8 text: {error}", "save it as UTF-8", "text") from error


def mapped(file: io.BufferedReader, path: Path, offset: int, count: int) -> NDArray[np.uint8]:
    """Return a read-only map of bytes of a file, without reading them."""
    try:
        return np.memmap(file, np.uint8, "r", offset, (count,))
    except (OSError, ValueError, OverflowError) as error:
        raise unreadable(path, error) from error


def check_size(path: Path, found: int, needed: int, parts: str, extra: str = "") -> None:
    """Refuse a file that does not have exactly the bytes that were declared.

    Raises
    ------
    SourceError
        With both numbers of bytes.

    """
    if found == needed:
        return
    what, hint = (
        ("is cut off", COPY_AGAIN)
        if found < needed
        else ("holds more than was declared", extra or "correct the declaration")
    )
    message = f"the file {what}: it has {byte_count(found)}, but {parts} are {byte_count(needed)}"
    raise refusal(path, message, hint, "size")


def beside(header: Path, name: str) -> Path:
    """Return the file that a header names, which must lie in the header's folder or below it.

    Raises
    ------
    SourceError
        It lies elsewhere, directly or through a link, or is not there.

    """
    hint = "copy it beside the header and name it without a path"
    outside = refusal(header, f"it names the data file {name!r} outside the header's folder", hint, "outside")
    if not name or "\0" in name or PureWindowsPath(name).drive or Path(name).is_absolute():
        raise outside
    path = header.parent / name
    try:
        real, folder = path.resolve(), header.parent.resolve()
    except (OSError, RuntimeError, ValueError) as error:
        raise unreadable(header, error) from error
    if not real.is_relative_to(folder):
        raise outside
    if not real.exists():
        raise refusal(header, f"its data file {name!r} is missing", "put it beside the header", "unreadable")
    return path


def shaped(data: NDArray[np.uint8], dtype: np.dtype[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """Return bytes as an array in C order; nothing is copied."""
    return data.view(dtype).reshape(shape)
