"""The rules of a blueprint one by one, at every level, and what differs between two blueprints."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dicomwright.blueprint.elements import SequenceElement
from dicomwright.blueprint.tags import PrivateTag
from dicomwright.reproducible import stable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dicomwright.blueprint.blueprint import Blueprint
    from dicomwright.blueprint.elements import VirtualElement

__all__ = ["Difference", "RuleRow", "differences", "rows_of"]


@dataclass(frozen=True)
class RuleRow:
    """One rule of a blueprint.

    Attributes
    ----------
    path : str
        The keyword, or the tag where it has none; inside sequences after those, as
        ``DerivationCodeSequence[1].CodeValue``.
    tag, vr, rule : str
        ``(gggg,eeee)``; the VR, empty if the parent has it; the rule in a few words.
    final : bool
        Whether no stronger blueprint may have another.
    origin : str
        ``file:line``.
    overrode : tuple of str
        The weaker rules, each with its ``file:line``, the strongest first.
    name : str
        The last part of `path`.
    above : tuple of str
        The tags of the sequences that it stands in, outermost first.

    """

    path: str
    tag: str
    vr: str
    rule: str
    final: bool
    origin: str
    overrode: tuple[str, ...] = ()
    name: str = ""
    above: tuple[str, ...] = ()
    key: Any = field(default=None, repr=False, compare=False)

    def as_dict(self) -> dict[str, Any]:
        """Return it as what JSON can hold."""
        return {
            "path": self.path,
            "tag": self.tag,
            "vr": self.vr,
            "rule": self.rule,
            "final": self.final,
            "origin": self.origin,
            "overrode": list(self.overrode),
        }


@dataclass(frozen=True)
class Difference:
    """What differs in one rule; None for a blueprint that does not have it."""

    path: str
    old: RuleRow | None
    new: RuleRow | None

    def as_dict(self) -> dict[str, Any]:
        """Return it as what JSON can hold."""
        change = "added" if self.old is None else "removed" if self.new is None else "changed"
        return {
            "path": self.path,
            "change": change,
            "old": None if self.old is None else self.old.as_dict(),
            "new": None if self.new is None else self.new.as_dict(),
        }


def rows_of(blueprint: Blueprint, path: str = "", above: tuple[str, ...] = ()) -> Iterator[RuleRow]:
    """Yield the rules of a blueprint, those in items behind that of their sequence."""
    for element in blueprint:
        tag, keyword = _named(element)
        here = f"{path}{keyword or tag}"
        items = element.blueprints if isinstance(element, SequenceElement) else ()
        yield RuleRow(
            here,
            tag,
            element.vr or "",
            element.rule(),
            element.final,
            element.origin,
            tuple(f"{one.rule()} ({one.origin})" for one in blueprint.replaced(element.tag)),
            keyword or tag,
            above,
            (element.final, element.rule() if items else stable(element)),
        )
        for number, item in enumerate(items, 1):
            yield from rows_of(item, f"{here}[{number}].", (*above, tag))


def differences(old: Blueprint, new: Blueprint) -> list[Difference]:
    """Return the rules that differ; where a rule stands makes no difference."""
    before = {row.path: row for row in rows_of(old)}
    after = {row.path: row for row in rows_of(new)}
    order = {path: (*row.above, row.tag)[0] for path, row in [*after.items(), *before.items()]}
    found = []
    for path in sorted(order, key=lambda path: (order[path], path)):
        one, other = before.get(path), after.get(path)
        if one is None or other is None or one.key != other.key:
            found.append(Difference(path, one, other))
    return found


def _named(element: VirtualElement) -> tuple[str, str]:
    """Return tag and keyword for people."""
    from pydicom.datadict import keyword_for_tag

    tag = element.tag
    if isinstance(tag, PrivateTag):
        return str(tag), ""
    return f"({tag.group:04X},{tag.element:04X})", keyword_for_tag(tag)
