"""What this distribution provides. Imports nothing heavy: a reader is imported with its first file."""

from __future__ import annotations

from dicomwright.plugins import OptionSpec, ReaderSpec, hookimpl

__all__ = ["dicomwright_readers"]

_PLACE = {
    "axes": "what each axis of the shape is (default slice,row,column)",
    "spacing": "one number for each axis in space, in their order, such as 5,0.8,0.8",
    "origin": "x,y,z of the centre of the first voxel",
    "direction": "one unit vector for each axis in space, 9 numbers (default: slices to +z, rows to +y, columns to +x)",
    "affine": "instead of these: 16 numbers, row by row, from the axes to x,y,z",
    "convention": "what x, y and z are: LPS (DICOM, ITK) or RAS (NIfTI); to be named with any place",
    "length_unit": "of spacing, origin and affine: mm, cm, m or um (default mm)",
    "slope": "a value is stored x slope + intercept (default 1)",
    "intercept": "a value is stored x slope + intercept (default 0)",
    "units": "unit of the values, for people: the blueprint says it to DICOM",
    "label": "true: the values are names of classes, stored exactly or not at all (default false)",
    "sidecar": "another sidecar than the file's name with .toml or .json behind it",
}
_BYTES = {
    "dtype": "int8, uint8, int16, ... int64, uint64, float16, float32 or float64",
    "shape": "one number for each axis, such as 4,120,200",
    "byte_order": "little or big (default little)",
    "order": "C: the last axis varies fastest in the file; F: the first does (default C)",
    "offset": "bytes before the first value (default 0)",
}
_LIMIT = {"max_bytes": "most bytes that a compressed file may hold, such as 512MiB or 4GiB (default 2GiB)"}
_ARRAY = {"array": "which array of an .npz file that holds several"}


def _reader(
    name: str,
    summary: str,
    target: str,
    ends: tuple[str, ...],
    options: dict[str, str],
    magic: tuple[bytes, ...] = (),
) -> ReaderSpec:
    return ReaderSpec(
        name=name,
        summary=summary,
        target=f"dicomwright_raw.{target}",
        extensions=ends,
        magic=tuple((0, mark) for mark in magic),
        options=tuple(OptionSpec(name=key, summary=text) for key, text in options.items()),
    )


_READERS = [
    _reader(
        "raw",
        "headerless binary volumes, described by a sidecar or by options",
        "raw:RawReader",
        (".raw", ".bin"),
        _BYTES | _PLACE,
    ),
    _reader(
        "numpy",
        "NumPy arrays: .npy and .npz, never pickles",
        "numpy_files:NumpyReader",
        (".npy", ".npz"),
        _PLACE | _ARRAY | _LIMIT,
        (b"\x93NUMPY",),
    ),
    _reader(
        "nrrd",
        "NRRD volumes with attached or detached data",
        "nrrd:NrrdReader",
        (".nrrd", ".nhdr"),
        _LIMIT,
        (b"NRRD000",),
    ),
    _reader(
        "metaimage",
        "MetaImage volumes with attached or detached data",
        "metaimage:MetaImageReader",
        (".mha", ".mhd"),
        _LIMIT,
        (b"ObjectType = Image",),
    ),
]


@hookimpl
def dicomwright_readers() -> list[ReaderSpec]:
    """Give the readers."""
    return _READERS
