"""Let a sender transmit once, in a thread, so that a sender that hangs holds up nobody."""

from __future__ import annotations

import queue
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from dicomwright.errors import DeliveryError
from dicomwright.plugins.isolation import strays
from dicomwright.plugins.protocols import Delivery
from dicomwright.plugins.records import tell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from dicomwright.delivery.destinations import Destination

__all__ = ["GRACE", "Transmission"]

#: Seconds that a sender has to end after it was told to.
GRACE = 5.0
_LOOK = 0.1
_END = object()


class Transmission:
    """One call of a sender.

    Attributes
    ----------
    problem : str
        Why the sender did not go through all files; empty if it did.

    """

    def __init__(self, destination: Destination, files: Sequence[Path]) -> None:
        self.problem = ""
        self._destination = destination
        self._files = list(files)
        self._queue: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._written = threading.Semaphore(0)
        self._leaving = threading.Event()
        self._refusal: DeliveryError | None = None
        self._ended = False
        self._others = set(threading.enumerate())

    def deliveries(self, over: Callable[[], bool]) -> Iterator[Delivery]:
        """Yield what the sender says; it goes on when the next one is asked for.

        Parameters
        ----------
        over : callable
            Asked often: whether to stop. The sender may finish its present file.

        Raises
        ------
        DeliveryError
            The sender refuses the destination or an option.

        """
        thread = threading.Thread(target=self._send, name=f"send to {self._destination.key}", daemon=True)
        thread.start()
        try:
            while (item := self._next(over)) is not _END:
                yield item
                if over():
                    self._leaving.set()
                self._written.release()
            self._ended = True
        finally:
            self._leaving.set()
            self._written.release()
        if self._refusal is not None:
            raise self._refusal

    def rest(self) -> Iterator[Delivery]:
        """Yield what the sender still says after it was told to end, unless it has ended or does not listen."""
        try:
            while not self._ended and (item := self._queue.get(timeout=GRACE)) is not _END:
                self._written.release()
                yield item
        except queue.Empty:
            self._leave()
        self._ended = True

    def _next(self, over: Callable[[], bool]) -> Any:
        """Return the next thing that the sender says; its end if it is told to stop and does not."""
        while True:
            with suppress(queue.Empty):
                return self._queue.get(timeout=_LOOK)
            if over():
                self._leaving.set()
                with suppress(queue.Empty):
                    return self._queue.get(timeout=GRACE)
                self.problem = "the sender was told to stop, and did not"
                self._leave()
                return _END

    def _leave(self) -> None:
        """See to it that the command line does not wait for what the sender has started."""
        strays.extend(one for one in threading.enumerate() if one not in self._others)

    def _send(self) -> None:
        """Run the sender; what it says is handed over one by one."""
        try:
            self._hand_over()
        except DeliveryError as error:
            self._refusal = error
        except BaseException as error:  # noqa: BLE001  # foreign code; what it raises is told
            one = self._destination
            self.problem = f'sender "{one.name}" of {one.provider} failed: {tell(error)}'
        self._queue.put(_END)

    def _hand_over(self) -> None:
        one = self._destination
        said = iter(one.sender.send(tuple(self._files), one.url, one.options))
        try:
            for delivery in said:
                if not isinstance(delivery, Delivery):
                    raise TypeError(f"it says {delivery!r}, which is no Delivery")
                self._queue.put(delivery)
                self._written.acquire()
                if self._leaving.is_set():
                    return
        finally:
            close = getattr(said, "close", None)
            if close is not None:
                close()
