"""IODs: their modules, and the attributes of these at every level of nesting."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TypeAlias

from dicomwright._dataclass import dataclass
from dicomwright.errors import DicomwrightError
from dicomwright.standard._tables import condition, entries, index
from dicomwright.standard.model import Attribute, Entry, MacroUse, ModuleUse, SopClass, Terms

__all__ = ["Iod", "Place", "Tag", "load", "tag_of"]

Tag: TypeAlias = int | str
#: A tag, or the way to it: keywords joined by dots, or a sequence of tags, outermost first.
Place: TypeAlias = Tag | Sequence[Tag]

_STRICTNESS = {"1": 0, "2": 1, "1C": 2, "2C": 3, "3": 4}
_USAGE = {"M": 0, "C": 1, "U": 2}
_EIGHT = 8
#: Where a module says in PS3.3 that its type replaces that of another one, although it is less strict.
_REPLACES = {
    ("sc-equipment", 0x00080060): "general-series",
    ("sc-multi-frame-image", 0x00280009): "multi-frame",
}


@dataclass(frozen=True, slots=True)
class Iod:
    """An information object definition of PS3.3.

    Examples
    --------
    >>> from dicomwright import standard
    >>> ct = standard.iod("CTImageStorage")
    >>> ct.name, len(ct.modules), ct.module("image-plane").usage
    ('CT Image', 25, 'M')
    >>> [str(found) for found in ct.at("ImageType")][1]
    'ImageType (0008,0008), type 1, CT Image module (M)'
    >>> [(hex(found.tag), found.type) for found in ct.required("ReferencedStudySequence")]
    [('0x81150', '1'), ('0x81155', '1')]

    Attributes
    ----------
    key, name : str
        Such as ``ct-image`` and ``CT Image``.
    table : str
        Number of the table of PS3.3 that lists its modules; empty for younger IODs.
    sop_classes : tuple of SopClass
        The storage SOP classes that use it.
    modules : tuple of ModuleUse
        In the order of the standard.
    macros : tuple of MacroUse
        Functional group macros; empty for IODs without functional groups.

    """

    key: str
    name: str
    table: str
    sop_classes: tuple[SopClass, ...]
    modules: tuple[ModuleUse, ...]
    macros: tuple[MacroUse, ...] = ()

    def module(self, key: str) -> ModuleUse | None:
        """Return the module of that key, such as ``general-series``, or None if the IOD does not use it."""
        return next((module for module in self.modules if module.key == key), None)

    def macro(self, key: str) -> MacroUse | None:
        """Return the functional group macro of that key, such as ``pixel-measures``, or None."""
        return next((macro for macro in self.macros if macro.key == key), None)

    def attributes(self, usages: str = "MCU", *, nested: bool = True) -> Iterator[Attribute]:
        """Yield what each module says of each attribute, sequences before their content.

        Parameters
        ----------
        usages : str
            Which modules: those whose usage is one of these letters.
        nested : bool
            Whether to go into sequences. The larger IODs have some thousand attributes.

        """
        for module in self.modules:
            if module.usage in usages:
                yield from _walk(entries(module.items), (), module, nested=nested)

    def level(self, path: Place = (), usages: str = "MCU") -> tuple[Attribute, ...]:
        """Return what the modules say of the attributes of one level: the top, or inside a sequence.

        An attribute that is in several modules comes several times, in the order of the modules.
        """
        way = place_of(path)
        return tuple(
            Attribute(entry, way, module)
            for module in self.modules
            if module.usage in usages
            for entry in _list_at(module.items, way).values()
        )

    def at(self, place: Place, usages: str = "MCU") -> tuple[Attribute, ...]:
        """Return what each module says of one attribute; empty if it is not in the IOD.

        Examples
        --------
        >>> from dicomwright import standard
        >>> standard.iod("CTImageStorage").at("ScanningSequence")
        ()

        """
        *way, tag = place_of(place)
        found = []
        for module in self.modules:
            if module.usage in usages:
                entry = _list_at(module.items, tuple(way)).get(tag)
                if entry is not None:
                    found.append(Attribute(entry, tuple(way), module))
        return tuple(found)

    def strictest(self, place: Place, usages: str = "MCU") -> Attribute | None:
        """Return the strictest of what the modules of these usages say of one attribute, or None.

        Two modules of secondary capture say that they replace a stricter type; then theirs counts.
        """
        found = _without_replaced(self.at(place, usages))
        return min(found, key=_rank) if found else None

    def required(self, path: Place = (), usages: str = "M") -> tuple[Attribute, ...]:
        """Return the attributes of type 1, 1C, 2 and 2C at one level, each once, as strict as it gets.

        Parameters
        ----------
        path : place
            The sequence to look into; empty for the top level. What is required inside a sequence is so if
            the sequence has items.
        usages : str
            Which modules count. ``M`` alone is what every object of the IOD must have.

        """
        best: dict[int, Attribute] = {}
        for found in _without_replaced(self.level(path, usages)):
            known = best.get(found.tag)
            if found.type != "3" and (known is None or _rank(found) < _rank(known)):
                best[found.tag] = found
        return tuple(best[tag] for tag in sorted(best))

    def terms(self, place: Place, usages: str = "MC") -> tuple[Terms, ...]:
        """Return every list of terms that the modules give for one attribute."""
        return tuple(dict.fromkeys(terms for found in self.at(place, usages) for terms in found.terms))

    def places(self, tag: Tag, usages: str = "MCU") -> Iterator[Attribute]:
        """Yield what the IOD says of a tag, wherever it is, at any depth."""
        wanted = _canonical(tag_of(tag))
        return (found for found in self.attributes(usages) if found.tag == wanted)


def _rank(attribute: Attribute) -> tuple[int, int]:
    return _STRICTNESS[attribute.type], _USAGE[attribute.module.usage]


def _without_replaced(found: tuple[Attribute, ...]) -> tuple[Attribute, ...]:
    keys = ((row.module.key, row.tag) for row in found if not row.path)
    gone = {(_REPLACES[key], key[1]) for key in keys if key in _REPLACES}
    return tuple(row for row in found if row.path or (row.module.key, row.tag) not in gone) if gone else found


def _walk(
    level: dict[int, Entry], path: tuple[int, ...], module: ModuleUse, *, nested: bool
) -> Iterator[Attribute]:
    for entry in level.values():
        yield Attribute(entry, path, module)
        if nested and entry.items:
            yield from _walk(entries(entry.items), (*path, entry.tag), module, nested=True)


def _list_at(number: int, path: tuple[int, ...]) -> dict[int, Entry]:
    level = entries(number)
    for tag in path:
        entry = level.get(tag)
        if entry is None:
            return {}
        level = entries(entry.items)
    return level


def tag_of(tag: Tag) -> int:
    """Return a tag as a number, from a number, a keyword, ``(gggg,eeee)`` or ``ggggeeee``.

    Examples
    --------
    >>> hex(tag_of("(0018,0060)")), hex(tag_of("KVP"))
    ('0x180060', '0x180060')

    Raises
    ------
    DicomwrightError
        The text is neither a tag nor a keyword of PS3.6.

    """
    if isinstance(tag, int):
        return int(tag)
    digits = tag.strip("()").replace(",", "")
    if len(digits) == _EIGHT and all(digit in "0123456789abcdefABCDEF" for digit in digits):
        return int(digits, 16)
    from pydicom.datadict import tag_for_keyword

    found = tag_for_keyword(tag)
    if found is None:
        found = _overlay_keywords().get(tag)
    if found is None:
        raise DicomwrightError(f"{tag!r} is neither a DICOM keyword nor a tag", kind="unknown-keyword")
    return int(found)


@lru_cache(maxsize=1)
def _overlay_keywords() -> dict[str, int]:
    from pydicom.datadict import keyword_for_tag

    modules = index()["modules"]
    overlays = ("overlay-plane", "multi-frame-overlay", "overlay-activation")
    return {keyword_for_tag(tag): tag for key in overlays for tag in entries(modules[key][2])}


def _canonical(tag: int) -> int:
    is_overlay = tag >> 24 == 0x60 and not tag & 0x00010000  # noqa: PLR2004 - groups 6000 to 60FE, PS3.5 section 7.6
    return tag & 0xFF00FFFF if is_overlay else tag


def place_of(place: Place) -> tuple[int, ...]:
    """Return a place as tags; overlays of any group as those of 6000."""
    parts: Sequence[Tag] = (
        place.split(".") if isinstance(place, str) else place if isinstance(place, Sequence) else (place,)
    )
    return tuple(_canonical(tag_of(part)) for part in parts if part != "")


@lru_cache(maxsize=64)
def load(key: str) -> Iod:
    """Return the IOD of that key; the caller knows that there is one."""
    tables = index()
    name, table, modules, macros = tables["iods"][key]
    classes = tuple(SopClass(*row) for row in tables["sop_classes"] if row[3] == key)
    uses = []
    for module, usage, entity, text in modules:
        title, printed, items = tables["modules"][module]
        uses.append(ModuleUse(module, title, usage, entity, condition(text), printed, items))
    groups = []
    for macro, usage, text, sequences in macros:
        title, printed = tables["macros"].get(macro, (macro, ""))
        groups.append(MacroUse(macro, title, usage, condition(text), tuple(sequences), printed))
    return Iod(key, name, table, classes, tuple(uses), tuple(groups))
