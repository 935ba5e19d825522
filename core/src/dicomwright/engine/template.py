"""Nodes as bytes: what is constant is encoded once, what varies keeps a place."""

from __future__ import annotations

from array import array
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Protocol, cast

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items

from dicomwright._dataclass import dataclass
from dicomwright.blueprint.resolution import OMIT, EncodedElement
from dicomwright.blueprint.tags import describe
from dicomwright.engine.encoding import element_bytes, encoder_for, sequence_bytes
from dicomwright.engine.nodes import plain_values, sort_text
from dicomwright.errors import BlueprintError, DicomwrightError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from dicomwright.engine.instance import BuildEnvironment
    from dicomwright.engine.nodes import Node
    from dicomwright.uids import BuildUids

__all__ = ["Column", "Field", "Fixed", "Group", "Part", "parts_of"]


@dataclass(frozen=True, slots=True)
class Fixed:
    """An element that is the same in every instance."""

    tag: int
    data: bytes

    def encode(self, env: BuildEnvironment) -> bytes:  # noqa: ARG002  # the same for every instance
        """Return the element."""
        return self.data


@dataclass(frozen=True, slots=True)
class Column:
    """An element whose values were all known before the first instance: encoded, one behind the other."""

    tag: int
    data: bytes
    ends: array[int]

    @classmethod
    def of(cls, tag: int, cells: Iterable[bytes]) -> Column:
        """Return the column of encoded elements, one for each instance; empty where it has none."""
        ends = array("Q", [0])
        kept = bytearray()
        for cell in cells:
            kept += cell
            ends.append(len(kept))
        return cls(tag, bytes(kept), ends)

    def encode(self, env: BuildEnvironment) -> bytes:
        """Return the element of an instance."""
        return self.data[self.ends[env.index] : self.ends[env.index + 1]]


class Field:
    """An element that a function gives for each instance.

    Attributes
    ----------
    tag : int
        Its tag.
    node : Node
        What it was made from.

    """

    __slots__ = ("_encode", "_func", "_kept", "_once", "_place", "_plain", "_uids", "node", "tag")

    def __init__(self, node: Node, place: str, encodings: str | Sequence[str], uids: BuildUids) -> None:
        assert node.varying is not None
        self.tag = int(node.tag)
        self._func = node.varying.func
        self._once = node.varying.once
        self._kept: bytes | None = None
        self.node = node
        self._place = place
        self._uids = uids
        self._plain = plain_values(node.tag, node.vr)
        self._encode = encoder_for(self.tag, node.vr, encodings)

    def encode(self, env: BuildEnvironment) -> bytes:
        """Return the element of an instance; nothing if it is left out.

        Raises
        ------
        BlueprintError
            The function raised, or its value is not legal for the VR.

        """
        if self._kept is not None:
            return self._kept
        data = self._encoded(env)
        if self._once:
            self._kept = data
        return data

    def _encoded(self, env: BuildEnvironment) -> bytes:
        """Ask the function and encode what it gives."""
        value = self._asked(env)
        if value is OMIT:
            return b""
        value, problems = self._plain(value)
        if problems:
            raise self._illegal(env, problems)
        try:
            return self._encode(value)
        except BlueprintError as error:
            raise self._illegal(env, list(error.problems)) from error

    def _asked(self, env: BuildEnvironment) -> Any:
        """Return what the function gives."""
        self._uids.move_to(f"{self._place}/{env.index}")
        try:
            return self._func(env)
        except DicomwrightError as error:
            raise self._illegal(env, list(error.problems)) from error
        except (Exception, SystemExit) as error:
            raise BlueprintError(
                f"{describe(self.tag)} of instance {env.instance_number} "
                f"({self.node.rule.element.rule()}) raised {type(error).__name__}: {error}",
                loc=self.node.rule.element.origin,
                kind="raised",
            ) from error

    def _illegal(self, env: BuildEnvironment, problems: list[Problem]) -> BlueprintError:
        origin = self.node.rule.element.origin
        error = BlueprintError.collect(
            [
                Problem(f"instance {env.instance_number}: {p.message}", p.hint, origin, p.kind)
                for p in problems
            ],
        )
        assert isinstance(error, BlueprintError)
        return error


