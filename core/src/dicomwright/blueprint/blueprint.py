"""The blueprint: which rule makes which tag of the output."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from dicomwright.blueprint.elements import SequenceElement, VirtualElement
from dicomwright.blueprint.tags import describe, sort_key, to_tag
from dicomwright.errors import BlueprintError, Problem

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator, Mapping

    from dicomwright.blueprint.tags import AnyTag, TagLike

__all__ = ["Blueprint", "FillingStrategy", "changed", "element_at", "final_problems", "rivals"]


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

    Attributes
    ----------
    bundles : dict
        The bundles that it was read from: ``version`` and ``sha256`` of each by its name.

    """

    def __init__(self, virtual_elements: Iterable[VirtualElement] = ()) -> None:
        self._elements: dict[AnyTag, VirtualElement] = {}
        self._replaced: dict[AnyTag, tuple[VirtualElement, ...]] = {}
        self.bundles: dict[str, dict[str, str]] = {}
        for element in virtual_elements:
            self.add_virtual_element(element)

    @classmethod
    def load(
        cls, name_or_path: str | os.PathLike[str], bundles: Iterable[str | os.PathLike[str]] = ()
    ) -> Blueprint:
        """Return the blueprint of a blueprint file, a shipped one by its name, or one of a bundle by its id.

        Examples
        --------
        >>> "Modality" in Blueprint.load("mr-image")
        True

        Parameters
        ----------
        name_or_path : str or path
            ``mr-image``, ``./site.toml``, or ``st-elsewhere/ct``.
        bundles : iterable of path
            Folders and zips of bundles, besides those of ``DICOMWRIGHT_BUNDLES`` and those that are installed.

        Raises
        ------
        BlueprintError
            There is no such blueprint, or its file has problems; all are listed.

        """
        from dicomwright.bundles import load_blueprint  # late: the language does not need the files

        return load_blueprint(name_or_path, bundles=bundles)

    def add_virtual_element(self, virtual_element: VirtualElement) -> None:
        """Add an element; it replaces one with the same tag."""
        if not isinstance(virtual_element, VirtualElement):
            raise BlueprintError(
                f"a blueprint holds virtual elements, not {virtual_element!r}",
                hint="wrap the value: StaticElement(tag, vr, value)",
            )
        tag = virtual_element.tag
        older = self._elements.get(tag)
        if older is not None and _differ(older, virtual_element):
            self._replaced[tag] = (older, *self._replaced.get(tag, ()))
        self._elements[tag] = virtual_element

    def replaced(self, tag: TagLike) -> tuple[VirtualElement, ...]:
        """Return the elements that others took the place of, the latest first.

        Examples
        --------
        >>> from dicomwright import StaticElement
        >>> one, two = StaticElement("StudyID", "SH", "1"), StaticElement("StudyID", "SH", "2")
        >>> [element.value for element in (Blueprint([one]) + Blueprint([two])).replaced("StudyID")]
        ['1']

        """
        return self._replaced.get(to_tag(tag), ())

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
        known = self[tag].tag
        del self._elements[known]
        self._replaced.pop(known, None)

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
        """Return both together; of two elements with one tag the right one stays, unless the left one is final."""
        if not isinstance(other, Blueprint):
            return NotImplemented
        both = Blueprint()
        both.bundles = self.bundles | other.bundles
        both._elements, both._replaced = dict(self._elements), dict(self._replaced)
        problems: list[Problem] = []
        for tag, element in other._elements.items():
            if tag in self._elements:
                problems += final_problems(self._elements[tag], element)
            both.add_virtual_element(element)
            if tag in other._replaced:
                older = (*other._replaced[tag], *both._replaced.get(tag, ()))
                both._replaced[tag] = tuple(dict.fromkeys(older))
        if problems:
            raise BlueprintError.collect(problems)
        return both

    __or__ = __add__

    def __repr__(self) -> str:
        return f"<Blueprint of {len(self)} elements>"


def _differ(one: VirtualElement, other: VirtualElement) -> bool:
    """Tell whether two elements are not the same rule from the same place."""
    return one is not other and (one.origin != other.origin or one.rule() != other.rule())


def changed(blueprint: Blueprint, elements: Mapping[AnyTag, VirtualElement]) -> Blueprint:
    """Return a blueprint with some elements exchanged, which leaves no trace of the old ones."""
    other = Blueprint()
    other.bundles = dict(blueprint.bundles)
    other._elements = {**blueprint._elements, **elements}  # noqa: SLF001  # a friend of the class
    other._replaced = dict(blueprint._replaced)  # noqa: SLF001  # the same
    return other


def element_at(blueprint: Blueprint | None, tag: AnyTag) -> VirtualElement | None:
    """Return the element of a tag, None if there is none."""
    return None if blueprint is None else blueprint._elements.get(tag)  # noqa: SLF001  # a friend of the class


def rivals(weaker: Blueprint, stronger: Blueprint) -> list[tuple[VirtualElement, VirtualElement]]:
    """Return the elements of two blueprints that are for one tag, and not the same."""
    older, newer = weaker._elements, stronger._elements  # noqa: SLF001  # a friend of the class
    return [(older[tag], newer[tag]) for tag in older.keys() & newer.keys() if older[tag] is not newer[tag]]


def final_problems(older: VirtualElement, newer: VirtualElement) -> list[Problem]:
    """Return a problem for each final rule, of a tag or in its items, that another one would take the place of."""
    if older is newer:
        return []
    kept = {id(element) for element in _finals(newer)}
    return [
        Problem(
            f"{describe(element.tag)} is final in {element.origin}, and may not be overridden",
            hint="take this rule out",
            loc=newer.origin,
            kind="final",
        )
        for element in _finals(older)
        if id(element) not in kept
    ]


def _finals(element: VirtualElement) -> Iterator[VirtualElement]:
    """Yield the final elements of a rule: itself, or those in its items."""
    if element.final:
        yield element
        return
    if isinstance(element, SequenceElement):
        for item in element.blueprints:
            for inner in item:
                yield from _finals(inner)
