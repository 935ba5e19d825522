"""What lint finds."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from dicomwright.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Finding", "Severity", "name_of", "sorted_findings"]

Severity = Literal["error", "warning", "note"]
_TAG = re.compile(r"\(([0-9A-F]{4}),([0-9A-F]{4})\)")
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
        Name of the module of PS3.3; empty where it is about none.
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
        named = _TAG.search(problem.message)
        place = (int(named[1] + named[2], 16),) if named else ()
        return cls("error", kind, place, problem.message, problem.hint, origin=problem.loc)

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


def name_of(tag: int) -> str:
    """Return the keyword of a tag, or the tag where it has none."""
    from pydicom.datadict import keyword_for_tag

    return keyword_for_tag(tag) or _shown(tag)


def _shown(tag: int) -> str:
    return f"({tag >> 16:04X},{tag & 0xFFFF:04X})"
