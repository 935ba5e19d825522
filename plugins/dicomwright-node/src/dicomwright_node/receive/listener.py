"""Accepts connections of senders, each served by a thread, a bounded number at once."""

from __future__ import annotations

import logging
import os
import socket
import time
from contextlib import suppress
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING

from dicomwright.errors import DicomwrightError
from dicomwright_node.receive.association import Association
from dicomwright_node.receive.wire import shut

if TYPE_CHECKING:
    import ssl

    from dicomwright_node.receive.association import Timeouts
    from dicomwright_node.receive.intake import Intake
    from dicomwright_node.receive.negotiation import Policy

__all__ = ["ListenError", "Listener", "listening"]

_log = logging.getLogger("dicomwright_node.receive")
_BACKLOG = 128
_REJECTED_AT_ONCE = 20
_STEP = 0.05


class ListenError(DicomwrightError):
    """The node cannot listen."""


def listening(address: tuple[str, int], section: str) -> socket.socket:
    """Return a socket that listens.

    Raises
    ------
    ListenError
        The address is not to be had.

    """
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    try:
        return socket.create_server(address, family=family, backlog=_BACKLOG)
    except (OSError, UnicodeError) as error:
        number = getattr(error, "errno", None)
        reason = os.strerror(number) if number and number > 0 else "no such host"
        message = f"the node cannot listen on {address[0]}:{address[1]} ({reason})"
        raise ListenError(message, hint=f"give another host or port in {section} of node.toml") from error


class Listener:
    """A C-STORE and C-ECHO provider.

    Parameters
    ----------
    address : (str, int)
        Where to listen.
    intake : Intake
        Where instances go.
    policy : Policy
        What is accepted.
    timeouts : Timeouts
        How long to wait.
    most : int
        How many associations at once. A few more are rejected politely, and the rest closed.
    tls : SSLContext, optional
        With it, only TLS is spoken.

    """

    def __init__(
        self,
        address: tuple[str, int],
        intake: Intake,
        policy: Policy,
        timeouts: Timeouts,
        most: int,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._address = address
        self._intake = intake
        self._policy = policy
        self._timeouts = timeouts
        self._most = most
        self._tls = tls
        self._lock = Lock()
        self._open: set[socket.socket] = set()
        self._stopping = Event()

    def start(self) -> int:
        """Listen; return the port.

        Raises
        ------
        ListenError
            The address is not to be had.

        """
        self._socket = listening(self._address, "[dimse]")
        self._thread = Thread(target=self._accept, name="listener", daemon=True)
        self._thread.start()
        port: int = self._socket.getsockname()[1]
        return port

    def stop(self, seconds: float) -> None:
        """Accept nothing more; let associations end by themselves for a time, then abort them."""
        self._stopping.set()
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()
        end = time.monotonic() + seconds
        while self.associations() and time.monotonic() < end:
            time.sleep(_STEP)
        self._break_off()
        while self.associations() and time.monotonic() < end + 5:
            time.sleep(_STEP)

    def associations(self) -> int:
        """Return how many there are now."""
        with self._lock:
            return len(self._open)

    def _break_off(self) -> None:
        """Let every association that is left find its connection closed."""
        with self._lock:
            for connection in self._open:
                shut(connection)

    def _accept(self) -> None:
        """Accept until stopped."""
        while not self._stopping.is_set():
            try:
                connection, address = self._socket.accept()
            except OSError as error:
                if self._stopping.is_set():
                    return
                _log.warning("no connection could be accepted: %s", error, extra={"event": "accept-failed"})
                time.sleep(_STEP)  # out of file descriptors: others end meanwhile
                continue
            self._begin(connection, str(address[0]))

    def _begin(self, connection: socket.socket, peer: str) -> None:
        """Serve a connection in a thread of its own."""
        with self._lock:
            number = len(self._open)
            if number >= self._most + _REJECTED_AT_ONCE:
                connection.close()
                return
            self._open.add(connection)
        busy = number >= self._most
        Thread(
            target=self._serve, args=(connection, peer, busy), name=f"association {peer}", daemon=True
        ).start()

    def _serve(self, connection: socket.socket, peer: str, busy: bool) -> None:  # a thread's target
        """Serve one connection to its end."""
        used = connection
        try:
            connection.settimeout(self._timeouts.request)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            used = self._speak_tls(connection)
            Association(used, peer, self._intake, self._policy, self._timeouts).serve(busy=busy)
        except OSError as error:  # TLS errors are such, too
            _log.warning("no TLS: %s", error, extra={"event": "tls-failed", "peer": peer})
        finally:
            used.close()
            with self._lock:
                self._open.discard(used)

    def _speak_tls(self, connection: socket.socket) -> socket.socket:
        """Return the TLS socket that takes the place of a plain one."""
        if self._tls is None:
            return connection
        wrapped = self._tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        with self._lock:
            self._open.discard(connection)
            self._open.add(wrapped)
        try:
            wrapped.do_handshake()
        except OSError:
            wrapped.close()
            with self._lock:
                self._open.discard(wrapped)
            raise
        return wrapped
