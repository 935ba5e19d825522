"""The node's configuration: one TOML file, typed, every entry with a default."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from dicomwright.errors import DicomwrightError, Problem
from dicomwright_node.config_values import values_of
from dicomwright_node.jobs.settings import DeliverySection, JobsSection
from dicomwright_node.web.settings import WebSection

__all__ = [
    "ConfigError",
    "DimseConfig",
    "HttpConfig",
    "LimitsConfig",
    "LoggingConfig",
    "NodeConfig",
    "NodeSection",
    "RetentionConfig",
    "StowConfig",
    "load",
]

_LARGEST_FILE = 256 * 1024
_GIB = 2**30


class ConfigError(DicomwrightError):
    """The configuration of the node is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeSection:
    """``[node]``.

    Attributes
    ----------
    folder : Path
        Where the node keeps everything. Relative to the configuration file.
    ae_title : str or None
        Its AE title; the pipeline's if not given.
    stop_seconds : float
        How long associations and jobs may go on after the signal to stop.

    """

    folder: Annotated[Path, "path"] = Path("node")
    ae_title: Annotated[str | None, "ae"] = None
    stop_seconds: Annotated[float, "seconds"] = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DimseConfig:
    """``[dimse]``: receiving by C-STORE.

    Attributes
    ----------
    enabled : bool
        Whether the node listens at all.
    host : str or None
        The address to listen on; the pipeline's ``ip`` if not given, else 127.0.0.1.
    port : int or None
        The pipeline's ``port`` if not given, else 11112. 0: a free one, told in the log.
    called_ae_titles : tuple of str
        By which AE titles the node may be called; its own if not given. ``["*"]``: by any.
    calling_ae_titles : tuple of str
        Which AE titles may call; any if not given.
    transfer_syntaxes : tuple of str
        UIDs of those to accept; all that are in PS3.6 if not given.
    max_associations : int
        How many at once.
    max_pdu : int
        The longest PDU that is announced to a sender, in bytes.
    request_seconds, idle_seconds : float
        How long to wait for an association request, and for anything after it.
    tls_certificate, tls_key : Path or None
        PEM files. With them, only TLS is spoken.
    tls_client_ca : Path or None
        PEM file of the authorities whose certificates a sender must have.

    """

    enabled: Annotated[bool, "bool"] = True
    host: Annotated[str | None, "host"] = None
    port: Annotated[int | None, "port"] = None
    called_ae_titles: Annotated[tuple[str, ...], "ae-list"] = ()
    calling_ae_titles: Annotated[tuple[str, ...], "ae-list"] = ()
    transfer_syntaxes: Annotated[tuple[str, ...], "uid-list"] = ()
    max_associations: Annotated[int, "count"] = 100
    max_pdu: Annotated[int, "pdu"] = 256 * 1024
    request_seconds: Annotated[float, "patience"] = 30.0
    idle_seconds: Annotated[float, "patience"] = 60.0
    tls_certificate: Annotated[Path | None, "path"] = None
    tls_key: Annotated[Path | None, "path"] = None
    tls_client_ca: Annotated[Path | None, "path"] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpConfig:
    """``[http]``: the server of STOW-RS, the pages, health and metrics.

    Attributes
    ----------
    enabled : bool
        Whether the node listens at all.
    host : str
        The address to listen on.
    port : int
        0: a free one, told in the log.
    tls_certificate, tls_key, tls_client_ca : Path or None
        As of ``[dimse]``.

    """

    enabled: Annotated[bool, "bool"] = True
    host: Annotated[str, "host"] = "127.0.0.1"
    port: Annotated[int, "port"] = 8080
    tls_certificate: Annotated[Path | None, "path"] = None
    tls_key: Annotated[Path | None, "path"] = None
    tls_client_ca: Annotated[Path | None, "path"] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StowConfig:
    """``[stow]``: receiving by STOW-RS, at ``/dicom-web``.

    Attributes
    ----------
    enabled : bool
        Whether the node receives so.
    token_file : Path or None
        A file whose first line a sender must give as bearer token.
    max_requests : int
        How many at once; more are answered with 503.
    max_request : int
        The longest body of a request, in bytes.

    """

    enabled: Annotated[bool, "bool"] = True
    token_file: Annotated[Path | None, "path"] = None
    max_requests: Annotated[int, "count"] = 20
    max_request: Annotated[int, "size"] = 16 * _GIB


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitsConfig:
    """``[limits]``: how much is received.

    Attributes
    ----------
    max_instance : int
        The largest instance, in bytes.
    min_free : int
        How many bytes of the disk stay free: before it has less, nothing more is received.
    max_stored : int
        The most bytes that the node keeps; 0: as many as the disk has.

    """

    max_instance: Annotated[int, "size"] = 2 * _GIB
    min_free: Annotated[int, "size"] = _GIB
    max_stored: Annotated[int, "size"] = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionConfig:
    """``[retention]``: when jobs are removed, with their instances and outputs. 0: never.

    Attributes
    ----------
    done_days, failed_days : float
        After a job is done; after it failed, timed out or was discarded.
    unwanted_days : float
        After an instance arrived that no job wants.

    """

    done_days: Annotated[float, "days"] = 7.0
    failed_days: Annotated[float, "days"] = 30.0
    unwanted_days: Annotated[float, "days"] = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggingConfig:
    """``[logging]``: one JSON object a line.

    Attributes
    ----------
    level : str
        ``"debug"``, ``"info"``, ``"warning"`` or ``"error"``.
    file : Path or None
        Where to; standard error if not given.
    log_phi : bool
        Whether lines may hold patient data.

    """

    level: Annotated[str, "level"] = "info"
    file: Annotated[Path | None, "path"] = None
    log_phi: Annotated[bool, "bool"] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeConfig:
    """The whole configuration.

    Examples
    --------
    >>> NodeConfig().limits.max_instance
    2147483648

    Attributes
    ----------
    node, dimse, http, stow, limits, retention, jobs, delivery, web, logging
        The sections.

    """

    node: NodeSection = field(default_factory=NodeSection)
    dimse: DimseConfig = field(default_factory=DimseConfig)
    http: HttpConfig = field(default_factory=HttpConfig)
    stow: StowConfig = field(default_factory=StowConfig)
    limits: LimitsConfig = field(default_factory=LimitsConfig)
    retention: RetentionConfig = field(default_factory=RetentionConfig)
    jobs: JobsSection = field(default_factory=JobsSection)
    delivery: DeliverySection = field(default_factory=DeliverySection)
    web: WebSection = field(default_factory=WebSection)
    logging: LoggingConfig = field(default_factory=LoggingConfig)


