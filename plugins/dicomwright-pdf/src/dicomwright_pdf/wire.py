"""How a document's process is spoken to: a length, a JSON object, and the bytes that it announces."""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

__all__ = ["BEGINNING", "receive", "receive_into", "send", "wait_for_beginning"]

#: Comes before the first message, behind what Python or a site may print when it starts.
BEGINNING = b"\0dicomwright-pdf\0"

_LENGTH = struct.Struct(">I")
_LONGEST = 64 * 1024**2


def send(stream: BinaryIO, message: dict[str, Any], data: ReadableBuffer = b"") -> None:
    """Write a message, and the bytes that follow it."""
    view = memoryview(data).cast("B")
    text = json.dumps({**message, "bytes": len(view)}).encode()
    stream.write(_LENGTH.pack(len(text)))
    stream.write(text)
    if len(view):
        stream.write(view)
    stream.flush()


def receive(stream: BinaryIO) -> dict[str, Any]:
    """Return a message; the bytes that follow it are left in the stream.

    Raises
    ------
    EOFError
        The stream ends, or what comes is no message.

    """
    (length,) = _LENGTH.unpack(_exactly(stream, _LENGTH.size))
    if length > _LONGEST:
        raise EOFError(f"a message of {length} bytes")
    message: dict[str, Any] = json.loads(_exactly(stream, length))
    return message


def wait_for_beginning(stream: BinaryIO) -> None:
    """Read up to where messages begin.

    Raises
    ------
    EOFError
        The stream ends before.

    """
    read = b""
    while not read.endswith(BEGINNING):
        read = read[-len(BEGINNING) :] + _exactly(stream, 1)


def receive_into(stream: BinaryIO, buffer: WriteableBuffer) -> None:
    """Fill a buffer.

    Raises
    ------
    EOFError
        The stream ends before.

    """
    view = memoryview(buffer).cast("B")
    while len(view):
        count = stream.readinto(view)  # type: ignore[attr-defined]  # every binary stream of a file has it
        if not count:
            raise EOFError
        view = view[count:]


def _exactly(stream: BinaryIO, size: int) -> bytes:
    data = stream.read(size)
    if len(data) != size:
        raise EOFError
    return data
