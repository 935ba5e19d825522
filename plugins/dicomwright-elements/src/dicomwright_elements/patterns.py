"""Patterns from files: RE2, which takes linear time whatever the pattern, within limits."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import re2  # type: ignore[import-untyped]  # it ships no types

__all__ = ["MAX_PATTERN", "MAX_TEXT", "Pattern", "Step"]

#: Longest pattern and replacement, in characters.
MAX_PATTERN = 500
#: Longest text that is searched or made, in characters.
MAX_TEXT = 64 * 1024
_MEMORY = 4 << 20
_PART = re.compile(r"\\(?:([0-9])|g<([A-Za-z_]\w*|[0-9]+)>|(\\))|([^\\]+)|(\\)")


@dataclass(frozen=True)
class Pattern:
    """A compiled pattern.

    Attributes
    ----------
    text : str
        As it was written.
    compiled : object
        RE2's.

    """

    text: str
    compiled: Any = field(repr=False, compare=False)

    @classmethod
    def of(cls, text: str) -> Pattern:
        """Return the pattern of a text.

        Raises
        ------
        ValueError
            It is none, or too long, or larger than the engine allows.

        """
        if len(text) > MAX_PATTERN:
            msg = f"the pattern has {len(text)} characters, more than {MAX_PATTERN}"
            raise ValueError(msg)
        options = re2.Options()
        options.log_errors = False
        options.max_mem = _MEMORY
        try:
            return cls(text, re2.compile(text, options))
        except re2.error as error:
            reason = error.args[0] if error.args else "it is not legal"
            shown = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
            msg = f"not a pattern of RE2, which has no look-around and no back-references: {shown}"
            raise ValueError(msg) from None

    def found_in(self, text: str) -> bool:
        """Tell whether the pattern is found in a text; what is too long is not searched."""
        return len(text) <= MAX_TEXT and self.compiled.search(text) is not None


@dataclass(frozen=True)
class Step:
    r"""A pattern, and what takes its place wherever it is found.

    Examples
    --------
    >>> Step.of("([A-Z]+)-([0-9]+)", r"\2_\1").applied("CT-17")
    ('17_CT', 1)

    """

    pattern: Pattern
    replacement: str
    parts: tuple[str | int, ...]

    @classmethod
    def of(cls, pattern: str, replacement: str) -> Step:
        """Return the step of two texts.

        Raises
        ------
        ValueError
            One of them is wrong.

        """
        compiled = Pattern.of(pattern)
        if len(replacement) > MAX_PATTERN:
            msg = f"the replacement has {len(replacement)} characters, more than {MAX_PATTERN}"
            raise ValueError(msg)
        return cls(compiled, replacement, tuple(_parts(compiled.compiled, replacement)))

    def applied(self, text: str) -> tuple[str, int]:
        """Return the text with all that was found replaced, and how often that was.

        Raises
        ------
        ValueError
            The text is too long, or becomes so.

        """
        _check_length(text)
        result, count = self.pattern.compiled.subn(self._of_match, text)
        _check_length(result)
        return result, count

    def _of_match(self, match: Any) -> str:
        return "".join(part if isinstance(part, str) else match.group(part) or "" for part in self.parts)


def _check_length(text: str) -> None:
    if len(text) > MAX_TEXT:
        msg = f"the text has more than {MAX_TEXT} characters"
        raise ValueError(msg)


def _parts(compiled: Any, replacement: str) -> list[str | int]:
    """Return a replacement as texts and numbers of groups."""
    parts: list[str | int] = []
    for found in _PART.finditer(replacement):
        digit, name, backslash, text, stray = found.groups()
        if stray:
            msg = r"a backslash in the replacement stands before a digit, g<name> or another backslash"
            raise ValueError(msg)
        parts.append(text or (backslash and "\\") or _group(compiled, digit or name))
    return parts


def _group(compiled: Any, name: str) -> int:
    """Return the number of a group that the pattern has."""
    number = int(name) if name.isdigit() else compiled.groupindex.get(name)
    if number is None or number > compiled.groups:
        msg = f"the pattern has no group {name}"
        raise ValueError(msg)
    return int(number)
