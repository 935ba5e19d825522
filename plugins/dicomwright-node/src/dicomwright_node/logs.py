"""Structured logs: one JSON object a line, without patient data unless that is asked for."""

from __future__ import annotations

import json
import logging
import os
import sys
import traceback
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import TracebackType

    from dicomwright_node.config import LoggingConfig

__all__ = ["JsonFormatter", "start"]

_OURS = ("dicomwright_node", "dicomwright")
_USUAL = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonFormatter(logging.Formatter):
    """Formats a record as JSON.

    What stands under ``extra={"phi": {...}}`` is patient data. It, the texts of exceptions and what other libraries
    say are left out unless `phi`: such texts may quote values.

    Examples
    --------
    >>> record = logging.makeLogRecord({"name": "dicomwright_node", "levelname": "INFO", "msg": "ready", "port": 104})
    >>> line = json.loads(JsonFormatter(phi=False).format(record))
    >>> line["message"], line["port"]
    ('ready', 104)

    """

    def __init__(self, *, phi: bool) -> None:
        super().__init__()
        self._phi = phi

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        ours = record.name.split(".", maxsplit=1)[0] in _OURS
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage()
            if ours or self._phi
            else f"{record.name} has a message (log_phi shows it)",
        }
        extra = {name: value for name, value in vars(record).items() if name not in _USUAL}
        phi = extra.pop("phi", None)
        line |= extra
        if self._phi and phi:
            line |= phi
        if record.exc_info and record.exc_info[0] is not None:
            line |= self._exception(*record.exc_info)
        return json.dumps(line, default=str)

    def _exception(
        self, kind: type[BaseException], error: BaseException | None, trace: TracebackType | None
    ) -> dict[str, Any]:
        """Return what is said of an exception: where it came from, and its text only with patient data."""
        told = {"exception": kind.__name__, "traceback": "".join(traceback.format_tb(trace))}
        return told | ({"exception_message": str(error)} if self._phi else {})


def start(config: LoggingConfig) -> logging.Handler:
    """Send everything that is logged in this process where the configuration says; return the handler.

    Raises
    ------
    OSError
        The file cannot be opened.

    """
    handler: logging.Handler
    if config.file is None:
        handler = logging.StreamHandler(sys.stderr)
    else:
        os.close(os.open(config.file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))
        handler = logging.FileHandler(config.file, encoding="utf-8")
    handler.setFormatter(JsonFormatter(phi=config.log_phi))
    logging.captureWarnings(True)  # noqa: FBT003  # its only parameter
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    logging.getLogger("dicomwright_node").setLevel(config.level.upper())
    return handler
