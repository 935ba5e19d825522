"""``counter``: a number that grows from instance to instance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dicomwright.blueprint.elements import VirtualElement
from dicomwright.blueprint.resolution import Level, PerInstance

if TYPE_CHECKING:
    from dicomwright.blueprint.environment import SeriesEnvironment
    from dicomwright.blueprint.tags import AnyTag, TagLike
    from dicomwright.bundles import RuleContext

__all__ = ["CounterElement"]

_NUMBERS = frozenset({"DS", "FD", "FL", "IS", "SL", "SS", "SV", "UL", "US", "UV"})
_WIDEST = 64


class CounterElement(VirtualElement):
    """A number for each instance: start, start + step, ...

    Examples
    --------
    >>> from dicomwright import SeriesEnvironment
    >>> numbers = CounterElement("StudyID", "SH", 8, step=2, width=3).resolve(SeriesEnvironment(total_images=3))
    >>> numbers.known
    ['008', '010', '012']

    Parameters
    ----------
    tag, vr
        See `VirtualElement`.
    start, step : int
        The first number, and how much it grows.
    width : int
        At least this many digits; of texts.
    prefix : str
        A text in front; of texts.

    """

    level = Level.INSTANCE

    def __init__(
        self, tag: TagLike, vr: str, start: int = 1, *, step: int = 1, width: int = 0, prefix: str = ""
    ) -> None:
        super().__init__(tag, vr)
        self.start = start
        self.step = step
        self.width = width
        self.prefix = prefix

    def resolve(self, env: SeriesEnvironment) -> PerInstance:
        """Return all the numbers."""
        return PerInstance.of(self.value(number) for number in range(env.total_images))

    def value(self, index: int) -> int | str:
        """Return the value of one instance, counted from 0."""
        number = self.start + self.step * index
        if self.vr in _NUMBERS:
            return number
        sign = "-" if number < 0 else ""
        return f"{self.prefix}{sign}{abs(number):0{self.width}d}"

    def rule(self) -> str:
        """Return the rule in a few words."""
        return f"{self.value(0)}, {self.value(1)}, ... from instance to instance"

    @classmethod
    def from_data(cls, tag: AnyTag, data: Any, context: RuleContext) -> CounterElement:
        """Make ``"counter"`` or ``{ counter = 1, step = 1, width = 4 }``."""
        vr = context.vr_of(tag)
        step, width = context.options.get("step", 1), context.options.get("width", 0)
        prefix = context.options.get("prefix", "")
        if vr in _NUMBERS and (width or prefix):
            raise context.problem(f"counter: a number (VR {vr}) has neither width nor prefix")
        if step == 0:
            raise context.problem(
                "counter: step is 0", hint="for the same value everywhere write { static = ... }"
            )
        if not 0 <= width <= _WIDEST:
            raise context.problem(f"counter: width is {width}", hint=f"0 to {_WIDEST}")
        start = data if type(data) is int else 1
        element = cls(tag, vr, start, step=step, width=width, prefix=prefix)
        context.value(tag, element.value(0))
        return element
