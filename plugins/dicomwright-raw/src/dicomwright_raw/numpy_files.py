"""NumPy arrays: ``.npy`` mapped, ``.npz`` decompressed once. Pickles are never loaded."""

from __future__ import annotations

import io
import math
import tokenize
import warnings
import zipfile
import zlib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from numpy.lib import format as npy

from dicomwright.payload import Volume
from dicomwright.reading import refusal, shown
from dicomwright_raw.description import Description
from dicomwright_raw.files import check_size, mapped, open_regular, size_of
from dicomwright_raw.layout import arranged, axes_of, place
from dicomwright_raw.raw import told_of
from dicomwright_raw.refusals import COPY_AGAIN, times
from dicomwright_raw.unpack import admit, max_bytes_of, read_exactly

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import IO

    import numpy as np
    from numpy.typing import NDArray

__all__ = ["NumpyReader"]

_MAGIC: Final = b"\x93NUMPY"
_ZIP: Final = b"PK\x03\x04"
_BYTES: Final = ("dtype", "shape", "byte_order", "order", "offset")  # the file itself says these
_ALLOWED: Final = tuple(field.name for field in fields(Description) if field.name not in _BYTES)
_READ_HEADER: Final = {
    (1, 0): npy.read_array_header_1_0,
    (2, 0): npy.read_array_header_2_0,
    (3, 0): npy.read_array_header_2_0,  # differs in the names of fields only, and such arrays are refused
}
_LONGEST_HEADER: Final = 10_000  # NumPy's own limit
_COLOUR: Final = 3
_DAMAGE: Final = (  # what zipfile and numpy.lib.format raise for damaged files
    ValueError, TypeError, SyntaxError, EOFError, OSError, KeyError, AttributeError, RuntimeError, MemoryError,
    OverflowError, tokenize.TokenError, zlib.error, zipfile.BadZipFile,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Header:
    """What an array in NumPy's format says of itself."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    columns_first: bool
    size: int

    @property
    def nbytes(self) -> int:
        return math.prod(self.shape) * self.dtype.itemsize

    def array(self, data: NDArray[np.uint8]) -> NDArray[Any]:
        """Return the bytes as the array; nothing is copied."""
        numbers = data.view(self.dtype)
        return (
            numbers.reshape(self.shape[::-1]).transpose()
            if self.columns_first
            else numbers.reshape(self.shape)
        )

    def __str__(self) -> str:
        return f"{times(self.shape)} values of {self.dtype.name}"


class NumpyReader:
    """Read a volume from an array that NumPy saved.

    Examples
    --------
    >>> import numpy
    >>> numpy.save("ct.npy", numpy.zeros((4, 120, 200), "i2"))
    >>> place = {"spacing": "5,0.8,0.8", "origin": "-80,-60,-275", "convention": "LPS"}
    >>> NumpyReader().read(Path("ct.npy"), place).affine.spacing
    (5.0, 0.8, 0.8)

    """

    def can_read(self, path: Path, head: bytes) -> bool:  # noqa: ARG002  the bytes tell
        """Tell whether a file's first bytes are those of NumPy, or of a zip file."""
        return head.startswith((_MAGIC, _ZIP))

    def read(self, path: Path, options: Mapping[str, str]) -> Volume:
        """Return the volume.

        Parameters
        ----------
        path : Path
            The file. A sidecar, its name with ``.toml`` or ``.json`` behind it, may place it.
        options : Mapping of str to str
            The entries of `Description` that the file does not say itself, ``sidecar``, ``array`` and
            ``max_bytes``.

        Raises
        ------
        SourceError
            The file is damaged, holds Python objects, has not exactly the bytes of its shape, or several
            arrays of which none is named.

        """
        path = Path(path)
        own = dict(options)
        name, most = own.pop("array", ""), max_bytes_of({"max_bytes": own.pop("max_bytes", "")})
        told = told_of(path, own, _ALLOWED)
        with open_regular(path) as file:
            zipped = file.peek(len(_ZIP))[: len(_ZIP)] == _ZIP
            array = _from_zip(file, path, name, most) if zipped else _from_file(file, path, name)
        if not told.axes and array.ndim > _COLOUR and array.shape[-1] != _COLOUR:
            message = f"it has {array.ndim} axes ({times(array.shape)}), which is not one volume"
            raise refusal(path, message, "save one volume to a file of its own", "axes")
        axes = axes_of(told, array.shape, path)
        affine = place(told, axes, path)
        return Volume(
            arranged(array, axes),
            affine,
            slope=told.slope,
            intercept=told.intercept,
            label=told.label,
            source=str(path),
        )


def _from_file(file: io.BufferedReader, path: Path, name: str) -> NDArray[Any]:
    """Return the array of a .npy file, mapped."""
    if name:
        raise refusal(path, "it is one array without a name", "leave the option array out", "option")
    header = _header(file, path, "its header")
    check_size(
        path, size_of(file), header.size + header.nbytes, f"a header of {header.size} bytes and {header}"
    )
    return header.array(mapped(file, path, header.size, header.nbytes))


def _from_zip(file: io.BufferedReader, path: Path, name: str, most: int) -> NDArray[Any]:
    """Return one array of an .npz file."""
    try:
        with zipfile.ZipFile(file) as archive:
            member = _member(archive, path, name)
            with archive.open(member) as stream:
                what = f"the array {member.filename.removesuffix('.npy')!r}"
                header = _header(stream, path, what)
                admit(path, header.nbytes, member.compress_size, most)
                return header.array(read_exactly(stream, path, header.nbytes, what))
    except _DAMAGE as error:
        raise refusal(path, f"it is a damaged .npz file: {shown(error)}", COPY_AGAIN, "damaged") from error


def _member(archive: zipfile.ZipFile, path: Path, name: str) -> zipfile.ZipInfo:
    """Return the member that holds the array."""
    members = [each for each in archive.infolist() if each.filename.endswith(".npy")]
    if name:
        members = [each for each in members if each.filename == f"{name}.npy"]
    if len(members) != 1:
        held = ", ".join(each.filename.removesuffix(".npy") for each in archive.infolist()[:10]) or "nothing"
        message = f"it has no array {name!r}" if name else f"it does not hold one array but {len(members)}"
        raise refusal(path, f"{message}; it holds {held}", "name one with the option array", "array")
    (member,) = members
    if member.flag_bits & 1 or member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        message = "its array is encrypted or packed in a way that NumPy does not use"
        raise refusal(path, message, "save it with numpy.savez_compressed", "unsupported")
    return member


def _bounded(stream: IO[bytes], version: tuple[int, int]) -> io.BytesIO:
    """Return length and text of a header, which NumPy would read first and measure then."""
    length = stream.read(2 if version == (1, 0) else 4)
    if (size := int.from_bytes(length, "little")) > _LONGEST_HEADER:
        raise ValueError(f"its header has {size:,} bytes; NumPy reads {_LONGEST_HEADER:,}")
    return io.BytesIO(length + stream.read(size))


def _header(stream: IO[bytes], path: Path, what: str) -> _Header:
    """Return the header of an array, of which nothing is unpickled."""
    try:
        version = npy.read_magic(stream)
        if version not in _READ_HEADER:
            raise ValueError(f"version {version[0]}.{version[1]} is not known")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the parser that NumPy uses, for odd but harmless headers
            shape, columns_first, dtype = _READ_HEADER[version](_bounded(stream, version))
    except _DAMAGE as error:
        reason = " ".join(str(error).split())
        raise refusal(path, f"{what} is not that of a NumPy array: {reason}", COPY_AGAIN, "header") from error
    if dtype.kind not in "biuf" or dtype.subdtype is not None:
        what = {"O": "Python objects, which are never unpickled", "c": "complex numbers"}.get(
            dtype.kind, str(dtype)
        )
        raise refusal(
            path,
            f"it holds {shown(what)}, not numbers that can be stored",
            "save real numbers",
            "unsupported",
        )
    if not shape or min(shape) < 1:
        message = f"its shape is {shape}: there is no volume in it"
        raise refusal(path, message, "save (slices, rows, columns)", "header")
    return _Header(tuple(map(int, shape)), dtype, columns_first, stream.tell())
