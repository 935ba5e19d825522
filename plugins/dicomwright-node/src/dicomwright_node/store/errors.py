"""What the store raises."""

from __future__ import annotations

from dicomwright.errors import DicomwrightError

__all__ = ["StateError", "StoreError", "StoreFullError"]


class StoreError(DicomwrightError):
    """The node's folder or database cannot be used."""


class StateError(StoreError):
    """A job is not in the state that a change needs."""


class StoreFullError(StoreError):
    """There is no room for more, by the limits of the configuration or by the disk."""
