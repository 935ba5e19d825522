"""``dicomwright node serve``: receive, process and send until stopped."""

from __future__ import annotations

import gc
import logging
import signal
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable

    from dicomwright_node.stopping import Stop

__all__ = ["serve"]

_GARBAGE = (10_000, 20, 20)  # of a process that lives long; a command that ends soon hardly collects


@click.command(short_help="Receive, process and send until stopped.")
@click.argument("pipeline", metavar="MODULE:CLASS")
@click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The configuration, node.toml; without it, everything has its default.",
)
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def serve(pipeline: str, config_file: Path | None, **_: Any) -> None:
    """Receive series, run a pipeline on them, and send the result on, until stopped.

    SIGTERM or Ctrl-C ends it in good order: associations, requests and jobs may go on for a while. A second one
    ends it at once; nothing that was acknowledged is lost.

    \b
    dicomwright node serve my_node:MyPipeline --config node.toml
    """  # noqa: D301  # a real backspace: it keeps the lines below it apart in the help
    from dicomwright.errors import DicomwrightError
    from dicomwright_node import logs
    from dicomwright_node.config import NodeConfig, load
    from dicomwright_node.pipeline import load as load_pipeline
    from dicomwright_node.serve import run
    from dicomwright_node.stopping import Stop

    gc.freeze()
    gc.set_threshold(*_GARBAGE)
    stop = Stop()
    listen = _stop_by_signal(stop)
    config = NodeConfig() if config_file is None else load(config_file)
    chosen = load_pipeline(pipeline)
    listen()  # again: modules that the user's imports may have their own mind
    logging.getLogger().handlers.clear()  # of the user's module: they tell all once more, and as text
    try:
        logs.start(config.logging)
    except OSError as error:
        message = f"[logging] file {config.logging.file} cannot be written ({error.strerror})"
        raise DicomwrightError(message, hint="give a file in a folder that is there") from error
    try:
        run(chosen, config, stop)
    except sqlite3.Error as error:
        message = f"{config.node.folder}: the node's database cannot be used: {error}"
        raise DicomwrightError(message, hint="is the disk full, or node.db damaged?") from error


def _stop_by_signal(stop: Stop) -> Callable[[], None]:
    """Let the first signal set the event; a second one does what it did before. Return what says so again."""
    before: dict[int, Any] = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def first(number: int, _frame: object) -> None:
        stop.set()
        signal.signal(number, before.pop(number))

    def listen() -> None:
        for number in list(before):
            signal.signal(number, first)

    listen()
    return listen
