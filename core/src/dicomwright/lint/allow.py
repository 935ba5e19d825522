"""Exceptions: findings that the user accepts."""

from __future__ import annotations

from dataclasses import replace
from difflib import get_close_matches
from typing import TYPE_CHECKING

from dicomwright._dataclass import dataclass
from dicomwright.errors import BlueprintError, DicomwrightError
from dicomwright.lint.findings import name_of
from dicomwright.standard.iods import tag_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dicomwright.lint.findings import Finding

__all__ = ["KINDS", "Allowance"]

#: Every kind of finding, and what it means.
KINDS = {
    "blueprint": "a blueprint cannot be read",
    "conditional": "an attribute of type 1C or 2C whose condition holds is not produced",
    "condition": "it depends on more than the blueprint whether an attribute is required",
    "empty": "an attribute of type 1 has no value",
    "enumerated": "a value is not among the enumerated values",
    "fixed-uid": "each build would give the same UID",
    "forbidden": "an attribute is produced that must not be there in this case",
    "missing": "a required attribute is not produced",
    "module": "a module is used in part",
    "not-in-iod": "an attribute is not in the IOD",
    "overridden": "the encoder gives the value, not the blueprint",
    "parameter": "a parameter has no default, so that a build must be given it",
    "parent": "a copying rule and the parent series do not fit",
    "sop-class": "the blueprint is of another SOP class",
    "term": "a value is near to a defined term, but not one",
    "value": "a value is not legal",
}


@dataclass(frozen=True)
class Allowance:
    """What the user accepts: kinds of finding, attributes, or a kind for one attribute.

    Examples
    --------
    >>> allowed = Allowance.of(["not-in-iod", "enumerated:PatientSex", "KVP"])
    >>> sorted(allowed.names)
    [('', 'KVP'), ('enumerated', 'PatientSex'), ('not-in-iod', '')]

    """

    names: frozenset[tuple[str, str]] = frozenset()

    @classmethod
    def of(cls, names: Iterable[str]) -> Allowance:
        """Return the allowance of texts: ``KIND``, ``KEYWORD`` or ``KIND:KEYWORD``; tags and dotted paths too.

        Raises
        ------
        BlueprintError
            A text is neither a kind of finding nor an attribute.

        """
        given = [names] if isinstance(names, str) else list(names)
        return cls(frozenset(_read(name) for name in given))

    def apply(self, finding: Finding) -> Finding:
        """Return a finding, as a note if it is accepted."""
        if finding.severity == "note" or not self.names:
            return finding
        keywords = ("", finding.keyword, name_of(finding.place[-1]) if finding.place else "")
        accepted = any((kind, word) in self.names for kind in (finding.kind, "") for word in keywords)
        return (
            replace(finding, severity="note", message=f"allowed: {finding.message}") if accepted else finding
        )


def _read(name: str) -> tuple[str, str]:
    """Return kind and keyword of one exception."""
    kind, colon, place = name.partition(":")
    if not colon:
        kind, place = (name, "") if name in KINDS else ("", name)
    if kind and kind not in KINDS:
        raise _unknown(name, kind)
    if not place:
        return kind, ""
    try:
        parts = [place] if "," in place else place.split(".")
        return kind, ".".join(name_of(tag_of(part)) for part in parts)
    except DicomwrightError:
        raise _unknown(name, place) from None


def _unknown(name: str, part: str) -> BlueprintError:
    near = get_close_matches(part, KINDS, 1)
    return BlueprintError(
        f"--allow {name}: {part!r} is neither a kind of finding nor an attribute",
        hint=f"did you mean {near[0]}?" if near else f"kinds are {', '.join(sorted(KINDS))}",
        kind="allow",
    )
