"""Nodes as bytes: what is constant is encoded once, what varies keeps a place."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items

from dicomwright.blueprint.resolution import OMIT
from dicomwright.blueprint.tags import describe
from dicomwright.engine.encoding import element_bytes, encoder_for, sequence_bytes
from dicomwright.engine.nodes import plain_value, sort_text
from dicomwright.errors import BlueprintError, DicomwrightError, Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from dicomwright.engine.instance import BuildEnvironment
    from dicomwright.engine.nodes import Node
    from dicomwright.uids import DerivedUids

__all__ = ["Field", "Fixed", "Group", "Part", "parts_of"]


@dataclass(frozen=True, slots=True)
class Fixed:
    """An element that is the same in every instance."""

    tag: int
    data: bytes

    def encode(self, env: BuildEnvironment) -> bytes:  # noqa: ARG002  # the same for every instance
        """Return the element."""
        return self.data


@dataclass(frozen=True, slots=True)
class Field:
    """An element with one value for each instance."""

    tag: int
    node: Node
    place: str
    uids: DerivedUids | None
    encoder: Callable[[Any], bytes]

    def value(self, env: BuildEnvironment) -> Any:
        """Return the checked value of an instance, or `OMIT`.

        Raises
        ------
        BlueprintError
            The function raised, or its value is not legal for the VR.

        """
        assert self.node.varying is not None
        try:
            with self._uids_of(env):
                value = self.node.varying.func(env)
            if value is OMIT:
                return OMIT
        except DicomwrightError as error:
            raise self._illegal(env, list(error.problems)) from error
        except Exception as error:
            raise self._failed(
                env, f"{self.node.rule.element.rule()} raised {type(error).__name__}: {error}"
            ) from error
        plain, problems = plain_value(self.tag, self.node.vr, value)
        if problems:
            raise self._illegal(env, problems)
        return plain

    def encode(self, env: BuildEnvironment) -> bytes:
        """Return the element of an instance; nothing if it is left out."""
        value = self.value(env)
        return b"" if value is OMIT else self.encode_value(value)

    def encode_value(self, value: Any) -> bytes:
        """Return the element with a value that `value` gave."""
        return self.encoder(value)

    def _uids_of(self, env: BuildEnvironment) -> AbstractContextManager[None]:
        return self.uids.at(f"{self.place}/{env.index}") if self.uids else nullcontext()

    def _failed(self, env: BuildEnvironment, why: str) -> BlueprintError:
        return BlueprintError(
            f"{describe(self.tag)} of instance {env.instance_number}: {why}",
            loc=self.node.rule.element.origin,
            kind="raised",
        )

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


Part = Fixed | Field | Group


def parts_of(
    nodes: Sequence[Node],
    encodings: str | Sequence[str],
    uids: DerivedUids | None,
    problems: list[Problem],
    path: str = "",
) -> tuple[Part, ...]:
    """Return the parts of one dataset in tag order; what cannot be encoded is added to the problems."""
    parts: list[Part] = []
    for node in nodes:
        place = f"{path}{sort_text(node.tag)}"
        try:
            parts.append(_part(node, encodings, uids, problems, place))
        except BlueprintError as error:
            problems.extend(
                Problem(p.message, p.hint, node.rule.element.origin, p.kind) for p in error.problems
            )
    return tuple(parts)


def _part(
    node: Node,
    encodings: str | Sequence[str],
    uids: DerivedUids | None,
    problems: list[Problem],
    place: str,
) -> Part:
    """Return the part of one node."""
    if node.items is not None and node.varies:
        items = (
            parts_of(item, encodings, uids, problems, f"{place}[{number}].")
            for number, item in enumerate(node.items, 1)
        )
        return Group(int(node.tag), tuple(items))
    if node.varying is not None:
        return Field(int(node.tag), node, place, uids, encoder_for(int(node.tag), node.vr, encodings))
    return Fixed(int(node.tag), element_bytes(int(node.tag), node.vr, constant_value(node), encodings))


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
