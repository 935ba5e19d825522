"""Write to the database until it is written: a full disk must not leave a job half told."""

from __future__ import annotations

import logging
import sqlite3
import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["insist"]

_log = logging.getLogger("dicomwright_node.jobs")
_WAIT = 1.0
_Result = TypeVar("_Result")


def insist(write: Callable[[], _Result], stopping: Callable[[], bool]) -> _Result:
    """Return what a write returns; try it again while the database cannot be written.

    Examples
    --------
    >>> insist(lambda: 3, lambda: False)
    3

    Raises
    ------
    sqlite3.OperationalError
        It cannot be written, and the node stops: at the next start the job is where it was.

    """
    while True:
        try:
            return write()
        except sqlite3.OperationalError as error:
            if stopping():
                raise
            _log.error(
                "the database cannot be written", extra={"event": "database-error", "reason": str(error)}
            )
            time.sleep(_WAIT)
