"""``dicom://AET@host:port``."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from dicomwright.errors import DeliveryError
from dicomwright_node.senders.settings import is_host

__all__ = ["DicomAddress", "is_ae_title"]

_PORTS = {"dicom": 104, "dicom+tls": 2762}
_LONGEST_TITLE = 16


class DicomAddress(NamedTuple):
    """An application entity and where it listens.

    Attributes
    ----------
    title : str
        Its AE title.
    host : str
        Name or number.
    port : int
        104 (2762 with TLS) if it is not written.
    tls : bool
        Whether the connection is encrypted.

    """

    title: str
    host: str
    port: int
    tls: bool

    @classmethod
    def parse(cls, url: str) -> DicomAddress:
        """Return what a URL says.

        Examples
        --------
        >>> DicomAddress.parse("dicom://PACS@127.0.0.1:11112")
        DicomAddress(title='PACS', host='127.0.0.1', port=11112, tls=False)

        Raises
        ------
        DeliveryError
            It is no such URL.

        """
        parts = urlsplit(url)
        try:
            port = parts.port
        except ValueError:
            raise _wrong(url, "its port is no number from 1 to 65535") from None
        title = unquote(parts.username or "")
        if not parts.hostname:
            raise _wrong(url, "it has no host")
        if not is_host(parts.hostname):
            raise _wrong(url, "its host is no name or number")
        if not title:
            raise _wrong(url, "it has no AE title before @")
        if not is_ae_title(title):
            raise _wrong(url, "its AE title is not 1 to 16 characters of ASCII without a backslash")
        if parts.path.strip("/") or port == 0:
            raise _wrong(url, "its port is 0" if port == 0 else f"{parts.path} says nothing here")
        return cls(title, parts.hostname, port or _PORTS[parts.scheme], parts.scheme == "dicom+tls")

    def __str__(self) -> str:
        """Return it for messages."""
        return f"{self.title} at {self.host}:{self.port}"


def is_ae_title(text: str) -> bool:
    """Tell whether a text is an AE title (PS3.5 section 6.2).

    Examples
    --------
    >>> is_ae_title("PACS 2"), is_ae_title("A TITLE THAT IS TOO LONG"), is_ae_title("  ")
    (True, False, False)

    """
    plain = text.isascii() and text.isprintable() and "\\" not in text
    return plain and bool(text.strip()) and len(text) <= _LONGEST_TITLE


def _wrong(url: str, why: str) -> DeliveryError:
    return DeliveryError(
        f"destination {url}: {why}", hint="write it such as dicom://PACS@host:104", kind="destination"
    )
