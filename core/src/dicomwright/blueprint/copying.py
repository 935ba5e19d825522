"""The kinds of virtual element that copy from the parent series."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydicom.tag import BaseTag

from dicomwright.blueprint.elements import VirtualElement
from dicomwright.blueprint.raw_copies import copy_encoded
from dicomwright.blueprint.resolution import OMIT, Level, PerInstance, Resolution
from dicomwright.blueprint.tags import ONE_IN_A_SERIES, PrivateTag

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydicom import DataElement

    from dicomwright.blueprint.environment import SeriesEnvironment
    from dicomwright.blueprint.resolution import EncodedElement
    from dicomwright.blueprint.tags import AnyTag, TagLike
    from dicomwright.parents import ParentSeries

__all__ = ["CopyElement", "CopyOrElseElement", "InstanceCopyElement"]

_INSTANCE_NUMBER = 0x00200013


class CopyElement(VirtualElement):
    """A value that is copied from the parent series, where all instances have the same.

    Examples
    --------
    >>> CopyElement(0x00200010)
    <CopyElement StudyID (0020,0010)>

    Parameters
    ----------
    tag
        See `VirtualElement`.
    optional : bool
        True: a parent without the element gives an output without it. False: that is an error.

    """

    def __init__(self, tag: TagLike, optional: bool = False) -> None:
        super().__init__(tag)
        self.optional = optional

    def required_tags(self) -> set[int]:
        """Return the tag, unless it is optional."""
        return set() if self.optional or not isinstance(self.tag, BaseTag) else {int(self.tag)}

    def resolve(self, env: SeriesEnvironment) -> Resolution:
        """Return the parent's element."""
        found = _from_series(self, env)
        if found is not None:
            return found
        if self.optional:
            return OMIT
        if env.parents is None:
            raise self.problem(
                "is copied from the parent series, and there is none",
                hint="give a parent series, or write copy-or-else (CopyOrElseElement)",
                kind="no-parent",
            )
        raise self.problem(
            "is missing in the parent series",
            hint='if the output can do without it, write { copy = "optional" } (CopyElement(tag, optional=True))',
            kind="missing-in-parent",
        )

    def rule(self) -> str:
        """Return the rule in a few words."""
        return "copy, optional" if self.optional else "copy"


class CopyOrElseElement(VirtualElement):
    """A value that is copied from the parent series, or another one where the parent has none.

    Examples
    --------
    >>> from dicomwright import gen_uid, SeriesElement
    >>> new_study = SeriesElement("StudyInstanceUID", "UI", gen_uid)
    >>> CopyOrElseElement("StudyInstanceUID", "UI", new_study)
    <CopyOrElseElement StudyInstanceUID (0020,000D) UI>

    Parameters
    ----------
    tag, vr
        See `VirtualElement`.
    default : Any
        A value, or a virtual element of the same tag.

    """

    def __init__(self, tag: TagLike, vr: str, default: Any = None) -> None:
        super().__init__(tag, vr)
        if isinstance(default, VirtualElement) and default.tag != self.tag:
            raise self.problem(f"cannot fall back on an element of another tag, {default!r}")
        self.default = default

    @property
    def level(self) -> Level:  # type: ignore[override]  # decided by the default
        """The level of the default, at least once a series."""
        return (
            max(Level.SERIES, self.default.level)
            if isinstance(self.default, VirtualElement)
            else Level.SERIES
        )

    def resolve(self, env: SeriesEnvironment) -> Resolution:
        """Return the parent's element, or the default."""
        found = _from_series(self, env)
        return self.fallback(env) if found is None else found

    def fallback(self, env: SeriesEnvironment) -> Resolution:
        """Return what stands in for a parent's element."""
        return self.default.resolve(env) if isinstance(self.default, VirtualElement) else self.default

    def rule(self) -> str:
        """Return the rule in a few words."""
        other = self.default.rule() if isinstance(self.default, VirtualElement) else repr(self.default)
        return f"copy, or else {other}"


