"""A copy that knows what to do where the parent's instances differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dicomwright.blueprint.copying import CopyOrElseElement
from dicomwright.blueprint.elements import VirtualElement
from dicomwright.blueprint.resolution import OMIT, Items, Level, PerInstance, Resolution

if TYPE_CHECKING:
    from dicomwright.blueprint.environment import InstanceEnvironment, SeriesEnvironment
    from dicomwright.blueprint.tags import TagLike

__all__ = ["CopyWhereSameElement"]


class CopyWhereSameElement(CopyOrElseElement):
    """A value that is copied from the parent series where all its instances have the same.

    Where they differ, it comes from the paired parent instance (if `paired`, and there is a pairing), and else
    from the default, as for a parent that has none.

    Examples
    --------
    >>> CopyWhereSameElement("EchoTime", "DS", paired=True).rule()
    'copy where the same, else of the paired parent instance, or else None'

    Parameters
    ----------
    tag, vr, default
        See `CopyOrElseElement`; the VR None takes that of the parent's element.
    paired : bool
        Whether a value that differs is copied instance by instance.

    """

    def __init__(self, tag: TagLike, vr: str | None, default: Any = None, *, paired: bool = False) -> None:
        super().__init__(tag, vr, default)  # type: ignore[arg-type]  # None only where the default is OMIT
        self.paired = paired

    @property
    def level(self) -> Level:  # type: ignore[override]  # decided by what is asked for
        """The level of the default, or each instance."""
        return Level.INSTANCE if self.paired else super().level

    def resolve(self, env: SeriesEnvironment) -> Resolution:
        """Return the parent's element, those of the paired instances, or the default."""
        if env.parents is None or not env.parents.varies(self.tag):
            return super().resolve(env)
        other = self.default.resolve(env) if isinstance(self.default, VirtualElement) else self.default
        if not self.paired or env.pairs is None or isinstance(other, Items):
            return other
        found = env.parents.column(self.tag, env.pairs)

        def copied(instance: InstanceEnvironment) -> Any:
            value = found[instance.instance_number - 1]
            if value is not None:
                return value
            return other.func(instance) if isinstance(other, PerInstance) else other

        constant = () if isinstance(other, PerInstance) or other is OMIT else (other,)
        return PerInstance(copied, known=[*(value for value in found if value is not None), *constant])

    def rule(self) -> str:
        """Return the rule in a few words."""
        other = self.default.rule() if isinstance(self.default, VirtualElement) else repr(self.default)
        if self.default is OMIT:
            other = "omit"
        paired = "else of the paired parent instance, " if self.paired else ""
        return f"copy where the same, {paired}or else {other}"
