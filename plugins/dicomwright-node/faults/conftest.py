"""Trials that take minutes: load, kills, full disks. ``nox -s faults`` runs them, nothing else does."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

collect_ignore_glob = [] if os.environ.get("DICOMWRIGHT_FAULTS") == "1" else ["test_*.py"]


@pytest.fixture
def figure():
    """Return `figure(name, **values)`: print what was measured, and add it to the file of figures if one is named."""

    def tell(name: str, **values: Any) -> None:
        line = json.dumps({"figure": name, **values})
        print(f"\n{line}")
        if os.environ.get("DICOMWRIGHT_FIGURES"):
            with Path(os.environ["DICOMWRIGHT_FIGURES"]).open("a", encoding="utf-8") as file:
                file.write(line + "\n")

    return tell
