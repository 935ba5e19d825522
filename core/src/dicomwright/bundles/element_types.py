"""The element types of blueprint files that the core provides; each is an `ElementMaker`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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
from dicomwright.bundles.context import takes
from dicomwright.bundles.sources import shown
from dicomwright.bundles.varying import CopyWhereSameElement

if TYPE_CHECKING:
    from dicomwright.blueprint.elements import VirtualElement
    from dicomwright.blueprint.tags import AnyTag
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


@takes(_VARYING)
def copy(tag: AnyTag, data: Any, context: RuleContext) -> VirtualElement:
    """Make ``"copy"`` or ``{ copy = "optional" }``.

    With ``when-varying = "omit"`` an optional one is left out where the parent's instances differ, with
    ``when-varying = "paired"`` it is then copied from the paired instance.
    """
    choice = _one_of(context, "copy", "required" if data is None else data, ("required", "optional"))
    varying = _when_varying(context, ("error", "omit", "paired"))
    if varying == "error":
        return CopyElement(tag, optional=choice == "optional")
    if choice != "optional":
        raise context.problem(
            f"a required copy has no {_VARYING}",
            hint='write { copy = "optional", ... } or { copy-or-else = ... }',
        )
    return CopyWhereSameElement(tag, None, OMIT, paired=varying == "paired")


@takes("vr", _VARYING)
def copy_or_else(tag: AnyTag, data: Any, context: RuleContext) -> VirtualElement:
    """Make ``{ copy-or-else = value }`` or ``{ copy-or-else = { another rule } }``.

    With ``when-varying = "else"`` the other value is taken, too, where the parent's instances differ, with
    ``when-varying = "paired"`` it is then copied from the paired instance.
    """
    if data is None:
        raise context.problem("copy-or-else needs the other value", hint='write { copy-or-else = "..." }')
    vr = context.vr_of(tag)
    default = context.rule(tag, data, "copy-or-else") if isinstance(data, dict) else context.value(tag, data)
    varying = _when_varying(context, ("error", "else", "paired"))
    if varying == "error":
        return CopyOrElseElement(tag, vr, default)
    return CopyWhereSameElement(tag, vr, default, paired=varying == "paired")


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


def _when_varying(context: RuleContext, choices: tuple[str, ...]) -> str:
    """Return what is to be done where the parent's instances differ."""
    return _one_of(context, _VARYING, context.options.get(_VARYING, "error"), choices)
