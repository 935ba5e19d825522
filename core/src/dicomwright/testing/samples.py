"""Tiny files and volumes: anisotropic, not square, each voxel different, so that swapped axes cannot hide.

NIfTI and PDF are written byte by byte here, so that no library is needed that only a reader needs.
"""

from __future__ import annotations

import gzip
import json
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dicomwright.payload import Volume

if TYPE_CHECKING:
    import os

    from numpy.typing import ArrayLike, DTypeLike, NDArray

__all__ = ["AFFINE", "SHAPE", "sample_volume", "write_nifti", "write_pdf", "write_raw"]

#: Slices, rows, columns.
SHAPE = (3, 4, 5)
_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
_NIFTI_TYPES = {"u1": 2, "i2": 4, "i4": 8, "f4": 16, "f8": 64, "u2": 512, "u4": 768}
_NIFTI_HEADER = 352


def _oblique() -> NDArray[np.float64]:
    """Return three steps at right angles, turned about two axes."""
    turn, tilt = np.radians(20.0), np.radians(-12.0)
    about_z = [[np.cos(turn), -np.sin(turn), 0.0], [np.sin(turn), np.cos(turn), 0.0], [0.0, 0.0, 1.0]]
    about_x = [[1.0, 0.0, 0.0], [0.0, np.cos(tilt), -np.sin(tilt)], [0.0, np.sin(tilt), np.cos(tilt)]]
    steps = np.diag([1.25, 0.75, 2.5])[:, ::-1]  # columns to x, rows to y, slices to z
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = np.array(about_z) @ np.array(about_x) @ steps, (-31.5, 17.25, -105.0)
    return affine


#: From (slice, row, column) to LPS mm: 2.5 mm between slices, pixels of 0.75 x 1.25 mm, oblique.
AFFINE = _oblique()


def sample_volume(
    shape: tuple[int, int, int] = SHAPE, dtype: DTypeLike = np.int16, affine: ArrayLike | None = None
) -> Volume:
    """Return a small oblique volume, all voxels different.

    Examples
    --------
    >>> volume = sample_volume()
    >>> volume.array.shape, [round(step, 6) for step in volume.affine.spacing]
    ((3, 4, 5), [2.5, 0.75, 1.25])

    """
    array = np.arange(np.prod(shape)).reshape(shape).astype(dtype)
    return Volume(array, AFFINE if affine is None else affine)


def write_nifti(path: os.PathLike[str] | str, volume: Volume | None = None) -> Path:
    """Write a NIfTI-1 file, compressed if its name ends in ``.gz``; return its path.

    Examples
    --------
    >>> write_nifti("brain.nii").stat().st_size
    472

    Parameters
    ----------
    path : path
        The file.
    volume : Volume, optional
        Its array becomes (columns, rows, slices), its affine RAS; the sample if not given.

    """
    volume = volume or sample_volume()
    array = np.asarray(volume.array)
    kind = array.dtype.str[1:]
    if kind not in _NIFTI_TYPES or array.ndim != len(SHAPE) or volume.affine is None:
        raise ValueError(
            f"{kind} {array.shape} is none of the volumes that this writes: {sorted(_NIFTI_TYPES)}"
        )
    affine = (_TO_RAS @ volume.affine.matrix)[:, [2, 1, 0, 3]]
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    header = bytearray(_NIFTI_HEADER)
    struct.pack_into("<i", header, 0, 348)
    struct.pack_into("<8h", header, 40, 3, *array.shape[::-1], 1, 1, 1, 1)
    struct.pack_into("<2h", header, 70, _NIFTI_TYPES[kind], 8 * array.dtype.itemsize)
    struct.pack_into("<8f", header, 76, 1.0, *spacing, 0, 0, 0, 0)
    struct.pack_into("<3f", header, 108, _NIFTI_HEADER, volume.slope, volume.intercept)
    header[123] = 2  # millimetres
    struct.pack_into("<2h", header, 252, 0, 1)  # no quaternion; the affine is that of a scanner
    struct.pack_into("<12f", header, 280, *affine[:3].ravel())
    header[344:348] = b"n+1\0"
    return _written(path, bytes(header) + array.astype(array.dtype.newbyteorder("<")).tobytes())


def write_pdf(path: os.PathLike[str] | str, text: str = "Report", pages: int = 1) -> Path:
    """Write a PDF document with a line of ASCII text on each page; return its path.

    Examples
    --------
    >>> write_pdf("report.pdf").read_bytes()[:8]
    b'%PDF-1.4'

    """
    escaped = "".join(f"\\{sign}" if sign in "()\\" else sign for sign in text)
    content = f"BT /F1 18 Tf 40 150 Td ({escaped}) Tj ET"
    kids = " ".join(f"{4 + 2 * number} 0 R" for number in range(pages))
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {pages} /MediaBox [0 0 300 200] >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for number in range(pages):
        objects += [
            f"<< /Type /Page /Parent 2 0 R /Resources << /Font << /F1 3 0 R >> >> /Contents {5 + 2 * number} 0 R >>",
            f"<< /Length {len(content)} >>\nstream\n{content}\nendstream",
        ]
    data, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(data))
        data += f"{number} 0 obj\n{body}\nendobj\n".encode("ascii")
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    size = len(objects) + 1
    end = f"xref\n0 {size}\n0000000000 65535 f \n{table}trailer\n<< /Size {size} /Root 1 0 R >>\n"
    return _written(path, data + f"{end}startxref\n{len(data)}\n%%EOF\n".encode("ascii"))


def write_raw(path: os.PathLike[str] | str, volume: Volume | None = None) -> Path:
    """Write the bytes of a volume, and a JSON sidecar beside them that describes them; return the path of the bytes.

    Examples
    --------
    >>> write_raw("scan.raw").stat().st_size
    120

    """
    volume = volume or sample_volume()
    array = np.asarray(volume.array)
    described: dict[str, Any] = {
        "dtype": array.dtype.name,
        "shape": list(array.shape),
        "byte_order": "little",
    }
    if volume.affine is not None:
        described |= {"affine": volume.affine.matrix.ravel().tolist(), "convention": "LPS"}
    _written(f"{Path(path)}.json", json.dumps(described, indent=2).encode("ascii"))
    return _written(path, array.astype(array.dtype.newbyteorder("<")).tobytes())


def _written(path: os.PathLike[str] | str, data: bytes) -> Path:
    """Write a file and return its path."""
    found = Path(path)
    found.parent.mkdir(parents=True, exist_ok=True)
    found.write_bytes(gzip.compress(data, mtime=0) if found.suffix == ".gz" else data)
    return found
