"""Checks of presence: types 1, 1C, 2 and 2C, modules, and what the IOD does not have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dicomwright.lint.findings import name_of
from dicomwright.lint.tables import attributes_of, first_places, level_tags, required, required_of_module
from dicomwright.lint.views import COPIES, RuleView
from dicomwright.standard.conditions import Decision, decide, decide_module

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dicomwright.lint.checks import Level
    from dicomwright.lint.findings import Finding, Severity
    from dicomwright.standard import Attribute, ModuleUse

__all__ = ["presence_findings"]

#: Layers whose attributes are looked at: what users write. Encoders may extend an IOD (PS3.2) knowingly.
USER_LAYER = "blueprint"
_WINDOW = (0x00281050, 0x00281051)  # one number of a window means nothing without the other
_CREATED_BY_ENGINE = frozenset({0x00080005})
#: Each functional group stands either in the shared or in the per-frame sequence (PS3.3 C.7.6.16.1.1).
_FUNCTIONAL_GROUPS = ((0x52009229,), (0x52009230,))


def presence_findings(level: Level) -> Iterator[Finding]:
    """Yield what is missing, empty, forbidden or unknown at a level."""
    key = level.iod.key
    if level.path and not level_tags(key, level.path):
        return
    if level.path not in _FUNCTIONAL_GROUPS:
        for attribute in required(key, level.path, "MCU" if level.path else "M"):
            yield from _attribute(level, attribute)
    if not level.path:
        for module in level.iod.modules:
            if module.usage != "M":
                yield from _module(level, module)
    yield from _unknown(level)


def _attribute(level: Level, attribute: Attribute) -> Iterator[Finding]:
    """Yield what is wrong with one attribute that is required in some or any case."""
    tag = attribute.tag
    if tag in level.given or tag in _CREATED_BY_ENGINE:
        return
    present = level.here.present(tag)
    if attribute.required:
        if present is False:
            yield _missing(level, attribute, "missing")
        elif attribute.type == "1":
            yield from _empty(level, attribute)
        return
    decision = decide(level.iod, attribute, level.views)
    if decision is Decision.REQUIRED and present is False:
        yield _missing(level, attribute, "conditional")
    elif decision is Decision.REQUIRED and attribute.type == "1C":
        yield from _empty(level, attribute)
    elif decision is Decision.FORBIDDEN and present:
        yield _forbidden(level, attribute)
    elif decision is Decision.UNDECIDED and level.notes and present is False and not level.path:
        yield level.finding(
            "note",
            "condition",
            attribute,
            f"{attribute} is not produced; whether it is required is not decided here: "
            f"{attribute.condition or 'its condition is younger than the tables'}",
            "add it if that is the case",
        )


def _missing(level: Level, attribute: Attribute, kind: str) -> Finding:
    """Return the finding for an attribute that nothing produces."""
    may_be_empty = attribute.type.startswith("2")
    why = f", required here: {attribute.condition}" if kind == "conditional" and attribute.condition else ""
    rule = "it may be empty" if may_be_empty else "it needs a value"
    name = name_of(attribute.tag)
    example = f'{name} = {{ copy-or-else = "" }}' if may_be_empty else f"{name} = {{ static = ... }}"
    return level.finding(
        _severity(level),
        kind,
        attribute,
        f"{attribute} is not produced{why}",
        f"{rule}; add it, as {example}",
    )


def _severity(level: Level) -> Severity:
    """Return how bad it is that something is missing: what no reader needs does not stop a build."""
    return "warning" if level.optional else "error"


def _empty(level: Level, attribute: Attribute) -> Iterator[Finding]:
    """Yield a finding if an attribute of type 1 is known to be empty."""
    tag, view = attribute.tag, level.here
    if view.present(tag) is True and view.value(tag) is None:
        yield level.finding(
            _severity(level),
            "empty",
            attribute,
            f"{attribute} is empty",
            _of_empty(attribute),
        )


def _of_empty(attribute: Attribute) -> str:
    """Say what to do about an empty attribute; dates are empty where a reproducible build knows no instant."""
    if name_of(attribute.tag).endswith(("Date", "Time")):
        return "give it a value; a reproducible build takes it from instant (--instant) or the parents"
    return "give it a value, or discard what it belongs to"


def _forbidden(level: Level, attribute: Attribute) -> Finding:
    """Return the finding for an attribute that must not be there; a copied one is the parent's mistake."""
    view = level.here
    copied = isinstance(view, RuleView) and isinstance(view.rules[attribute.tag].element, COPIES)
    return level.finding(
        "warning" if copied else "error",
        "forbidden",
        attribute,
        f"{attribute} must not be there in this case: {attribute.condition or 'see PS3.3'}",
        "discard it, or what forbids it",
    )


def _module(level: Level, module: ModuleUse) -> Iterator[Finding]:
    """Yield what a conditional or optional module lacks, if it is required or some of it is there."""
    is_required = module.usage == "C" and decide_module(level.iod, module, level.here) is Decision.REQUIRED
    if not is_required and not _is_begun(level, module):
        return
    for attribute in required_of_module(level.iod.key, module.key):
        if attribute.tag in level.given or not _needed(level, attribute):
            continue
        if level.here.present(attribute.tag) is False:
            found = _missing(level, attribute, "missing" if attribute.required else "conditional")
            yield found if is_required or attribute.tag in _WINDOW else _as_warning(level, attribute, module)
        elif attribute.type.startswith("1"):
            yield from _empty(level, attribute)


def _needed(level: Level, attribute: Attribute) -> bool:
    """Tell whether an attribute of a module is required, its condition being known to hold."""
    return attribute.required or decide(level.iod, attribute, level.views) is Decision.REQUIRED


def _is_begun(level: Level, module: ModuleUse) -> bool:
    """Tell whether an attribute is there that no other module of the IOD has."""
    rows = attributes_of(level.iod.key, ())
    own = (found.tag for found in required_of_module(level.iod.key, module.key))
    return any(len(rows[tag]) == 1 and level.here.present(tag) is True for tag in own)


def _as_warning(level: Level, attribute: Attribute, module: ModuleUse) -> Finding:
    return level.finding(
        "warning",
        "module",
        attribute,
        f"{attribute} is not produced, and other attributes of the {module.name} module are",
        "add it, or discard the others",
    )


def _unknown(level: Level) -> Iterator[Finding]:
    """Yield attributes that users add and the IOD does not have at this place."""
    known = level_tags(level.iod.key, level.path)
    view = level.here
    for tag in view.tags():
        if tag in known or tag >> 16 & 1 or (tag & 0xFF00FFFF) in known:
            continue
        if isinstance(view, RuleView) and not level.path and view.rules[tag].layer != USER_LAYER:
            continue
        where = f"in items of {name_of(level.path[-1])}" if level.path else f"of the {level.iod.name} IOD"
        yield level.finding(
            "warning",
            "not-in-iod",
            tag,
            f"{name_of(tag)} ({tag >> 16:04X},{tag & 0xFFFF:04X}) is no attribute {where}{_homes(level, tag)}",
            "discard it, or keep it as a standard extension (PS3.2)",
        )


def _homes(level: Level, tag: int) -> str:
    """Say at which other place of the IOD an attribute belongs."""
    path = first_places(level.iod.key).get(tag)
    if path is None or path == level.path:
        return ""
    return f", where it belongs into {'.'.join(map(name_of, path))}" if path else ", but of its top level"
