"""The instant of a build, asked once and the same for every element of a series."""

from __future__ import annotations

import datetime as dt
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["build_instant", "frozen_instant"]

_instant: ContextVar[tuple[dt.datetime | None] | None] = ContextVar("dicomwright_instant", default=None)


def build_instant() -> dt.datetime | None:
    """Return the instant that dates of this build are taken from; None if a reproducible build knows none."""
    held = _instant.get()
    return dt.datetime.now().astimezone() if held is None else held[0]


@contextmanager
def frozen_instant(instant: dt.datetime | None) -> Iterator[None]:
    """Hold one instant for everything that is produced inside the block."""
    token = _instant.set((instant,))
    try:
        yield
    finally:
        _instant.reset(token)
