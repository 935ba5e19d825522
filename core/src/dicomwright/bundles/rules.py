"""The rules of one blueprint file, read over those of the files that it extends."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from dicomwright.blueprint.blueprint import Blueprint, element_at, final_problems
from dicomwright.blueprint.tags import describe, to_tag
from dicomwright.bundles.conditions import Condition, ConditionalElement
from dicomwright.bundles.context import RuleContext
from dicomwright.bundles.laying import Notes
from dicomwright.bundles.making import EVERYWHERE, ElementType, types_named
from dicomwright.bundles.sources import printable, resource, shown
from dicomwright.errors import BlueprintError, DicomwrightError, PluginError, Problem
from dicomwright.plugins.known import known_owner

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dicomwright.blueprint.elements import VirtualElement
    from dicomwright.blueprint.tags import AnyTag
    from dicomwright.bundles.document import Document
    from dicomwright.bundles.parameters import Parameter
    from dicomwright.bundles.toml_lines import Key
    from dicomwright.plugins import PluginSet

__all__ = ["MAX_ELEMENTS", "MAX_NESTING", "Rules"]

#: Most rules of one file, those in sequences included.
MAX_ELEMENTS = 5000
#: Most problems of a blueprint until no more rules are read: each may take a search for the word that was meant.
MAX_PROBLEMS = 200
#: Longest way to a rule inside rules and items, in keys: a sequence takes three.
MAX_NESTING = 48

_OPTION_VR = "vr"
_OPTION_IF = "only-if"
_OPTION_FINAL = "final"
_WHOLE = ("append", "remove")
_TAG = re.compile(r"\([0-9A-F]{4},[0-9A-Fx]{4}\)")


@dataclass
class Rules:
    """Reads the rules of one file. It is the `RuleReader` of its contexts.

    Attributes
    ----------
    plugin_set : PluginSet
        Where element types and functions are looked up.
    document : Document
        The file.
    problems : list of Problem
        Where what is wrong is added.
    parameters : mapping
        The parameters that the file may use.
    declared : mapping
        Those of all files, the last word about each.
    notes : Notes
        What is kept of the elements.
    resources : dict of str to list of bytes
        The data files that were read: by path all the contents.

    """

    plugin_set: PluginSet
    document: Document
    problems: list[Problem]
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    declared: Mapping[str, Parameter] = field(default_factory=dict)
    notes: Notes = field(default_factory=Notes)
    resources: dict[str, list[bytes]] = field(default_factory=dict)
    count: int = 0

    def read(self, base: Blueprint) -> Blueprint:
        """Return the file's own rules, laid over those of its bases."""
        return self.items(self.document.elements, ("elements",), base)

    def items(self, data: Mapping[str, Any], key: Key, base: Blueprint | None = None) -> Blueprint:
        """Return the blueprint of a table of rules, laid over another; what is wrong is added to `problems`."""
        elements: dict[AnyTag, VirtualElement] = {}
        for name, rule in data.items():
            if self.is_full((*key, name)):
                break
            try:
                tag = to_tag(name)
                older = element_at(base, tag)
                element = self.rule(tag, rule, (*key, name), None, older)
            except DicomwrightError as error:
                self.extend(error, (*key, name))
                continue
            if tag in elements:
                self.add(f"{describe(tag)} has a rule already", (*key, name), "keep one of the two")
            lost = [] if older is None else final_problems(older, element)
            self.problems += lost
            if not lost:
                elements[tag] = element
        own = Blueprint(elements.values())
        return own if base is None else base + own

    def is_full(self, key: Key) -> bool:
        """Count a rule; True if it is not read any more, which is said once."""
        if len(self.problems) > MAX_PROBLEMS:
            return True
        self.count += 1
        if self.count == MAX_ELEMENTS + 1:
            self.add(f"the file has more than {MAX_ELEMENTS} rules", key, "split it")
        elif len(self.problems) == MAX_PROBLEMS:
            self.add(
                f"rules are read until {MAX_PROBLEMS} things are wrong, and no further",
                key,
                "mend these first",
            )
        return self.count > MAX_ELEMENTS or len(self.problems) > MAX_PROBLEMS

    def resource(self, path: str) -> bytes:
        """Return the bytes of a data file beside the blueprint file."""
        data = resource(self.document.source, path)
        known = self.resources.setdefault(path, [])
        if data not in known:
            known.append(data)
        return data

    def parameter(self, name: str) -> Mapping[str, Parameter]:
        """Return the declarations, one of which is of this name.

        Raises
        ------
        BlueprintError
            None is.

        """
        if name in self.parameters:
            return self.declared
        known = ", ".join(sorted(self.parameters))
        raise BlueprintError(
            f"there is no parameter {shown(name)}",
            hint=f"declared are {known}" if known else f'write [parameters] {name} = {{ type = "LO" }}',
            kind="unknown-parameter",
        )

    def rule(
        self, tag: AnyTag, data: Any, key: Key, vr: str | None, base: VirtualElement | None = None
    ) -> VirtualElement:
        """Return the element of one rule.

        Raises
        ------
        DicomwrightError
            The rule is wrong.

        """
        loc = self.document.loc(*key)
        if len(key) > MAX_NESTING:
            raise BlueprintError("rules are nested too deeply", loc=loc, kind="too-large")
        name, value, options = self.taken_apart(tag, data, loc)
        kind = self.notes.types.get(name) or self.notes.types.setdefault(
            name, ElementType(self.plugin_set, name)
        )
        condition = Condition.read(options.pop(_OPTION_IF)) if _OPTION_IF in options else None
        is_final = self.is_final(options.pop(_OPTION_FINAL, False), loc)
        wrong = kind.check(tag, value, options, lambda one: self.document.loc(*key, one))
        if wrong:
            raise BlueprintError.collect(wrong)
        given_vr = options.pop(_OPTION_VR, vr)
        if given_vr is not None and not isinstance(given_vr, str):
            raise BlueprintError(f"vr is {shown(given_vr)}, not a text", hint='such as vr = "LO"', loc=loc)
        element = kind.make(tag, value, RuleContext(loc, given_vr, options, key, self, base))
        if condition is not None:
            element.origin = loc
            element = ConditionalElement(element, condition)
        element.origin = loc
        if is_final:
            element.final = True
        self.notes.written[id(element)] = (element, data)
        if name in _WHOLE or options.get("replace"):
            self.notes.whole.add(id(element))
        return element

    def is_final(self, data: Any, loc: str) -> bool:
        """Return whether a rule is final."""
        if isinstance(data, bool):
            return data
        raise BlueprintError(f"final is {shown(data)}", hint="write final = true", loc=loc, kind="bad-rule")

    def taken_apart(self, tag: AnyTag, data: Any, loc: str) -> tuple[str, Any, dict[str, Any]]:
        """Return a rule's element type, what stands behind it, and the other keys."""
        if isinstance(data, str):
            if data in self.plugin_set.registry("element-type"):
                return data, None, {}
            raise self.unknown_type(data, loc, f"for a fixed value write {{ static = {shown(data)} }}")
        if not isinstance(data, dict):
            raise BlueprintError(
                f"the rule of {describe(tag)} is {shown(data)}, neither a name nor a table",
                hint=f"for a fixed value write {{ static = {shown(data)} }}",
                loc=loc,
                kind="bad-rule",
            )
        known = types_named(self.plugin_set, data)
        if len(known) > 1:
            raise BlueprintError(
                f"the rule of {describe(tag)} is of {len(known)} kinds: {', '.join(known)}",
                hint="keep one",
                loc=loc,
                kind="bad-rule",
            )
        if not known:
            raise self.no_type(tag, data, loc)
        others = {key: value for key, value in data.items() if key != known[0]}
        return known[0], data[known[0]], others

    def no_type(self, tag: AnyTag, data: Mapping[str, Any], loc: str) -> DicomwrightError:
        """Return the error for a table that names no element type."""
        unknown = [key for key in data if key not in EVERYWHERE]
        if not unknown:
            names = ", ".join(self.plugin_set.registry("element-type").names())
            return BlueprintError(
                f"the rule of {describe(tag)} names no element type",
                hint=f"one of {names}",
                loc=loc,
                kind="bad-rule",
            )
        ours = (key for key in unknown if known_owner("element-type", key))  # not installed
        inner = (f"{key}.{part}" for key in unknown if isinstance(data[key], dict) for part in data[key])
        meant = next((name for name in inner if name in self.plugin_set.registry("element-type")), "")
        hint = f'TOML takes the point apart; write {{ "{meant}" = ... }}' if meant else ""
        return self.unknown_type(next(ours, unknown[0]), loc, hint)

    def unknown_type(self, name: str, loc: str, hint: str = "") -> DicomwrightError:
        """Return the error for an element type that there is not."""
        try:
            self.plugin_set.registry("element-type").spec(name)
        except PluginError as error:
            told = error.problems[0]
            hints = "; ".join(filter(None, (told.hint, hint)))
            return BlueprintError(told.message, hint=hints, loc=loc, kind=told.kind)
        return BlueprintError(f"element type {shown(name)} cannot be used", hint=hint, loc=loc)

    def extend(self, error: DicomwrightError, key: Key) -> None:
        """Add the problems of a rule, those without a place at the rule's."""
        self.problems.extend(self.placed(error, key))

    def placed(self, error: DicomwrightError, key: Key) -> Iterator[Problem]:
        """Yield the problems of a rule with a place in this file."""
        for problem in error.problems:
            here = problem.loc.startswith(f"{self.document.source.name}:")
            yield replace(
                problem,
                message=printable(_naming(problem.message, key)),
                hint=printable(problem.hint),
                loc=problem.loc if here else self.document.loc(*key),
            )

    def add(self, message: str, key: Key, hint: str = "") -> None:
        """Add a problem."""
        self.problems.append(Problem(message, hint, self.document.loc(*key), "bad-rule"))


def _naming(message: str, key: Key) -> str:
    """Return a message that names the tag of its rule."""
    try:
        tag = describe(to_tag(key[-1]))
    except DicomwrightError:
        return message
    return message if tag in message or _TAG.search(message) else f"{tag}: {message}"
