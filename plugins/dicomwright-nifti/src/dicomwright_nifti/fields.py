"""The fields of a plain NIfTI-1 header without nibabel, which takes as long to import as a small file to convert.

Only what is plain is answered here, as nibabel answers it, bit by bit; for anything else nibabel is asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

if TYPE_CHECKING:
    from nibabel.nifti1 import Nifti1Header
    from numpy.typing import NDArray

__all__ = ["PlainFields"]

_SIZE: Final = 348
_FIELDS: Final[dict[str, tuple[str, int]]] = {  # nifti1.h: type and first byte
    "dim": ("8i2", 40),
    "intent_code": ("i2", 68),
    "datatype": ("i2", 70),
    "bitpix": ("i2", 72),
    "pixdim": ("8f4", 76),
    "vox_offset": ("f4", 108),
    "scl_slope": ("f4", 112),
    "scl_inter": ("f4", 116),
    "xyzt_units": ("u1", 123),
    "qform_code": ("i2", 252),
    "sform_code": ("i2", 254),
    "quatern": ("3f4", 256),
    "qoffset": ("3f4", 268),
    "srow": ("(3,4)f4", 280),
}
_LEAST: Final = 1e-6  # of the quaternion's first part squared; nearer to nothing nibabel decides what it is


class PlainFields:
    """A NIfTI-1 header that answers as `nibabel.nifti1.Nifti1Header` does.

    Parameters
    ----------
    head : bytes
        The 348 bytes.
    endianness : str
        Their byte order, ``<`` or ``>``.

    """

    template_dtype: Final = np.dtype(
        {
            "names": list(_FIELDS),
            "formats": [kind for kind, _ in _FIELDS.values()],
            "offsets": [at for _, at in _FIELDS.values()],
            "itemsize": _SIZE,
        }
    )

    def __init__(self, head: bytes, endianness: Literal["<", ">"]) -> None:
        self._head = bytearray(head)
        self.endianness = endianness
        dtype = self.template_dtype.newbyteorder(endianness)
        self._fields = np.frombuffer(self._head, dtype).reshape(())

    def __getitem__(self, name: str) -> NDArray[Any]:
        """Return a field as an array, or as one without dimensions."""
        return self._fields[name]

    def copy(self) -> PlainFields:
        """Return fields that can be changed without changing these."""
        return PlainFields(bytes(self._head), self.endianness)

    def get_sform(self) -> NDArray[np.float64]:
        """Return the matrix of the sform."""
        return _matrix(self["srow"])

    def get_qform(self) -> NDArray[np.float64]:
        """Return the matrix of the qform.

        Raises
        ------
        ValueError
            nibabel refuses it.

        """
        factor, *sizes = self["pixdim"][:4]
        parts = self["quatern"].astype(np.longdouble)
        first = 1.0 - parts @ parts
        if not (first > _LEAST and factor in (-1, 1) and min(sizes) > 0):
            return np.asarray(self._by_nibabel().get_qform(), np.float64)  # type: ignore[no-untyped-call]
        rotation = _rotation(np.sqrt(first), *parts)
        return _matrix(np.c_[rotation @ np.diag([*sizes[:2], sizes[2] * factor]), self["qoffset"]])

    def get_base_affine(self) -> NDArray[np.float64]:
        """Return what nibabel makes up where there is no matrix."""
        return np.asarray(self._by_nibabel().get_base_affine(), np.float64)  # type: ignore[no-untyped-call]

    def _by_nibabel(self) -> Nifti1Header:
        """Return the same header, as nibabel reads it."""
        from nibabel.nifti1 import Nifti1Header

        return Nifti1Header(bytes(self._head), self.endianness, check=False)  # type: ignore[no-untyped-call]


def _matrix(rows: NDArray[Any]) -> NDArray[np.float64]:
    matrix = np.eye(4)
    matrix[:3] = rows
    return matrix


def _rotation(w: Any, x: Any, y: Any, z: Any) -> NDArray[Any]:
    """Return the rotation of a unit quaternion, rounded as nibabel rounds it."""
    double = 2.0 / (w * w + x * x + y * y + z * z)
    twice_x, twice_y, twice_z = x * double, y * double, z * double
    wx, wy, wz = w * twice_x, w * twice_y, w * twice_z
    xx, xy, xz = x * twice_x, x * twice_y, x * twice_z
    yy, yz, zz = y * twice_y, y * twice_z, z * twice_z
    return np.array(
        [
            [1.0 - (yy + zz), xy - wz, xz + wy],
            [xy + wz, 1.0 - (xx + zz), yz - wx],
            [xz - wy, yz + wx, 1.0 - (xx + yy)],
        ]
    )
