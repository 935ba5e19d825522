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
from dicomwright.bundles.carried import CarriedElement

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
_UNUSABLE = "when-unusable"
_AMONG = "among"


def static(tag: AnyTag, data: Any, context: RuleContext) -> VirtualElement:
    """Make ``{ static = value }``: the value as it stands in the file."""
    return StaticElement(tag, context.vr_of(tag), context.value(tag, data))


def series(tag: AnyTag, data: Any, context: RuleContext) -> VirtualElement:
    """Make ``{ series = "function" }``: what a named function gives, once a series."""
    return SeriesElement(tag, context.vr_of(tag), context.function(data, "series"))


def instance(tag: AnyTag, data: Any, context: RuleContext) -> VirtualElement:
    """Make ``{ instance = "function" }``: what a named function gives, for each instance."""
    return FunctionalElement(tag, context.vr_of(tag), context.function(data, "instance"))


def copy(tag: AnyTag, data: Any, context: RuleContext) -> VirtualElement:
    """Make ``"copy"``, ``{ copy = "optional" }`` or ``{ copy = "usable" }``.

    An optional one may be missing in the parent; a usable one is left out, too, where the parent's value is empty
    or not one that the tag may have. With ``when-varying = "omit"`` these are left out where the parent's instances
    differ, with ``"paired"`` they are then copied from the paired instance, with ``"largest"`` the largest text is.
    """
    choice = data if isinstance(data, str) else "required"
    varying = context.options.get(_VARYING, "error")
    among = tuple(context.options.get(_AMONG, ()))
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
        when_varying="else" if varying == "omit" else varying,
        when_unusable="else" if choice == "usable" else "error",
        among=among,
    )


def copy_or_else(tag: AnyTag, data: Any, context: RuleContext) -> VirtualElement:
    """Make ``{ copy-or-else = value }`` or ``{ copy-or-else = { another rule } }``.

    With ``when-varying = "else"`` the other value is taken, too, where the parent's instances differ, with
    ``"paired"`` it is then copied from the paired instance, with ``"largest"`` the largest text is. With
    ``when-unusable = "else"`` the other value is taken, too, where the parent's is empty or not one that the tag
    may have. ``among = ["M", "F"]`` lists the values that the tag may have.
    """
    vr = context.vr_of(tag)
    default = context.rule(tag, data, "copy-or-else") if isinstance(data, dict) else context.value(tag, data)
    varying = context.options.get(_VARYING, "error")
    unusable = context.options.get(_UNUSABLE, "error")
    among = tuple(context.options.get(_AMONG, ()))
    if varying == unusable == "error" and not among:
        return CopyOrElseElement(tag, vr, default)
    return CarriedElement(
        tag,
        vr,
        default,
        when_varying=varying,
        when_unusable=unusable,
        among=among,
    )


def copy_instance(tag: AnyTag, data: Any, context: RuleContext) -> VirtualElement:  # noqa: ARG001  # as all makers
    """Make ``"copy-instance"``: the value of the paired parent instance."""
    return InstanceCopyElement(tag, context.vr)


def discard(tag: AnyTag, data: Any, context: RuleContext) -> VirtualElement:  # noqa: ARG001  # as all makers
    """Make ``"discard"``: never in the output."""
    return DiscardElement(tag)


def index(tag: AnyTag, data: Any, context: RuleContext) -> VirtualElement:
    """Make ``{ index = [value, ...] }``: one value for each instance."""
    return IndexElement(tag, context.vr_of(tag), [context.value(tag, value) for value in data])


def keyed_index(tag: AnyTag, data: Any, context: RuleContext) -> VirtualElement:
    """Make ``{ keyed-index = "key" }``: one value for each instance, from what is given to the build."""
    return KeyedIndexElement(tag, context.vr_of(tag), data)


def sequence(tag: AnyTag, data: Any, context: RuleContext) -> VirtualElement:
    """Make ``{ sequence = [ { Keyword = rule, ... }, ... ] }``: one table of rules for each item."""
    return SequenceElement(tag, [context.items(item, "sequence", number) for number, item in enumerate(data)])
