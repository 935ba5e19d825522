"""The executor ``process``, as its caller sees it."""

from __future__ import annotations

import os
import pickle
import select
import signal
import subprocess
import sys
import threading
from collections import deque
from contextlib import suppress
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, Any, Final, NoReturn

from dicomwright.errors import ExecutionError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["ProcessExecutor"]

_CODE: Final = "from dicomwright.executors.child import main; main({}, {}, {}, {})"
_KEPT: Final = 64 * 1024  # bytes of what a call prints: the last ones
_CHUNK: Final = 8192
_START: Final = 60.0  # seconds that a process has until it calls the function: the machine may be busy
_LINGER: Final = 5.0  # seconds that the guard has to end what it guards
_CUT: Final = 2000  # characters of a message
_HINTS: Final = {
    "raised": "the traceback says where",
    "exited": "let it return or raise instead",
    "killed": "compiled code crashed, or the system ran out of memory; what it printed may say more",
    "timeout": "give it more time, or find out what it waits for",
    "memory": "give it more memory, or let it work in smaller pieces",
    "unpicklable": "functions are importable by their name, arguments and results are plain data or arrays",
}


class ProcessExecutor:
    """Calls each function in a new process of its own.

    Examples
    --------
    >>> import math
    >>> ProcessExecutor().run(math.hypot, [3.0, 4.0], seconds=60)
    5.0
    >>> ProcessExecutor().run(math.sqrt, [-1.0], seconds=60)
    Traceback (most recent call last):
        ...
    dicomwright.errors.ExecutionError: math.sqrt raised ValueError: ...

    The process starts afresh: nothing is forked, no thread or lock is inherited. It and all that it starts are
    ended when the call ends, however it ends, and when the caller dies.

    Attributes
    ----------
    output : str
        The end of what the last call printed.

    """

    def __init__(self) -> None:
        self.output = ""
        self._process: subprocess.Popen[bytes] | None = None
        self._cancelled = False

    def cancel(self) -> None:
        """End the call that runs in another thread; it raises `ExecutionError` of kind ``killed`` there."""
        self._cancelled = True
        if self._process is not None:
            self._process.terminate()

    def run(
        self,
        function: Callable[..., Any],
        arguments: Sequence[Any],
        *,
        seconds: float | None = None,
        memory: int | None = None,
    ) -> Any:
        """Return what a function returns.

        Parameters
        ----------
        function : callable
            Importable by its name; one of ``__main__`` is not.
        arguments : sequence
            Picklable, as is what the function returns.
        seconds : float, optional
            How long it may take. The process has a minute to start besides.
        memory : int, optional
            Most bytes of address space; what Python and numpy themselves need is some 500 MB.

        Raises
        ------
        ExecutionError
            Of kind ``raised``, ``exited``, ``killed``, ``timeout``, ``memory`` or ``unpicklable``, with `traceback` and
            `output`.

        """
        name = f"{getattr(function, '__module__', '?')}.{getattr(function, '__qualname__', repr(function))}"
        self.output = ""
        with TemporaryFile() as request, TemporaryFile() as answer:
            settings = sys.path, os.environ.get("PYTHONPATH"), seconds, memory
            _ask(request, function, arguments, name, settings)
            status = self._attend(request, answer, seconds)
            if status is None:
                _fail("timeout", f"{name} took more than {seconds:g} s", self.output, self.output)
            return self._value(answer, name, status)

    def _attend(self, request: IO[bytes], answer: IO[bytes], seconds: float | None) -> int | None:
        """Run the process to its end and return its exit code; None if its time was up."""
        lifeline, ours = os.pipe()
        begun, begins = os.pipe()
        tail: deque[bytes] = deque(maxlen=_KEPT // _CHUNK)
        try:
            process = _start(request, answer, lifeline, begins)
        except BaseException:
            os.close(ours)
            os.close(begun)
            raise
        finally:
            os.close(lifeline)
            os.close(begins)
        self._process = process
        if self._cancelled:
            process.terminate()
        assert process.stdout is not None
        reader = threading.Thread(target=_drain, args=(process.stdout, tail), daemon=True)
        reader.start()
        try:
            status = _wait(process, begun, seconds)
        finally:
            os.close(begun)
            os.close(ours)  # the guard ends what is left
            _end(process)
            self._process = None
            reader.join(1.0)
            self.output = b"".join(tail).decode("utf-8", "replace")
        return status

    def _value(self, answer: IO[bytes], name: str, status: int) -> Any:
        """Return the value of an answer, or raise what it says."""
        answer.seek(0)
        try:
            kind, value, traceback = pickle.load(answer)  # noqa: S301  # from our own process
        except EOFError:
            self._died(name, status)
        except Exception as error:  # noqa: BLE001  # a class's own code raises what it likes
            _fail("unpicklable", f"{name} returned what cannot be read back: {error}", output=self.output)
        if kind != "value":
            _fail(kind, f"{name} {value}", traceback, self.output)
        return value

    def _died(self, name: str, status: int) -> NoReturn:
        """Raise the error of a process that gave no answer."""
        if status >= 0:
            _fail("exited", f"{name} ended its process with exit code {status}", self.output, self.output)
        try:
            ending = signal.Signals(-status).name
        except ValueError:
            ending = f"signal {-status}"
        _fail("killed", f"{name} was ended by {ending}", self.output, self.output)


def _ask(
    request: IO[bytes], function: Callable[..., Any], arguments: Sequence[Any], name: str, settings: Any
) -> None:
    """Write what the process is to do."""
    if getattr(function, "__module__", "") == "__main__":
        _fail("unpicklable", f"{name} cannot be found from another process", hint="put it into a module")
    try:
        pickle.dump(settings, request, protocol=5)
        pickle.dump((function, tuple(arguments)), request, protocol=5)
    except Exception as error:  # noqa: BLE001  # a class's own code raises what it likes
        _fail("unpicklable", f"{name} or its arguments cannot be handed to a process: {error}")
    request.seek(0)


def _start(request: IO[bytes], answer: IO[bytes], lifeline: int, begins: int) -> subprocess.Popen[bytes]:
    files = (request.fileno(), answer.fileno(), lifeline, begins)
    return subprocess.Popen(
        [sys.executable, "-P", "-u", "-X", "utf8", "-c", _CODE.format(*files)],  # -u: a crash loses no output
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        pass_fds=files,
        start_new_session=True,
        env=_environment(),
    )


def _environment() -> dict[str, str]:
    """Return the environment of the process, without what the command line has set for itself."""
    ours = ("DICOMWRIGHT_ONE_THREAD", os.environ.get("DICOMWRIGHT_ONE_THREAD", ""))
    kept = {name: value for name, value in os.environ.items() if name not in ours}
    return kept | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


def _wait(process: subprocess.Popen[bytes], begun: int, seconds: float | None) -> int | None:
    """Return the exit code of a process; None if it takes too long, counted from when it calls the function."""
    if seconds is not None:
        waiting = select.poll()  # select() knows no descriptor above 1023
        waiting.register(begun, select.POLLIN)
        waiting.poll(1000 * _START)  # returns, too, when the process has ended
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        return None


def _end(process: subprocess.Popen[bytes]) -> None:
    """Wait for the guard, which ends the rest; end it, too, if it does not end."""
    try:
        process.wait(_LINGER)
    except subprocess.TimeoutExpired:
        with suppress(ProcessLookupError):
            process.kill()
        process.wait()


def _drain(stream: IO[bytes], tail: deque[bytes]) -> None:
    """Keep the end of what comes; the last reader closes."""
    with stream, suppress(OSError, ValueError):
        while chunk := stream.read1(_CHUNK):  # type: ignore[attr-defined]  # a buffered pipe
            if tail and len(tail[-1]) + len(chunk) <= _CHUNK:
                tail[-1] += chunk
            else:
                tail.append(chunk)


def _fail(kind: str, message: str, traceback: str = "", output: str = "", *, hint: str = "") -> NoReturn:
    error = ExecutionError(message[:_CUT], hint=hint or _HINTS[kind], kind=kind)
    error.traceback, error.output = traceback, output
    raise error
