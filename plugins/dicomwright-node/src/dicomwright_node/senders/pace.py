"""Read a file no faster than it is sent; the library would take all of it into memory."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pynetdicom.association import Association

__all__ = ["paced"]

#: Pieces that wait to be sent; most peers want 16 kB in each.
_AHEAD = 64
_MOMENT = 0.001


@contextlib.contextmanager
def paced(association: Association, seconds: float) -> Iterator[None]:
    """Hold back what is sent over an association while much of it waits, for so many seconds in all."""
    provider: Any = association.dul
    send, end = provider.send_pdu, time.monotonic() + seconds

    def slowly(piece: Any) -> None:
        while provider.to_provider_queue.qsize() > _AHEAD and provider.is_alive() and time.monotonic() < end:
            time.sleep(_MOMENT)
        send(piece)

    provider.send_pdu = slowly
    try:
        yield
    finally:
        del provider.send_pdu
