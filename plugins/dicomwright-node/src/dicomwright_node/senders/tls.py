"""Encrypted connections. The other side's certificate is always checked."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dicomwright_node.senders.settings import Options

__all__ = ["NAMES", "client_context"]

#: The options that are files.
NAMES = ("ca", "cert", "key")


def client_context(given: Options) -> ssl.SSLContext | None:
    """Return the context that the options ``ca``, ``cert`` and ``key`` describe; None if they cannot be used."""
    ca, cert, key = (given.file(name) for name in NAMES)
    if given.problems:
        return None
    if key is not None and cert is None:
        given.complain("option key is given without cert", "give the certificate, too")
        return None
    try:
        context = ssl.create_default_context(cafile=ca)
        context.verify_flags &= (
            ~ssl.VERIFY_X509_STRICT
        )  # since Python 3.13; many an authority of a hospital fails it
        if cert is not None:
            context.load_cert_chain(cert, key, _no_password)
    except OSError as error:
        given.complain(f"the certificates cannot be used: {error.strerror or error}")
        return None
    return context


def _no_password() -> str:
    """Stand where the library would ask at the terminal."""
    raise OSError("the key is encrypted, and nobody is asked for its password")
