"""The kinds of virtual element: each says how one tag of the output is produced."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from dicomwright.blueprint.functions import call_site, function_name, takes_an_argument
from dicomwright.blueprint.resolution import OMIT, Items, Level, PerInstance, Resolution
from dicomwright.blueprint.tags import describe, to_tag
from dicomwright.blueprint.vr import check_vr
from dicomwright.errors import BlueprintError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dicomwright.blueprint.blueprint import Blueprint
    from dicomwright.blueprint.environment import InstanceEnvironment, SeriesEnvironment
    from dicomwright.blueprint.tags import AnyTag, TagLike

__all__ = [
    "BulkElement",
    "DiscardElement",
    "FunctionalElement",
    "IndexElement",
    "KeyedIndexElement",
    "SequenceElement",
    "SeriesElement",
    "StaticElement",
    "VirtualElement",
]


class VirtualElement(ABC):
    """How one tag of the output is produced.

    A subclass says when it is decided (`level`) and gives its value in `resolve`, which is called once a
    series.

    Examples
    --------
    >>> class Upper(VirtualElement):
    ...     def __init__(self, tag, vr, text):
    ...         super().__init__(tag, vr)
    ...         self.text = text
    ...     def resolve(self, env):
    ...         return self.text.upper()
    >>> Upper("StudyDescription", "LO", "brain").resolve(None)
    'BRAIN'

    Parameters
    ----------
    tag : int, tuple, str, pydicom.tag.BaseTag or PrivateTag
        The tag: ``0x0008103E``, ``(0x0008, 0x103E)``, ``"SeriesDescription"``.
    vr : str, optional
        The value representation (PS3.5 section 6.2). None takes it from what is copied.

    Raises
    ------
    BlueprintError
        The tag is unknown, or the standard gives it another VR.

    """

    #: When the element is decided.
    level: Level = Level.SERIES
    #: Whether `resolve` looks at pixels; such elements are resolved when all else is known to be right.
    touches_pixels: bool = False
    #: Whether no stronger blueprint may have another rule for this tag.
    final: bool = False

    def __init__(self, tag: TagLike, vr: str | None = None) -> None:
        self.tag: AnyTag = to_tag(tag)
        self.vr = vr
        self.origin = call_site()
        if vr is not None and (problem := check_vr(self.tag, vr)) is not None:
            raise BlueprintError(problem.message, hint=problem.hint, loc=self.origin, kind=problem.kind)

    @abstractmethod
    def resolve(self, env: SeriesEnvironment) -> Resolution:
        """Return the value, a `pydicom.DataElement`, None (empty), `OMIT`, `PerInstance` or `Items`.

        Raises
        ------
        BlueprintError
            The value cannot be had; all reasons are reported together with those of the other elements.

        """

    def required_tags(self) -> set[int]:
        """Return the tags that the parent series must have for this element."""
        return set()

    def rule(self) -> str:
        """Return the rule in a few words, for people."""
        return type(self).__name__

    def problem(self, message: str, hint: str = "", kind: str = "") -> BlueprintError:
        """Return an error that names this element's tag and origin."""
        return BlueprintError(f"{describe(self.tag)} {message}", hint=hint, loc=self.origin, kind=kind)

    def __repr__(self) -> str:
        vr = f" {self.vr}" if self.vr else ""
        return f"<{type(self).__name__} {describe(self.tag)}{vr}>"


class StaticElement(VirtualElement):
    """A value that is known when the blueprint is written.

    Examples
    --------
    >>> StaticElement(0x0008103E, "LO", "Lung nodule CAD")
    <StaticElement SeriesDescription (0008,103E) LO>

    Parameters
    ----------
    tag, vr
        See `VirtualElement`.
    value : Any
        The value, a list for several values, None for an empty element.

    """

    level = Level.STATIC

    def __init__(self, tag: TagLike, vr: str, value: Any) -> None:
        super().__init__(tag, vr)
        self.value = value

    def resolve(self, env: SeriesEnvironment) -> Resolution:  # noqa: ARG002  # the same for every series
        """Return the value."""
        return self.value

    def rule(self) -> str:
        """Return the rule in a few words."""
        return f"static {self.value!r}"


