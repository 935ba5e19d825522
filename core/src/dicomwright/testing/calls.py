"""Functions for executors to call: good ones, and those that end badly."""

from __future__ import annotations

import os
import signal
import time
from typing import Any, NoReturn

__all__ = ["add", "die", "fail", "leave", "sleep", "take", "unpicklable", "whereabouts"]


def add(one: Any, other: Any) -> Any:
    """Return the sum."""
    return one + other


def whereabouts() -> int:
    """Return the process that this runs in."""
    return os.getpid()


def fail(text: str) -> NoReturn:
    """Raise an exception."""
    raise ValueError(text)


def leave(code: int) -> NoReturn:
    """End the process."""
    os._exit(code)


def die() -> None:
    """Kill the process, as a crash of compiled code does."""
    os.kill(os.getpid(), signal.SIGKILL)


def sleep(seconds: float) -> None:
    """Wait."""
    time.sleep(seconds)


def take(size: int) -> int:
    """Take memory, and use it."""
    block = bytearray(size)
    for place in range(0, size, 4096):
        block[place] = 1
    return len(block)


def unpicklable() -> Any:
    """Return what cannot be sent."""
    return lambda: None
