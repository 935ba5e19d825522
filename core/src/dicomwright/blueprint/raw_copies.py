"""Copies of a parent's elements that never become Python values: bytes in, the same bytes out.

Most elements of a parent series are plain ASCII text, numbers, and sequences of those. Their encoding is the
same in the output whatever character set that has, so that nothing has to be decoded but what is checked.
"""

from __future__ import annotations

from functools import lru_cache
from struct import Struct, unpack
from typing import TYPE_CHECKING

from dicomwright.blueprint.resolution import EncodedElement
from dicomwright.blueprint.values import checker, normaliser

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydicom.dataelem import RawDataElement

__all__ = ["copy_encoded"]

_LINES = frozenset({"AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "PN", "SH", "TM", "UI"})
_PARAGRAPHS = frozenset({"LT", "ST"})
_NUMBERS = {"US": "H", "SS": "h", "UL": "I", "SL": "i", "FL": "f", "FD": "d"}
_CHARSET = 0x00080005
_ITEM = b"\xfe\xff\x00\xe0"
_SHORT_HEADER, _LONG_HEADER = 8, 12
_SHORT_LIMIT = 0xFFFE
_DEEPEST = 8
_short = Struct("<H")
_long = Struct("<L")

#: From an encoded value to an encoded element, or None.
Copier = "Callable[[bytes], EncodedElement | None]"


def copy_encoded(raw: RawDataElement) -> EncodedElement | None:
    """Return a parent's element as it goes to the file; None if it must be decoded, or has something wrong.

    Parameters
    ----------
    raw : RawDataElement
        As it was read, of any encoding.

    """
    if raw.is_implicit_VR or not raw.is_little_endian or raw.VR is None or not isinstance(raw.value, bytes):
        return None
    return _copier(int(raw.tag), raw.VR)(raw.value)


@lru_cache(maxsize=4096)
def _copier(tag: int, vr: str) -> Callable[[bytes], EncodedElement | None]:
    """Return the function that copies values of one tag and VR."""
    if vr in _LINES or vr in _PARAGRAPHS:
        return _text_copier(tag, vr)
    if vr in _NUMBERS:
        return _number_copier(tag, vr)
    if vr == "SQ":
        return lambda value: _copied_sequence(tag, value, _DEEPEST)
    return _refuse


def _refuse(value: bytes) -> None:  # whatever it is
    """Leave a value to those who decode it."""


def _head(tag: int, vr: str) -> bytes:
    return _short.pack(tag >> 16) + _short.pack(tag & 0xFFFF) + vr.encode("ascii")


def _text_copier(tag: int, vr: str) -> Callable[[bytes], EncodedElement | None]:
    """Return the function that copies ASCII text."""
    head, normal, check = _head(tag, vr), normaliser(tag, vr), checker(tag, vr, show_value=False)
    pad, padding = (b"\0", "\0 ") if vr == "UI" else (b" ", " ")

    def copied(value: bytes) -> EncodedElement | None:
        if not value.isascii() or len(value) > _SHORT_LIMIT or (vr == "PN" and b"=" in value):
            return None
        plain = normal(value.decode("ascii").rstrip(padding))
        if check(plain):
            return None
        text = plain if isinstance(plain, str) else "\\".join(plain or ())
        data = text.encode("ascii")
        if len(data) % 2:
            data += pad
        return EncodedElement(head + _short.pack(len(data)) + data)

    return copied


def _number_copier(tag: int, vr: str) -> Callable[[bytes], EncodedElement | None]:
    """Return the function that copies binary numbers."""
    head, check, code = _head(tag, vr), checker(tag, vr, show_value=False), _NUMBERS[vr]
    size = Struct(code).size

    def copied(value: bytes) -> EncodedElement | None:
        count, rest = divmod(len(value), size)
        if rest or len(value) > _SHORT_LIMIT:
            return None
        numbers = unpack(f"<{count}{code}", value)
        if check(list(numbers) if count > 1 else numbers[0] if numbers else None):
            return None
        return EncodedElement(head + _short.pack(len(value)) + value)

    return copied


def _copied_sequence(tag: int, value: bytes, deepest: int) -> EncodedElement | None:
    """Return a sequence whose items have defined lengths and elements that can be copied."""
    items: list[bytes] = []
    pos = 0
    while pos < len(value):
        if value[pos : pos + 4] != _ITEM or len(value) < pos + 8:
            return None
        start = pos + 8
        pos = start + _long.unpack_from(value, pos + 4)[0]
        if pos > len(value):  # of undefined length, or damaged
            return None
        item = _copied_item(value[start:pos], deepest - 1)
        if item is None:
            return None
        items += (_ITEM, _long.pack(len(item)), item)
    body = b"".join(items)
    return EncodedElement(_head(tag, "SQ") + b"\0\0" + _long.pack(len(body)) + body)


def _copied_item(item: bytes, deepest: int) -> bytes | None:
    """Return the elements of an item, without character set and group lengths, None if one needs decoding."""
    elements: list[bytes] = []
    pos, last = 0, -1
    while pos < len(item):
        found = _element_at(item, pos)
        if found is None or found[0] <= last:
            return None
        last, vr, start, pos = found
        if last == _CHARSET or last & 0xFFFF == 0:
            continue
        value = item[start:pos]
        copied = (
            _copied_sequence(last, value, deepest) if vr == "SQ" and deepest else _copier(last, vr)(value)
        )
        if copied is None:
            return None
        elements.append(copied)
    return b"".join(elements)


def _element_at(item: bytes, pos: int) -> tuple[int, str, int, int] | None:
    """Return tag, VR, start and end of an element's value; None if it is not plain or not whole."""
    vr = item[pos + 4 : pos + 6].decode("latin-1")
    short = vr in _LINES or vr in _PARAGRAPHS or vr in _NUMBERS
    start = pos + (_SHORT_HEADER if short else _LONG_HEADER)
    if (not short and vr != "SQ") or start > len(item):
        return None
    length = (_short if short else _long).unpack_from(item, start - (2 if short else 4))[0]
    if start + length > len(item):
        return None
    group, number = unpack("<HH", item[pos : pos + 4])
    return group << 16 | number, vr, start, start + length
