"""Jobs: how they come to be, run, and how their outputs leave."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dicomwright_node.jobs.scheduler import Scheduler

__all__ = ["Scheduler"]


def __getattr__(name: str) -> Any:
    """Import the scheduler when it is first used: the configuration needs only the settings."""
    if name != "Scheduler":
        raise AttributeError(f"module 'dicomwright_node.jobs' has no attribute {name!r}")
    from dicomwright_node.jobs.scheduler import Scheduler

    return Scheduler
