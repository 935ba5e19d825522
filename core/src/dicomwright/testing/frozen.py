"""A clock that stands still and UIDs that are the same in every run."""

from __future__ import annotations

import datetime as dt
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dicomwright.clock import frozen_instant
from dicomwright.uids import keyed

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["INSTANT", "frozen_clock", "frozen_uids"]

#: When the clock stands still.
INSTANT = dt.datetime(2024, 3, 5, 10, 11, 12, tzinfo=dt.UTC)

_EPOCH = "SOURCE_DATE_EPOCH"


@contextmanager
def frozen_clock(instant: dt.datetime = INSTANT) -> Iterator[dt.datetime]:
    """Have all builds take dates from one instant, those of the command line in child processes, too.

    Examples
    --------
    >>> from dicomwright.bundles.functions import today
    >>> with frozen_clock():
    ...     print(today())
    2024-03-05

    """
    before = os.environ.get(_EPOCH)
    os.environ[_EPOCH] = str(int(instant.timestamp()))
    try:
        with frozen_instant(instant):
            yield instant
    finally:
        if before is None:
            del os.environ[_EPOCH]
        else:
            os.environ[_EPOCH] = before


@contextmanager
def frozen_uids(key: bytes = b"dicomwright.testing") -> Iterator[None]:
    """Have the UIDs of this process follow from a key and their order.

    Examples
    --------
    >>> from dicomwright import gen_uid
    >>> with frozen_uids():
    ...     first = gen_uid()
    >>> with frozen_uids():
    ...     first == gen_uid()
    True

    """
    with keyed(key):
        yield