def load(path: Path) -> NodeConfig:
    r"""Read a configuration file.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder, "node.toml")
    ...     _ = file.write_text('[limits]\nmax_instance = "512MiB"\n')
    ...     load(file).limits.max_instance
    536870912

    Raises
    ------
    ConfigError
        It cannot be read, or has wrong entries: all of them are told.

    """
    document = _read(path)
    problems: list[Problem] = []
    config = NodeConfig(**values_of(NodeConfig, document, path.absolute().parent, problems))
    problems += _together(config)
    if problems:
        raise ConfigError.collect(
            Problem(one.message, hint=one.hint, loc=str(path), kind="config") for one in problems
        )
    return config


def _read(path: Path) -> dict[str, Any]:
    """Return the document, of bounded size."""
    try:
        with path.open("rb") as file:
            text = file.read(_LARGEST_FILE + 1)
        if len(text) > _LARGEST_FILE:
            raise ConfigError(
                f"{path} is longer than {_LARGEST_FILE} bytes", hint="give a configuration of a node"
            )
        return tomllib.loads(text.decode("utf-8-sig"))
    except OSError as error:
        hint = "check the path; without --config, defaults are used"
        raise ConfigError(f"{path} cannot be read ({error.strerror})", hint=hint) from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigError(f"{path} is not TOML: {error}", hint="see the reference of node.toml") from error


def _together(config: NodeConfig) -> list[Problem]:
    """Return what is wrong with entries only together."""
    found = []
    for name, section in (("dimse", config.dimse), ("http", config.http)):
        if (section.tls_certificate is None) != (section.tls_key is None):
            found.append(
                Problem(f"[{name}] has one of tls_certificate and tls_key", hint="give both, or none")
            )
        elif section.tls_client_ca is not None and section.tls_certificate is None:
            found.append(
                Problem(f"[{name}] has tls_client_ca without a certificate", hint="give tls_certificate, too")
            )
        elif section.tls_key is not None and _is_locked(section.tls_key):
            message = f"[{name}] tls_key has a pass phrase, and nobody is there to type it"
            found.append(Problem(message, hint="give a key without one that only the node's user can read"))
    return found


def _is_locked(key: Path) -> bool:
    """Tell whether a private key is encrypted; what is no file is told where it is used."""
    try:
        return key.is_file() and b"ENCRYPTED" in key.read_bytes()
    except OSError:
        return False
