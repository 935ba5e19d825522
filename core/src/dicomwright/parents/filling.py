"""What an output takes from its parent when the filling strategy is COPY.

Every element that no blueprint names is copied, except what a derived object must not inherit. Each
exception belongs to a named rule of `FILLING_RULES`; what a rule has left out is reported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pydicom.datadict import keyword_for_tag
from pydicom.dataelem import DataElement

from dicomwright._dataclass import dataclass
from dicomwright.errors import ParentError
from dicomwright.parents.checks import text
from dicomwright.parents.copying import decoded, fresh_element
from dicomwright.parents.filling_rules import FILLING_RULES, LOSSY, FillingRule

if TYPE_CHECKING:
    from collections.abc import Container

    from pydicom.tag import BaseTag

    from dicomwright.parents.series import ParentSeries

__all__ = ["FILLING_RULES", "Filling", "FillingRule", "LeftOut", "fill_from"]

_LOSSY_FLAG = 0x00282110


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An element of the parent that was not copied.

    Attributes
    ----------
    tag : int
        Its tag.
    keyword : str
        Its keyword; empty for private and unknown elements.
    rule : str
        The name of the rule, one of `FILLING_RULES`.

    """

    tag: int
    keyword: str
    rule: str


class Filling(NamedTuple):
    """What COPY takes from a parent series.

    Attributes
    ----------
    constants : tuple of DataElement
        Fresh, in tag order: the same in every parent instance.
    varying : tuple of int
        Tags that differ between the parent instances, to be copied instance by instance.
    left_out : tuple of LeftOut
        What was not copied, in tag order.

    """

    constants: tuple[DataElement, ...]
    varying: tuple[int, ...]
    left_out: tuple[LeftOut, ...]


def fill_from(
    parent: ParentSeries,
    named: Container[int],
    keep_private: bool = False,
    belongs: Container[int] | None = None,
) -> Filling:
    """Collect what the filling strategy COPY takes from a parent series.

    Parameters
    ----------
    parent : ParentSeries
        The parents.
    named : container of int
        Tags that a blueprint names (to produce or to discard); they are neither copied nor reported.
    keep_private : bool
        Copy private blocks too, also within sequences.
    belongs : container of int, optional
        Tags that the IOD of the output has, if it is another than the parents'. Others are left out.

    """
    constants: list[DataElement] = []
    varying: list[int] = []
    left_out: list[LeftOut] = []
    for tag in sorted({tag for dataset in parent.datasets for tag in dataset.keys()}):  # noqa: SIM118 - not a dict
        if tag in named:
            continue
        rule = _rule(tag, parent, keep_private=keep_private)
        if not rule and belongs is not None and not tag.is_private and tag not in belongs:
            rule = "other-iod"
        if not rule:
            rule = _take(parent, tag, constants, varying, keep_private=keep_private)
        if rule:
            left_out.append(LeftOut(int(tag), keyword_for_tag(tag), rule))
    if parent.lossy and _LOSSY_FLAG not in named:
        constants.append(DataElement(_LOSSY_FLAG, "CS", "01"))
        constants.sort(key=lambda element: element.tag)
    return Filling(tuple(constants), tuple(varying), tuple(left_out))


def _rule(tag: BaseTag, parent: ParentSeries, *, keep_private: bool) -> str:
    """Return the name of the rule by which a tag stays out; empty when it may be copied."""
    if tag in LOSSY:
        return _lossy_rule(tag, parent)
    for rule in FILLING_RULES:
        if rule.matches(tag) and not (rule.name == "private" and keep_private):
            return rule.name
    return ""


def _lossy_rule(tag: BaseTag, parent: ParentSeries) -> str:
    """Keep the history of lossy compression (PS3.3 C.7.6.1.1.5) only as far as it holds for every output."""
    if not parent.lossy:
        return "" if tag == _LOSSY_FLAG and not parent.varies(tag) else "lossy-compression"
    if tag == _LOSSY_FLAG:
        return "" if _says_lossy_everywhere(parent) else "lossy-compression"
    return "lossy-compression" if parent.varies(tag) else ""


def _says_lossy_everywhere(parent: ParentSeries) -> bool:
    return all(text(dataset, _LOSSY_FLAG) == "01" for dataset in parent.datasets)


def _take(
    parent: ParentSeries,
    tag: BaseTag,
    constants: list[DataElement],
    varying: list[int],
    *,
    keep_private: bool,
) -> str:
    """Add a tag to the constants or the varying ones; return the rule when it cannot be decoded."""
    if tag == _LOSSY_FLAG and parent.lossy:
        return ""  # added once, as 01
    try:
        if parent.varies(tag):
            varying.append(int(tag))
            return ""
        dataset = parent.first
        little = dataset.original_encoding[1] is not False
        element = decoded(dataset, tag)
        constants.append(fresh_element(element, little_endian=little, keep_private=keep_private))
    except ParentError:
        return "undecodable"
    return ""
