"""Run the code blocks of Markdown pages as tests.

The blocks of a page run top to bottom in one temporary folder that starts empty.

* ``python`` blocks share their names; a block that begins with ``>>>`` is a doctest.
* A block with ``title="PATH"`` behind its language is not run but written to that file.
* ``console`` blocks run each line that starts with ``$ dicomwright`` or ``$ python -m pytest`` (a line that ends in a
  backslash goes on). What is printed must be what the page shows below the line, if anything; ``...`` is anything.
  A command must succeed, unless the page shows its ``dicomwright: error:``; others are for the reader.
* ``<!-- hidden python`` ... ``-->`` runs without being shown, to prepare input or to check a result.
* ``<!-- not run: why -->`` in the line above a block leaves it out.
"""

from __future__ import annotations

import doctest
import os
import re
import subprocess
import sysconfig
import tempfile
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "Block",
    "Page",
    "WrongPageError",
    "blocks_of",
    "commands_of",
    "pretend_to_install",
    "run_block",
    "run_command",
]

FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
BLOCK = re.compile(
    r"""^(?P<skip><!--\ not\ run:[^\n]*-->\n)?
        (?:(?P<fence>`{3,})(?P<shown>\w+)(?:\ title="(?P<title>[^"]+)")?[^\n]*|<!--\ hidden\ (?P<hidden>\w+)[^\n]*)\n
        (?P<code>.*?)
        ^(?(fence)(?P=fence)|-->)[ ]*$""",
    re.MULTILINE | re.DOTALL | re.VERBOSE,
)


class WrongPageError(AssertionError):
    """A page shows what does not happen."""


class Block(NamedTuple):
    """A code block: its language, its text, the line of the page on which its text begins, and the file it becomes."""

    language: str
    code: str
    line: int
    title: str = ""


def blocks_of(page: str) -> Iterator[Block]:
    """Yield the blocks of a page that run."""
    for found in BLOCK.finditer(page):
        language = found["shown"] or found["hidden"]
        title = found["title"] or ""
        if not found["skip"] and (title or language in {"python", "console"}):
            yield Block(language, found["code"], page.count("\n", 0, found.start("code")) + 1, title)


def commands_of(code: str) -> list[tuple[str, str]]:
    """Return the commands of a console block, each with the output shown below it."""
    found: list[tuple[str, str]] = []
    for line in code.replace("\\\n", " ").splitlines():
        if line.startswith("$ "):
            found.append((line[2:], ""))
        elif found:
            found[-1] = (found[-1][0], f"{found[-1][1]}{line}\n")
    return found


def run_block(block: Block, names: dict[str, Any], file: str) -> None:
    """Run a block; `WrongPageError` says that the page shows something else."""
    if block.title:
        path = Path(block.title)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.code, encoding="utf-8")
    elif block.language == "console":
        for command, shown in commands_of(block.code):
            if command.split()[0] == "dicomwright" or command.startswith("python -m pytest"):
                run_command(command, shown)
    elif block.code.startswith(">>>"):
        test = doctest.DocTestParser().get_doctest(block.code, names, file, file, block.line - 1)
        printed: list[str] = []
        failed, _ = doctest.DocTestRunner(optionflags=FLAGS).run(test, out=printed.append, clear_globs=False)
        if failed:
            raise WrongPageError("".join(printed))
        names.update(test.globs)
    else:
        padded = "\n" * (block.line - 1) + block.code  # so that a traceback names the line of the page
        exec(compile(padded, file, "exec"), names)  # the pages are ours


def run_command(command: str, shown: str) -> None:
    """Run one command in a shell and compare what it prints with what a page shows."""
    path = os.pathsep.join([sysconfig.get_path("scripts"), os.environ.get("PATH", "")])
    done = subprocess.run(
        command,
        shell=True,  # pages may redirect output
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    printed = done.stdout + done.stderr
    if done.returncode != 0 and "dicomwright: error:" not in shown:
        raise WrongPageError(f"`{command}` ended with {done.returncode}:\n{printed}")
    if shown.strip() and not doctest.OutputChecker().check_output(shown, printed, FLAGS):
        raise WrongPageError(f"`{command}` printed:\n{printed}\nThe page shows:\n{shown}")


def pretend_to_install(project: Path) -> None:
    """Put a project where this process and its children find it, as ``pip install -e`` does, without pip."""
    table = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    source = project.resolve() / "src"
    info = source / f"{table['name'].replace('-', '_')}-{table['version']}.dist-info"
    info.mkdir()
    needs = "".join(f"Requires-Dist: {text}\n" for text in table["dependencies"])
    head = f"Metadata-Version: 2.1\nName: {table['name']}\nVersion: {table['version']}\n{needs}"
    (info / "METADATA").write_text(head, encoding="utf-8")
    groups = [
        f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in entries.items())
        for group, entries in table["entry-points"].items()
    ]
    (info / "entry_points.txt").write_text("\n".join(groups), encoding="utf-8")
    os.environ["PYTHONPATH"] = str(source)


class Page(pytest.File):
    """A Markdown page: one folder and one set of names for its blocks."""

    def collect(self) -> Iterator[pytest.Item]:
        """Yield a test for each block that runs."""
        self.names: dict[str, Any] = {"__name__": "__main__"}
        for block in blocks_of(self.path.read_text(encoding="utf-8")):
            yield PageBlock.from_parent(self, name=f"line {block.line}", block=block)

    def setup(self) -> None:
        """Begin in an empty folder."""
        self.before, self.environment = Path.cwd(), dict(os.environ)
        self.folder = tempfile.TemporaryDirectory(prefix="page-")
        os.chdir(self.folder.name)

    def teardown(self) -> None:
        """Remove what the page wrote."""
        os.chdir(self.before)
        os.environ.clear()
        os.environ.update(self.environment)
        self.folder.cleanup()


class PageBlock(pytest.Item):
    """One block of a page."""

    def __init__(self, *, block: Block, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.block = block

    def runtest(self) -> None:
        """Run the block."""
        assert isinstance(self.parent, Page)
        run_block(self.block, self.parent.names, str(self.path))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Say what is wrong with the page; show a traceback for what its Python code raises."""
        if isinstance(excinfo.value, WrongPageError):
            return f"{self.path}:{self.block.line}: {excinfo.value}"
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Name the page and the line."""
        return self.path, self.block.line - 1, f"{self.path.name}, {self.name}"
