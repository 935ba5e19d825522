"""Run contenders by turns, so that whatever else the machine does meets them all alike."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Command", "Samples", "compare_commands", "compare_workers"]

HERE = Path(__file__).parent


@dataclass
class Samples:
    """What was measured of one contender: seconds of each run by the clock and of the processor, and memory."""

    name: str
    seconds: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    memory: int = 0

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    def ratio_to(self, other: Samples) -> float:
        """Return the median of the ratios of runs that followed each other."""
        return statistics.median(a / b for a, b in zip(self.seconds, other.seconds, strict=True))

    def cpu_ratio_to(self, other: Samples) -> float:
        """Return the same of processor time, which other processes hardly change."""
        return statistics.median(a / b for a, b in zip(self.cpu, other.cpu, strict=True))


@dataclass(frozen=True)
class Command:
    """A whole process: its arguments, ``OUT`` standing for a folder that does not exist yet."""

    name: str
    arguments: Sequence[str]
    makes_folder: bool = True


class Worker:
    """A contender in a process of its own."""

    def __init__(self, name: str, work: str, folder: Path, python: str) -> None:
        self.samples = Samples(name)
        self._process = subprocess.Popen(
            [python, HERE / "worker.py", name, work, folder],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment(),
        )
        self._answer()

    def ask(self, command: str, out: Path, *, settle: bool = False) -> list[float]:
        """Have it work and remove what it wrote; `settle` waits until the disk has done all of that."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{command} {out}\n")
        self._process.stdin.flush()
        answer = self._answer()
        shutil.rmtree(out, ignore_errors=True)
        if settle:
            os.sync()
        return answer

    def close(self) -> None:
        self._process.communicate()

    def _answer(self) -> list[float]:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith("["):
                return json.loads(line)  # type: ignore[no-any-return]
        raise SystemExit(f"{self.samples.name} ended without an answer")


def environment() -> dict[str, str]:
    """Return the environment of a measured process: compiled modules are kept, as an installation keeps them."""
    return {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}


def compare_workers(
    work: str, names: dict[str, str], folder: Path, runs: int, out: Path | None = None
) -> list[Samples]:
    """Measure contenders (name → Python) of a work: their memory in a first round, then `runs` rounds of time."""
    workers = [Worker(name, work, folder, python) for name, python in names.items()]
    target = (out or folder) / "out"
    shutil.rmtree(target, ignore_errors=True)
    for worker in workers:
        worker.samples.memory = int(worker.ask("memory", target, settle=out is not None)[0])
    for number in range(runs):
        for worker in workers[:: -1 if number % 2 else 1]:
            seconds, cpu = worker.ask("time", target, settle=out is not None)
            worker.samples.seconds.append(seconds)
            worker.samples.cpu.append(cpu)
    for worker in workers:
        worker.close()
    return [worker.samples for worker in workers]


def compare_commands(commands: Sequence[Command], folder: Path, runs: int) -> list[Samples]:
    """Measure whole processes in `runs` rounds after one to warm up; memory is the peak of the resident set."""
    samples = [Samples(command.name) for command in commands]
    for number in range(runs + 1):
        for command, sample in zip(commands, samples, strict=True):
            seconds, cpu, memory = _timed(command, folder / "out")
            if number:
                sample.seconds.append(seconds)
                sample.cpu.append(cpu)
                sample.memory = max(sample.memory, memory)
    return samples


def _timed(command: Command, out: Path) -> tuple[float, float, int]:
    shutil.rmtree(out, ignore_errors=True)
    if not command.makes_folder:
        out.mkdir()
    arguments = [str(out) if argument == "OUT" else argument for argument in command.arguments]
    start = time.perf_counter()
    process = subprocess.Popen(
        arguments, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment(), text=True
    )
    assert process.stderr is not None
    errors = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = status
    if status:
        sys.exit(f"{command.name} failed: {' '.join(arguments)}\n{errors}")
    shutil.rmtree(out, ignore_errors=True)
    return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024
