"""Who may see the pages, and what browsers may do with them."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import ipaddress
import secrets
from contextlib import nullcontext
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request
    from starlette.responses import Response

    from dicomwright_node.web.settings import WebSection

__all__ = ["Guard"]

_LONGEST_FORM = 4096
_FORM_SECONDS = 10.0
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Guard:
    """Lets requests through that come from a page of this node.

    Parameters
    ----------
    settings : WebSection
        Who may see the pages.
    host : str
        The address that the node listens on.

    """

    def __init__(self, settings: WebSection, host: str) -> None:
        self._settings = settings
        self._names = {"localhost", host.lower(), *(name.lower() for name in settings.hosts)}
        self._secret = secrets.token_bytes(32)

    def token(self, purpose: str) -> str:
        """Return what a form of ours holds; nobody else can know it."""
        return hmac.new(self._secret, purpose.encode(), hashlib.sha256).hexdigest()

    def protect(
        self, handler: Callable[[Request], Response], turns: asyncio.Semaphore | None = None
    ) -> Callable[[Request], Awaitable[Response]]:
        """Return a handler that is asked only what it may be asked, and whose answers browsers treat with care.

        With `turns`, requests wait for theirs without a thread, so that slow ones do not hold up the others.
        """

        async def guarded(request: Request) -> Response:
            refusal = self._refusal(request)
            if not refusal and request.method == "POST":
                refusal = await self._forged(request)
            if refusal:
                response: Response = PlainTextResponse(f"{refusal}\n", 403)
            else:
                async with turns or nullcontext():
                    response = await run_in_threadpool(handler, request)
            response.headers.update(_HEADERS)
            return response

        return guarded

    def _refusal(self, request: Request) -> str:
        """Say why a request is refused; empty if it is not."""
        client = request.client.host if request.client else ""
        if not self._settings.remote and not _is_loopback(client):
            return "pages are for this machine only; [web] remote opens them"
        if not self._is_ours(request.headers.get("host", "")):
            return "the node does not know itself by this name; [web] hosts adds one"
        return ""

    def _is_ours(self, host: str) -> bool:
        """Tell whether a Host header is an address or a name of ours: another one is a trick with DNS."""
        try:
            name = (urlsplit(f"//{host}").hostname or "").lower()
        except ValueError:
            return False
        return name in self._names or _is_address(name)

    async def _forged(self, request: Request) -> str:
        """Say why a form is not one of ours; empty if it is."""
        origin = request.headers.get("origin")
        if origin is not None and origin.partition("://")[2] != request.headers.get("host"):
            return "the form is of another site"
        if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return "the form is of another site"
        body = b""
        try:
            async with asyncio.timeout(_FORM_SECONDS):
                async for chunk in request.stream():
                    body += chunk
                    if len(body) > _LONGEST_FORM:
                        return "the form is too long"
        except TimeoutError:
            return "the form did not come in time"
        (token, *_) = parse_qs(body.decode("latin-1")).get("token", [""])
        if not hmac.compare_digest(token.encode(), self.token(request.url.path).encode()):
            return "the form is out of date: load the page again"
        return ""


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _is_loopback(client: str) -> bool:
    try:
        address = ipaddress.ip_address(client)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback
