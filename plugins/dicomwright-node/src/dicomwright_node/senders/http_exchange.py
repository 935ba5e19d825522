"""One HTTP request with an end to every wait; nothing is followed, taken from the environment, or tried twice."""

from __future__ import annotations

import http.client
import ssl
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from dicomwright_node.senders.stow_answer import Answer, retry_after
from dicomwright_node.senders.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dicomwright_node.senders.multipart import Body

__all__ = ["NoAnswerError", "Server", "post"]

_LONGEST_ANSWER = 64_000_000
_REDIRECTS = range(300, 400)
#: What a path may hold as it is, besides letters and digits; a user may have written %20 or a blank.
_WRITTEN = "/%:@!$&'()*+,;="


class NoAnswerError(Exception):
    """A request ended without an answer.

    Attributes
    ----------
    sent : bool
        Whether anything of it may have arrived.

    """

    def __init__(self, message: str, *, sent: bool) -> None:
        super().__init__(message)
        self.sent = sent


@dataclass(frozen=True, slots=True)
class Server:
    """Where to, and how.

    Attributes
    ----------
    url : str
        The address of the service.
    connect : float
        Seconds for the connection.
    tls : ssl.SSLContext, optional
        None for plain http.

    """

    url: str
    connect: float
    tls: ssl.SSLContext | None

    def connection(self) -> http.client.HTTPConnection:
        """Return a connection that is not open yet."""
        parts = urlsplit(self.url)
        host = parts.hostname or ""
        if self.tls is None:
            return http.client.HTTPConnection(host, parts.port, timeout=self.connect)
        return http.client.HTTPSConnection(host, parts.port, timeout=self.connect, context=self.tls)


def post(server: Server, path: str, headers: Mapping[str, str], body: Body, seconds: float) -> Answer:
    """Send a body and return the answer.

    Parameters
    ----------
    server : Server
        Where to.
    path : str
        Below the address of the service.
    headers : mapping of str to str
        Without Content-Length.
    body : Body
        What to send.
    seconds : float
        For all of it, once there is a connection.

    Raises
    ------
    NoAnswerError
        There is no complete answer in time.

    """
    with closing(server.connection()) as connection, closing(body):
        try:
            connection.connect()
        except TimeoutError:
            text = f"no connection to {server.url} within {server.connect:g} s"
            raise NoAnswerError(text, sent=False) from None
        except OSError as error:
            raise NoAnswerError(f"no connection to {server.url}: {_reason(error)}", sent=False) from error
        watch = Watch(connection.sock, seconds)
        with watch:
            try:
                return _exchanged(
                    connection, quote(urlsplit(server.url).path, _WRITTEN) + path, headers, body
                )
            except (OSError, http.client.HTTPException) as error:
                why = f"within {seconds:.0f} s" if watch.barked else f"({_reason(error)})"
                raise NoAnswerError(f"no answer of {server.url} {why}", sent=body.started) from error


def _exchanged(
    connection: http.client.HTTPConnection, path: str, headers: Mapping[str, str], body: Body
) -> Answer:
    """Send and read; a server may answer before it has read everything."""
    with suppress(BrokenPipeError, ConnectionResetError):
        connection.request(
            "POST", path, body, {**headers, "Content-Length": str(len(body)), "Connection": "close"}
        )
    response = connection.getresponse()
    after = retry_after(response.getheader("Retry-After"))
    media_type = response.getheader("Content-Type", "").partition(";")[0].strip().lower()
    if response.status in _REDIRECTS:
        return Answer(response.status, f"a redirect to {_place(response)}", b"-", after)
    content = response.read(_LONGEST_ANSWER)
    if response.length or (response.length is None and len(content) == _LONGEST_ANSWER):
        text = "too long" if len(content) == _LONGEST_ANSWER else "cut off"
        raise http.client.HTTPException(f"the answer is {text}")
    return Answer(response.status, media_type, content, after)


def _place(response: http.client.HTTPResponse) -> str:
    """Return where a redirect leads, without what may be secret."""
    try:
        parts = urlsplit(response.getheader("Location", ""))
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "nowhere"
    return (
        f"{parts.scheme}://{parts.hostname}{port}{parts.path}" if parts.hostname else parts.path or "nowhere"
    )


def _reason(error: BaseException) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return text or type(error).__name__
