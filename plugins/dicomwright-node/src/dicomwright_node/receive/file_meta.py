"""The beginning of a received file: 128 zero bytes, ``DICM``, and file meta information of ours (PS3.10 7.1)."""

from __future__ import annotations

from struct import pack

from dicomwright.uids import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME

__all__ = ["file_start"]


def file_start(sop_class: str, sop_instance: str, transfer_syntax: str, source_ae: str) -> bytes:
    """Return the bytes before the dataset.

    Examples
    --------
    >>> start = file_start("1.2.840.10008.5.1.4.1.1.2", "2.25.1", "1.2.840.10008.1.2.1", "CT1")
    >>> start[128:132]
    b'DICM'

    """
    elements = [
        pack("<HH2sHL", 2, 0x0001, b"OB", 0, 2) + b"\0\1",
        _short(0x0002, b"UI", sop_class, b"\0"),
        _short(0x0003, b"UI", sop_instance, b"\0"),
        _short(0x0010, b"UI", transfer_syntax, b"\0"),
        _short(0x0012, b"UI", IMPLEMENTATION_CLASS_UID, b"\0"),
        _short(0x0013, b"SH", IMPLEMENTATION_VERSION_NAME, b" "),
    ]
    if source_ae:
        elements.append(_short(0x0016, b"AE", source_ae, b" "))
    meta = b"".join(elements)
    return bytes(128) + b"DICM" + pack("<HH2sHL", 2, 0, b"UL", 4, len(meta)) + meta


def _short(number: int, vr: bytes, text: str, padding: bytes) -> bytes:
    """Return an element of group 2, padded to even length."""
    value = text.encode("ascii", "replace")
    value += padding * (len(value) % 2)
    return pack("<HH2sH", 2, number, vr, len(value)) + value
