"""C-STORE (PS3.4 Annex B): exactly the contexts that the files need, the bytes of the files as they are."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pydicom.filereader import read_file_meta_info
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian
from pynetdicom import _config, build_context, evt
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]  # made when it is imported

from dicomwright.plugins import Delivery
from dicomwright_node.senders.answers import Answers
from dicomwright_node.senders.association import NoAssociationError, Peer, Timeouts, associated
from dicomwright_node.senders.commitment import Commitment, committed
from dicomwright_node.senders.dicom_address import DicomAddress, is_ae_title
from dicomwright_node.senders.pace import paced
from dicomwright_node.senders.settings import SLOWEST, Options
from dicomwright_node.senders.store_status import delivery_of
from dicomwright_node.senders.tls import NAMES, client_context
from dicomwright_node.senders.transcode import UNCOMPRESSED, TranscodeError, transcode

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pynetdicom.association import Association

    from dicomwright.plugins.protocols import DeliveryState

__all__ = ["DicomSender"]

#: Contexts of one association: 128 in all (PS3.8 section 7.1.1.13), one of them for C-ECHO.
MOST_CONTEXTS = 127
_ENDED = "the association had ended before it"

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class _Item:
    """A file and what it needs; `file` is what the user knows, `content` what is sent."""

    file: Path
    content: Path
    pair: Pair
    uid: str

    @property
    def what(self) -> str:
        """For messages."""
        return f"{UID(self.pair[0]).name} in {UID(self.pair[1]).name}"


Needs = Callable[[_Item], list[Pair]]
Send = Callable[["Association", _Item, set[Pair]], Iterator[Delivery]]


@dataclass(frozen=True, slots=True)
class _Setup:
    """The options, read."""

    peer: Peer
    echo: bool
    transcode: bool
    commitment: Commitment | None


class DicomSender:
    """The sender ``dicom``.

    Examples
    --------
    >>> sender = DicomSender()
    >>> options = {f"{name}-timeout": "30" for name in ("connect", "acse", "dimse", "network", "commitment")}
    >>> sender.check("dicom://PACS@127.0.0.1:104", options | {"calling-aet": "OURS"})
    >>> sender.check("dicom://127.0.0.1:104", options | {"calling-aet": "OURS"})
    Traceback (most recent call last):
    dicomwright.errors.DeliveryError: destination dicom://127.0.0.1:104: it has no AE title before @; ...

    """

    def check(self, destination: str, options: Mapping[str, str]) -> None:
        """Raise what is wrong with a destination or an option."""
        _setup(destination, options)

    def send(self, files: Sequence[Path], destination: str, options: Mapping[str, str]) -> Iterator[Delivery]:
        """Yield what became of each file."""
        setup = _setup(destination, options)
        _config.STORE_SEND_CHUNKED_DATASET = True  # the bytes of a file as they are, not all of them at once
        sent = _Sending(setup).everything(files)
        if setup.commitment is None:
            yield from sent
            return
        try:
            yield from committed(sent, setup.peer, setup.commitment)
        except NoAssociationError as error:
            yield from (Delivery(file, "pending", "", str(error)) for file in files)


class _Sending:
    """One call of the sender."""

    def __init__(self, setup: _Setup) -> None:
        self._setup = setup
        self._declined: list[_Item] = []
        self._answers = Answers()  # of the present association
        self._ended: Delivery | None = None  # what is said of all that follow

    def everything(self, files: Sequence[Path]) -> Iterator[Delivery]:
        """Yield what became of each file: as it is, then those that were not taken so."""
        items: list[_Item] = []
        for file in files:
            try:
                items.append(_item(file))
            except Exception as error:  # noqa: BLE001  # what pydicom raises of a damaged file
                yield Delivery(file, "refused", "", f"it cannot be read: {error}")
        yield from self._all(items, lambda item: [item.pair], self._as_it_is)
        if not self._setup.transcode:
            yield from (_not_taken(one, "and transcoding is switched off") for one in self._declined)
        elif self._declined:
            yield from self._all(self._declined, _fallbacks, self._other_form)

    def _all(self, items: list[_Item], needs: Needs, send: Send) -> Iterator[Delivery]:
        """Send files over as many associations as their contexts need."""
        for group in _groups(items, needs):
            if self._ended is None:
                yield from self._group(group, needs, send)
            else:
                yield from (replace(self._ended, file=one.file) for one in group)

    def _group(self, items: list[_Item], needs: Needs, send: Send) -> Iterator[Delivery]:
        """Send files over one association."""
        contexts = [build_context(*pair) for pair in dict.fromkeys(p for item in items for p in needs(item))]
        if self._setup.echo:
            contexts.insert(0, build_context(Verification, UNCOMPRESSED[1]))
        try:
            with associated(self._setup.peer, contexts) as association:
                self._echo(association)
                self._answers = Answers()
                association.bind(evt.EVT_DIMSE_RECV, self._answers.hear)
                accepted = {
                    (str(one.abstract_syntax), str(one.transfer_syntax[0]))
                    for one in association.accepted_contexts
                }
                for item in items:
                    yield from send(association, item, accepted)
        except NoAssociationError as error:
            state: DeliveryState = "refused" if error.permanent else "pending"
            self._ended = Delivery(Path(), state, error.status, str(error))
            yield from (replace(self._ended, file=one.file) for one in items)

    def _echo(self, association: Association) -> None:
        """Ask whether the other side is there, if the user wants to know and it takes such a question."""
        if not any(one.abstract_syntax == Verification for one in association.accepted_contexts):
            return
        if association.send_c_echo().get("Status") != 0:
            raise NoAssociationError(f"{self._setup.peer.address} does not answer C-ECHO with success")

    def _as_it_is(self, association: Association, item: _Item, accepted: set[Pair]) -> Iterator[Delivery]:
        """Send a file if its context is accepted; keep it for later if not."""
        if item.pair in accepted:
            yield self._store(association, item)
        else:
            self._declined.append(item)

    def _other_form(self, association: Association, item: _Item, accepted: set[Pair]) -> Iterator[Delivery]:
        """Write a file in a transfer syntax that is accepted, and send that."""
        pair = next((pair for pair in _fallbacks(item) if pair in accepted), None)
        if pair is None:
            yield _not_taken(item, "nor uncompressed")
            return
        with tempfile.TemporaryFile() as made:  # it has no name, so that nothing is left if we are killed
            try:
                transcode(item.content, pair[1], made)
            except TranscodeError as error:
                yield _not_taken(item, f"and it cannot be converted ({error})")
                return
            content = Path(f"/dev/fd/{made.fileno()}")
            yield self._store(association, replace(item, content=content, pair=pair))

    def _store(self, association: Association, item: _Item) -> Delivery:
        """Send one file and return what the answer means."""
        if not association.is_established:
            return Delivery(item.file, "pending", "", _ENDED)
        base, began = self._setup.peer.timeouts.dimse, time.monotonic()
        try:
            extra = item.content.stat().st_size / SLOWEST
            association.dimse_timeout = base + extra
            with _even(item) as content, paced(association, extra):
                status = association.send_c_store(content, self._answers.number())
        except RuntimeError:  # it ended between two files
            return Delivery(item.file, "pending", "", _ENDED)
        except (OSError, ValueError, AttributeError) as error:
            return Delivery(item.file, "refused", "", f"it cannot be sent: {error}")
        if "Status" not in status:  # no more is to be had of this association
            association.abort()
        elif not self._answers.fits(item.uid):
            association.abort()
            return Delivery(item.file, "unknown", "", "the answer belongs to another request")
        return delivery_of(item.file, status, time.monotonic() - began)


def _setup(destination: str, options: Mapping[str, str]) -> _Setup:
    """Read destination and options.

    Raises
    ------
    DeliveryError
        Everything that is wrong with them.

    """
    address, given = DicomAddress.parse(destination), Options(options)
    calling = given.text("calling-aet")
    if not is_ae_title(calling):
        given.complain(
            f"option calling-aet is {calling!r}", "write 1 to 16 ASCII characters without a backslash"
        )
    names = ("connect", "acse", "dimse", "network")
    timeouts = Timeouts(*(given.number(f"{name}-timeout") for name in names))
    echo, transcoding = given.yes("echo"), given.yes("transcode")
    commitment = Commitment.read(given)
    used = [name for name in (*NAMES, "tls-name") if given.text(name)]
    if used and not address.tls:
        given.complain(
            f"option {used[0]} is of no use without TLS",
            f"write dicom+tls://{destination.partition('//')[2]}",
        )
    context = client_context(given) if address.tls else None
    given.check()
    peer = Peer(address, calling, timeouts, context, given.text("tls-name"))
    return _Setup(peer, echo, transcoding, commitment)


def _item(file: Path) -> _Item:
    meta = read_file_meta_info(file)
    pair = (str(meta.MediaStorageSOPClassUID), str(meta.TransferSyntaxUID))
    return _Item(file, file, pair, str(meta.MediaStorageSOPInstanceUID))


@contextlib.contextmanager
def _even(item: _Item) -> Iterator[Path]:
    """Give what to send: what is deflated with an even length (PS3.5 section A.5), which dcmtk does not see to."""
    if item.pair[1] != DeflatedExplicitVRLittleEndian or item.content.stat().st_size % 2 == 0:
        yield item.content
        return
    with tempfile.TemporaryFile() as made, item.content.open("rb") as file:
        shutil.copyfileobj(file, made)
        made.write(b"\0")
        made.flush()
        yield Path(f"/dev/fd/{made.fileno()}")


def _fallbacks(item: _Item) -> list[Pair]:
    """Return the contexts in which a file can be sent without loss, besides its own."""
    return [(item.pair[0], syntax) for syntax in UNCOMPRESSED if syntax != item.pair[1]]


def _groups(items: Iterable[_Item], needs: Needs) -> Iterator[list[_Item]]:
    """Yield files in groups that need no more contexts than an association has; order stays within a group."""
    by_pairs: dict[tuple[Pair, ...], list[_Item]] = {}
    for item in items:
        by_pairs.setdefault(tuple(needs(item)), []).append(item)
    group: list[_Item] = []
    pairs: set[Pair] = set()
    for needed, alike in by_pairs.items():
        if len(pairs | {*needed}) > MOST_CONTEXTS:
            yield group
            group, pairs = [], set()
        group = group + alike
        pairs |= {*needed}
    if group:
        yield group


def _not_taken(item: _Item, more: str) -> Delivery:
    return Delivery(item.file, "refused", "", f"the destination does not take {item.what}, {more}")
