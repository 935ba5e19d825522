"""The blueprints that can be named, for listings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydicom.uid import UID

from dicomwright.bundles.bundle_set import BundleSet
from dicomwright.bundles.document import parse
from dicomwright.bundles.load import MAX_DEPTH, base_of
from dicomwright.bundles.sources import in_bundle, shipped, shipped_names
from dicomwright.bundles.stores import printable
from dicomwright.errors import BlueprintError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dicomwright.bundles.document import Document
    from dicomwright.bundles.sources import Source

__all__ = ["CatalogEntry", "catalog"]

_SOP_CLASS = "SOPClassUID"


@dataclass(frozen=True, slots=True)
class CatalogEntry:
    """One blueprint, shipped or of a bundle.

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


def catalog(bundles: BundleSet | None = None) -> tuple[CatalogEntry, ...]:
    """Return the shipped blueprints, complete IODs first, then those of the bundles by id.

    Examples
    --------
    >>> [entry.sop_class for entry in catalog() if entry.name == "mr-image"]
    ['MR Image Storage']

    """
    known = BundleSet(installed=False) if bundles is None else bundles
    shipped_ones = [_entry(name, shipped(name), known) for name in shipped_names()]
    complete_first = sorted(shipped_ones, key=lambda entry: (not entry.sop_class_uid, entry.name))
    return (*complete_first, *(_of_bundles(bundles) if bundles is not None else ()))


def _of_bundles(bundles: BundleSet) -> Iterator[CatalogEntry]:
    """Yield the blueprints of bundles; one that cannot be read says so."""
    for bundle in bundles.usable:
        for name, path in sorted(bundle.manifest.blueprints.items()):
            identifier = f"{bundle.name}/{name}"
            try:
                yield _entry(identifier, in_bundle(bundle, path), bundles)
            except BlueprintError as error:
                yield CatalogEntry(identifier, printable(f"cannot be read: {error.problems[0]}"))


def _entry(name: str, source: Source, bundles: BundleSet) -> CatalogEntry:
    """Return the entry of a blueprint file."""
    document = parse(source)
    uid = _sop_class_uid(document, bundles, (source.key,))
    return CatalogEntry(name, document.summary, uid, UID(uid).name if uid else "")


def _sop_class_uid(document: Document, bundles: BundleSet, chain: tuple[str, ...]) -> str:
    """Return the SOP class that a blueprint or the last of its bases names; empty if none does."""
    rule = document.elements.get(_SOP_CLASS)
    if isinstance(rule, dict):
        return str(rule.get("static", ""))
    for name in reversed(document.extends):
        try:
            source = base_of(document, name, bundles)
            if source.key in chain or len(chain) > MAX_DEPTH:
                continue
            uid = _sop_class_uid(parse(source), bundles, (*chain, source.key))
        except BlueprintError:  # loading it says what is wrong
            continue
        if uid:
            return uid
    return ""
