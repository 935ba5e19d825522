"""What is known of an object that does not exist yet, and how a condition finds its way around in it."""

from __future__ import annotations

from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol

from dicomwright.standard._tables import tags_below
from dicomwright.standard.iods import load

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dicomwright.standard.iods import Iod

__all__ = ["UNKNOWN", "Decision", "MappingView", "Situation", "Unknown", "View"]

SHARED_GROUPS, PER_FRAME_GROUPS = 0x52009229, 0x52009230
SOP_CLASS_UID, IMAGE_TYPE, FRAME_TYPE = 0x00080016, 0x00080008, 0x00089007


class Decision(Enum):
    """Whether a type 1C or 2C attribute, or a conditional module or macro, has to be there."""

    REQUIRED = "required"
    NOT_REQUIRED = "not required"
    FORBIDDEN = "forbidden"
    UNDECIDED = "undecided"


class Unknown(Enum):
    """The type of `UNKNOWN`."""

    UNKNOWN = "unknown"


#: A value that will be known only when an instance is built.
UNKNOWN = Unknown.UNKNOWN


class View(Protocol):
    """What a blueprint, or a dataset, produces at one level: the top level or one item."""

    def present(self, tag: int) -> bool | None:
        """Return whether the attribute is there; None if that is not known yet."""

    def value(self, tag: int) -> Any:
        """Return its value, a list if multi-valued; `UNKNOWN` if not known yet, None if absent or empty."""

    def items(self, tag: int) -> Sequence[View] | None:
        """Return the items of a sequence, none if it is absent; None if they are not known yet."""


class MappingView:
    """A view of a plain mapping from tag to value; a sequence of mappings stands for items.

    Examples
    --------
    >>> view = MappingView({0x00080008: ["DERIVED", "PRIMARY"], 0x00081140: [{0x00081150: "1.2.3"}]})
    >>> view.present(0x00080060), view.value(0x00080008), view.items(0x00081140)[0].value(0x00081150)
    (False, ['DERIVED', 'PRIMARY'], '1.2.3')

    """

    def __init__(self, values: Mapping[int, Any]) -> None:
        self._values = values

    def present(self, tag: int) -> bool | None:
        """Return whether the mapping has the tag."""
        return tag in self._values

    def value(self, tag: int) -> Any:
        """Return the value; an empty one as None."""
        value = self._values.get(tag)
        return None if value is None or value in ("", [], ()) else value

    def items(self, tag: int) -> Sequence[View] | None:
        """Return a view of each item."""
        value = self.value(tag)
        return None if value is UNKNOWN else [MappingView(item) for item in value or ()]


@lru_cache(maxsize=16)
def _tags(key: str) -> frozenset[int]:
    return tags_below(module.items for module in load(key).modules)


@lru_cache(maxsize=4096)
def _is_listed(key: str, place: tuple[int, ...]) -> bool:
    return bool(load(key).at(place))


class Situation:
    """The place of a condition: an IOD, a path, and a view of each level along that path.

    A condition names attributes without saying where they are. They are looked for at the innermost of the
    enclosing levels whose tables list them. What is listed elsewhere only is not known.
    """

    def __init__(self, iod: Iod, path: tuple[int, ...], levels: Sequence[View]) -> None:
        if len(levels) != len(path) + 1:
            raise ValueError(
                f"{len(path) + 1} levels are needed for a path of {len(path)}, not {len(levels)}"
            )
        self.iod, self.path, self.levels = iod, path, levels

    @property
    def root(self) -> View:
        """The view of the top level."""
        return self.levels[0]

    @property
    def here(self) -> View:
        """The view of the level that the attribute is in."""
        return self.levels[-1]

    def level_of(self, tag: int) -> View | None:
        """Return the level that an attribute belongs to; None if it is not at an enclosing level."""
        for depth in range(len(self.path), -1, -1):
            if self.levels[depth].present(tag) or _is_listed(self.iod.key, (*self.path[:depth], tag)):
                return self.levels[depth]
        return None if tag in _tags(self.iod.key) else self.root

    def present(self, tag: int) -> bool | None:
        """Return whether an attribute is present, or None if that is not known."""
        if tag == SOP_CLASS_UID:
            return True
        level = self.level_of(tag)
        return None if level is None else level.present(tag)

    def value(self, tag: int) -> Any:
        """Return a value as a view does."""
        level = self.level_of(tag)
        if tag == FRAME_TYPE and (level is None or not level.present(tag)):
            return self.root.value(IMAGE_TYPE)
        value = UNKNOWN if level is None else level.value(tag)
        if tag == SOP_CLASS_UID and all(value != row.uid for row in self.iod.sop_classes):
            classes = self.iod.sop_classes  # another class is an error of its own, not a reason here
            return classes[0].uid if len(classes) == 1 else UNKNOWN
        return value

    def group_has(self, tag: int) -> bool | None:
        """Return whether any functional group item, shared or per-frame, has an attribute directly inside."""
        known = True
        for sequence in (SHARED_GROUPS, PER_FRAME_GROUPS):
            items = self.root.items(sequence)
            found = [None] if items is None else [item.present(tag) for item in items]
            if any(found):
                return True
            known = known and None not in found
        return False if known else None
