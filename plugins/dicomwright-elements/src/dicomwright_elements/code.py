"""``code``: a sequence of coded concepts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dicomwright.blueprint.blueprint import Blueprint
from dicomwright.blueprint.elements import SequenceElement, StaticElement
from dicomwright.blueprint.environment import SeriesEnvironment
from dicomwright.blueprint.values import check_value
from dicomwright.errors import BlueprintError, Problem
from dicomwright_elements.concepts import Concept, concept, written_out
from dicomwright_elements.tables import csv_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dicomwright.blueprint.elements import VirtualElement
    from dicomwright.blueprint.tags import AnyTag, TagLike
    from dicomwright.bundles import RuleContext

__all__ = ["CodeElement"]

_SHORT = 16


class CodeElement(SequenceElement):
    """A sequence with an item for each coded concept (PS3.3 section 8.8).

    Examples
    --------
    >>> element = CodeElement("DerivationCodeSequence", [Concept("113076", "DCM", "Segmentation")])
    >>> element.rule()
    'code 113076 (DCM, Segmentation)'

    Parameters
    ----------
    tag
        See `VirtualElement`.
    concepts : sequence of Concept
        One for each item.

    """

    def __init__(self, tag: TagLike, concepts: Sequence[Concept]) -> None:
        self.concepts = tuple(concepts)
        super().__init__(tag, [_item(one) for one in self.concepts])

    def rule(self) -> str:
        """Return the rule in a few words."""
        return ", ".join(f"code {one.code} ({one.scheme}, {one.meaning})" for one in self.concepts)

    @classmethod
    def from_data(cls, tag: AnyTag, data: Any, context: RuleContext) -> CodeElement:
        """Make ``{ code = "DCM:113076" }``, ``{ code = "SCT:Liver" }`` or one that is written out."""
        own = _own(context)
        concepts: list[Concept] = []
        problems: list[Problem] = []
        for one in data if isinstance(data, list) else [data]:
            try:
                concepts.append(concept(one, own) if isinstance(one, str) else written_out(one))
            except ValueError as error:
                problems.append(Problem(f"code: {error}", "", context.loc, "unknown-code"))
        if problems:
            raise BlueprintError.collect(problems)
        if not concepts:
            raise context.problem("code names no concept", hint='such as { code = "DCM:113076" }')
        element = cls(tag, concepts)
        for inner in (inner for item in element.blueprints for inner in item):
            inner.origin = context.loc
            problems += _illegal(inner)
        if problems:
            raise BlueprintError.collect(problems)
        return element


def _illegal(element: VirtualElement) -> Iterator[Problem]:
    """Yield what is wrong with a value of an item."""
    value = element.resolve(SeriesEnvironment())
    yield from (replace(one, loc=element.origin) for one in check_value(element.tag, str(element.vr), value))


def _own(context: RuleContext) -> list[Concept]:
    """Return the concepts of the table that the rule names."""
    path = context.options.get("table")
    if path is None:
        return []
    rows = csv_rows(context, path, context.resource(path))
    found: list[Concept] = []
    for loc, row in rows:
        try:
            found.append(written_out({name: cell for name, cell in row.items() if cell}))
        except ValueError as error:
            raise context.problem(f"{loc}: {error}") from None
    return found


def _item(one: Concept) -> Blueprint:
    """Return the item of a concept; a long code has a tag of its own (PS3.3 section 8.1)."""
    value = (
        StaticElement("CodeValue", "SH", one.code)
        if len(one.code) <= _SHORT
        else StaticElement("LongCodeValue", "UC", one.code)
    )
    elements = [
        value,
        StaticElement("CodingSchemeDesignator", "SH", one.scheme),
        StaticElement("CodeMeaning", "LO", one.meaning),
    ]
    if one.version:
        elements.append(StaticElement("CodingSchemeVersion", "SH", one.version))
    return Blueprint(elements)
