"""``template``: a text with the values of other tags in it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from dicomwright.blueprint.resolution import OMIT
from dicomwright.blueprint.tags import PrivateTag, to_tag
from dicomwright.blueprint.vr import expected_vrs
from dicomwright.errors import BlueprintError, Problem
from dicomwright_elements.derived import DerivedElement, texts

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dicomwright.blueprint.elements import VirtualElement
    from dicomwright.blueprint.environment import SeriesEnvironment
    from dicomwright.blueprint.tags import AnyTag, TagLike
    from dicomwright.bundles import RuleContext

__all__ = ["MAX_TEMPLATE", "Place", "TemplateElement"]

#: Longest template, in characters.
MAX_TEMPLATE = 1000
_PIECE = re.compile(r"(\{\{|\}\})|\{([A-Za-z][A-Za-z0-9]*)(?:\.([a-z]+|[1-9][0-9]{0,2}))?\}|([^{}]+)")
_NAMES = ("family", "given", "middle", "prefix", "suffix")
_DATES = {"year": (0, 4), "month": (4, 6), "day": (6, 8)}
_NO_DIGITS = re.compile("[^0-9]")
_SEVERAL_LINES = frozenset({"LT", "ST", "UT"})


@dataclass(frozen=True)
class Place:
    """A place in a template for a value: of which input, and which part of it."""

    number: int
    keyword: str
    part: str = ""

    @property
    def is_name(self) -> bool:
        """Whether it is a whole name of a person."""
        return not self.part and expected_vrs(self.keyword) == ("PN",)

    def of(self, value: Any) -> str:
        """Return what stands here, empty if the value has no such part.

        Raises
        ------
        ValueError
            There are several values, and nothing says which.

        """
        values = texts(value)
        if self.part.isdigit():
            return values[int(self.part) - 1] if int(self.part) <= len(values) else ""
        if len(values) > 1:
            msg = f"{self.keyword} has {len(values)} values"
            raise ValueError(msg)
        text = values[0] if values else ""
        if self.part in _NAMES:
            components = text.partition("=")[0].split("^")
            index = _NAMES.index(self.part)
            return components[index].strip() if index < len(components) else ""
        if self.part:
            start, stop = _DATES[self.part]
            return _NO_DIGITS.split(text.replace(".", ""))[0][start:stop]  # 1999.12.31 is of old files
        return text


class TemplateElement(DerivedElement):
    """A text with the values of other rules in it.

    Examples
    --------
    >>> from dicomwright import SeriesEnvironment, StaticElement
    >>> patient = StaticElement("PatientName", "PN", "Doe^Jane")
    >>> pieces = ["Images of ", Place(0, "PatientName", "given")]
    >>> TemplateElement("StudyDescription", "LO", pieces, [patient]).resolve(SeriesEnvironment())
    'Images of Jane'

    Parameters
    ----------
    tag, vr
        See `VirtualElement`.
    pieces : sequence of str or Place
        The text, and what stands in it.
    inputs : sequence of VirtualElement
        The rules that give the values.
    missing : str, optional
        The text for a value that is absent or empty; without it that is an error.

    """

    def __init__(
        self,
        tag: TagLike,
        vr: str,
        pieces: Sequence[str | Place],
        inputs: Sequence[VirtualElement],
        missing: str | None = None,
    ) -> None:
        super().__init__(tag, vr, inputs)
        self.pieces = tuple(pieces)
        self.missing = missing

    def computation(self, env: SeriesEnvironment) -> Callable[[Sequence[Any]], Any]:  # noqa: ARG002  # not needed
        """Return `compute`."""
        return self.compute

    def compute(self, values: Sequence[Any]) -> Any:
        """Return the text."""
        parts = [piece if isinstance(piece, str) else self._filled(piece, values) for piece in self.pieces]
        return "".join(parts) or None

    def _filled(self, place: Place, values: Sequence[Any]) -> str:
        """Return what stands at a place."""
        value = values[place.number]
        try:
            text = "" if value is OMIT else place.of(value)
        except ValueError as error:
            hint = f"write {{{place.keyword}.1}} for the first"
            raise self.problem(f"cannot be made: {error}", hint=hint, kind="several-values") from None
        if text:
            return self._harmless(place, text)
        if self.missing is None:
            part = f" (its {place.part})" if place.part else ""
            hint = 'say with missing = "..." what stands for it'
            raise self.problem(
                f"needs {place.keyword}{part}, which has no value", hint=hint, kind="missing-value"
            )
        return self.missing

    def _harmless(self, place: Place, text: str) -> str:
        """Return a text that means nothing of its own where it is put."""
        if "\\" in text and self.vr not in _SEVERAL_LINES:
            raise self.problem(
                f"would become several values: {place.keyword} has a backslash in it", kind="bad-value"
            )
        if self.vr == "PN" and not place.is_name and ("^" in text or "=" in text):
            raise self.problem(
                f"would get other name components: {place.keyword} has ^ or = in it", kind="bad-value"
            )
        return text

    def rule(self) -> str:
        """Return the rule in a few words."""
        shown = "".join(
            piece if isinstance(piece, str) else f"{{{piece.keyword}{'.' * bool(piece.part)}{piece.part}}}"
            for piece in self.pieces
        )
        return f"the text {shown!r}"

    @classmethod
    def from_data(cls, tag: AnyTag, data: Any, context: RuleContext) -> TemplateElement:
        """Make ``{ template = "{PatientID} {StudyDate.year}" }``."""
        vr = context.vr_of(tag)
        found = _pieces(data, context)
        places = list(dict.fromkeys(piece[0] for piece in found if isinstance(piece, tuple)))
        rules = context.options.get("of", {})
        problems = [
            Problem(
                f"of has {name}, which is not in the template",
                f"write {{{name}}} in it",
                context.loc,
                "bad-rule",
            )
            for name in rules
            if name not in places
        ]
        inputs: list[VirtualElement] = []
        for name in places:
            try:
                parts = {piece[1] for piece in found if isinstance(piece, tuple) and piece[0] == name}
                inputs.append(_input(name, parts, rules, context))
            except BlueprintError as error:
                problems += [replace(one, loc=one.loc or context.loc) for one in error.problems]
        if problems:
            raise BlueprintError.collect(problems)
        pieces = [
            piece if isinstance(piece, str) else Place(places.index(piece[0]), *piece) for piece in found
        ]
        return cls(tag, vr, pieces, inputs, context.options.get("missing"))


def _input(name: str, parts: set[str], rules: dict[str, Any], context: RuleContext) -> VirtualElement:
    """Return the rule of one keyword: the one in ``of``, else a copy."""
    tag = to_tag(name)
    if isinstance(tag, PrivateTag):
        raise context.problem(f"{name} is no keyword")
    plain = replace(context, vr=None)
    _check_parts(name, parts, context)
    if name not in rules:
        missing_is_fine = "missing" in context.options
        return plain.rule(tag, {"copy": "optional"} if missing_is_fine else "copy", "template")
    return plain.rule(tag, rules[name], "of", name)


def _check_parts(name: str, parts: set[str], context: RuleContext) -> None:
    """Refuse parts that values of a keyword do not have."""
    vrs = set(expected_vrs(name) or ())
    for part in sorted(parts):
        if part in _NAMES and "PN" not in vrs:
            raise context.problem(f"{{{name}.{part}}} in the template: {name} is no name of a person")
        if part in _DATES and vrs.isdisjoint({"DA", "DT"}):
            raise context.problem(f"{{{name}.{part}}} in the template: {name} is no date")


def _pieces(data: str, context: RuleContext) -> list[str | tuple[str, str]]:
    """Return a template as texts and pairs of keyword and part."""
    if len(data) > MAX_TEMPLATE:
        raise context.problem(f"the template has {len(data)} characters, more than {MAX_TEMPLATE}")
    pieces: list[str | tuple[str, str]] = []
    end = 0
    for found in _PIECE.finditer(data):
        if found.start() != end:
            break
        end = found.end()
        brace, keyword, part, text = found.groups()
        if keyword and part and not (part in _NAMES or part in _DATES or part.isdigit()):
            raise context.problem(
                f"{{{keyword}.{part}}} in the template names no part",
                hint=f"there are {', '.join((*_NAMES, *_DATES))}, and 1, 2, ... for one of several values",
            )
        pieces.append((keyword, part or "") if keyword else text or brace[0])
    if end < len(data):
        raise context.problem(
            f"the template cannot be read from character {end + 1} on",
            hint="a place is {Keyword} or {Keyword.part}; write {{ and }} for braces",
        )
    return pieces
