"""The text of a draft."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dicomwright.learn.proof import Difference
    from dicomwright.learn.traits import Trait

__all__ = ["draft"]

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_LINE = 110


def draft(summary: str, base: str, traits: Iterable[Trait], differences: Iterable[Difference] = ()) -> str:
    """Return a blueprint file with a comment for each choice, and what is known to differ at its end."""
    lines = [
        "schema  = 1",
        f"summary = {_text(summary)}",
        f"extends = [{_text(base)}]",
        "",
        "# A draft. Each tag of the example is here: with a rule, or as a comment where none is needed.",
        "",
        "[elements]",
        *(_line(trait) for trait in traits),
    ]
    known = [f"#   {one.name} {one.what}: {_comment(one.why)}" for one in differences if one.told]
    if known:
        lines += ["", "# Built from the example's own pixels these tags differ from it:", *known]
    return "\n".join(lines) + "\n"


def _line(trait: Trait) -> str:
    """Return the line of one tag."""
    told = f"{trait.kind}: {_comment(trait.note)}"
    if trait.rule is None:
        return f"# {trait.name}: {told}"
    rule = f"{_key(trait.name)} = {_rule(trait.rule)}"
    return f"{rule} # {told}" if len(rule) + len(told) < _LINE else f"# {told}\n{rule}"


def _rule(rule: str | Mapping[str, Any]) -> str:
    """Return a rule as TOML writes it."""
    if isinstance(rule, str):
        return _text(rule)
    return "{ " + ", ".join(f"{_key(key)} = {_value(value)}" for key, value in rule.items()) + " }"


def _value(value: Any) -> str:
    """Return a text, a number or a list of them as TOML writes it."""
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    if isinstance(value, str):
        return _text(value)
    return repr(value)


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _text(name)


def _text(text: str) -> str:
    """Return a basic string: the escapes of JSON are TOML's, except that TOML wants DEL escaped, too."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _comment(text: str) -> str:
    """Return a text that stays on its line."""
    return " ".join(text.split()) if text.isprintable() else ascii(" ".join(text.split()))[1:-1]
