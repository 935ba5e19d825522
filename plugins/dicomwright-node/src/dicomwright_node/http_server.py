"""One HTTP server for STOW-RS and the pages, in a thread of its own."""

from __future__ import annotations

import ssl
from threading import Thread
from typing import TYPE_CHECKING, Any

import uvicorn
from starlette.applications import Starlette
from starlette.routing import BaseRoute, Mount

from dicomwright.errors import DicomwrightError
from dicomwright_node.config import ConfigError
from dicomwright_node.http_connection import BoundedConnection
from dicomwright_node.receive.listener import listening
from dicomwright_node.receive.stow import Stow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dicomwright_node.config import HttpConfig, NodeConfig
    from dicomwright_node.receive.intake import Intake

__all__ = ["HttpServer"]


class HttpServer:
    """Serves routes, and STOW-RS below ``/dicom-web`` if the configuration says so.

    Parameters
    ----------
    config : NodeConfig
        Whole.
    intake : Intake
        Where instances go.
    routes : sequence of BaseRoute
        Of the pages.

    Raises
    ------
    ConfigError
        A certificate or the token file cannot be read.

    """

    def __init__(self, config: NodeConfig, intake: Intake, routes: Sequence[BaseRoute]) -> None:
        self._config = config.http
        self._stow = _stow(config, intake)
        mounted = [Mount("/dicom-web", routes=self._stow.routes())] if self._stow else []
        settings = uvicorn.Config(
            Starlette(routes=[*mounted, *routes]),
            log_config=None,
            access_log=False,
            lifespan="off",
            server_header=False,
            proxy_headers=False,  # who stands before the pages is on this machine, and that counts
            http=BoundedConnection,
            ws="none",
            timeout_graceful_shutdown=max(1, int(config.node.stop_seconds)),
            **_tls_files(config.http),
        )
        try:
            settings.load()
        except OSError as error:
            hint = "check tls_certificate, tls_key and tls_client_ca: PEM files that this user can read"
            raise ConfigError(f"[http] the certificate cannot be used ({error})", hint=hint) from error
        self._server = uvicorn.Server(settings)

    def start(self) -> int:
        """Listen; return the port.

        Raises
        ------
        ListenError
            The address is not to be had.

        """
        found = listening((self._config.host, self._config.port), "[http]")
        self._thread = Thread(target=self._server.run, kwargs={"sockets": [found]}, name="http", daemon=True)
        self._thread.start()
        port: int = found.getsockname()[1]
        return port

    def check(self) -> None:
        """Raise if the server died."""
        if not self._thread.is_alive():
            raise DicomwrightError("the HTTP server ended by itself", hint="see the log")

    def stop(self) -> None:
        """Accept nothing more, and let requests end."""
        self._server.should_exit = True

    def join(self) -> None:
        """Wait for the end."""
        self._thread.join()
        if self._stow is not None:
            self._stow.close()


def _stow(config: NodeConfig, intake: Intake) -> Stow | None:
    """Return the STOW-RS service, None if it is switched off."""
    if not config.stow.enabled:
        return None
    try:
        return Stow(intake, config.stow)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        message = f"[stow] token_file {config.stow.token_file} cannot be read ({reason})"
        raise ConfigError(message, hint="give a file whose first line is the token") from error


def _tls_files(config: HttpConfig) -> dict[str, Any]:
    """Return what uvicorn is told of TLS."""
    if config.tls_certificate is None:
        return {}
    given: dict[str, Any] = {"ssl_certfile": config.tls_certificate, "ssl_keyfile": config.tls_key}
    if config.tls_client_ca is not None:
        given |= {"ssl_ca_certs": str(config.tls_client_ca), "ssl_cert_reqs": ssl.CERT_REQUIRED}
    return given
