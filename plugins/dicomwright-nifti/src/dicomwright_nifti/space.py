"""Where the voxels are: the affine that nibabel would take, checked, in mm."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from dicomwright.errors import GeometryError, SourceError
from dicomwright.payload.affine import Affine
from dicomwright.reading import refusal

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dicomwright_nifti.header import Header

    Matrix = NDArray[np.float64]

__all__ = ["Space", "apart", "checked", "describe", "place"]

_UNIT_MASK: Final = 7
_TO_MM: Final = {0: 1.0, 1: 1000.0, 2: 1.0, 3: 0.001}
_UNIT_NAMES: Final = {1: "metres", 3: "micrometres"}
_LAST_CODE: Final = 4  # NIFTI_XFORM_MNI_152; some programs know a fifth
_DISAGREE: Final = 0.1  # of the smallest voxel step: sform and qform further apart are told
_FLAT: Final = 1e-6  # volume of the unit steps; less is singular


@dataclass(slots=True)
class Space:
    """The RAS matrix over (column, row, slice) indices, in mm, and what the user should know of it."""

    matrix: Matrix
    warnings: list[str] = field(default_factory=list)


def place(header: Header, shape: tuple[int, ...], orientation: str, units: str) -> Space:
    """Return where a header puts its voxels.

    The sform is taken if its code is set, else the qform, else nibabel's fallback with a warning.

    Raises
    ------
    SourceError
        The matrix is not finite or singular, or the one that was asked for is absent.

    """
    notes: list[str] = []
    codes = _codes(header, notes)
    name = _which(header, codes, orientation)
    scale = _unit_scale(header, units, notes)
    with np.errstate(all="ignore"):
        matrix = _matrix(header, name, shape, notes)
        matrix[:3] *= scale
        notes.extend(_doubts(header, name, matrix, shape, scale))
    return Space(matrix, notes)


def describe(header: Header, matrix: Matrix, shape: tuple[int, ...], units: str) -> list[str]:
    """Return what to say of an image whose affine is given, and bring the affine to mm in place."""
    notes: list[str] = []
    codes = _codes(header, notes)
    scale = _unit_scale(header, units, notes)
    with np.errstate(all="ignore"):
        matrix[:3] *= scale
        notes.extend(_doubts(header, _which(header, codes, "auto"), matrix, shape, scale))
    return notes


def _doubts(header: Header, name: str, matrix: Matrix, shape: tuple[int, ...], scale: float) -> list[str]:
    """Return what makes the place uncertain: no code, or two matrices that disagree."""
    if name == "neither":
        note = (
            "neither sform nor qform has a code: position and orientation are unknown and were made up "
            "from the voxel sizes; left and right are not certain"
        )
        return [note]
    codes = _codes(header, [])
    if min(codes.values()) == 0:
        return []
    other = "qform" if name == "sform" else "sform"
    try:
        second = _matrix(header, other, shape, [])
    except SourceError as error:
        return [f"the {other} is unusable, the {name} is used: {error.problems[0].message}"]
    second[:3] *= scale
    distance = apart(matrix, second, shape)
    if distance <= _DISAGREE * float(np.linalg.norm(matrix[:3, :3], axis=0).min()):
        return []
    note = (
        f"sform (code {codes['sform']}) and qform (code {codes['qform']}) place voxels up to "
        f"{distance:.3g} mm apart; the {name} is used"
    )
    return [note]


def checked(matrix: Matrix, where: object, name: str, hint: str) -> Affine:
    """Return the matrix in LPS, over (slice, row, column).

    Raises
    ------
    SourceError
        It is not finite or singular.

    """
    try:
        with np.errstate(all="ignore"):
            return Affine.from_ras(matrix)
    except GeometryError as error:
        message = f"its {name} cannot place the voxels: {error.problems[0].message}"
        raise refusal(where, message, hint, "geometry") from error


def _codes(header: Header, notes: list[str]) -> dict[str, int]:
    """Return the codes of both matrices; one that NIfTI does not know counts as unset."""
    codes = {}
    for name in ("sform", "qform"):
        code = int(header[f"{name}_code"])
        if not _is_known(code):
            notes.append(f"{name}_code {code} is not a NIfTI code; the {name} is not used")
            code = 0
        codes[name] = code
    return codes


def _is_known(code: int) -> bool:
    """Tell whether a code is one of nifti1.h, or one that nibabel knows."""
    if 0 <= code <= _LAST_CODE:
        return True
    from nibabel.nifti1 import xform_codes

    return code in xform_codes.value_set()


def _which(header: Header, codes: dict[str, int], orientation: str) -> str:
    """Return the matrix to use."""
    if orientation == "auto":
        return next((name for name, code in codes.items() if code > 0), "neither")
    if codes[orientation] == 0:
        message = f"option orientation asks for the {orientation}, but {orientation}_code is 0"
        raise refusal(header.path, message, "leave the option out", "geometry")
    return orientation


def _matrix(header: Header, name: str, shape: tuple[int, ...], notes: list[str]) -> Matrix:
    """Return one matrix of the header, finite and not singular."""
    if name == "sform":
        matrix = np.array(header.fields.get_sform(), np.float64)
    else:
        matrix = _from_voxel_sizes(header, name, shape, notes)
    if shape[0] == 1 and not matrix[:3, 2].any():
        matrix[:3, 2] = _across(matrix, notes)
    other = {"sform": "qform", "qform": "sform"}.get(name)
    hint = f"if the {other} is right, use the option orientation={other}" if other else "set sform or qform"
    label = "voxel sizes" if other is None else name
    if not np.isfinite(matrix).all():
        message = f"its {label} has values that are not finite"
        raise refusal(header.path, message, hint, "geometry")
    steps = np.linalg.norm(matrix[:3, :3], axis=0)
    if not (steps > 0).all() or abs(np.linalg.det(matrix[:3, :3] / steps)) < _FLAT:
        message = f"its {label} is singular: its three axes do not span space"
        raise refusal(header.path, message, hint, "geometry")
    return matrix


def _across(matrix: Matrix, notes: list[str]) -> Matrix:
    """Return a step of 1 mm across a single slice whose matrix says nothing of that direction."""
    across = np.cross(matrix[:3, 0], matrix[:3, 1])
    size = float(np.linalg.norm(across))
    notes.append("the matrix says nothing of the direction across its single slice; 1 mm is taken")
    return across / size if math.isfinite(size) and size > 0 else across


def _from_voxel_sizes(header: Header, name: str, shape: tuple[int, ...], notes: list[str]) -> Matrix:
    """Return the qform, or the fallback, from pixdim as nibabel mends it."""
    fields = header.fields.copy()
    sizes = fields["pixdim"]
    for axis in (1, 2, 3):
        size, count = float(sizes[axis]), shape[3 - axis]
        if size < 0:
            notes.append(f"pixdim[{axis}] is {size:g}; its absolute value is used")
            sizes[axis] = -size
        elif count == 1 and (size == 0 or not math.isfinite(size)):
            sizes[axis] = 1
        elif size == 0 or not math.isfinite(size):
            message = f"pixdim[{axis}] is {size:g}: the voxel size is unknown"
            raise refusal(header.path, message, "set the voxel size", "geometry")
    if name == "neither":
        return np.asarray(fields.get_base_affine(), np.float64)
    if float(sizes[0]) not in (-1.0, 1.0):
        if float(sizes[0]) != 0:
            notes.append(f"pixdim[0] is {float(sizes[0]):g}, not 1 or -1; 1 is used")
        sizes[0] = 1
    try:
        return np.asarray(fields.get_qform(), np.float64)
    except (ValueError, ArithmeticError, np.linalg.LinAlgError) as error:
        message = f"its qform is not a rotation: {error}"
        raise refusal(header.path, message, "restore the header", "geometry") from error


def apart(first: Matrix, second: Matrix, shape: tuple[int, ...]) -> float:
    """Return the largest distance between where two matrices put a voxel."""
    ends = [(0, count - 1) for count in shape[2::-1]]
    corners = np.array([(*corner, 1) for corner in itertools.product(*ends)], np.float64)
    return float(np.linalg.norm(corners @ (first - second)[:3].T, axis=1).max())


def _unit_scale(header: Header, units: str, notes: list[str]) -> float:
    """Return the header's spatial unit in mm."""
    code = int(header["xyzt_units"]) & _UNIT_MASK
    if units == "mm":
        return 1.0
    if code not in _TO_MM:
        notes.append(f"spatial unit {code} in xyzt_units is unknown; mm is taken")
        return 1.0
    scale = _TO_MM[code]
    if scale != 1.0:
        notes.append(
            f"the header gives lengths in {_UNIT_NAMES[code]}: they were multiplied by {scale:g} to give mm "
            "(option units=mm takes them as they are)"
        )
    return scale
