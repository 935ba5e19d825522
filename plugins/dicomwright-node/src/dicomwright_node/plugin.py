"""What this distribution provides. Imports nothing heavy: network code loads with the first command that needs it."""

from __future__ import annotations

from dicomwright.plugins import CommandSpec, OptionSpec, SenderSpec, hookimpl

__all__ = ["dicomwright_commands", "dicomwright_senders"]

_TLS = (
    OptionSpec(name="ca", summary="a file with the certificates to trust, instead of those of the system"),
    OptionSpec(name="cert", summary="a file with our own certificate"),
    OptionSpec(name="key", summary="a file with its key, if that is not in cert"),
)

_SENDERS = (
    SenderSpec(
        name="dicom",
        summary="C-STORE to dicom://AET@host:port, dicom+tls:// for TLS",
        target="dicomwright_node.senders.dicom:DicomSender",
        schemes=("dicom", "dicom+tls"),
        options=(
            OptionSpec(name="calling-aet", summary="our AE title", default="DICOMWRIGHT"),
            OptionSpec(name="echo", summary="yes: ask with C-ECHO first", default="no"),
            OptionSpec(
                name="transcode",
                summary="no: refuse instead of decompressing for a peer that takes only uncompressed images",
                default="yes",
            ),
            OptionSpec(name="connect-timeout", summary="seconds for the connection", default="10"),
            OptionSpec(name="acse-timeout", summary="seconds for the answer to an association", default="30"),
            OptionSpec(
                name="dimse-timeout",
                summary="seconds for the answer to an instance, besides one for each 100 kB of it",
                default="60",
            ),
            OptionSpec(
                name="network-timeout", summary="seconds that an association may be idle", default="120"
            ),
            OptionSpec(name="commitment", summary="yes: ask for storage commitment", default="no"),
            OptionSpec(
                name="commitment-listen",
                summary="HOST:PORT where the peer reports commitment; on the same association if not given",
            ),
            OptionSpec(
                name="commitment-timeout", summary="seconds for the report of commitment", default="60"
            ),
            OptionSpec(name="tls-name", summary="the name in the peer's certificate, if it is not the host"),
            *_TLS,
        ),
    ),
    SenderSpec(
        name="dicomweb",
        summary="STOW-RS to https://host/dicom-web",
        target="dicomwright_node.senders.dicomweb:DicomWebSender",
        schemes=("https", "http"),
        options=(
            OptionSpec(name="user", summary="user for basic authentication"),
            OptionSpec(name="password-file", summary="a file with the password"),
            OptionSpec(name="password-env", summary="the environment variable with the password"),
            OptionSpec(name="token-file", summary="a file with a bearer token"),
            OptionSpec(name="token-env", summary="the environment variable with a bearer token"),
            OptionSpec(name="plain-http", summary="yes: send credentials without TLS, too", default="no"),
            OptionSpec(name="batch-files", summary="most instances in one request", default="32"),
            OptionSpec(name="batch-size", summary="most megabytes in one request", default="64"),
            OptionSpec(name="connect-timeout", summary="seconds for the connection", default="10"),
            OptionSpec(
                name="read-timeout",
                summary="seconds for the answer to a request, besides one for each 100 kB of it",
                default="60",
            ),
            *_TLS,
        ),
    ),
)


@hookimpl
def dicomwright_commands() -> list[CommandSpec]:
    """Give the command group of the node."""
    return [
        CommandSpec(
            name="node",
            summary="Receive series, run a pipeline on them, send the result on.",
            target="dicomwright_node.cli.group:node",
        )
    ]


@hookimpl
def dicomwright_senders() -> tuple[SenderSpec, ...]:
    """Give C-STORE and STOW-RS."""
    return _SENDERS
