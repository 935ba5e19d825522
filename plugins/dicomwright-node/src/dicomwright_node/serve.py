"""The serving process: it starts and stops everything in the right order."""

from __future__ import annotations

import logging
import ssl
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

from dicomwright_node.config import ConfigError
from dicomwright_node.receive.association import Timeouts
from dicomwright_node.receive.intake import Intake
from dicomwright_node.receive.listener import Listener
from dicomwright_node.receive.negotiation import Policy
from dicomwright_node.store import Store, upkeep
from dicomwright_node.store.records import FINAL, JobState

if TYPE_CHECKING:
    from dicomwright_node.config import DimseConfig, NodeConfig
    from dicomwright_node.http_server import HttpServer
    from dicomwright_node.jobs.scheduler import Scheduler
    from dicomwright_node.pipeline import AbstractPipeline
    from dicomwright_node.stopping import Stop

__all__ = ["run"]

_log = logging.getLogger("dicomwright_node.serve")
_UPKEEP_SECONDS = 600.0
_LOOK_SECONDS = 1.0
_DAY = 86400.0
_DONE: frozenset[JobState] = frozenset({"done"})
_NO_JOBS: frozenset[JobState] = frozenset()


def run(pipeline: type[AbstractPipeline], config: NodeConfig, stop: Stop) -> None:
    """Serve until `stop` is set, then end in good order.

    Raises
    ------
    DicomwrightError
        The folder is in use, an address is not to be had, a certificate cannot be read, or a part of the node died.

    """
    from dicomwright_node.jobs.scheduler import Scheduler

    with ExitStack() as stack:
        store = Store.open(config.node.folder)
        stack.callback(store.close)
        stack.enter_context(store.files.lock())
        found = upkeep.recover(store.database, store.files)
        _log.info("store opened", extra={"event": "recovered", **_as_dict(found)})
        scheduler = Scheduler(store, pipeline, config)
        intake = Intake(store, config.limits, scheduler.wake)
        stack.callback(intake.close)
        listener, dimse_port = _listen(pipeline, config, intake)
        server, http_port = _web(pipeline, config, store, intake, scheduler)
        scheduler.start()
        extra = {
            "event": "ready",
            "dimse_port": dimse_port,
            "http_port": http_port,
            "pipeline": pipeline.__name__,
        }
        _log.info("ready", extra=extra)
        try:
            _wait(store, config, stop, server)
        finally:
            _stop(config.node.stop_seconds, listener, server, scheduler)
    _log.info("stopped", extra={"event": "stopped"})


def _as_dict(found: upkeep.Recovered) -> dict[str, int]:
    """Return what a recovery found, for the log."""
    return {
        "jobs_again": found.jobs,
        "jobs_failed": found.failed_jobs,
        "deliveries_again": found.deliveries,
        "files_removed": found.files,
    }


def _listen(
    pipeline: type[AbstractPipeline], config: NodeConfig, intake: Intake
) -> tuple[Listener | None, int | None]:
    """Start to receive by C-STORE, if the configuration says so."""
    dimse = config.dimse
    if not dimse.enabled:
        return None, None
    title = config.node.ae_title or pipeline.ae_title
    host = dimse.host or pipeline.ip
    port = pipeline.port if dimse.port is None else dimse.port
    policy = Policy.make(
        dimse.called_ae_titles or [title], dimse.calling_ae_titles, dimse.transfer_syntaxes, dimse.max_pdu
    )
    timeouts = Timeouts(dimse.request_seconds, dimse.idle_seconds)
    listener = Listener((host, port), intake, policy, timeouts, dimse.max_associations, _tls(dimse))
    return listener, listener.start()


def _tls(config: DimseConfig) -> ssl.SSLContext | None:
    """Return the TLS context of the DIMSE port, None without a certificate."""
    if config.tls_certificate is None or config.tls_key is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(config.tls_certificate, config.tls_key)
        if config.tls_client_ca is not None:
            context.load_verify_locations(config.tls_client_ca)
            context.verify_mode = ssl.CERT_REQUIRED
    except OSError as error:
        hint = "check tls_certificate, tls_key and tls_client_ca: PEM files that this user can read"
        raise ConfigError(f"[dimse] the certificate cannot be used ({_reason(error)})", hint=hint) from error
    return context


def _reason(error: OSError) -> str:
    """Return why a file of TLS cannot be used."""
    return str(getattr(error, "reason", None) or error.strerror or error)


def _web(
    pipeline: type[AbstractPipeline], config: NodeConfig, store: Store, intake: Intake, scheduler: Scheduler
) -> tuple[HttpServer | None, int | None]:
    """Start to serve by HTTP, if the configuration says so."""
    if not config.http.enabled:
        return None, None
    from dicomwright_node.http_server import HttpServer
    from dicomwright_node.web import routes

    server = HttpServer(config, intake, routes(store, pipeline, config, scheduler, intake.counts))
    return server, server.start()


def _wait(store: Store, config: NodeConfig, stop: Stop, server: HttpServer | None) -> None:
    """Wait for the end; remove now and then what is old."""
    due = time.monotonic()
    while not stop.wait(_LOOK_SECONDS):
        if server is not None:
            server.check()
        if time.monotonic() >= due:
            _retain(store, config)
            due = time.monotonic() + _UPKEEP_SECONDS


def _retain(store: Store, config: NodeConfig) -> None:
    """Remove what the retention of the configuration says, by times that can be."""
    keep, now = config.retention, time.time()
    try:
        if mended := upkeep.mend_times(store.database):
            _log.warning("the clock was ahead", extra={"event": "clock", "rows": mended})
        for days, states, unwanted in (
            (keep.done_days, _DONE, False),
            (keep.failed_days, FINAL - _DONE, False),
            (keep.unwanted_days, _NO_JOBS, True),
        ):
            if days:
                gone = upkeep.purge(
                    store.database, store.files, before=now - days * _DAY, states=states, unwanted=unwanted
                )
                if gone.jobs or gone.instances:
                    _log.info(
                        "old data removed",
                        extra={"event": "purged", "jobs": gone.jobs, "instances": gone.instances},
                    )
    except Exception:  # noqa: BLE001  # told, and tried again
        _log.exception("old data could not be removed", extra={"event": "purge-failed"})


def _stop(seconds: float, listener: Listener | None, server: HttpServer | None, scheduler: Scheduler) -> None:
    """End the parts, those first that bring new work."""
    _log.info("stopping", extra={"event": "stopping", "seconds": seconds})
    end = time.monotonic() + seconds
    if server is not None:
        server.stop()
    if listener is not None:
        listener.stop(max(0.0, end - time.monotonic()))
    scheduler.stop(max(0.0, end - time.monotonic()))
    if server is not None:
        server.join()
