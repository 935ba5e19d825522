"""An end to what a peer can draw out."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress

__all__ = ["Watch"]


class Watch:
    """Ends a connection when its time is over, however slowly bytes trickle in."""

    def __init__(self, connection: socket.socket, seconds: float) -> None:
        self.barked = False
        self._connection = connection
        connection.settimeout(seconds)
        self._timer = threading.Timer(seconds, self._bark)
        self._timer.daemon = True

    def __enter__(self) -> None:
        self._timer.start()

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        self._timer.join()

    def _bark(self) -> None:
        self.barked = True
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)
