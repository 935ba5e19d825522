"""Blueprints laid over each other as ``extends`` does it: the right one wins, sequences go item by item."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dicomwright.blueprint.blueprint import Blueprint, changed, final_problems, rivals
from dicomwright.blueprint.elements import SequenceElement
from dicomwright.blueprint.tags import sort_key

if TYPE_CHECKING:
    from dicomwright.blueprint.elements import VirtualElement
    from dicomwright.blueprint.tags import AnyTag
    from dicomwright.bundles.making import ElementType
    from dicomwright.errors import Problem

__all__ = ["Notes", "laid"]


@dataclass
class Notes:
    """What is known of elements besides what they make.

    Attributes
    ----------
    written : dict
        By the identity of an element: itself, which keeps it alive, and its rule as it stands in the file.
    whole : set of int
        The identities of sequences that take the place of weaker ones as a whole.
    types : dict
        The element types that were used, by name.

    """

    written: dict[int, tuple[VirtualElement, Any]] = field(default_factory=dict)
    whole: set[int] = field(default_factory=set)
    types: dict[str, ElementType] = field(default_factory=dict)


def laid(weaker: Blueprint, stronger: Blueprint, notes: Notes, problems: list[Problem]) -> Blueprint:
    """Return two blueprints laid over each other; final rules that would be lost are problems, and stay.

    Parameters
    ----------
    weaker, stronger : Blueprint
        Of two rules for one tag that of the stronger stays; two sequences of rules are laid over each other item by
        item, unless the stronger is whole.
    notes : Notes
        What is known of the elements.
    problems : list of Problem
        Where what is wrong is added.

    """
    exchanged: dict[AnyTag, VirtualElement] = {}
    for older, element in sorted(rivals(weaker, stronger), key=lambda pair: sort_key(pair[1].tag)):
        merged = _merged(older, element, notes, problems)
        lost = final_problems(older, merged)
        problems += lost
        if lost or merged is not element:
            exchanged[element.tag] = older if lost else merged
    return weaker + (changed(stronger, exchanged) if exchanged else stronger)


def _merged(
    older: VirtualElement, newer: VirtualElement, notes: Notes, problems: list[Problem]
) -> VirtualElement:
    """Return what two rules for one tag come to."""
    if not (isinstance(older, SequenceElement) and isinstance(newer, SequenceElement)):
        return newer
    if older.final or newer.final or id(newer) in notes.whole:
        return newer
    items = [
        laid(one, other, notes, problems)
        for one, other in zip(older.blueprints, newer.blueprints, strict=False)
    ]
    shorter = min(len(older.blueprints), len(newer.blueprints))
    rest = (older if len(older.blueprints) > shorter else newer).blueprints[shorter:]
    merged = SequenceElement(newer.tag, [*items, *rest])
    merged.origin = newer.origin
    return merged
