"""The code blocks of Markdown pages run, and a page that is wrong fails."""

from __future__ import annotations

import os

import pytest

from dicomwright.plugins._metadata import find_candidates
from workbench.examples import (
    Block,
    WrongPageError,
    blocks_of,
    commands_of,
    pretend_to_install,
    run_block,
)

PAGE = """# Title

```python
first = 1
```

<!-- hidden python
second = 2
-->

<!-- not run: a fragment -->
```python
third = 3
```

```toml
fourth = 4
```

````console
$ dicomwright --version
dicomwright ...
````
"""


def test_blocks_that_run_and_their_lines():
    assert list(blocks_of(PAGE)) == [
        Block("python", "first = 1\n", 4),
        Block("python", "second = 2\n", 8),
        Block("console", "$ dicomwright --version\ndicomwright ...\n", 21),
    ]


def test_blocks_with_a_title_become_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    page = '```toml title="a/b.toml"\nx = 1\n```\n\n```python title="c.py"\nraise ValueError\n```\n'
    first, second = blocks_of(page)
    assert first == Block("toml", "x = 1\n", 2, "a/b.toml")
    for block in (first, second):
        run_block(block, {}, "page.md")
    assert (tmp_path / "a" / "b.toml").read_text() == "x = 1\n"
    assert (tmp_path / "c.py").read_text() == "raise ValueError\n"


def test_a_project_is_found_as_if_installed(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "")
    (tmp_path / "src").mkdir()
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "a-b"\nversion = "1.5"\ndependencies = ["numpy>=2"]\n'
        '[project.entry-points.dicomwright]\nb = "a_b.plugin"\n'
    )
    pretend_to_install(tmp_path)
    monkeypatch.syspath_prepend(os.environ["PYTHONPATH"])
    (found,) = (one for one in find_candidates() if one.distribution == "a-b")
    assert (found.version, found.requires, found.value) == ("1.5", ("numpy>=2",), "a_b.plugin")


def test_commands_with_their_output():
    code = "$ pip install dicomwright\n$ dicomwright build \\\n  a.nii\n1 file\n2 files\n"
    assert commands_of(code) == [
        ("pip install dicomwright", ""),
        ("dicomwright build    a.nii", "1 file\n2 files\n"),
    ]


def test_blocks_share_names():
    names = {}
    run_block(Block("python", "x = 1\n", 1), names, "page.md")
    run_block(Block("python", ">>> y = x + 1\n>>> y\n2\n", 1), names, "page.md")
    run_block(Block("python", "assert y == 2\n", 1), names, "page.md")


def test_an_error_names_the_line_of_the_page():
    with pytest.raises(ZeroDivisionError) as caught:
        run_block(Block("python", "x = 1\n1 / 0\n", 20), {}, "page.md")
    assert str(caught.traceback[-1].path).endswith("page.md")
    assert caught.traceback[-1].lineno + 1 == 21


def test_a_wrong_doctest_fails():
    with pytest.raises(WrongPageError, match="Expected:"):
        run_block(Block("python", ">>> 1 + 1\n3\n", 1), {}, "page.md")


def test_commands_of_others_do_not_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run_block(Block("console", "$ touch here\n", 1), {}, "page.md")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("shown", "script", "complaint"),
    [
        ("", "exit 3", "ended with 3"),
        ("2 files\n", "echo 1 file", "The page shows:\n2 files"),
        ("... files\n", "echo 2 files", None),
        ("", "echo 2 files", None),
        ("dicomwright: error: no\n", "echo dicomwright: error: no >&2; exit 1", None),
    ],
)
def test_commands_are_compared_with_the_page(tmp_path, monkeypatch, shown, script, complaint):
    program = tmp_path / "dicomwright"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setattr("sysconfig.get_path", lambda _: str(tmp_path))
    block = Block("console", f"$ dicomwright build\n{shown}", 1)
    if complaint is None:
        run_block(block, {}, "page.md")
    else:
        with pytest.raises(WrongPageError, match=complaint):
            run_block(block, {}, "page.md")
