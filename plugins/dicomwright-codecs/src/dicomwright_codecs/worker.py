"""A process that encodes frames: jobs come by standard input, frames lie in memory that is shared.

It ends when its standard input does, so that it never outlives the build.
"""

from __future__ import annotations

import json
import mmap
import os
import signal
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

from dicomwright_codecs.coding import LIBRARIES, Job, encode

if TYPE_CHECKING:
    from typing import BinaryIO

__all__ = ["main", "serve"]


def main(descriptor: int, family: str) -> None:
    """Serve until the end of standard input; what libraries print goes to standard error."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the build ends us
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    import_module(LIBRARIES[family][0])
    serve(sys.stdin.buffer, answers, descriptor)


def serve(jobs: BinaryIO, answers: BinaryIO, descriptor: int) -> None:
    """Answer one job after the other.

    A job is a line of JSON: the number of bytes in the memory, and the fields of a `Job`. The answer is a line of
    JSON, too: ``{"bytes": number, "error": largest}``, or ``{"failed": why}``.
    """
    for line in jobs:
        answer = _answer(json.loads(line), descriptor)
        answers.write(json.dumps(answer).encode() + b"\n")
        answers.flush()


def _answer(job: dict[str, Any], descriptor: int) -> dict[str, Any]:
    """Encode the frame that lies in the memory, and lay the code stream there."""
    try:
        with mmap.mmap(descriptor, job["bytes"]) as memory:
            frame = memory[: job["bytes"]]
        result = encode(Job(*job["job"]), frame)
        if len(result.data) > os.fstat(descriptor).st_size:
            os.ftruncate(descriptor, len(result.data))
        with mmap.mmap(descriptor, len(result.data)) as memory:
            memory[:] = result.data
    except Exception as error:  # noqa: BLE001  # foreign code raises anything; the build tells
        return {"failed": f"{type(error).__name__}: {error}"}
    return {"bytes": len(result.data), "error": result.error}
