"""``first-of``: the first of several rules that gives a value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dicomwright.blueprint.resolution import OMIT, Items, Resolution
from dicomwright.blueprint.values import check_value, normalise
from dicomwright.errors import BlueprintError
from dicomwright_elements.derived import DerivedElement, Failure, joined, resolved, texts, unquoted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dicomwright.blueprint.elements import VirtualElement
    from dicomwright.blueprint.environment import SeriesEnvironment
    from dicomwright.blueprint.tags import AnyTag, TagLike
    from dicomwright.bundles import RuleContext

__all__ = ["FirstElement"]

#: Kinds of problems that say that a rule has nothing to take a value from.
_NOTHING_THERE = frozenset({"missing-in-parent", "no-parent", "missing-kwarg", "unpaired", "not-in-table"})


class FirstElement(DerivedElement):
    """What the first of several rules gives that gives something.

    A rule gives nothing where it leaves the tag out or empty, where what it copies is not there or not legal for
    the tag, or where it looks up what its table does not have. The last rule decides, whatever it gives.

    Examples
    --------
    >>> from dicomwright import CopyElement, SeriesEnvironment, StaticElement
    >>> rules = [CopyElement("StudyID"), StaticElement("StudyID", "SH", "1")]
    >>> FirstElement("StudyID", "SH", rules).resolve(SeriesEnvironment())
    '1'

    Parameters
    ----------
    tag, vr
        See `VirtualElement`.
    inputs : sequence of VirtualElement
        The rules, all of the same tag.

    """

    def __init__(self, tag: TagLike, vr: str | None, inputs: Sequence[VirtualElement]) -> None:
        super().__init__(tag, vr, inputs)

    def required_tags(self) -> set[int]:
        """Return nothing: another rule may do."""
        return set()

    def resolve(self, env: SeriesEnvironment) -> Resolution:
        """Return what the first rule gives that gives something."""
        found: list[Resolution] = []
        for number, element in enumerate(self.inputs, 1):
            is_last = number == len(self.inputs)
            resolution = self._asked(element, env, is_last=is_last)
            if isinstance(resolution, Items):
                if found:
                    raise self.problem(
                        "mixes rules of single instances with sequences of rules", kind="items"
                    )
                return resolution
            if hasattr(resolution, "func"):
                found.append(resolution)
            elif is_last or self._is_value(resolution):
                found.append(resolution)
                break
        return found[0] if len(found) == 1 else joined(found, unquoted(self, self.compute), env.total_images)

    def _asked(self, element: VirtualElement, env: SeriesEnvironment, *, is_last: bool) -> Resolution:
        """Return what one rule gives, `OMIT` for nothing."""
        try:
            return resolved(element, env)
        except BlueprintError as error:
            if is_last or not {problem.kind for problem in error.problems} <= _NOTHING_THERE:
                raise
            return OMIT

    def computation(self, env: SeriesEnvironment) -> Callable[[Sequence[Any]], Any]:  # noqa: ARG002  # not needed
        """Return `compute`."""
        return self.compute

    def compute(self, values: Sequence[Any]) -> Any:
        """Return the first value, else the last."""
        return next((value for value in values if self._is_value(value)), values[-1])

    def _is_value(self, value: Any) -> bool:
        """Tell whether something is a value that the tag may have."""
        if value is None or value is OMIT or isinstance(value, Failure):
            return False
        value = getattr(value, "value", value) if hasattr(value, "VR") else value
        vr = self.vr or "UN"
        if not texts(value) and vr != "SQ":
            return False
        return self.vr is None or not check_value(self.tag, vr, normalise(self.tag, vr, value))

    def rule(self) -> str:
        """Return the rule in a few words."""
        return "the first of: " + "; ".join(one.rule() for one in self.inputs)

    @classmethod
    def from_data(cls, tag: AnyTag, data: Any, context: RuleContext) -> FirstElement:
        """Make ``{ first-of = [ "copy", { static = "unknown" } ] }``."""
        inputs = [context.rule(tag, rule, "first-of", number) for number, rule in enumerate(data)]
        return cls(tag, context.vr_of(tag), inputs)
