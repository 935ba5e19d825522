"""Find the data elements of an encoded data set without decoding them.

The scanner walks PS3.5 section 7 encodings (explicit and implicit VR, either byte order) and hands out
`pydicom.dataelem.RawDataElement`s, which pydicom decodes when they are first looked at. Every length is
checked against the bytes that exist before anything is allocated, and sequences are bounded in depth.
"""

from __future__ import annotations

from functools import cache
from struct import Struct
from typing import TYPE_CHECKING, NamedTuple, cast

from pydicom._dicom_dict import DicomDictionary
from pydicom.dataelem import RawDataElement, empty_value_for_VR
from pydicom.tag import BaseTag

if TYPE_CHECKING:
    from dicomwright.parents.byte_sources import FileBytes

__all__ = ["MAX_SEQUENCE_DEPTH", "DamagedError", "PixelStart", "Scanner", "TooDeepError"]

MAX_SEQUENCE_DEPTH = 64
"""Sequences nested deeper than this are refused."""

_UNDEFINED = 0xFFFFFFFF
_ITEM = 0xFFFEE000
_ITEM_END = 0xFFFEE00D
_SEQUENCE_END = 0xFFFEE0DD
_PIXEL_GROUP = 0x7FE00000

_LONG_VRS = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())
_SHORT_VRS = frozenset(b"AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split())
_VR_NAMES = {vr: vr.decode() for vr in _LONG_VRS | _SHORT_VRS}


class DamagedError(ValueError):
    """The bytes are not an encoded data set."""


class TooDeepError(DamagedError):
    """Sequences are nested too deeply."""


class PixelStart(NamedTuple):
    """Where the pixel data begins, and how long it claims to be (None: encapsulated)."""

    offset: int
    length: int | None


class _Found(NamedTuple):
    tag: int
    vr: str | None
    length: int
    start: int


@cache
def _sequence_tags() -> frozenset[int]:
    return frozenset(tag for tag, entry in DicomDictionary.items() if entry[0] == "SQ")


@cache
def _empty(vr: str | None) -> bytes | None:
    return cast("bytes | None", empty_value_for_VR(vr, raw=True))


def _is_vr(two: bytes) -> bool:
    return b"AA" <= two <= b"ZZ" and 0x41 <= two[1] <= 0x5A  # noqa: PLR2004 - A to Z


class Scanner:
    """Walk one encoded data set.

    Parameters
    ----------
    source : FileBytes
        The bytes; they are asked for only as far as needed.
    implicit, little : bool
        Implicit VR, little endian.

    Attributes
    ----------
    notes : list of str
        What was odd but harmless.

    """

    def __init__(self, source: FileBytes, *, implicit: bool, little: bool) -> None:
        self._source = source
        self._data = source.data
        self._implicit = implicit
        self._little = little
        order = "<" if little else ">"
        self._tag = Struct(f"{order}HHL").unpack_from
        self._short = Struct(f"{order}H").unpack_from
        self._long = Struct(f"{order}L").unpack_from
        self.notes: list[str] = []

    def elements(self, pos: int) -> tuple[dict[BaseTag, RawDataElement], PixelStart | None]:
        """Return all elements from `pos` up to the pixel data or the end."""
        found: dict[BaseTag, RawDataElement] = {}
        while self._more(pos):
            element = self.element(pos)
            if element.tag >= _PIXEL_GROUP:
                length = None if element.length == _UNDEFINED else element.length
                return found, PixelStart(element.start, length)
            raw, pos = self._raw(element)
            if raw is not None:
                found[raw.tag] = raw
        return found, None

    def element(self, pos: int, *, implicit: bool | None = None) -> _Found:
        """Return tag, VR, length and value offset of the element at `pos`."""
        self._need(pos + 8)
        group, number, length = self._tag(self._data, pos)
        tag = group << 16 | number
        if self._implicit if implicit is None else implicit:
            return _Found(tag, None, length, pos + 8)
        vr = self._data[pos + 4 : pos + 6]
        if vr in _SHORT_VRS:
            return _Found(tag, _VR_NAMES[vr], self._short(self._data, pos + 6)[0], pos + 8)
        if not _is_vr(vr):  # an element in implicit VR inside an explicit data set, or an item delimiter
            return _Found(tag, None, length, pos + 8)
        name = _VR_NAMES.get(vr, "UN")
        if vr not in _LONG_VRS and self._data[pos + 6 : pos + 8] != b"\0\0":
            return _Found(tag, name, self._short(self._data, pos + 6)[0], pos + 8)
        self._need(pos + 12)
        return _Found(tag, name, self._long(self._data, pos + 8)[0], pos + 12)

    def _raw(self, element: _Found) -> tuple[RawDataElement | None, int]:
        tag, vr, length, start = element
        if length == _UNDEFINED:
            name, stop, end = self._undefined(element, implicit=self._implicit, depth=1)
            if name != "SQ":
                self.notes.append(f"({tag >> 16:04X},{tag & 0xFFFF:04X}) of undefined length was left out")
                return None, end
            vr = name
        else:
            stop = end = start + length
            self._need(end)
            if not self._is_whole(element):
                return None, end
        if tag & 0xFFFF == 0 or tag >> 16 in {0x0000, 0x0002, 0x0004}:
            return None, end  # group lengths, and groups that a data set cannot hold
        size = stop - start
        value = self._data[start:stop] if size else _empty(vr)
        return RawDataElement(BaseTag(tag), vr, size, value, start, self._implicit, self._little), end

    def _is_whole(self, element: _Found) -> bool:
        """Walk a sequence; tell, and note, whether it is damaged within its own bounds."""
        if not self._is_sequence(element):
            return True
        try:
            implicit = self._implicit or element.vr == "UN"
            self._items(element.start, element.start + element.length, implicit=implicit, depth=1)
        except TooDeepError:
            raise
        except DamagedError as error:
            name = f"({element.tag >> 16:04X},{element.tag & 0xFFFF:04X})"
            self.notes.append(f"{name} is damaged and was left out: {error}")
            return False
        return True

    @staticmethod
    def _is_sequence(element: _Found) -> bool:
        return element.vr == "SQ" or (element.vr in {None, "UN"} and element.tag in _sequence_tags())

    def _undefined(self, element: _Found, *, implicit: bool, depth: int) -> tuple[str, int, int]:
        """Return VR, end of the items and end of the element, for an element of undefined length."""
        private = element.tag >> 16 & 1
        if element.vr == "UN" or (element.vr is None and private) or self._is_sequence(element):
            stop, end = self._items(element.start, None, implicit=implicit or element.vr == "UN", depth=depth)
            return "SQ", stop, end
        stop, end = self._fragments(element.start)
        return element.vr or "OB", stop, end

    def _fragments(self, pos: int) -> tuple[int, int]:
        while True:
            tag, length = self._item(pos)
            if tag == _SEQUENCE_END:
                return pos, pos + 8
            if length == _UNDEFINED:
                raise DamagedError(f"a fragment of undefined length at byte {pos}")
            pos += 8 + length
            self._need(pos)

    def _item(self, pos: int) -> tuple[int, int]:
        self._need(pos + 8)
        group, number, length = self._tag(self._data, pos)
        tag = group << 16 | number
        if tag not in {_ITEM, _SEQUENCE_END}:
            raise DamagedError(
                f"({group:04X},{number:04X}) where a sequence item should begin, at byte {pos}"
            )
        return tag, length

    def _items(self, pos: int, stop: int | None, *, implicit: bool, depth: int) -> tuple[int, int]:
        if depth > MAX_SEQUENCE_DEPTH:
            raise TooDeepError(f"sequences are nested more than {MAX_SEQUENCE_DEPTH} deep")
        while stop is None or pos < stop:
            tag, length = self._item(pos)
            if tag == _SEQUENCE_END:
                return pos, pos + 8
            pos += 8
            end = None if length == _UNDEFINED else pos + length
            if end is not None:
                self._need(end)
            pos = self._item_elements(pos, end, implicit=implicit, depth=depth)
            if stop is not None and pos > stop:
                raise DamagedError(f"an item is longer than its sequence, at byte {stop}")
        return pos, pos

    def _item_elements(self, pos: int, stop: int | None, *, implicit: bool, depth: int) -> int:
        if not implicit and (stop is None or stop - pos >= 8):  # noqa: PLR2004 - one element header
            self._need(pos + 8)
            implicit = not _is_vr(self._data[pos + 4 : pos + 6])
        while stop is None or pos < stop:
            element = self.element(pos, implicit=implicit)
            if element.tag == _ITEM_END:
                return element.start
            if element.length == _UNDEFINED:
                pos = self._undefined(element, implicit=implicit, depth=depth + 1)[2]
            else:
                pos = element.start + element.length
                self._need(pos)
                if self._is_sequence(element):
                    nested = implicit or element.vr == "UN"
                    self._items(element.start, pos, implicit=nested, depth=depth + 1)
        if pos != stop:
            raise DamagedError(f"an element is longer than its item, at byte {stop}")
        return pos

    def _need(self, end: int) -> None:
        if end > len(self._data):
            self._data = self._source.require(end)

    def _more(self, pos: int) -> bool:
        if pos < len(self._data):
            return True
        self._data = self._source.upto(pos + 1)
        return pos < len(self._data)
