"""What the filling strategy COPY makes of a parent series: a blueprint, and a list of what it left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydicom.datadict import keyword_for_tag

from dicomwright import standard
from dicomwright.blueprint.blueprint import Blueprint
from dicomwright.blueprint.copying import InstanceCopyElement
from dicomwright.blueprint.tags import PrivateTag
from dicomwright.engine.nodes import plain_value
from dicomwright.engine.rules import FilledElement
from dicomwright.parents.filling import fill_from

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pydicom import DataElement, Dataset

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
    tags = (element.tag for layer in layers for element in layer.blueprint)
    named = {int(tag) for tag in tags if not isinstance(tag, PrivateTag)}
    filling = fill_from(parents, named, keep_private, _other_iod(sop_class_uid, parents))
    left_out = [(left.tag, left.rule) for left in filling.left_out]
    blueprint = Blueprint()
    for element in filling.constants:
        if _is_legal(element):
            blueprint.add_virtual_element(FilledElement(element))
        else:
            left_out.append((int(element.tag), "illegal-value"))
    for tag in filling.varying:
        if not paired:
            left_out.append((tag, "unpaired"))
        elif all(map(_is_legal, parents.column(tag, range(len(parents))))):
            blueprint.add_virtual_element(InstanceCopyElement(tag))
        else:
            left_out.append((tag, "illegal-value"))
    listed = [
        {"tag": f"{tag:08X}", "keyword": keyword_for_tag(tag), "rule": rule} for tag, rule in sorted(left_out)
    ]
    return blueprint, listed


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
