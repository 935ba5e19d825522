"""The blueprints that can be named, for listings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydicom.uid import UID

from dicomwright.bundles.document import parse
from dicomwright.bundles.load import base_of
from dicomwright.bundles.sources import shipped, shipped_names

if TYPE_CHECKING:
    from dicomwright.bundles.document import Document

__all__ = ["CatalogEntry", "catalog"]

_SOP_CLASS = "SOPClassUID"


@dataclass(frozen=True, slots=True)
class CatalogEntry:
    """One shipped blueprint.

    Attributes
    ----------
    name : str
        What ``--blueprint`` takes.
    summary : str
        One line.
    sop_class_uid, sop_class : str
        UID and name of the SOP class that it makes; empty for a part of others.

    """

    name: str
    summary: str
    sop_class_uid: str = ""
    sop_class: str = ""

    def as_dict(self) -> dict[str, str]:
        """Return it as what JSON can hold."""
        return {
            "name": self.name,
            "summary": self.summary,
            "sop_class_uid": self.sop_class_uid,
            "sop_class": self.sop_class,
        }


def catalog() -> tuple[CatalogEntry, ...]:
    """Return the shipped blueprints, complete IODs first.

    Examples
    --------
    >>> [entry.sop_class for entry in catalog() if entry.name == "mr-image"]
    ['MR Image Storage']

    """
    entries = []
    for name in shipped_names():
        document = parse(shipped(name))
        uid = _sop_class_uid(document)
        entries.append(CatalogEntry(name, document.summary, uid, UID(uid).name if uid else ""))
    return tuple(sorted(entries, key=lambda entry: (not entry.sop_class_uid, entry.name)))


def _sop_class_uid(document: Document) -> str:
    """Return the SOP class that a blueprint or the last of its bases names; empty if none does."""
    rule = document.elements.get(_SOP_CLASS)
    if isinstance(rule, dict):
        return str(rule.get("static", ""))
    for name in reversed(document.extends):
        uid = _sop_class_uid(parse(base_of(document, name)))
        if uid:
            return uid
    return ""
