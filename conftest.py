"""Fixtures for the tests of every member of the workspace.

They live in `tests/support/workbench`: judges (independent programs that read what we write) and examples (code
blocks of Markdown pages as tests). Small parent series and comparisons are those of the kit, `dicomwright.testing`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

pytest_plugins = ["workbench.fixtures"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the switch of the docs session."""
    parser.addoption("--examples", action="store_true", help="run the code blocks of Markdown pages as tests")


def pytest_configure(config: pytest.Config) -> None:  # noqa: ARG001  # pytest passes by name
    """Give property-based tests no deadline: the machine may be busy."""
    from hypothesis import settings

    settings.register_profile("workspace", parent=settings(), deadline=None)
    settings.load_profile("workspace")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect Markdown pages when asked to."""
    if file_path.suffix != ".md" or not parent.config.getoption("--examples"):
        return None
    from workbench.examples import Page

    return Page.from_parent(parent, path=file_path)
