"""Which request of an association an answer belongs to, which the library does not ask."""

from __future__ import annotations

import queue
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

__all__ = ["Answers"]

_C_STORE_RSP = 0x8001
_NUMBERS = 65_535


class Answers:
    """Numbers the requests of an association, and hears its answers.

    The library takes the next message for the answer, whatever it is: a peer that answers twice would be believed
    of an instance that it has not seen.
    """

    def __init__(self) -> None:
        self._heard: queue.SimpleQueue[Dataset] = queue.SimpleQueue()
        self._number = 0

    def hear(self, event: Any) -> None:
        """Take note of a message: for EVT_DIMSE_RECV, which comes before anybody waiting for it goes on."""
        self._heard.put(event.message.command_set)

    def number(self) -> int:
        """Return the number of the next request."""
        self._number = self._number % _NUMBERS + 1
        return self._number

    def fits(self, uid: str) -> bool:
        """Tell whether the next message that was heard answers the last request, which was of this instance."""
        try:
            answer = self._heard.get_nowait()
        except queue.Empty:  # pragma: no cover  # another release of the library
            return True
        return (
            answer.get("CommandField") == _C_STORE_RSP
            and answer.get("MessageIDBeingRespondedTo") == self._number
            and str(answer.get("AffectedSOPInstanceUID") or uid).rstrip("\0 ") == uid
        )
