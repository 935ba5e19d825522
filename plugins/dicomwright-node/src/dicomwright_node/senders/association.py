"""Associations: opened with a reason when that fails, and without a race that the library has."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pynetdicom import AE, evt
from pynetdicom.fsm import InvalidEventError
from pynetdicom.pdu_primitives import MaximumLengthNotification

from dicomwright_node.senders.watch import Watch

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator, Sequence

    from pynetdicom.association import Association
    from pynetdicom.presentation import PresentationContext

    from dicomwright_node.senders.dicom_address import DicomAddress

__all__ = ["NoAssociationError", "Peer", "Timeouts", "associated"]

_PERMANENT = 1
_LAST_WORDS = 2.0
_PIECE = 32_768
_HEADER = 6


class NoAssociationError(Exception):
    """There is no association.

    Attributes
    ----------
    permanent : bool
        Whether it is no use to ask again: the other side said so.
    status : str
        What it said, for the ledger.

    """

    def __init__(self, message: str, *, permanent: bool = False, status: str = "") -> None:
        super().__init__(message)
        self.permanent = permanent
        self.status = status


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds, each for one kind of wait."""

    connect: float
    acse: float
    dimse: float
    network: float


@dataclass(frozen=True, slots=True)
class Peer:
    """Whom to talk to, and how."""

    address: DicomAddress
    calling: str
    timeouts: Timeouts
    tls: ssl.SSLContext | None = None
    tls_name: str = ""

    @property
    def tls_arguments(self) -> tuple[ssl.SSLContext, str] | None:
        """What the library takes."""
        return None if self.tls is None else (self.tls, self.tls_name or self.address.host)


@contextlib.contextmanager
def associated(
    peer: Peer, contexts: Sequence[PresentationContext], handlers: Sequence[Any] = ()
) -> Iterator[Association]:
    """Give an association; it is released in the end, or aborted if something went wrong.

    Raises
    ------
    NoAssociationError
        There is none, with the reason.

    """
    association = _requested(peer, contexts, handlers)
    if not association.accepted_contexts:  # it answered, and takes nothing of what was proposed
        yield association
        return
    serving = threading.Lock()
    _close_the_race(association, serving)
    _without_delays(association, peer.timeouts.dimse)
    _in_pieces(association)
    try:
        yield association
    except GeneratorExit:  # the user stops between two files
        _release(association, serving)
        raise
    except BaseException:
        association.abort()
        raise
    else:
        _release(association, serving)
    finally:
        association.join(_LAST_WORDS)  # its threads close the connection


def _requested(peer: Peer, contexts: Sequence[PresentationContext], handlers: Sequence[Any]) -> Association:
    """Ask for an association; return it where there is one, or where nothing of what was proposed is taken.

    Raises
    ------
    NoAssociationError
        There is none, with the reason.

    """
    opened = threading.Event()
    began = time.monotonic()
    with contextlib.ExitStack() as watched:

        def connected(event: Any) -> None:
            opened.set()
            _survives(event.assoc)
            watched.enter_context(Watch(event.assoc.dul.socket.socket, peer.timeouts.acse))

        try:
            association = _entity(peer).associate(
                peer.address.host,
                peer.address.port,
                contexts=list(contexts),
                ae_title=peer.address.title,
                tls_args=peer.tls_arguments,
                evt_handlers=[(evt.EVT_CONN_OPEN, connected), *handlers],
            )
        except OSError as error:  # the name of the host has no address
            raise NoAssociationError(f"no connection to {peer.address}: {error.strerror or error}") from error
    if association.is_established or association.rejected_contexts:
        return association
    raise _reason(association, peer, opened=opened.is_set(), seconds=time.monotonic() - began)


def _entity(peer: Peer) -> AE:
    """Return what the library asks with."""
    entity = AE(ae_title=peer.calling)
    entity.connection_timeout = peer.timeouts.connect
    entity.acse_timeout = peer.timeouts.acse
    entity.dimse_timeout = peer.timeouts.dimse
    entity.network_timeout = peer.timeouts.network
    return entity


def _survives(association: Any) -> None:
    """Let nonsense end a request without an answer, and not the library's thread with a traceback."""
    machine, dimse = association.dul.state_machine, association.dimse
    act, receive = machine.do_action, dimse.receive_primitive

    def acts(event: str) -> None:
        with contextlib.suppress(InvalidEventError):  # what comes after an abort
            act(event)

    def receives(primitive: Any) -> None:
        try:
            receive(primitive)
        except Exception:  # noqa: BLE001  # whatever pydicom and the library raise of such a message
            dimse.msg_queue.put((None, None))  # as the library does when the connection breaks

    machine.do_action, dimse.receive_primitive = acts, receives


