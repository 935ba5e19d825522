"""Learn a blueprint from example series, and prove it."""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dicomwright.blueprint.blueprint import Blueprint
from dicomwright.blueprint.tags import PrivateTag
from dicomwright.errors import DicomwrightError, ParentError
from dicomwright.factory import DicomFactory
from dicomwright.learn.draft import draft
from dicomwright.learn.example import Example
from dicomwright.learn.proof import Difference, compare, largest_error
from dicomwright.learn.traits import KINDS, Trait, classify

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable

    from dicomwright.engine.series import Series
    from dicomwright.errors import Problem
    from dicomwright.explain import Explained
    from dicomwright.plugins import PluginSet

__all__ = ["Learned", "learn"]

_TAG = re.compile(r"\(([0-9A-F]{4}),((?:[0-9A-F]{2}|xx)[0-9A-F]{2})\)")
_QUOTED = re.compile(r"'[^']*'")
_ROUNDS = 5


@dataclass(frozen=True)
class Learned:
    """A draft and its proof.

    Attributes
    ----------
    text : str
        The blueprint file.
    base : str
        The shipped blueprint that it extends.
    traits : tuple of Trait
        Every tag of the examples.
    differences : tuple of Difference
        In what series that are built from the examples' own pixels differ from them.
    largest_error : float
        Largest difference of a pixel value.
    instances : int
        Number of instances that were built again.

    """

    text: str
    base: str
    traits: tuple[Trait, ...]
    differences: tuple[Difference, ...]
    largest_error: float
    instances: int

    @property
    def unexpected(self) -> tuple[Difference, ...]:
        """The differences that the draft does not tell."""
        return tuple(one for one in self.differences if not one.told)

    def as_dict(self) -> dict[str, Any]:
        """Return it as what JSON can hold."""
        counts = Counter(trait.kind for trait in self.traits)
        return {
            "base": self.base,
            "instances": self.instances,
            "tags": {kind: counts[kind] for kind in KINDS},
            "largest_error": self.largest_error,
            "differences": [one.as_dict() for one in self.differences],
        }


def learn(
    *series: str | os.PathLike[str], keep_private: bool = False, plugin_set: PluginSet | None = None
) -> Learned:
    """Return a draft blueprint of one or more example series of one kind, proved on these.

    Parameters
    ----------
    *series : path
        Folders of single-frame CT, MR or PET images. What is the same in all of them is taken for the site's.
    keep_private : bool
        Whether private elements are copied.
    plugin_set : PluginSet, optional
        The plug-ins to use; all that are installed if not given.

    Raises
    ------
    ParentError, SourceError
        A series cannot be read, or is not one of these.

    """
    examples = [Example.read(path) for path in series]
    _check_one_kind(examples)
    factory = DicomFactory(plugin_set=plugin_set)
    proof = _Proof(factory, examples, examples[0].base)
    plain = proof.built([])
    given = _rows(plain[0])
    different = {one.tag for pair in zip(examples, plain, strict=True) for one in compare(*pair)}
    return proof.run(
        classify(examples, given, frozenset(given.keys() - different), keep_private=keep_private)
    )


def _check_one_kind(examples: list[Example]) -> None:
    """Refuse nothing, and series of several kinds."""
    if not examples:
        raise ParentError("there is no series to learn from", hint="give a folder of DICOM images")
    classes = {example.sop_class: example.name for example in examples}
    if len(classes) > 1:
        raise ParentError(
            f"the series are of {len(classes)} kinds: {', '.join(sorted(classes.values()))}",
            hint="learn one blueprint for each",
            kind="sop-class",
        )


def _rows(series: Series) -> dict[int, Explained]:
    """Return where each top-level tag of a series comes from."""
    rows = (row for row in series.explain() if "[" not in row.path)
    return {int(row.tag[1:5] + row.tag[6:10], 16): row for row in rows}


