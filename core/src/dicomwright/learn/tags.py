"""What the elements of a data set are called: private ones by their creator, wherever its block is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dicomwright.blueprint.tags import PrivateTag
from dicomwright.engine.private import is_creator, parent_creators
from dicomwright.errors import BlueprintError

if TYPE_CHECKING:
    from pydicom.dataset import Dataset
    from pydicom.tag import BaseTag

__all__ = ["number_of", "tags_of"]

_CHARACTER_SET = 0x00080005


def tags_of(dataset: Dataset) -> dict[BaseTag | PrivateTag, BaseTag]:
    """Return where a data set has each of its elements.

    Group lengths, the character set and the creators of private blocks are left out: they are written as needed.
    """
    creators = parent_creators(dataset)
    found: dict[BaseTag | PrivateTag, BaseTag] = {}
    for tag in list(dataset.keys()):
        if tag.element and tag != _CHARACTER_SET and not is_creator(tag):
            creator = creators.get(tag.group, {}).get(tag.element >> 8, "")
            found.setdefault(_called(tag, creator), tag)
    return found


def number_of(tag: BaseTag | PrivateTag) -> str:
    """Return the number of a tag as messages have it."""
    if isinstance(tag, PrivateTag):
        return f"({tag.group:04X},xx{tag.offset:02X})"
    return f"({tag.group:04X},{tag.element:04X})"


def _called(tag: BaseTag, creator: str) -> BaseTag | PrivateTag:
    """Return a private tag by its creator, where it has one that may be."""
    try:
        return PrivateTag(tag.group, creator, tag.element & 0xFF) if creator else tag
    except BlueprintError:
        return tag
