"""What the signals to stop set, and the serving process waits for."""

from __future__ import annotations

import os
import select

__all__ = ["Stop"]


class Stop:
    """Set once, from a signal handler, too.

    `threading.Event` would not do: a handler that runs while the same thread is about to wait for it waits for ever.

    Examples
    --------
    >>> stop = Stop()
    >>> stop.wait(0)
    False
    >>> stop.set()
    >>> stop.wait(60), stop.wait(60)
    (True, True)

    """

    def __init__(self) -> None:
        self._read, self._write = os.pipe()

    def set(self) -> None:
        """Let everybody who waits go on."""
        os.write(self._write, b"x")

    def wait(self, seconds: float) -> bool:
        """Wait for so long at most; return whether it is set."""
        return bool(select.select([self._read], [], [], seconds)[0])
