"""What the text headers of NRRD and MetaImage have in common: lines up to a limit, numbers, data behind them."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from dicomwright.reading import refusal, shown, unreadable
from dicomwright_raw.files import beside, mapped, open_regular, size_of
from dicomwright_raw.refusals import COPY_AGAIN, byte_count
from dicomwright_raw.unpack import unpack

if TYPE_CHECKING:
    import io
    from collections.abc import Iterator
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

__all__ = ["FROM_THE_END", "MAX_HEADER", "Data", "data_file", "integers", "lines_of", "numbers"]

MAX_HEADER: Final = 1024**2
MAX_TRAILING: Final = 1024**2  # more than this behind the values: the header does not describe the file
FROM_THE_END: Final = -1
_WHOLE: Final = re.compile(r"-?[0-9]{1,18}", re.ASCII)
_LONGEST_LINE: Final = 64 * 1024


def lines_of(file: io.BufferedReader, path: Path) -> Iterator[str]:
    """Yield the lines of a header without their ends, as long as somebody asks, to the end of the file.

    Raises
    ------
    SourceError
        A line, or the header, is too long to be one.

    """
    total = 0
    while True:
        try:
            line = file.readline(_LONGEST_LINE)
        except OSError as error:
            raise unreadable(path, error) from error
        total += len(line)
        if total > MAX_HEADER or len(line) == _LONGEST_LINE:
            message = f"its header does not end within {byte_count(MAX_HEADER)}, or has a line without an end"
            raise refusal(path, message, COPY_AGAIN, "header")
        if not line:
            return
        yield line.decode("utf-8", "replace").rstrip("\r\n")


def numbers(text: str, count: int, field: str, path: Path) -> list[float]:
    """Return so many finite numbers of a field.

    Raises
    ------
    SourceError
        There are more or fewer, or one is not a finite number.

    """
    words = text.split()
    try:
        found = [float(word) for word in words]
    except ValueError:
        found = [math.nan]
    if len(words) != count or not all(map(math.isfinite, found)):
        message = f"its field {field!r} is {shown(text)!r}, not {count} finite number{'s' * (count > 1)}"
        raise refusal(path, message, "correct the header", "header")
    return found


def integers(text: str, count: int, field: str, path: Path, least: int = 1) -> list[int]:
    """Return so many whole numbers of a field.

    Raises
    ------
    SourceError
        There are more or fewer, or one is less than allowed.

    """
    words = text.split()
    whole = all(_WHOLE.fullmatch(word) for word in words)
    if len(words) != count or not whole or min(map(int, words)) < least:
        s = "s" * (count > 1)
        message = f"its field {field!r} is {shown(text)!r}, not {count} whole number{s} from {least}"
        raise refusal(path, message, "correct the header", "header")
    return [int(word) for word in words]


def data_file(header: Path, name: str) -> Path:
    """Return the one data file that a header names.

    Raises
    ------
    SourceError
        It names several, or one outside its folder.

    """
    if name.upper().startswith("LIST") or "%" in name:
        message = "its data is in several files, which is not supported"
        raise refusal(header, message, "save it as one file", "unsupported")
    return beside(header, name)


@dataclass(frozen=True, slots=True)
class Data:
    """Where the values are.

    Attributes
    ----------
    path : Path
        The file that holds them.
    start : int
        Where they, or the stream that holds them, begin; `FROM_THE_END`: they are the end of the file.
    method : str
        How they are compressed; empty if they are not.
    skip : int
        Bytes to leave out behind the start, once decompressed.
    line_skip : int
        Lines to leave out before that, as they stand in the file.

    """

    path: Path
    start: int
    method: str = ""
    skip: int = 0
    line_skip: int = 0

    def read(
        self, header: io.BufferedReader, path: Path, count: int, most: int
    ) -> tuple[NDArray[np.uint8], list[str]]:
        """Return the values as bytes, from the open file of the header or the one beside it, and what to tell the user.

        Raises
        ------
        SourceError
            The file holds fewer or many more bytes, or is damaged.

        """
        if self.path == path:
            return self._values(header, count, most)
        with open_regular(self.path) as other:
            return self._values(other, count, most)

    def _values(self, file: io.BufferedReader, count: int, most: int) -> tuple[NDArray[np.uint8], list[str]]:
        """Return the values as bytes, mapped or decompressed."""
        size = size_of(file)
        start = self._behind_lines(file)
        if self.method:
            file.seek(start)
            data = unpack(file, self.path, self.method, self.skip + count, size - start, most)
            return data[self.skip :], []
        start = size - count if self.skip == FROM_THE_END else start + self.skip
        spare = size - start - count
        if start < 0 or spare < 0 or spare > MAX_TRAILING:
            held = byte_count(max(0, size - max(start, 0)))
            message = (
                f"there are {held} for values, but the shape and type in its header are {byte_count(count)}"
            )
            hint = COPY_AGAIN if spare < 0 or start < 0 else "correct the header"
            raise refusal(self.path, message, hint, "size")
        notes = [f"the {byte_count(spare)} behind the values were ignored"] if spare else []
        return mapped(file, self.path, start, count), notes

    def _behind_lines(self, file: io.BufferedReader) -> int:
        """Return where the data starts, behind the lines to skip."""
        if not self.line_skip:
            return self.start
        file.seek(self.start)
        lines = lines_of(file, self.path)
        for _ in range(self.line_skip):
            if next(lines, None) is None:
                message = f"it ends within the {self.line_skip} lines to skip"
                raise refusal(self.path, message, "correct the header", "size")
        return file.tell()
