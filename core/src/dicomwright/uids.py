"""Unique identifiers: random ones, and ones derived from what is built.

All UIDs of dicomwright are below ``2.25.``, the root that PS3.5 B.2 gives to UUIDs.
"""

from __future__ import annotations

import hashlib
import os
import uuid
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cached_property
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["IMPLEMENTATION_CLASS_UID", "IMPLEMENTATION_VERSION_NAME", "BuildUids", "gen_uid", "keyed"]

#: Names this software in the file meta information (0002,0012). Fixed for ever, under 2.25.
IMPLEMENTATION_CLASS_UID = "2.25.216030215254465584105246463499949954333"
IMPLEMENTATION_VERSION_NAME = "DICOMWRIGHT_0_1"

_UUID4_BITS = (0xF << 76) | (0x3 << 62)
_UUID4_MARK = (0x4 << 76) | (0x2 << 62)
_BYTES = 16


class BuildUids:
    """The UIDs of one build: a function of a key and of the place where they stand.

    An instance that is made twice, to be looked at and to be written, has the same UIDs both times.

    Parameters
    ----------
    key : callable
        Returns the key; asked when the first UID is.
    of_content : bool
        Whether the key follows from the pixels.

    """

    def __init__(self, key: Callable[[], bytes], *, of_content: bool = False) -> None:
        self._make_key = key
        self.of_content = of_content
        self._place = ""
        self._calls = 0

    @classmethod
    def random(cls) -> BuildUids:
        """Return UIDs that no other build has; within `keyed`, those of the key's next build."""
        if _sequence is not None:
            key = next(_sequence)
            return cls(lambda: key)
        return cls(lambda: os.urandom(2 * _BYTES))

    @classmethod
    def derived(cls, seed: Callable[[], bytes]) -> BuildUids:
        """Return UIDs that follow from a seed: a digest of parents, blueprint and content.

        The seed holds patient data, so it goes once through scrypt: guessing a patient ID from a UID costs a
        guesser one such call for each try, besides knowing every pixel.
        """
        return cls(
            lambda: hashlib.scrypt(seed(), salt=b"dicomwright.uids.1", n=2**14, r=8, p=1, dklen=32),
            of_content=True,
        )

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
        return self._make_key()

    def next(self) -> str:
        """Return the next UID of this place."""
        self._calls += 1
        text = f"{self._place}#{self._calls}".encode()
        digest = hashlib.sha256(self._key + text).digest()
        return _from_number(int.from_bytes(digest[:_BYTES], "big"))


_sequence: Iterator[bytes] | None = None  # the keys of the builds of this process, if a key is set
_source: ContextVar[BuildUids | None] = ContextVar("dicomwright_uid_source", default=None)


def gen_uid() -> str:
    """Return a new UID, valid under PS3.5 section 9.

    Examples
    --------
    >>> uid = gen_uid()
    >>> uid.startswith("2.25."), len(uid) <= 64
    (True, True)

    Within a build the UID belongs to its place in the series: an instance that is made again has the same. With
    ``uids="derived"`` it follows from the parents, the blueprint and the content, too; otherwise it is random.

    Returns
    -------
    str
        ``2.25.`` and a version 4 UUID as a decimal number (PS3.5 B.2).

    """
    source = _source.get()
    if source is not None:
        return source.next()
    if _sequence is not None:
        return _from_number(int.from_bytes(next(_sequence)[:_BYTES], "big"))
    return _from_number(uuid.uuid4().int)


@contextmanager
def keyed(key: bytes) -> Iterator[None]:
    """Have all UIDs that this process makes follow from a key and from their order, not from chance.

    For work that may be done again after a crash, and must not give its results other names then.

    Examples
    --------
    >>> def two():
    ...     with keyed(b"job 17"):
    ...         return gen_uid(), gen_uid()
    >>> two() == two(), len(set(two()))
    (True, 2)

    Parameters
    ----------
    key : bytes
        Another for each piece of work; nobody else can know it.

    """
    global _sequence  # noqa: PLW0603  # user code builds in threads of its own, too
    before = _sequence
    _sequence = (hashlib.sha256(key + b"#%d" % number).digest() for number in count(1))
    try:
        yield
    finally:
        _sequence = before


def _from_number(number: int) -> str:
    """Return the UID of 128 bits: a version 4 UUID."""
    return f"2.25.{number & ~_UUID4_BITS | _UUID4_MARK}"
