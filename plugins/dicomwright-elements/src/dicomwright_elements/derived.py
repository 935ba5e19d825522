"""Elements whose values follow from those of other rules, decided as often as those are."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pydicom.multival import MultiValue

from dicomwright.blueprint.elements import VirtualElement
from dicomwright.blueprint.resolution import OMIT, EncodedElement, Items, Level, PerInstance, Resolution
from dicomwright.blueprint.tags import to_tag
from dicomwright.blueprint.values import checker, normaliser
from dicomwright.errors import BlueprintError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dicomwright.blueprint.environment import InstanceEnvironment, SeriesEnvironment
    from dicomwright.blueprint.tags import AnyTag, TagLike
    from dicomwright.bundles import RuleContext

__all__ = [
    "DerivedElement",
    "Failure",
    "input_rule",
    "joined",
    "one_or_list",
    "plain",
    "resolved",
    "texts",
    "unquoted",
]


@dataclass(frozen=True)
class Failure:
    """An input that could not be had, for elements that may do without it."""

    error: BlueprintError


class DerivedElement(VirtualElement):
    """An element whose value is computed from those of its inputs.

    Inputs that are the same in the whole series give one value; if one of them is known for all instances at
    once, so is the result.

    Parameters
    ----------
    tag, vr
        See `VirtualElement`.
    inputs : sequence of VirtualElement
        The rules that give the values.

    """

    may_omit = True
    #: Whether the computation takes a `Failure` for an input that cannot be had.
    takes_failures = False

    def __init__(self, tag: TagLike, vr: str | None, inputs: Sequence[VirtualElement]) -> None:
        super().__init__(tag, vr)
        self.inputs = tuple(inputs)

    @property
    def level(self) -> Level:  # type: ignore[override]  # decided by the inputs
        """The highest level of the inputs."""
        return max((one.level for one in self.inputs), default=Level.STATIC)

    @property
    def touches_pixels(self) -> bool:  # type: ignore[override]  # decided by the inputs
        """Whether an input looks at pixels."""
        return any(one.touches_pixels for one in self.inputs)

    def required_tags(self) -> set[int]:
        """Return what the inputs need of the parent."""
        return {tag for one in self.inputs for tag in one.required_tags()}

    @abstractmethod
    def computation(self, env: SeriesEnvironment) -> Callable[[Sequence[Any]], Any]:
        """Return the function that gives the value.

        It takes one value of each input: a plain one, None (empty), `OMIT` or a `Failure`.
        """

    def resolve(self, env: SeriesEnvironment) -> Resolution:
        """Return the value, or one for each instance."""
        compute = unquoted(self, self.computation(env))
        return joined([self._input(one, env) for one in self.inputs], compute, env.total_images)

    def _input(self, element: VirtualElement, env: SeriesEnvironment) -> Resolution:
        """Return what an input resolves to."""
        try:
            resolution = resolved(element, env)
        except BlueprintError as error:
            if not self.takes_failures:
                raise
            return Failure(error)
        if isinstance(resolution, Items):
            raise self.problem("is computed from a sequence of rules, which has no value", kind="items")
        return resolution


def resolved(element: VirtualElement, env: SeriesEnvironment) -> Resolution:
    """Return what an element resolves to; where it says what stands in for unusable values, that."""
    resolve: Callable[[SeriesEnvironment], Resolution] = getattr(element, "resolve_usable", element.resolve)
    return resolve(env)


def unquoted(
    element: VirtualElement, compute: Callable[[Sequence[Any]], Any]
) -> Callable[[Sequence[Any]], Any]:
    """Return the computation, with its result held to the tag: what is wrong is told without the parent's value."""
    if element.vr in (None, "SQ") or element.level is Level.STATIC:
        return compute
    normal = normaliser(element.tag, str(element.vr))
    check = checker(element.tag, str(element.vr), show_value=False)

    def checked(values: Sequence[Any]) -> Any:
        value = compute(values)
        problems = [] if value is None or value is OMIT else check(normal(value))
        if problems:
            raise BlueprintError.collect([replace(one, loc=element.origin) for one in problems])
        return value

    return checked


def joined(
    resolutions: Sequence[Resolution], compute: Callable[[Sequence[Any]], Any], total: int
) -> Resolution:
    """Return what `compute` gives for resolutions: a value, all values at once, or one for each instance.

    Parameters
    ----------
    resolutions : sequence
        Values, `OMIT`, `Failure` or `PerInstance`.
    compute : callable
        From one plain value of each to the result.
    total : int
        Number of instances.

    """
    varying = [one for one in resolutions if isinstance(one, PerInstance)]
    if not varying:
        return compute([plain(one) for one in resolutions])
    if all(one.in_order for one in varying):
        columns = [one.known if isinstance(one, PerInstance) else [one] * total for one in resolutions]
        rows = zip(*(column or () for column in columns), strict=True)
        return PerInstance.of(compute([plain(value) for value in row]) for row in rows)

    def each(instance: InstanceEnvironment) -> Any:
        values = (one.func(instance) if isinstance(one, PerInstance) else one for one in resolutions)
        return compute([plain(value) for value in values])

    known = varying[0].known
    if len(resolutions) > 1 or known is None:
        return PerInstance(each)
    return PerInstance(each, known=[compute([plain(value)]) for value in known])


def plain(value: Any) -> Any:
    """Return the value of what a rule resolved to: copies come as elements, decoded or not."""
    if isinstance(value, EncodedElement):
        value = value.element()
    return getattr(value, "value", None) if hasattr(value, "VR") else value


def texts(value: Any) -> list[str]:
    """Return a plain value as texts, one for each of its values; none for an empty one.

    Examples
    --------
    >>> texts(["AXIAL ", 5]), texts(None), texts("")
    (['AXIAL', '5'], [], [])

    """
    if value is None or value == "":
        return []
    values = value if isinstance(value, list | tuple | MultiValue) else [value]
    return [str(one).rstrip(" \0") for one in values]


def one_or_list(values: list[Any]) -> Any:
    """Return values as an element takes them: one alone, several as a list, none as None."""
    return (values[0] if values else None) if len(values) <= 1 else values


def input_rule(tag: AnyTag, context: RuleContext) -> VirtualElement:
    """Return the element of ``of``, at the tag of ``from``; without them a copy of the own tag."""
    source = to_tag(context.options.get("from", tag))
    own = context if source == tag else replace(context, vr=None)
    return own.rule(source, context.options.get("of", "copy"), "of")
