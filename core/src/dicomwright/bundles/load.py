"""From a blueprint file to a `Blueprint`; everything that is wrong in it and its bases is said at once."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from dicomwright.blueprint.blueprint import Blueprint
from dicomwright.blueprint.tags import describe, to_tag
from dicomwright.bundles.conditions import Condition, ConditionalElement
from dicomwright.bundles.context import RuleContext
from dicomwright.bundles.document import Document, parse
from dicomwright.bundles.making import ElementType
from dicomwright.bundles.sources import Source, find, from_path, is_path, printable, resource, shipped, shown
from dicomwright.errors import BlueprintError, DicomwrightError, PluginError, Problem
from dicomwright.plugins import default

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Mapping

    from dicomwright.blueprint.elements import VirtualElement
    from dicomwright.blueprint.tags import AnyTag
    from dicomwright.bundles.toml_lines import Key
    from dicomwright.plugins import PluginSet

__all__ = ["MAX_DEPTH", "MAX_ELEMENTS", "MAX_FILES", "base_of", "load_blueprint", "read_blueprint"]

#: Longest chain of files that extend each other.
MAX_DEPTH = 10
#: Most files that one blueprint is made of.
MAX_FILES = 64
#: Most rules of one file, those in sequences included.
MAX_ELEMENTS = 5000
#: Longest way to a rule inside rules and items, in keys: a sequence takes three.
MAX_NESTING = 48

_OPTION_VR = "vr"
_OPTION_IF = "only-if"
_TAG = re.compile(r"\([0-9A-F]{4},[0-9A-Fx]{4}\)")


def load_blueprint(name_or_path: str | os.PathLike[str], plugin_set: PluginSet | None = None) -> Blueprint:
    """Return the blueprint of a blueprint file, or a shipped one by its name.

    Examples
    --------
    >>> blueprint = load_blueprint("mr-image")
    >>> blueprint["Modality"].value
    'MR'
    >>> blueprint["Modality"].origin.rpartition(":")[0]
    'dicomwright/blueprints/mr-image.toml'

    Parameters
    ----------
    name_or_path : str or path
        A text with a slash or that ends in ``.toml`` is a path, any other the name of a shipped blueprint.
    plugin_set : PluginSet, optional
        Where element types and functions are looked up; all plug-ins if not given.

    Raises
    ------
    BlueprintError
        There is no such blueprint, or it or what it extends is wrong; all problems are in the error, each with
        file and line.

    """
    blueprint, problems = read_blueprint(name_or_path, plugin_set)
    if problems:
        raise BlueprintError.collect(problems)
    return blueprint


def read_blueprint(
    name_or_path: str | os.PathLike[str], plugin_set: PluginSet | None = None
) -> tuple[Blueprint, list[Problem]]:
    """Return what can be read of a blueprint file, and what is wrong with the rest.

    Raises
    ------
    BlueprintError
        There is no such blueprint.

    """
    loader = _Loader(default() if plugin_set is None else plugin_set)
    return loader.load(find(name_or_path)), loader.problems


def base_of(document: Document, name: str) -> Source:
    """Return the file that another one extends: a shipped one by name, or a path from the file's folder.

    Raises
    ------
    BlueprintError
        There is none, or it cannot be read.

    """
    if not is_path(name):
        return shipped(name)
    if document.source.folder is None:
        raise BlueprintError(f"a shipped blueprint extends shipped ones only, not {shown(name)}")
    return from_path(document.source.folder / name)


@dataclass
class _Loader:
    """Loads one blueprint with all that it extends."""

    plugin_set: PluginSet
    problems: list[Problem] = field(default_factory=list)
    done: dict[str, Blueprint] = field(default_factory=dict)
    chain: list[Source] = field(default_factory=list)

    def load(self, source: Source) -> Blueprint:
        """Return the blueprint of a file, each file once; problems are added to `problems`."""
        if source.key in self.done:
            return self.done[source.key]
        try:
            document = parse(source)
        except BlueprintError as error:
            self.problems.extend(error.problems)
            document = Document(source)
        self.problems.extend(document.problems)
        self.chain.append(source)
        blueprint = Blueprint()
        for name, loc in document.extends.items():
            blueprint += self.base(document, name, loc)
        blueprint += _Rules(self.plugin_set, document, self.problems).read()
        self.chain.pop()
        self.done[source.key] = blueprint
        return blueprint

    def base(self, document: Document, name: str, loc: str) -> Blueprint:
        """Return the blueprint of a base, an empty one if it cannot be had."""
        try:
            source = base_of(document, name)
        except BlueprintError as error:
            through = f" (through {self.shown_chain()})" if len(self.chain) > 1 else ""
            self.problems += [
                replace(problem, message=f"extends: {problem.message}{through}", loc=loc)
                if not problem.loc
                else problem
                for problem in error.problems
            ]
            return Blueprint()
        refusal = self.refusal(source)
        if refusal:
            self.problems.append(Problem(*refusal, loc=loc, kind="extends"))
            return Blueprint()
        return self.load(source)

    def refusal(self, source: Source) -> tuple[str, str] | None:
        """Say why a base is not followed, and what to do."""
        keys = [one.key for one in self.chain]
        if source.key in keys:
            circle = self.shown_chain(keys.index(source.key), source)
            return f"extends goes in a circle: {circle}", "take one of them out"
        if len(self.chain) >= MAX_DEPTH:
            return f"extends goes deeper than {MAX_DEPTH} files: {self.shown_chain(0, source)}", "flatten it"
        if len(self.done) + len(self.chain) >= MAX_FILES and source.key not in self.done:
            return f"the blueprint is made of more than {MAX_FILES} files", "join some"
        return None

    def shown_chain(self, start: int = 0, *more: Source) -> str:
        """Return the files from one to the last, for people."""
        return " → ".join(source.name for source in [*self.chain[start:], *more])


@dataclass
class _Rules:
    """Reads the rules of one file. It is the `RuleReader` of its contexts."""

    plugin_set: PluginSet
    document: Document
    problems: list[Problem]
    count: int = 0

    def read(self) -> Blueprint:
        """Return the blueprint of the file's own rules."""
        return self.items(self.document.elements, ("elements",))

    def items(self, data: Mapping[str, Any], key: Key) -> Blueprint:
        """Return the blueprint of a table of rules; what is wrong is added to `problems`."""
        elements: dict[AnyTag, VirtualElement] = {}
        for name, rule in data.items():
            self.count += 1
            if self.count > MAX_ELEMENTS:
                if self.count == MAX_ELEMENTS + 1:
                    self.add(f"the file has more than {MAX_ELEMENTS} rules", (*key, name), "split it")
                break
            try:
                tag = to_tag(name)
                element = self.rule(tag, rule, (*key, name), None)
            except DicomwrightError as error:
                self.extend(error, (*key, name))
                continue
            if tag in elements:
                self.add(f"{describe(tag)} has a rule already", (*key, name), "keep one of the two")
            elements[tag] = element
        return Blueprint(elements.values())

    def resource(self, path: str) -> bytes:
        """Return the bytes of a data file beside the blueprint file."""
        return resource(self.document.source, path)

    def rule(self, tag: AnyTag, data: Any, key: Key, vr: str | None) -> VirtualElement:
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
        kind = ElementType(self.plugin_set, name)
        condition = Condition.read(options.pop(_OPTION_IF)) if _OPTION_IF in options else None
        wrong = kind.check(tag, value, options, lambda one: self.document.loc(*key, one))
        if wrong:
            raise BlueprintError.collect(wrong)
        given_vr = options.pop(_OPTION_VR, vr)
        if given_vr is not None and not isinstance(given_vr, str):
            raise BlueprintError(f"vr is {shown(given_vr)}, not a text", hint='such as vr = "LO"', loc=loc)
        context = RuleContext(loc, given_vr, options, key, self)
        element = kind.make(tag, value, context)
        if condition is not None:
            element.origin = loc
            element = ConditionalElement(element, condition)
        element.origin = loc
        return element

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
        known = [key for key in data if key in self.plugin_set.registry("element-type")]
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
        unknown = [key for key in data if key not in (_OPTION_VR, _OPTION_IF)]
        if not unknown:
            names = ", ".join(self.plugin_set.registry("element-type").names())
            return BlueprintError(
                f"the rule of {describe(tag)} names no element type",
                hint=f"one of {names}",
                loc=loc,
                kind="bad-rule",
            )
        return self.unknown_type(unknown[0], loc)

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
