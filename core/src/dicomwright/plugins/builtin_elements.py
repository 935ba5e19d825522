"""The element types of the core, with what their rules may hold."""

from __future__ import annotations

from dicomwright.plugins.descriptors import ElementTypeSpec
from dicomwright.plugins.statements import RuleOption, RuleValue

__all__ = ["ELEMENT_TYPES"]


def _spec(
    name: str,
    summary: str,
    value: RuleValue,
    *options: RuleOption,
    takes_vr: bool = True,
    vrs: tuple[str, ...] = (),
) -> ElementTypeSpec:
    return ElementTypeSpec(
        name=name,
        summary=summary,
        target=f"dicomwright.bundles.element_types:{name.replace('-', '_')}",
        value=value,
        options=options,
        vr=takes_vr,
        vrs=vrs,
    )


def _varying(otherwise: str) -> RuleOption:
    """Return the option that says what becomes of a value that differs."""
    return RuleOption(
        name="when-varying",
        summary="what to do where the parent's instances differ",
        choices=("error", otherwise, "largest", "paired"),
    )


_AMONG = RuleOption(name="among", summary="a list of the values that the parent's may have", kinds=("texts",))
_UNUSABLE = RuleOption(
    name="when-unusable",
    summary="what to do where the parent's value is empty or not one that the tag may have",
    choices=("error", "else"),
)
_STATIC = RuleValue(summary="a value", kinds=("value",), example='{ static = "..." }')
_SERIES = RuleValue(
    summary="the name of a function", kinds=("series-function",), example='{ series = "uid" }'
)
_INSTANCE = RuleValue(
    summary="the name of a function", kinds=("instance-function",), example='{ instance = "uid" }'
)
_COPY = RuleValue(
    summary="one of its words, or nothing",
    kinds=("nothing", "text"),
    choices=("required", "optional", "usable"),
    example='{ copy = "optional" }',
)
_OR_ELSE = RuleValue(
    summary="the other value or rule", kinds=("value", "rule"), example='{ copy-or-else = "..." }'
)
_COPY_INSTANCE = RuleValue(summary="nothing", kinds=("nothing",), example='"copy-instance"')
_DISCARD = RuleValue(summary="nothing", kinds=("nothing",), example='"discard"')
_SEQUENCE = RuleValue(
    summary="a list of tables, one for each item",
    kinds=("items",),
    example='{ sequence = [ { CodeValue = { static = "..." } } ] }',
)
_INDEX = RuleValue(
    summary="a list of values, one for each instance", kinds=("values",), example="{ index = [0, 40, 80] }"
)
_KEYED = RuleValue(
    summary="a key of what is given to the build",
    kinds=("text",),
    example='{ keyed-index = "trigger_times" }',
)
_REPLACE = RuleOption(
    name="replace",
    summary="true takes the place of the weaker blueprint's sequence; without it they go item by item",
    kinds=("boolean",),
)
_APPEND = RuleValue(
    summary="a list of values or of tables of rules",
    kinds=("value", "items"),
    example='{ append = ["ORIGINAL"] }',
)
_REMOVE = RuleValue(
    summary="a list of values, or of tables of values that items have",
    kinds=("value", "tables"),
    example='{ remove = ["ORIGINAL"] }',
)
_PARAMETER = RuleValue(
    summary="the name of a parameter", kinds=("text",), example='{ parameter = "study_label" }'
)

ELEMENT_TYPES = (
    _spec("static", "a value written in the blueprint", _STATIC),
    _spec("series", "what a named function gives, once a build", _SERIES),
    _spec("copy", "the parent's value, the same in all its instances", _COPY, _varying("omit"), _AMONG),
    _spec(
        "copy-or-else",
        "the parent's value, else another value or rule",
        _OR_ELSE,
        _varying("else"),
        _UNUSABLE,
        _AMONG,
    ),
    _spec("copy-instance", "the value of the parent instance paired with the slice", _COPY_INSTANCE),
    _spec("instance", "what a named function gives, once an instance", _INSTANCE),
    _spec("discard", "never in the output", _DISCARD, takes_vr=False),
    _spec(
        "sequence",
        "a sequence, one table of rules for each item",
        _SEQUENCE,
        _REPLACE,
        takes_vr=False,
        vrs=("SQ",),
    ),
    _spec("append", "the values or items of what the file extends, and more behind them", _APPEND),
    _spec("remove", "the values or items of what the file extends, without some", _REMOVE),
    _spec("parameter", "what is given to the build by name", _PARAMETER),
    _spec("index", "the i-th of a list of values, for the i-th instance", _INDEX),
    _spec("keyed-index", "the i-th of a list of values that is given to the build by name", _KEYED),
)
