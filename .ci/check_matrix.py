"""Say whether a run of the matrix was complete.

    python check_matrix.py EXPECTED REPORT PYTHON...

EXPECTED is what ``nox --list --json -t matrix`` printed, REPORT what ``nox -s matrix --report`` wrote; the
rest are the Pythons that this machine has, such as ``3.12``. Each expected session that needs one of them, or
none in particular, must have succeeded. The last line counts the sessions.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any


def incomplete(expected: list[dict[str, Any]], ran: list[dict[str, Any]], pythons: list[str]) -> list[str]:
    """Return what keeps the run from being complete, in plain words."""
    results = {signature: session["result"] for session in ran for signature in session["signatures"]}
    wanted = [entry["session"] for entry in expected if entry["python"] in {None, *pythons}]
    missing = [
        f"{name}: {results.get(name, 'did not run')}" for name in wanted if results.get(name) != "success"
    ]
    tested = {entry["python"] for entry in expected}
    return missing + [f"no session uses Python {python}" for python in pythons if python not in tested]


def main(expected: str, report: str, *pythons: str) -> int:
    """Print what is missing and the count; return the exit code."""
    ran = json.loads(Path(report).read_text(encoding="utf-8"))["sessions"]
    complaints = incomplete(json.loads(Path(expected).read_text(encoding="utf-8")), ran, list(pythons))
    for complaint in complaints:
        print(f"matrix: {complaint}", file=sys.stderr)
    passed = sum(session["result"] == "success" for session in ran)
    skipped = sum(session["result"] == "skipped" for session in ran)
    failed = max(len(complaints), len(ran) - passed - skipped)
    print(f"sessions: {passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