class SeriesElement(VirtualElement):
    """A value that a function gives once a series.

    Examples
    --------
    >>> from dicomwright import gen_uid
    >>> SeriesElement(0x0020000E, "UI", gen_uid)
    <SeriesElement SeriesInstanceUID (0020,000E) UI>

    Parameters
    ----------
    tag, vr
        See `VirtualElement`.
    func : callable
        Takes nothing, or the first dataset of the parent series.

    """

    def __init__(self, tag: TagLike, vr: str, func: Callable[..., Any]) -> None:
        super().__init__(tag, vr)
        if not callable(func):
            raise self.problem(f"needs a function, not {func!r}", hint="use StaticElement for a fixed value")
        self.func = func
        self.takes_parent = takes_an_argument(func)

    def resolve(self, env: SeriesEnvironment) -> Resolution:
        """Call the function."""
        if not self.takes_parent:
            return self.func()
        if env.parent is None:
            raise self.problem(
                f"asks {function_name(self.func)} with the parent's first dataset, and there is no parent series",
                hint="give a parent series, or a function without arguments",
                kind="no-parent",
            )
        return self.func(env.parent)

    def rule(self) -> str:
        """Return the rule in a few words."""
        return f"once a series by {function_name(self.func)}"


class DiscardElement(VirtualElement):
    """A tag that is never in the output, whatever a filling strategy or a weaker blueprint says.

    Examples
    --------
    >>> DiscardElement("PatientComments")
    <DiscardElement PatientComments (0010,4000)>

    """

    level = Level.STATIC

    def __init__(self, tag: TagLike) -> None:
        super().__init__(tag)

    def resolve(self, env: SeriesEnvironment) -> Resolution:  # noqa: ARG002  # the same for every series
        """Return `OMIT`."""
        return OMIT

    def rule(self) -> str:
        """Return the rule in a few words."""
        return "discard"


class FunctionalElement(VirtualElement):
    """A value that a function gives for each instance.

    Examples
    --------
    >>> FunctionalElement("ImageComments", "LT", lambda env: f"slice {env.instance_number}")
    <FunctionalElement ImageComments (0020,4000) LT>

    Parameters
    ----------
    tag, vr
        See `VirtualElement`.
    func : callable
        Takes an `InstanceEnvironment`, returns the value.

    """

    level = Level.INSTANCE

    def __init__(self, tag: TagLike, vr: str, func: Callable[[InstanceEnvironment], Any]) -> None:
        super().__init__(tag, vr)
        if not callable(func):
            raise self.problem(f"needs a function, not {func!r}", hint="use StaticElement for a fixed value")
        self.func = func

    def resolve(self, env: SeriesEnvironment) -> Resolution:  # noqa: ARG002  # decided later
        """Return the function, to be asked for each instance."""
        return PerInstance(self.func)

    def rule(self) -> str:
        """Return the rule in a few words."""
        return f"for each instance by {function_name(self.func)}"


class BulkElement(FunctionalElement):
    """A large value, such as PixelData, that goes to the file without being copied.

    The function may run in any thread and returns a bytes-like object, or `dicomwright.engine.bulk.BulkParts` of one
    that is too large for memory; the engine pads it to even length.
    An instance has at most one, with the highest tag of the instance.

    """

    #: Whether the function returns fragments as they are encapsulated (PS3.5 A.4), without the delimiter behind them.
    encapsulated: bool = False

    def rule(self) -> str:
        """Return the rule in a few words."""
        return "for each instance from the source"


class IndexElement(VirtualElement):
    """The *i*-th of a sequence of values that is given when the blueprint is written.

    Examples
    --------
    >>> element = IndexElement("TriggerTime", "DS", [0, 40, 80])
    >>> element.level.name
    'INSTANCE'

    """

    level = Level.INSTANCE

    def __init__(self, tag: TagLike, vr: str, values: Sequence[Any]) -> None:
        super().__init__(tag, vr)
        _check_list(self, values, "values")
        self.values = values

    def resolve(self, env: SeriesEnvironment) -> Resolution:
        """Return the values, one for each instance."""
        return _indexed(self, self.values, env, "the sequence")

    def rule(self) -> str:
        """Return the rule in a few words."""
        return "for each instance from a list"


