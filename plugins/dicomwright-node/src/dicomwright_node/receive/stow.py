"""STOW-RS (PS3.18 section 10.5): instances in a multipart request, streamed to the disk."""

from __future__ import annotations

import asyncio
import hmac
import logging
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from dicomwright_node.receive.answers import Answer, Outcome, RefusedError
from dicomwright_node.receive.facts import is_uid
from dicomwright_node.receive.intake import Origin
from dicomwright_node.receive.multipart import Begin, Data, MultipartReader, media_type
from dicomwright_node.receive.part import Part
from dicomwright_node.receive.stow_answer import JSON, XML, Told, as_json, as_xml, http_status

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request

    from dicomwright_node.config import StowConfig
    from dicomwright_node.receive.intake import Intake

__all__ = ["Stow"]

_log = logging.getLogger("dicomwright_node.receive")
_CHUNK = 1024 * 1024
_DRAINED = 64 * 2**20
_IDLE_SECONDS = 60.0
_MOST_PARTS = 100_000


class _HttpError(Exception):
    """A request is refused as a whole."""

    def __init__(self, status: int, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers or {}


class Stow:
    """The STOW-RS service.

    Parameters
    ----------
    intake : Intake
        Where instances go.
    config : StowConfig
        Its limits and token.

    """

    def __init__(self, intake: Intake, config: StowConfig) -> None:
        self._intake = intake
        self._config = config
        self._token = _token(config)
        self._running = 0
        self._threads = ThreadPoolExecutor(config.max_requests, thread_name_prefix="stow")

    def routes(self) -> list[Route]:
        """Return the routes, to be mounted below ``/dicom-web``."""
        return [
            Route("/studies", self._store, methods=["POST"]),
            Route("/studies/{study}", self._store, methods=["POST"]),
        ]

    def close(self) -> None:
        """Stop the threads."""
        self._threads.shutdown(wait=True, cancel_futures=True)

    async def _store(self, request: Request) -> Response:
        """Answer one request."""
        try:
            reader, study = self._checked(request)
            self._running += 1
            try:
                told = await self._receive(request, reader, study)
            finally:
                self._running -= 1
        except _HttpError as error:
            await _drain(request)
            _log.warning(
                "STOW-RS request refused: %s", error, extra={"event": "stow-refused", "status": error.status}
            )
            return PlainTextResponse(f"{error}\n", status_code=error.status, headers=error.headers)
        except ClientDisconnect:
            return Response(status_code=400)
        return _answer(request, told)

    def _checked(self, request: Request) -> tuple[MultipartReader, str]:
        """Return a reader for the body, and the study that the path names, if the request may be served."""
        given = request.headers.get("authorization", "")
        if self._token and not hmac.compare_digest(given.encode("latin-1"), b"Bearer " + self._token):
            raise _HttpError(401, "a bearer token is needed", {"WWW-Authenticate": "Bearer"})
        study = request.path_params.get("study", "")
        if study and not is_uid(study):
            raise _HttpError(400, "the study of the path is not a UID")
        kind, parameters = media_type(request.headers.get("content-type", ""))
        if kind != "multipart/related" or parameters.get("type", "").lower() != "application/dicom":
            raise _HttpError(415, 'the body must be multipart/related; type="application/dicom"')
        if request.headers.get("content-encoding", "identity").lower() != "identity":
            raise _HttpError(415, "the body is compressed; send it as it is", {"Accept-Encoding": "identity"})
        if _declared(request) > self._config.max_request:
            raise _HttpError(413, f"the body may have {self._config.max_request} bytes")
        if self._running >= self._config.max_requests:
            raise _HttpError(503, "too many requests", {"Retry-After": "5"})
        try:
            self._intake.check_room()
            return MultipartReader(parameters.get("boundary", "")), study
        except RefusedError as error:
            raise _HttpError(507, str(error)) from error
        except ValueError as error:
            raise _HttpError(400, str(error)) from error

    async def _receive(self, request: Request, reader: MultipartReader, study: str) -> list[Told]:
        """Hand the body, chunk by chunk, to a thread."""
        peer = request.client.host if request.client else ""
        body = _Body(reader, self._intake, Origin("stow", "", "", peer), study)
        loop = asyncio.get_running_loop()
        total = 0
        try:
            async for chunk in _chunks(request):
                total += len(chunk)
                if total > self._config.max_request:
                    raise _HttpError(413, f"the body may have {self._config.max_request} bytes")
                await loop.run_in_executor(self._threads, body.take, chunk)
            return await loop.run_in_executor(self._threads, body.finish)
        except ValueError as error:
            raise _HttpError(400, str(error)) from error
        finally:
            body.discard()


class _Body:
    """The parts of one request. Used by one thread at a time."""

    def __init__(self, reader: MultipartReader, intake: Intake, origin: Origin, study: str) -> None:
        self._reader = reader
        self._intake = intake
        self._origin = origin
        self._study = study
        self._part: Part | None = None
        self._done: list[tuple[Part, Future[Answer] | Answer]] = []

    def take(self, chunk: bytes) -> None:
        """Take the next bytes of the body.

        Raises
        ------
        ValueError
            It is damaged.

        """
        for event in self._reader.feed(chunk):
            if isinstance(event, Begin):
                self._begin(event)
            elif self._part is None:
                continue
            elif isinstance(event, Data):
                self._part.take(event.data)
            else:
                self._done.append((self._part, self._part.finish()))
                self._part = None

    def finish(self) -> list[Told]:
        """Return what became of each part, after all that is stored is on disk.

        Raises
        ------
        ValueError
            The body is cut off, or has no parts.

        """
        if not self._reader.begun:
            raise ValueError("the boundary that the Content-Type names is not in the body")
        if not self._reader.complete:
            raise ValueError("the body is cut off")
        if not self._done:
            raise ValueError("the body has no parts")
        told = []
        for part, result in self._done:
            answer = result.result() if isinstance(result, Future) else result
            self._intake.tell(answer, part.size)
            if answer.outcome.value:
                extra = {
                    "event": "instance",
                    "outcome": answer.outcome.label,
                    "peer": self._origin.peer,
                }
                level = logging.INFO if answer.outcome is Outcome.SAME else logging.WARNING
                _log.log(level, "%s", answer.message, extra=extra)
            told.append(Told(part.sop_class, part.sop_instance, answer))
        return told

    def discard(self) -> None:
        """Forget a part that has not ended."""
        if self._part is not None:
            self._part.discard()

    def _begin(self, event: Begin) -> None:
        """Begin a part."""
        if len(self._done) >= _MOST_PARTS:
            raise ValueError(f"the body has more than {_MOST_PARTS} parts")
        self._part = Part(self._intake, self._origin, self._study)
        kind, _ = media_type(event.content_type)
        if event.content_type and kind != "application/dicom":
            self._part.refuse(
                Answer(Outcome.NOT_UNDERSTOOD, "a part of the request is not application/dicom")
            )


def _token(config: StowConfig) -> bytes:
    """Return the token that senders must give, empty if none."""
    if config.token_file is None:
        return b""
    token = config.token_file.read_bytes().split(b"\n")[0].strip()
    if not token:
        raise ValueError("its first line is empty")
    return token


def _declared(request: Request) -> int:
    """Return the length that the request declares, 0 if none."""
    text = request.headers.get("content-length", "")
    return int(text) if text.isascii() and text.isdigit() else 0


async def _chunks(request: Request) -> AsyncIterator[bytes]:
    """Yield the body in chunks that are worth a switch of threads."""
    held: list[bytes] = []
    size = 0
    stream = request.stream()
    while True:
        try:
            async with asyncio.timeout(_IDLE_SECONDS):
                chunk = await anext(stream, None)
        except TimeoutError as error:
            raise _HttpError(408, "nothing came in time") from error
        if chunk is not None:
            held.append(chunk)
            size += len(chunk)
        if size >= _CHUNK or chunk is None:
            yield b"".join(held)
            held, size = [], 0
        if chunk is None:
            return


async def _drain(request: Request) -> None:
    """Read some of a refused body: many clients look for an answer only after they sent it."""
    size = 0
    try:
        async with asyncio.timeout(_IDLE_SECONDS):
            async for chunk in request.stream():
                size += len(chunk)
                if size > _DRAINED:
                    return
    except (ClientDisconnect, RuntimeError, TimeoutError):
        return


def _answer(request: Request, told: list[Told]) -> Response:
    """Return the answer in the media type that is asked for; JSON if any will do."""
    asked = request.headers.get("accept", "")
    wants_xml = "xml" in asked and "json" not in asked
    body, kind = (as_xml(told), XML) if wants_xml else (as_json(told), JSON)
    return Response(body, status_code=http_status(told), media_type=kind)
