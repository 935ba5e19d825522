"""STOW-RS (PS3.18 section 10.5): files as they are, in batches, each once; no redirect is followed."""

from __future__ import annotations

import ipaddress
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import requests
from pydicom.filereader import read_file_meta_info
from requests.auth import AuthBase, HTTPBasicAuth

from dicomwright.errors import DeliveryError
from dicomwright.plugins import Delivery
from dicomwright_node.senders.multipart import Body
from dicomwright_node.senders.settings import SLOWEST, Options
from dicomwright_node.senders.stow_answer import PASSING, Answer, deliveries_of, retry_after

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from dicomwright.plugins.protocols import DeliveryState

__all__ = ["DicomWebSender"]

_MEGABYTE = 1_000_000
_LONGEST_ANSWER = 64 * _MEGABYTE
_PIECE = 64 * 1024
_TOO_LARGE = 413
_DENIED = {401, 403, 404, 405}
_REDIRECTS = range(300, 400)


class _NoAnswerError(Exception):
    """A request ended without an answer; `sent` tells whether anything of it may have arrived."""

    def __init__(self, message: str, *, sent: bool) -> None:
        super().__init__(message)
        self.sent = sent


class _Bearer(AuthBase):
    """Sends a token."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


@dataclass(frozen=True, slots=True)
class _Setup:
    """The options, read."""

    url: str
    connect: float
    read: float
    files: int
    size: float
    auth: AuthBase | None
    ca: str | None
    cert: str | tuple[str, str] | None


class DicomWebSender:
    """The sender ``dicomweb``."""

    def check(self, destination: str, options: Mapping[str, str]) -> None:
        """Raise what is wrong with a destination or an option."""
        _setup(destination, options)

    def send(self, files: Sequence[Path], destination: str, options: Mapping[str, str]) -> Iterator[Delivery]:
        """Yield what became of each file, one request after another."""
        setup = _setup(destination, options)
        with requests.Session() as session:
            session.trust_env = False  # no credentials, proxies or certificates that nobody named here
            session.auth = setup.auth
            session.cert = setup.cert
            session.verify = setup.ca or True
            yield from _Sending(setup, session).everything(files)


class _Sending:
    """One call of the sender."""

    def __init__(self, setup: _Setup, session: requests.Session) -> None:
        self._setup = setup
        self._session = session
        self._ended: Delivery | None = None  # what is said of all that follow

    def everything(self, files: Sequence[Path]) -> Iterator[Delivery]:
        """Yield what became of each file; no request follows one that shows that it would be of no use now."""
        for batch in _batches(files, self._setup):
            if self._ended is not None:
                yield from (replace(self._ended, file=file) for file in batch)
                continue
            try:
                yield from self._batch(batch)
            except _NoAnswerError as error:
                state: DeliveryState = "unknown" if error.sent else "pending"
                yield from (Delivery(file, state, "", str(error)) for file in batch)
                self._ended = Delivery(batch[0], "pending", "", f"not sent: {error}")

    def _batch(self, files: list[Path]) -> Iterator[Delivery]:
        """Send one request; in halves if the server finds it too large."""
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
        seconds = self._setup.read + len(body) / SLOWEST
        headers = {"Content-Type": body.content_type, "Accept": "application/dicom+json"}
        try:
            response = self._session.post(
                f"{self._setup.url}/studies",
                data=body,
                headers=headers,
                timeout=(self._setup.connect, seconds),
                allow_redirects=False,
                stream=True,
            )
            with response:
                return _answer(response, self._setup.url, time.monotonic() + seconds)
        except (requests.RequestException, OSError) as error:
            raise _NoAnswerError(_why(error, self._setup, seconds), sent=body.started) from error
        finally:
            body.close()


def _answer(response: requests.Response, url: str, deadline: float) -> Answer:
    """Read an answer to its end, which must come in time and before it is too long."""
    media_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    after = retry_after(response.headers.get("Retry-After"))
    if response.status_code in _REDIRECTS:
        return Answer(response.status_code, f"a redirect to {_place(response)}", b"-", after)
    body = bytearray()
    for piece in response.iter_content(_PIECE):
        body += piece
        if len(body) > _LONGEST_ANSWER:
            raise _NoAnswerError(f"the answer of {url} is longer than {_LONGEST_ANSWER:,} bytes", sent=True)
        if time.monotonic() > deadline:
            raise _NoAnswerError(f"the answer of {url} does not end", sent=True)
    return Answer(response.status_code, media_type, bytes(body), after)


def _place(response: requests.Response) -> str:
    """Return where a redirect leads, without what may be secret."""
    parts = urlsplit(response.headers.get("Location", ""))
    return f"{parts.scheme}://{parts.hostname}{parts.path}" if parts.hostname else parts.path or "nowhere"


def _why(error: Exception, setup: _Setup, seconds: float) -> str:
    """Return why there is no answer."""
    if isinstance(error, requests.exceptions.SSLError):
        return f"no trusted connection to {setup.url}: {_reason(error)}"
    if isinstance(error, requests.ConnectTimeout):
        return f"no connection to {setup.url} within {setup.connect:g} s"
    if isinstance(error, requests.ReadTimeout):
        return f"no answer of {setup.url} within {seconds:.0f} s"
    return f"no answer of {setup.url}: {_reason(error)}"


def _reason(error: BaseException) -> str:
    """Return the innermost reason, which the libraries wrap several times."""
    inner: BaseException = error
    for _ in range(8):
        wrapped = getattr(inner, "reason", None) or next(
            (one for one in inner.args if isinstance(one, BaseException)), None
        )
        following = wrapped if isinstance(wrapped, BaseException) else inner.__context__
        if following is None:
            break
        inner = following
    return str(getattr(inner, "strerror", None) or inner)


def _batches(files: Sequence[Path], setup: _Setup) -> Iterator[list[Path]]:
    """Yield files in portions of a bounded number and size, at least one file each."""
    batch: list[Path] = []
    size = 0
    for file in files:
        length = file.stat().st_size
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
    if not parts.hostname or parts.username is not None or parts.query or parts.fragment:
        raise DeliveryError(
            f"destination {parts.scheme}://{parts.hostname or ''} is no address of a DICOMweb server",
            hint="write it such as https://host/dicom-web; user and password are options of the sender",
            kind="destination",
        )
    connect, read = given.number("connect-timeout"), given.number("read-timeout")
    count, size = given.number("batch-files", 10_000), given.number("batch-size", 10_000)
    auth = _auth(given)
    plain = given.yes("plain-http")
    if auth is not None and parts.scheme == "http" and not (plain or _is_local(parts.hostname)):
        given.complain(
            "credentials over http can be read by everybody on the way",
            "write https, or allow it: --sender-opt plain-http=yes",
        )
    ca, cert, key = (given.file(name) for name in ("ca", "cert", "key"))
    given.check()
    pair = (cert, key) if cert and key else cert
    url = destination.rstrip("/")
    return _Setup(url, connect, read, max(1, int(count)), size * _MEGABYTE, auth, ca, pair)


def _auth(given: Options) -> AuthBase | None:
    """Return how the user is made known."""
    user, password, token = given.text("user"), given.secret("password"), given.secret("token")
    if token is not None and (user or password is not None):
        given.complain("a token and a user are both given", "give one of them")
    if bool(user) != (password is not None) and not given.problems:
        given.complain("user and password belong together", "give user and password-file or password-env")
    if token is not None:
        return _Bearer(token)
    return HTTPBasicAuth(user.encode(), (password or "").encode()) if user else None


def _is_local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
