"""CI fails when a part of the matrix did not run."""

from __future__ import annotations

import runpy

import pytest

from workbench.fixtures import ROOT

incomplete = runpy.run_path(str(ROOT / ".ci" / "check_matrix.py"))["incomplete"]
EXPECTED = [
    {"session": "unit-3.11(core)", "python": "3.11"},
    {"session": "unit-3.12(core)", "python": "3.12"},
    {"session": "built", "python": None},
]


def ran(**results):
    names = {"old": "unit-3.11(core)", "new": "unit-3.12(core)", "built": "built"}
    return [{"signatures": [names[key]], "result": result} for key, result in results.items()]


@pytest.mark.parametrize(
    ("results", "pythons", "complaints"),
    [
        ({"old": "success", "new": "success", "built": "success"}, ["3.11", "3.12"], []),
        ({"old": "success", "new": "skipped", "built": "success"}, ["3.11"], []),
        (
            {"old": "success", "new": "skipped", "built": "success"},
            ["3.11", "3.12"],
            ["unit-3.12(core): skipped"],
        ),
        (
            {"old": "success", "new": "failed", "built": "success"},
            ["3.11", "3.12"],
            ["unit-3.12(core): failed"],
        ),
        ({"old": "success", "built": "success"}, ["3.11", "3.12"], ["unit-3.12(core): did not run"]),
        ({"old": "success"}, ["3.11"], ["built: did not run"]),
        ({"old": "success", "built": "success"}, ["3.11", "3.13"], ["no session uses Python 3.13"]),
    ],
)
def test_what_did_not_run_is_named(results, pythons, complaints):
    assert incomplete(EXPECTED, ran(**results), pythons) == complaints
