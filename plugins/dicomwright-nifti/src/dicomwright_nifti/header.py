"""What a NIfTI header declares, checked before any voxel is read.

nibabel knows the fields; that they are sane is decided here, in Python integers, with one error each.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from dicomwright.reading import byte_count, refusal
from dicomwright_nifti.fields import PlainFields

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from nibabel.nifti1 import Nifti1Header

    from dicomwright_nifti.sources import ByteSource

    Order = Literal["<", ">"]

__all__ = [
    "HEAD_BYTES",
    "Header",
    "Layout",
    "doubts",
    "grid",
    "is_nifti",
    "read_header",
    "scaling",
    "walk_extensions",
]

HEAD_BYTES: Final = 348  # enough to recognise NIfTI-1 and NIfTI-2
LABEL_INTENT: Final = 1002  # NIFTI_INTENT_LABEL
_EXTENSION_FLAG: Final = 4
_EXTENSION_HEAD: Final = 8
_MOST_EXTENSIONS: Final = 10_000
_MOST_DIMS: Final = 7
_SPATIAL: Final = 3
_RGB24: Final = 128
_NIFTI_2: Final = 540
_ORDERS: Final[tuple[Order, Order]] = ("<", ">")
_MAGICS: Final = {348: (344, b"n+1\0", b"ni1\0"), 540: (4, b"n+2\0", b"ni2\0")}
_NIFTI2_LINE_ENDS: Final = (b"\r\n\x1a\n", b"\0\0\0\0")
_TYPES: Final = {
    2: "u1",
    4: "i2",
    8: "i4",
    16: "f4",
    64: "f8",
    _RGB24: "u1",
    256: "i1",
    512: "u2",
    768: "u4",
    1024: "i8",
    1280: "u8",
}
_REFUSED: Final = {
    0: ("unknown", "write it with a data type"),
    1: ("1-bit", "convert it to uint8"),
    32: ("complex64", "save magnitude and phase as two real images"),
    1536: ("float128", "convert it to float64"),
    1792: ("complex128", "save magnitude and phase as two real images"),
    2048: ("complex256", "save magnitude and phase as two real images"),
    2304: ("RGBA32", "transparency is not supported here: blend it over a background and save RGB24"),
}


@dataclass(frozen=True, slots=True)
class Header:
    """A parsed header.

    Attributes
    ----------
    fields : PlainFields, Nifti1Header or Nifti2Header
        The header as nibabel reads it, unchecked.
    single : bool
        Whether header and voxels share one file.
    path : Path
        The file that it came from.

    """

    fields: PlainFields | Nifti1Header
    single: bool
    path: Path

    def __getitem__(self, name: str) -> Any:
        """Return a field as Python numbers: a scalar, or a list."""
        return self.fields[name].tolist()

    @property
    def size(self) -> int:
        """Bytes of the header itself, 348 or 540."""
        return int(self.fields.template_dtype.itemsize)


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the voxels are and what they look like.

    Attributes
    ----------
    shape : tuple of int
        (slices, rows, columns), and 3 samples for colour.
    dtype : numpy.dtype
        Of one sample, in the file's byte order.
    offset : int
        First byte of the voxels.

    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    offset: int

    @property
    def nbytes(self) -> int:
        """Bytes of all voxels."""
        return math.prod(self.shape) * self.dtype.itemsize

    @property
    def colour(self) -> bool:
        """Whether a voxel has three samples."""
        return len(self.shape) > _SPATIAL

    @classmethod
    def of(cls, header: Header) -> Layout:
        """Return the layout that a header declares.

        Raises
        ------
        SourceError
            The data type, the dimensions or the offset cannot be used.

        """
        code = int(header["datatype"])
        if code not in _TYPES:
            name, hint = _REFUSED.get(code, ("unknown", "the header is damaged: restore the file"))
            message = f"its voxels are {name} (datatype {code}), which cannot be stored"
            raise refusal(header.path, message, hint, "unsupported")
        count, *dims = header["dim"]
        if not 1 <= count <= _MOST_DIMS:
            raise refusal(header.path, f"dim[0] is {count}, not 1 to 7", "the header is damaged", "header")
        shape = grid(dims[:count], header.path) + ((3,) if code == _RGB24 else ())
        dtype = np.dtype(_TYPES[code]).newbyteorder(header.fields.endianness)
        return cls(shape, dtype, _offset(header))


def is_nifti(head: bytes) -> bool:
    """Tell whether bytes start a NIfTI-1 or NIfTI-2 header."""
    return any(head[at : at + 4] in magics for at, *magics in _MAGICS.values())


def read_header(source: ByteSource, path: Path) -> Header:
    """Read the header at the start of a source, in either version and byte order.

    Raises
    ------
    SourceError
        There is no complete NIfTI header.

    """
    head = source.read(HEAD_BYTES)
    size, order = _kind(head, path)
    head += source.read(size - len(head))
    if len(head) < size:
        message = f"the file ends after {byte_count(len(head))}, inside its header of {size}"
        raise refusal(path, message, "copy the file again or restore it", "truncated")
    at, single, pair = _MAGICS[size]
    magic = head[at : at + 4]
    if magic not in (single, pair):
        message = f"it has no NIfTI magic, but {magic!r}"
        hint = "if it is Analyze 7.5, which says nothing of orientation, convert it to NIfTI first"
        raise refusal(path, message, hint, "header")
    if size == _NIFTI_2 and head[8:12] not in _NIFTI2_LINE_ENDS:
        message = "the line-end check of its NIfTI-2 header is wrong: it was copied as text"
        raise refusal(path, message, "copy the file again in binary mode", "damaged")
    return Header(_fields(head, order), magic == single, path)


def _fields(head: bytes, order: Order) -> PlainFields | Nifti1Header:
    """Return the fields; nibabel reads the rarer NIfTI-2."""
    if len(head) != _NIFTI_2:
        return PlainFields(head, order)
    from nibabel.nifti2 import Nifti2Header

    return Nifti2Header(head, order, check=False)  # type: ignore[no-untyped-call]


def _kind(head: bytes, path: Path) -> tuple[int, Order]:
    """Return size and byte order of the header, from its first field."""
    for order in _ORDERS:
        size = int(np.frombuffer(head[:4].ljust(4, b"\0"), f"{order}i4")[0])
        if size in _MAGICS:
            return size, order

    if len(head) < HEAD_BYTES:
        message = f"its {byte_count(len(head))} are too few for a NIfTI header"
        raise refusal(path, message, "copy the file again or restore it", "truncated")
    message = "is not NIfTI: its first field, sizeof_hdr, is neither 348 nor 540"
    raise refusal(path, message, "name a .nii, .nii.gz or .hdr file", "header")


def grid(dims: Sequence[int], where: object) -> tuple[int, int, int]:
    """Return (slices, rows, columns) of dimensions in NIfTI order (columns first).

    Raises
    ------
    SourceError
        A dimension is not positive, or there is more than space.

    """
    names = " x ".join(str(n) for n in dims)
    bad = [n for n in dims if n < 1]
    if bad or not dims:
        message = f"its dimensions are {names or 'none'}: each must be at least 1"
        raise refusal(where, message, "the header is damaged: restore the file", "header")
    beyond = [f"dim[{at}] = {n}" for at, n in enumerate(dims, 1) if at > _SPATIAL and n > 1]
    if beyond:
        message = f"it is {names} voxels, more than one volume ({', '.join(beyond)})"
        hint = "split it into 3-D volumes first, for example with nibabel.four_to_three"
        raise refusal(where, message, hint, "unsupported")
    columns, rows, slices = (*dims, 1, 1)[:_SPATIAL]
    return int(slices), int(rows), int(columns)


def _offset(header: Header) -> int:
    """Return the first byte of the voxels."""
    offset = header["vox_offset"]
    least = header.size + _EXTENSION_FLAG if header.single else 0
    if not math.isfinite(offset) or offset != int(offset) or offset < least:
        message = f"vox_offset is {offset}, not a whole number of bytes from {least}"
        raise refusal(header.path, message, "the header is damaged: restore the file", "header")
    return int(offset)


def walk_extensions(source: ByteSource, header: Header, end: int) -> None:
    """Step over the header extensions, checking that they lie before `end`.

    Raises
    ------
    SourceError
        An extension says a size that cannot be, or there are too many.

    """
    flag = source.read(_EXTENSION_FLAG)
    if flag[:1] in (b"", b"\0"):
        return
    order = header.fields.endianness
    for _ in range(_MOST_EXTENSIONS):
        if source.position + _EXTENSION_HEAD > end:
            return
        start = source.read(_EXTENSION_HEAD)
        if len(start) < _EXTENSION_HEAD or not any(start):
            return  # the end of a header file, or padding
        size = int(np.frombuffer(start[:4], f"{order}i4")[0])
        rest = size - _EXTENSION_HEAD
        if rest < 0 or source.position + rest > end or source.skip(rest) < rest:
            message = f"a header extension says that it has {size} bytes, which cannot be"
            raise refusal(header.path, message, "the header is damaged: restore the file", "header")

    message = f"it has more than {_MOST_EXTENSIONS:,} header extensions"
    raise refusal(header.path, message, "the header is damaged: restore the file", "header")


def doubts(header: Header, layout: Layout) -> list[str]:
    """Return what is odd but does no harm: bitpix is not needed and often wrong, a slope may mean none."""
    notes = []
    bits = layout.dtype.itemsize * 8 * (3 if layout.colour else 1)
    bitpix = int(header["bitpix"])
    if bitpix not in (0, bits):
        notes.append(
            f"bitpix is {bitpix} but datatype {header['datatype']} has {bits} bits; the datatype is used"
        )
    slope, intercept = float(header["scl_slope"]), float(header["scl_inter"])
    if math.isinf(slope) or (math.isnan(slope) and math.isfinite(intercept) and intercept != 0):
        notes.append(f"scl_slope is {slope}, which means none: scl_inter {intercept} is not used either")
    return notes


def scaling(header: Header, *, colour: bool) -> tuple[float, float]:
    """Return slope and intercept. A slope of 0 or NaN means none, and so it is for colour.

    Raises
    ------
    SourceError
        The slope is set, the intercept is not finite.

    """
    slope, intercept = float(header["scl_slope"]), float(header["scl_inter"])
    if colour or slope == 0 or not math.isfinite(slope):
        return 1.0, 0.0
    if not math.isfinite(intercept):
        message = f"scl_slope is {slope} but scl_inter is {intercept}"
        raise refusal(header.path, message, "set scl_inter to a number", "header")
    return slope, intercept
