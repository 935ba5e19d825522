"""The blueprint: which rule makes which tag of the output."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from dicomwright.blueprint.elements import VirtualElement
from dicomwright.blueprint.tags import describe, sort_key, to_tag
from dicomwright.errors import BlueprintError

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator

    from dicomwright.blueprint.tags import AnyTag, TagLike

__all__ = ["Blueprint", "FillingStrategy"]


class FillingStrategy(enum.Enum):
    """What becomes of the parent's tags that no blueprint names."""

    DISCARD = "discard"
    COPY = "copy"


class Blueprint:
    """An ordered mapping of tags to virtual elements.

    Examples
    --------
    >>> from dicomwright import Blueprint, CopyElement, StaticElement
    >>> study = Blueprint([CopyElement("StudyInstanceUID"), StaticElement("StudyID", "SH", "1")])
    >>> series = Blueprint([StaticElement("SeriesDescription", "LO", "Perfusion"), StaticElement("StudyID", "SH", "2")])
    >>> both = study + series
    >>> len(both), both["StudyID"].value, "SeriesDescription" in both
    (3, '2', True)
    >>> [f"{tag:08X}" for tag in both.required_tags()]
    ['0020000D']

    Parameters
    ----------
    virtual_elements : iterable of VirtualElement, optional
        The elements; of two with one tag the later stays.

    """

    def __init__(self, virtual_elements: Iterable[VirtualElement] = ()) -> None:
        self._elements: dict[AnyTag, VirtualElement] = {}
        for element in virtual_elements:
            self.add_virtual_element(element)

    @classmethod
    def load(cls, name_or_path: str | os.PathLike[str]) -> Blueprint:
        """Return the blueprint of a blueprint file, or a shipped one by its name.

        Examples
        --------
        >>> "Modality" in Blueprint.load("mr-image")
        True

        Raises
        ------
        BlueprintError
            There is no such blueprint, or its file has problems; all are listed.

        """
        from dicomwright.bundles import load_blueprint  # late: the language does not need the files

        return load_blueprint(name_or_path)

    def add_virtual_element(self, virtual_element: VirtualElement) -> None:
        """Add an element; it replaces one with the same tag."""
        if not isinstance(virtual_element, VirtualElement):
            raise BlueprintError(
                f"a blueprint holds virtual elements, not {virtual_element!r}",
                hint="wrap the value: StaticElement(tag, vr, value)",
            )
        self._elements[virtual_element.tag] = virtual_element

    def required_tags(self) -> list[int]:
        """Return the tags that the parent series must have, in order."""
        return sorted({tag for element in self for tag in element.required_tags()})

    def __getitem__(self, tag: TagLike) -> VirtualElement:
        try:
            return self._elements[to_tag(tag)]
        except KeyError:
            raise KeyError(f"{describe(to_tag(tag))} is not in the blueprint") from None

    def __setitem__(self, tag: TagLike, virtual_element: VirtualElement) -> None:
        if to_tag(tag) != getattr(virtual_element, "tag", to_tag(tag)):
            raise BlueprintError(f"{virtual_element!r} cannot stand at {describe(to_tag(tag))}")
        self.add_virtual_element(virtual_element)

    def __delitem__(self, tag: TagLike) -> None:
        del self._elements[self[tag].tag]

    def __contains__(self, tag: object) -> bool:
        try:
            return to_tag(tag) in self._elements  # type: ignore[arg-type]  # what is no tag is not in it
        except BlueprintError:
            return False

    def __iter__(self) -> Iterator[VirtualElement]:
        """Iterate over the elements in tag order."""
        return iter(sorted(self._elements.values(), key=lambda element: sort_key(element.tag)))

    def __len__(self) -> int:
        return len(self._elements)

    def __add__(self, other: Blueprint) -> Blueprint:
        """Return both together; of two elements with one tag the right one stays."""
        if not isinstance(other, Blueprint):
            return NotImplemented
        return Blueprint([*self._elements.values(), *other._elements.values()])

    __or__ = __add__

    def __repr__(self) -> str:
        return f"<Blueprint of {len(self)} elements>"
