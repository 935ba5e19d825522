"""The element types of blueprint files that the core provides; each is an `ElementMaker`."""

from __future__ import annotations

from dataclasses import replace
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
from dicomwright.blueprint.tags import to_tag
from dicomwright.blueprint.values import normalise
from dicomwright.blueprint.vr import expected_vrs
from dicomwright.bundles.carried import CarriedElement
from dicomwright.bundles.parameters import ParameterElement
from dicomwright.bundles.stores import shown
from dicomwright.errors import BlueprintError

if TYPE_CHECKING:
    from dicomwright.blueprint.blueprint import Blueprint
    from dicomwright.blueprint.elements import VirtualElement
    from dicomwright.blueprint.tags import AnyTag
    from dicomwright.bundles.context import RuleContext

__all__ = [
    "append",
    "copy",
    "copy_instance",
    "copy_or_else",
    "discard",
    "index",
    "instance",
    "keyed_index",
    "parameter",
    "remove",
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
    """Make ``{ sequence = [ { Keyword = rule, ... }, ... ] }``: one table of rules for each item.

    Over a sequence of rules of a weaker blueprint it goes item by item; with ``replace = true`` it takes its place.
    """
    base = None if context.options.get("replace") else context.base
    older = base.blueprints if isinstance(base, SequenceElement) else ()
    items = [
        context.items(item, "sequence", number, base=older[number] if number < len(older) else None)
        for number, item in enumerate(data)
    ]
    return SequenceElement(tag, [*items, *older[len(items) :]])


def append(tag: AnyTag, data: Any, context: RuleContext) -> VirtualElement:
    """Make ``{ append = [...] }``: the values or items of the weaker blueprint, and these behind them."""
    base = context.base
    if isinstance(base, SequenceElement):
        tables = _tables(context, data)
        items = [context.items(item, "append", number) for number, item in enumerate(tables)]
        return SequenceElement(tag, [*base.blueprints, *items])
    values = _values(_static(context, base, "append"))
    return _with_values(tag, [*values, *_values(data)], context, base)


def remove(tag: AnyTag, data: Any, context: RuleContext) -> VirtualElement:
    """Make ``{ remove = [...] }``: the values or items of the weaker blueprint without these.

    An item is named by a table of fixed values that it has, as ``{ CodeValue = "113076" }``.
    """
    base = context.base
    if isinstance(base, SequenceElement):
        left = list(base.blueprints)
        for table in _tables(context, data):
            matching = [item for item in left if _has(item, table)]
            if not matching:
                raise context.problem(f"no item has {shown(table)}, below in {base.origin}", kind="not-there")
            left = [item for item in left if all(item is not one for one in matching)]
        return SequenceElement(tag, left)
    old = _static(context, base, "remove")
    left = _values(old)
    for value in _values(data):
        wanted = str(normalise(tag, old.vr or context.vr_of(tag), value))
        if wanted not in map(str, left):
            raise context.problem(f"{shown(value)} is none of the values in {old.origin}", kind="not-there")
        left = [one for one in left if str(one) != wanted]
    return _with_values(tag, left, context, base)


def parameter(tag: AnyTag, data: Any, context: RuleContext) -> VirtualElement:
    """Make ``{ parameter = "name" }``: what is given to the build by this name."""
    known = context.parameter(data)
    declared = known[data]
    explicit = context.vr or (None if expected_vrs(tag) else declared.vr)
    vr = explicit or _choice(tag, declared.vr) or context.vr_of(tag)
    element = ParameterElement(tag, vr, data, known)
    if not declared.required:
        _, problems = declared.value(tag, vr, declared.default)
        if problems:
            raise BlueprintError.collect(
                replace(one, message=f"the default of parameter {data}: {one.message}", loc=context.loc)
                for one in problems
            )
    return element


def _choice(tag: AnyTag, vr: str) -> str:
    """Return the VR of a parameter where the dictionary leaves a choice that has it."""
    expected = expected_vrs(tag) or ()
    return vr if len(expected) > 1 and vr in expected else ""


def _static(context: RuleContext, base: VirtualElement | None, name: str) -> StaticElement:
    """Return the rule that a list of values is changed of."""
    if type(base) is StaticElement:
        return base
    if base is None:
        raise context.problem(
            f"{name} has nothing to change: no blueprint that this one extends has a rule for the tag",
            hint="write { static = [...] } or { sequence = [...] }",
        )
    raise context.problem(
        f"{name} changes fixed values and sequences of rules, and the rule in {base.origin} is: {base.rule()}"
    )


def _with_values(
    tag: AnyTag, values: list[Any], context: RuleContext, base: VirtualElement | None
) -> StaticElement:
    """Return a rule with other values."""
    vr = context.vr or (base.vr if base is not None else None) or context.vr_of(tag)
    value = replace(context, vr=vr).value(tag, values if len(values) != 1 else values[0])
    return StaticElement(tag, vr, value)


def _values(data: Any) -> list[Any]:
    """Return the values of a rule, or of data, as a list."""
    value = data.value if isinstance(data, StaticElement) else data
    if value is None or (isinstance(value, str) and not value):
        return []
    return list(value) if isinstance(value, list | tuple) else [value]


def _tables(context: RuleContext, data: Any) -> list[dict[str, Any]]:
    """Return the tables of a list."""
    if isinstance(data, list) and all(isinstance(item, dict) and item for item in data):
        return data
    raise context.problem(f"{shown(data)} is not a list of tables", hint="write [ { CodeValue = ... } ]")


def _has(item: Blueprint, table: dict[str, Any]) -> bool:
    """Tell whether an item has all the fixed values of a table."""
    for keyword, data in table.items():
        tag = to_tag(keyword)
        value = data["static"] if isinstance(data, dict) and set(data) == {"static"} else data
        if tag not in item:
            return False
        element = item[tag]
        if not isinstance(element, StaticElement):
            return False
        if str(normalise(tag, element.vr or "", value)) != str(element.value):
            return False
    return True
