"""How an instance becomes a file in each transfer syntax (PS3.5 annex A).

The engine makes explicit VR little endian. Encapsulated pixels stand in the same encoding, without a length; for
the other two the elements are encoded again.
"""

from __future__ import annotations

import struct
import zlib
from typing import Any

from dicomwright.engine.bulk import groups_of

__all__ = ["DEFLATED", "EXPLICIT_LE", "IMPLICIT_LE", "UNDEFINED", "file_buffers", "implicit"]

EXPLICIT_LE = "1.2.840.10008.1.2.1"
IMPLICIT_LE = "1.2.840.10008.1.2"
DEFLATED = "1.2.840.10008.1.2.1.99"
#: The length of a value that ends with a delimiter.
UNDEFINED = 0xFFFFFFFF

_DELIMITER = b"\xfe\xff\xdd\xe0\0\0\0\0"
_ITEM = b"\xfe\xff\x00\xe0"
_META_LENGTH_AT = 140  # preamble, prefix, and the header of (0002,0000)
_LONG_VRS = frozenset(
    {b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"}
)


def file_buffers(syntax: str, start: bytes, head: bytes, data: Any) -> list[Any]:
    """Return the buffers that make a file.

    Parameters
    ----------
    syntax : str
        UID of the transfer syntax.
    start : bytes
        Preamble, file meta information, and all elements but the bulk element in explicit VR little endian.
    head : bytes
        The header of the bulk element; empty if there is none.
    data : bytes-like or BulkParts
        Its value; fragments without the delimiter behind them if its length is undefined.

    """
    pad = b"\0" * (len(data) % 2)
    if syntax == IMPLICIT_LE:
        meta, elements = _parted(start)
        bulk = head[:4] + struct.pack("<I", len(data) + len(pad)) if head else b""
        return [meta + implicit(elements) + bulk, data, pad]
    if syntax == DEFLATED:
        meta, elements = _parted(start)
        return [meta, *_deflated([elements + head, data, pad])]
    ends_with = _DELIMITER if head[8:12] == b"\xff\xff\xff\xff" else pad
    return [start + head, data, ends_with] if ends_with else [start + head, data]


def implicit(elements: bytes) -> bytes:
    """Return elements of explicit VR little endian in implicit VR little endian.

    Sequences and items have defined lengths, as the engine writes them.
    """
    view, at = memoryview(elements), 0
    parts: list[bytes | memoryview] = []
    while at < len(view):
        vr = bytes(view[at + 4 : at + 6])
        start = at + (12 if vr in _LONG_VRS else 8)
        length = int.from_bytes(view[at + 8 if vr in _LONG_VRS else at + 6 : start], "little")
        value: bytes | memoryview = view[start : start + length]
        if vr == b"SQ":
            value = _implicit_items(value)
        parts += [view[at : at + 4], struct.pack("<I", len(value)), value]
        at = start + length
    return b"".join(parts)


def _implicit_items(items: bytes | memoryview) -> bytes:
    """Return the items of a sequence with their elements in implicit VR."""
    parts, at = [], 0
    while at < len(items):
        length = int.from_bytes(items[at + 4 : at + 8], "little")
        content = implicit(bytes(items[at + 8 : at + 8 + length]))
        parts += [_ITEM, struct.pack("<I", len(content)), content]
        at += 8 + length
    return b"".join(parts)


def _parted(start: bytes) -> tuple[bytes, bytes]:
    """Return what stands before the dataset, and the dataset."""
    end = _META_LENGTH_AT + 4 + int.from_bytes(start[_META_LENGTH_AT : _META_LENGTH_AT + 4], "little")
    return start[:end], start[end:]


def _deflated(buffers: list[Any]) -> list[bytes]:
    """Return buffers deflated (PS3.5 A.5), padded to even length."""
    deflate = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    parts = [*(deflate.compress(buffer) for group in groups_of(buffers) for buffer in group), deflate.flush()]
    return [*parts, b"\0"] if sum(map(len, parts)) % 2 else parts
