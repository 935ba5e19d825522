"""Run the code blocks of Markdown pages as tests.

The blocks of a page run top to bottom in one temporary folder that starts empty; ``python`` blocks share
their names. A ``console`` block runs each line that starts with ``$ dicomwright`` (a line that ends in a
backslash goes on), and compares what is printed with the lines shown below it, if any; ``...`` stands for
anything. Other commands are for the reader. A command must succeed unless the page shows its
``dicomwright: error:``.

``<!-- invisible-code-block: python`` ... ``-->`` runs without being shown, to prepare input;
``<!-- skip: next -->`` leaves the next block out.
"""

from __future__ import annotations

import doctest
import os
import subprocess
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from sybil import Sybil
from sybil.parsers.markdown import CodeBlockParser, PythonCodeBlockParser, SkipParser

__all__ = ["collect", "commands_of"]

FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
ROOT = Path(__file__).parents[3]


def commands_of(block: str) -> list[tuple[str, str]]:
    """Return the commands of a console block, each with the output shown below it."""
    found: list[tuple[str, str]] = []
    for line in block.replace("\\\n", " ").splitlines():
        if line.startswith("$ "):
            found.append((line[2:], ""))
        elif found:
            found[-1] = (found[-1][0], f"{found[-1][1]}{line}\n")
    return found


def run_console(example: Any) -> str | None:
    """Run the dicomwright commands of a console block; return what went wrong."""
    scripts = sysconfig.get_path("scripts")
    environment = {**os.environ, "PATH": os.pathsep.join([scripts, os.environ.get("PATH", "")])}
    for command, shown in commands_of(example.parsed):
        if command.split()[0] != "dicomwright":
            continue
        done = subprocess.run(
            command, shell=True, env=environment, capture_output=True, text=True, check=False, timeout=300
        )
        printed = done.stdout + done.stderr
        if done.returncode != 0 and "dicomwright: error:" not in shown:
            return f"`{command}` ended with {done.returncode}:\n{printed}"
        if shown.strip() and not doctest.OutputChecker().check_output(shown, printed, FLAGS):
            return f"`{command}` printed:\n{printed}\nand the page shows:\n{shown}"
    return None


def enter_empty_folder(namespace: dict[str, Any]) -> None:
    """Begin a page in an empty folder."""
    namespace["_before"] = Path.cwd()
    namespace["_folder"] = tempfile.TemporaryDirectory(prefix="page-")
    os.chdir(namespace["_folder"].name)


def leave_folder(namespace: dict[str, Any]) -> None:
    """End a page: remove what it wrote."""
    os.chdir(namespace["_before"])
    namespace["_folder"].cleanup()


collect = Sybil(
    parsers=[
        PythonCodeBlockParser(doctest_optionflags=FLAGS),
        CodeBlockParser(language="console", evaluator=run_console),
        SkipParser(),
    ],
    path=str(ROOT),
    patterns=["*.md"],
    setup=enter_empty_folder,
    teardown=leave_folder,
).pytest()
