"""Learn a blueprint from example series, and prove it."""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydicom.tag import BaseTag

from dicomwright.blueprint.tags import PrivateTag, sort_key
from dicomwright.bundles import load_blueprint
from dicomwright.errors import DicomwrightError, ParentError
from dicomwright.factory import DicomFactory
from dicomwright.learn.draft import draft
from dicomwright.learn.example import Example
from dicomwright.learn.proof import Difference, compare, compare_pixels
from dicomwright.learn.tags import number_of
from dicomwright.learn.traits import COPIED, KINDS, Trait, classify, refused_trait
from dicomwright.plugins import PluginSet, default

if TYPE_CHECKING:
    import os
    from collections.abc import Container, Iterable

    from dicomwright.blueprint.blueprint import Blueprint
    from dicomwright.engine.series import Series
    from dicomwright.errors import Problem
    from dicomwright.explain import Explained

__all__ = ["Learned", "learn"]

_TAG = re.compile(r"\(([0-9A-F]{4}),((?:[0-9A-F]{2}|xx)[0-9A-F]{2})\)")
_QUOTED = re.compile(r"'[^']*'")
_ROUNDS = 5
_PIXEL_DATA = 0x7FE00010
_STEPS = "each image of the example has a rescale of its own; values are within one step of RescaleSlope"
_DIGITS = "a decimal string has at most 16 characters (PS3.5 section 6.2)"


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
    proof = _Proof(default() if plugin_set is None else plugin_set, examples, examples[0].base)
    plain, refused = proof.plain()
    given = _rows(plain[0])
    different = {one.tag for pair in zip(examples, plain, strict=True) for one in compare(*pair)}
    same = frozenset(given.keys() - different)
    return proof.run(classify(examples, given, same, refused, keep_private=keep_private))


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

    plugin_set: PluginSet
    examples: list[Example]
    base: str

    def plain(self) -> tuple[list[Series], dict[int, str]]:
        """Return the examples as their IOD's blueprint builds them, and the tags that it would not copy, with why."""
        refused: dict[int, str] = {}
        first: DicomwrightError | None = None
        while True:
            try:
                traits = [refused_trait(BaseTag(number), KINDS[0], why) for number, why in refused.items()]
                return self.built(traits), refused
            except DicomwrightError as error:
                first = first or error
                reasons = _reasons(error.problems)
                found = {int(tag[1:5] + tag[6:10], 16): why for tag, why in reasons.items() if "x" not in tag}
                if found.keys() <= refused.keys():
                    raise first from None
                refused |= found

    def run(self, traits: list[Trait]) -> Learned:
        """Return the draft that builds all examples.

        Raises
        ------
        DicomwrightError
            They cannot be built, whatever rule is weakened.

        """
        for _ in range(_ROUNDS):
            try:
                found = self.learned(traits, self.built(traits))
            except DicomwrightError as error:
                changed = _weakened(traits, error.problems)
                if changed == traits:
                    raise
            else:
                changed = _copying(traits, {one.tag for one in found.unexpected})
                if changed == traits:
                    return found
            traits = changed
        return self.learned(traits, self.built(traits))

    def built(self, traits: list[Trait]) -> list[Series]:
        """Return the examples, built again; every instance was made once, so that nothing can go wrong later."""
        blueprint = self.loaded(traits)
        factory = DicomFactory(plugin_set=self.plugin_set)
        series = [factory.build(one.volume(), blueprint, one.parents) for one in self.examples]
        for one in series:
            for dataset in one:
                len(dataset)
        return series

    def loaded(self, traits: list[Trait]) -> Blueprint:
        """Return the blueprint of a draft, read as a file is."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "draft.toml")
            path.write_text(draft(self.summary(), self.base, traits), encoding="utf-8")
            return load_blueprint(path, self.plugin_set)

    def summary(self) -> str:
        """Return the line that a listing shows."""
        count = sum(len(example.parents) for example in self.examples)
        return f"Draft from {count} instances of {len(self.examples)} series"

    def learned(self, traits: list[Trait], built: list[Series]) -> Learned:
        """Return the draft with what differs."""
        found: dict[tuple[BaseTag | PrivateTag, str], Difference] = {}
        largest = 0.0
        for example, series in zip(self.examples, built, strict=True):
            error, of_pixels = compare_pixels(example, series)
            largest = max(largest, error)
            for one in (*compare(example, series), *of_pixels):
                before = found.get((one.tag, one.what))
                count = one.instances + (before.instances if before else 0)
                found[one.tag, one.what] = replace(one, instances=count)
        explained, warnings = _rows(built[0]), [text for one in built for text in one.warnings]
        ordered = sorted(found.values(), key=lambda one: (sort_key(one.tag), one.what))
        told = tuple(_told(one, traits, explained, warnings) for one in ordered)
        return Learned(
            draft(self.summary(), self.base, traits, told),
            self.base,
            tuple(traits),
            told,
            largest,
            sum(map(len, built)),
        )


def _told(
    one: Difference, traits: list[Trait], explained: dict[int, Explained], warnings: list[str]
) -> Difference:
    """Return a difference with what the draft says of it."""
    trait = next((trait for trait in traits if trait.tag == one.tag), None)
    if one.what == "added":
        row = None if isinstance(one.tag, PrivateTag) else explained.get(one.tag)
        return replace(one, told=True, why="" if row is None else f"{row.layer}: {_rule(row)}")
    if one.what == "rounded":
        return replace(one, told=True, why=_STEPS if one.tag == _PIXEL_DATA else _DIGITS)
    warned = next((text for text in warnings if one.name in text), "")
    if one.what == "missing" and warned:
        return replace(one, told=True, why=_QUOTED.sub("...", warned))
    return one if trait is None else replace(one, told=trait.told, why=trait.note)


def _rule(row: Explained) -> str:
    """Return a rule without the name of a function that has none."""
    return row.rule.partition(" by ")[0] if "<" in row.rule else row.rule


def _weakened(traits: list[Trait], problems: Iterable[Problem]) -> list[Trait]:
    """Return the traits, with weaker rules for the tags that problems name."""
    reasons = _reasons(problems)
    return [
        trait.weaker(reasons[shown])
        if (shown := number_of(trait.tag)) in reasons and trait.rule is not None
        else trait
        for trait in traits
    ]


def _copying(traits: list[Trait], unexpected: Container[BaseTag | PrivateTag]) -> list[Trait]:
    """Return the traits, with rules for tags whose condition in the IOD's blueprint another rule changed."""
    return [
        replace(trait, rule=COPIED, note="copied from the paired instance")
        if trait.tag in unexpected and trait.rule is None
        else trait
        for trait in traits
    ]


def _reasons(problems: Iterable[Problem]) -> dict[str, str]:
    """Return why the tags that problems name cannot be kept."""
    reasons: dict[str, str] = {}
    for problem in problems:
        for found in _TAG.findall(problem.message)[:1]:
            reasons.setdefault(f"({','.join(found)})", _reason(problem))
    return reasons


def _reason(problem: Problem) -> str:
    """Return why a rule cannot be kept, without the value that a message may quote."""
    text = re.sub(r" = .*?: ", ": ", problem.message, count=1)
    return _QUOTED.sub("...", text)
