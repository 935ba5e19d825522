"""From a blueprint file to a `Blueprint`; everything that is wrong in it and its bases is said at once."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field, replace
from os import PathLike
from typing import TYPE_CHECKING

from dicomwright.blueprint.blueprint import Blueprint
from dicomwright.bundles.bundle_set import BundleSet
from dicomwright.bundles.document import Document, parse
from dicomwright.bundles.laying import Notes, laid
from dicomwright.bundles.parameters import Parameter, check_conflicts, read_parameters
from dicomwright.bundles.rules import MAX_ELEMENTS, MAX_NESTING, Rules
from dicomwright.bundles.sources import SHIPPED, by_id, find, from_path, in_bundle, is_path, shipped, shown
from dicomwright.bundles.stores import is_id
from dicomwright.errors import BlueprintError, Problem
from dicomwright.plugins import default

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dicomwright.bundles.bundle import Bundle
    from dicomwright.bundles.sources import Source
    from dicomwright.plugins import PluginSet

__all__ = [
    "MAX_DEPTH",
    "MAX_ELEMENTS",
    "MAX_FILES",
    "MAX_NESTING",
    "Reading",
    "base_of",
    "keep_shipped",
    "load_blueprint",
    "read_blueprint",
    "read_blueprints",
    "shipped_blueprint",
]

#: Longest chain of files that extend each other.
MAX_DEPTH = 10
#: Most files that one blueprint is made of.
MAX_FILES = 64

_OF_PLUGINS = frozenset(
    {"not-installed", "broken-plugin", "missing-dependency", "unknown-name", "name-conflict"}
)


def load_blueprint(
    name_or_path: str | PathLike[str],
    plugin_set: PluginSet | None = None,
    bundles: BundleSet | Iterable[str | PathLike[str]] = (),
) -> Blueprint:
    """Return the blueprint of a blueprint file, a shipped one by its name, or one of a bundle by its id.

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
        ``BUNDLE/NAME`` is the id of a blueprint in a bundle. Another text with a slash, or one that ends in
        ``.toml``, is a path, any other the name of a shipped blueprint.
    plugin_set : PluginSet, optional
        Where element types and functions are looked up; all plug-ins if not given.
    bundles : BundleSet or iterable of path
        Folders and zips of bundles, besides those of the environment and those that are installed.

    Raises
    ------
    BlueprintError
        There is no such blueprint, or it or what it extends is wrong; all problems are in the error, each with
        file and line.

    """
    return read_blueprints([name_or_path], plugin_set, bundles).whole()


def read_blueprint(
    name_or_path: str | PathLike[str],
    plugin_set: PluginSet | None = None,
    bundles: BundleSet | Iterable[str | PathLike[str]] = (),
) -> tuple[Blueprint, list[Problem]]:
    """Return what can be read of a blueprint file, and what is wrong with the rest."""
    reading = read_blueprints([name_or_path], plugin_set, bundles)
    return reading.blueprint, reading.problems


@dataclass
class Reading:
    """What was read of one or several blueprint files.

    Attributes
    ----------
    blueprint : Blueprint
        The rules, laid over each other.
    problems : list of Problem
        What is wrong.
    parameters : dict
        The parameters, by name.
    sources : list of Source
        The files, in the order in which they were finished.
    notes : Notes
        What is known of the elements.
    resources : dict of str to list of bytes
        The data files that were read: by path all the contents, more than one where folders have different ones.
    summary : str
        That of the last file.
    shipped : dict of str to Blueprint
        The shipped ones among the files, by name.

    """

    blueprint: Blueprint = field(default_factory=Blueprint)
    problems: list[Problem] = field(default_factory=list)
    parameters: dict[str, Parameter] = field(default_factory=dict)
    sources: list[Source] = field(default_factory=list)
    notes: Notes = field(default_factory=Notes)
    resources: dict[str, list[bytes]] = field(default_factory=dict)
    summary: str = ""
    shipped: dict[str, Blueprint] = field(default_factory=dict)

    def whole(self) -> Blueprint:
        """Return the blueprint.

        Raises
        ------
        BlueprintError
            Something is wrong.

        """
        if self.problems:
            raise BlueprintError.collect(dict.fromkeys(self.problems))
        return self.blueprint


_shipped_ones: dict[str, Blueprint] = {}


def shipped_blueprint(name: str) -> Blueprint:
    """Return a shipped blueprint, to be read only: it is the same at every call."""
    if name not in _shipped_ones:
        _shipped_ones[name] = load_blueprint(name)
    return _shipped_ones[name]


def keep_shipped(reading: Reading) -> None:
    """Spare `shipped_blueprint` what was read already, where nobody changes an element of the reading in place."""
    _shipped_ones.update(reading.shipped)


def read_blueprints(
    names: Iterable[str | PathLike[str]],
    plugin_set: PluginSet | None = None,
    bundles: BundleSet | Iterable[str | PathLike[str]] = (),
) -> Reading:
    """Return what can be read of several blueprints, laid over each other as by ``extends``, and what is wrong.

    Raises
    ------
    BlueprintError
        A bundle that is given by path cannot be used.

    """
    if not isinstance(bundles, BundleSet):
        bundles = BundleSet([bundles] if isinstance(bundles, str | PathLike) else bundles)
    if bundles.paths:
        bundles.require_given()
    loader = _Loader(default() if plugin_set is None else plugin_set, bundles)
    return loader.read(names)


def base_of(document: Document, name: str, bundles: BundleSet) -> Source:
    """Return the file that another one extends: a shipped one by name, one of a bundle by id, or one by path.

    Raises
    ------
    BlueprintError
        There is none, or it cannot be read.

    """
    source = document.source
    if is_id(name) and (source.folder is not None or source.bundle is not None):
        return by_id(name, bundles, source.folder)
    if not is_path(name):
        return _shipped(name, source)
    if source.folder is not None:
        return from_path(source.folder / name)
    if source.bundle is None:
        raise BlueprintError(f"a shipped blueprint extends shipped ones only, not {shown(name)}")
    if name.startswith("/"):
        raise BlueprintError(
            f"{shown(name)} leads out of the bundle", hint="name a file in it", kind="bad-path"
        )
    return in_bundle(source.bundle, posixpath.normpath(posixpath.join(posixpath.dirname(source.path), name)))


def _shipped(name: str, source: Source) -> Source:
    """Return a shipped blueprint; where the bundle itself has one of the name, say how it is written."""
    try:
        return shipped(name)
    except BlueprintError as error:
        if source.bundle is None or name not in source.bundle.manifest.blueprints:
            raise
        hint = f"write {source.bundle.name}/{name} for that of the bundle"
        raise BlueprintError(error.problems[0].message, hint=hint, kind="unknown-blueprint") from None


@dataclass
class _Layer:
    """One file with all that it extends."""

    blueprint: Blueprint = field(default_factory=Blueprint)
    parameters: dict[str, Parameter] = field(default_factory=dict)


@dataclass
class _Loader:
    """Loads blueprints with all that they extend, each file once."""

    plugin_set: PluginSet
    bundles: BundleSet
    reading: Reading = field(default_factory=Reading)
    done: dict[str, _Layer] = field(default_factory=dict)
    chain: list[Source] = field(default_factory=list)
    used: dict[str, Bundle] = field(default_factory=dict)

    def read(self, names: Iterable[str | PathLike[str]]) -> Reading:
        """Return several blueprints laid over each other."""
        reading, whole = self.reading, _Layer()
        for name in names:
            try:
                source = find(name, self.bundles)
            except BlueprintError as error:
                reading.problems += error.problems
                continue
            self.lay(whole, self.load(source), "")
        reading.blueprint = whole.blueprint
        reading.shipped = {
            key.removeprefix(SHIPPED): layer.blueprint
            for key, layer in self.done.items()
            if key.startswith(SHIPPED)
        }
        for name in sorted(self.used):
            try:
                reading.blueprint.bundles[name] = _identity(self.used[name])
            except BlueprintError as error:  # a file of the bundle that is none of the blueprints
                reading.problems += error.problems
        return reading

    def load(self, source: Source) -> _Layer:
        """Return the blueprint of a file, each file once; problems are added to those of the reading."""
        if source.key in self.done:
            return self.done[source.key]
        problems = self.reading.problems
        try:
            document = parse(source)
        except BlueprintError as error:
            problems += error.problems
            document = Document(source)
        self.chain.append(source)
        layer, before = _Layer(), len(problems)
        for name, loc in document.extends.items():
            self.lay(layer, self.base(document, name, loc), loc)
        own = read_parameters(document, layer.parameters, complete=len(problems) == before)
        problems += document.problems
        layer.parameters.update(own)
        self.reading.parameters.update(own)
        if self.may_use(source):
            rules = Rules(
                self.plugin_set,
                document,
                problems,
                layer.parameters,
                self.reading.parameters,
                self.reading.notes,
                self.reading.resources,
            )
            before = len(problems)
            layer.blueprint = rules.read(layer.blueprint)
            problems[before:] = [self.with_chain(problem) for problem in problems[before:]]
        self.chain.pop()
        self.done[source.key] = layer
        self.reading.sources.append(source)
        self.reading.summary = document.summary
        return layer

    def lay(self, layer: _Layer, stronger: _Layer, loc: str) -> None:
        """Lay one file with all that it extends over others."""
        problems = self.reading.problems
        problems += check_conflicts(layer.parameters, stronger.parameters, loc)
        layer.parameters.update(stronger.parameters)
        self.reading.parameters.update(stronger.parameters)
        layer.blueprint = laid(layer.blueprint, stronger.blueprint, self.reading.notes, problems)

    def may_use(self, source: Source) -> bool:
        """Note that a bundle is used; False if plug-ins are missing that it needs, which is a problem, once."""
        bundle = source.bundle
        if bundle is None:
            return True
        from dicomwright.bundles.requirements import plugin_problems  # late: few files are of bundles

        missing = plugin_problems(bundle, self.plugin_set)
        if missing and bundle.name not in self.used:
            through = self.through()
            self.reading.problems += [
                replace(problem, message=f"{problem.message}{through}") for problem in missing
            ]
        self.used.setdefault(bundle.name, bundle)
        return not missing

    def base(self, document: Document, name: str, loc: str) -> _Layer:
        """Return the blueprint of a base, an empty one if it cannot be had."""
        problems = self.reading.problems
        try:
            source = base_of(document, name, self.bundles)
        except BlueprintError as error:
            problems += [
                replace(problem, message=f"extends: {problem.message}{self.through()}", loc=loc)
                if not problem.loc
                else problem
                for problem in error.problems
            ]
            return _Layer()
        refusal = self.refusal(source)
        if refusal:
            problems.append(Problem(*refusal, loc=loc, kind="extends"))
            return _Layer()
        return self.load(source)

    def refusal(self, source: Source) -> tuple[str, str] | None:
        """Say why a base is not followed, and what to do."""
        keys = [one.key for one in self.chain]
        if source.key in keys:
            circle = _shown_chain([*self.chain[keys.index(source.key) :], source])
            return f"extends goes in a circle: {circle}", "take one of them out"
        if len(self.chain) >= MAX_DEPTH:
            return (
                f"extends goes deeper than {MAX_DEPTH} files: {_shown_chain([*self.chain, source])}",
                "flatten it",
            )
        if len(self.done) + len(self.chain) >= MAX_FILES and source.key not in self.done:
            return f"the blueprint is made of more than {MAX_FILES} files", "join some"
        return None

    def with_chain(self, problem: Problem) -> Problem:
        """Return a problem; one of a plug-in that is not there says how its file was reached."""
        if problem.kind not in _OF_PLUGINS:
            return problem
        return replace(problem, message=f"{problem.message}{self.through()}")

    def through(self) -> str:
        """Return how the file that is being read was reached, empty if directly."""
        return f" (through {_shown_chain(self.chain)})" if len(self.chain) > 1 else ""


def _shown_chain(chain: Sequence[Source]) -> str:
    """Return files that extend each other, for people."""
    return " → ".join(source.name for source in chain)


def _identity(bundle: Bundle) -> dict[str, str]:
    """Return what a build's result says of a bundle."""
    return {"version": bundle.manifest.version, "sha256": bundle.digest()}
