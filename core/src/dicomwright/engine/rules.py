"""Layers of blueprints, merged into one rule a tag; the stronger layer wins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dicomwright._dataclass import dataclass
from dicomwright.blueprint.elements import StaticElement
from dicomwright.blueprint.tags import sort_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pydicom import DataElement

    from dicomwright.blueprint.blueprint import Blueprint
    from dicomwright.blueprint.elements import VirtualElement
    from dicomwright.blueprint.tags import AnyTag

__all__ = ["FilledElement", "Layer", "Rule", "merge", "owned"]


@dataclass(frozen=True, slots=True)
class Layer:
    """A blueprint with the name of who gave it, such as ``blueprint`` or ``encoder image``."""

    name: str
    blueprint: Blueprint


@dataclass(frozen=True, slots=True)
class Rule:
    """The element that makes a tag, the layer that it comes from, and the weaker ones that it overrode."""

    tag: AnyTag
    element: VirtualElement
    layer: str
    overrode: tuple[Rule, ...] = ()


class FilledElement(StaticElement):
    """A value that the filling strategy copied from the parent series."""

    def __init__(self, element: DataElement) -> None:
        super().__init__(element.tag, None, element)  # type: ignore[arg-type]  # the element carries its VR

    def rule(self) -> str:
        """Return the rule in a few words."""
        return "filled from the parent"


def merge(layers: Iterable[Layer]) -> list[Rule]:
    """Return one rule for each tag that any layer names, in tag order.

    Parameters
    ----------
    layers : iterable of Layer
        From the weakest to the strongest.

    """
    rules: dict[AnyTag, Rule] = {}
    for layer in layers:
        for element in layer.blueprint:
            weaker = rules.get(element.tag)
            overrode: tuple[Rule, ...] = ()
            if weaker is not None:
                found = (Rule(weaker.tag, weaker.element, weaker.layer), *weaker.overrode)
                overrode = tuple(rule for rule in found if not _same(rule.element, element))
            if layer.blueprint.replaced(element.tag):
                overrode = (*_replaced(layer, element.tag, overrode), *overrode)
            rules[element.tag] = Rule(element.tag, element, layer.name, overrode)
    return sorted(rules.values(), key=lambda rule: sort_key(rule.tag))


def owned(name: str, blueprint: Blueprint) -> Layer:
    """Return a layer whose elements name it as their origin."""
    _sign(blueprint, name)
    return Layer(name, blueprint)


def _sign(blueprint: Blueprint, name: str) -> None:
    """Set the origin of elements, and of those in their items."""
    for element in blueprint:
        element.origin = name
        for item in getattr(element, "blueprints", ()):
            _sign(item, name)


def _same(one: VirtualElement, other: VirtualElement) -> bool:
    """Tell whether two elements are one rule, which came in by two ways."""
    return bool(one.origin) and one.origin == other.origin and one.rule() == other.rule()


def _replaced(layer: Layer, tag: AnyTag, weaker: tuple[Rule, ...]) -> Iterator[Rule]:
    """Yield what blueprints of one layer replaced in each other, unless a weaker layer has the same."""
    known = {(rule.element.origin, rule.element.rule()) for rule in weaker}
    for element in layer.blueprint.replaced(tag):
        if (element.origin, element.rule()) not in known:
            yield Rule(tag, element, layer.name)
