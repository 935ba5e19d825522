"""Figures for Prometheus, in its text format."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dicomwright_node.receive.answers import Outcome
from dicomwright_node.store import deliveries, instances, jobs, upkeep
from dicomwright_node.store.records import NEXT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from dicomwright_node.jobs import Scheduler
    from dicomwright_node.store import Store

__all__ = ["metrics_text"]

_SECONDS = """
SELECT COUNT(*) AS number, COALESCE(SUM(json_extract(note, '$.seconds')), 0) AS seconds FROM jobs
WHERE json_extract(note, '$.seconds') IS NOT NULL
"""
_OLDEST = "SELECT COALESCE(strftime('%s', 'now') - MIN(updated_at), 0) AS age FROM jobs WHERE state = 'ready'"


def metrics_text(store: Store, scheduler: Scheduler, received: Mapping[str, int]) -> str:
    """Return the node's figures, with the counts of `Intake`; none of them is about a patient."""
    database = store.database
    (work,) = database.read(_SECONDS)
    (oldest,) = database.read(_OLDEST)
    lines = [
        *_states("jobs", "Jobs by state.", jobs.count(database), NEXT),
        *_states(
            "instances",
            "Received instances by state.",
            instances.count(database),
            ("received", "assigned", "unwanted"),
        ),
        *_states(
            "deliveries",
            "Deliveries by state.",
            deliveries.count(database),
            ("pending", "sending", "sent", "failed"),
        ),
        *_one("jobs_running", "Functions that run now.", scheduler.running),
        *_one("oldest_ready_seconds", "How long the oldest ready job has waited.", max(0.0, oldest["age"])),
        *_one("job_seconds_count", "Jobs whose function returned and that are kept.", work["number"]),
        *_one("job_seconds_sum", "Seconds that they took.", work["seconds"]),
        *_one("stored_bytes", "Bytes of instances and outputs.", upkeep.used_bytes(database)),
        *_one("disk_free_bytes", "Free bytes of the disk.", store.files.free()),
        *_received(received),
        *_one("healthy", "1 if all threads work.", int(scheduler.healthy)),
    ]
    return "\n".join(lines) + "\n"


def _states(name: str, text: str, counts: Mapping[str, int], states: Iterable[str]) -> Iterator[str]:
    """Yield the lines of a gauge with a label for the state; states without anything are 0."""
    yield from _head(name, text)
    for state in states:
        yield f'dicomwright_node_{name}{{state="{state}"}} {counts.get(state, 0)}'


def _received(counts: Mapping[str, int]) -> Iterator[str]:
    """Yield the counters of what came since the start, by what became of it."""
    yield from _head("received_total", "Instances that came since the start, by their answer.", "counter")
    for outcome in Outcome:
        yield f'dicomwright_node_received_total{{answer="{outcome.label}"}} {counts.get(outcome.label, 0)}'
    yield from _head("received_bytes_total", "Their bytes.", "counter")
    yield f"dicomwright_node_received_bytes_total {counts.get('bytes', 0)}"


def _one(name: str, text: str, value: float) -> Iterator[str]:
    yield from _head(name, text)
    yield f"dicomwright_node_{name} {value}"


def _head(name: str, text: str, kind: str = "gauge") -> Iterator[str]:
    yield f"# HELP dicomwright_node_{name} {text}"
    yield f"# TYPE dicomwright_node_{name} {kind}"
