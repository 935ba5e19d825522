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
        """Begin; if there are too many, the one that has been silent for longest makes room."""
        super().connection_made(transport)
        self.since = self.loop.time()
        self.loop.call_later(_SECONDS, self._look, self.last_request())
        everybody = cast("set[BoundedConnection]", self.connections)
        active = [one for one in everybody if not one.transport.is_closing()]
        if len(active) > _MOST:
            silent = [one for one in active if one.last_request()[1]]  # this one at least
            min(silent, key=lambda one: one.since).transport.abort()

    def last_request(self) -> tuple[object, bool]:
        """Return the last request, and whether the next one is awaited."""
        cycle = cast("RequestResponseCycle | None", self.cycle)
        return cycle, cycle is None or cycle.response_complete

    def _look(self, before: tuple[object, bool]) -> None:
        """Close the connection if nothing but waiting happened since the look before."""
        if self.transport.is_closing():
            return
        now = self.last_request()
        if now == before and now[1]:
            self.transport.abort()
        else:
            self.loop.call_later(_SECONDS, self._look, now)
