"""The element types of blueprint files that the core provides; each is an `ElementMaker`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from dicomwright.blueprint.copying import CopyElement, CopyOrElseElement, InstanceCopyElement
from dicomwright.blueprint.elements import (
    DiscardElement,
    FunctionalElement,
    IndexElement,
    KeyedIndexElement,
    SequenceElement,
    SeriesElement,
    StaticElement,
)
from dicomwright.blueprint.resolution import OMIT
from dicomwright.blueprint.tags import describe
from dicomwright.bundles.carried import CarriedElement
from dicomwright.bundles.context import takes
from dicomwright.bundles.sources import shown

if TYPE_CHECKING:
    from dicomwright.blueprint.elements import VirtualElement
    from dicomwright.blueprint.tags import AnyTag
    from dicomwright.bundles.carried import WhenUnusable, WhenVarying
    from dicomwright.bundles.context import RuleContext

__all__ = [
    "copy",
    "copy_instance",
    "copy_or_else",
    "discard",
    "index",
    "instance",
    "keyed_index",
    "sequence",
    "series",
    "static",
]

_VARYING = "when-varying"
_UNUSABLE = "when-unusable"
_AMONG = "among"


@takes("vr")
def static(tag: AnyTag, data: Any, context: RuleContext) -> VirtualElement:
    """Make ``{ static = value }``: the value as it stands in the file."""
    if data is None:
        raise context.problem("static needs a value", hint='write { static = "..." }')
    return StaticElement(tag, context.vr_of(tag), context.value(tag, data))


@takes("vr")
def series(tag: AnyTag, data: Any, context: RuleContext) -> VirtualElement:
    """Make ``{ series = "function" }``: what a named function gives, once a series."""
    return SeriesElement(tag, context.vr_of(tag), context.function(data, "series"))


@takes("vr")
def instance(tag: AnyTag, data: Any, context: RuleContext) -> VirtualElement:
    """Make ``{ instance = "function" }``: what a named function gives, for each instance."""
    return FunctionalElement(tag, context.vr_of(tag), context.function(data, "instance"))


@takes(_VARYING, _AMONG)
def copy(tag: AnyTag, data: Any, context: RuleContext) -> VirtualElement:
    """Make ``"copy"``, ``{ copy = "optional" }`` or ``{ copy = "usable" }``.

    An optional one may be missing in the parent; a usable one is left out, too, where the parent's value is empty
    or not one that the tag may have. With ``when-varying = "omit"`` these are left out where the parent's instances
    differ, with ``"paired"`` they are then copied from the paired instance, with ``"largest"`` the largest text is.
    """
    choice = _one_of(
        context, "copy", "required" if data is None else data, ("required", "optional", "usable")
    )
    varying = _option(context, _VARYING, ("error", "omit", "largest", "paired"))
    among = _among(context)
    if choice == "required" and varying != "error":
        raise context.problem(
            f"a required copy has no {_VARYING}",
            hint='write { copy = "optional", ... } or { copy-or-else = ... }',
        )
    if choice == "required" or (choice == "optional" and varying == "error" and not among):
        return CopyElement(tag, optional=choice == "optional")
    return CarriedElement(
        tag,
        None,
        OMIT,
        when_varying="else" if varying == "omit" else cast("WhenVarying", varying),
        when_unusable="else" if choice == "usable" else "error",
        among=among,
    )


@takes("vr", _VARYING, _UNUSABLE, _AMONG)
def copy_or_else(tag: AnyTag, data: Any, context: RuleContext) -> VirtualElement:
    """Make ``{ copy-or-else = value }`` or ``{ copy-or-else = { another rule } }``.

    With ``when-varying = "else"`` the other value is taken, too, where the parent's instances differ, with
    ``"paired"`` it is then copied from the paired instance, with ``"largest"`` the largest text is. With
    ``when-unusable = "else"`` the other value is taken, too, where the parent's is empty or not one that the tag
    may have. ``among = ["M", "F"]`` lists the values that the tag may have.
    """
    if data is None:
        raise context.problem("copy-or-else needs the other value", hint='write { copy-or-else = "..." }')
    vr = context.vr_of(tag)
    default = context.rule(tag, data, "copy-or-else") if isinstance(data, dict) else context.value(tag, data)
    varying = _option(context, _VARYING, ("error", "else", "largest", "paired"))
    unusable = _option(context, _UNUSABLE, ("error", "else"))
    among = _among(context)
    if varying == unusable == "error" and not among:
        return CopyOrElseElement(tag, vr, default)
    return CarriedElement(
        tag,
        vr,
        default,
        when_varying=cast("WhenVarying", varying),
        when_unusable=cast("WhenUnusable", unusable),
        among=among,
    )


@takes("vr")
def copy_instance(tag: AnyTag, data: Any, context: RuleContext) -> VirtualElement:
    """Make ``"copy-instance"``: the value of the paired parent instance."""
    _nothing(context, "copy-instance", data)
    return InstanceCopyElement(tag, context.vr)


@takes()
def discard(tag: AnyTag, data: Any, context: RuleContext) -> VirtualElement:
    """Make ``"discard"``: never in the output."""
    _nothing(context, "discard", data)
    return DiscardElement(tag)


@takes("vr")
def index(tag: AnyTag, data: Any, context: RuleContext) -> VirtualElement:
    """Make ``{ index = [value, ...] }``: one value for each instance."""
    if not isinstance(data, list) or not data:
        raise context.problem("index needs a list of values", hint="write { index = [0, 40, 80] }")
    return IndexElement(tag, context.vr_of(tag), [context.value(tag, value) for value in data])


@takes("vr")
def keyed_index(tag: AnyTag, data: Any, context: RuleContext) -> VirtualElement:
    """Make ``{ keyed-index = "key" }``: one value for each instance, from what is given to the build."""
    if not isinstance(data, str) or not data:
        raise context.problem("keyed-index needs a key", hint='write { keyed-index = "trigger_times" }')
    return KeyedIndexElement(tag, context.vr_of(tag), data)


@takes()
def sequence(tag: AnyTag, data: Any, context: RuleContext) -> VirtualElement:
    """Make ``{ sequence = [ { Keyword = rule, ... }, ... ] }``: one table of rules for each item."""
    if not isinstance(data, list) or not all(isinstance(item, dict) for item in data):
        raise context.problem(
            f"{describe(tag)} needs a list of tables, one for each item",
            hint='write { sequence = [ { CodeValue = { static = "..." } } ] }',
        )
    return SequenceElement(tag, [context.items(item, "sequence", number) for number, item in enumerate(data)])


def _nothing(context: RuleContext, name: str, data: Any) -> None:
    """Refuse data behind a name that stands alone."""
    if data not in (None, True):
        raise context.problem(f"{name} takes nothing, not {shown(data)}", hint=f'write "{name}"')


def _one_of(context: RuleContext, name: str, data: Any, choices: tuple[str, ...]) -> str:
    """Return one of a few words."""
    if isinstance(data, str) and data in choices:
        return data
    listed = " or ".join(f'"{choice}"' for choice in choices)
    raise context.problem(f"{name} is {shown(data)}", hint=f"it is {listed}")


def _option(context: RuleContext, name: str, choices: tuple[str, ...]) -> str:
    """Return one of the other keys of a rule, the first choice without it."""
    return _one_of(context, name, context.options.get(name, choices[0]), choices)


def _among(context: RuleContext) -> tuple[str, ...]:
    """Return the values that the parent's may have; empty for any."""
    values = context.options.get(_AMONG, [])
    if isinstance(values, list) and all(isinstance(value, str) for value in values):
        return tuple(values)
    raise context.problem(
        f"{_AMONG} is {shown(values)}, not a list of texts", hint='such as among = ["YES", "NO"]'
    )
