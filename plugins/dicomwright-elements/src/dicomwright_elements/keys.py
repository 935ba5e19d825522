"""Secret keys: they come from the environment or a file, never from a blueprint."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import stat
import unicodedata
from pathlib import Path

__all__ = ["MIN_KEY", "check_place", "digest", "read_key"]

#: Shortest key, in bytes.
MIN_KEY = 16
_MAX_KEY = 4096
_ENV = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]*")


def check_place(place: str) -> str:
    """Say what is wrong with ``env:NAME`` or ``file:/PATH``; an empty text if nothing is.

    Examples
    --------
    >>> check_place("env:SITE_KEY"), check_place("secret")[:30]
    ('', 'it is neither env:NAME nor fil')

    """
    if _ENV.fullmatch(place):
        return ""
    if not place.startswith("file:"):
        return "it is neither env:NAME nor file:/PATH; the key itself never stands in a blueprint"
    path = place.removeprefix("file:")
    if "\0" in path or not path.startswith(("/", "~/")):
        return "the path of a key begins with / or ~/"
    return ""


def read_key(place: str) -> bytes:
    """Return the key of a place.

    Raises
    ------
    ValueError
        There is none, or it is too short.

    """
    where, _, name = place.partition(":")
    key = _of_environment(name) if where == "env" else _of_file(Path(name).expanduser())
    if len(key) < MIN_KEY:
        msg = f"the key in {place} has {len(key)} bytes, fewer than the {MIN_KEY} that keep it secret"
        raise ValueError(msg)
    return key


def digest(key: bytes, purpose: str, text: str) -> bytes:
    """Return 32 bytes that follow from a key and a text, and tell neither."""
    plain = unicodedata.normalize("NFC", text.strip(" \0"))
    return hmac.new(key, f"dicomwright-elements/1/{purpose}\0{plain}".encode(), hashlib.sha256).digest()


def _of_environment(name: str) -> bytes:
    value = os.environ.get(name, "")
    if not value.strip():
        msg = f"there is no key: the environment variable {name} is not set"
        raise ValueError(msg)
    return os.fsencode(value.strip())


def _of_file(path: Path) -> bytes:
    """Read a small regular file; a FIFO is never waited for."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                msg = f"there is no key: {path} is not a regular file"
                raise ValueError(msg)
            with open(descriptor, "rb", closefd=False) as stream:
                key = stream.read(_MAX_KEY + 1)
        finally:
            os.close(descriptor)
    except OSError as error:
        msg = f"there is no key: {path} cannot be read: {error.strerror}"
        raise ValueError(msg) from None
    if len(key) > _MAX_KEY:
        msg = f"the key in {path} has more than {_MAX_KEY} bytes"
        raise ValueError(msg)
    return key.strip(b" \t\r\n")
