"""The check of merged rules against the IOD: what is missing, not legal or overridden, before a pixel is read.

>>> from dicomwright import Blueprint, DicomFactory, StaticElement
>>> blueprint = Blueprint.load("ct-image") + Blueprint([StaticElement("PatientSex", "CS", "X")])
>>> for finding in DicomFactory().lint(blueprint):
...     if finding.severity == "error":
...         print(finding.keyword, finding.kind)
PatientSex enumerated
"""

from __future__ import annotations

from dicomwright.lint.allow import Allowance
from dicomwright.lint.checks import check
from dicomwright.lint.findings import Finding

__all__ = ["Allowance", "Finding", "check"]
