"""Storage commitment (PS3.4 Annex J): a file counts as stored when the other side has promised to keep it."""

from __future__ import annotations

import contextlib
import queue
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pydicom.dataset import Dataset
from pydicom.filereader import read_file_meta_info
from pydicom.uid import generate_uid
from pynetdicom import AE, build_context, evt
from pynetdicom.sop_class import (  # type: ignore[attr-defined]  # made when they are imported
    StorageCommitmentPushModel,
    StorageCommitmentPushModelInstance,
)

from dicomwright.plugins import Delivery
from dicomwright_node.senders.association import NoAssociationError, associated
from dicomwright_node.senders.settings import is_host

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pynetdicom.association import Association

    from dicomwright_node.senders.association import Peer
    from dicomwright_node.senders.settings import Options

__all__ = ["Commitment", "committed"]

#: Instances of one request.
BATCH = 500
_LOOK = 0.1
_HIGHEST_PORT = 65_535
_REASONS = {
    0x0110: "processing failure",
    0x0112: "it has no such instance",
    0x0119: "class and instance do not fit",
    0x0122: "SOP class not supported",
    0x0131: "the transaction is used already",
    0x0213: "out of resources",
}
_PASSING = {0x0110, 0x0112, 0x0213}


@dataclass(frozen=True, slots=True)
class Commitment:
    """How commitment is asked for.

    Attributes
    ----------
    seconds : float
        How long a report is waited for.
    listen : (str, int), optional
        Where the other side reports; without it, on the association of the request.

    """

    seconds: float
    listen: tuple[str, int] | None

    @classmethod
    def read(cls, given: Options) -> Commitment | None:
        """Return what the options say; None if commitment is not wanted."""
        wanted, seconds = given.yes("commitment"), given.number("commitment-timeout")
        host, _, port = given.text("commitment-listen").rpartition(":")
        if not (host or port):
            return cls(seconds, None) if wanted else None
        if not (is_host(host) and port.isascii() and port.isdigit() and 0 < int(port) <= _HIGHEST_PORT):
            given.complain("option commitment-listen is no HOST:PORT", "write it such as 127.0.0.1:11113")
            return None
        return cls(seconds, (host.strip("[]"), int(port))) if wanted else None


def committed(deliveries: Iterable[Delivery], peer: Peer, commitment: Commitment) -> Iterator[Delivery]:
    """Yield deliveries; those that arrived, when they are committed.

    Raises
    ------
    NoAssociationError
        Nobody can report to us; nothing was sent.

    """
    waiting: list[Delivery] = []
    with _Reports(peer, commitment) as reports:
        for delivery in deliveries:
            if delivery.state not in {"stored", "warning"}:
                yield delivery
                continue
            waiting.append(delivery)
            if len(waiting) == BATCH:
                yield from reports.ask(waiting)
                waiting = []
        if waiting:
            yield from reports.ask(waiting)


class _Reports:
    """Asks for commitment and collects what is reported."""

    def __init__(self, peer: Peer, commitment: Commitment) -> None:
        self._peer = peer
        self._commitment = commitment
        self._reports: queue.SimpleQueue[Dataset] = queue.SimpleQueue()
        self._server: Any = None

    def __enter__(self) -> _Reports:  # noqa: PYI034  # private
        if self._commitment.listen is not None:
            entity = AE(ae_title=self._peer.calling)
            entity.add_supported_context(StorageCommitmentPushModel, scu_role=False, scp_role=True)
            try:
                self._server = entity.start_server(
                    self._commitment.listen, block=False, evt_handlers=self._handlers
                )
            except OSError as error:
                host, port = self._commitment.listen
                raise NoAssociationError(
                    f"cannot listen at {host}:{port}: {error.strerror or error}"
                ) from error
        return self

    def __exit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.shutdown()

    @property
    def _handlers(self) -> list[Any]:
        return [(evt.EVT_N_EVENT_REPORT, self._reported)]

    def _reported(self, event: Any) -> tuple[int, None]:
        self._reports.put(event.event_information)
        return 0x0000, None

    def ask(self, deliveries: list[Delivery]) -> Iterator[Delivery]:
        """Yield the deliveries with what is said of their commitment."""
        request = Dataset()
        request.TransactionUID = generate_uid()
        request.ReferencedSOPSequence = [_reference(one) for one in deliveries]
        uids = [str(item.ReferencedSOPInstanceUID) for item in request.ReferencedSOPSequence]
        said: dict[str, tuple[bool, int]] = {}
        problem = f"not committed within {self._commitment.seconds:g} s"
        try:
            with associated(self._peer, [build_context(StorageCommitmentPushModel)], self._handlers) as one:
                said = self._answers(one, request, set(uids))
        except (NoAssociationError, RuntimeError, ValueError) as error:
            problem = f"commitment cannot be asked for: {error}"
        for delivery, uid in zip(deliveries, uids, strict=True):
            yield _outcome(delivery, said.get(uid), problem)

    def _answers(
        self, association: Association, request: Dataset, uids: set[str]
    ) -> dict[str, tuple[bool, int]]:
        """Send the request and wait for reports on all instances."""
        if not association.is_established:
            raise NoAssociationError("the destination does not offer storage commitment")
        status, _ = association.send_n_action(
            request, 1, StorageCommitmentPushModel, StorageCommitmentPushModelInstance
        )
        if status.get("Status") != 0:
            code = f"0x{int(status.Status):04X}" if "Status" in status else "no answer"
            raise NoAssociationError(f"the request was answered with {code}")
        said: dict[str, tuple[bool, int]] = {}
        end = time.monotonic() + self._commitment.seconds
        while not uids <= said.keys() and time.monotonic() < end:
            if self._server is None and self._reports.empty() and _has_ended(association):
                raise NoAssociationError("the association ended before the report came")
            with contextlib.suppress(queue.Empty):
                said |= _read(self._reports.get(timeout=_LOOK), str(request.TransactionUID))
        return said


def _has_ended(association: Association) -> bool:
    return not association.is_established


def _reference(delivery: Delivery) -> Dataset:
    meta, item = read_file_meta_info(delivery.file), Dataset()
    item.ReferencedSOPClassUID = meta.MediaStorageSOPClassUID
    item.ReferencedSOPInstanceUID = meta.MediaStorageSOPInstanceUID
    return item


def _read(report: Dataset, transaction: str) -> dict[str, tuple[bool, int]]:
    """Return UID -> (committed, reason) of a report; nothing if it is about another request."""
    if str(report.get("TransactionUID", "")) != transaction:
        return {}
    said: dict[str, tuple[bool, int]] = {}
    for item in report.get("ReferencedSOPSequence") or ():
        said[str(item.get("ReferencedSOPInstanceUID", ""))] = (True, 0)
    for item in report.get("FailedSOPSequence") or ():
        reason = item.get("FailureReason")  # hostile, if it is no number
        uid = str(item.get("ReferencedSOPInstanceUID", ""))
        said[uid] = (False, reason if isinstance(reason, int) else 0)
    return said


def _outcome(delivery: Delivery, said: tuple[bool, int] | None, problem: str) -> Delivery:
    if said is None:
        return replace(delivery, state="unknown", message=f"it was taken, but {problem}")
    is_committed, reason = said
    if is_committed:
        return replace(delivery, message="; ".join(filter(None, (delivery.message, "committed"))))
    told = _REASONS.get(reason, "no reason that is known")
    return Delivery(
        delivery.file,
        "refused",
        f"0x{reason:04X}",
        f"it was taken, but not committed: {told}",
        transient=reason in _PASSING,
    )
