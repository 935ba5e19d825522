"""The process of a document, as the process sees it that asks: started, fed, waited for, and ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import weakref
from contextlib import suppress
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from dicomwright.errors import SourceError
from dicomwright_pdf.wire import receive, receive_into, send, wait_for_beginning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from _typeshed import WriteableBuffer

__all__ = ["Child", "ChildError"]

#: Wall time for each second of processor time, and on top: a busy machine is no reason to give up.
_PATIENCE: Final = 8.0
_START: Final = 20.0
_TOLD: Final = {
    "memory": "it needs too much memory",
    "picture": "it has a picture that takes too much memory",
}


class ChildError(Exception):
    """A document's process cannot do what it was asked, or has ended.

    Attributes
    ----------
    kind : str
        ``time``, ``memory``, ``crash``, or what the process itself says.

    """

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class Child:
    """A process that holds a document open.

    Parameters
    ----------
    data : bytes
        The document.
    task : str
        ``open``, or ``structure`` for the check of its structure.
    password : str
        Empty for none.
    memory : int
        Most bytes of address space.
    seconds : float
        Most seconds of processor time to open the document.

    Raises
    ------
    SourceError
        The system starts no process.

    """

    def __init__(
        self, data: bytes, *, task: str = "open", password: str = "", memory: int, seconds: float
    ) -> None:
        self._process = _started()
        self.close = weakref.finalize(self, _end, self._process)
        self._begun = self._timed_out = False
        self._seconds = seconds
        start = {"task": task, "password": password, "memory": memory, "seconds": seconds}
        with suppress(OSError):  # a process that has ended says so when its answer is asked for
            send(self._requests, start, data)

    @property
    def _requests(self) -> BinaryIO:
        assert self._process.stdin is not None
        return self._process.stdin  # type: ignore[return-value]  # a binary pipe

    @property
    def _answers(self) -> BinaryIO:
        assert self._process.stdout is not None
        return self._process.stdout  # type: ignore[return-value]  # a binary pipe

    def request(self, message: dict[str, Any], seconds: float) -> None:
        """Ask for something; `answer` waits for it."""
        self._seconds = seconds
        with suppress(OSError):
            send(self._requests, {**message, "seconds": seconds})

    def answer(self, into: WriteableBuffer | None = None) -> dict[str, Any]:
        """Return the answer to the last request.

        Parameters
        ----------
        into : buffer, optional
            Where the bytes of the answer go; its length is that of the bytes.

        Raises
        ------
        ChildError
            There is none.

        """
        watch = threading.Timer(_START + _PATIENCE * self._seconds, self._give_up)
        watch.daemon = True
        watch.start()
        try:
            if not self._begun:
                wait_for_beginning(self._answers)
                self._begun = True
            message = receive(self._answers)
            if into is not None and "error" not in message:
                if message["bytes"] != memoryview(into).nbytes:
                    raise ChildError("crash", "it gave another number of pixels than asked for")
                receive_into(self._answers, into)
        except (EOFError, ValueError):
            raise self._ended() from None
        finally:
            watch.cancel()
        if "error" in message:
            kind = str(message["error"])
            raise ChildError(kind, _TOLD.get(kind, f"PDFium: {kind}"))
        return message

    def ask(self, message: dict[str, Any], seconds: float) -> dict[str, Any]:
        """Ask for something and return the answer."""
        self.request(message, seconds)
        return self.answer()

    def _give_up(self) -> None:
        self._timed_out = True
        self._process.kill()

    def _ended(self) -> ChildError:
        """Return why the process has ended."""
        code = self._process.poll()
        if code is None:
            with suppress(subprocess.TimeoutExpired):
                code = self._process.wait(2)
        self.close()
        if self._timed_out or (code is not None and -code in _signals("SIGPROF", "SIGXCPU")):
            return ChildError("time", f"it takes more than {self._seconds:g} s of processor time")
        if code is not None and -code in _signals("SIGABRT", "SIGTRAP", "SIGILL", "SIGKILL"):
            return ChildError("memory", "it needs too much memory, or is damaged")
        name = signal.Signals(-code).name if code is not None and code < 0 else f"exit code {code}"
        return ChildError("crash", f"PDFium ended with {name}")


def _started() -> subprocess.Popen[bytes]:
    """Return a new process."""
    try:
        return subprocess.Popen(
            [sys.executable, "-P", "-W", "ignore", "-X", "utf8", "-m", "dicomwright_pdf.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
    except OSError as error:
        raise SourceError(
            f"no process can be started to read the document: {error.strerror}",
            hint="end other programs, or raise the limits of this one (ulimit)",
            kind="no-process",
        ) from error


def _signals(*names: str) -> Iterator[int]:
    """Yield the numbers of signals that this system has."""
    for name in names:
        number = getattr(signal, name, None)
        if number is not None:
            yield int(number)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process and wait for it."""
    process.kill()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            with suppress(OSError):
                stream.close()
    process.wait()
