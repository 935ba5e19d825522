"""Read the header of one DICOM file: everything before its pixel data, in any transfer syntax.

This is the one module through which parents come from disk.
"""

from __future__ import annotations

import os
import stat
import warnings
from functools import lru_cache
from typing import TYPE_CHECKING, cast

from pydicom.charset import convert_encodings
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ImplicitVRLittleEndian

from dicomwright._dataclass import dataclass
from dicomwright.errors import ParentError
from dicomwright.parents.byte_sources import FileBytes, InflatedBytes
from dicomwright.parents.scanner import LONG_VRS, DamagedError, PixelStart, Scanner, shared_tag

if TYPE_CHECKING:
    from pathlib import Path

    from pydicom.dataelem import DataElement
    from pydicom.tag import BaseTag

    from dicomwright.parents.scanner import Familiar

__all__ = ["Header", "looks_like_dicom", "read_header"]

_PREAMBLE = 128
_META_FIRST = 1024
_NOT_DICOM = "give a DICOM file, or the folder that holds the series"


@dataclass(frozen=True, slots=True)
class Header:
    """What a file says before its pixel data.

    Attributes
    ----------
    path : Path
        The file.
    dataset : Dataset
        The elements, decoded when first looked at; ``dataset.file_meta`` is set.
    storage_class : str
        MediaStorageSOPClassUID (0002,0002), empty without it.
    size : int
        Bytes before the pixel data.
    warnings : tuple of str
        What was odd but harmless, without the file's name.

    """

    path: Path
    dataset: Dataset
    storage_class: str
    size: int
    warnings: tuple[str, ...]


def looks_like_dicom(head: bytes) -> bool:
    """Tell whether a file that begins with these bytes (at least 140, if it has them) may be DICOM.

    True for the prefix ``DICM`` after the preamble (PS3.10 section 7.1), and for a bare data set that begins
    with group 0002 or 0008 in a plausible encoding.

    """
    if head[_PREAMBLE : _PREAMBLE + 4] == b"DICM":
        return True
    if len(head) < 8 or head[:2] not in {b"\x02\0", b"\x08\0", b"\0\x08"}:  # noqa: PLR2004 - one element header
        return False
    vr, number = head[4:6], int.from_bytes(head[2:4], "little" if head[0] else "big")
    explicit = vr.isalpha() and vr.isupper()
    return number < 0x2000 and (explicit or int.from_bytes(head[4:8], "little") < 0x400)  # noqa: PLR2004


def read_header(path: Path, familiar: Familiar | None = None) -> Header:
    """Read everything before the pixel data.

    Parameters
    ----------
    path : Path
        The file.
    familiar : Familiar, optional
        What the files of the same series that were read before held: most of it is the same here.

    Raises
    ------
    ParentError
        Not a regular file, not readable, not DICOM, cut off, damaged, too large, or too deeply nested.

    """
    try:
        file_number = _open(path)
    except OSError as error:
        raise ParentError(
            f"{path} cannot be read ({error.strerror or error})", hint="check the path and its permissions"
        ) from error
    with open(file_number, "rb", buffering=0) as file:  # noqa: PTH123 - the descriptor is open already
        try:
            return _parse(path, FileBytes(file, os.fstat(file_number).st_size), familiar)
        except DamagedError as error:
            raise ParentError(f"{path} is damaged: {error}", hint="copy or export the file again") from error
        except OSError as error:
            raise ParentError(f"{path} cannot be read ({error.strerror or error})") from error


def _open(path: Path) -> int:
    """Open a regular file without ever waiting for a pipe or touching a device."""
    _check_regular(path, path.stat().st_mode)
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    file_number = os.open(path, flags)
    try:
        _check_regular(path, os.fstat(file_number).st_mode)
    except BaseException:
        os.close(file_number)
        raise
    return file_number


def _check_regular(path: Path, mode: int) -> None:
    if not stat.S_ISREG(mode):
        what = "a folder" if stat.S_ISDIR(mode) else "a pipe, a device or a socket"
        raise ParentError(f"{path} is {what}, not a file", hint=_NOT_DICOM)


