"""What a virtual element becomes once a series: a value, nothing, one value an instance, or items."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Any

from dicomwright._dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pydicom import DataElement

    from dicomwright.blueprint.blueprint import Blueprint
    from dicomwright.blueprint.environment import InstanceEnvironment

__all__ = ["OMIT", "EncodedElement", "Items", "Level", "Omit", "PerInstance", "Resolution"]


class Level(enum.IntEnum):
    """How often a virtual element is decided."""

    STATIC = 0
    SERIES = 1
    INSTANCE = 2


class Omit(enum.Enum):
    """The type of `OMIT`: this element is not in the output."""

    OMIT = "omit"


OMIT = Omit.OMIT


_LONG_VRS = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"})


class EncodedElement(bytes):
    """An element of a parent as it goes to the file: explicit VR little endian, checked, ASCII where it is text.

    One of the values of `PerInstance.known`, where nothing of a parent's element needs to be decoded.
    """

    __slots__ = ()

    @property
    def vr(self) -> str:
        """The VR that it is encoded with."""
        return self[4:6].decode("ascii")

    def element(self) -> DataElement:
        """Return it decoded, for elements that compute with what others copy."""
        from pydicom.dataelem import RawDataElement, convert_raw_data_element
        from pydicom.tag import Tag

        tag = Tag(int.from_bytes(self[:2], "little"), int.from_bytes(self[2:4], "little"))
        start = 12 if self.vr in _LONG_VRS else 8
        value = self[start:]
        raw = RawDataElement(tag, self.vr, len(value), bytes(value), 0, False, True, True)  # noqa: FBT003  # pydicom's order
        return convert_raw_data_element(raw)


@dataclass(frozen=True, slots=True)
class PerInstance:
    """One value for each instance, asked when the instance is made.

    Attributes
    ----------
    func : callable
        Takes an `InstanceEnvironment`; returns a value, a `pydicom.DataElement`, None (an empty element) or
        `OMIT`.
    known : sequence, optional
        All the values, where they are known before any instance is made. The engine looks at them to choose a
        character set.
    in_order : bool
        Whether `known` is a list with the value of each instance, in order: then `func` is never asked, and the
        engine keeps the encoded values instead.
    once : bool
        Whether all instances have the same value, which is known as soon as the first one is made: then `func` is
        asked once.

    """

    func: Callable[[InstanceEnvironment], Any]
    known: Sequence[Any] | None = None
    in_order: bool = False
    once: bool = False

    @classmethod
    def of(cls, values: Iterable[Any]) -> PerInstance:
        """Return all the values at once, one for each instance in order: the fastest way.

        Examples
        --------
        >>> times = PerInstance.of([0.0, 40.0, 80.0])
        >>> times.known, times.in_order
        ([0.0, 40.0, 80.0], True)

        """
        known = list(values)
        return cls(lambda instance: known[instance.instance_number - 1], known, in_order=True)


@dataclass(frozen=True, slots=True)
class Items:
    """The items of a sequence, each described by a blueprint."""

    blueprints: tuple[Blueprint, ...]


#: A constant value (or `pydicom.DataElement`), `OMIT`, `PerInstance` or `Items`.
Resolution = Any
