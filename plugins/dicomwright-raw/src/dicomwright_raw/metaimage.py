"""MetaImage volumes, their data in the same file or in one beside it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from dicomwright.payload import Volume
from dicomwright.reading import refusal, shown
from dicomwright_raw.files import open_regular
from dicomwright_raw.header_text import FROM_THE_END, Data, data_file, integers, lines_of, numbers
from dicomwright_raw.layout import arranged, checked
from dicomwright_raw.refusals import COPY_AGAIN, times
from dicomwright_raw.unpack import max_bytes_of

if TYPE_CHECKING:
    import io
    from collections.abc import Mapping

    from dicomwright.payload import Affine

__all__ = ["MetaImageReader"]

_TYPES: Final = {
    "MET_CHAR": "i1", "MET_UCHAR": "u1", "MET_SHORT": "i2", "MET_USHORT": "u2", "MET_INT": "i4", "MET_UINT": "u4",
    "MET_LONG": "i4", "MET_ULONG": "u4", "MET_LONG_LONG": "i8", "MET_ULONG_LONG": "u8", "MET_FLOAT": "f4",
    "MET_DOUBLE": "f8",
}  # fmt: skip
_LAST: Final = "ElementDataFile"
_LOCAL: Final = "LOCAL"
_MOST_DIMS: Final = 4
_SPACE: Final = 3
_FLAT: Final = 2
_COLOUR: Final = 3
_BYTE_ORDERS: Final = ("BinaryDataByteOrderMSB", "ElementByteOrderMSB")
_DIRECTIONS: Final = ("TransformMatrix", "Rotation", "Orientation")
_ORIGINS: Final = ("Offset", "Position", "Origin")
_SPACINGS: Final = ("ElementSpacing", "ElementSize")


@dataclass(frozen=True, slots=True)
class _Header:
    """The fields of a header."""

    fields: Mapping[str, str]
    path: Path

    def first(self, *names: str) -> tuple[str, str]:
        """Return name and text of the first of some fields that is there."""
        return next(((name, self.fields[name]) for name in names if name in self.fields), ("", ""))

    def flag(self, *names: str, default: bool = False) -> bool:
        """Return a field that is true or false."""
        name, text = self.first(*names)
        if text.lower() not in ("", "true", "false", "1", "0", "t", "f"):
            message = f"its field {name!r} is {shown(text)!r}, not True or False"
            raise refusal(self.path, message, "correct the header", "header")
        return text.lower() in ("true", "1", "t") if text else default

    def integers(self, name: str, count: int, default: str, least: int = 1) -> list[int]:
        """Return a field of whole numbers."""
        return integers(self.fields.get(name, default), count, name, self.path, least)


class MetaImageReader:
    """Read one MetaImage volume: raw data mapped, compressed data decompressed once.

    Examples
    --------
    >>> text = '''ObjectType = Image
    ... NDims = 3
    ... DimSize = 4 3 2
    ... ElementSpacing = 0.5 0.5 3
    ... ElementType = MET_UCHAR
    ... ElementDataFile = LOCAL
    ... '''
    >>> _ = Path("a.mha").write_bytes(text.encode() + bytes(24))
    >>> volume = MetaImageReader().read(Path("a.mha"), {})
    >>> volume.array.shape, volume.affine.spacing
    ((2, 3, 4), (3.0, 0.5, 0.5))

    """

    def can_read(self, path: Path, head: bytes) -> bool:  # noqa: ARG002  the bytes tell
        """Tell whether a file's first bytes are those of a MetaImage header."""
        return b"ElementDataFile" in head or head.startswith((b"ObjectType", b"NDims"))

    def read(self, path: Path, options: Mapping[str, str]) -> Volume:
        """Return the volume. As in ITK, x, y and z are LPS and ``CenterOfRotation`` is not used.

        Parameters
        ----------
        path : Path
            A ``.mha`` or ``.mhd`` file. A detached data file must lie in its folder or below.
        options : Mapping of str to str
            ``max_bytes``: the most that compressed data may become.

        Raises
        ------
        SourceError
            The file is damaged, incomplete or too large, is not one volume, or has a type or a place that
            cannot be used.

        """
        path, most = Path(path), max_bytes_of(options)
        with open_regular(path) as file:
            header = _header(file, path)
            dtype, shape = _dtype(header), _shape(header)
            affine, notes = _place(header)
            data = _data(header, file.tell())
            raw, more = data.read(file, path, math.prod(shape) * dtype.itemsize, most)
        names = ("slice", "row", "column", "sample")[: len(shape)]
        array = arranged(raw.view(dtype).reshape(shape), names)
        return Volume(array, affine, source=str(path), warnings=(*notes, *_doubts(header, dtype), *more))


