"""What the filling strategy COPY makes of a parent series: a blueprint, and a list of what it left."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pydicom.datadict import keyword_for_tag

from dicomwright import standard
from dicomwright.blueprint.blueprint import Blueprint
from dicomwright.blueprint.copying import InstanceCopyElement
from dicomwright.blueprint.resolution import PerInstance
from dicomwright.blueprint.tags import PrivateTag
from dicomwright.engine.nodes import plain_value
from dicomwright.engine.rules import FilledElement
from dicomwright.parents.checks import locate
from dicomwright.parents.copying import fresh_element
from dicomwright.parents.filling import fill_from

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pydicom import DataElement, Dataset

    from dicomwright.blueprint.environment import SeriesEnvironment
    from dicomwright.blueprint.resolution import Resolution
    from dicomwright.blueprint.tags import AnyTag
    from dicomwright.engine.rules import Layer
    from dicomwright.parents import ParentSeries

__all__ = ["filled_from"]

_SOP_CLASS = 0x00080016
_CODE_VALUES = ("CodeValue", "LongCodeValue", "URNCodeValue")


def filled_from(
    parents: ParentSeries,
    layers: Iterable[Layer],
    sop_class_uid: str,
    *,
    keep_private: bool,
    paired: bool,
) -> tuple[Blueprint, list[dict[str, str]]]:
    """Return what COPY takes from the parents, and what it left out: tag, keyword and the name of the rule.

    Parameters
    ----------
    parents : ParentSeries
        The parents.
    layers : iterable of Layer
        What they name is neither copied nor listed.
    sop_class_uid : str
        SOP class of the output.
    keep_private : bool
        Copy private blocks too.
    paired : bool
        Whether every instance has a parent: values that differ between parents are copied for each instance.

    """
    tags = {element.tag for layer in layers for element in layer.blueprint}
    named = {int(place) for tag in tags for place in _places(tag, parents)}
    filling = fill_from(parents, named, keep_private, _other_iod(sop_class_uid, parents))
    left_out = [(left.tag, left.rule) for left in filling.left_out]
    blueprint = Blueprint()
    for element in filling.constants:
        if _is_legal(element):
            blueprint.add_virtual_element(FilledElement(element))
        else:
            left_out.append((int(element.tag), "illegal-value"))
    for tag in filling.varying:
        found = parents.column(tag, range(len(parents))) if paired else []
        if not paired:
            left_out.append((tag, "unpaired"))
        elif not all(map(_is_legal, found)):
            left_out.append((tag, "illegal-value"))
        else:
            has_items = any(element is not None and element.VR == "SQ" for element in found)
            kind = _FilledItems if has_items and not keep_private else InstanceCopyElement
            blueprint.add_virtual_element(kind(tag))
    listed = [
        {"tag": f"{tag:08X}", "keyword": keyword_for_tag(tag), "rule": rule} for tag, rule in sorted(left_out)
    ]
    return blueprint, listed


class _FilledItems(InstanceCopyElement):
    """Sequences of the paired parent instances, without the private elements of their items."""

    def resolve(self, env: SeriesEnvironment) -> Resolution:
        """Return the paired instances' elements."""
        copies = super().resolve(env)
        if not isinstance(copies, PerInstance) or env.parents is None or env.pairs is None:
            return copies
        found = env.parents.column(self.tag, env.pairs)
        values = [element and fresh_element(element, keep_private=False) for element in found]
        return replace(copies, func=lambda instance: values[instance.instance_number - 1], known=values)


def _places(tag: AnyTag, parents: ParentSeries) -> set[int]:
    """Return the tags that an element has; that of a private one depends on where its creator's block is."""
    if not isinstance(tag, PrivateTag):
        return {tag}
    return {place for dataset in parents if (place := locate(dataset, tag)) is not None}


def _other_iod(sop_class_uid: str, parents: ParentSeries) -> frozenset[int] | None:
    """Return the tags of the output's IOD, None if it is that of the parents, or none that the tables know."""
    found = parents.element(_SOP_CLASS)
    iod = standard.iod_of(sop_class_uid)
    if iod is None or (found is not None and str(found.value) == sop_class_uid):
        return None
    return frozenset(row.tag for row in iod.level())


def _is_legal(element: DataElement | None) -> bool:
    """Tell whether an element of a parent may be written; one that an instance lacks may not be copied."""
    if element is None or plain_value(element.tag, element.VR, element)[1]:
        return False
    return element.VR != "SQ" or all(map(_is_whole_code, _code_items(element)))


def _code_items(element: DataElement) -> Iterator[Dataset]:
    """Iterate over the items of a sequence that are codes (PS3.3 section 8), however deep."""
    for item in element.value or ():
        if element.keyword.endswith("CodeSequence"):
            yield item
        for inner in item:
            if inner.VR == "SQ":
                yield from _code_items(inner)


def _is_whole_code(item: Dataset) -> bool:
    """Tell whether a code has a value and a meaning."""
    return bool(item.get("CodeMeaning")) and any(item.get(keyword) for keyword in _CODE_VALUES)
