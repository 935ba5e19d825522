"""NRRD volumes, their data in the same file or in one beside it."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from dicomwright.payload import Volume
from dicomwright.reading import refusal, shown
from dicomwright_raw.files import open_regular
from dicomwright_raw.header_text import FROM_THE_END, Data, data_file, integers, lines_of
from dicomwright_raw.layout import arranged
from dicomwright_raw.nrrd_space import axes_of, place
from dicomwright_raw.refusals import COPY_AGAIN
from dicomwright_raw.unpack import max_bytes_of

if TYPE_CHECKING:
    import io
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["NrrdReader"]

_MAGIC: Final = "NRRD000"
_VERSIONS: Final = "12345"
_SPACE: Final = 3
_ALIASES: Final = {
    "datafile": "data file", "lineskip": "line skip", "byteskip": "byte skip", "axismins": "axis mins",
    "axismaxs": "axis maxs", "centerings": "centers", "blocksize": "block size", "oldmin": "old min",
    "oldmax": "old max",
}  # fmt: skip
_KNOWN: Final = frozenset({
    "content", "number", "type", "block size", "dimension", "space", "space dimension", "sizes", "spacings",
    "thicknesses", "axis mins", "axis maxs", "space directions", "centers", "kinds", "labels", "units",
    "space units", "space origin", "measurement frame", "min", "max", "old min", "old max", "data file",
    "line skip", "byte skip", "endian", "encoding", "sample units",
})  # fmt: skip
_TYPE_NAMES: Final = {
    "i1": "signed char, int8, int8_t",
    "u1": "uchar, unsigned char, uint8, uint8_t",
    "i2": "short, short int, signed short, signed short int, int16, int16_t",
    "u2": "ushort, unsigned short, unsigned short int, uint16, uint16_t",
    "i4": "int, signed int, int32, int32_t",
    "u4": "uint, unsigned int, uint32, uint32_t",
    "i8": "longlong, long long, long long int, signed long long, signed long long int, int64, int64_t",
    "u8": "ulonglong, unsigned long long, unsigned long long int, uint64, uint64_t",
    "f4": "float",
    "f8": "double",
}
_TYPES: Final = {name: code for code, names in _TYPE_NAMES.items() for name in names.split(", ")}
_METHODS: Final = {"raw": "", "gzip": "gzip", "gz": "gzip", "bzip2": "bzip2", "bz2": "bzip2"}


class NrrdReader:
    """Read one NRRD volume: raw data mapped, gzip and bzip2 decompressed once.

    Examples
    --------
    >>> text = '''NRRD0004
    ... type: uchar
    ... dimension: 3
    ... space: left-posterior-superior
    ... sizes: 4 3 2
    ... space directions: (0.5,0,0) (0,0.5,0) (0,0,3)
    ... space origin: (0,0,0)
    ... encoding: raw
    ...
    ... '''
    >>> _ = Path("a.nrrd").write_bytes(text.encode() + bytes(24))
    >>> volume = NrrdReader().read(Path("a.nrrd"), {})
    >>> volume.array.shape, volume.affine.spacing
    ((2, 3, 4), (3.0, 0.5, 0.5))

    """

    def can_read(self, path: Path, head: bytes) -> bool:  # noqa: ARG002  the bytes tell
        """Tell whether a file's first bytes are those of NRRD."""
        return head.startswith(_MAGIC.encode())

    def read(self, path: Path, options: Mapping[str, str]) -> Volume:
        """Return the volume.

        Parameters
        ----------
        path : Path
            A ``.nrrd`` or ``.nhdr`` file. A detached data file must lie in its folder or below.
        options : Mapping of str to str
            ``max_bytes``: the most that compressed data may become.

        Raises
        ------
        SourceError
            The file is damaged, incomplete or too large, is not one volume, or has a type, an encoding or
            a place that cannot be used.

        """
        path, most = Path(path), max_bytes_of(options)
        with open_regular(path) as file:
            header = _header(file, path)
            data = _data(header, file, path)
            dtype, axes = _dtype(header, path), axes_of(header, path)
            affine, notes = place(header, axes, path)
            raw, more = data.read(file, path, math.prod(axes.sizes) * dtype.itemsize, most)
        array = arranged(raw.view(dtype).reshape(axes.sizes[::-1]), axes.names[::-1])
        _check_samples(array, path)
        return Volume(array, affine, source=str(path), warnings=(*notes, *more))


