"""Lint inside a build: the check that stands between resolving a blueprint and reading pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dicomwright.lint.checks import check
from dicomwright.lint.findings import sorted_findings
from dicomwright.lint.rules import overridden
from dicomwright.lint.views import NodeView

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dicomwright.engine.nodes import Node
    from dicomwright.engine.rules import Rule
    from dicomwright.errors import Problem
    from dicomwright.lint.allow import Allowance
    from dicomwright.lint.findings import Finding
    from dicomwright.standard import Iod

__all__ = ["Gate"]

#: Without these there is no instance at all: the engine says so itself.
_IDENTIFIERS = (0x00080016, 0x00080018)


class Gate:
    """Checks a blueprint as a whole; its errors are problems of the build.

    Parameters
    ----------
    iod : Iod
        What is built.
    allowance : Allowance
        What the user accepts.
    complete : bool
        Whether the instances are to be complete. False for blueprints that encode by themselves, such as messages:
        then errors are counted in one warning.

    """

    def __init__(self, iod: Iod, allowance: Allowance, *, complete: bool) -> None:
        self.iod = iod
        self.allowance = allowance
        self.complete = complete
        self.findings: list[Finding] = []

    def __call__(self, rules: list[Rule], nodes: list[Node], unknown: frozenset[int]) -> Iterable[Problem]:
        """Return what stops the build."""
        found = [*check(self.iod, NodeView(rules, nodes, unknown)), *overridden(rules)]
        self.findings = sorted_findings(
            self.allowance.apply(finding) for finding in found if finding.place[-1] not in _IDENTIFIERS
        )
        return [finding.as_problem() for finding in self._of("error")] if self.complete else []

    @property
    def warnings(self) -> list[str]:
        """What the user should know."""
        errors = [] if self.complete else self._of("error")
        told = [f"{finding.message}; {finding.fix}" for finding in self._of("warning")]
        if errors:
            several = f" and {len(errors) - 1} more" if len(errors) > 1 else ""
            told.append(
                f"this is no complete {self.iod.name}: {errors[0].message}{several}; the blueprint encodes by itself, "
                "so that nothing is added"
            )
        return told

    def _of(self, severity: str) -> list[Finding]:
        return [finding for finding in self.findings if finding.severity == severity]
