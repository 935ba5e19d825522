"""The front door: find SOP classes, IODs and attributes by the names that people use."""

from __future__ import annotations

import difflib
from collections import Counter
from functools import cache

from dicomwright.errors import DicomwrightError
from dicomwright.standard._tables import entries, index
from dicomwright.standard.iods import Iod, Place, Tag, load, tag_of
from dicomwright.standard.model import Attribute, SopClass, Terms

__all__ = ["attribute", "iod", "iod_of", "iods", "modules_with", "sop_class", "sop_classes", "terms"]


@cache
def sop_classes() -> tuple[SopClass, ...]:
    """Return every storage SOP class, by UID.

    Examples
    --------
    >>> [found.keyword for found in sop_classes() if found.iod == "enhanced-ct-image"]
    ['EnhancedCTImageStorage']

    """
    return tuple(SopClass(*row) for row in index()["sop_classes"])


def sop_class(name: str) -> SopClass:
    """Return a storage SOP class by UID, keyword or name.

    Examples
    --------
    >>> sop_class("MRImageStorage").uid
    '1.2.840.10008.5.1.4.1.1.4'

    Raises
    ------
    DicomwrightError
        There is none; the message names similar ones.

    """
    found = _sop_class_names().get(_folded(name))
    if found is None:
        raise _unknown("SOP class", name, [row.keyword for row in sop_classes()])
    return found


def iods() -> tuple[str, ...]:
    """Return the keys of all IODs, sorted."""
    return tuple(index()["iods"])


def iod(name: str | Iod) -> Iod:
    """Return an IOD by its key or name, or by UID, keyword or name of a SOP class of it.

    Examples
    --------
    >>> iod("CTImageStorage") is iod("1.2.840.10008.5.1.4.1.1.2") is iod("CT Image") is iod("ct-image")
    True

    Raises
    ------
    DicomwrightError
        There is none; the message names similar ones.

    """
    if isinstance(name, Iod):
        return name
    folded = _folded(name)
    key = _iod_names().get(folded)
    if key is None and folded in _sop_class_names():
        key = _sop_class_names()[folded].iod
    if key is None:
        raise _unknown("IOD or SOP class", name, [*iods(), *(row.keyword for row in sop_classes())])
    return load(key)


def iod_of(sop_class_uid: str) -> Iod | None:
    """Return the IOD of a SOP class by its UID; None if it is not a storage SOP class that the tables know.

    Examples
    --------
    >>> iod_of("1.2.840.10008.5.1.4.1.1.4").key, iod_of("1.2.840.10008.1.1")
    ('mr-image', None)

    """
    found = _sop_class_uids().get(sop_class_uid)
    return None if found is None else load(found.iod)


def attribute(of: str | Iod, place: Place) -> Attribute | None:
    """Return what an IOD says of the attribute at a place, or None if it is not in the IOD.

    Of several modules, the strictest of the mandatory ones; if none is mandatory, the strictest of all.

    Examples
    --------
    >>> attribute("PositronEmissionTomographyImageStorage", "Units").type
    '1'
    >>> attribute("EnhancedCTImageStorage", "SharedFunctionalGroupsSequence.PixelMeasuresSequence").macro
    'pixel-measures'

    """
    found = iod(of)
    return found.strictest(place, "M") or found.strictest(place)


def terms(of: str | Iod, place: Place) -> tuple[Terms, ...]:
    """Return the enumerated values and defined terms that an IOD gives for the attribute at a place.

    Examples
    --------
    >>> terms("MRImageStorage", "PatientSex")[0].values
    ('M', 'F', 'O')

    """
    return iod(of).terms(place)


def modules_with(tag: Tag) -> tuple[str, ...]:
    """Return the names of all modules that have an attribute at their top level, those of the most IODs first.

    Examples
    --------
    >>> modules_with("EchoTime"), modules_with("PatientName")
    (('MR Image',), ('Patient',))

    """
    return _modules_by_tag().get(tag_of(tag), ())


@cache
def _modules_by_tag() -> dict[int, tuple[str, ...]]:
    tables = index()
    uses = Counter(row[0] for iod_row in tables["iods"].values() for row in iod_row[2])
    found: dict[int, list[str]] = {}
    for key in sorted(tables["modules"], key=lambda key: (-uses[key], key)):
        name, _, items = tables["modules"][key]
        for tag in entries(items):
            found.setdefault(tag, []).append(name)
    return {tag: tuple(names) for tag, names in found.items()}


def _folded(name: str) -> str:
    return "".join(character for character in name.casefold() if character.isalnum() or character == ".")


@cache
def _iod_names() -> dict[str, str]:
    rows = index()["iods"]
    by_name = {_folded(row[0]): key for key, row in rows.items()}
    return by_name | {_folded(key): key for key in rows}


@cache
def _sop_class_uids() -> dict[str, SopClass]:
    return {row.uid: row for row in sop_classes()}


@cache
def _sop_class_names() -> dict[str, SopClass]:
    return {_folded(text): row for row in sop_classes() for text in (row.uid, row.keyword, row.name)}


def _unknown(what: str, name: str, known: list[str]) -> DicomwrightError:
    by_fold = {_folded(text): text for text in known}
    similar = [by_fold[text] for text in difflib.get_close_matches(_folded(name), by_fold, 3, 0.6)]
    hint = (
        f"did you mean {' or '.join(similar)}?" if similar else "dicomwright.standard.iods() lists the keys"
    )
    return DicomwrightError(f"no {what} is called {name!r}", hint=hint, kind="unknown-iod")
