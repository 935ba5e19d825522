"""Judge finished files: the core's own checks, and those of validators from plug-ins."""

from __future__ import annotations

from dicomwright.validate.api import Complaint, Validator
from dicomwright.validate.run import Verdict, validate, validating

__all__ = ["Complaint", "Validator", "Verdict", "validate", "validating"]
