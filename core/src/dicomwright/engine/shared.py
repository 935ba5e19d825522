"""What all instances of a series have in common: whose they are, and of which study and series (PS3.3 A.1.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dicomwright.blueprint.tags import ONE_IN_A_SERIES, describe
from dicomwright.engine.template import Column, Field, Part
from dicomwright.errors import BlueprintError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dicomwright.engine.instance import BuildEnvironment
    from dicomwright.engine.nodes import Node

__all__ = ["of_one_series"]


class Same:
    """A field that must be the same in all instances; that is only known when they are made.

    Attributes
    ----------
    tag : int
        Its tag.

    """

    def __init__(self, field: Field) -> None:
        self.tag = field.tag
        self._field = field
        self._first: dict[None, tuple[int, bytes]] = {}  # setdefault is atomic: threads agree who was first

    def encode(self, env: BuildEnvironment) -> bytes:
        """Return the element of an instance.

        Raises
        ------
        BlueprintError
            It is not that of another instance, or what `Field.encode` raises.

        """
        data = self._field.encode(env)
        number, first = self._first.setdefault(None, (env.instance_number, data))
        if data != first:
            raise BlueprintError.collect([_problem(self._field.node, env.instance_number, number)])
        return data


def of_one_series(parts: Sequence[Part], nodes: Iterable[Node], problems: list[Problem]) -> tuple[Part, ...]:
    """Return the parts, those guarded that must not differ; what is known to differ is added to the problems."""
    node_of = {int(node.tag): node for node in nodes}
    guarded: list[Part] = []
    for part in parts:
        shared = part.tag in ONE_IN_A_SERIES
        if shared and isinstance(part, Column) and (other := _other(part)):
            problems.append(_problem(node_of[part.tag], other, 1))
        guarded.append(Same(part) if shared and isinstance(part, Field) else part)
    return tuple(guarded)


def _other(column: Column) -> int:
    """Return the number of an instance that differs from the first one, 0 if there is none."""
    cells = [column.data[start:end] for start, end in zip(column.ends, column.ends[1:], strict=False)]
    return next((number for number, cell in enumerate(cells, 1) if cell != cells[0]), 0)


def _problem(node: Node, number: int, other: int) -> Problem:
    return Problem(
        f"{describe(node.tag)} ({node.rule.element.rule()}) of instance {number} is not that of instance {other}, "
        "and a series is of one patient, study and modality",
        hint="give it one value for the series, or build a series of its own for each value",
        loc=node.rule.element.origin,
        kind="identity",
    )
