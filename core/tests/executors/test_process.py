"""The executor ``process``: what user code can do, and what its caller hears of it."""

from __future__ import annotations

import math
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from dicomwright.errors import ExecutionError
from dicomwright.executors import ProcessExecutor
from dicomwright.plugins import Executor, load

FUNCTIONS = """
import ctypes, os, subprocess, sys, time

def double(number):
    print("said")
    return 2 * number

def large(size):
    return bytes(size)

def threads():
    return os.environ.get("OPENBLAS_NUM_THREADS")

def raises():
    raise ValueError("no such voxel")

def exits():
    sys.exit(0)

def ends():
    os._exit(3)

def crashes():
    ctypes.string_at(0)

def hangs():
    time.sleep(600)

def leaks():
    kept = []
    while True:
        kept.append(bytearray(50_000_000))

def gives_a_function():
    return lambda: 0

class Trap:
    def __reduce__(self):
        return (exec, ("raise ValueError('trapped')",))

def gives_a_trap():
    return Trap()

class Untold(Exception):
    def __str__(self):
        raise RuntimeError

def raises_untold():
    raise Untold

def leaves_a_daemon(file):
    first = subprocess.Popen(["sleep", "600"], start_new_session=True)
    shell = "sleep 600 > /dev/null 2>&1 & echo $!"
    second = subprocess.run(["setsid", "sh", "-c", shell], capture_output=True, text=True)
    with open(file, "w") as opened:
        opened.write(f"{os.getpid()} {first.pid} {second.stdout.strip()}")

def python_path():
    return os.environ.get("PYTHONPATH")

def says_and_dies():
    print("last words")
    os.kill(os.getpid(), 9)

def leaves_a_child(file):
    child = subprocess.Popen(["sleep", "600"])
    with open(file, "w") as opened:
        opened.write(f"{os.getpid()} {child.pid}")
    return child.pid

def waits_with_a_child(file):
    leaves_a_child(file)
    ctypes.PyDLL(None).sleep(600)  # holds the interpreter: no thread of Python runs

def chatters():
    for number in range(20_000):
        print("line", number)
    raise OSError
"""


@pytest.fixture
def functions(tmp_path, monkeypatch):
    """Return a module that another process can import."""
    (tmp_path / "user_functions.py").write_text(FUNCTIONS)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "user_functions", raising=False)
    import user_functions

    return user_functions


def failure(function, *arguments, **limits):
    """Return the error of a call."""
    with pytest.raises(ExecutionError) as caught:
        ProcessExecutor().run(function, arguments, **limits)
    return caught.value


