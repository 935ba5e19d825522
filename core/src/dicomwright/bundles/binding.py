"""Put the values of parameters into a blueprint, as a build with these values would find them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dicomwright.blueprint.blueprint import Blueprint, changed
from dicomwright.blueprint.elements import SequenceElement, StaticElement, VirtualElement
from dicomwright.blueprint.environment import SeriesEnvironment
from dicomwright.bundles.conditions import ConditionalElement
from dicomwright.bundles.parameters import LATER, ParameterElement
from dicomwright.errors import BlueprintError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dicomwright.bundles.parameters import Parameter
    from dicomwright.errors import Problem

__all__ = ["Binding", "BoundElement"]

_DEEPEST = 8


class BoundElement(StaticElement):
    """A parameter whose value is known."""

    def __init__(self, element: ParameterElement, value: Any) -> None:
        super().__init__(element.tag, element.vr or "", value)
        self.text = element.rule()

    def rule(self) -> str:
        """Return the rule in a few words."""
        return self.text


class Binding:
    """Exchanges parameters for their values.

    Parameters
    ----------
    given : mapping
        What is given to the build by name.

    Attributes
    ----------
    open : dict
        The parameters that are required and not given.
    problems : list of Problem
        What is wrong with values.

    """

    def __init__(self, given: Mapping[Any, Any]) -> None:
        self.given = given
        self.open: dict[str, Parameter] = {}
        self.problems: list[Problem] = []

    @property
    def kwargs(self) -> dict[Any, Any]:
        """What is given, and stand-ins for what will be."""
        return {**dict.fromkeys(self.open, LATER), **self.given}

    def bound(self, blueprint: Blueprint) -> Blueprint:
        """Return a blueprint with the values of its parameters."""
        exchanged = {
            element.tag: other for element in blueprint if (other := self._bound(element)) is not element
        }
        return changed(blueprint, exchanged) if exchanged else blueprint

    def _bound(self, element: VirtualElement) -> VirtualElement:
        """Return one element with the values of its parameters."""
        other = element
        if isinstance(element, ParameterElement):
            other = self._value(element)
        elif isinstance(element, ConditionalElement):
            inner = self._bound(element.element)
            other = element if inner is element.element else ConditionalElement(inner, element.condition)
        elif isinstance(element, SequenceElement):
            items = [self.bound(item) for item in element.blueprints]
            same = all(one is two for one, two in zip(items, element.blueprints, strict=True))
            other = element if same else SequenceElement(element.tag, items)
        else:
            self._note(vars(element).values(), _DEEPEST)
        if other is not element:
            other.origin = element.origin
            other.final = element.final
        return other

    def _note(self, parts: Iterable[Any], depth: int) -> None:
        """Note the parameters that rules inside a rule need, such as the other value of a copy."""
        for part in parts if depth else ():
            if isinstance(part, ParameterElement):
                self._value(part)
            elif isinstance(part, VirtualElement):
                self._note(vars(part).values(), depth - 1)
            elif isinstance(part, list | tuple | Blueprint):
                self._note(part, depth - 1)
            elif isinstance(part, dict):
                self._note(part.values(), depth - 1)

    def _value(self, element: ParameterElement) -> VirtualElement:
        """Return one parameter as its value, itself where it is not known."""
        if element.parameter.required and element.name not in self.given:
            self.open[element.name] = element.parameter
            return element
        try:
            value = element.resolve(SeriesEnvironment(kwargs=self.given))
        except BlueprintError as error:
            self.problems += error.problems
            return element
        return BoundElement(element, value)
