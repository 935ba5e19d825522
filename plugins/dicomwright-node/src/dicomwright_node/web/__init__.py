"""Health, metrics and pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dicomwright_node.web.app import routes

__all__ = ["routes"]


def __getattr__(name: str) -> Any:
    """Import the pages when they are first used: the configuration needs only the settings."""
    if name != "routes":
        raise AttributeError(f"module 'dicomwright_node.web' has no attribute {name!r}")
    from dicomwright_node.web.app import routes

    return routes
