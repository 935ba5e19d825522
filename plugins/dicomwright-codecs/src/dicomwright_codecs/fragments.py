"""Encapsulated pixel data (PS3.5 A.4): a Basic Offset Table, and one fragment for each frame."""

from __future__ import annotations

import mmap
import struct
import tempfile
from typing import TYPE_CHECKING, Any, Final

from dicomwright.engine.bulk import BulkParts
from dicomwright.errors import BlueprintError, PublishError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["encapsulated"]

_ITEM: Final = b"\xfe\xff\x00\xe0"
_HEAD: Final = 8
_LARGEST: Final = 0xFFFFFFFF
_IN_MEMORY: Final = 2**26  # bytes; longer values go through a nameless temporary file, which is mapped


def encapsulated(streams: Iterable[bytes], count: int) -> Any:
    """Return the fragments of an instance, without the delimiter behind them.

    The table in front needs the lengths of all fragments, and the ratio in the header of lossy images needs them
    even earlier. So the compressed frames, which are small, are collected; the pixels never are. A single frame is
    not copied.

    Examples
    --------
    >>> bytes(encapsulated([b"abc", b"de"], 2)).hex(" ", -4)
    'feff00e0 08000000 00000000 0c000000 feff00e0 04000000 61626300 feff00e0 02000000 6465'

    Parameters
    ----------
    streams : iterable of bytes
        The code stream of each frame.
    count : int
        Number of frames.

    Raises
    ------
    BlueprintError
        The fragments are longer than the table can say.
    PublishError
        There is no room for them.

    """
    if count == 1:
        return _alone(next(iter(streams)))
    try:
        return _collected(streams, count)
    except OSError as error:
        raise PublishError(
            f"the compressed frames do not fit into {tempfile.gettempdir()}: {error.strerror or error}",
            hint="nothing was published; free space there, or set TMPDIR to another folder",
            kind="disk",
        ) from error


def _collected(streams: Iterable[bytes], count: int) -> Any:
    """Return a table, and the frames behind it."""
    with tempfile.SpooledTemporaryFile(_IN_MEMORY, prefix="dicomwright-") as target:
        table = b"\0" * 4 * count
        target.write(_ITEM + struct.pack("<I", len(table)) + table)
        offsets = []
        first = at = target.tell()
        for stream in streams:
            offsets.append(at - first)
            for part in _item(stream):
                target.write(part)
            at = target.tell()
        if offsets[-1] > _LARGEST:
            raise BlueprintError(
                f"the compressed frames take {at:,} bytes, and a Basic Offset Table counts to {_LARGEST:,}",
                hint="write an instance for each image",
                kind="too-large",
            )
        target.seek(_HEAD)
        target.write(struct.pack(f"<{count}I", *offsets))
        if at <= _IN_MEMORY:
            target.seek(0)
            return target.read()
        target.flush()
        return mmap.mmap(target.fileno(), 0, access=mmap.ACCESS_READ)


def _item(stream: bytes) -> tuple[bytes, bytes, bytes]:
    """Return the fragment of a code stream: its header, itself, and what makes its length even."""
    pad = b"\0" * (len(stream) % 2)
    return _ITEM + struct.pack("<I", len(stream) + len(pad)), stream, pad


def _alone(stream: bytes) -> BulkParts:
    """Return a table of one frame, which begins at zero, and the frame."""
    header, stream, pad = _item(stream)
    start = _ITEM + struct.pack("<II", 4, 0) + header
    parts = [part for part in (start, stream, pad) if part]
    return BulkParts(parts, sum(map(len, parts)))