class KeyedIndexElement(VirtualElement):
    """The *i*-th of a sequence of values that the caller gives in ``kwargs``.

    Examples
    --------
    >>> KeyedIndexElement("TriggerTime", "DS", "trigger_times")
    <KeyedIndexElement TriggerTime (0018,1060) DS>

    """

    level = Level.INSTANCE

    def __init__(self, tag: TagLike, vr: str, key: Any) -> None:
        super().__init__(tag, vr)
        self.key = key

    def resolve(self, env: SeriesEnvironment) -> Resolution:
        """Return the values, one for each instance."""
        if self.key not in env.kwargs:
            raise self.problem(
                f"is taken from kwargs[{self.key!r}], which is not given",
                hint=f"build with kwargs={{{self.key!r}: [one value for each instance]}}",
                kind="missing-kwarg",
            )
        values = env.kwargs[self.key]
        if isinstance(values, str):  # from a command line
            values = values.split("\\")
        return _indexed(self, values, env, f"kwargs[{self.key!r}]")

    def rule(self) -> str:
        """Return the rule in a few words."""
        return f"for each instance from kwargs[{self.key!r}]"


class SequenceElement(VirtualElement):
    """A sequence with one item for each blueprint.

    Examples
    --------
    >>> from dicomwright import Blueprint
    >>> code = Blueprint([StaticElement("CodeValue", "SH", "113076"),
    ...                   StaticElement("CodingSchemeDesignator", "SH", "DCM"),
    ...                   StaticElement("CodeMeaning", "LO", "Segmentation")])
    >>> SequenceElement("DerivationCodeSequence", [code])
    <SequenceElement DerivationCodeSequence (0008,9215) SQ>

    Parameters
    ----------
    tag
        See `VirtualElement`.
    blueprints : iterable of Blueprint
        One for each item, in order. A copying element in an item copies from the top level of the parent.

    """

    def __init__(self, tag: TagLike, blueprints: Iterable[Blueprint]) -> None:
        super().__init__(tag, "SQ")
        given: Any = blueprints
        is_list = isinstance(given, Iterable) and not _is_blueprint(given)
        self.blueprints: tuple[Blueprint, ...] = tuple(given) if is_list else ()
        if not is_list or not all(map(_is_blueprint, self.blueprints)):
            raise self.problem(
                f"needs a list of blueprints, one for each item, not {type(blueprints).__name__} {blueprints!r:.60}",
                hint="write [blueprint] for one item",
                kind="items",
            )

    @property
    def level(self) -> Level:  # type: ignore[override]  # decided by the items
        """The highest level of the items' elements."""
        levels = [element.level for blueprint in self.blueprints for element in blueprint]
        return max(levels, default=Level.STATIC)

    def required_tags(self) -> set[int]:
        """Return what the items' elements need of the parent."""
        return {tag for blueprint in self.blueprints for tag in blueprint.required_tags()}

    def resolve(self, env: SeriesEnvironment) -> Resolution:  # noqa: ARG002  # the items are resolved one by one
        """Return the items."""
        return Items(self.blueprints)

    def rule(self) -> str:
        """Return the rule in a few words."""
        return f"sequence of {len(self.blueprints)}"


def _indexed(
    element: VirtualElement, values: Sequence[Any], env: SeriesEnvironment, what: str
) -> PerInstance:
    """Return the values as one for each instance, refusing a wrong count."""
    _check_list(element, values, what)
    if len(values) != env.total_images:
        raise element.problem(
            f"has {len(values)} values in {what} for {env.total_images} instances",
            hint="give one value for each instance",
            kind="count",
        )
    return PerInstance.of(values)


def _check_list(element: VirtualElement, values: Any, what: str) -> None:
    """Refuse what is no list of values."""
    if (
        isinstance(values, str | bytes)
        or not hasattr(values, "__len__")
        or not hasattr(values, "__getitem__")
    ):
        raise element.problem(
            f"needs a list with one value for each instance; {what} is {type(values).__name__} {values!r:.60}",
            kind="values",
        )


def _is_blueprint(item: Any) -> bool:
    from dicomwright.blueprint.blueprint import Blueprint  # late: a blueprint holds elements

    return isinstance(item, Blueprint)
