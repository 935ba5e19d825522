"""Good plug-ins pass each battery, and each test of a battery fails for a plug-in that is wrong in that way."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

ACME = Path(__file__).parent / "acme"
_SPEC = importlib.util.spec_from_file_location("acme_battery", ACME / "battery.py")
battery = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(battery)
INHERITED_BY_GOOD = {
    "test_works_in_threads",
    "test_works_in_another_process",
    "test_asks_nothing_of_the_network",
}


def run(folder, *tests):
    """Run tests of the battery in a process of its own; return ``{(class, test): message or None}``."""
    shutil.copytree(ACME, folder, dirs_exist_ok=True)
    info = folder / "acme_unbounded-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: acme-unbounded\nVersion: 1.0\nRequires-Dist: dicomwright\n"
    )
    (info / "entry_points.txt").write_text("[dicomwright]\nunbounded = acme_unbounded\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", folder,
         "--confcutdir", folder,
         "-W", "error", "--junitxml", folder / "report.xml", *tests],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert (folder / "report.xml").is_file(), done.stdout + done.stderr
    found = {}
    for case in ET.parse(folder / "report.xml").iter("testcase"):
        failure = case.find("failure") if case.find("failure") is not None else case.find("error")
        place = (case.get("classname").rpartition(".Test")[2], case.get("name"))
        found[place] = None if failure is None else failure.get("message") + (failure.text or "")
    return found


def test_wrong_plugins_fail(tmp_path):
    """One run for all of them: each worker of the test run would start its own."""
    names = dict.fromkeys(f"battery.py::Test{one}::{test}" for one, test, _ in battery.WRONG)
    found = run(tmp_path / "acme", *names)
    missed = {
        (one, test): found[one, test]
        for one, test, message in battery.WRONG
        if found[one, test] is None or message not in found[one, test]
    }
    assert missed == {}
    assert len(found) == len(names)


def test_good_plugins_pass(tmp_path):
    found = run(tmp_path / "acme", *(f"battery.py::{name}" for name in battery.GOOD))
    assert {place: message for place, message in found.items() if message is not None} == {}
    assert {f"Test{one}" for one, _ in found} == {*battery.GOOD}
    assert len(found) >= 11 * len(battery.GOOD)


def test_each_test_of_each_battery_can_fail():
    bases = (*battery.BAD, battery.Reader)
    tests = {name for base in bases for name in dir(base) if name.startswith("test_")}
    assert tests - {test for _, test, _ in battery.WRONG} == set()