def _without_delays(association: Association, seconds: float) -> None:
    """Send and acknowledge small packets at once; wait for a peer that does not read or stops amid its words no longer.

    Requests and answers are two packets each; waiting for company costs 40 ms a packet, and 90 ms an instance.
    """
    connection: Any = getattr(association.dul.socket, "socket", None)

    def at_once(_: Any) -> None:
        with contextlib.suppress(OSError, AttributeError):  # closed; or a system that has no such option
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)  # holds for a moment only

    with contextlib.suppress(OSError, AttributeError):
        connection.settimeout(seconds)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    association.bind(evt.EVT_DATA_SENT, at_once)


def _in_pieces(association: Association) -> None:
    """Send large files in pieces, also to a peer that sets no limit; the library would make one of it all.

    A limit below the length of a piece's header would leave no room for anything, and is taken for none.
    """
    for item in association.acceptor.user_information:
        if isinstance(item, MaximumLengthNotification) and item.maximum_length_received <= _HEADER:
            item.maximum_length_received = _PIECE


def _release(association: Association, serving: threading.Lock) -> None:
    """Release an association, after the answer to what the other side asks at the moment."""
    if serving.acquire(timeout=_LAST_WORDS):
        serving.release()
    if association.is_established:
        association.release()


def _reason(association: Association, peer: Peer, *, opened: bool, seconds: float) -> NoAssociationError:
    """Return why there is no association."""
    who = str(peer.address)
    if not opened:
        return NoAssociationError(f"no connection to {who}: {_no_connection(peer)}")
    if association.is_rejected:
        answer = association.acceptor.primitive
        permanent = getattr(answer, "result", None) == _PERMANENT
        text = f"{who} rejects the association: {getattr(answer, 'reason_str', 'no reason given')}"
        return NoAssociationError(text, permanent=permanent, status="A-ASSOCIATE-RJ")
    if seconds >= peer.timeouts.acse:
        return NoAssociationError(
            f"{who} does not answer the request for an association within {peer.timeouts.acse:g} s"
        )
    return NoAssociationError(f"{who} ended the connection, or what listens there does not speak DICOM")


def _no_connection(peer: Peer) -> str:
    """Connect once more for the reason, which the library only logs."""
    where = (peer.address.host, peer.address.port)
    try:
        with socket.create_connection(where, peer.timeouts.connect) as connection:
            if peer.tls_arguments is not None:
                context, name = peer.tls_arguments
                context.wrap_socket(connection, server_hostname=name).close()
    except TimeoutError:
        return f"no answer within {peer.timeouts.connect:g} s"
    except OSError as error:
        return f"{error.strerror or error}"
    return "it was closed"


class _Gate(threading.Event):
    """Stands where the library pauses the thread that looks for messages while a request waits for its answer.

    The library's own lets the thread through, and it may read the answer that another thread waits for; the request
    then has no answer, about once in ten thousand. Here, passing and being closed exclude each other.
    """

    def __init__(self, tell: Callable[[bool], None]) -> None:
        super().__init__()
        self._tell = tell  # the library, whether the thread stands here
        self._change = threading.Condition()
        self._open = True
        self._stands = False
        self.waiting = threading.Event()

    def is_set(self) -> bool:
        return self._open

    def set(self) -> None:
        with self._change:
            self._open = True
            self._change.notify_all()

    def clear(self) -> None:
        with self._change:
            self._open = False

    def wait(self, timeout: float | None = None) -> bool:
        with self._change:
            self.waiting.set()
            self._stands = True
            self._change.wait_for(lambda: self._open, timeout)
            self._stands = False
            self._tell(self._stands)
            return self._open

    def tell(self) -> None:
        """Tell the library the truth again."""
        with self._change:
            self._tell(self._stands)


def _close_the_race(association: Association, serving: threading.Lock) -> None:
    """Put our gate in the place of the library's, if it still has one there.

    A report of the other side is served in a thread of its own, which says in the end that the gate is passed, also
    if it is not: a release that began meanwhile would wait for ever. So that is corrected, and nothing is released
    while `serving` is held.
    """
    names = ("_reactor_checkpoint", "_is_paused", "_serve_request")
    if not all(hasattr(association, name) for name in names):  # pragma: no cover  # of another release
        return
    gate = _Gate(lambda stands: setattr(association, "_is_paused", stands))
    serve = association._serve_request  # noqa: SLF001  # there is no public way

    def served(*request: Any) -> None:
        with serving:
            serve(*request)
        gate.tell()

    association._serve_request = served  # type: ignore[assignment]  # noqa: SLF001
    gate.clear()
    association._reactor_checkpoint = gate  # noqa: SLF001  # there is no public way
    gate.waiting.wait(1.0)  # from here on the thread stands at ours
    gate.set()
