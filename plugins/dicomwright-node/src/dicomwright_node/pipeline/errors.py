"""What is wrong with a pipeline."""

from __future__ import annotations

from dicomwright.errors import DicomwrightError

__all__ = ["PipelineError"]


class PipelineError(DicomwrightError):
    """A pipeline is defined wrongly, or its function returned something else than an output."""
