"""One contender in a process of its own: loads its input once, then builds when it is told to.

Reads commands from standard input, one a line, answers with one line of JSON each: ``time OUT`` builds into a
folder and gives seconds, of the clock and of the processor; ``memory OUT`` gives by how many bytes anonymous memory
grew at most.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from contenders import MAKERS

if TYPE_CHECKING:
    from collections.abc import Callable


def anonymous_bytes() -> int:
    """Return the anonymous memory of this process: pages of mapped files are the system's."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("RssAnon"):
            return int(line.split()[1]) * 1024
    return 0


def growth(task: Callable[[], None]) -> int:
    """Return by how much memory grows at most while a task runs, looked at every 2 ms."""
    before, peak, stop = anonymous_bytes(), 0, threading.Event()

    def watch() -> None:
        nonlocal peak
        while not stop.wait(0.002):
            peak = max(peak, anonymous_bytes())

    watcher = threading.Thread(target=watch)
    watcher.start()
    task()
    stop.set()
    watcher.join()
    return max(0, peak - before)


def main() -> None:
    """Serve until standard input ends."""
    name, work, folder = sys.argv[1:]
    build = MAKERS[name](work, Path(folder))
    print("[]", flush=True)
    for line in sys.stdin:
        command, out = line.split()
        if command == "memory":
            answer = [growth(lambda out=out: build(Path(out)))]  # type: ignore[misc]
        else:
            start = time.perf_counter(), time.process_time()
            build(Path(out))
            answer = [time.perf_counter() - start[0], time.process_time() - start[1]]
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
