"""The file beside a raw volume that says what its bytes are: ``x.raw.toml`` or ``x.raw.json``."""

from __future__ import annotations

import json
import tomllib
from typing import TYPE_CHECKING, Any, Final, NoReturn

from dicomwright.reading import refusal, shown
from dicomwright_raw.files import read_text

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["MOST_BYTES", "find_sidecar", "load_sidecar"]

MOST_BYTES: Final = 64 * 1024
_LONGEST_LINE: Final = 8 * 1024  # tomllib takes quadratic time for long dotted keys
_KINDS: Final = (".toml", ".json")


def find_sidecar(path: Path) -> Path | None:
    """Return the sidecar of a data file, None if it has none.

    Raises
    ------
    SourceError
        It has one of either kind.

    """
    found = [each for kind in _KINDS if (each := path.with_name(path.name + kind)).exists()]
    if len(found) > 1:
        message = f"it has two sidecars, {found[0].name} and {found[1].name}"
        raise refusal(path, message, "remove one of them", "sidecar")
    return found[0] if found else None


def load_sidecar(path: Path) -> dict[str, Any]:
    """Return what a sidecar says, as plain data.

    Raises
    ------
    SourceError
        It is too large, is not valid TOML or JSON, or is not a table.

    """
    text = read_text(path, MOST_BYTES)
    if any(len(line) > _LONGEST_LINE for line in text.splitlines()):
        message = f"one of its lines is longer than {_LONGEST_LINE:,} characters"
        raise refusal(path, message, "write a shorter sidecar", "sidecar")
    try:
        data = tomllib.loads(text) if path.suffix == ".toml" else _json(text)
    except (ValueError, RecursionError) as error:
        kind = path.suffix[1:].upper()
        message = f"it is not valid {kind}: {shown(error)}"
        raise refusal(path, message, "correct it there", "sidecar") from error
    if not isinstance(data, dict):
        message = f"it holds a {type(data).__name__}, not names with values"
        raise refusal(path, message, 'start with { "dtype": ... }', "sidecar")
    return data


def _json(text: str) -> Any:
    """Return the value of JSON text, which has no name twice and no NaN."""
    return json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"{shown(name)!r} is there twice")
        found[name] = value
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number of JSON")
