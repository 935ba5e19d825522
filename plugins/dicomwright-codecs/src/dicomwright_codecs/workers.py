"""Processes that encode frames side by side, for encoders that hold Python's lock, so that threads do not help."""

from __future__ import annotations

import json
import mmap
import os
import queue
import signal
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING, Any, Final

from dicomwright.errors import PublishError
from dicomwright_codecs.coding import Job, Result, encode

if TYPE_CHECKING:
    from typing import IO

__all__ = ["Workers", "encode_here"]

_START: Final = (
    "import sys, json; sys.path[:] = json.loads(sys.argv[3]); "
    "from dicomwright_codecs.worker import main; main(int(sys.argv[1]), sys.argv[2])"
)
_PATIENCE: Final = 5.0  # seconds that a process has to end
_ONE_THREAD: Final = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def encode_here(job: Job, frame: memoryview, place: str) -> Result:
    """Encode a frame in this process; `place` names it in messages."""
    try:
        return encode(job, frame)
    except Exception as error:  # foreign code raises anything
        raise _failed(place, job, f"{type(error).__name__}: {error}") from error


class Workers:
    """A number of processes; `encode` may be called from any thread and waits until one is free."""

    def __init__(self, count: int, family: str) -> None:
        self._idle: queue.SimpleQueue[_Worker] = queue.SimpleQueue()
        self._all: list[_Worker] = []
        try:
            for _ in range(count):
                worker = _Worker(family)
                self._all.append(worker)
                self._idle.put(worker)
        except BaseException as error:
            self.kill()
            self.close()
            if isinstance(error, OSError):
                message = f"no process to compress images can be started: {error.strerror or error}"
                hint = "nothing was published; give fewer --jobs"
                raise PublishError(message, hint=hint, kind="worker") from error
            raise

    def encode(self, job: Job, frame: memoryview, place: str) -> Result:
        """Encode a frame; `place` names it in messages.

        Raises
        ------
        PublishError
            The process died, or the encoder failed.

        """
        worker = self._idle.get()
        try:
            return worker.encode(job, frame, place)
        finally:
            self._idle.put(worker)

    def kill(self) -> None:
        """End all processes, whatever they are doing; whoever waits for one gets an error."""
        for worker in self._all:
            worker.process.kill()

    def close(self) -> None:
        """Free what the processes had, when nobody waits for them any more."""
        for worker in self._all:
            worker.close()


class _Worker:
    """One process, and the memory that it shares with us."""

    def __init__(self, family: str) -> None:
        self._file = _shared_memory()
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115  # closed by close()
        descriptor = self._file.fileno()
        try:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-c", _START, str(descriptor), family, json.dumps(sys.path)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._complaints,
                pass_fds=(descriptor,),
                env=os.environ | _ONE_THREAD,
            )
        except BaseException:
            self._complaints.close()
            self._file.close()
            raise

    def encode(self, job: Job, frame: memoryview, place: str) -> Result:
        """Encode a frame."""
        size = len(frame)
        descriptor = self._file.fileno()
        if os.fstat(descriptor).st_size < size:
            os.ftruncate(descriptor, size)
        with mmap.mmap(descriptor, size) as memory:
            memory[:] = frame
        answer = self._asked({"bytes": size, "job": list(job)}, place)
        if "failed" in answer:
            raise _failed(place, job, answer["failed"])
        with mmap.mmap(descriptor, answer["bytes"], access=mmap.ACCESS_READ) as memory:
            return Result(memory[:], answer["error"])

    def _asked(self, question: dict[str, Any], place: str) -> dict[str, Any]:
        """Return the answer of the process."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        try:
            self.process.stdin.write(json.dumps(question).encode() + b"\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except (OSError, ValueError):
            line = b""
        if not line.endswith(b"\n"):
            raise self._died(place)
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _died(self, place: str) -> PublishError:
        """Return the error for a process that is no more."""
        try:
            code = self.process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            code = 0
        how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with status {code}"
        self._complaints.seek(0)
        lines = self._complaints.read().decode(errors="replace").strip().splitlines()
        said = f" ({lines[-1][:200]})" if lines else ""
        return PublishError(
            f"{place}: the process that compressed it {how}{said}",
            hint="nothing was published; if memory ran out, give fewer --jobs",
            kind="worker",
        )

    def close(self) -> None:
        """Free what the process had."""
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                _close(stream)
        self._complaints.close()
        self._file.close()


def _close(stream: IO[bytes]) -> None:
    """Close a pipe, whoever reads it."""
    try:
        stream.close()
    except OSError:
        return  # what was not yet written has no reader any more


def _shared_memory() -> IO[bytes]:
    """Return a file without a name that two processes can map; it goes when both have ended."""
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("dicomwright"), "w+b")
    return tempfile.TemporaryFile(prefix="dicomwright-")


def _failed(place: str, job: Job, why: str) -> PublishError:
    return PublishError(
        f"{place}: the {job.family} encoder failed: {why}",
        hint="nothing was published; choose another transfer syntax",
        kind="worker",
    )