class InstanceCopyElement(VirtualElement):
    """A value that is copied from the parent instance which is paired with the output instance.

    Instances are paired by position along the slice normal; by InstanceNumber (0020,0013) only where there is
    no geometry.

    Examples
    --------
    >>> InstanceCopyElement("AcquisitionTime", "TM")
    <InstanceCopyElement AcquisitionTime (0008,0032) TM>

    """

    level = Level.INSTANCE

    def __init__(self, tag: TagLike, vr: str | None = None) -> None:
        super().__init__(tag, vr)

    def required_tags(self) -> set[int]:
        """Return the tag and InstanceNumber, which pairs instances without geometry."""
        return {int(self.tag), _INSTANCE_NUMBER} if isinstance(self.tag, BaseTag) else {_INSTANCE_NUMBER}

    def resolve(self, env: SeriesEnvironment) -> Resolution:
        """Return the paired instances' elements."""
        if env.parents is None:
            raise self.problem("is copied from the parent instances, and there are none", kind="no-parent")
        if env.pairs is None:
            raise self.problem(
                f"is copied from the paired parent instances, and there is no pairing: {env.pairing_problem}",
                kind="unpaired",
            )
        values = copied_column(self.tag, self.vr, env.parents, env.pairs)
        lacking = [number for number, value in enumerate(values, 1) if value is None]
        if lacking:
            raise self.problem(
                f"is missing in the parent of {len(lacking)} of {len(values)} instances, first {lacking[0]}",
                hint='discard it, or write { copy = "optional", when-varying = "paired" }',
                kind="missing-in-parent",
            )
        return PerInstance.of(values)

    def rule(self) -> str:
        """Return the rule in a few words."""
        return "copy from the paired parent instance"


def _from_series(element: VirtualElement, env: SeriesEnvironment) -> DataElement | None:
    """Return the parent's element if it has one, refusing a value that differs between instances."""
    if env.parents is None:
        return None
    if env.parents.varies(element.tag):
        hint = 'copy it for each instance, with "copy-instance" (InstanceCopyElement)'
        if element.tag in ONE_IN_A_SERIES:
            hint = "the output is one series: give it a value in the blueprint, or fewer parents"
        raise element.problem(
            "differs between the instances of the parent series",
            hint=hint,
            kind="varies-in-parent",
        )
    return _of_instance(element.tag, env.parents, 0)


def copied_column(
    tag: AnyTag, vr: str | None, parents: ParentSeries, indices: Iterable[int | None]
) -> list[DataElement | EncodedElement | None]:
    """Return an element of each of these parent instances, encoded where it need not be decoded.

    Parameters
    ----------
    tag, vr
        The element; a VR that is not the parent's makes it be decoded.
    parents : ParentSeries
        The parents.
    indices : iterable of int or None
        Which of them; None gives None.

    """
    encoded: dict[bytes, EncodedElement | None] = {}  # from what was read: many have the same
    raws = parents.raw_elements(tag)

    def value_at(index: int) -> DataElement | EncodedElement | None:
        raw = raws[index]
        if raw is None or (vr or raw.VR) != raw.VR or raw.value is None:
            return _of_instance(tag, parents, index)
        if raw.value not in encoded:
            encoded[raw.value] = copy_encoded(raw)
        return encoded[raw.value] or _of_instance(tag, parents, index)

    return [None if index is None else value_at(index) for index in indices]


def _of_instance(tag: AnyTag, parents: ParentSeries, index: int) -> DataElement | None:
    """Return an element of one parent instance; a private one wherever its creator's block is."""
    if not isinstance(tag, PrivateTag):
        return parents.element(tag, index)
    try:
        block = parents[index].private_block(tag.group, tag.creator)
    except KeyError:
        return None
    return parents.element(block.get_tag(tag.offset), index)
