"""What lint finds."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from dicomwright._dataclass import dataclass
from dicomwright.errors import Problem
from dicomwright.standard.lookup import modules_with

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dicomwright.standard import Iod

__all__ = ["CORRECT", "Finding", "Severity", "name_of", "named", "sorted_findings"]

Severity = Literal["error", "warning", "note"]
_TAG = re.compile(r"\(([0-9A-F]{4}),([0-9A-F]{4})\)")
#: What to do where a rule says no more than what is wrong.
CORRECT = "correct it in the blueprint"
_RANK = {"error": 0, "warning": 1, "note": 2}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that lint found.

    Attributes
    ----------
    severity : str
        ``error`` stops a build, ``warning`` is told, ``note`` is for those who ask.
    kind : str
        A stable word that ``--allow`` takes, such as ``missing``.
    place : tuple of int
        The tag, after those of the sequences around it; empty for the blueprint as a whole.
    message, fix : str
        What is wrong, where and why; what to do.
    module : str
        Name of the module of PS3.3 that has the attribute; of an attribute that is not in the IOD, one that has it.
    origin : str
        Where the rule comes from: ``file:line``, a call site, or the name of a layer; empty if there is no rule.

    """

    severity: Severity
    kind: str
    place: tuple[int, ...]
    message: str
    fix: str = ""
    module: str = ""
    origin: str = ""

    @property
    def tag(self) -> str:
        """The tag as ``(gggg,eeee)``; empty for the blueprint as a whole."""
        return _shown(self.place[-1]) if self.place else ""

    @property
    def keyword(self) -> str:
        """The keyword, after those of the sequences around it, with dots."""
        return ".".join(name_of(tag) for tag in self.place)

    @classmethod
    def of_problem(cls, problem: Problem, kind: str) -> Finding:
        """Return a problem of an error as a finding; its message names the tag first."""
        told = _TAG.search(problem.message)
        place = (int(told[1] + told[2], 16),) if told else ()
        return cls(
            "error",
            kind,
            place,
            problem.message,
            problem.hint or (CORRECT if place else ""),
            origin=problem.loc,
        )

    def as_problem(self) -> Problem:
        """Return it as a problem of an error."""
        return Problem(self.message, self.fix, self.origin, self.kind)

    def as_dict(self) -> dict[str, Any]:
        """Return it as what JSON can hold."""
        return {
            "severity": self.severity,
            "kind": self.kind,
            "tag": self.tag,
            "keyword": self.keyword,
            "module": self.module,
            "origin": self.origin,
            "message": self.message,
            "fix": self.fix,
        }

    def __str__(self) -> str:
        """Return one line."""
        start = f"{self.origin}: " if self.origin else ""
        end = f"; {self.fix}" if self.fix else ""
        return f"{start}{self.severity}: {self.message}{end} [{self.kind}]"


def sorted_findings(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings with errors first, in tag order, each once."""
    return sorted(dict.fromkeys(findings), key=lambda found: (_RANK[found.severity], found.place, found.kind))


def named(findings: Iterable[Finding], iod: Iod | None) -> Iterator[Finding]:
    """Yield findings, each with the module that its attribute is in: of the IOD, else of any."""
    for found in findings:
        if found.module or not found.place:
            yield found
            continue
        yield replace(found, module=_home(found.place, iod))


def _home(place: tuple[int, ...], iod: Iod | None) -> str:
    """Return the name of the module that an attribute is in, or the sequence around it."""
    for depth in range(len(place), 0, -1):
        rows = () if iod is None else iod.at(place[:depth])
        if rows:
            return min(rows, key=lambda row: "MCU".index(row.module.usage)).module.name
    return next(iter(modules_with(place[-1])), "")


def name_of(tag: int) -> str:
    """Return the keyword of a tag, or the tag where it has none."""
    from pydicom.datadict import keyword_for_tag

    return keyword_for_tag(tag) or _shown(tag)


def _shown(tag: int) -> str:
    return f"({tag >> 16:04X},{tag & 0xFFFF:04X})"