@dataclass(frozen=True, slots=True)
class Group:
    """A sequence of which some element varies."""

    tag: int
    items: tuple[tuple[Part, ...], ...]

    def encode(self, env: BuildEnvironment) -> bytes:
        """Return the sequence of an instance."""
        return sequence_bytes(self.tag, [b"".join(part.encode(env) for part in item) for item in self.items])

    def known(self) -> Group | Column:
        """Return the same as a column, if all elements of all instances are known."""
        parts = [part for item in self.items for part in item]
        columns = [part for part in parts if isinstance(part, Column)]
        if not columns or not all(isinstance(part, Fixed | Column) for part in parts):
            return self
        count = len(columns[0].ends) - 1
        if len(self.items) == len(columns) == 1:
            return Column.of(self.tag, self._around(columns[0], count))
        instances = (SimpleNamespace(index=index) for index in range(count))
        return Column.of(self.tag, (self.encode(cast("BuildEnvironment", one)) for one in instances))

    def _around(self, column: Column, count: int) -> Iterator[bytes]:
        """Yield the sequence of each instance, of one item in which one element varies."""
        item = self.items[0]
        place = item.index(column)
        before, after = (
            b"".join(cast("Fixed", part).data for part in parts)
            for parts in (item[:place], item[place + 1 :])
        )
        for start, end in zip(column.ends, column.ends[1 : count + 1], strict=False):
            yield sequence_bytes(self.tag, [b"".join((before, column.data[start:end], after))])


class Part(Protocol):
    """An element of the output."""

    @property
    def tag(self) -> int:
        """Its tag."""

    def encode(self, env: BuildEnvironment) -> bytes:
        """Return the element of an instance; nothing if it has none."""


def parts_of(
    nodes: Sequence[Node],
    encodings: str | Sequence[str],
    uids: BuildUids,
    problems: list[Problem],
    path: str = "",
) -> tuple[Part, ...]:
    """Return the parts of one dataset in tag order; what cannot be encoded is added to the problems."""
    parts: list[Part] = []
    told = any(problem.kind == "charset" for problem in problems)  # of each text
    for node in nodes:
        place = f"{path}{sort_text(node.tag)}"
        try:
            parts.append(_part(node, encodings, uids, problems, place))
        except BlueprintError as error:
            problems.extend(
                Problem(p.message, p.hint, node.rule.element.origin, p.kind)
                for p in error.problems
                if not (told and p.kind == "charset")
            )
    return tuple(parts)


def _part(
    node: Node,
    encodings: str | Sequence[str],
    uids: BuildUids,
    problems: list[Problem],
    place: str,
) -> Part:
    """Return the part of one node."""
    if node.items is not None and node.varies:
        items = (
            parts_of(item, encodings, uids, problems, f"{place}[{number}].")
            for number, item in enumerate(node.items, 1)
        )
        return Group(int(node.tag), tuple(items)).known()
    if node.varying is not None:
        return _column(node, encodings) if node.varying.in_order else Field(node, place, encodings, uids)
    return Fixed(int(node.tag), element_bytes(int(node.tag), node.vr, constant_value(node), encodings))


def _column(node: Node, encodings: str | Sequence[str]) -> Column:
    """Return the part of a node whose values are known; they have been checked."""
    assert node.varying is not None
    tag = int(node.tag)
    encode = encoder_for(tag, node.vr, encodings)
    place = tag.to_bytes(4, "little")[2:] + tag.to_bytes(4, "little")[:2]
    seen: dict[int, bytes] = {}  # by identity: copies share what their parents have in common

    def cell(value: Any) -> bytes:
        if value is OMIT:
            return b""
        if isinstance(value, EncodedElement):
            return place + value[4:]  # a private element's block may have moved
        found = seen.get(id(value))
        if found is None:
            found = seen[id(value)] = encode(value)
        return found

    return Column.of(tag, map(cell, node.varying.known or ()))


def constant_value(node: Node) -> Any:
    """Return the value of a node that does not vary; items become datasets."""
    if node.items is None:
        return node.value
    return Items([constant_dataset(item) for item in node.items])


def constant_dataset(nodes: Sequence[Node]) -> Dataset:
    """Return nodes that do not vary as a dataset."""
    dataset = Dataset()
    for node in nodes:
        dataset.add(DataElement(node.tag, node.vr, constant_value(node)))
    return dataset
