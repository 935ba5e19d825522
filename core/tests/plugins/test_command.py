"""``dicomwright plugins``."""

from __future__ import annotations

import json

import click
import pytest
from click.testing import CliRunner

from dicomwright.cli.plugins_command import plugins
from dicomwright.plugins._metadata import core_version

RUN = "from dicomwright.cli.plugins_command import plugins; plugins({})"
HEAVY = ("numpy", "pydicom", "nibabel")


def rows(site, *arguments: str, **environment: str) -> dict[str, dict[str, object]]:
    done = site.run(RUN.format(["--json", *arguments]), **environment)
    assert done.returncode == 0, done.stderr
    return {row["distribution"]: row for row in json.loads(done.stdout)}


def test_json_shows_all(site):
    site.good("acme-tomo")
    site.add("acme-bad", "import acme_absent")
    found = rows(site)
    assert found["dicomwright"] == {
        "name": "builtin",
        "distribution": "dicomwright",
        "version": core_version(),
        "kind": ["element-type", "encoder", "codec", "function", "executor", "validator"],
        "status": "loaded",
        "reason": "",
        "api": 1,
    }
    assert found["acme-tomo"] == {
        "name": "tomo",
        "distribution": "acme-tomo",
        "version": "1.0",
        "kind": ["reader"],
        "status": "loaded",
        "reason": "",
        "api": 1,
    }
    assert found["acme-bad"]["kind"] == []
    assert found["acme-bad"]["status"] == "failed"
    assert found["acme-bad"]["reason"] == (
        "importing acme_bad_plugin failed: ModuleNotFoundError: No module named 'acme_absent'"
    )


def test_broken_plugins_change_nothing_for_the_others(site):
    site.good("acme-tomo")
    before = rows(site)
    broken = {
        "aaa-exit": "import sys; sys.exit(0)",
        "bbb-loud": "import os; print('loud'); os.write(1, b'louder')",
        "ccc-garbage": "@hookimpl\ndef dicomwright_readers(): return [1]",
        "ddd-misspelt": "@hookimpl\ndef dicomwright_readerz(): return [1]",
        "yyy-grab": site.reader("yyy-grab", "static"),
        "zzz-import": "import acme_absent",
    }
    for distribution, code in broken.items():
        site.add(distribution, code)
    site.add("eee-old", requires=("dicomwright<0.0.1",))
    site.add("fff-malformed", entry_points="[dicomwright]\nfff = a b c\n")
    after = rows(site)
    assert {key: row for key, row in after.items() if key in before} == before
    assert set(after) - set(before) == {*broken, "eee-old", "fff-malformed"}


def test_table(site):
    site.add("acme-bad", "import sys; sys.exit(0)")
    done = site.run(RUN.format([]))
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["name", "distribution", "version", "kind", "status", "reason"]
    assert lines[1].split()[:3] == ["builtin", "dicomwright", core_version()]
    assert [line.split(None, 5) for line in lines if "acme-bad" in line] == [
        ["bad", "acme-bad", "1.0", "-", "failed", "importing acme_bad_plugin failed: it called sys.exit(0)"]
    ]
    assert done.stderr == ""


def test_switched_off(site):
    site.add("acme-bad", "raise AssertionError")
    for found in (rows(site, "--no-plugins"), rows(site, DICOMWRIGHT_DISABLE_PLUGINS="1")):
        assert found["acme-bad"]["status"] == "disabled"
        assert found["dicomwright"]["status"] == "loaded"


def test_switched_off_for_the_whole_program(site):
    site.add("acme-bad", "raise AssertionError")
    group = click.Group(
        "dicomwright",
        {"plugins": plugins},
        params=[click.Option(["--no-plugins"], is_flag=True)],
        context_settings={"help_option_names": ["-h", "--help"]},  # click keeps what it sees first
    )
    found = json.loads(CliRunner().invoke(group, ["--no-plugins", "plugins", "--json"]).stdout)
    assert {row["distribution"]: row["status"] for row in found}["acme-bad"] == "disabled"


def test_slip_in_the_environment_is_told(site):
    done = site.run(RUN.format([]), DICOMWRIGHT_DISABLE_PLUGINS="acme-nobody")
    assert done.stderr == (
        'dicomwright: warning: cannot switch off plug-in "acme-nobody": there is none of that name\n'
    )


def test_debug_shows_the_traceback_on_stderr(site):
    site.add("acme-bad", "raise ValueError('here')")
    done = site.run(RUN.format(["--json", "--debug"]))
    assert json.loads(done.stdout)
    assert "bad (acme-bad 1.0):\nTraceback (most recent call last):" in done.stderr
    assert "Traceback" not in site.run(RUN.format([])).stderr


@pytest.mark.parametrize(
    "code",
    [
        "import dicomwright.plugins, dicomwright.plugins.selection, dicomwright.plugins.options",
        "from dicomwright.plugins import load; load()",
        RUN.format(["--json"]).replace("plugins([", "plugins(standalone_mode=False, args=["),
    ],
)
def test_listing_is_light(site, code):
    site.good("acme-tomo")
    done = site.run(f"{code}\nimport sys; print('heavy:', [m for m in {HEAVY} if m in sys.modules])")
    assert done.stdout.endswith("heavy: []\n"), done.stderr


def test_start_is_not_spent_on_parsers(site):
    site.add("acme-tomo", site.reader("acme-tomo"), requires=("dicomwright>=0.0.1,<900", "numpy>=1"))
    slow = "{'email.parser', 'packaging', 'logging', 'traceback'}"
    done = site.run(
        f"from dicomwright.plugins import load; load(); import sys; print({slow} & set(sys.modules))"
    )
    assert (done.stdout, done.stderr) == ("set()\n", "")


def test_metadata_are_read_only_when_asked_for(site):
    done = site.run("import sys, dicomwright.plugins; print('importlib_metadata' in sys.modules)")
    assert (done.stdout, done.stderr) == ("False\n", "")
