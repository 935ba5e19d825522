"""Decide conditions: whether a type 1C or 2C attribute, a module or a macro has to be there. Never guess.

>>> from dicomwright import standard
>>> from dicomwright.standard.conditions import MappingView, decide
>>> ct = standard.iod("CTImageStorage")
>>> colour = MappingView({0x00280002: 3})
>>> decide(ct, standard.attribute(ct, "PlanarConfiguration"), colour).value
'required'
>>> decide(ct, standard.attribute(ct, "RescaleType"), colour).value
'undecided'
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dicomwright.standard.condition_language import parse
from dicomwright.standard.situation import UNKNOWN, Decision, MappingView, Situation, View
from dicomwright.standard.special_conditions import ATTRIBUTES, GROUPS, MODULES, Special

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dicomwright.standard.iods import Iod
    from dicomwright.standard.model import Attribute, MacroUse, ModuleUse

__all__ = [
    "UNKNOWN",
    "Decision",
    "MappingView",
    "View",
    "decide",
    "decide_macro",
    "decide_module",
]

_ALWAYS = {"1": Decision.REQUIRED, "2": Decision.REQUIRED, "3": Decision.NOT_REQUIRED}
_USAGE = {"M": Decision.REQUIRED, "U": Decision.NOT_REQUIRED}


def decide(iod: Iod, attribute: Attribute, levels: View | Sequence[View]) -> Decision:
    """Return whether an attribute has to be there, given that its module is.

    Parameters
    ----------
    iod : Iod
        The IOD that the attribute was looked up in.
    attribute : Attribute
        What a module of it says. Types 1 and 2 are always required, type 3 never is.
    levels : View, or sequence of View
        What is produced: at the top level, then in an item of each sequence of the attribute's path.

    Returns
    -------
    Decision
        ``REQUIRED``: a type 1C attribute needs a value, a type 2C attribute may be empty. ``FORBIDDEN``: it
        must not be there. ``UNDECIDED``: the condition speaks of things that the object does not show, or of
        values that are not known yet.

    Raises
    ------
    ValueError
        The number of levels does not fit the path.

    """
    if attribute.type in _ALWAYS:
        return _ALWAYS[attribute.type]
    views = levels if isinstance(levels, Sequence) else (levels,)
    situation = Situation(iod, attribute.path, views)
    special = ATTRIBUTES.get((attribute.tag, attribute.module.key)) or ATTRIBUTES.get((attribute.tag, ""))
    return _answer(special, attribute.condition, situation)


def decide_module(iod: Iod, module: ModuleUse, root: View) -> Decision:
    """Return whether a module has to be there; mandatory ones always, user options never."""
    return _decide_use(iod, module, MODULES, root)


def decide_macro(iod: Iod, macro: MacroUse, root: View) -> Decision:
    """Return whether a functional group macro has to be there, shared or per frame."""
    return _decide_use(iod, macro, GROUPS, root)


def _decide_use(iod: Iod, use: ModuleUse | MacroUse, specials: Mapping[str, Special], root: View) -> Decision:
    if use.usage in _USAGE:
        return _USAGE[use.usage]
    return _answer(specials.get(use.key), use.condition, Situation(iod, (), (root,)))


def _answer(special: Special | None, text: str, situation: Situation) -> Decision:
    """Return what was decided by hand, else what the text says, else nothing."""
    decision = special(situation) if special is not None else None
    if decision is not None:
        return decision
    rule = parse(text) if text else None
    return rule.decide(situation) if rule is not None else Decision.UNDECIDED
