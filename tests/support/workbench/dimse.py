"""A C-STORE user of our own, on a bare socket: it can break every rule, and leaves nothing behind when cut off."""

from __future__ import annotations

import socket
import struct
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

__all__ = [
    "ABORT",
    "ACCEPT",
    "REJECT",
    "RawSender",
    "command_set",
    "pdu",
    "request_pdu",
    "status_of",
    "value",
]

ACCEPT, REJECT, DATA, RELEASE, RELEASED, ABORT = 2, 3, 4, 5, 6, 7
CT = "1.2.840.10008.5.1.4.1.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"


def request_pdu(called: str = "NODE", syntax: str = EXPLICIT) -> bytes:
    """Return an association request for CT images, in one transfer syntax."""

    def item(kind: int, data: bytes) -> bytes:
        return struct.pack(">BxH", kind, len(data)) + data

    context = b"\1\0\0\0" + item(0x30, CT.encode()) + item(0x40, syntax.encode())
    user = item(0x51, struct.pack(">L", 16384)) + item(0x52, b"1.2.3")
    items = item(0x10, b"1.2.840.10008.3.1.1.1") + item(0x20, context) + item(0x50, user)
    return pdu(1, b"\0\1\0\0" + called.ljust(16).encode() + b"RAW".ljust(16) + bytes(32) + items)


def pdu(kind: int, body: bytes) -> bytes:
    """Return a PDU."""
    return struct.pack(">BxL", kind, len(body)) + body


def value(data: bytes, control: int, context: int = 1) -> bytes:
    """Return a presentation data value; control 1: command, 2: last."""
    return struct.pack(">LBB", len(data) + 2, context, control) + data


def command_set(
    sop_class: str = CT, sop_instance: str = "2.25.77.1", field: int = 1, dataset: int = 1, message: int = 1
) -> bytes:
    """Return the command set of a request, without its group length."""
    elements = [(0x0002, sop_class.encode()), (0x0100, struct.pack("<H", field))]
    elements += [(0x0110, struct.pack("<H", message)), (0x0800, struct.pack("<H", dataset))]
    elements += [(0x1000, sop_instance.encode("latin-1"))]
    return b"".join(
        struct.pack("<HHL", 0, number, len(data) + len(data) % 2) + data + bytes(len(data) % 2)
        for number, data in elements
    )


def status_of(body: bytes) -> tuple[int, str]:
    """Return status and comment of an answer, given as the body of its data PDU."""
    answer = body[6:]
    at = answer.index(struct.pack("<HHL", 0, 0x0900, 2))
    status = int.from_bytes(answer[at + 8 : at + 10], "little")
    comment = answer.find(struct.pack("<HH", 0, 0x0902))
    size = int.from_bytes(answer[comment + 4 : comment + 8], "little")
    return status, "" if comment < 0 else answer[comment + 8 : comment + 8 + size].decode().strip()


class RawSender:
    """One connection, associated unless told otherwise.

    Parameters
    ----------
    port : int
        Of the node, on this machine.
    associate : bool
        Whether to ask for an association, and check that it is accepted.

    """

    def __init__(self, port: int, *, associate: bool = True) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if associate:
            try:
                self._associate()
            except BaseException:
                self.socket.close()
                raise

    def _associate(self) -> None:
        """Ask for an association."""
        self.send(request_pdu())
        kind, _ = self.answer()
        if kind != ACCEPT:
            raise ConnectionError(f"the association was answered with a PDU of type {kind}")

    def __enter__(self) -> Self:
        """Return the connection."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it without a word."""
        self.socket.close()

    def send(self, data: bytes) -> None:
        """Send bytes."""
        self.socket.sendall(data)

    def answer(self) -> tuple[int, bytes]:
        """Return type and body of the next PDU, (0, b"") at the end."""
        head = self._read(6)
        return (head[0], self._read(int.from_bytes(head[2:], "big"))) if head else (0, b"")

    def store(self, dataset: Dataset) -> int | None:
        """Send an instance in explicit VR; return its status, None if no answer comes."""
        from pynetdicom.dsutils import encode

        data = encode(dataset, False, True)  # explicit VR, little endian
        assert data is not None
        try:
            self.send(pdu(DATA, value(command_set(sop_instance=dataset.SOPInstanceUID), 3)))
            for at in range(0, len(data), 16000):
                part = data[at : at + 16000]
                self.send(pdu(DATA, value(part, 2 if at + 16000 >= len(data) else 0)))
            kind, body = self.answer()
        except OSError:
            return None
        return status_of(body)[0] if kind == DATA else None

    def release(self) -> None:
        """End the association in good order."""
        self.send(pdu(RELEASE, bytes(4)))
        assert self.answer()[0] == RELEASED

    def _read(self, size: int) -> bytes:
        """Return exactly so many bytes, none at the end."""
        data = b""
        while len(data) < size:
            try:
                part = self.socket.recv(size - len(data))
            except ConnectionResetError:
                part = b""
            if not part:
                return b""
            data += part
        return data
