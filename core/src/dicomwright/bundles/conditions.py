"""Rules that hold only if the output has, or has not, some other element: types 1C and 2C of PS3.3."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dicomwright._dataclass import dataclass
from dicomwright.blueprint.elements import VirtualElement
from dicomwright.blueprint.resolution import OMIT, Items, Level, PerInstance, Resolution
from dicomwright.blueprint.tags import PrivateTag, describe, to_tag
from dicomwright.bundles.carried import CarriedElement
from dicomwright.bundles.sources import shown
from dicomwright.errors import BlueprintError

if TYPE_CHECKING:
    from pydicom import DataElement, Dataset
    from pydicom.tag import BaseTag

    from dicomwright.blueprint.environment import InstanceEnvironment, SeriesEnvironment

__all__ = ["Condition", "ConditionalElement"]

#: What a tag must be: there, not there, or with one of these among its values.
Wanted = bool | tuple[str, ...]


@dataclass(frozen=True)
class Condition:
    """What must hold of the elements that are the same in the whole output series.

    Examples
    --------
    >>> from pydicom import Dataset
    >>> output = Dataset()
    >>> output.ScanningSequence = ["GR", "IR"]
    >>> Condition.read({"ScanningSequence": "IR", "TriggerTime": False}).holds(output)
    True

    """

    wanted: tuple[tuple[BaseTag, Wanted], ...]

    @classmethod
    def read(cls, data: Any) -> Condition:
        """Return the condition of a table: keyword = value, list of values, true (there) or false (not there).

        Raises
        ------
        BlueprintError
            It is not such a table.

        """
        if not isinstance(data, Mapping) or not data:
            raise BlueprintError(
                f"only-if is {shown(data)}, not a table",
                hint='such as only-if = { ScanningSequence = "IR" }; true is there, false is not there',
                kind="bad-rule",
            )
        return cls(tuple((_tag(name), _wanted(name, value)) for name, value in data.items()))

    def holds(self, output: Dataset) -> bool:
        """Tell whether the output fulfils all of it."""
        return all(_fulfils(output, tag, wanted) for tag, wanted in self.wanted)

    def __str__(self) -> str:
        """Return the condition in a few words."""
        return " and ".join(
            f"{describe(tag)} is {' or '.join(wanted) if isinstance(wanted, tuple) else ('absent', 'present')[wanted]}"
            for tag, wanted in self.wanted
        )


class ConditionalElement(VirtualElement):
    """An element that is in the output only if a condition holds.

    The condition looks at the elements that are the same in the whole output series, so that it sees what a
    stronger blueprint says.

    Parameters
    ----------
    element : VirtualElement
        What makes the value. A sequence of rules cannot be conditional.
    condition : Condition
        When it does.

    """

    level = Level.INSTANCE

    def __init__(self, element: VirtualElement, condition: Condition) -> None:
        super().__init__(element.tag, element.vr)
        self.element = element
        self.condition = condition
        self.text = str(condition)  # for people, and for UIDs that are derived from the rules

    def required_tags(self) -> set[int]:
        """Return what the element needs of the parent."""
        return self.element.required_tags()

    def resolve(self, env: SeriesEnvironment) -> Resolution:
        """Return the element's value for each instance, or `OMIT`."""
        inner = self.element
        resolution = inner.resolve_usable(env) if isinstance(inner, CarriedElement) else inner.resolve(env)
        if resolution is OMIT:
            return OMIT
        if isinstance(resolution, Items):
            raise self.problem("is a sequence of rules, which cannot have only-if")
        holds: list[bool] = []  # asked once: the header is the same for all instances

        def value(instance: InstanceEnvironment) -> Any:
            if not holds:
                holds.append(
                    instance.header_dataset is not None and self.condition.holds(instance.header_dataset)
                )
            if not holds[0]:
                return OMIT
            return resolution.func(instance) if isinstance(resolution, PerInstance) else resolution

        if isinstance(resolution, PerInstance):
            return PerInstance(value, known=resolution.known)
        return PerInstance(value, known=[resolution], once=True)

    def rule(self) -> str:
        """Return the rule in a few words."""
        return f"{self.element.rule()}, only if {self.text}"


def _tag(name: str) -> BaseTag:
    """Return the tag that is looked at."""
    tag = to_tag(name)
    if isinstance(tag, PrivateTag):
        raise BlueprintError(f"only-if cannot look at the private {describe(tag)}", kind="bad-rule")
    return tag


def _wanted(name: str, value: Any) -> Wanted:
    """Return what one entry of the table asks for."""
    if isinstance(value, bool):
        return value
    values = value if isinstance(value, list) else [value]
    if not values or not all(isinstance(one, str | int) and not isinstance(one, bool) for one in values):
        raise BlueprintError(
            f"only-if: {name} = {shown(value)} is neither a value, a list of values, true nor false",
            kind="bad-rule",
        )
    return tuple(str(one) for one in values)


def _fulfils(output: Dataset, tag: BaseTag, wanted: Wanted) -> bool:
    """Tell whether the output has what one entry asks for."""
    element: DataElement | None = output.get(tag)
    if isinstance(wanted, bool):
        return (element is not None) is wanted
    if element is None or element.is_empty or element.VR == "SQ":
        return False
    values = element.value if element.VM > 1 else [element.value]
    return any(str(value) in wanted for value in values)