def _header(file: io.BufferedReader, path: Path) -> dict[str, str]:
    """Return the fields of a header; the file then stands behind it."""
    lines = lines_of(file, path)
    first = next(lines, "")
    if not first.startswith(_MAGIC) or first[len(_MAGIC) :].strip() not in tuple(_VERSIONS):
        message = f"its first line is {shown(first, 20)!r}, not NRRD0001 to NRRD0005"
        raise refusal(path, message, COPY_AGAIN, "header")
    fields: dict[str, str] = {}
    for line in lines:
        if not line.strip():
            break
        _take(line, fields, path)
        if fields.get("data file", "").upper().startswith("LIST"):
            break  # the names of the files follow, to the end
    for name in ("type", "dimension", "sizes", "encoding"):
        if name not in fields:
            raise refusal(path, f"its header has no field {name!r}", COPY_AGAIN, "header")
    return fields


def _take(line: str, fields: dict[str, str], path: Path) -> None:
    """Add the field of a line; comments and keys with values are not needed."""
    name, colon, value = line.partition(":")
    if line.startswith("#") or value.startswith("="):
        return
    name = " ".join(name.lower().split())
    name = _ALIASES.get(name, name)
    if not colon or name not in _KNOWN:
        message = f"its header has the line {shown(line, 60)!r}, which is no field of NRRD"
        raise refusal(path, message, "correct the header", "header")
    if name in fields:
        raise refusal(path, f"its header has the field {name!r} twice", "correct the header", "header")
    fields[name] = value.strip()


def _dtype(header: Mapping[str, str], path: Path) -> np.dtype[Any]:
    """Return the type of a stored number, in the file's byte order."""
    name = " ".join(header["type"].lower().split())
    if name not in _TYPES:
        message = f"its type is {shown(name)!r}, which cannot be stored"
        raise refusal(path, message, "save it as integers or floats", "unsupported")
    dtype = np.dtype(_TYPES[name])
    endian = header.get("endian", "").lower()
    if endian not in ("little", "big") and (dtype.itemsize > 1 or endian):
        message = (
            f"its field 'endian' is {shown(endian)!r}, not little or big" if endian else "endian is not given"
        )
        raise refusal(path, message, "add the byte order to the header", "header")
    return dtype.newbyteorder(">" if endian == "big" else "<")


def _data(header: Mapping[str, str], file: io.BufferedReader, path: Path) -> Data:
    """Return where the values are."""
    encoding = header["encoding"].lower()
    if encoding not in _METHODS:
        message = f"its encoding is {shown(encoding)!r}; raw, gzip and bzip2 are read"
        raise refusal(path, message, "save it again as gzip", "unsupported")
    (lines,) = integers(header.get("line skip", "0"), 1, "line skip", path, 0)
    (skip,) = integers(header.get("byte skip", "0"), 1, "byte skip", path, FROM_THE_END)
    if skip == FROM_THE_END and _METHODS[encoding]:
        message = "byte skip is -1, which is for raw data only"
        raise refusal(path, message, "correct the header", "header")
    name = header.get("data file")
    if name is None:
        return Data(path, file.tell(), _METHODS[encoding], skip, lines)
    return Data(data_file(path, name), 0, _METHODS[encoding], skip, lines)


def _check_samples(array: NDArray[Any], path: Path) -> None:
    """Refuse colour that is not 8 or 16 bit RGB."""
    if array.ndim > _SPACE and array.dtype.str[1:] not in ("u1", "u2"):
        message = f"its colour samples are {array.dtype.name}, not unsigned 8 or 16 bit"
        raise refusal(path, message, "save them as uchar", "unsupported")
