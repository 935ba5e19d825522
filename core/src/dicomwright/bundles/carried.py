"""A copy that knows what to do where the parent has nothing that can be used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydicom.dataelem import DataElement

from dicomwright.blueprint.copying import CopyOrElseElement
from dicomwright.blueprint.elements import VirtualElement
from dicomwright.blueprint.resolution import OMIT, Items, Level, PerInstance, Resolution
from dicomwright.blueprint.values import check_value, normalise
from dicomwright.blueprint.vr import check_vr
from dicomwright.errors import ParentError
from dicomwright.parents.copying import fresh_element
from dicomwright.payload.decimal_string import ds

if TYPE_CHECKING:
    from dicomwright.blueprint.environment import InstanceEnvironment, SeriesEnvironment
    from dicomwright.blueprint.tags import TagLike

__all__ = ["CarriedElement", "WhenUnusable", "WhenVarying"]

WhenVarying = Literal["error", "else", "largest", "paired"]
WhenUnusable = Literal["error", "else"]


class CarriedElement(CopyOrElseElement):
    """A value that is copied from the parent series where that can be done, or another one.

    Examples
    --------
    >>> CarriedElement("EchoTime", "DS", "", when_varying="paired").rule()
    "copy, or else '' (where it differs: from the paired instance)"

    Parameters
    ----------
    tag, vr
        See `VirtualElement`; the VR None takes that of the parent's element.
    default : Any
        A value, a virtual element of the same tag, or `OMIT`.
    when_varying : str
        Where the parent's instances differ: ``error``, ``else`` the default, ``largest`` of their values, or
        ``paired`` for the value of the paired parent instance.
    when_unusable : str
        Where the parent's value is empty, or not one that the tag may have (PS3.5 section 6.2): ``error``
        takes an empty value as it is and refuses others; ``else`` takes the default. Numbers with too many
        digits for DS are rounded to 16 characters then.
    among : tuple of str
        The values that the parent's may have, where PS3.3 enumerates them; empty for any. Another is unusable.

    """

    def __init__(
        self,
        tag: TagLike,
        vr: str | None,
        default: Any = None,
        *,
        when_varying: WhenVarying = "error",
        when_unusable: WhenUnusable = "error",
        among: tuple[str, ...] = (),
    ) -> None:
        super().__init__(tag, vr, default)  # type: ignore[arg-type]  # None takes the parent's
        self.when_varying = when_varying
        self.when_unusable = when_unusable
        self.among = among

    @property
    def level(self) -> Level:  # type: ignore[override]  # decided by what is asked for
        """The level of the default, or each instance."""
        return Level.INSTANCE if self.when_varying == "paired" else super().level

    def resolve(self, env: SeriesEnvironment) -> Resolution:
        """Return the parent's element, those of the paired instances, or the default.

        A value that the tag may not have comes back as it is where it is one for the whole series: the engine
        leaves it out with a warning, and asks for `fallback`.
        """
        return self._resolved(env, keep_illegal=True)

    def resolve_usable(self, env: SeriesEnvironment) -> Resolution:
        """Return the same, with the default for a value that the tag may not have."""
        return self._resolved(env, keep_illegal=False)

    def _resolved(self, env: SeriesEnvironment, *, keep_illegal: bool) -> Resolution:
        """Return what is copied, or the default."""
        if env.parents is None:
            return self.fallback(env)
        if self._varies(env):
            return self._varying(env)
        element = self._element(env, 0)
        found = self._usable(element)
        if found is not None:
            return found
        is_illegal = element is not None and not element.is_empty and self._is_among(element)
        return element if is_illegal and keep_illegal else self.fallback(env)

    def rule(self) -> str:
        """Return the rule in a few words."""
        other = self.default.rule() if isinstance(self.default, VirtualElement) else repr(self.default)
        text = "copy where usable" if self.when_unusable == "else" else "copy"
        text += ", or else " + ("nothing" if self.default is OMIT else other)
        if self.when_varying == "paired":
            text += " (where it differs: from the paired instance)"
        return text

    def _varies(self, env: SeriesEnvironment) -> bool:
        """Tell whether the parent's instances differ; those that cannot be read may."""
        try:
            return bool(env.parents.varies(self.tag))
        except ParentError:
            if self.when_unusable == "error":
                raise
            return self.when_varying != "error"

    def _element(self, env: SeriesEnvironment, index: int | None) -> DataElement | None:
        """Return the element of one parent instance, None if it has none that can be read."""
        if index is None:
            return None
        try:
            element: DataElement | None = env.parents.element(self.tag, index)
        except ParentError:
            if self.when_unusable == "error":
                raise
            return None
        return element

    def _varying(self, env: SeriesEnvironment) -> Resolution:
        """Return what is asked for where the parent's instances differ."""
        if self.when_varying == "error":
            return super().resolve(env)
        other = self.fallback(env)
        if self.when_varying == "largest":
            elements = (self._usable(self._element(env, index)) for index in range(len(env.parents)))
            usable = [element for element in elements if element is not None]
            return max(usable, key=lambda element: str(element.value), default=other)
        if self.when_varying == "else" or env.pairs is None or isinstance(other, Items):
            return other
        found = [self._usable(self._element(env, index)) for index in env.pairs]
        if all(value is None for value in found):
            return other
        if not isinstance(other, PerInstance):
            return PerInstance.of(other if value is None else value for value in found)

        def copied(instance: InstanceEnvironment) -> Any:
            value = found[instance.instance_number - 1]
            return other.func(instance) if value is None else value

        return PerInstance(copied, known=[value for value in found if value is not None])

    def _usable(self, element: DataElement | None) -> DataElement | None:
        """Return the element as it may be written, None if it is to be replaced by the default."""
        if element is None:
            return None
        if self.when_unusable == "error":
            return self._checked(element)
        vr = self.vr or element.VR
        if element.is_empty or check_vr(self.tag, vr) is not None or not self._is_among(element):
            return None
        if vr == "SQ" and not element.tag.is_private:
            element = fresh_element(element, keep_private=False)  # nobody has asked for private elements
        value = normalise(self.tag, vr, element.value)
        if vr == "DS":
            value = _rounded(value)
        return None if check_value(self.tag, vr, value) else DataElement(element.tag, vr, value)

    def _checked(self, element: DataElement) -> DataElement:
        """Refuse a value that PS3.3 does not have."""
        if element.is_empty or self._is_among(element):
            return element
        raise self.problem(
            f"has a value in the parent series that is not {' or '.join(self.among)}",
            hint="set it, or discard it",
            kind="bad-value",
        )

    def _is_among(self, element: DataElement) -> bool:
        """Tell whether the element has only values that it may have."""
        values = element.value if element.VM > 1 else [element.value]
        return not self.among or all(str(value).strip() in self.among for value in values)


def _rounded(value: Any) -> Any:
    """Return DS texts with at most 16 characters; what is no number comes back unchanged."""
    if isinstance(value, list):
        return [_rounded(one) for one in value]
    text = str(value)
    if len(text) <= 16:  # noqa: PLR2004 - PS3.5 section 6.2
        return value
    try:
        return ds(float(text))
    except (ValueError, OverflowError):
        return value