def is_running(pid):
    """Tell whether there is such a process; one that nobody has waited for yet does not run."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def await_end(pids):
    """Wait until none of the processes runs."""
    deadline = time.monotonic() + 5
    while any(map(is_running, pids)) and time.monotonic() < deadline:
        time.sleep(0.02)
    return [pid for pid in pids if is_running(pid)]


def test_it_is_found_by_its_name():
    executor = load(enabled=False).registry("executor").resolve("process")()
    assert isinstance(executor, Executor)
    assert executor.run(math.hypot, [3.0, 4.0]) == 5.0


def test_a_value_and_what_was_printed(functions):
    executor = ProcessExecutor()
    assert executor.run(functions.double, [21]) == 42
    assert executor.output == "said\n"


def test_what_was_printed_before_a_crash_is_not_lost(functions, monkeypatch):
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)
    assert failure(functions.says_and_dies).output == "last words\n"


@pytest.mark.parametrize("value", [None, "", "/opt/tool"])
def test_another_python_that_a_function_calls_gets_the_path_of_the_caller(functions, monkeypatch, value):
    monkeypatch.delenv("PYTHONPATH", raising=False)
    if value is not None:
        monkeypatch.setenv("PYTHONPATH", value)
    assert ProcessExecutor().run(functions.python_path, []) == value


def test_a_large_value(functions):
    assert ProcessExecutor().run(functions.large, [30_000_000]) == bytes(30_000_000)


@pytest.mark.parametrize(
    ("name", "kind", "message", "traceback"),
    [
        ("raises", "raised", "user_functions.raises raised ValueError: no such voxel", "line 15, in raises"),
        ("exits", "exited", "user_functions.exits called sys.exit(0)", "in exits"),
        ("ends", "exited", "user_functions.ends ended its process with exit code 3", ""),
        ("crashes", "killed", "user_functions.crashes was ended by SIGSEGV", "in crashes"),
        ("gives_a_function", "unpicklable", "user_functions.gives_a_function returned what cannot be", ""),
        ("gives_a_trap", "unpicklable", "gives_a_trap returned what cannot be read back: trapped", ""),
        ("raises_untold", "raised", "raised Untold: (its text cannot be had)", "in raises_untold"),
    ],
)
def test_what_goes_wrong_is_told(functions, name, kind, message, traceback):
    error = failure(getattr(functions, name))
    assert error.problems[0].kind == kind
    assert message in str(error)
    assert traceback in error.traceback
    assert "executors/child.py" not in error.traceback or kind == "killed"


def test_too_long(functions):
    start = time.monotonic()
    error = failure(functions.hangs, seconds=1.5)
    assert time.monotonic() - start < 20
    assert error.problems[0].kind == "timeout"
    assert "took more than 1.5 s" in str(error)
    assert "in hangs" in error.traceback


def test_too_much_memory(functions):
    error = failure(functions.leaks, memory=600_000_000)
    assert error.problems[0].kind == "memory"
    assert "in leaks" in error.traceback


def test_a_value_that_leaves_no_memory(functions):
    assert failure(functions.large, 400_000_000, memory=300_000_000).problems[0].kind == "memory"


def test_only_the_end_of_the_output_is_kept(functions):
    error = failure(functions.chatters)
    assert len(error.output) <= 64 * 1024
    assert error.output.endswith("line 19999\n")


def test_the_command_line_does_not_bind_functions_to_one_thread(functions, monkeypatch):
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")
    monkeypatch.delenv("DICOMWRIGHT_ONE_THREAD", raising=False)  # a command may have run in this process
    assert ProcessExecutor().run(functions.threads, []) == "1"
    monkeypatch.setenv("DICOMWRIGHT_ONE_THREAD", "OPENBLAS_NUM_THREADS")
    assert ProcessExecutor().run(functions.threads, []) is None


def test_a_file_in_the_working_directory_is_no_module(functions, tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "pickle.py").write_text("raise SystemExit(9)")
    monkeypatch.chdir(tmp_path / "here")
    assert ProcessExecutor().run(functions.double, [1]) == 2


@pytest.mark.usefixtures("functions")
def test_the_start_of_the_process_does_not_count(tmp_path, monkeypatch):
    (tmp_path / "slow_module.py").write_text("import time\ntime.sleep(1.5)\ndef quick(): return 1\n")
    import slow_module

    assert ProcessExecutor().run(slow_module.quick, [], seconds=1) == 1
    monkeypatch.delitem(sys.modules, "slow_module")


def test_descriptors_above_1023(functions):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(2048, hard), hard))
    held = [os.dup(0) for _ in range(1100)]
    try:
        assert ProcessExecutor().run(functions.double, [1], seconds=60) == 2
    finally:
        for descriptor in held:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_functions_that_no_other_process_finds():
    error = failure(lambda: 0)
    assert error.problems[0].kind == "unpicklable"
    local = math.sqrt
    assert failure(local, lambda: 0).problems[0].kind == "unpicklable"


def test_children_of_the_function_end_with_it(functions, tmp_path):
    ProcessExecutor().run(functions.leaves_a_child, [tmp_path / "pids"])
    assert await_end((tmp_path / "pids").read_text().split()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells whose children they were")
def test_no_process_outlives_a_call_by_leaving_its_group(functions, tmp_path):
    ProcessExecutor().run(functions.leaves_a_daemon, [tmp_path / "pids"])
    pids = (tmp_path / "pids").read_text().split()
    assert len(pids) == 3
    assert await_end(pids) == []


def test_a_call_is_cancelled_from_another_thread(functions):
    executor = ProcessExecutor()
    threading.Timer(0.5, executor.cancel).start()
    with pytest.raises(ExecutionError, match="ended by SIGKILL"):
        executor.run(functions.hangs, [], seconds=60)


@pytest.mark.usefixtures("functions")
def test_nothing_outlives_the_caller(tmp_path):
    file = tmp_path / "pids"
    code = (
        "import user_functions as f; from dicomwright.executors import ProcessExecutor as E;"
        f"E().run(f.waits_with_a_child, [{str(file)!r}])"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}
    caller = subprocess.Popen([sys.executable, "-c", code], env=environment)
    try:
        deadline = time.monotonic() + 20
        while not (file.exists() and " " in file.read_text()) and time.monotonic() < deadline:
            time.sleep(0.02)
    finally:
        caller.send_signal(signal.SIGKILL)
        caller.wait()
    assert await_end(file.read_text().split()) == []
