"""``when``: one rule or another, as the parent is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dicomwright.blueprint.copying import CopyElement, copied_column
from dicomwright.blueprint.elements import DiscardElement, VirtualElement
from dicomwright.blueprint.resolution import Items, Level, PerInstance, Resolution
from dicomwright.blueprint.tags import describe
from dicomwright.errors import BlueprintError
from dicomwright_elements.conditions import Test, read_tests
from dicomwright_elements.derived import joined, plain, resolved, unquoted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dicomwright.blueprint.environment import SeriesEnvironment
    from dicomwright.blueprint.tags import AnyTag, TagLike
    from dicomwright.bundles import RuleContext

__all__ = ["WhenElement"]


class WhenElement(VirtualElement):
    """What one rule gives if conditions hold for the parent, and what another gives if not.

    Examples
    --------
    >>> from dicomwright import SeriesEnvironment, StaticElement
    >>> from dicomwright.blueprint.tags import to_tag
    >>> tests = [Test(to_tag("Modality"), wanted=("MR",))]
    >>> element = WhenElement("StudyID", "SH", tests, StaticElement("StudyID", "SH", "1"))
    >>> element.resolve(SeriesEnvironment())  # there is no parent
    <Omit.OMIT: 'omit'>

    Parameters
    ----------
    tag, vr
        See `VirtualElement`.
    tests : sequence of Test
        All must hold. Without a parent series no tag is present.
    then, otherwise : VirtualElement
        The rules; without the other one the tag is not in the output.
    paired : bool
        Whether each instance is asked by its paired parent instance.

    """

    may_omit = True

    def __init__(
        self,
        tag: TagLike,
        vr: str | None,
        tests: Sequence[Test],
        then: VirtualElement,
        otherwise: VirtualElement | None = None,
        *,
        paired: bool = False,
    ) -> None:
        super().__init__(tag, vr)
        self.tests = tuple(tests)
        self.then = then
        self.otherwise = DiscardElement(tag) if otherwise is None else otherwise
        self.paired = paired

    @property
    def level(self) -> Level:  # type: ignore[override]  # decided by what is asked for
        """Each instance if they are asked one by one, else the highest level of the rules."""
        lowest = Level.INSTANCE if self.paired else Level.SERIES
        return max(lowest, self.then.level, self.otherwise.level)

    @property
    def touches_pixels(self) -> bool:  # type: ignore[override]  # decided by the rules
        """Whether one of the rules looks at pixels."""
        return self.then.touches_pixels or self.otherwise.touches_pixels

    def resolve(self, env: SeriesEnvironment) -> Resolution:
        """Return what the rule gives that counts."""
        if not self.paired or env.parents is None:
            holds = all(test.holds(self._value(test, env)) for test in self.tests)
            return resolved(self.then if holds else self.otherwise, env)
        holding = self._of_instances(env)
        if all(holding) or not any(holding):
            return resolved(self.then if holding[0] else self.otherwise, env)
        both = [PerInstance.of(holding), resolved(self.then, env), resolved(self.otherwise, env)]
        if any(isinstance(one, Items) for one in both):
            raise self.problem("is one sequence of rules for some instances and not for others", kind="items")
        return joined(both, unquoted(self, lambda row: row[1] if row[0] else row[2]), env.total_images)

    def _value(self, test: Test, env: SeriesEnvironment) -> Any:
        """Return the parent's value, None if it has none."""
        element = CopyElement(test.tag, optional=True)
        try:
            found = element.resolve(env)
        except BlueprintError as error:
            if {problem.kind for problem in error.problems} != {"varies-in-parent"}:
                raise
            raise self.problem(
                f"asks for {describe(test.tag)}, which differs between the instances of the parent series",
                hint='write when-varying = "paired" to ask each instance',
                kind="varies-in-parent",
            ) from None
        return plain(found) if hasattr(found, "VR") else None

    def _of_instances(self, env: SeriesEnvironment) -> list[bool]:
        """Return for each instance whether the conditions hold for its paired parent."""
        if env.pairs is None:
            raise self.problem(
                f"asks the paired parent instances, and there is no pairing: {env.pairing_problem}",
                kind="unpaired",
            )
        columns = [copied_column(test.tag, None, env.parents, env.pairs) for test in self.tests]
        return [
            all(test.holds(plain(value)) for test, value in zip(self.tests, row, strict=True))
            for row in zip(*columns, strict=True)
        ]

    def rule(self) -> str:
        """Return the rule in a few words."""
        conditions = " and ".join(map(str, self.tests))
        return f"if {conditions}: {self.then.rule()}; else: {self.otherwise.rule()}"

    @classmethod
    def from_data(cls, tag: AnyTag, data: Any, context: RuleContext) -> WhenElement:
        """Make ``{ when = { Modality = "MR" }, then = RULE, else = RULE }``."""
        then = context.rule(tag, context.options["then"], "then")
        otherwise = context.rule(tag, context.options["else"], "else") if "else" in context.options else None
        vrs = {one.vr for one in (then, otherwise) if one is not None and one.vr is not None}
        return cls(
            tag,
            context.vr or (vrs.pop() if len(vrs) == 1 else None),
            read_tests(data, context),
            then,
            otherwise,
            paired=context.options.get("when-varying") == "paired",
        )