@dataclass
class _Proof:
    """Builds examples by a draft, and weakens rules that cannot be kept."""

    factory: DicomFactory
    examples: list[Example]
    base: str

    def run(self, traits: list[Trait]) -> Learned:
        """Return the draft that builds all examples.

        Raises
        ------
        DicomwrightError
            They cannot be built, whatever rule is weakened.

        """
        for _ in range(_ROUNDS):
            try:
                return self.learned(traits, self.built(traits))
            except DicomwrightError as error:
                weakened = _weakened(traits, error.problems)
                if weakened == traits:
                    raise
                traits = weakened
        return self.learned(traits, self.built(traits))

    def built(self, traits: list[Trait]) -> list[Series]:
        """Return the examples, built again; every instance was made once, so that nothing can go wrong later."""
        blueprint = self.loaded(traits)
        series = [self.factory.build(one.volume(), blueprint, one.parents) for one in self.examples]
        for one in series:
            for dataset in one:
                len(dataset)
        return series

    def loaded(self, traits: list[Trait]) -> Blueprint:
        """Return the blueprint of a draft, read as a file is."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "draft.toml")
            path.write_text(draft(self.summary(), self.base, traits), encoding="utf-8")
            return Blueprint.load(path)

    def summary(self) -> str:
        """Return the line that a listing shows."""
        count = sum(len(example.parents) for example in self.examples)
        return f"Draft from {count} instances of {len(self.examples)} series"

    def learned(self, traits: list[Trait], built: list[Series]) -> Learned:
        """Return the draft with what differs."""
        found: dict[tuple[int, str], Difference] = {}
        for example, series in zip(self.examples, built, strict=True):
            for one in compare(example, series):
                before = found.get((one.tag, one.what))
                count = one.instances + (before.instances if before else 0)
                found[one.tag, one.what] = replace(one, instances=count)
        explained, warnings = _rows(built[0]), [text for one in built for text in one.warnings]
        told = tuple(_told(one, traits, explained, warnings) for _, one in sorted(found.items()))
        return Learned(
            draft(self.summary(), self.base, traits, told),
            self.base,
            tuple(traits),
            told,
            max(largest_error(example, series) for example, series in zip(self.examples, built, strict=True)),
            sum(map(len, built)),
        )


def _told(
    one: Difference, traits: list[Trait], explained: dict[int, Explained], warnings: list[str]
) -> Difference:
    """Return a difference with what the draft says of it."""
    if one.tag >> 16 & 1:
        trait = next((trait for trait in traits if _is_private(trait, one.tag)), None)
        return replace(one, told=trait is None or trait.told, why="private")
    trait = next((trait for trait in traits if trait.tag == one.tag), None)
    if one.what == "added" or trait is None:
        row = explained.get(one.tag)
        return replace(one, told=True, why="" if row is None else f"{row.layer}: {_rule(row)}")
    if one.what == "rounded":
        return replace(one, told=True, why="a decimal string has at most 16 characters (PS3.5 section 6.2)")
    warned = next((text for text in warnings if one.name in text), "")
    if one.what == "missing" and warned:
        return replace(one, told=True, why=_QUOTED.sub("...", warned))
    return replace(one, told=trait.told, why=trait.note)


def _rule(row: Explained) -> str:
    """Return a rule without the name of a function that has none."""
    return row.rule.partition(" by ")[0] if "<" in row.rule else row.rule


def _is_private(trait: Trait, number: int) -> bool:
    tag = trait.tag
    return isinstance(tag, PrivateTag) and (tag.group, tag.offset) == (number >> 16, number & 0xFF)


def _weakened(traits: list[Trait], problems: Iterable[Problem]) -> list[Trait]:
    """Return the traits, with weaker rules for the tags that problems name."""
    reasons: dict[str, str] = {}
    for problem in problems:
        for found in _TAG.findall(problem.message)[:1]:
            reasons.setdefault(f"({','.join(found)})", _reason(problem))
    return [
        trait.weaker(reasons[shown])
        if (shown := _shown(trait)) in reasons and trait.rule is not None
        else trait
        for trait in traits
    ]


def _shown(trait: Trait) -> str:
    tag = trait.tag
    if isinstance(tag, PrivateTag):
        return f"({tag.group:04X},xx{tag.offset:02X})"
    return f"({tag.group:04X},{tag.element:04X})"


def _reason(problem: Problem) -> str:
    """Return why a rule cannot be kept, without the value that a message may quote."""
    text = re.sub(r" = .*?: ", ": ", problem.message, count=1)
    return _QUOTED.sub("...", text)
