"""The two processes of a call: a guard, and the worker that it guards.

The guard is small and runs nothing of the user's. It ends the worker and the worker's own children when the
caller closes the lifeline, which the system does if the caller dies, or asks it to end. It ends as the worker ended.
"""

from __future__ import annotations

import faulthandler
import os
import pickle
import select
import signal
import sys
import time
import traceback
from contextlib import suppress
from typing import IO, Any, Final, NoReturn

__all__ = ["main"]

_PR_SET_PDEATHSIG: Final = 1
_PR_SET_CHILD_SUBREAPER: Final = 36
_ROUNDS: Final = 100
_LAST_WORDS: Final = 0.5  # seconds before the end of its time, a worker says where it is
_CUT: Final = 64 * 1024


def main(request: int, answer: int, lifeline: int, begins: int) -> NoReturn:
    """Run the call whose request is in a file, write the answer into another, and tell when the call begins."""
    wake, signalled = os.pipe()
    os.set_blocking(signalled, False)
    signal.set_wakeup_fd(signalled)
    asked_to_end: list[int] = []
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGTERM, lambda *_: asked_to_end.append(1))
    guard = os.getpid()
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    worker = os.fork()
    if worker:
        os.close(request)
        os.close(answer)
        os.close(begins)
        _guard(worker, lifeline, wake, asked_to_end)
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGCHLD, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    for descriptor in (wake, signalled, lifeline):
        os.close(descriptor)
    os.setpgid(0, 0)
    _die_with(guard)
    _work(request, answer, begins)


def _guard(worker: int, lifeline: int, wake: int, asked_to_end: list[int]) -> NoReturn:
    """Wait for the worker or for the end of the caller, whatever comes first, and leave nothing behind."""
    with suppress(OSError):  # the worker does the same; one of them is first
        os.setpgid(worker, worker)
    status = None
    waiting = select.poll()  # select() knows no descriptor above 1023
    for descriptor in (lifeline, wake):
        waiting.register(descriptor, select.POLLIN)
    while status is None:
        ready = {descriptor for descriptor, _ in waiting.poll()}
        if wake in ready:
            os.read(wake, 1024)
        status = _reap(worker)
        if status is None and (lifeline in ready or asked_to_end):
            _kill_group(worker)
            status = os.waitpid(worker, 0)[1]
    _kill_group(worker)
    _kill_adopted()
    _end_like(os.waitstatus_to_exitcode(status))


def _reap(worker: int = 0) -> int | None:
    """Take note of all children that ended, adopted ones too; return the status of the worker if it did."""
    status = None
    with suppress(ChildProcessError):
        while (child := os.waitpid(-1, os.WNOHANG))[0]:
            status = child[1] if child[0] == worker else status
    return status


def _kill_group(worker: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(worker, signal.SIGKILL)


def _kill_adopted() -> None:
    """End what left the worker's group, such as a daemon: when its parent ended, it became ours (Linux)."""
    for _ in range(_ROUNDS):
        try:
            with open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as listed:  # noqa: PTH123  # light
                found = [int(number) for number in listed.read().split()]
        except OSError:
            return
        if not found:
            return
        for number in found:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(number, signal.SIGKILL)
        _reap()
        time.sleep(0.01)


def _end_like(code: int) -> NoReturn:
    """End as the worker did: with its exit code, or by its signal."""
    if code < 0:
        _no_core()
        with suppress(OSError, ValueError):  # SIGKILL has no handler
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
        time.sleep(1)  # until the signal arrives
    os._exit(code if code >= 0 else 128 - code)


def _die_with(guard: int) -> None:
    """Have the system end this process with its guard, where it can (Linux)."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != guard:  # it ended before we asked
        os._exit(1)


def _prctl(option: int, value: int) -> None:
    """Ask the system for something that only Linux has."""
    if sys.platform != "linux":
        return
    import ctypes

    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(option, value)


def _work(request: int, answer: int, begins: int) -> NoReturn:
    """Call the function and write what it returns or how it failed."""
    _no_core()
    faulthandler.enable()
    with open(request, "rb") as asked, open(answer, "wb") as answered:  # descriptors
        sys.path[:], python_path, seconds, memory = pickle.load(asked)  # noqa: S301  # from our own caller
        _set_python_path(python_path)
        lift = _limit(memory)
        try:
            function, arguments = pickle.load(asked)  # noqa: S301  # from our own caller
            os.close(begins)
            if seconds is not None:
                faulthandler.dump_traceback_later(max(seconds - _LAST_WORDS, seconds / 2))
            outcome: tuple[str, Any, str] = ("value", function(*arguments), "")
        except BaseException as error:  # noqa: BLE001  # everything that user code can raise
            lift()
            outcome = _failure(error)
        _write(answered, outcome, lift)
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):
            stream.flush()
    os._exit(0)


def _set_python_path(value: str | None) -> None:
    """Give back what the caller has: ours, with all of `sys.path`, breaks another Python that the function calls."""
    os.environ.pop("PYTHONPATH", None)
    if value is not None:
        os.environ["PYTHONPATH"] = value


def _limit(memory: int | None) -> Any:
    """Limit the address space, and return what lifts the limit."""
    if memory is None:
        return lambda: None
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    soft = memory if hard == resource.RLIM_INFINITY else min(memory, hard)
    resource.setrlimit(resource.RLIMIT_AS, (soft, hard))

    def lift() -> None:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_AS, (hard, hard))

    return lift


def _no_core() -> None:
    """Leave no image of the memory on disk: it may hold patient data."""
    with suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _failure(error: BaseException) -> tuple[str, str, str]:
    """Return kind, message and traceback of what a function raised."""
    frames = error.__traceback__.tb_next if error.__traceback__ else None
    text = "".join(traceback.TracebackException(type(error), error, frames).format())[-_CUT:]
    match error:
        case MemoryError():
            return "memory", f"ran out of memory: {_told(error)}".rstrip(": "), text
        case SystemExit():
            return "exited", f"called sys.exit({error.code!r})", text
        case _:
            return "raised", f"raised {type(error).__name__}: {_told(error)}".rstrip(": "), text


def _told(error: BaseException) -> str:
    """Return the text of an error whose own code may be wrong."""
    try:
        return str(error)[:_CUT]
    except Exception:  # noqa: BLE001  # user code
        return "(its text cannot be had)"


def _write(file: IO[bytes], outcome: tuple[str, Any, str], lift: Any) -> None:
    """Write an outcome; one that cannot be written becomes a failure."""
    try:
        pickle.dump(outcome, file, protocol=5)
        file.flush()
    except BaseException as error:  # noqa: BLE001  # a class's own code raises what it likes
        lift()
        kind, message, text = _failure(error)
        if kind != "memory":
            kind, message = "unpicklable", f"returned what cannot be handed back: {_told(error)}"
        file.seek(0)
        file.truncate()
        pickle.dump((kind, message, text), file, protocol=5)
