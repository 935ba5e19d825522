"""A good plug-in among hostile ones: its output has the same bytes, and each of them is a record or one clear error."""

from __future__ import annotations

import json
import time

import numpy as np
import pytest

from dicomwright.testing import PluginSite, assert_same_bytes

GOOD = """
from dicomwright.plugins import FunctionSpec, ReaderSpec, hookimpl

@hookimpl
def dicomwright_readers():
    return [ReaderSpec(name="grid", summary="arrays", target="good_reader:Reader", extensions=(".grid",))]

@hookimpl
def dicomwright_functions():
    return [FunctionSpec(name="who", summary="says who", target="good_reader:who")]
"""
READER = """
import numpy as np
from dicomwright import Volume

class Reader:
    def can_read(self, path, head):
        return True

    def read(self, path, options):
        return Volume(np.load(path), [[0, 0, 1.25, 3], [0, 0.75, 0, 2], [2.5, 0, 0, 1], [0, 0, 0, 1]])

def who():
    return "the good one"
"""
HOOK = "from dicomwright.plugins import *\nfrom dicomwright.plugins import hookimpl\n@hookimpl\ndef {}():\n    {}\n"
GRAB = (
    "return [ReaderSpec(name='grid', summary='s', target='a:b', extensions=('.grid',)), "
    "ReaderSpec(name='other', summary='s', target='a:b', extensions=('.other',))]"
)
REST = "summary='s', target='a:b'"
BUNDLE = 'schema = 1\nname = "acme"\nversion = "1"\n[blueprints]\nmr = "mr.toml"\n'
#: Code, and how its record begins: status and reason.
HOSTILE = {
    "raises": ("raise ValueError('no')", "failed", "importing hostile_raises failed: ValueError: no"),
    "exits": ("raise SystemExit(0)", "failed", "importing hostile_exits failed: it called sys.exit(0)"),
    "kills": ("import os, signal; os.kill(os.getpid(), signal.SIGINT)", None, ""),
    "prints": ("import os\nprint('loud')\nos.write(1, b'louder')", "loaded", ""),
    "closes": ("import os\nos.close(1)", "loaded", ""),
    "sleeps": ("import time; time.sleep(60)", "failed", "loading it took longer than 1 s"),
    "spins": ("while True: pass", "failed", "loading it took longer than 1 s"),
    "threads": (
        "import threading, time\nthreading.Thread(target=time.sleep, args=[60]).start()",
        "failed",
        "loading it started threads",
    ),
    "moves": ("import os; os.chdir('/')", "loaded", ""),
    "sets": (
        "import os; os.environ['SOURCE_DATE_EPOCH'] = '7'; os.environ['DICOMWRIGHT_DISABLE_PLUGINS'] = 'all'",
        "loaded",
        "",
    ),
    "shallow": ("import sys; sys.setrecursionlimit(60)", "loaded", ""),
    "builtin": (
        HOOK.format("dicomwright_encoders", f"return [EncoderSpec(name='image', {REST}, payloads=('Volume',))]"),
        "conflict",
        'its encoder "image" is not used: the name belongs to dicomwright itself',
    ),
    "command": (
        HOOK.format("dicomwright_commands", f"return [CommandSpec(name='build', {REST})]"),
        "conflict",
        'its command "build" is not used: the name belongs to dicomwright itself',
    ),
    "blinds": ("import sys\nsys.stdin = sys.stdout = sys.stderr = None", "loaded", ""),
    "shuts": ("import sys\nsys.stdout.close()", "loaded", ""),
    "wraps": ("import io, sys\nsys.stdout = io.TextIOWrapper(sys.stdout.buffer)", "loaded", ""),
    "detaches": ("import codecs, sys\nsys.stdout = codecs.getwriter('utf-8')(sys.stdout.detach())", "loaded", ""),
    "late": ("import atexit\natexit.register(print, 'loud')", "loaded", ""),
    "stubborn": (
        "import time\nfor _ in range(3):\n    try: time.sleep(1)\n    except BaseException: pass",
        "failed",
        "loading it took longer than 1 s",
    ),
    "garbage": (
        HOOK.format("dicomwright_readers", "return [1, None, 'x']"),
        "failed",
        "dicomwright_readers gives NoneType, int, str, not ReaderSpec",
    ),
    "endless": (
        HOOK.format("dicomwright_readers", "import itertools; return itertools.count()"),
        "failed",
        "dicomwright_readers gives more than 1000 descriptors",
    ),
    "numbers": (
        HOOK.format("dicomwright_readers", "return [ReaderSpec(name=3, summary='s', target='a:b')]"),
        "failed",
        "calling dicomwright_readers failed: ReaderSpec 3: name is 3",
    ),
}  # fmt: skip


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Return a function that builds beside some hostile plug-ins, and the folder of the output."""
    monkeypatch.setenv("DICOMWRIGHT_PLUGIN_SECONDS", "1")
    np.save(tmp_path / "a", np.arange(60, dtype="i2").reshape(3, 4, 5))
    (tmp_path / "a.npy").rename(tmp_path / "a.grid")
    (tmp_path / "own.toml").write_text(
        'schema = 1\nextends = ["mr-image"]\n[elements]\nImageComments = { series = "who" }\n'
    )

    def with_neighbours(*names):
        folder = tmp_path / "-".join(["site", *names])
        folder.mkdir()
        site = PluginSite(folder)
        site.add("zzz-good", {"good_plugin": GOOD, "good_reader": READER})
        for name in names:
            site.add(f"hostile-{name}", {f"hostile_{name}": HOSTILE[name][0]})
        out = folder / "out"
        arguments = ["--blueprint", "own.toml", "--uids", "derived", "--instant", "2024-03-05T10:00:00"]
        began = time.monotonic()
        done = site.run("build", "a.grid", *arguments, "--out", out, "--json", cwd=tmp_path)
        assert time.monotonic() - began < 40
        return site, done, out

    return with_neighbours


QUIET = [name for name in HOSTILE if name != "kills"]


def test_all_at_once(run, monkeypatch):
    """One build without them, one among all of them."""
    monkeypatch.delenv("PYTHONSAFEPATH", raising=False)
    _, alone, expected = run()
    assert alone.code == 0, alone.err
    site, done, out = run(*QUIET)
    assert done.code == 0, done.err
    assert "Traceback" not in done.err
    assert json.loads(done.out)["reader"]["name"] == "grid"
    assert_same_bytes(expected, out)
    listed = json.loads(site.run("plugins", "--json").out)
    records = {row["distribution"].removeprefix("hostile-"): row for row in listed}
    found = {name: (records[name]["status"], records[name]["reason"]) for name in QUIET}
    for name in QUIET:
        _, status, reason = HOSTILE[name]
        assert found[name][0] == status, (name, found[name])
        assert found[name][1].startswith(reason), (name, found[name])
    assert records["zzz-good"]["status"] == "loaded"


def test_a_reader_that_wraps_the_streams_when_it_is_imported(run, monkeypatch):
    wraps = "import io, sys\nsys.stdout = io.TextIOWrapper(sys.stdout.buffer)\nsys.stderr.detach()\n"
    monkeypatch.setitem(globals(), "READER", wraps + READER)
    _, done, out = run()
    assert (done.code, done.err) == (0, f"dicomwright: 3 instances in {out}\n")
    assert json.loads(done.out)["reader"]["name"] == "grid"


@pytest.mark.parametrize("code", ["sys.stdout.close()", "sys.stdout = io.TextIOWrapper(sys.stdout.buffer)"])
def test_a_reader_that_closes_the_streams_while_it_works(run, monkeypatch, code):
    reads = READER.replace(
        "        return Volume", f"        import io, sys\n        {code}\n        return Volume"
    )
    monkeypatch.setitem(globals(), "READER", reads)
    _, done, out = run()
    assert (done.code, done.err) == (0, f"dicomwright: 3 instances in {out}\n")
    assert json.loads(done.out)["reader"]["name"] == "grid"


def test_ctrl_c_while_loading_is_one_line(run):
    _, done, out = run("kills")
    assert (done.code, done.err.strip()) == (130, "dicomwright: error: interrupted")
    assert not out.exists()


def test_a_name_that_two_claim_is_one_clear_error(run, monkeypatch):
    monkeypatch.setitem(HOSTILE, "grabs", (HOOK.format("dicomwright_readers", GRAB), "", ""))
    _, done, out = run("grabs")
    assert done.code == 1
    assert done.err.splitlines()[-1].startswith(
        'dicomwright: error: reader "grid" is claimed by plug-in "hostile-grabs" of hostile-grabs 1.0 and plug-in '
        '"zzz-good" of zzz-good 1.0, so neither is used; uninstall one of them, or switch it off'
    ), done.err
    assert not out.exists()


LOUD = """
import os
from dicomwright.blueprint.elements import StaticElement

class Loud(StaticElement):
    def rule(self):
        print("rule")
        return "loud"

def make(tag, data, context):
    os.write(1, b"made")
    return Loud(tag, "SH", data)
"""


@pytest.mark.parametrize(
    "command",
    ["blueprint show", "blueprint diff mr-image", "blueprint check", "lint", "explain", "bundle check"],
)
def test_an_element_type_that_prints_is_not_in_the_output(run, tmp_path, command):
    site, _, _ = run()
    spec = "return [ElementTypeSpec(name='loud', summary='s', target='loud_maker:make')]"
    site.add("acme-loud", {"loud_plugin": HOOK.format("dicomwright_element_types", spec), "loud_maker": LOUD})
    rules = 'schema = 1\nextends = ["mr-image"]\n[elements]\nStationName = { loud = "x" }\n'
    (tmp_path / "mr.toml").write_text(rules)
    (tmp_path / "bundle.toml").write_text(BUNDLE)
    what = "." if command == "bundle check" else "mr.toml"
    done = site.run(*command.split(), what, "--json", cwd=tmp_path)
    assert done.out.startswith(("{", "[")), done.err
    assert json.loads(done.out)
    assert "made" in done.err
