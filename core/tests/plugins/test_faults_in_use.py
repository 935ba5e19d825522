"""What a plug-in's code does wrong when it is used is one line that names it, and nothing is written."""

from __future__ import annotations

import pytest

from dicomwright.testing import PluginSite

PLUGIN = """
from dicomwright.plugins import *
from dicomwright.plugins import hookimpl

BAD = {"summary": "s", "target": "bad_targets:Bad"}

@hookimpl
def dicomwright_readers():
    good = ReaderSpec(name="good", summary="s", target="bad_targets:Good", extensions=(".good",))
    moves = ReaderSpec(name="moves", summary="s", target="bad_targets:Moves", extensions=(".moves",))
    return [good, moves, ReaderSpec(name="bad", extensions=(".bad",), **BAD)]

@hookimpl
def dicomwright_encoders():
    empty = EncoderSpec(name="empty", summary="s", target="bad_targets:Empty", payloads=("Volume",))
    return [empty, EncoderSpec(name="bad", payloads=("Volume",), **BAD)]

@hookimpl
def dicomwright_codecs():
    return [CodecSpec(name="bad", uid="1.2.840.10008.1.2.5", **BAD)]

@hookimpl
def dicomwright_validators():
    return [ValidatorSpec(name="bad", **BAD), ValidatorSpec(name="odd", summary="s", target="bad_targets:Odd")]

@hookimpl
def dicomwright_commands():
    return [CommandSpec(name="bad", **BAD), CommandSpec(name="raises", summary="s", target="bad_targets:raises")]
"""
TARGETS = """
import os, sys
import click
from dicomwright.testing import sample_volume

class Bad:
    def fail(self, *_):
        raise ValueError("two\\nlines")

    def can_read(self, *_):
        return True

    def unavailable(self):
        return ""

    read = encode = compression = validate = fail

class Good(Bad):
    def read(self, *_):
        return sample_volume()

class Moves(Good):
    def read(self, *_):
        os.chdir("/")
        return sample_volume()

@click.command()
@click.option("--well", is_flag=True)
def raises(well):
    raise click.ClickException("no") if well else ValueError("two\\nlines")

class Empty:
    def encode(self, *_):
        return None

class Odd(Bad):
    def validate(self, files):
        sys.exit(0)
"""
FROM = "of bad-targets 1.0 failed"
FAILED = f"{FROM}: ValueError: two lines; report it to the authors of bad-targets; --debug shows where"
BUILD = ["build", "a.good", "--blueprint", "mr-image", "--out", "out"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        site = PluginSite(folder)
        site.add("bad-targets", {"bad_plugin": PLUGIN, "bad_targets": TARGETS})
        yield site.run


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["build", "a.bad", *BUILD[2:]], f'reader "bad" {FAILED}'),
        ([*BUILD, "--encoder", "bad"], f'encoder "bad" {FAILED}'),
        (
            [*BUILD, "--encoder", "empty"],
            f'encoder "empty" {FROM}: TypeError: encode gave NoneType, ',
        ),
        ([*BUILD, "--transfer-syntax", "bad"], f'codec "bad" {FAILED}'),
        (["validate", "a.good", "--validator", "bad"], f'validator "bad" {FAILED}'),
        (
            ["validate", "a.good", "--validator", "odd"],
            f'validator "odd" {FROM}: it called sys.exit(0)',
        ),
        (["bad"], f'command "bad" {FROM}: TypeError: bad_targets:Bad is no click command'),
        (["raises"], f'command "raises" {FAILED}'),
        (["raises", "--well"], "no\n"),
    ],
)
def test_one_line_that_names_the_plugin(run, tmp_path, arguments, message):
    for name in ("a.good", "a.bad"):
        (tmp_path / name).write_bytes(b"x")
    done = run(*arguments, cwd=tmp_path)
    assert done.code == 1
    assert done.err.startswith(f"dicomwright: error: {message}"), done.err
    assert done.err.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_debug_shows_where(run, tmp_path):
    (tmp_path / "a.bad").write_bytes(b"x")
    done = run("build", "a.bad", *BUILD[2:], "--debug", cwd=tmp_path)
    assert 'bad_targets.py", line 8, in fail' in done.err


def test_a_reader_that_goes_elsewhere(run, tmp_path):
    (tmp_path / "a.moves").touch()
    done = run("build", "a.moves", "--blueprint", "mr-image", "--out", "out", cwd=tmp_path)
    assert done.code == 0, done.err
    assert len(list((tmp_path / "out").iterdir())) == 3
