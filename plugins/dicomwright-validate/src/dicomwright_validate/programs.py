"""Run programs that judge files."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

__all__ = ["batches", "run"]

_SECONDS = 120
_FAILED = -1


def run(command: Sequence[str | Path], seconds: float = _SECONDS) -> tuple[int, str]:
    """Return the exit code of a program and all that it prints; -1 if it did not end by itself."""
    try:
        done = subprocess.run(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return _FAILED, f"did not end within {seconds:g} s"
    except OSError as error:
        return _FAILED, str(error)
    return done.returncode, done.stdout.decode("utf-8", "replace")


def batches(files: Sequence[Path], size: int) -> Iterator[Sequence[Path]]:
    """Yield files in lists that a command line can hold."""
    for start in range(0, len(files), size):
        yield files[start : start + size]
