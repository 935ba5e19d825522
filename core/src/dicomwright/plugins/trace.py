"""Say on standard error what plug-ins do: what is found, called and chosen, how long it takes."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from time import perf_counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["TRACE_VARIABLE", "switch_on", "timed", "trace", "tracing"]

#: Environment variable: anything but nothing or ``0`` switches the trace on.
TRACE_VARIABLE = "DICOMWRIGHT_TRACE_PLUGINS"

_MILLISECONDS = 1000


def switch_on() -> None:
    """Trace from now on, in child processes, too."""
    os.environ[TRACE_VARIABLE] = "1"


def tracing() -> bool:
    """Tell whether the trace is on."""
    return os.environ.get(TRACE_VARIABLE, "0") not in ("", "0")


def trace(text: str) -> None:
    """Write one line, if the trace is on."""
    if tracing():
        from dicomwright.plugins.records import escape

        print(f"dicomwright: trace: {escape(text)}", file=sys.stderr, flush=True)  # noqa: T201  # its purpose


@contextmanager
def timed(said: list[str]) -> Iterator[None]:
    """Write what the block put into the list as one line, with the time that it took, unless it raises."""
    started = perf_counter()
    yield
    if tracing():
        trace(f"{' '.join(said)} ({(perf_counter() - started) * _MILLISECONDS:.1f} ms)")
