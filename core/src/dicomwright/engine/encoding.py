"""Elements as they stand in a file: explicit VR little endian (PS3.5 sections 6.2 and 7).

Constant elements go through pydicom's own writer, once a series. Elements that vary have a short way for the
common VRs, with the same bytes.
"""

from __future__ import annotations

import struct
import warnings
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from pydicom.dataelem import DataElement
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_data_element
from pydicom.valuerep import EXPLICIT_VR_LENGTH_32

from dicomwright.blueprint.tags import describe
from dicomwright.errors import BlueprintError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["element_bytes", "encoder_for", "item_bytes", "long_header", "sequence_bytes"]

_SHORT_LIMIT = 0xFFFE
_ASCII_TEXT = frozenset({"AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "SH", "TM", "UI"})
_PARAGRAPHS = frozenset({"LT", "ST"})
_NUMBERS = {"US": "H", "SS": "h", "UL": "I", "SL": "i", "FL": "f", "FD": "d", "SV": "q", "UV": "Q"}


def element_bytes(tag: int, vr: str, value: Any, encodings: str | Sequence[str]) -> bytes:
    """Return an element as pydicom writes it.

    Raises
    ------
    BlueprintError
        The value is longer than a 16 bit length field can say (PS3.5 section 7.1.2), or a text has characters
        that the character set has not.

    """
    stream = DicomBytesIO()
    stream.is_little_endian = True
    stream.is_implicit_VR = False
    element = DataElement(tag, vr, value, already_converted=_is_plain(vr, value))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom warns where it changes the VR to UN; that is refused below
        warnings.filterwarnings("error", message="Failed to encode value")  # it would write question marks
        try:
            write_data_element(stream, element, encodings if isinstance(encodings, str) else list(encodings))
        except UserWarning:
            raise BlueprintError(
                f"{describe(tag)} has characters that cannot be written in the character set of the output",
                hint="leave SpecificCharacterSet out of the blueprint: the one that is needed is chosen",
                kind="charset",
            ) from None
    data: bytes = stream.getvalue()
    if data[4:6] != vr.encode():
        raise BlueprintError(
            f"{describe(tag)} is longer than the 65,534 bytes that VR {vr} can hold",
            hint="shorten it",
            kind="value-length",
        )
    return data


def encoder_for(tag: int, vr: str, encodings: str | Sequence[str]) -> Callable[[Any], bytes]:
    """Return the function that encodes values of a varying element.

    Values are those that `dicomwright.blueprint.values.normalise` returns.
    """
    head = struct.pack("<HH", tag >> 16, tag & 0xFFFF) + vr.encode()

    def slow(value: Any) -> bytes:
        return element_bytes(tag, vr, value, encodings)

    if vr in _ASCII_TEXT:
        return _text_encoder(head, b"\0" if vr == "UI" else b" ", slow)
    if vr in _PARAGRAPHS:
        return _text_encoder(head, b" ", slow, several=False)
    if vr in _NUMBERS:
        return _number_encoder(head, _NUMBERS[vr], slow)
    return slow


def _text_encoder(
    head: bytes, pad: bytes, slow: Callable[[Any], bytes], *, several: bool = True
) -> Callable[[Any], bytes]:
    """Return an encoder of short ASCII text, of one value or several."""
    pack = struct.Struct("<H").pack
    is_integer = head[4:6] == b"IS"

    def encode(value: Any) -> bytes:
        if type(value) is str:
            text = value
        elif is_integer and type(value) is int:
            text = str(value)
        elif several and type(value) is list and all(type(one) is str for one in value):
            text = "\\".join(value)
        else:
            return slow(value)
        if not text.isascii() or len(text) > _SHORT_LIMIT:
            return slow(value)
        data = text.encode("ascii")
        if len(data) % 2:
            data += pad
        return head + pack(len(data)) + data

    return encode


def _number_encoder(head: bytes, code: str, slow: Callable[[Any], bytes]) -> Callable[[Any], bytes]:
    """Return an encoder of one number."""
    number = struct.Struct(f"<{code}")
    if head[4:6].decode() in EXPLICIT_VR_LENGTH_32:
        start = head + b"\0\0" + struct.pack("<I", number.size)
    else:
        start = head + struct.pack("<H", number.size)

    def encode(value: Any) -> bytes:
        if type(value) not in (int, float):
            return slow(value)
        return start + number.pack(value)

    return encode


def sequence_bytes(tag: int, items: Sequence[bytes]) -> bytes:
    """Return a sequence of defined length (PS3.5 section 7.5) from its encoded items."""
    body = b"".join([item_bytes(item) for item in items])
    return long_header(tag, "SQ", len(body)) + body


def item_bytes(content: bytes) -> bytes:
    """Return an item of defined length."""
    return b"\xfe\xff\x00\xe0" + struct.pack("<I", len(content)) + content


@lru_cache(maxsize=256)
def long_header(tag: int, vr: str, length: int) -> bytes:
    """Return the header of an element with a 32 bit length field."""
    return struct.pack("<HH2sHI", tag >> 16, tag & 0xFFFF, vr.encode(), 0, length)


def _is_plain(vr: str, value: Any) -> bool:
    """Tell whether pydicom needs not convert a value."""
    return vr == "SQ" or (isinstance(value, bytes) and vr.startswith("O"))
