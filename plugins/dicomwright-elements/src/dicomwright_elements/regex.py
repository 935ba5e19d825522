"""``regex``: a value rewritten by patterns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dicomwright.blueprint.resolution import OMIT
from dicomwright.errors import BlueprintError, Problem
from dicomwright_elements.derived import DerivedElement, input_rule, one_or_list, texts
from dicomwright_elements.patterns import Step

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dicomwright.blueprint.elements import VirtualElement
    from dicomwright.blueprint.environment import SeriesEnvironment
    from dicomwright.blueprint.tags import AnyTag, TagLike
    from dicomwright.bundles import RuleContext

__all__ = ["MAX_STEPS", "RegexElement"]

#: Most patterns of one rule.
MAX_STEPS = 20
_PAIR = 2


class RegexElement(DerivedElement):
    """A value with what patterns find replaced, one pattern after the other.

    Examples
    --------
    >>> from dicomwright import SeriesEnvironment, StaticElement
    >>> study = StaticElement("StudyDescription", "LO", "CT_Thorax")
    >>> RegexElement("StudyDescription", "LO", study, [Step.of("^CT_", "")]).resolve(SeriesEnvironment())
    'Thorax'

    Parameters
    ----------
    tag, vr
        See `VirtualElement`.
    source : VirtualElement
        The rule that gives the value.
    steps : sequence of Step
        What is replaced.
    unmatched : str
        Where no pattern is found: ``keep`` the value, ``error``, or ``omit`` the tag.

    """

    def __init__(
        self, tag: TagLike, vr: str, source: VirtualElement, steps: Sequence[Step], unmatched: str = "keep"
    ) -> None:
        super().__init__(tag, vr, [source])
        self.steps = tuple(steps)
        self.unmatched = unmatched

    def computation(self, env: SeriesEnvironment) -> Callable[[Sequence[Any]], Any]:  # noqa: ARG002  # not needed
        """Return `compute`."""
        return self.compute

    def compute(self, values: Sequence[Any]) -> Any:
        """Return the value rewritten; each of several values by itself."""
        (value,) = values
        if value is OMIT:
            return OMIT
        given = texts(value)
        made = [self._rewritten(text) for text in given]
        if given and not any(count for _, count in made):
            if self.unmatched == "omit":
                return OMIT
            if self.unmatched == "error":
                raise self.problem(
                    "has a value in which no pattern is found",
                    hint='add a pattern, or unmatched = "keep"',
                    kind="unmatched",
                )
        return one_or_list([text for text, _ in made])

    def _rewritten(self, text: str) -> tuple[str, int]:
        """Return one value rewritten, and how often something was found in it."""
        total = 0
        for step in self.steps:
            try:
                text, count = step.applied(text)
            except ValueError as error:
                raise self.problem(f"cannot be rewritten: {error}", kind="bad-value") from None
            total += count
        return text, total

    def rule(self) -> str:
        """Return the rule in a few words."""
        what = ", then ".join(f"{step.pattern.text!r} by {step.replacement!r}" for step in self.steps)
        return f"{self.inputs[0].rule()}, with {what}"

    @classmethod
    def from_data(cls, tag: AnyTag, data: Any, context: RuleContext) -> RegexElement:
        """Make ``{ regex = "pattern", with = "replacement" }`` or ``{ regex = [["pattern", "replacement"], ...] }``."""
        steps: list[Step] = []
        problems: list[Problem] = []
        for pattern, replacement in _pairs(data, context):
            try:
                steps.append(Step.of(pattern, replacement))
            except ValueError as error:
                problems.append(Problem(f"regex: {error}", "see the syntax of RE2", context.loc, "bad-rule"))
        if problems:
            raise BlueprintError.collect(problems)
        unmatched = context.options.get("unmatched", "keep")
        return cls(tag, context.vr_of(tag), input_rule(tag, context), steps, unmatched)


def _pairs(data: Any, context: RuleContext) -> list[tuple[str, str]]:
    """Return patterns with their replacements."""
    replacement = context.options.get("with")
    if isinstance(data, str):
        if replacement is None:
            raise context.problem("regex needs with, the replacement", hint='such as with = "\\\\1"')
        return [(data, replacement)]
    if replacement is not None:
        raise context.problem("regex has a list and with", hint="a list holds the replacements")
    if len(data) > MAX_STEPS:
        raise context.problem(f"regex has {len(data)} patterns, more than {MAX_STEPS}")
    pairs = []
    for pair in data:
        if not isinstance(pair, list) or len(pair) != _PAIR or not all(isinstance(one, str) for one in pair):
            raise context.problem(
                "regex needs a list of [pattern, replacement], two texts each",
                hint='such as regex = [["^CT ", ""], ["_", " "]]',
            )
        pairs.append((pair[0], pair[1]))
    return pairs
