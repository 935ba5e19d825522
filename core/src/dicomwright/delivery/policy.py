"""How often and how long something is tried."""

from __future__ import annotations

import random
from dataclasses import dataclass

from dicomwright.errors import DeliveryError

__all__ = ["Policy"]


@dataclass(frozen=True, slots=True)
class Policy:
    """How often and how long something is tried.

    Examples
    --------
    >>> 2.0 <= Policy(first_wait=2.0).wait(2) <= 4.0
    True

    Attributes
    ----------
    retries : int
        How often an instance is sent again after no answer or a refusal that may pass; and how often a
        destination is tried again that takes nothing.
    first_wait, longest_wait : float
        Seconds before the first of them, doubled from one to the next up to the longest; each is shortened by
        up to a half at random, so that many senders do not come back at the same moment. A destination that wants to
        be left alone for longer than the longest is given up.
    timeout : float
        Seconds after which no more is sent to any destination.

    """

    retries: int = 3
    first_wait: float = 1.0
    longest_wait: float = 300.0
    timeout: float = 14_400.0

    def __post_init__(self) -> None:
        waits = self.first_wait >= 0 and self.longest_wait >= 0  # neither holds for NaN
        if not (self.retries >= 0 and waits and self.timeout > 0):
            raise DeliveryError(
                f"retries ({self.retries}) and waits ({self.first_wait}, {self.longest_wait} s) cannot be negative, "
                f"and the timeout ({self.timeout} s) is more than 0",
                kind="policy",
            )

    def wait(self, count: int) -> float:
        """Return how many seconds to wait before trying for the `count`-th time again."""
        longest = min(self.first_wait * 2.0 ** min(count - 1, 30), self.longest_wait)
        return longest * random.uniform(0.5, 1.0)  # noqa: S311  # nothing secret depends on it
