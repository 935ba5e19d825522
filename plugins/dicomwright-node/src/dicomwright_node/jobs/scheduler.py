"""The threads that move jobs on."""

from __future__ import annotations

import logging
import os
import threading
import time
from typing import TYPE_CHECKING, Any

from dicomwright.plugins import default
from dicomwright_node.jobs.collecting import Collector, name_of
from dicomwright_node.jobs.running import Runner
from dicomwright_node.jobs.sending import Courier
from dicomwright_node.store import jobs

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dicomwright_node.config import NodeConfig
    from dicomwright_node.pipeline import AbstractPipeline
    from dicomwright_node.store import Store

__all__ = ["Scheduler"]

_log = logging.getLogger("dicomwright_node.jobs")
_POLL = 0.5
_BATCH = 0.2
_AFTER_ERROR = 2.0
_UNDELIVERED = """
SELECT id FROM jobs WHERE state = 'processed' AND NOT EXISTS (SELECT 1 FROM deliveries WHERE job_id = jobs.id)
"""


class Scheduler:
    """Assigns instances, asks inputs, runs jobs and delivers outputs, each in threads of its own.

    Parameters
    ----------
    store : Store
        The node's, after `dicomwright_node.store.upkeep.recover`.
    pipeline : type of AbstractPipeline
        What is done.
    config : NodeConfig
        ``[jobs]`` and ``[delivery]``.

    """

    def __init__(self, store: Store, pipeline: type[AbstractPipeline], config: NodeConfig) -> None:
        self._store = store
        self._config = config
        self._bell = threading.Condition()
        self._rung = 0
        self._stop = threading.Event()
        self._kill = threading.Event()
        self._running: set[Any] = set()
        self._executor: type[Any] = default().registry("executor").resolve(config.jobs.executor)
        self.pipeline = name_of(pipeline)
        collector = Collector(store, pipeline, config.jobs, self._call, self._kill.is_set)
        runner = Runner(store, pipeline, config.jobs, self._call, self._kill.is_set)
        courier = Courier(store, config.delivery, self._stop)
        steps: dict[str, Callable[[], bool]] = {
            "assign": lambda: collector.assign() or collector.expire(),
            "settle": collector.settle,
        }
        for number in range(config.jobs.workers):
            owner = f"run-{number + 1}"
            steps[owner] = lambda owner=owner: runner.run(f"{os.getpid()}-{owner}")  # type: ignore[misc]
        for number in range(config.delivery.workers):
            owner = f"send-{number + 1}"
            steps[owner] = lambda owner=owner: courier.run(f"{os.getpid()}-{owner}")  # type: ignore[misc]
        self._threads = [
            threading.Thread(target=self._loop, args=(name, step), name=f"node-{name}", daemon=True)
            for name, step in steps.items()
        ]

    def start(self) -> None:
        """Start all threads."""
        for row in self._store.database.read(_UNDELIVERED):  # a crash came between the two
            jobs.move(self._store.database, row["id"], "processed", "done")
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        """Look at once for something to do."""
        with self._bell:
            self._rung += 1
            self._bell.notify_all()

    def stop(self, seconds: float) -> None:
        """Begin nothing more; end within some seconds. What is cut short goes on at the next start."""
        self._stop.set()
        self.wake()
        deadline = time.monotonic() + seconds
        for thread in self._threads:
            if thread.is_alive():
                thread.join(max(0.0, deadline - time.monotonic()))
        self._kill.set()
        for executor in list(self._running):
            cancel = getattr(executor, "cancel", None)
            if cancel is not None:
                cancel()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(5.0)

    @property
    def healthy(self) -> bool:
        """Whether all threads work."""
        return not self._stop.is_set() and all(thread.is_alive() for thread in self._threads)

    @property
    def running(self) -> int:
        """How many functions run at the moment."""
        return len(self._running)

    def _call(
        self, function: Callable[..., Any], arguments: Sequence[Any], most: float = 0
    ) -> tuple[Any, str]:
        """Call a function in a process of its own; return what it returns, and the end of what it printed."""
        executor = self._executor()
        self._running.add(executor)
        try:
            settings = self._config.jobs
            value = executor.run(
                function,
                arguments,
                seconds=most or settings.seconds or None,
                memory=settings.memory_of_one,
            )
            return value, str(getattr(executor, "output", ""))
        finally:
            self._running.discard(executor)

    def _loop(self, name: str, step: Callable[[], bool]) -> None:
        """Take one step after the other; wait for the bell when there is nothing to do."""
        while not self._stop.is_set():
            rung = self._rung
            try:
                busy = step()
            except Exception:  # noqa: BLE001  # a full disk, say: the thread goes on when there is room again
                _log.exception(
                    "a step failed and is tried again", extra={"event": "step-failed", "step": name}
                )
                self._stop.wait(_AFTER_ERROR)
                continue
            if busy:
                self.wake()  # another thread may go on with it
                self._stop.wait(_BATCH if name == "assign" else 0)  # so that instances come in larger groups
                continue
            with self._bell:
                if self._rung == rung and not self._stop.is_set():
                    self._bell.wait(_POLL)
