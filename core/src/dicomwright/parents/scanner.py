"""Find the data elements of an encoded data set without decoding them.

The scanner walks PS3.5 section 7 encodings (explicit and implicit VR, either byte order) and hands out
`pydicom.dataelem.RawDataElement`s, which pydicom decodes when they are first looked at. Every length is
checked against the bytes that exist before anything is allocated, and sequences are bounded in depth.
"""

from __future__ import annotations

from functools import cache, lru_cache
from struct import Struct
from typing import TYPE_CHECKING, NamedTuple, cast

from pydicom._dicom_dict import DicomDictionary
from pydicom.dataelem import RawDataElement, empty_value_for_VR
from pydicom.tag import BaseTag

if TYPE_CHECKING:
    from dicomwright.parents.byte_sources import FileBytes

__all__ = [
    "LONG_VRS",
    "MAX_ELEMENTS",
    "MAX_SEQUENCE_DEPTH",
    "DamagedError",
    "Familiar",
    "PixelStart",
    "Scanner",
    "TooDeepError",
    "shared_tag",
]

MAX_SEQUENCE_DEPTH = 64
"""Sequences nested deeper than this are refused."""
MAX_ELEMENTS = 100_000
"""More elements than this, those in sequences not counted, are refused: each takes far more memory than its bytes."""

_UNDEFINED = 0xFFFFFFFF
_ITEM = 0xFFFEE000
_ITEM_END = 0xFFFEE00D
_SEQUENCE_END = 0xFFFEE0DD
_PIXEL_GROUP = 0x7FE00000

