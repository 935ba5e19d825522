"""The process that opens a document: ``python -m dicomwright_pdf.worker``, fed through its standard input.

It runs nothing that a document carries, writes no file, and limits its own memory and processor time before
it looks at the document. A hostile document can end this process; it cannot hurt the one that asked.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING, Any, BinaryIO

from dicomwright_pdf.wire import BEGINNING, receive, send

if TYPE_CHECKING:
    from collections.abc import Callable

    from dicomwright_pdf.pdfium import Document

__all__ = ["main"]


def main() -> None:
    """Answer requests until the input ends."""
    requests, answers = _streams()
    try:
        start = receive(requests)
        _limit(start["memory"])
        allow(start["seconds"])
        data = requests.read(start["bytes"])
        _serve(start, data, requests, answers)
    except (EOFError, BrokenPipeError):
        os._exit(0)  # nobody listens any more


def _serve(start: dict[str, Any], data: bytes, requests: BinaryIO, answers: BinaryIO) -> None:
    """Open the document and answer requests."""
    document: Document | None = None
    try:
        if start["task"] == "structure":
            from dicomwright_pdf.structure import findings

            send(answers, findings(data))
            return
        from dicomwright_pdf.pdfium import Document, OpenError

        try:
            document = Document(data, start["password"])
        except OpenError as error:
            send(answers, {"error": error.kind})
            return
        send(answers, document.properties())
    except MemoryError:
        send(answers, {"error": "memory"})
        return
    tasks: dict[str, Callable[[dict[str, Any]], tuple[dict[str, Any], Any]]] = {
        "sizes": document.sizes,
        "text": document.text,
        "render": document.render,
    }
    while True:
        request = receive(requests)
        allow(request["seconds"])
        try:
            message, buffer = tasks[request["task"]](request)
        except MemoryError:
            message, buffer = {"error": "memory"}, b""
        except Exception as error:  # noqa: BLE001  # told to the process that asked
            message, buffer = {"error": type(error).__name__}, b""
        send(answers, message, buffer)


def _streams() -> tuple[BinaryIO, BinaryIO]:
    """Return input and output; what a library prints does not get between the answers."""
    answers = os.fdopen(os.dup(1), "wb")
    answers.write(BEGINNING)
    os.dup2(2, 1)
    return sys.stdin.buffer, answers


def _limit(memory: int) -> None:
    """Limit the address space, and forbid files and core dumps."""
    try:
        import resource
    except ImportError:  # not on Windows
        return
    for name, value in (("RLIMIT_AS", memory), ("RLIMIT_CORE", 0), ("RLIMIT_FSIZE", 0)):
        which = getattr(resource, name, None)
        if which is None:
            continue
        _, hard = resource.getrlimit(which)
        allowed = value if hard == resource.RLIM_INFINITY else min(value, hard)
        try:
            resource.setrlimit(which, (allowed, allowed))
        except (OSError, ValueError):  # a system that knows the limit and does not keep it
            continue


def allow(seconds: float) -> None:
    """Allow so much more processor time; at its end SIGPROF ends the process, whatever PDFium is doing."""
    try:
        import resource
    except ImportError:  # not on Windows
        return
    signal.setitimer(signal.ITIMER_PROF, seconds)
    used = resource.getrusage(resource.RUSAGE_SELF)
    until = int(used.ru_utime + used.ru_stime + seconds) + 2  # should the timer fail
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(
        resource.RLIMIT_CPU, (until if hard == resource.RLIM_INFINITY else min(until, hard), hard)
    )


if __name__ == "__main__":
    main()
