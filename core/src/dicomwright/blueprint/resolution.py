"""What a virtual element becomes once a series: a value, nothing, one value an instance, or items."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dicomwright.blueprint.blueprint import Blueprint
    from dicomwright.blueprint.environment import InstanceEnvironment

__all__ = ["OMIT", "Items", "Level", "Omit", "PerInstance", "Resolution"]


class Level(enum.IntEnum):
    """How often a virtual element is decided."""

    STATIC = 0
    SERIES = 1
    INSTANCE = 2


class Omit(enum.Enum):
    """The type of `OMIT`: this element is not in the output."""

    OMIT = "omit"


OMIT = Omit.OMIT


@dataclass(frozen=True, slots=True)
class PerInstance:
    """One value for each instance, asked when the instance is made.

    Attributes
    ----------
    func : callable
        Takes an `InstanceEnvironment`; returns a value, a `pydicom.DataElement`, None (an empty element) or
        `OMIT`.
    known : sequence, optional
        All the values in order, where they are known before any instance is made. The engine looks at them to
        choose a character set.

    """

    func: Callable[[InstanceEnvironment], Any]
    known: Sequence[Any] | None = None


@dataclass(frozen=True, slots=True)
class Items:
    """The items of a sequence, each described by a blueprint."""

    blueprints: tuple[Blueprint, ...]


#: A constant value (or `pydicom.DataElement`), `OMIT`, `PerInstance` or `Items`.
Resolution = Any
