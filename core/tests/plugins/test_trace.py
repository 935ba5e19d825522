"""``--trace-plugins``: what is found, called and chosen, on standard error."""

from __future__ import annotations

import json
import re

import pytest

RUN = "from dicomwright.cli import main; main({})"


def lines(text):
    """Return the lines of the trace, times left out."""
    found = [line for line in text.splitlines() if line.startswith("dicomwright: trace: ")]
    return [re.sub(r" \([\d.]+ ms\)$", "", line.removeprefix("dicomwright: trace: ")) for line in found]


@pytest.mark.parametrize("way", ["option", "variable"])
def test_discovery(site, way):
    site.good("acme-tomo", extensions=(".tomo",))
    site.add("acme-bad", "raise ValueError('no')")
    site.add("acme-grab", site.reader("acme-grab", "tomo"))
    option = ["--trace-plugins"] if way == "option" else []
    variables = {"DICOMWRIGHT_TRACE_PLUGINS": "1"} if way == "variable" else {}
    done = site.run(RUN.format([*option, "plugins", "--json"]), **variables)
    assert json.loads(done.stdout)
    found = lines(done.stderr)
    assert "dicomwright_readers of acme-tomo:tomo gave 1" in found
    assert 'plug-in "tomo" of acme-tomo 1.0: loaded, reader' in found
    assert 'plug-in "bad" of acme-bad 1.0: failed: importing acme_bad_plugin failed: ValueError: no' in found
    assert (
        'plug-in "grab" of acme-grab 1.0: conflict: its reader "tomo" is not used: acme-tomo 1.0 claims the name, too'
        in found
    )
    assert re.search(r"loaded, reader \(\d+\.\d ms\)", done.stderr)


def test_choice_of_a_reader_and_what_is_imported(site, tmp_path):
    site.good("acme-one", extensions=(".tomo",))
    site.good("acme-two", extensions=(".tomo",), can_read="False")
    source = tmp_path / "a.tomo"
    source.write_bytes(b"x")
    code = f"""
from dicomwright.plugins import load
from dicomwright.plugins.selection import choose_reader
choose_reader({str(source)!r}, load())
"""
    found = lines(site.run(code, DICOMWRIGHT_TRACE_PLUGINS="1").stderr)
    assert found[-5:] == [
        f"source {source}: name and first bytes lead to one, two",
        "reader one of acme-one 1.0: acme_one_reader:Reader",
        "reader two of acme-two 1.0: acme_two_reader:Reader",
        f"source {source}: asked one, two; taken by 1; two: not one of its files",
        f'source {source}: reader "one" is chosen',
    ]


def test_the_hook_around_a_build(site):
    site.add("acme-w", "@hookimpl(wrapper=True)\ndef dicomwright_build(source): return (yield)")
    code = "from dicomwright.plugins import load; load().around_build(int, source=1, blueprint=2, parents=3)"
    found = lines(site.run(code, DICOMWRIGHT_TRACE_PLUGINS="1").stderr)
    assert found[-1] == "dicomwright_build: compiled, inside acme-w:w"


@pytest.mark.parametrize("value", ["", "0"])
def test_silent_unless_asked(site, value):
    done = site.run(RUN.format(["plugins"]), DICOMWRIGHT_TRACE_PLUGINS=value)
    assert done.stderr == ""
