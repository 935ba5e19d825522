"""How the command is called, and how it ends: 0 done, 1 refused, 2 usage."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], ["build", "--help"], ["plugins", "-h"]])
def test_help(cli, arguments):
    done = cli(*arguments)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("Usage: dicomwright")


def test_version(cli):
    from dicomwright import __version__

    assert cli("--version") == (0, f"dicomwright {__version__}\n", "")


def test_help_of_build_names_every_option_of_the_contract(cli):
    text = cli("build", "--help").out
    options = (
        "--blueprint --parent --out --reader --encoder --reader-opt --encoder-opt --set --kwarg --fill --uids"
    )
    for option in f"{options} --overwrite --json --quiet --debug".split():
        assert option in text, option


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["buidl"], ["buidl", "Did you mean 'build'"]),
        (["build"], ["SOURCE"]),
        (["build", "x.grid", "--out", "o"], ["--blueprint"]),
        (["build", "x.grid", "--blueprint", "mr-image"], ["--out"]),
        (["build", "x.grid", "--blueprnt", "mr-image", "--out", "o"], ["--blueprnt", "--blueprint"]),
        (["build", "x.grid", "y.grid", "--blueprint", "mr-image", "--out", "o"], ["y.grid"]),
        (["build", "x.grid", "--blueprint", "mr-image", "--out", "o", "--fill", "all"], ["--fill", "copy"]),
        (["build", "x.grid", "--blueprint", "mr-image", "--out", "o", "--uids", "x"], ["--uids", "derived"]),
        (["build", "x.grid", "--blueprint", "mr-image", "--out", "o", "--set", "PatientID"], ["--set", "="]),
        (["build", "x.grid", "--blueprint", "mr-image", "--out", "o", "--set", "=x"], ["--set", "="]),
        (["build", "x.grid", "--blueprint", "mr-image", "--out", "o", "--kwarg", "x"], ["--kwarg", "="]),
        (["build", "x.grid", "--blueprint", "mr-image", "--out"], ["--out"]),
        (["plugins", "--jsn"], ["--jsn", "--json"]),
    ],
    ids=" ".join,
)
def test_wrong_usage_ends_with_2_and_one_line(cli, tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    done = cli(*arguments)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("dicomwright: error: ")
    assert done.err.count("\n") == 1
    for word in words:
        assert word in done.err
    assert list(tmp_path.iterdir()) == []


def test_without_a_command_the_help_is_shown_and_the_code_is_that_of_usage(cli):
    done = cli()
    assert done.code == 2
    assert "error: Usage" not in done.err
    assert "build" in done.out + done.err


def test_debug_shows_the_traceback_and_ends_alike(cli, source, tmp_path):
    arguments = ["build", source(), "--blueprint", "mr-image", "--out", tmp_path / "o", "--set", "Nope=1"]
    plain, debug = cli(*arguments), cli(*arguments, "--debug")
    assert plain.code == debug.code == 1
    assert "Traceback" not in plain.err
    assert "Traceback" in debug.err
    assert debug.err.splitlines()[-1] == plain.err.splitlines()[-1]


def test_a_fault_of_ours_is_one_line_too(cli, source, tmp_path, monkeypatch):
    def broken(*_args, **_more):
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr("dicomwright.factory.DicomFactory.build", broken)
    done = cli("build", source(), "--blueprint", "mr-image", "--out", tmp_path / "o")
    assert done.code == 1
    assert "internal error" in done.err
    assert "ZeroDivisionError" in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize("what", ["memory", "threads"])
def test_a_machine_without_room_is_no_fault_of_ours(cli, source, tmp_path, monkeypatch, what):
    def small(*_args, **_more):
        raise MemoryError if what == "memory" else RuntimeError("can't start new thread")

    monkeypatch.setattr("threading.Thread.start", small)
    done = cli("build", source(), "--blueprint", "mr-image", "--out", tmp_path / "o", "--jobs", "2")
    assert done.code == 1
    assert "memory" in done.err
    assert "internal error" not in done.err
    assert list(tmp_path.glob("o*")) == []


@pytest.mark.parametrize("code", ["sys.exit(0)", "raise MemoryError", "raise RecursionError", "1 / 0"])
def test_a_plug_in_that_breaks_while_it_reads_is_no_success(cli, source, site, tmp_path, code):
    (site / "test_grid_reader.py").write_text(
        "import sys\nclass Reader:\n"
        "    def can_read(self, path, head):\n        return True\n"
        f"    def read(self, path, options):\n        {code}\n"
    )
    done = cli("build", source(), "--blueprint", "mr-image", "--out", tmp_path / "o")
    assert done.code == 1
    assert "dicomwright: error: " in done.err
    assert "Traceback" not in done.err
    assert not (tmp_path / "o").exists()


def test_no_plugins(cli, source, tmp_path):
    for arguments in (["--no-plugins", "build"], ["build", "--no-plugins"]):
        done = cli(*arguments, source(), "--blueprint", "mr-image", "--out", tmp_path / "o")
        assert done.code == 1
        assert ".grid" in done.err
        assert "the reader prints" not in done.err


def test_disabled_by_the_environment(command, source, tmp_path):
    arguments = ["build", source(), "--blueprint", "mr-image", "--out", tmp_path / "o"]
    done = command(*arguments, env={"DICOMWRIGHT_DISABLE_PLUGINS": "1"})
    assert done.code == 1
    assert "disabled" in done.err


def test_blueprints_are_listed(cli):
    table, listed = cli("blueprints"), cli("blueprints", "--json")
    assert (table.code, listed.code) == (0, 0)
    entries = {entry["name"]: entry for entry in json.loads(listed.out)}
    for name in ("mr-image", "ct-image"):
        assert entries[name]["summary"]
        assert name in table.out


def test_plugins_are_listed(cli):
    listed = json.loads(cli("plugins", "--json").out)
    (entry,) = [one for one in listed if one["distribution"] == "test-grid"]
    assert {"name", "distribution", "version", "status", "reason"} <= set(entry)
    assert "test-grid" in cli("plugins").out


def test_as_a_module(command, source, tmp_path):
    done = command("build", source(), "--blueprint", "ct-image", "--out", tmp_path / "o", "--json")
    assert done.code == 0, done.err
    assert done.result["series"][0]["instances"] == 3
    assert command("build").code == 2


def test_control_characters_of_a_file_name_do_not_reach_the_terminal(cli, tmp_path):
    name = "evil\x1b[31m\nline.grid"
    done = cli("build", tmp_path / name, "--blueprint", "mr-image", "--out", tmp_path / "o")
    assert done.code == 1
    assert "\x1b" not in done.err


def test_output_to_a_closed_pipe_is_quiet(site, source, tmp_path):  # noqa: ARG001  # the plug-in must be there
    import subprocess
    import sys

    arguments = ["build", source(), "--blueprint", "mr-image", "--out", tmp_path / "o", "--json"]
    child = subprocess.Popen(
        [sys.executable, "-m", "dicomwright", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    child.stdout.close()
    errors = child.stderr.read().decode()
    child.stderr.close()
    child.wait(30)
    assert "Traceback" not in errors
    assert "BrokenPipe" not in errors
    assert "sys.exit" not in errors


@pytest.mark.parametrize("closed", ["2>&-", "<&- >&- 2>&-"])
def test_standard_streams_that_are_closed(site, source, tmp_path, closed):  # noqa: ARG001  # the plug-in must be there
    import shlex
    import subprocess
    import sys

    command = [sys.executable, "-m", "dicomwright", "build", source(), "--blueprint", "mr-image"]
    line = f"{shlex.join(map(str, [*command, '--out', tmp_path / 'o']))} {closed}"
    assert subprocess.run(["/bin/sh", "-c", line], check=False).returncode == 0
    assert len(list((tmp_path / "o").iterdir())) == 3


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has the device that is always full")
def test_a_full_disk_behind_standard_output():
    with open("/dev/full", "w") as full:  # noqa: PTH123
        code = "from dicomwright.cli import main; main()"
        done = subprocess.run(
            [sys.executable, "-c", code, "schema", "--bundle-manifest"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr == "dicomwright: error: the output cannot be written: No space left on device\n"


@pytest.mark.parametrize("command", ["show", "flatten", "check"])
def test_texts_that_the_terminal_cannot_show(tmp_path, command):
    path = tmp_path / "site.toml"
    head = 'schema = 1\nsummary = "山田"\nextends = ["mr-image"]\n[elements]\n'
    path.write_text(head + 'PatientName = { static = "山田^太郎 ö" }\n', encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", "from dicomwright.cli import main; main()", "blueprint", command, path],
        env={**os.environ, "PYTHONIOENCODING": "latin-1"},
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    if command == "show":
        assert "static '\\u5c71\\u7530^\\u592a\\u90ce ö'".encode("latin-1") in done.stdout
    if command == "flatten":
        assert "山田^太郎 ö" in done.stdout.decode("utf-8")
