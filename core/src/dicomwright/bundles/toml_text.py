"""From bytes to TOML: text in UTF-8 within limits, and errors that name the line."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Any

from dicomwright.bundles.toml_lines import Key, key_lines
from dicomwright.errors import BlueprintError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["MAX_LINE_CHARACTERS", "decoded", "read_toml"]

#: Longest line of a file, in characters.
MAX_LINE_CHARACTERS = 8 * 1024
#: Most tables and lists inside each other; the work on deeper ones grows with the square.
MAX_DEPTH = 64

_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_LINE = re.compile(r"\(at line (\d+), column (\d+)\)")
_END = "(at end of document)"
_PART = r"""(?:[\w-]++|"(?:[^"\\\n]|\\.)*+"|'[^'\n]*+')[ \t]*+"""
_LONG_KEY = re.compile(rf"(?:^|[\[{{,])[ \t]*+(?:{_PART}\.[ \t]*+){{{MAX_DEPTH}}}", re.ASCII | re.MULTILINE)
_BITS = 14_000  # Python refuses to quote larger numbers


def read_toml(text: str, name: str) -> tuple[dict[str, Any], Mapping[Key, int]]:
    """Return a TOML text as data, and the line of each key.

    Raises
    ------
    BlueprintError
        It is not TOML; the error names the line.

    """
    long = _LONG_KEY.search(text)
    if long:
        raise _too_deep(f"{name}:{text.count(chr(10), 0, long.end()) + 1}")
    try:
        data = tomllib.loads(text)
    except RecursionError:
        raise _too_deep(name) from None
    except ValueError as error:  # TOMLDecodeError, and integers of thousands of digits
        raise _syntax_error(text, name, str(error)) from None
    _check_values(data, name)
    return data, key_lines(text)


def _too_deep(loc: str) -> BlueprintError:
    return BlueprintError("the values are nested too deeply", loc=loc, kind="toml-syntax")


def _check_values(data: dict[str, Any], name: str) -> None:
    """Refuse values that others could not even quote: too deep, or numbers without end."""
    level: list[Any] = [data]
    for _ in range(MAX_DEPTH):
        inside = [part for one in level for part in (one.values() if isinstance(one, dict) else one)]
        if any(isinstance(part, int) and part.bit_length() > _BITS for part in inside):
            raise BlueprintError(
                "a whole number has thousands of digits", hint="shorten it", loc=name, kind="toml-syntax"
            )
        level = [part for part in inside if isinstance(part, dict | list)]
        if not level:
            return
    raise _too_deep(name)


def _syntax_error(text: str, name: str, message: str) -> BlueprintError:
    """Return the error for what is no TOML, with its line."""
    match = _LINE.search(message)
    loc = name
    if match:
        line, column = match.groups()
        message, loc = f"{message[: match.start()].strip()}, column {column}", f"{name}:{line}"
    elif message.endswith(_END):
        last = text.rstrip().count("\n") + 1
        message, loc = f"{message.removesuffix(_END).strip()}, at the end of the file", f"{name}:{last}"
    return BlueprintError(f"not valid TOML: {message}", loc=loc, kind="toml-syntax")


def decoded(data: bytes, name: str) -> str:
    """Return the text, without a byte order mark.

    Raises
    ------
    BlueprintError
        It is not UTF-8, or has a line that is too long.

    """
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
