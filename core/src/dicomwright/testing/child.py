"""Do a job in a process of its own that notes what ought not to happen: network, files, threads, memory.

    python -m dicomwright.testing.child REPORT < pickled (module path, scratch folder, job, loopback)

Only the kit starts it.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import pickle
import resource
import subprocess
import sys
import tempfile
import threading
import traceback
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dicomwright.testing.work import Job

__all__ = ["Report", "run_in_child"]

_TIMEOUT = 300
_WITH_SOCKET = ("socket.connect", "socket.sendto", "socket.sendmsg", "socket.bind")
_LOOKS_UP = ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr", "socket.getnameinfo")
_ASKS = (*_WITH_SOCKET, *_LOOKS_UP)
_LOOPBACK = ("127.0.0.1", "::1", "localhost", None)  # a name that is None is this machine's
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
#: Which arguments of other events are paths that change.
_CHANGES = {
    "os.mkdir": (0,),
    "os.rmdir": (0,),
    "os.remove": (0,),
    "os.rename": (0, 1),
    "os.link": (1,),
    "os.symlink": (1,),
    "os.truncate": (0,),
    "sqlite3.connect": (0,),
}
#: What is otherwise in the other process, and nothing may follow from.
_ELSEWHERE = {
    "PYTHONHASHSEED": "1" if os.environ.get("PYTHONHASHSEED") == "0" else "0",
    "USER": "somebody",
    "LOGNAME": "somebody",
    "TZ": "KIT-13:45",
}
_MOMENT = 2.0
_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
_KIBIBYTE = 1 if sys.platform == "darwin" else 1024  # what ru_maxrss counts in


@dataclass(frozen=True)
class Report:
    """What a job came to in a process of its own.

    Attributes
    ----------
    digest, error : str
        What came out, or the traceback.
    network : list of str
        What was asked of the network.
    written : list of str
        What was written, made, moved or removed outside the scratch folder.
    left : list of str
        What is still there of the files in the folder for temporary ones.
    threads : list of str
        Threads that are still there.
    memory : int
        Bytes by which the process grew while it worked.

    """

    digest: str = ""
    error: str = ""
    network: list[str] = field(default_factory=list)
    written: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    threads: list[str] = field(default_factory=list)
    memory: int = 0


def run_in_child(job: Job, *, loopback: bool = False) -> Report:
    """Return what a job comes to in a process of its own.

    Parameters
    ----------
    job : Job
        What is done.
    loopback : bool
        Whether it may talk to this machine.

    """
    with tempfile.TemporaryDirectory(prefix="dicomwright-child-") as folder:
        scratch = Path(folder).resolve()
        report = scratch / "report.json"
        (scratch / "work").mkdir()
        done = subprocess.run(
            [sys.executable, "-m", "dicomwright.testing.child", str(report)],
            input=pickle.dumps((sys.path, str(scratch), job, loopback)),
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
                "TMPDIR": str(scratch / "work"),
                **_ELSEWHERE,
            },
            cwd=scratch / "work",
            capture_output=True,
            check=False,
            timeout=_TIMEOUT,
        )
        if report.is_file():
            return Report(**json.loads(report.read_text(encoding="utf-8")))
    printed = (done.stdout + done.stderr).decode("utf-8", "replace")
    return Report(error=f"the process ended with {done.returncode} and said nothing of its work:\n{printed}")


class _Watch:
    """Notes what the process asks for; the network is refused."""

    def __init__(self, scratch: str, *, loopback: bool) -> None:
        self.scratch = scratch
        self.loopback = loopback
        self.network: list[str] = []
        self.written: list[str] = []
        self.on = False

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Hear of an event (an audit hook, PEP 578)."""
        if not self.on:
            return
        if event in _ASKS:
            self._ask(event, arguments)
        elif event == "open":
            self._open(*arguments)
        else:
            for index in _CHANGES.get(event, ()):
                self._open(arguments[index], "w", None)

    def _ask(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Refuse the network."""
        address = arguments[event in _WITH_SOCKET]
        host = address[0] if isinstance(address, tuple) and address else address
        if isinstance(address, bytes | str) and event == "socket.connect":  # a socket of the file system
            return
        if host in _LOOPBACK and (
            self.loopback or event == "socket.bind"
        ):  # libraries try whether there is IPv6
            return
        if event == "socket.bind" and self.loopback and address[1:2] == (0,):  # where a connection begins
            return
        self.network.append(f"{event} {address!r}")
        raise PermissionError(f"no network in a test: {event} {address!r}")

    def _open(self, path: Any, mode: Any, flags: Any) -> None:
        """Note a file that is opened for writing."""
        writes = set(mode or "") & set("wax+") or (isinstance(flags, int) and flags & _WRITES)
        if not writes or isinstance(path, int):
            return
        text = os.path.abspath(os.fsdecode(path))  # noqa: PTH100  # Path.resolve would follow links, and open files
        if not text.startswith((self.scratch, "/dev/", "/proc/")) and text not in self.written:
            self.written.append(text)


def _peak() -> int:
    """Return the most bytes that this process ever had; what Linux says of usage begins with the parent's."""
    _, told, size = (_STATUS.read_text() if _STATUS.is_file() else "").partition("VmHWM:")
    if told:
        return 1024 * int(size.split()[0])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _KIBIBYTE


def _forget_peak() -> None:
    """Have the peak be what the process has now, where the system can: an earlier one hides what the work takes."""
    with suppress(OSError):
        _CLEAR.write_text("5")


def _left(folder: Path) -> list[str]:
    """Return what is in the folder for temporary files when all is done that a process does when it ends."""
    gc.collect()
    atexit._run_exitfuncs()  # noqa: SLF001  # the process itself ends without them
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def _threads_that_stay(before: list[threading.Thread]) -> list[str]:
    """Return the names of new threads that do not end in a moment, as a timer that was called off does."""
    new = [one for one in threading.enumerate() if one not in before]
    for one in new:
        one.join(_MOMENT)
    return [one.name for one in new if one.is_alive()]


def _main(report: str) -> None:
    """Do the job and write the report."""
    sys.path[:], scratch, job, loopback = pickle.loads(sys.stdin.buffer.read())  # noqa: S301  # from the kit itself
    from dicomwright.testing.work import perform

    sys.dont_write_bytecode = True
    watch = _Watch(scratch, loopback=loopback)
    sys.addaudithook(watch)
    threads, before = threading.enumerate(), _peak()
    result, error = "", ""
    watch.on = True
    try:
        if job.name:
            job.plugin_set().registry(job.kind).resolve(
                job.name
            )  # what imports take is not what the work takes
        _forget_peak()
        before = _peak()
        result = perform(job)
    except BaseException:  # noqa: BLE001  # whatever it is, the report tells it
        error = traceback.format_exc()
    watch.on = False
    grown = _peak() - before
    staying = _threads_that_stay(threads)
    left = _left(Path(scratch, "work"))
    found = Report(result, error, watch.network, watch.written, left, staying, grown)
    Path(report).write_text(json.dumps(vars(found)), encoding="utf-8")
    os._exit(0)  # threads that stay must not keep the test waiting


if __name__ == "__main__":
    _main(sys.argv[1])
