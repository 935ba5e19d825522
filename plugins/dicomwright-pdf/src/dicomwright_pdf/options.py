"""Options of the reader."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from dicomwright.errors import SourceError
from dicomwright.plugins.options import complete_options
from dicomwright.reading import shown
from dicomwright_pdf.plugin import PDF

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["RENDERING", "ReadOptions"]

#: Options that only say how pages are rendered.
RENDERING: Final = ("dpi", "colour", "pages")
_PAYLOADS: Final = ("Document", "Frames")
_COLOURS: Final = ("rgb", "grey")
_UNITS: Final = {"": 1, "kib": 1024, "mib": 1024**2, "gib": 1024**3}
_SIZE: Final = re.compile(r"([0-9]{1,18})\s*(|[KMG]iB)", re.IGNORECASE | re.ASCII)
_COUNT: Final = re.compile(r"[0-9]{1,12}", re.ASCII)
_NUMBER: Final = re.compile(r"[0-9]{1,6}(\.[0-9]{1,6})?", re.ASCII)
_RANGE: Final = re.compile(r"([0-9]{1,9})(?:\s*-\s*([0-9]{1,9}))?", re.ASCII)
_DPI: Final = (10.0, 2400.0)
_LARGEST: Final = 2**32 - 2  # bytes of one DICOM element


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How a document is read.

    Examples
    --------
    >>> chosen = ReadOptions.parse({"dpi": "96", "pages": "2-3,7", "max_bytes": "1GiB"})
    >>> chosen.dpi, chosen.pages, chosen.max_bytes
    (96.0, ((2, 3), (7, 7)), 1073741824)

    Attributes
    ----------
    payload : str
        ``Document`` or ``Frames``.
    password : str
        Of an encrypted document; empty for none.
    dpi : float
        Pixels per inch of a rendered page.
    colour : str
        ``rgb`` or ``grey``.
    pages : tuple of (int, int)
        First and last page of each range, from 1; empty for all.
    max_pages : int
        Most pages of a document.
    max_pixels : int
        Most pixels of a rendered page.
    max_bytes : int
        Most bytes of the file.
    max_seconds : float
        Most seconds of processor time for a page.

    """

    payload: str = "Document"
    password: str = ""
    dpi: float = 150.0
    colour: str = "rgb"
    pages: tuple[tuple[int, int], ...] = ()
    max_pages: int = 1000
    max_pixels: int = 50_000_000
    max_bytes: int = 100 * 1024**2
    max_seconds: float = 2.5

    @classmethod
    def parse(cls, options: Mapping[str, str]) -> ReadOptions:
        """Return the options that texts stand for.

        Raises
        ------
        PluginError
            There is no such option.
        SourceError
            A value is not allowed.

        """
        given = complete_options(PDF, options)
        texts = {
            name: str(value) if name == "password" else str(value).strip() for name, value in given.items()
        }
        parsed = {name: _PARSERS[name](name, text) for name, text in texts.items()}
        return cls(**parsed)  # type: ignore[arg-type]  # each parser gives the type of its field


def _refused(name: str, text: str, hint: str) -> SourceError:
    return SourceError(f"option {name} of the PDF reader cannot be {shown(text)!r}", hint=hint, kind="option")


def _payload(name: str, text: str) -> str:
    """Return the first payload of those that an encoder takes which a document can be."""
    wanted = [word.strip() for word in text.split(",")]
    for word in wanted:
        if word in _PAYLOADS:
            return word
    raise _refused(name, text, "a PDF can be a Document, or Frames: the pages as images")


def _colour(name: str, text: str) -> str:
    if text not in _COLOURS:
        raise _refused(name, text, f"it is {' or '.join(_COLOURS)}")
    return text


def _password(_name: str, text: str) -> str:
    return text


def _dpi(name: str, text: str) -> float:
    low, high = _DPI
    if not _NUMBER.fullmatch(text) or not low <= float(text) <= high:
        raise _refused(name, text, f"write a number from {low:g} to {high:g}, such as 150")
    return float(text)


def _seconds(name: str, text: str) -> float:
    if not _NUMBER.fullmatch(text) or float(text) <= 0:
        raise _refused(name, text, "write a number of seconds above 0")
    return float(text)


def _count(name: str, text: str) -> int:
    if not _COUNT.fullmatch(text) or int(text) == 0:
        raise _refused(name, text, "write a whole number above 0")
    return int(text)


def _bytes(name: str, text: str) -> int:
    match = _SIZE.fullmatch(text)
    count = int(match[1]) * _UNITS[match[2].lower()] if match else 0
    if not 0 < count <= _LARGEST:
        raise _refused(name, text, "write a number of bytes below 4GiB, for example 512MiB")
    return count


def _ranges(name: str, text: str) -> tuple[tuple[int, int], ...]:
    """Return ranges such as ``1-3,7``."""
    found = []
    for part in text.split(",") if text else ():
        match = _RANGE.fullmatch(part.strip())
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
        if not 1 <= first <= last:
            raise _refused(name, text, "write page numbers and ranges from 1 upwards, such as 1-3,7")
        found.append((first, last))
    return tuple(found)


_PARSERS: Final = {
    "payload": _payload,
    "password": _password,
    "dpi": _dpi,
    "colour": _colour,
    "pages": _ranges,
    "max_pages": _count,
    "max_pixels": _count,
    "max_bytes": _bytes,
    "max_seconds": _seconds,
}
