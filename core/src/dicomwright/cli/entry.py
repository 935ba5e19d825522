"""Start the command line, and turn every way to end into one line and an exit code.

Exit codes: 0 done, 1 refused, 2 wrong usage, 130 interrupted, 143 terminated.
"""

from __future__ import annotations

import atexit
import errno
import gc
import os
import signal
import sys
import threading
import traceback
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NoReturn

import click

from dicomwright.cli.deferred import defer
from dicomwright.cli.group import cli
from dicomwright.errors import DicomwrightError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]

_REFUSED, _USAGE, _INTERRUPTED, _TERMINATED = 1, 2, 130, 143
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # where standard output is a file
_NO_THREAD = "can't start new thread"  # what Python says
_FIRST_PRINTABLE, _DELETE, _LAST_CONTROL = 0x20, 0x7F, 0x9F


class _TerminatedError(KeyboardInterrupt):
    """SIGTERM arrived; the stack unwinds and cleans up, through everything that lets Ctrl-C through."""


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run a command and exit."""
    is_own_process = arguments is None
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _terminate)
    _start_fast()
    if is_own_process:
        _open_closed_streams()
        with suppress(AttributeError, OSError, ValueError):  # it is none of a file
            sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # such as → in Latin-1
        defer()
    code = _run(arguments, debug="--debug" in arguments)
    _leave_strays(code)
    if is_own_process:
        _leave_fast(code)
    sys.exit(code)


def _open_closed_streams() -> None:
    """Give closed standard streams a place to go, so that no file of ours gets their number: libraries write there."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: PTH123, SIM115  # open until the process ends


def _leave_strays(code: int) -> None:
    """End at once where threads would keep Python alive that plug-ins started while they were loaded."""
    isolation = sys.modules.get("dicomwright.plugins.isolation")
    if isolation and any(one.is_alive() and not one.daemon for one in isolation.strays):
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                stream.flush()
        os._exit(code)


def _leave_fast(code: int) -> None:
    """End without taking 600 modules apart one by one, which is a tenth of the time of a short command.

    What was registered with `atexit` runs before. Where a thread is left, or an output cannot be flushed, the
    interpreter ends in its own way.
    """
    if threading.active_count() > 1:
        return
    with suppress(OSError, ValueError, AttributeError):
        sys.stdout.flush()
        sys.stdout = sys.stderr  # what foreign code says at the end is no part of the output
        atexit._run_exitfuncs()  # noqa: SLF001  # there is no other name for it
        sys.stderr.flush()
        os._exit(code)


def _start_fast() -> None:
    """Spare a short process what only long ones gain from, which is a quarter of the time that imports take."""
    gc.set_threshold(500_000, 20, 20)  # modules are hardly ever garbage; a build keeps some 100,000 objects
    if "OPENBLAS_NUM_THREADS" not in os.environ:  # numpy would start threads, which wait by spinning
        os.environ["OPENBLAS_NUM_THREADS"] = "1"
        os.environ["DICOMWRIGHT_ONE_THREAD"] = (
            "OPENBLAS_NUM_THREADS"  # functions of an executor are not bound by it
        )


def _run(arguments: Sequence[str], *, debug: bool) -> int:
    """Run a command and return its exit code."""
    stdout = sys.stdout
    try:
        code = cli.main(list(arguments), prog_name="dicomwright", standalone_mode=False)
    except BaseException as error:  # noqa: BLE001  # the one place where every way to end becomes an exit code
        if isinstance(error, SystemExit) and sys.stdout is not stdout:  # click's answer to a closed pipe
            return _REFUSED
        if debug and not isinstance(error, click.exceptions.Exit):
            traceback.print_exception(error)
        return _exit_code(error)
    return code if isinstance(code, int) else 0


def _exit_code(error: BaseException) -> int:
    """Say what ended a command, and return the exit code."""
    match error:
        case click.exceptions.Exit():
            return error.exit_code
        case KeyboardInterrupt() | click.Abort():
            return _stopped(error)
        case click.UsageError():
            return _misused(error)
        case DicomwrightError():
            return _say(str(error), _REFUSED)
        case BrokenPipeError():  # whoever read our output has left; Python would complain while it flushes
            sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115  # open until the process ends
            return _REFUSED
        case _:
            return _say(_failure(error), _REFUSED)


def _stopped(error: BaseException) -> int:
    """Say which signal stopped a command; click hides it behind an error of its own."""
    if isinstance(error, _TerminatedError) or isinstance(error.__cause__, _TerminatedError):
        return _say("terminated", _TERMINATED)
    return _say("interrupted", _INTERRUPTED)


def _misused(error: click.UsageError) -> int:
    """Say what is wrong with the arguments; without any, show the help."""
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        click.echo(error.format_message(), err=True)
        return _USAGE
    command = error.ctx.command_path if error.ctx else "dicomwright"
    return _say(f"{error.format_message()} Try '{command} --help'.", _USAGE)


def _failure(error: BaseException) -> str:
    """Return what to say of an error that is none of ours."""
    if isinstance(error, click.ClickException):
        return error.format_message()
    if isinstance(error, MemoryError):
        return "there is not enough memory for this source"
    if isinstance(error, RuntimeError) and str(error) == _NO_THREAD:
        return (
            "the system starts no more threads: there is too little memory, or there are too many processes"
        )
    if isinstance(error, OSError) and (error.filename is not None or error.errno in _NO_ROOM):
        what = "the output" if error.filename is None else os.fsdecode(error.filename)
        return f"{what} cannot be {'written' if error.errno in _NO_ROOM else 'used'}: {error.strerror}"
    if isinstance(
        error, SystemExit
    ):  # none of ours: a plug-in's code or a function of the user ends the program
        return f"a plug-in called sys.exit({error.code!r}) while it worked (--debug shows where)"
    return f"internal error, please report it: {type(error).__name__}: {error} (--debug shows where)"


def _say(message: str, code: int) -> int:
    """Print an error to standard error, control characters escaped."""
    print(f"dicomwright: error: {printable(message)}", file=sys.stderr)  # noqa: T201  # the command's own output
    return code


def printable(text: str) -> str:
    """Return text with control characters escaped, line breaks kept."""
    return "".join(
        character if character == "\n" or not _is_control(ord(character)) else repr(character)[1:-1]
        for character in text
    )


def _is_control(code: int) -> bool:
    return code < _FIRST_PRINTABLE or _DELETE <= code <= _LAST_CONTROL


def _terminate(*_: Any) -> NoReturn:
    raise _TerminatedError
