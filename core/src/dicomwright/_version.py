"""The version of this distribution, as it is installed."""

from __future__ import annotations

from functools import cache

__all__ = ["version"]


@cache
def version() -> str:
    """Return the version of the distribution dicomwright."""
    from dicomwright.plugins._metadata import core_version  # late: importing the package stays light

    return core_version()
