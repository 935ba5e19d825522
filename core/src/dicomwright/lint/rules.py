"""Checks of rules: what the encoder overrides, and what a blueprint fixes that should be new each time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dicomwright.blueprint.elements import DiscardElement
from dicomwright.blueprint.tags import PrivateTag, describe
from dicomwright.engine.nodes import plain_value
from dicomwright.engine.private import Blocks, is_creator, orphans
from dicomwright.lint.findings import CORRECT, Finding
from dicomwright.lint.presence import USER_LAYER
from dicomwright.lint.views import COPIES, static_value
from dicomwright.standard.conditions import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dicomwright.engine.rules import Rule

__all__ = ["fixed_uids", "homeless", "illegal_values", "overridden"]

_NEW_EACH_TIME = (0x0020000E, 0x00080018)
_SHIPPED = "dicomwright/blueprints/"


def overridden(rules: Iterable[Rule], *, notes: bool = False) -> Iterator[Finding]:
    """Yield rules of the user that a stronger layer overrides; copies in vain are notes."""
    for rule in rules:
        if rule.layer == USER_LAYER or isinstance(rule.tag, PrivateTag):
            continue
        lost = next((weaker for weaker in rule.overrode if weaker.layer == USER_LAYER), None)
        if lost is None or lost.element.origin.startswith(_SHIPPED):
            continue
        soft = isinstance(lost.element, COPIES)
        if soft and not notes:
            continue
        yield Finding(
            "note" if soft else "warning",
            "overridden",
            (int(rule.tag),),
            f"{describe(rule.tag)}: {lost.element.rule()} has no effect, {rule.layer} gives the value",
            "take it out of the blueprint",
            origin=lost.element.origin,
        )


def fixed_uids(rules: Iterable[Rule]) -> Iterator[Finding]:
    """Yield identifiers that would be the same in each build."""
    for rule in rules:
        if rule.tag in _NEW_EACH_TIME and static_value(rule.element) is not UNKNOWN:
            yield Finding(
                "warning",
                "fixed-uid",
                (int(rule.tag),),
                f"{describe(rule.tag)} is fixed, so that two builds give two series of one identity",
                'write { series = "uid" } or { instance = "uid" }',
                origin=rule.element.origin,
            )


def illegal_values(rules: Iterable[Rule]) -> Iterator[Finding]:
    """Yield fixed values that are not legal for their VR (PS3.5 section 6.2), at every level."""
    for rule in rules:
        element = rule.element
        if isinstance(rule.tag, PrivateTag) or isinstance(element, DiscardElement):
            continue
        value = static_value(element)
        if value is not UNKNOWN and element.vr:
            _, problems = plain_value(int(rule.tag), element.vr, value)
            for problem in problems:
                fix = problem.hint or CORRECT
                yield Finding("error", "value", (int(rule.tag),), problem.message, fix, origin=element.origin)


def homeless(rules: Iterable[Rule]) -> Iterator[Finding]:
    """Yield private elements whose block has no creator, unless the parent may have it (PS3.5 section 7.8.1)."""
    plain = {int(rule.tag): rule.element for rule in rules if not isinstance(rule.tag, PrivateTag)}
    there = {tag: element for tag, element in plain.items() if not isinstance(element, DiscardElement)}
    blocks = Blocks({tag: "" for tag in there if is_creator(tag)}, {})
    origins = {tag: element.origin for tag, element in there.items() if not isinstance(element, COPIES)}
    yield from (Finding.of_problem(problem, "value") for problem in orphans(origins, blocks))
