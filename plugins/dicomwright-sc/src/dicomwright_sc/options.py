"""Options of the reader of pictures."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from dicomwright.errors import SourceError
from dicomwright.plugins.options import complete_options
from dicomwright.reading import shown
from dicomwright_sc.plugin import PICTURE

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ReadOptions"]

_COLOURS: Final = {"white": (255, 255, 255), "black": (0, 0, 0), "grey": (128, 128, 128)}
_HEX: Final = re.compile(r"#?([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})", re.IGNORECASE | re.ASCII)
_COUNT: Final = re.compile(r"[1-9][0-9]{0,11}", re.ASCII)
#: Pillow itself opens nothing larger.
_MOST_PIXELS: Final = 178_956_970


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How a picture is read.

    Examples
    --------
    >>> ReadOptions.parse({"background": "#ff8000"}).background
    (255, 128, 0)

    Attributes
    ----------
    background : tuple of int
        Red, green and blue behind transparent pixels.
    max_pixels : int
        Most pixels that a page may have.
    max_pages : int
        Most pages that a file may have.

    """

    background: tuple[int, int, int] = (255, 255, 255)
    max_pixels: int = 50_000_000
    max_pages: int = 1000

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
        given = complete_options(PICTURE, options)
        return cls(
            _colour(given.get("background") or "white"),
            min(_count("max_pixels", given.get("max_pixels") or "50000000"), _MOST_PIXELS),
            _count("max_pages", given.get("max_pages") or "1000"),
        )


def _colour(text: str) -> tuple[int, int, int]:
    """Return a colour by name or as #rrggbb."""
    match = _HEX.fullmatch(text.strip())
    if match is not None:
        red, green, blue = (int(part, 16) for part in match.groups())
        return red, green, blue
    try:
        return _COLOURS[text.strip().lower()]
    except KeyError:
        message = f"option background of the reader of pictures cannot be {shown(text)!r}"
        hint = f"write {', '.join(_COLOURS)} or a colour such as #ff8000"
        raise SourceError(message, hint=hint, kind="option") from None


def _count(name: str, text: str) -> int:
    """Return a whole number above 0."""
    if _COUNT.fullmatch(str(text).strip()) is None:
        message = f"option {name} of the reader of pictures cannot be {shown(text)!r}"
        raise SourceError(message, hint="write a whole number above 0", kind="option")
    return int(str(text).strip())
