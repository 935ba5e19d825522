"""Protocol data units on a socket (PS3.8 section 9.3): read exactly, never more than is there to hold."""

from __future__ import annotations

import socket
import time
from contextlib import suppress
from struct import Struct
from typing import TYPE_CHECKING, NamedTuple, cast

if TYPE_CHECKING:
    from io import BufferedReader

__all__ = ["ABORT", "ASSOCIATE_RQ", "DATA", "RELEASE_RQ", "PeerError", "Value", "Wire", "shut"]

ASSOCIATE_RQ, DATA, RELEASE_RQ, RELEASE_RP, ABORT = 0x01, 0x04, 0x05, 0x06, 0x07
_KNOWN = frozenset(range(ASSOCIATE_RQ, ABORT + 1))
_PDU = Struct(">BxL")
_VALUE = Struct(">LBB")
_BUFFER = 64 * 1024
_COMMAND, _LAST = 0x01, 0x02
_PROVIDER = 2
_PATIENCE = 1.0


def shut(connection: socket.socket) -> None:
    """Let whoever reads from a connection find it closed; TLS would forget its keys, and an answer go out in plain."""
    with suppress(OSError):
        socket.socket.shutdown(connection, socket.SHUT_RD)


class PeerError(Exception):
    """The other side left, is silent, or breaks the protocol.

    Attributes
    ----------
    reason : int or None
        Reason of the A-ABORT that tells it (PS3.8 section 9.3.8); None if there is nobody to tell.

    """

    def __init__(self, message: str, reason: int | None = None) -> None:
        super().__init__(message)
        self.reason = reason


class Value(NamedTuple):
    """The header of a presentation data value (PS3.8 section 9.3.5.1 and annex E)."""

    length: int
    context: int
    is_command: bool
    is_last: bool


class Wire:
    """One connection.

    Parameters
    ----------
    connection : socket
        Plain or TLS, with its timeout set.

    Attributes
    ----------
    heard : bool
        Whether anything came; who only looks whether a port is open says nothing.

    """

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self.heard = False
        self._file = cast("BufferedReader", connection.makefile("rb", buffering=_BUFFER))

    def head(self) -> tuple[int, int]:
        """Return type and length of the next PDU.

        Raises
        ------
        PeerError
            The other side left, is silent, or sends something else.

        """
        kind, length = _PDU.unpack(self.read(_PDU.size))
        if kind not in _KNOWN:
            raise PeerError("what came is no PDU", reason=1)
        return kind, length

    def value(self, room: int) -> Value:
        """Return the header of the next value of a PDU that has `room` bytes left.

        Raises
        ------
        PeerError
            It does not fit.

        """
        if room < _VALUE.size:
            raise PeerError("a data PDU ends within the header of a value", reason=6)
        length, context, control = _VALUE.unpack(self.read(_VALUE.size))
        if not 2 <= length <= room - 4 or control & ~(_COMMAND | _LAST):  # noqa: PLR2004  # context and control
            raise PeerError("a data PDU has a wrong value", reason=6)
        return Value(length - 2, context, bool(control & _COMMAND), bool(control & _LAST))

    def read(self, size: int) -> bytes:
        """Return exactly so many bytes; the caller has checked how many.

        Raises
        ------
        PeerError
            The other side left, or is silent.

        """
        try:
            data = self._file.read(size)
        except OSError as error:
            raise _lost(error) from error
        self.heard = self.heard or bool(data)
        if len(data) < size:
            raise PeerError("the connection was closed", reason=0)
        return data

    def read_some(self, buffer: memoryview) -> int:
        """Read what is there into a buffer, at least a byte; return how much.

        Raises
        ------
        PeerError
            The other side left, or is silent.

        """
        try:
            size = self._file.readinto1(buffer)
        except OSError as error:
            raise _lost(error) from error
        if not size:
            raise PeerError("the connection was closed", reason=0)
        return size

    def send(self, data: bytes) -> None:
        """Send bytes.

        Raises
        ------
        PeerError
            The other side left, or does not read.

        """
        try:
            self._socket.sendall(data)
        except OSError as error:
            raise PeerError(f"the connection broke ({error.strerror or error})") from error

    def send_values(self, context: int, command: bytes) -> None:
        """Send a command set, which is short, as one data PDU."""
        value = _VALUE.pack(len(command) + 2, context, _COMMAND | _LAST) + command
        self.send(_PDU.pack(DATA, len(value)) + value)

    def send_release(self) -> None:
        """Agree to the end of the association."""
        self.send(_PDU.pack(RELEASE_RP, 4) + bytes(4))

    def send_abort(self, reason: int) -> None:
        """End the association, as the service provider."""
        self.send(_PDU.pack(ABORT, 4) + bytes((0, 0, _PROVIDER, reason)))

    def shut(self) -> None:
        """Let whoever reads find the connection closed; from any thread."""
        shut(self._socket)

    def close(self) -> None:
        """Let the peer close the connection, as PS3.8 wants it (the ARTIM timer), or close it after a moment.

        Closing before the peer has read what was sent last may destroy it on its way.
        """
        end = time.monotonic() + _PATIENCE
        with suppress(OSError, ValueError):
            self._socket.settimeout(_PATIENCE)
            while time.monotonic() < end and self._socket.recv(_BUFFER):
                pass
        self._file.close()
        self._socket.close()


def _lost(error: OSError) -> PeerError:
    """Return the error for a read that failed."""
    if isinstance(error, TimeoutError):
        return PeerError("nothing came in time", reason=0)
    return PeerError(f"the connection broke ({error.strerror or error})")
