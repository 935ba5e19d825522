"""The sections ``[jobs]`` and ``[delivery]`` of the configuration."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Annotated

__all__ = ["DeliverySection", "JobsSection"]

_SHARE = 0.8  # of the machine's memory, for all jobs together


@dataclass(frozen=True, slots=True, kw_only=True)
class JobsSection:
    """``[jobs]``: when jobs begin, and what they may use.

    Attributes
    ----------
    workers : int
        How many run at once.
    executor : str
        Name of the executor that runs them.
    seconds : float
        How long one may run.
    memory : int
        Most bytes of address space of one; 0: an equal share of 80 % of the machine's memory.
    settle : float
        Seconds without a new instance before the inputs of a job are asked whether they are complete.
    quiet : float
        The same for inputs that do not say when they are complete.
    timeout : float
        Seconds without a new instance before an incomplete job is given up.
    attempts : int
        How often a job runs whose process was killed. What the user's function raises is not tried again.
    retry_wait : float
        Seconds before the second attempt; twice as long before the third, and so on.

    """

    workers: Annotated[int, "count"] = 2
    executor: Annotated[str, "text"] = "process"
    seconds: Annotated[float, "seconds"] = 3600.0
    memory: Annotated[int, "size"] = 0
    settle: Annotated[float, "seconds"] = 2.0
    quiet: Annotated[float, "seconds"] = 30.0
    timeout: Annotated[float, "seconds"] = 3600.0
    attempts: Annotated[int, "count"] = 2
    retry_wait: Annotated[float, "seconds"] = 5.0

    @property
    def memory_of_one(self) -> int:
        """Most bytes of address space of one job."""
        total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        return self.memory or int(total * _SHARE / self.workers)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverySection:
    """``[delivery]``: how outputs are sent.

    Attributes
    ----------
    workers : int
        How many deliveries at once.
    retries : int
        How often a file is sent again at once, after no answer or a refusal that may pass.
    attempts : int
        How often a whole delivery is taken up again after that, before it has failed.
    first_wait, longest_wait : float
        Seconds before the first of them, doubled from one to the next, up to the longest.
    timeout : float
        Seconds that one of them may take.

    """

    workers: Annotated[int, "count"] = 2
    retries: Annotated[int, "number"] = 2
    attempts: Annotated[int, "count"] = 12
    first_wait: Annotated[float, "seconds"] = 10.0
    longest_wait: Annotated[float, "seconds"] = 3600.0
    timeout: Annotated[float, "patience"] = 14400.0
