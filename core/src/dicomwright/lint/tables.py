"""The tables of an IOD, prepared for lint once a process."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from dicomwright.standard.iods import load

if TYPE_CHECKING:
    from dicomwright.standard import Attribute, Iod, Terms

__all__ = [
    "attributes_of",
    "first_places",
    "level_tags",
    "modalities",
    "required",
    "required_of_module",
    "terms_of",
]

#: The Modality (0008,0060) of objects of an IOD, where PS3.3 annex A leaves no choice.
_MODALITIES = {
    "computed-radiography-image": ("CR",),
    "ct-image": ("CT",),
    "enhanced-ct-image": ("CT",),
    "enhanced-mr-image": ("MR",),
    "enhanced-mr-color-image": ("MR",),
    "enhanced-pet-image": ("PT",),
    "legacy-converted-enhanced-ct-image": ("CT",),
    "legacy-converted-enhanced-mr-image": ("MR",),
    "legacy-converted-enhanced-pet-image": ("PT",),
    "mr-image": ("MR",),
    "mr-spectroscopy": ("MR",),
    "nuclear-medicine-image": ("NM",),
    "pet-image": ("PT",),
    "positron-emission-tomography-image": ("PT",),
    "segmentation": ("SEG",),
}


def modalities(iod: Iod) -> tuple[str, ...]:
    """Return the values that Modality may have; empty for any."""
    return _MODALITIES.get(iod.key, ())


@lru_cache(maxsize=256)
def required(key: str, path: tuple[int, ...], usages: str) -> tuple[Attribute, ...]:
    """Return what is required at one level of an IOD: types 1, 1C, 2 and 2C."""
    return load(key).required(path, usages)


@lru_cache(maxsize=256)
def required_of_module(key: str, module: str) -> tuple[Attribute, ...]:
    """Return what one module requires at the top level."""
    iod = load(key)
    return tuple(found for found in iod.level() if found.module.key == module and found.type != "3")


@lru_cache(maxsize=512)
def attributes_of(key: str, path: tuple[int, ...]) -> dict[int, tuple[Attribute, ...]]:
    """Return what all modules say of the attributes of one level, by tag."""
    found: dict[int, list[Attribute]] = {}
    for attribute in load(key).level(path):
        found.setdefault(attribute.tag, []).append(attribute)
    return {tag: tuple(rows) for tag, rows in found.items()}


@lru_cache(maxsize=512)
def level_tags(key: str, path: tuple[int, ...]) -> frozenset[int]:
    """Return the tags of one level; empty if the tables do not know what is in the sequence."""
    return frozenset(attributes_of(key, path))


@lru_cache(maxsize=32)
def first_places(key: str) -> dict[int, tuple[int, ...]]:
    """Return the sequences that lead to each tag where an IOD has it first, at any depth."""
    found: dict[int, tuple[int, ...]] = {}
    for attribute in load(key).attributes():
        found.setdefault(attribute.tag, attribute.path)
    return found


@lru_cache(maxsize=512)
def terms_of(key: str, path: tuple[int, ...]) -> dict[int, tuple[Terms, ...]]:
    """Return the lists of terms that hold in any case: those of mandatory modules if there are any."""
    found = {}
    for tag, rows in attributes_of(key, path).items():
        best = [row for row in rows if row.module.usage == "M"] or list(rows)
        lists = dict.fromkeys(terms for row in best for terms in row.terms if not terms.when)
        if lists:
            found[tag] = tuple(lists)
    return found
