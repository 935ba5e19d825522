"""What a blueprint or a plan produces, as the conditions of the standard look at it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

from dicomwright.blueprint.copying import CopyElement, CopyOrElseElement, InstanceCopyElement
from dicomwright.blueprint.elements import DiscardElement, IndexElement, SequenceElement, StaticElement
from dicomwright.blueprint.environment import SeriesEnvironment
from dicomwright.blueprint.resolution import OMIT, Items, Level, PerInstance
from dicomwright.blueprint.tags import PrivateTag
from dicomwright.engine.rules import FilledElement, Layer, merge
from dicomwright.standard.conditions import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dicomwright.blueprint.elements import VirtualElement
    from dicomwright.engine.nodes import Node
    from dicomwright.engine.rules import Rule
    from dicomwright.standard.conditions import View

__all__ = ["COPIES", "DatasetView", "NodeView", "RuleView", "static_value"]

#: Elements whose values are the parent's.
COPIES = (CopyElement, CopyOrElseElement, InstanceCopyElement)


def _is_empty(value: Any) -> bool:
    """Tell whether a value is that of an empty element."""
    return value is None or (hasattr(value, "__len__") and len(value) == 0)


class DatasetView:
    """What a dataset holds, an item of a sequence that a user made."""

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset

    def present(self, tag: int) -> bool | None:
        """Return whether the element is there."""
        return tag in self.dataset

    def value(self, tag: int) -> Any:
        """Return its value, None if it is absent or empty."""
        return _plain(self.dataset[tag].value) if tag in self.dataset else None

    def items(self, tag: int) -> Sequence[View] | None:
        """Return its items."""
        return _item_views(self.dataset[tag].value) if tag in self.dataset else []

    def tags(self) -> Iterable[int]:
        """Return the standard tags."""
        return [int(element.tag) for element in self.dataset if not element.tag.is_private]


class RuleView:
    """What rules will produce, as far as it is known before they are resolved.

    Parameters
    ----------
    rules : iterable of Rule
        One for each tag of this level.

    """

    def __init__(self, rules: Iterable[Rule]) -> None:
        self.rules = {int(rule.tag): rule for rule in rules if not isinstance(rule.tag, PrivateTag)}
        self._tags: list[int] | None = None

    def present(self, tag: int) -> bool | None:
        """Return whether the element is there; None if that depends on the parent or the pixels."""
        rule = self.rules.get(tag)
        return False if rule is None else _is_produced(rule.element)

    def value(self, tag: int) -> Any:
        """Return its value if the blueprint has it."""
        rule = self.rules.get(tag)
        if rule is None or isinstance(rule.element, DiscardElement):
            return None
        return _known_value(rule.element)

    def items(self, tag: int) -> Sequence[View] | None:
        """Return its items if the blueprint has them."""
        rule = self.rules.get(tag)
        if rule is None or isinstance(rule.element, DiscardElement):
            return []
        if isinstance(rule.element, SequenceElement):
            return [RuleView(merge([Layer(rule.layer, item)])) for item in rule.element.blueprints]
        if isinstance(rule.element, StaticElement):
            return _item_views(rule.element.value)
        return None

    def tags(self) -> Iterable[int]:
        """Return the tags that may be there."""
        if self._tags is None:
            self._tags = [tag for tag in self.rules if self.present(tag) is not False]
        return self._tags

    def origin(self, tag: int) -> str:
        """Return where the rule of a tag comes from."""
        rule = self.rules.get(tag)
        return "" if rule is None else rule.element.origin


class NodeView(RuleView):
    """What rules were resolved to: presence and constant values are known, those of single instances mostly are.

    Parameters
    ----------
    rules : iterable of Rule
        One for each tag of this level.
    nodes : iterable of Node
        What became of them.
    open_tags : frozenset of int
        Tags of rules that are not resolved yet, or that have a problem of their own.

    """

    def __init__(
        self, rules: Iterable[Rule], nodes: Iterable[Node], open_tags: frozenset[int] = frozenset()
    ) -> None:
        super().__init__(rules)
        self.nodes = {int(node.tag): node for node in nodes}
        self.open_tags = open_tags

    def present(self, tag: int) -> bool | None:
        """Return whether the element is in the instances; None if that is not known yet."""
        node = self.nodes.get(tag)
        if node is None:
            return (super().present(tag) or None) if tag in self.open_tags else False
        condition = getattr(node.rule.element, "condition", None)
        if condition is None or node.varying is None:
            return True
        return bool(condition.holds(self._dataset(tag for tag, _ in condition.wanted)))

    def value(self, tag: int) -> Any:
        """Return its value, if all instances have the same and it is known."""
        node = self.nodes.get(tag)
        if node is None:
            return UNKNOWN if tag in self.open_tags else None
        if node.items is not None:
            return UNKNOWN if node.items else None
        return _common(node.varying.known) if node.varying is not None else _plain(node.value)

    def items(self, tag: int) -> Sequence[View] | None:
        """Return the items that a blueprint has; those of the parent are not looked into."""
        node = self.nodes.get(tag)
        if node is None:
            return None if tag in self.open_tags else []
        if node.items is not None:
            return [NodeView([one.rule for one in item], item) for item in node.items]
        is_own = isinstance(node.rule.element, StaticElement) and not isinstance(
            node.rule.element, FilledElement
        )
        return _item_views(node.value) if is_own and node.varying is None else None

    def _dataset(self, tags: Iterable[int]) -> Dataset:
        """Return the constant elements of some tags."""
        found = Dataset()
        for tag in tags:
            node = self.nodes.get(int(tag))
            if node is not None and not node.varies and node.items is None:
                found.add(DataElement(node.tag, node.vr, node.value))
        return found


def _is_produced(element: VirtualElement) -> bool | None:
    """Tell whether an element will be in the output."""
    if isinstance(element, DiscardElement):
        return False
    if isinstance(element, CopyElement):
        return None if element.optional else True
    if isinstance(element, CopyOrElseElement):
        if element.default is OMIT:
            return None
        return _is_produced(element.default) if hasattr(element.default, "resolve") else True
    if hasattr(element, "condition") or getattr(element, "may_omit", False):
        return None
    return True


def _known_value(element: VirtualElement) -> Any:
    """Return the value that an element will have, `UNKNOWN` if that is decided later."""
    if isinstance(element, SequenceElement):
        return None if not element.blueprints else UNKNOWN
    if isinstance(element, IndexElement):
        return _common(element.values)
    value = static_value(element)
    if isinstance(value, DataElement):
        value = value.value
    return UNKNOWN if value is UNKNOWN else _plain(value)


def static_value(element: VirtualElement) -> Any:
    """Return the value of an element that is decided when it is written, else `UNKNOWN`."""
    if isinstance(element, StaticElement):
        value = element.value
    elif element.level is not Level.STATIC or isinstance(element, SequenceElement | DiscardElement):
        return UNKNOWN
    else:
        try:
            value = element.resolve(SeriesEnvironment())
        except Exception:  # noqa: BLE001  # a plug-in's code; a build would tell
            return UNKNOWN
    if value is OMIT or isinstance(value, PerInstance | Items):
        return UNKNOWN
    return value


def _common(values: Any) -> Any:
    """Return the value that all instances have, else `UNKNOWN`."""
    if values is None or len(values) == 0:
        return UNKNOWN
    first = values[0]
    if first is OMIT or isinstance(first, bytes) or any(value != first for value in values):
        return UNKNOWN  # encoded values are not looked into
    return _plain(first.value if isinstance(first, DataElement) else first)


def _plain(value: Any) -> Any:
    """Return a value as conditions take it: lists for several values, None for an empty one."""
    if _is_empty(value):
        return None
    if isinstance(value, str | bytes) or not hasattr(value, "__iter__"):
        return value
    values = list(value)
    return values[0] if len(values) == 1 and not isinstance(values[0], Dataset) else values


def _item_views(value: Any) -> list[View]:
    """Return views of the items of a sequence value."""
    if isinstance(value, DataElement):
        value = value.value
    if isinstance(value, Dataset):
        value = [value]
    return [DatasetView(item) for item in value or () if isinstance(item, Dataset)]
