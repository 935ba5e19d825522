"""Run foreign code so that its faults stay its own."""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import contextmanager, suppress
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, NoReturn, TextIO, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = [
    "SECONDS_VARIABLE",
    "TooLongError",
    "at_most",
    "folder_kept",
    "seconds_allowed",
    "stdout_to_stderr",
    "strays",
    "streams_kept",
    "surroundings_kept",
]

#: Environment variable: how many seconds a plug-in may take to load.
SECONDS_VARIABLE = "DICOMWRIGHT_PLUGIN_SECONDS"

#: Threads that plug-ins started while they were loaded; the command line does not wait for them.
strays: list[threading.Thread] = []

_SECONDS = 10.0
_REMIND_AFTER = 0.5

_STDOUT, _STDERR = 1, 2


class _Diversion:
    """Sends standard output to standard error while at least one thread asks for it.

    No lock is held while foreign code runs: the first that enters diverts, the last that leaves restores.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._depth = 0
        self._stream: TextIO | None = None
        self._descriptor: int | None = None
        self._opener: Callable[[], TextIO] | None = None

    def enter(self) -> None:
        """Divert, unless it is done already."""
        with self._lock:
            self._depth += 1
            if self._depth == 1:
                self._flush()
                self._opener = _opener(sys.stderr)
                self._stream, sys.stdout = sys.stdout, sys.stderr
                self._descriptor = self._divert_descriptor()

    def leave(self) -> None:
        """Restore, if nobody else needs the diversion."""
        with self._lock:
            self._depth -= 1
            if self._depth == 0:
                self._flush()
                sys.stdout = self._stream
                self._restore_descriptor()
            self._mend()

    def _mend(self) -> None:
        """Open standard error again if foreign code closed it, which may have taken it for its standard output."""
        closed = sys.stderr
        if self._opener is not None and closed is not None and _is_closed(closed):
            with suppress(OSError):
                sys.stderr = self._opener()
                sys.stdout = sys.stderr if sys.stdout is closed else sys.stdout

    @staticmethod
    def _flush() -> None:
        for stream in (sys.stdout, sys.stderr):
            with suppress(AttributeError, OSError, ValueError):  # closed, or none at all, as under pythonw
                stream.flush()

    @staticmethod
    def _divert_descriptor() -> int | None:
        """Point descriptor 1 at 2, for native code and child processes; None where there is no such thing."""
        try:
            saved = os.dup(_STDOUT)
        except OSError:
            return None
        with suppress(OSError):
            os.dup2(_STDERR, _STDOUT)
        return saved

    def _restore_descriptor(self) -> None:
        if self._descriptor is not None:
            os.dup2(self._descriptor, _STDOUT)
            os.close(self._descriptor)
            self._descriptor = None


_diversion = _Diversion()


@contextmanager
def stdout_to_stderr() -> Iterator[None]:
    """Keep what foreign code prints out of our standard output, which programs read."""
    _diversion.enter()
    try:
        yield
    finally:
        _diversion.leave()


class TooLongError(BaseException):
    """Foreign code took longer than it may. No `Exception`, so that the foreign code does not catch it in passing."""


def seconds_allowed() -> float:
    """Return how long a plug-in may take to load: 10 seconds, unless the environment says otherwise."""
    try:
        return max(float(os.environ.get(SECONDS_VARIABLE, "")), 0.0) or _SECONDS
    except ValueError:
        return _SECONDS


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Interrupt foreign code that takes too long with `TooLongError`.

    Only the main thread can be interrupted, and only where there are signals; elsewhere nothing is limited.
    """
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield
        return

    rung = False

    def interrupt(*_: object) -> NoReturn:
        nonlocal rung
        rung = True
        raise TooLongError

    before = signal.signal(signal.SIGALRM, interrupt)
    started, (rest, interval) = monotonic(), signal.setitimer(signal.ITIMER_REAL, seconds, _REMIND_AFTER)
    try:
        yield
        if rung:  # it caught even that
            raise TooLongError
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before or signal.SIG_DFL)
        if rest:  # somebody else's alarm
            signal.setitimer(signal.ITIMER_REAL, max(rest - (monotonic() - started), 0.001), interval)


@contextmanager
def streams_kept() -> Iterator[None]:
    """Put back the standard streams; one that foreign code closed, as a wrapper does that goes, is opened again."""
    streams = {name: getattr(sys, name) for name in ("stdin", "stdout", "stderr")}
    openers = {name: _opener(stream) for name, stream in streams.items()}
    try:
        yield
    finally:
        for name, stream in streams.items():
            setattr(sys, name, stream)
        for name, stream in streams.items():
            opener = openers[name]
            if opener is not None and _is_closed(stream):
                with suppress(OSError):
                    setattr(sys, name, opener())


def _opener(stream: TextIO | None) -> Callable[[], TextIO] | None:
    """Return what opens a stream again, None for one that is not of a file."""
    try:
        if stream is None or _is_closed(stream):
            return None
        how = stream.mode, 1, stream.encoding, stream.errors
        return cast("Callable[[], TextIO]", partial(open, stream.fileno(), *how, closefd=False))
    except (AttributeError, OSError, ValueError):
        return None


def _is_closed(stream: TextIO) -> bool:
    try:
        return stream.closed
    except ValueError:  # its buffer was taken away
        return True


@contextmanager
def folder_kept() -> Iterator[None]:
    """Put the working folder back, from which relative paths of the user are read."""
    try:
        folder = os.getcwd()  # noqa: PTH109  # without a Path
    except OSError:  # it was removed
        folder = ""
    try:
        yield
    finally:
        with suppress(OSError):
            if folder and os.getcwd() != folder:  # noqa: PTH109  # without a Path
                os.chdir(folder)


@contextmanager
def surroundings_kept() -> Iterator[None]:
    """Put back what foreign code changes for all: folder, environment variables, recursion limit, streams."""
    limit, environment = sys.getrecursionlimit(), dict(os.environ)
    try:
        with streams_kept(), folder_kept():
            yield
    finally:
        sys.setrecursionlimit(limit)
        if os.environ != environment:
            for name in {*os.environ} - {*environment}:
                del os.environ[name]
            os.environ.update(environment)
