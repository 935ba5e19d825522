"""The command line, with a reader of its own: a plug-in on disk that reads ``.grid``: an affine and an array."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import NamedTuple

import numpy as np
import pytest

PLUGIN = """
from dicomwright.plugins import OptionSpec, ReaderSpec, hookimpl

@hookimpl
def dicomwright_readers():
    options = (OptionSpec(name="scale", summary="a factor", default="1"),)
    return [ReaderSpec(name="grid", summary="numpy archives", target="test_grid_reader:Reader",
                       extensions=(".grid",), options=options)]
"""
READER = """
import numpy as np
from dicomwright import Volume

class Reader:
    def can_read(self, path, head):
        return path.suffix == ".grid"

    def read(self, path, options):
        print("the reader prints")
        with open(path, "rb") as stream:
            assert stream.readline() == b"GRID\\n"
            affine, array = np.load(stream), np.load(stream)
        return Volume(array * array.dtype.type(options["scale"]), affine, source=str(path))
"""
AFFINE = np.array([[0, 0, 1.25, -31.5], [0, 0.75, 0, 17.25], [2.5, 0, 0, -105], [0, 0, 0, 1.0]])


class Outcome(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def result(self):
        """What ``--json`` printed: nothing else may be on standard output."""
        return json.loads(self.out)


@pytest.fixture
def site(tmp_path_factory, monkeypatch):
    """Put the reader on the module path of this process and of its children."""
    folder = tmp_path_factory.mktemp("site")
    info = folder / "test_grid-1.5.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: test-grid\nVersion: 1.5\n")
    (info / "entry_points.txt").write_text("[dicomwright]\ngrid = test_grid_plugin\n")
    (folder / "test_grid_plugin.py").write_text(PLUGIN)
    (folder / "test_grid_reader.py").write_text(READER)
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    monkeypatch.delenv("DICOMWRIGHT_DISABLE_PLUGINS", raising=False)
    monkeypatch.setattr("dicomwright.plugins.plugin_set._default", [])
    yield folder
    for name in ("test_grid_plugin", "test_grid_reader"):
        sys.modules.pop(name, None)


@pytest.fixture
def cli(site, capfd):  # noqa: ARG001  # the plug-in must be there
    """Return `cli(*arguments) -> Outcome`: a command in this process."""
    from dicomwright.cli.entry import main

    def run(*arguments):
        capfd.readouterr()
        before = signal.getsignal(signal.SIGTERM)
        try:
            with pytest.raises(SystemExit) as ended:
                main([str(argument) for argument in arguments])
        finally:
            signal.signal(signal.SIGTERM, before)
        printed = capfd.readouterr()
        return Outcome(ended.value.code or 0, printed.out, printed.err)

    return run


@pytest.fixture
def command(site):  # noqa: ARG001  # the plug-in must be there
    """Return `command(*arguments, env={}) -> Outcome`: a command in a process of its own."""

    def run(*arguments, env=None):
        done = subprocess.run(
            [sys.executable, "-m", "dicomwright", *map(str, arguments)],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            env={**os.environ, **(env or {})},
        )
        return Outcome(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def source(tmp_path):
    """Return `source(array=..., name=...) -> path`; by default 3 slices of 4x5, all voxels different."""

    def make(array=None, name="source.grid", affine=AFFINE):
        array = np.arange(60, dtype=np.int16).reshape(3, 4, 5) if array is None else array
        path = tmp_path / name
        with path.open("wb") as stream:
            stream.write(b"GRID\n")
            np.save(stream, affine)
            np.save(stream, array)
        return path

    return make


@pytest.fixture
def toml(tmp_path):
    """Return `toml(text, name="own.toml") -> path` of a blueprint file."""

    def make(text, name="own.toml", extends=("mr-image",)):
        path = tmp_path / name
        path.write_text(f"schema = 1\nextends = {json.dumps(list(extends))}\n[elements]\n{text}\n")
        return path

    return make
