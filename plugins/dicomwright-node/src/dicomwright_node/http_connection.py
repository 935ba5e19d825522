"""An HTTP connection that has an end: a request must come in time, and there are so many connections at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    from asyncio import Transport

    from uvicorn.protocols.http.h11_impl import RequestResponseCycle

__all__ = ["BoundedConnection"]

_SECONDS = 30.0  # for the head of a request, also byte by byte
_MOST = 256


class BoundedConnection(H11Protocol):
    """Speaks HTTP; what comes with the head of a request, its body, has ends of its own where it is read."""

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]  # as in the base
        """Begin, unless there are too many."""
        super().connection_made(transport)
        if len(self.connections) > _MOST:
            transport.abort()
        else:
            self.loop.call_later(_SECONDS, self._look, self._state())

    def _state(self) -> tuple[object, bool]:
        """Return the last request, and whether the next one is awaited."""
        cycle = cast("RequestResponseCycle | None", self.cycle)
        return cycle, cycle is None or cycle.response_complete

    def _look(self, before: tuple[object, bool]) -> None:
        """Close the connection if nothing but waiting happened since the look before."""
        if self.transport.is_closing():
            return
        now = self._state()
        if now == before and now[1]:
            self.transport.abort()
        else:
            self.loop.call_later(_SECONDS, self._look, now)
