"""Readers, good and wrong, each by the name of its class in small letters."""

from __future__ import annotations

from dicomwright.plugins import ReaderSpec, hookimpl

NAMES = [
    "Good", "Undocumented", "WithoutExample", "NoReader", "Shy", "GivesArray", "WritesBeside", "Transposed",
    "Raises", "RaisesOther", "TwoLines", "TakesAll", "LeavesFiles", "Careless", "Chance", "Shared", "Process",
    "Network", "Writes", "Threads", "Greedy", "Temporary", "LooksUp", "Database", "MakesFolder", "Leaves", "Stateful",
    "ByUser",
]  # fmt: skip


@hookimpl
def dicomwright_readers():
    for name in NAMES:
        spec = {"name": name.lower(), "summary": "ACME volumes", "target": f"acme_readers:{name}"}
        yield ReaderSpec(**spec, extensions=(f".{name.lower()}",))
    yield ReaderSpec(name="nowhere", summary="ACME volumes", target="acme_readers:Good")
    yield ReaderSpec(name="terse", summary="terse", target="acme_readers:Good", extensions=(".terse",))
