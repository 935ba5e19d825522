"""Follow a tutorial by the letter: an empty folder, a new environment, every command and every file of the page.

    python follow.py PAGE WHEELS

Commands run in one shell, one after the other. pip finds dicomwright's own wheels in WHEELS; a checkout stands beside
as ``../dicomwright``, as the page says. What a command prints must be what the page shows below it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))

import doctest  # noqa: E402

from workbench.examples import BLOCK, FLAGS, commands_of  # noqa: E402

_END = "follow-the-page:"


class Shell:
    """One shell for all commands, so that an environment that is activated stays so."""

    def __init__(self, folder: Path, wheels: Path) -> None:
        hidden = {"PYTHONPATH", "VIRTUAL_ENV", "PYENV_VERSION"}
        environment = {name: value for name, value in os.environ.items() if name not in hidden}
        environment |= {"PIP_FIND_LINKS": str(wheels), "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_QUIET": "1"}
        self.process = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        (folder.parent / "python").symlink_to(sys._base_executable)
        self.run('python() { if [ -z "$VIRTUAL_ENV" ]; then ../python "$@"; else command python "$@"; fi; }')

    def run(self, command: str) -> tuple[int, str]:
        """Return how a command ended, and what it printed."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{command} </dev/null\nended=$?\necho\necho {_END}$ended\n")
        self.process.stdin.flush()
        lines: list[str] = []
        for line in self.process.stdout:
            if line.startswith(_END):
                return int(line.removeprefix(_END)), "".join(lines).removesuffix("\n")
            lines.append(line)
        raise AssertionError(f"the shell ended in `{command}`:\n{''.join(lines)}")


def follow(page: Path, folder: Path, wheels: Path) -> int:
    """Do what a page says; return the number of commands."""
    folder.mkdir()
    (folder.parent / "dicomwright").symlink_to(ROOT)
    shell, count = Shell(folder, wheels), 0
    for found in BLOCK.finditer(page.read_text(encoding="utf-8")):
        if found["title"]:
            file = folder / found["title"]
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(found["code"], encoding="utf-8")
        elif found["shown"] == "console":
            for command, shown in commands_of(found["code"]):
                code, printed = shell.run(command)
                refused = "dicomwright: error:" in shown
                if bool(code) is not refused:
                    raise AssertionError(f"{page.name}: `{command}` ended with {code}:\n{printed}")
                if shown.strip() and not doctest.OutputChecker().check_output(shown, printed, FLAGS):
                    raise AssertionError(
                        f"{page.name}: `{command}` printed:\n{printed}\nThe page shows:\n{shown}"
                    )
                count += 1
    return count


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(
        prefix="follow-", dir="/tmp"
    ) as top:  # outside of the checkout, whose conftest.py is not for others
        done = follow(Path(sys.argv[1]), Path(top) / "empty", Path(sys.argv[2]))
    print(f"{sys.argv[1]}: {done} commands")  # noqa: T201  # a script that prints
