"""Unique identifiers: random ones, and ones derived from what is built.

All UIDs of dicomwright are below ``2.25.``, the root that PS3.5 B.2 gives to UUIDs.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["IMPLEMENTATION_CLASS_UID", "IMPLEMENTATION_VERSION_NAME", "DerivedUids", "gen_uid"]

#: Names this software in the file meta information (0002,0012). Fixed for ever, under 2.25.
IMPLEMENTATION_CLASS_UID = "2.25.216030215254465584105246463499949954333"
IMPLEMENTATION_VERSION_NAME = "DICOMWRIGHT_0_1"

_UUID4_BITS = (0xF << 76) | (0x3 << 62)
_UUID4_MARK = (0x4 << 76) | (0x2 << 62)
_BYTES = 16
_AT_ONCE = 64

#: Random numbers that no UID has yet: the system is asked for many at once. A forked process starts without any.
_unused: list[int] = []
os.register_at_fork(after_in_child=_unused.clear)


class DerivedUids:
    """UIDs that are a function of what is built, so that the same build gives the same UIDs.

    The seed holds patient data (parents, blueprint), so it goes once through scrypt: guessing a patient ID from
    a UID costs a guesser one such call for each try, besides knowing every pixel.

    Parameters
    ----------
    seed : callable
        Returns a digest of parents, blueprint and content; asked when the first UID is.

    """

    def __init__(self, seed: Callable[[], bytes]) -> None:
        self._seed = seed
        self._place = ""
        self._calls = 0

    @contextmanager
    def at(self, place: str) -> Iterator[None]:
        """Give the UIDs of one element of one instance, counted from its first."""
        self.move_to(place)
        token = _source.set(self)
        try:
            yield
        finally:
            _source.reset(token)

    def move_to(self, place: str) -> None:
        """Name the element and instance that the next UIDs belong to."""
        self._place, self._calls = place, 0

    @cached_property
    def _key(self) -> bytes:
        return hashlib.scrypt(self._seed(), salt=b"dicomwright.uids.1", n=2**14, r=8, p=1, dklen=32)

    def next(self) -> str:
        """Return the next UID of this place."""
        self._calls += 1
        text = f"{self._place}#{self._calls}".encode()
        digest = hashlib.sha256(self._key + text).digest()
        return _from_number(int.from_bytes(digest[:_BYTES], "big"))


_source: ContextVar[DerivedUids | None] = ContextVar("dicomwright_uid_source", default=None)


def gen_uid() -> str:
    """Return a new UID, valid under PS3.5 section 9.

    Examples
    --------
    >>> uid = gen_uid()
    >>> uid.startswith("2.25."), len(uid) <= 64
    (True, True)

    Within a build with ``uids="derived"`` the UID is a function of the parents, the blueprint, the content and
    the place in the series; otherwise it is random.

    Returns
    -------
    str
        ``2.25.`` and a version 4 UUID as a decimal number (PS3.5 B.2).

    """
    source = _source.get()
    return _from_number(_random_number()) if source is None else source.next()


def _random_number() -> int:
    """Return 128 bits that were never returned before."""
    while True:
        try:
            return _unused.pop()
        except IndexError:  # none left, or another thread was faster
            drawn = os.urandom(_AT_ONCE * _BYTES)
            _unused.extend(
                int.from_bytes(drawn[start : start + _BYTES], "big") for start in range(0, len(drawn), _BYTES)
            )


def _from_number(number: int) -> str:
    """Return the UID of 128 bits: a version 4 UUID."""
    return f"2.25.{number & ~_UUID4_BITS | _UUID4_MARK}"
