"""One association, from its request to its end, in one thread."""

from __future__ import annotations

import logging
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from threading import Timer
from typing import TYPE_CHECKING

from dicomwright_node.receive import command as commands
from dicomwright_node.receive.answers import Answer, Outcome, RefusedError
from dicomwright_node.receive.facts import is_uid
from dicomwright_node.receive.intake import Announced, Origin
from dicomwright_node.receive.negotiation import BUSY, Request, accept, judge, reject_bytes
from dicomwright_node.receive.wire import ABORT, ASSOCIATE_RQ, DATA, RELEASE_RQ, PeerError, Wire

if TYPE_CHECKING:
    import socket

    from dicomwright_node.receive.command import Command
    from dicomwright_node.receive.intake import Incoming, Intake
    from dicomwright_node.receive.negotiation import Accepted, Policy, Rejected
    from dicomwright_node.receive.wire import Value

__all__ = ["Association", "Timeouts"]

_log = logging.getLogger("dicomwright_node.receive")
_LONGEST_REQUEST = 1024 * 1024
_LONGEST_COMMAND = 64 * 1024
_CHUNK = 256 * 1024
_ROOM_FOR_HEADERS = 64 * 1024  # what a PDU may have over what was announced: some senders count differently
_DRAINED = 64 * 2**20  # so much of a refused dataset is read, so that the refusal can be told
_UNRECOGNIZED = 0x0211


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long to wait, in seconds: for the request, and for anything after it."""

    request: float
    idle: float


class Association:
    """Serves one connection.

    Parameters
    ----------
    connection : socket
        Accepted, TLS already spoken.
    peer : str
        Its address.
    intake : Intake
        Where instances go.
    policy : Policy
        What is accepted.
    timeouts : Timeouts
        How long to wait.

    """

    def __init__(
        self, connection: socket.socket, peer: str, intake: Intake, policy: Policy, timeouts: Timeouts
    ) -> None:
        self._socket = connection
        self._wire = Wire(connection)
        self._intake = intake
        self._policy = policy
        self._timeouts = timeouts
        self._origin = Origin("dimse", "", "", peer)
        self._contexts: dict[int, Accepted] = {}
        self._buffer = memoryview(bytearray(_CHUNK))
        self._counts: Counter[str] = Counter()
        self._command = b""
        self._message: _Message | None = None

    def serve(self, *, busy: bool = False) -> None:
        """Serve until the end; never raises. `busy`: only say that there are too many."""
        started = time.monotonic()
        try:
            end = self._serve(self._request_in_time(), busy=busy)
        except PeerError as error:
            end = f"aborted: {error}"
            if error.reason is not None:
                with suppress(PeerError):
                    self._wire.send_abort(error.reason)
        except Exception:  # noqa: BLE001  # a fault of ours ends this association, not the node
            _log.exception("an association failed", extra={"event": "association-failed"})
            end = "failed"
            with suppress(PeerError):
                self._wire.send_abort(0)
        finally:
            if self._message is not None:
                self._message.discard()
            self._wire.close()
        self._tell(end, time.monotonic() - started)

    def _request_in_time(self) -> Request:
        """Read the association request; all of it must come in time, also byte by byte."""
        timer = Timer(self._timeouts.request, self._wire.shut)
        timer.daemon = True
        timer.start()
        try:
            return self._request()
        finally:
            timer.cancel()

    def _serve(self, request: Request, *, busy: bool) -> str:
        """Return how the association ended."""
        rejected = BUSY if busy else judge(request, self._policy)
        if rejected is not None:
            return self._reject(rejected)
        answer, self._contexts = accept(request, self._policy)
        self._wire.send(answer)
        self._socket.settimeout(self._timeouts.idle)
        while True:
            kind, length = self._wire.head()
            if kind == DATA:
                self._data(length)
            elif kind == RELEASE_RQ and length == 4:  # noqa: PLR2004  # PS3.8 section 9.3.6
                self._wire.read(length)
                self._wire.send_release()
                return "released"
            elif kind == ABORT:
                return "aborted by the peer"
            else:
                raise PeerError("an unexpected PDU came", reason=2)

    def _request(self) -> Request:
        """Read the association request."""
        self._socket.settimeout(self._timeouts.request)
        kind, length = self._wire.head()
        if kind != ASSOCIATE_RQ:
            raise PeerError("no association was requested", reason=2)
        if length > _LONGEST_REQUEST:
            raise PeerError("the association request is too long", reason=6)
        head = bytes((kind, 0)) + length.to_bytes(4, "big")
        try:
            request = Request.decode(head + self._wire.read(length))
        except ValueError as error:
            raise PeerError(str(error), reason=6) from error
        self._origin = Origin("dimse", request.calling, request.called, self._origin.peer)
        return request

    def _reject(self, rejected: Rejected) -> str:
        """Tell the peer why there is no association."""
        self._wire.send(reject_bytes(rejected))
        return f"rejected: {rejected.message}"

    def _data(self, room: int) -> None:
        """Take the values of one data PDU."""
        if room > self._policy.max_pdu + _ROOM_FOR_HEADERS:
            raise PeerError("a data PDU is longer than announced", reason=6)
        while room:
            value = self._wire.value(room)
            if value.context not in self._contexts:
                raise PeerError("a value is of no accepted presentation context", reason=6)
            if value.is_command:
                self._command_part(value)
            else:
                self._dataset_part(value)
            room -= value.length + 6

    def _command_part(self, value: Value) -> None:
        """Collect a command set, and act on a complete one."""
        if self._message is not None or len(self._command) + value.length > _LONGEST_COMMAND:
            raise PeerError("a command set is too long, or comes within a dataset", reason=6)
        self._command += self._wire.read(value.length)
        if not value.is_last:
            return
        data, self._command = self._command, b""
        try:
            command = commands.read_command(data)
        except ValueError as error:
            raise PeerError(str(error), reason=6) from error
        self._act(command, value.context)

    def _act(self, command: Command, context: int) -> None:
        """Answer a request, or begin to take its dataset."""
        if command.field == commands.C_STORE and command.dataset:
            self._message = _Message(command, context)
            self._message.begin(self._intake, self._origin, self._contexts[context])
        elif command.field == commands.C_CANCEL:
            return
        elif command.dataset:
            raise PeerError("a request came that nobody serves here", reason=6)
        else:
            is_echo = command.field == commands.C_ECHO
            self._counts["echo" if is_echo else "unrecognized"] += 1
            status = 0 if is_echo else _UNRECOGNIZED
            self._wire.send_values(context, commands.response(command, status))

    def _dataset_part(self, value: Value) -> None:
        """Stream a part of a dataset to the disk; answer after the last one."""
        message = self._message
        if message is None or message.context != value.context:
            raise PeerError("a dataset comes that was not announced", reason=6)
        left = value.length
        while left:
            size = self._wire.read_some(self._buffer[:left])
            message.take(self._buffer[:size])
            left -= size
        if value.is_last:
            self._message = None
            self._answer(message)

    def _answer(self, message: _Message) -> None:
        """Answer a C-STORE after its instance is on disk, or is not taken."""
        answer = message.finish()
        self._counts[answer.outcome.label] += 1
        self._intake.tell(answer, message.size)
        if answer.message:
            level = logging.INFO if answer.outcome is Outcome.SAME else logging.WARNING
            uid = message.command.sop_instance
            _log.log(level, "%s", answer.message, extra=self._where(answer.outcome, uid))
        self._wire.send_values(
            message.context, commands.response(message.command, answer.outcome.status, answer.message)
        )

    def _where(self, outcome: Outcome, uid: str) -> dict[str, str]:
        """Return what a line of the log says beside its text."""
        shown = uid if is_uid(uid) else "not a UID"
        return {
            "event": "instance",
            "outcome": outcome.label,
            "sop_instance_uid": shown,
            "peer": self._origin.peer,
        }

    def _tell(self, end: str, seconds: float) -> None:
        """Log how it went."""
        level = logging.INFO if end == "released" else logging.WARNING if self._wire.heard else logging.DEBUG
        extra = {
            "event": "association",
            "end": end,
            "calling": self._origin.calling,
            "called": self._origin.called,
            "peer": self._origin.peer,
            "seconds": round(seconds, 3),
            "counts": dict(self._counts),
        }
        _log.log(level, "association %s", end, extra=extra)


class _Message:
    """A C-STORE request whose dataset comes."""

    def __init__(self, command: Command, context: int) -> None:
        self.command = command
        self.context = context
        self.size = 0
        self._incoming: Incoming | None = None
        self._refused: Answer | None = None
        self._drained = 0

    def begin(self, intake: Intake, origin: Origin, context: Accepted) -> None:
        """Open a file, if there is room for it."""
        uids = (self.command.sop_class, self.command.sop_instance)
        if context.abstract_syntax != self.command.sop_class:
            self._refused = Answer(Outcome.MISMATCH, "the SOP class is not that of the presentation context")
        else:
            try:
                self._incoming = intake.begin(origin, Announced(*uids, context.transfer_syntax))
            except RefusedError as error:
                self._refused = error.answer

    def take(self, data: memoryview) -> None:
        """Write a part of the dataset, or forget it if it is refused already."""
        self.size += len(data)
        if self._incoming is None:
            self._drained += len(data)
            if self._drained > _DRAINED:
                raise PeerError("a refused dataset does not end", reason=0)
            return
        try:
            self._incoming.write(data)
        except RefusedError as error:
            self._refused, self._incoming = error.answer, None

    def finish(self) -> Answer:
        """Return what became of the instance, after it is on disk."""
        incoming, self._incoming = self._incoming, None
        try:
            if incoming is not None:
                return incoming.finish().result()
        except RefusedError as error:
            return error.answer
        return self._refused or Answer(Outcome.FAILED)

    def discard(self) -> None:
        """Forget what came."""
        if self._incoming is not None:
            self._incoming.discard()
