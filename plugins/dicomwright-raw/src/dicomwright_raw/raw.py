"""Headerless binary files: a sidecar or options say what the bytes are."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dicomwright.payload import Volume
from dicomwright.reading import refusal
from dicomwright_raw.description import PLACE, describe
from dicomwright_raw.files import check_size, mapped, open_regular, size_of
from dicomwright_raw.layout import arranged, axes_of, place
from dicomwright_raw.refusals import times
from dicomwright_raw.sidecar import find_sidecar, load_sidecar

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from dicomwright_raw.description import Description

__all__ = ["RawReader", "told_of"]


class RawReader:
    """Read a volume from bytes without a header. The bytes are mapped, never loaded.

    Examples
    --------
    >>> import numpy
    >>> numpy.arange(24, dtype=">i2").tofile("ct.raw")
    >>> options = {"dtype": "int16", "byte_order": "big", "shape": "2,3,4"}
    >>> RawReader().read(Path("ct.raw"), options).array.shape  # (slices, rows, columns)
    (2, 3, 4)

    """

    def can_read(self, path: Path, head: bytes) -> bool:  # noqa: ARG002  any bytes will do
        """Tell whether there is a sidecar that says what the bytes are."""
        return any(path.with_name(path.name + kind).is_file() for kind in (".toml", ".json"))

    def read(self, path: Path, options: Mapping[str, str]) -> Volume:
        """Return the volume.

        Parameters
        ----------
        path : Path
            The file.
        options : Mapping of str to str
            The entries of `Description`; each overrides that of the sidecar. ``sidecar`` names another
            sidecar than the file's name with ``.toml`` or ``.json`` behind it.

        Raises
        ------
        SourceError
            Nothing says what the bytes are, the file has not exactly that many, or the place is not valid.

        """
        path = Path(path)
        told = told_of(path, options)
        missing = [name for name in ("dtype", "shape") if not getattr(told, name)]
        if missing:
            message = f"nothing says what its bytes are: there is no {' and no '.join(missing)}"
            hint = f"put {path.name}.toml beside it, or give dtype and shape as options (--reader-opt)"
            raise refusal(path, message, hint, "description")
        axes = axes_of(told, told.shape, path)
        affine = place(told, axes, path)
        return Volume(
            arranged(_array(path, told), axes),
            affine,
            slope=told.slope,
            intercept=told.intercept,
            label=told.label,
            source=str(path),
        )


def told_of(path: Path, options: Mapping[str, str], allowed: tuple[str, ...] = ()) -> Description:
    """Return what the sidecar says, if there is one, with the options over it.

    Raises
    ------
    SourceError
        One of them is wrong.

    """
    named = options.get("sidecar")
    sidecar = Path(named) if named else find_sidecar(path)
    own = {name: value for name, value in options.items() if name != "sidecar"}
    by_options = describe(own, "--reader-opt", allowed)
    if sidecar is None:
        return by_options
    entries = load_sidecar(sidecar)
    describe(entries, str(sidecar), allowed)
    return describe(_left_by(own, entries) | own, f"{sidecar} with --reader-opt", allowed)


def _left_by(own: Mapping[str, Any], entries: Mapping[str, Any]) -> dict[str, Any]:
    """Return the entries that options leave: place and byte order can be said in two ways each."""
    left = dict(entries)
    if "byte_order" in own and "dtype" in left:
        left["dtype"] = str(left["dtype"]).strip().lstrip("<>")
    if str(own.get("dtype", "")).strip().startswith(("<", ">")):
        left.pop("byte_order", None)
    if "affine" in own:
        return {name: value for name, value in left.items() if name not in PLACE}
    if own.keys() & set(PLACE):
        left.pop("affine", None)
    return left


def _array(path: Path, told: Description) -> NDArray[Any]:
    """Return the stored numbers, mapped, in the order of the axes."""
    dtype = told.numpy_dtype
    count = math.prod(told.shape) * dtype.itemsize
    parts = f"{times(told.shape)} values of {told.dtype}"
    with open_regular(path) as file:
        extra = "correct shape, dtype or offset"
        header = f"a header of {told.offset:,} bytes and " if told.offset else ""
        check_size(path, size_of(file), told.offset + count, header + parts, extra)
        data = mapped(file, path, told.offset, count)
    shape = told.shape if told.order == "C" else told.shape[::-1]
    array = data.view(dtype).reshape(shape)
    return array if told.order == "C" else array.transpose()
