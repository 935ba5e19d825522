"""STOW-RS (PS3.18 section 10.5): files as they are, in batches, each once; no redirect is followed."""

from __future__ import annotations

import base64
import ipaddress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pydicom.filereader import read_file_meta_info

from dicomwright.errors import DeliveryError
from dicomwright.plugins import Delivery
from dicomwright_node.senders.http_exchange import NoAnswerError, Server, post
from dicomwright_node.senders.multipart import Body
from dicomwright_node.senders.settings import SLOWEST, Options, is_host
from dicomwright_node.senders.stow_answer import PASSING, Answer, deliveries_of
from dicomwright_node.senders.tls import NAMES, client_context

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from dicomwright.plugins.protocols import DeliveryState

__all__ = ["DicomWebSender"]

_MEGABYTE = 1_000_000
_TOO_LARGE = 413
_DENIED = {401, 403, 404, 405}
_REDIRECTS = range(300, 400)


@dataclass(frozen=True, slots=True)
class _Setup:
    """The options, read."""

    server: Server
    headers: dict[str, str]
    read: float
    files: int
    size: float


class DicomWebSender:
    """The sender ``dicomweb``.

    Examples
    --------
    >>> sender = DicomWebSender()
    >>> options = {"connect-timeout": "10", "read-timeout": "60", "batch-files": "32", "batch-size": "64"}
    >>> sender.check("https://pacs.example/dicom-web", options)
    >>> sender.check("https://pacs.example/dicom-web", options | {"user": "jane"})
    Traceback (most recent call last):
    dicomwright.errors.DeliveryError: user and password belong together; give user and password-file or password-env

    """

    def check(self, destination: str, options: Mapping[str, str]) -> None:
        """Raise what is wrong with a destination or an option."""
        _setup(destination, options)

    def send(self, files: Sequence[Path], destination: str, options: Mapping[str, str]) -> Iterator[Delivery]:
        """Yield what became of each file, one request after another."""
        yield from _Sending(_setup(destination, options)).everything(files)


class _Sending:
    """One call of the sender."""

    def __init__(self, setup: _Setup) -> None:
        self._setup = setup
        self._ended: Delivery | None = None  # what is said of all that follow

    def everything(self, files: Sequence[Path]) -> Iterator[Delivery]:
        """Yield what became of each file; no request follows one that shows that it would be of no use now."""
        for batch in _batches(files, self._setup):
            try:
                yield from self._batch(batch)
            except NoAnswerError as error:
                state: DeliveryState = "unknown" if error.sent else "pending"
                yield from (Delivery(file, state, "", str(error)) for file in batch)
                self._ended = Delivery(batch[0], "pending", "", f"not sent: {error}")

    def _batch(self, files: list[Path]) -> Iterator[Delivery]:
        """Send one request; in halves if the server finds it too large."""
        if self._ended is not None:
            yield from (replace(self._ended, file=file) for file in files)
            return
        by_uid: dict[str, Path] = {}
        for file in files:
            try:
                by_uid[str(read_file_meta_info(file).MediaStorageSOPInstanceUID)] = file
            except Exception as error:  # noqa: BLE001  # what pydicom raises of a damaged file
                yield Delivery(file, "refused", "", f"it cannot be read: {error}")
        whole = list(by_uid.values())
        if not whole:
            return
        answer = self._post(whole)
        if answer.status == _TOO_LARGE and len(whole) > 1:
            yield from self._batch(whole[: len(whole) // 2])
            yield from self._batch(whole[len(whole) // 2 :])
            return
        yield from deliveries_of(by_uid, answer)
        told = f"not sent: the server answers HTTP {answer.status}"
        if answer.status in PASSING:
            self._ended = Delivery(whole[0], "pending", "", told, retry_after=answer.retry_after)
        elif answer.status in _DENIED or answer.status in _REDIRECTS:
            self._ended = Delivery(whole[0], "refused", "", told)

    def _post(self, files: list[Path]) -> Answer:
        """Send files and read the answer, within a time that follows from their size."""
        body = Body(files)
        headers = {"Content-Type": body.content_type, "Accept": "application/dicom+json"}
        seconds = self._setup.read + len(body) / SLOWEST
        return post(self._setup.server, "/studies", headers | self._setup.headers, body, seconds)


def _batches(files: Sequence[Path], setup: _Setup) -> Iterator[list[Path]]:
    """Yield files in portions of a bounded number and size, at least one file each."""
    batch: list[Path] = []
    size = 0
    for file in files:
        length = file.stat().st_size if file.exists() else 0
        if batch and (len(batch) == setup.files or size + length > setup.size):
            yield batch
            batch, size = [], 0
        batch.append(file)
        size += length
    if batch:
        yield batch


def _setup(destination: str, options: Mapping[str, str]) -> _Setup:
    """Read destination and options.

    Raises
    ------
    DeliveryError
        Everything that is wrong with them.

    """
    parts, given = urlsplit(destination), Options(options)
    if not is_host(parts.hostname or "") or parts.username is not None or parts.query or parts.fragment:
        raise DeliveryError(
            f"destination {parts.scheme}://{parts.hostname or ''} is no address of a DICOMweb server",
            hint="write it such as https://host/dicom-web; user and password are options of the sender",
            kind="destination",
        )
    connect, read = given.number("connect-timeout"), given.number("read-timeout")
    count, size = given.number("batch-files", 10_000), given.number("batch-size", 10_000)
    headers = _credentials(given)
    plain = given.yes("plain-http")
    if headers and parts.scheme == "http" and not (plain or _is_local(parts.hostname or "")):
        given.complain(
            "credentials over http can be read by everybody on the way",
            "write https, or allow it: --sender-opt plain-http=yes",
        )
    tls = parts.scheme == "https"
    used = [name for name in NAMES if given.text(name)]
    if used and not tls:
        given.complain(f"option {used[0]} is of no use without TLS", "write https://")
    context = client_context(given) if tls else None
    given.check()
    server = Server(destination.rstrip("/"), connect, context)
    return _Setup(server, headers, read, max(1, int(count)), size * _MEGABYTE)


def _credentials(given: Options) -> dict[str, str]:
    """Return the header that makes the user known."""
    user, password, token = given.text("user"), given.secret("password"), given.secret("token")
    if token is not None and not token.isascii():
        given.complain("the token has characters that are not ASCII")
    if token is not None and (user or password is not None):
        given.complain("a token and a user are both given", "give one of them")
    if bool(user) != (password is not None) and not given.problems:
        given.complain("user and password belong together", "give user and password-file or password-env")
    if token is not None:
        return {"Authorization": f"Bearer {token}"}
    if not user:
        return {}
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode("ascii")}


def _is_local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
