"""Read the options of senders, and name all that is wrong at once."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import TYPE_CHECKING

from dicomwright.errors import DeliveryError, Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["SLOWEST", "Options", "is_host"]

#: Bytes a second that a network is expected to carry at least; an answer is waited for accordingly.
SLOWEST = 100_000
_MOST_SECONDS = 86_400.0
_LONGEST_SECRET = 64 * 1024


def is_host(text: str) -> bool:
    """Tell whether a text may be the name or number of a host; Python raises no OSError of one that cannot.

    Examples
    --------
    >>> is_host("pacs.example"), is_host("::1"), is_host("pacs..example"), is_host("a" * 64)
    (True, True, False, False)

    """
    try:
        return bool(text.encode("idna"))
    except UnicodeError:
        return False


class Options:
    """The options of one call; problems are kept until `check`."""

    def __init__(self, given: Mapping[str, str]) -> None:
        self._given = given
        self.problems: list[Problem] = []

    def check(self) -> None:
        """Raise `DeliveryError` with everything that is wrong."""
        if self.problems:
            raise DeliveryError.collect(self.problems)

    def complain(self, message: str, hint: str = "") -> None:
        """Keep a problem."""
        self.problems.append(Problem(message, hint, kind="option"))

    def text(self, name: str) -> str:
        """Return an option as it is; empty without it."""
        return self._given.get(name, "")

    def yes(self, name: str) -> bool:
        """Return an option that is yes or no."""
        value = self.text(name).lower()
        if value not in {"yes", "no", ""}:
            self.complain(f"option {name} is {value!r}", "write yes or no")
        return value == "yes"

    def number(self, name: str, most: float = _MOST_SECONDS) -> float:
        """Return a positive number."""
        text = self.text(name)
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not 0 < value <= most:
            self.complain(f"option {name} is {text!r}", f"write a number above 0, at most {most:g}")
            return 1.0
        return value

    def file(self, name: str) -> str | None:
        """Return the path of a file that can be read; None without it."""
        text = self.text(name)
        if text and not (Path(text).is_file() and os.access(text, os.R_OK)):
            self.complain(f"option {name}: {text} is no file that can be read")
        return text or None

    def secret(self, name: str) -> str | None:
        """Return what ``NAME-file`` or ``NAME-env`` holds; None without them. It is in no message."""
        path, variable = self.text(f"{name}-file"), self.text(f"{name}-env")
        if path and variable:
            self.complain(f"options {name}-file and {name}-env are both given", "give one of them")
            return None
        value: str | None = None
        if variable:
            value = os.environ.get(variable)
            if not value:
                self.complain(f"option {name}-env: the environment variable {variable} is not set")
        elif path:
            value = self._content(name, path)
        return self._one_line(name, value)

    def _content(self, name: str, path: str) -> str | None:
        try:
            with Path(path).open(encoding="utf-8") as file:
                return file.read(_LONGEST_SECRET).rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
            self.complain(f"option {name}-file: {path} cannot be read ({reason})")
            return None

    def _one_line(self, name: str, value: str | None) -> str | None:
        if value is not None and not value.isprintable():
            self.complain(f"the {name} has control characters or several lines")
        return value