def _header(file: io.BufferedReader, path: Path) -> _Header:
    """Return the header, which ends with the name of the data file."""
    fields: dict[str, str] = {}
    for line in lines_of(file, path):
        name, equals, value = (part.strip() for part in line.partition("="))
        if not line.strip():
            continue
        if not equals or "�" in name:
            message = f"its header has the line {shown(line, 60)!r}, which is not NAME = VALUE"
            raise refusal(path, message, COPY_AGAIN, "header")
        if fields.setdefault(name, value) != value:
            raise refusal(
                path, f"its header has the field {shown(name)!r} twice", "correct the header", "header"
            )
        if name == _LAST:
            break
    for name in ("NDims", "DimSize", "ElementType", _LAST):
        if name not in fields:
            raise refusal(path, f"its header has no field {name!r}", COPY_AGAIN, "header")
    if fields.get("ObjectType", "Image") != "Image":
        message = f"it holds an object of type {shown(fields['ObjectType'])!r}, not an Image"
        raise refusal(path, message, "name an image", "unsupported")
    return _Header(fields, path)


def _dtype(header: _Header) -> np.dtype[Any]:
    """Return the type of a stored number, in the file's byte order."""
    name = header.fields["ElementType"].removesuffix("_ARRAY")
    if name not in _TYPES:
        message = f"its ElementType is {shown(name)!r}, which cannot be stored"
        raise refusal(header.path, message, "save it as integers or floats", "unsupported")
    return np.dtype(_TYPES[name]).newbyteorder(">" if header.flag(*_BYTE_ORDERS) else "<")


def _shape(header: _Header) -> tuple[int, ...]:
    """Return (slices, rows, columns), and 3 samples for colour."""
    count = _dims(header)
    sizes = header.integers("DimSize", count, "")
    (channels,) = header.integers("ElementNumberOfChannels", 1, "1")
    if count > _SPACE and sizes[_SPACE] > 1:
        message = f"it is {times(sizes)} voxels, more than one volume"
        raise refusal(header.path, message, "save one volume to a file of its own", "unsupported")
    colour = channels == _COLOUR and header.fields["ElementType"].removesuffix("_ARRAY") in (
        "MET_UCHAR",
        "MET_USHORT",
    )
    if channels > 1 and not colour:
        message = f"its voxels are {channels} numbers of {shown(header.fields['ElementType'])}"
        raise refusal(
            header.path, message, "save grey values, or RGB as 3 channels of MET_UCHAR", "unsupported"
        )
    columns, rows, slices = (*sizes, 1)[:_SPACE]
    return (slices, rows, columns, channels) if colour else (slices, rows, columns)


def _dims(header: _Header) -> int:
    (count,) = header.integers("NDims", 1, "")
    if not _FLAT <= count <= _MOST_DIMS:
        message = f"it has {count} dimensions, not 2 or 3"
        raise refusal(header.path, message, "save one volume", "unsupported")
    return count


def _place(header: _Header) -> tuple[Affine | None, list[str]]:
    """Return where the voxels are, None for a flat image, and what to tell the user."""
    count = _dims(header)
    values = {}
    for names, length in ((_DIRECTIONS, count * count), (_ORIGINS, count), (_SPACINGS, count)):
        name, text = header.first(*names)
        values[names] = np.array(numbers(text, length, name, header.path)) if name else None
    if count < _SPACE:
        return None, ["it is a flat image: it has no place in space"]
    spacing, origin, directions = values[_SPACINGS], values[_ORIGINS], values[_DIRECTIONS]
    if spacing is None and origin is None and directions is None:
        return None, ["the header does not say where the voxels are"]
    notes = []
    if directions is None:
        notes.append(
            "the header gives no directions; columns run to x, rows to y and slices to z of the patient"
        )
    if spacing is None:
        notes.append("the header gives no voxel sizes; 1 mm is taken, as ITK does")
    turned = np.eye(count) if directions is None else directions.reshape(count, count)
    steps = turned[:_SPACE, :_SPACE] * (np.ones(count) if spacing is None else spacing)[:_SPACE, np.newaxis]
    where = np.zeros(count) if origin is None else origin
    return checked(np.column_stack([steps[2], steps[1], steps[0], where[:_SPACE]]), "LPS", header.path), notes


def _data(header: _Header, end: int) -> Data:
    """Return where the values are."""
    name = header.fields[_LAST]
    if not header.flag("BinaryData", default=True):
        message = "its values are written as text, which is not supported"
        raise refusal(header.path, message, "save it with BinaryData = True", "unsupported")
    method = "zlib" if header.flag("CompressedData") else ""
    (skip,) = header.integers("HeaderSize", 1, "0", FROM_THE_END)
    if method:
        skip = 0
    if name.upper() == _LOCAL:
        return Data(
            header.path, 0 if skip else end, method, skip
        )  # as in ITK, it counts from the file's first byte
    return Data(data_file(header.path, name), 0, method, skip)


def _doubts(header: _Header, dtype: np.dtype[Any]) -> list[str]:
    """Return what to tell the user of the values."""
    notes = []
    if dtype.itemsize > 1 and not header.first(*_BYTE_ORDERS)[0]:
        notes.append("the header does not give the byte order; little endian is taken")
    slope, offset = (header.fields.get(f"ElementToIntensityFunction{name}") for name in ("Slope", "Offset"))
    if (slope or "1").strip() not in ("1", "1.0") or (offset or "0").strip() not in ("0", "0.0"):
        notes.append("ElementToIntensityFunction is not applied to the values, as in ITK")
    return notes
