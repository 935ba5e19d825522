"""All checks of one level after the other, and down into the sequences."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from dicomwright._dataclass import dataclass
from dicomwright.lint.presence import presence_findings
from dicomwright.lint.tables import attributes_of
from dicomwright.lint.values import value_findings
from dicomwright.lint.views import DatasetView, RuleView

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dicomwright.lint.findings import Finding, Severity
    from dicomwright.standard import Attribute, Iod

__all__ = ["Lens", "Level", "check"]

Lens = RuleView | DatasetView
_DEEPEST = 16


@dataclass(frozen=True)
class Level:
    """One level of an object: the top, or an item of a sequence.

    Attributes
    ----------
    iod : Iod
        Of the object.
    views : tuple of View
        The top level first, this level last.
    path : tuple of int
        The sequences around it.
    origin : str
        Where the rule of the outermost sequence comes from.
    given : frozenset of int
        Tags of the top level that something else is known to give.
    notes : bool
        Whether what cannot be decided is told.
    optional : bool
        Whether the object would be complete without this level: then what an item lacks is a warning.

    """

    iod: Iod
    views: tuple[Lens, ...]
    path: tuple[int, ...] = ()
    origin: str = ""
    given: frozenset[int] = field(default_factory=frozenset)
    notes: bool = False
    optional: bool = False

    @property
    def here(self) -> Lens:
        """The view of this level."""
        return self.views[-1]

    def origin_of(self, tag: int) -> str:
        """Return where the rule of a tag comes from."""
        return (self.here.origin(tag) if isinstance(self.here, RuleView) else "") or self.origin

    def finding(
        self,
        severity: Severity,
        kind: str,
        about: Attribute | int,
        message: str,
        fix: str = "",
    ) -> Finding:
        """Return a finding about an attribute of this level."""
        from dicomwright.lint.findings import Finding

        tag = about if isinstance(about, int) else about.tag
        module = "" if isinstance(about, int) else about.module.name
        return Finding(severity, kind, (*self.path, tag), message, fix, module, self.origin_of(tag))


def check(iod: Iod, view: Lens, *, given: frozenset[int] = frozenset(), notes: bool = False) -> list[Finding]:
    """Return what is wrong with an object of an IOD.

    Parameters
    ----------
    iod : Iod
        What it is to be.
    view : RuleView or DatasetView
        What is produced.
    given : frozenset of int
        Tags that are taken to be there, since an encoder that is not known gives them.
    notes : bool
        Whether to list what cannot be decided, too.

    """
    return list(_findings(Level(iod, (view,), given=given, notes=notes)))


def _findings(level: Level) -> Iterator[Finding]:
    """Yield the findings of a level and of the items below it."""
    yield from presence_findings(level)
    yield from value_findings(level)
    if len(level.path) < _DEEPEST:
        for tag in level.here.tags():
            for views in _items(level, tag):
                yield from _findings(_below(level, tag, views))


def _below(level: Level, tag: int, views: tuple[Lens, ...]) -> Level:
    """Return the level of an item."""
    is_optional = all(found.type == "3" for found in attributes_of(level.iod.key, level.path).get(tag, ()))
    return Level(
        level.iod,
        views,
        (*level.path, tag),
        level.origin_of(tag),
        notes=level.notes,
        optional=level.optional or is_optional,
    )


def _items(level: Level, tag: int) -> Iterator[tuple[Lens, ...]]:
    """Yield the views of each item that a blueprint describes."""
    items: Sequence[object] | None = _described_items(level.here, tag)
    for item in items or ():
        if isinstance(item, RuleView | DatasetView):
            yield (*level.views, item)


def _described_items(view: Lens, tag: int) -> Sequence[object] | None:
    """Return the items of a sequence, skipping quickly what is none."""
    if isinstance(view, RuleView):
        return view.items(tag) if view.rules[tag].element.vr == "SQ" else None
    return view.items(tag) if view.dataset[tag].VR == "SQ" else None