LONG_VRS = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())
"""Their elements have 12 bytes of header, the last four of them the length (PS3.5 section 7.1.2)."""
_SHORT_VRS = frozenset(b"AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split())
_VR_NAMES = {vr: vr.decode() for vr in LONG_VRS | _SHORT_VRS}


_MOST_HEADS = 65536
_NO_DATA_SET = frozenset({0x0000, 0x0002, 0x0004})  # groups that a data set cannot hold
_ITEM_BYTES = b"\xfe\xff\x00\xe0"
_unsigned_long = Struct("<L").unpack_from


class DamagedError(ValueError):
    """The bytes are not an encoded data set."""


class TooDeepError(DamagedError):
    """Sequences are nested too deeply."""


class PixelStart(NamedTuple):
    """Where the pixel data begins, and how long it claims to be (None: encapsulated)."""

    offset: int
    length: int | None


class _Head(NamedTuple):
    """What tag and VR of an explicit VR little endian element say, if the element is nothing special."""

    tag: BaseTag
    vr: str
    size: int
    empty: bytes | None


class _Entry(NamedTuple):
    """An element that was read, and its bytes."""

    tag: int
    encoded: bytes
    raw: RawDataElement


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


def shared_tag(number: int) -> BaseTag:
    """Return the tag as one object for all data sets: looking up an equal one costs a call in Python."""
    return _shared(int(number))


_shared = lru_cache(maxsize=_MOST_HEADS)(BaseTag)


@lru_cache(maxsize=_MOST_HEADS)
def _head(six: bytes) -> _Head | None:
    """Return what the first six bytes of an explicit VR little endian element say, None if it needs care."""
    group, number = int.from_bytes(six[:2], "little"), int.from_bytes(six[2:4], "little")
    vr = six[4:6]
    if number == 0 or group in _NO_DATA_SET or group << 16 >= _PIXEL_GROUP or vr in {b"SQ", b"UN"}:
        return None
    name = _VR_NAMES.get(vr)
    if name is None:
        return None
    return _Head(shared_tag(group << 16 | number), name, 12 if vr in LONG_VRS else 8, _empty(name))


def _is_vr(two: bytes) -> bool:
    return b"AA" <= two <= b"ZZ" and 0x41 <= two[1] <= 0x5A  # noqa: PLR2004 - A to Z


class Familiar:
    """Elements that were read before. Most elements of a series are the same in all of its files.

    An element whose bytes were met before is taken over as it was, undecoded and shared between data sets.
    """

    def __init__(self) -> None:
        self._entries: dict[tuple[bool, bool], list[_Entry]] = {}

    def entries(self, *, implicit: bool, little: bool) -> list[_Entry]:
        """Return the elements of the first file in this encoding, in order; to be filled by its reader."""
        return self._entries.setdefault((implicit, little), [])


class Scanner:
    """Walk one encoded data set.

    Parameters
    ----------
    source : FileBytes
        The bytes; they are asked for only as far as needed.
    implicit, little : bool
        Implicit VR, little endian.
    familiar : Familiar, optional
        What the files before this one held.

    Attributes
    ----------
    notes : list of str
        What was odd but harmless.

    """

    def __init__(
        self, source: FileBytes, *, implicit: bool, little: bool, familiar: Familiar | None = None
    ) -> None:
        self._source = source
        self._data = source.data
        self._implicit = implicit
        self._little = little
        self._is_common = little and not implicit
        self._familiar = (familiar or Familiar()).entries(implicit=implicit, little=little)
        order = "<" if little else ">"
        self._tag = Struct(f"{order}HHL").unpack_from
        self._short = Struct(f"{order}H").unpack_from
        self._long = Struct(f"{order}L").unpack_from
        self.notes: list[str] = []

    def elements(self, pos: int) -> tuple[dict[BaseTag, RawDataElement], PixelStart | None]:
        """Return all elements from `pos` up to the pixel data or the end."""
        found: dict[BaseTag, RawDataElement] = {}
        is_first, index = not self._familiar, 0
        while self._more(pos):
            if max(len(found), len(self._familiar)) >= MAX_ELEMENTS:
                raise DamagedError(f"it has more than {MAX_ELEMENTS:,} elements")
            start = pos
            raw = self._plain(pos)
            if raw is None:
                element = self.element(pos)
                if element.tag >= _PIXEL_GROUP:
                    length = None if element.length == _UNDEFINED else element.length
                    return found, PixelStart(element.start, length)
                raw, pos = self._raw(element)
            else:
                pos = raw.value_tell + raw.length
            if raw is not None:
                found[raw.tag] = raw
                if is_first:
                    self._familiar.append(_Entry(int(raw.tag), self._data[start:pos], raw))
                else:
                    pos, index = self._again(pos, index, int(raw.tag), found)
        return found, None

    def _again(self, pos: int, index: int, tag: int, found: dict[BaseTag, RawDataElement]) -> tuple[int, int]:
        """Take elements that are the same as before, and return where the first other one is.

        This and `_plain` is where the time goes that reading a parent series takes.
        """
        data, familiar = self._data, self._familiar
        while index < len(familiar) and familiar[index].tag <= tag:
            index += 1
        for _, encoded, raw in familiar[index:]:
            if not data.startswith(encoded, pos):
                break
            found[raw.tag] = raw
            pos += len(encoded)
            index += 1
        return pos, index

    def _plain(self, pos: int) -> RawDataElement | None:
        """Return an explicit VR little endian element; None if it needs care, or has not been read to its end."""
        data = self._data
        if not self._is_common or (head := _head(data[pos : pos + 6])) is None:
            return None
        tag, vr, size, empty = head
        start = pos + size
        if start > len(data):
            return None
        length = data[pos + 6] | data[pos + 7] << 8 if size == 8 else _unsigned_long(data, pos + 8)[0]  # noqa: PLR2004 - a short header
        if start + length > len(data):
            return None
        value = data[start : start + length] if length else empty
        return RawDataElement(tag, vr, length, value, start, False, True)  # noqa: FBT003  # pydicom's order

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
        if vr not in LONG_VRS and self._data[pos + 6 : pos + 8] != b"\0\0":
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
        if tag & 0xFFFF == 0 or tag >> 16 in _NO_DATA_SET:
            return None, end  # group lengths, and groups that a data set cannot hold
        size = stop - start
        value = self._data[start:stop] if size else _empty(vr)
        return RawDataElement(shared_tag(tag), vr, size, value, start, self._implicit, self._little), end

    def _is_whole(self, element: _Found) -> bool:
        """Walk a sequence; tell, and note, whether it is damaged within its own bounds."""
        if not self._is_sequence(element) or self._is_plain_sequence(element):
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

    def _is_plain_sequence(self, element: _Found) -> bool:
        """Tell whether a sequence has items of defined length with nothing in them that needs care."""
        if element.vr != "SQ" or self._implicit or not self._little:
            return False
        data, pos, stop = self._data, element.start, element.start + element.length
        while pos < stop and data[pos : pos + 4] == _ITEM_BYTES:
            end = pos + 8 + _unsigned_long(data, pos + 4)[0]
            pos = self._past_plain(pos + 8, end)
            if pos != end:
                return False
        return pos == stop

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
            if not implicit and self._little:
                pos = self._past_plain(pos, stop)
                if stop is not None and pos >= stop:
                    break
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

    def _past_plain(self, pos: int, stop: int | None) -> int:
        """Step over explicit VR little endian elements that need no care, up to the end of their item."""
        data = self._data
        end = len(data) if stop is None else min(stop, len(data))
        while (head := _head(data[pos : pos + 6])) is not None and (start := pos + head.size) <= end:
            is_short = head.size == 8  # noqa: PLR2004 - a short header
            past = start + (
                data[pos + 6] | data[pos + 7] << 8 if is_short else _unsigned_long(data, pos + 8)[0]
            )
            if past > end:
                break
            pos = past
        return pos

    def _need(self, end: int) -> None:
        if end > len(self._data):
            self._data = self._source.require(end)

    def _more(self, pos: int) -> bool:
        if pos < len(self._data):
            return True
        self._data = self._source.upto(pos + 1)
        return pos < len(self._data)
