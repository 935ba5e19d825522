"""Private blocks: creators are written, blocks are allocated without collisions (PS3.5 section 7.8.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydicom.tag import BaseTag, Tag

from dicomwright.blueprint.tags import PrivateTag, describe
from dicomwright.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydicom import Dataset

__all__ = ["Blocks", "is_creator", "is_private_data", "parent_creators"]

_FIRST_BLOCK, _LAST_BLOCK = 0x10, 0xFF

#: group → block → creator
Creators = "dict[int, dict[int, str]]"


def is_creator(tag: int) -> bool:
    """Tell whether a tag is that of a private creator element, (gggg,0010) to (gggg,00FF) with gggg odd."""
    return bool(tag >> 16 & 1) and _FIRST_BLOCK <= tag & 0xFFFF <= _LAST_BLOCK


def is_private_data(tag: int) -> bool:
    """Tell whether a tag lies in a private block."""
    return bool(tag >> 16 & 1) and tag & 0xFFFF >= _FIRST_BLOCK << 8


def parent_creators(parent: Dataset | None) -> dict[int, dict[int, str]]:
    """Return the private creators of a dataset: group → block → creator."""
    creators: dict[int, dict[int, str]] = {}
    for tag in parent.keys() if parent is not None else ():
        if is_creator(int(tag)):
            text = str(parent[tag].value or "").strip() if parent is not None else ""
            creators.setdefault(tag.group, {})[tag.element] = text
    return creators


class Blocks:
    """The private blocks of one dataset of the output.

    Parameters
    ----------
    written : mapping of tag to creator
        Creator elements that the blueprint itself writes: they hold their blocks.
    parent : mapping
        Creators of the parent: one that is there already keeps its block; others are not taken.

    """

    def __init__(self, written: Mapping[int, str], parent: Mapping[int, Mapping[int, str]]) -> None:
        self._taken: dict[int, dict[int, str]] = {}
        for tag, creator in written.items():
            self._taken.setdefault(tag >> 16, {})[tag & 0xFFFF] = creator
        self._parent = parent
        self.allocated: dict[int, str] = {}

    def place(self, tag: PrivateTag) -> BaseTag | None:
        """Return the element's tag in the block of its creator, allocating one; None if all are taken."""
        block = self._find(tag.group, tag.creator)
        if block is None:
            return None
        return Tag(tag.group, block << 8 | tag.offset)

    def creator_of(self, tag: int) -> str | None:
        """Return the creator of the block that a private tag lies in."""
        return self._taken.get(tag >> 16, {}).get(tag >> 8 & 0xFF)

    def _find(self, group: int, creator: str) -> int | None:
        taken = self._taken.setdefault(group, {})
        of_parent = self._parent.get(group, {})
        for block, name in taken.items():
            if name == creator:
                return block
        kept = [block for block, name in of_parent.items() if name == creator and block not in taken]
        free = (
            block
            for block in range(_FIRST_BLOCK, _LAST_BLOCK + 1)
            if block not in taken and block not in of_parent
        )
        found = kept[0] if kept else next(free, None)
        if found is not None:
            taken[found] = creator
            self.allocated[group << 16 | found] = creator
        return found


def symbolic(tag: BaseTag, parent: Mapping[int, Mapping[int, str]]) -> BaseTag | PrivateTag:
    """Return the private tag by its creator in the parent; the tag itself where the parent has none."""
    creator = parent.get(tag.group, {}).get(tag.element >> 8)
    return PrivateTag(tag.group, creator, tag.element & 0xFF) if creator else tag


def orphans(origins: Mapping[int, str], blocks: Blocks) -> list[Problem]:
    """Return a problem for each private tag whose block has no creator, from the tags and their origins."""
    return [
        Problem(
            f"{describe(tag)} is private and its block has no creator",
            hint=f'name it by its creator: "YOUR CREATOR:({tag >> 16:04X},xx{tag & 0xFF:02X})" in a blueprint file, '
            f"PrivateTag(0x{tag >> 16:04X}, 'YOUR CREATOR', 0x{tag & 0xFF:02X}) in Python",
            loc=origin,
            kind="private-creator",
        )
        for tag, origin in origins.items()
        if is_private_data(tag) and blocks.creator_of(tag) is None
    ]