def _parse(path: Path, source: FileBytes, familiar: Familiar | None) -> Header:
    head = source.upto(_PREAMBLE + 16)
    if not head:
        raise ParentError(f"{path} is empty", hint="copy or export the file again")
    if not looks_like_dicom(head):
        raise ParentError(
            f"{path} is not a DICOM file: it has no DICM mark, and does not begin with an element",
            hint=_NOT_DICOM,
        )
    start = _PREAMBLE + 4 if head[_PREAMBLE : _PREAMBLE + 4] == b"DICM" else 0
    meta, start = _file_meta(source, start)
    notes = [] if meta else ["it has no file meta information: the transfer syntax was guessed"]
    syntax = _uid(meta, 0x00020010)
    body = source
    if syntax == DeflatedExplicitVRLittleEndian:
        body, start = InflatedBytes(source, start), 0
    implicit, little = _encoding(body.upto(start + 8)[start : start + 8], syntax)
    scanner = Scanner(body, implicit=implicit, little=little, familiar=familiar)
    elements, pixels = scanner.elements(start)
    if not elements:
        raise ParentError(f"{path} holds no data elements", hint="copy or export the file again")
    notes += scanner.notes
    notes += _pixel_notes(pixels, body)
    dataset = _dataset(elements, meta, implicit=implicit, little=little, notes=notes)
    size = len(body.data) if pixels is None else pixels.offset
    return Header(path, dataset, _uid(meta, 0x00020002), size, tuple(notes))


def _uid(meta: dict[BaseTag, RawDataElement], tag: int) -> str:
    """Return a UID of the file meta information, empty without it."""
    element = meta.get(shared_tag(tag))
    return (element.value or b"").decode("latin-1").rstrip("\0 ") if element else ""


def _file_meta(source: FileBytes, pos: int) -> tuple[dict[BaseTag, RawDataElement], int]:
    """Return the UIDs of the file meta information (always explicit VR little endian) and where it ends."""
    meta: dict[BaseTag, RawDataElement] = {}
    data = source.upto(pos + _META_FIRST)
    while data[pos : pos + 2] == b"\x02\0":
        vr = data[pos + 4 : pos + 6]
        is_long = vr in LONG_VRS
        start = pos + (12 if is_long else 8)
        data = source.require(start)
        length = int.from_bytes(data[start - 4 : start] if is_long else data[pos + 6 : pos + 8], "little")
        number = 0x00020000 | int.from_bytes(data[pos + 2 : pos + 4], "little")
        pos = start + length
        data = source.require(pos + 2) if pos + 2 < source.size else source.require(pos)
        if vr == b"UI":
            tag = shared_tag(number)
            meta[tag] = RawDataElement(tag, "UI", length, data[start:pos], start, False, True)  # noqa: FBT003  # pydicom's order
    return meta, pos


def _encoding(head: bytes, syntax: str) -> tuple[bool, bool]:
    """Return implicit and little as the first element shows, else as the transfer syntax says."""
    little = syntax != ExplicitVRBigEndian
    if head[:2] in {b"\x08\0", b"\0\x08"}:
        little = head[:2] == b"\x08\0"
    if len(head) < 6:  # noqa: PLR2004 - no VR to look at
        return syntax == ImplicitVRLittleEndian, little
    return not (head[4:6].isalpha() and head[4:6].isupper()), little


def _pixel_notes(pixels: PixelStart | None, source: FileBytes) -> list[str]:
    if pixels is None or pixels.length is None or source.size < 0:
        return []
    missing = pixels.offset + pixels.length - source.size
    return [f"its pixel data is cut off ({missing:,} bytes are missing)"] if missing > 0 else []


def _dataset(
    elements: dict[BaseTag, RawDataElement],
    meta: dict[BaseTag, RawDataElement],
    *,
    implicit: bool,
    little: bool,
    notes: list[str],
) -> Dataset:
    dataset = Dataset(cast("dict[BaseTag, DataElement | RawDataElement]", elements))
    dataset.file_meta = FileMetaDataset(cast("dict[BaseTag, DataElement | RawDataElement]", meta))
    charset = elements.get(shared_tag(0x00080005))
    encodings, note = _encodings((charset.value if charset else b"") or b"")
    if note:
        notes.append(note)
    dataset.set_original_encoding(implicit, little, list(encodings))
    return dataset


@lru_cache(maxsize=64)
def _encodings(raw: bytes) -> tuple[tuple[str, ...], str]:
    """Return Python's codecs for a Specific Character Set (0008,0005) value, and a note if it is wrong."""
    terms = [term.strip() for term in raw.decode("ascii", "replace").rstrip("\0 ").split("\\")]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            encodings = convert_encodings(terms)
        except (LookupError, ValueError):
            return ("iso8859",), f"SpecificCharacterSet (0008,0005) {terms!r} is not known"
    note = f"SpecificCharacterSet (0008,0005) {terms!r} is not legal" if caught else ""
    return tuple(encodings), note
