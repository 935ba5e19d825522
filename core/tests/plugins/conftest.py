"""Distributions on disk, as pip would leave them."""

from __future__ import annotations

import os
import subprocess
import sys
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from dicomwright.plugins import PluginSet, load

if TYPE_CHECKING:
    from pathlib import Path

HEADER = "from dicomwright.plugins import *\nfrom dicomwright.plugins import hookimpl\n"


class Site:
    """A folder on the module path that distributions are put into."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def add(
        self,
        distribution: str,
        code: str = "",
        *,
        name: str = "",
        version: str = "1.0",
        requires: tuple[str, ...] = (),
        entry_points: str = "",
        other: dict[str, str] | None = None,
    ) -> str:
        """Put a distribution with one plug-in module there; return the module's name."""
        module = distribution.replace("-", "_") + "_plugin"
        name = name or distribution.rpartition("-")[2]
        info = self.folder / f"{distribution.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        needs = "".join(f"Requires-Dist: {one}\n" for one in requires)
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n{needs}"
        )
        (info / "entry_points.txt").write_text(entry_points or f"[dicomwright]\n{name} = {module}\n")
        for file, text in {module: HEADER + dedent(code), **(other or {})}.items():
            (self.folder / f"{file}.py").write_text(dedent(text))
        return module

    def reader(self, distribution: str, reader: str = "", **spec: object) -> str:
        """Return the code of a plug-in with one reader; its target is `Reader` of another module."""
        reader = reader or distribution.rpartition("-")[2]
        target = distribution.replace("-", "_") + "_reader:Reader"
        fields = "".join(f", {key}={value!r}" for key, value in spec.items())
        return (
            "@hookimpl\ndef dicomwright_readers():\n"
            f"    return [ReaderSpec(name={reader!r}, summary='reads', target={target!r}{fields})]\n"
        )

    def good(self, distribution: str, reader: str = "", can_read: str = "True", **spec: object) -> None:
        """Put a distribution with one working reader there."""
        code = f"""
            class Reader:
                def can_read(self, path, head):
                    return {can_read}

                def read(self, path, options):
                    return {distribution!r}
        """
        self.add(
            distribution,
            self.reader(distribution, reader, **spec),
            other={distribution.replace("-", "_") + "_reader": code},
        )

    def run(self, code: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run Python with this folder on its path."""
        path = os.pathsep.join([str(self.folder), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
        return subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONPATH": path, **environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )


@pytest.fixture
def site(tmp_path, monkeypatch):
    """Return a folder on the module path, forgotten afterwards."""
    folder = tmp_path / "site"
    folder.mkdir()
    before = set(sys.modules)
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.delenv("DICOMWRIGHT_DISABLE_PLUGINS", raising=False)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield Site(folder)
    for name in set(sys.modules) - before:
        if str(folder) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


@pytest.fixture
def record():
    """Return a function that loads all and returns the record of one distribution."""

    def find(distribution: str, plugin_set: PluginSet | None = None):
        found = [one for one in (plugin_set or load()).records if one.distribution == distribution]
        assert len(found) == 1, found
        return found[0]

    return find
