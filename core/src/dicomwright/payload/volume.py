"""What a reader hands on: a volume in space, images without space, or a document."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from dicomwright._dataclass import dataclass
from dicomwright.errors import GeometryError, StoredValueError
from dicomwright.payload.affine import Affine
from dicomwright.payload.arrays import checked_array, checked_positions
from dicomwright.payload.planes import ORTHOGONAL_COSINE, Planes
from dicomwright.payload.slicing import AxisOrder, choose_axes, right_angle_slicings, shear_degrees

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import ArrayLike, NDArray

__all__ = ["TILT_WARNING_DEGREES", "Document", "Frames", "Volume"]

TILT_WARNING_DEGREES = 1.0
"""A volume whose slices are stacked at more than this angle off the normal is warned of."""
_SAME_PLACE_MM = 1e-3
_WITH_SAMPLES = 4


@dataclass(frozen=True, eq=False)
class Volume:
    """A regular or stacked grid of values, with its place in the patient.

    The value of a voxel is ``stored * slope + intercept``.

    Examples
    --------
    >>> volume = Volume(np.zeros((4, 5, 6), np.int16), np.diag([3.0, 0.5, 0.7, 1.0])[[2, 1, 0, 3]])
    >>> volume.planes().pixel_spacing
    (0.5, 0.7)

    Parameters
    ----------
    array : array_like, shape (slices, rows, columns) or (slices, rows, columns, 3)
        Stored numbers, or unsigned 8 or 16 bit colour samples. Never copied, never changed: memory maps,
        views, any byte order and any strides are fine.
    affine : Affine or array_like, shape (4, 4), optional
        Map of (slice, row, column, 1) to LPS mm. Without it the volume has no place in space.
    positions : array_like, shape (slices, 3), optional
        Exact LPS position of the first pixel of each slice, for stacks that are tilted or uneven. They take
        the place of the affine's slice axis; the affine still gives rows and columns.
    slope, intercept : float
        From stored number to value, such as scl_slope and scl_inter of NIfTI.
    label : bool
        The numbers are names of classes: they are stored exactly or not at all.
    source : str
        Where the array comes from, for messages.
    warnings : iterable of str
        What the reader noticed.

    Raises
    ------
    SourceError
        If the array has another number of dimensions, an empty dimension, or a dtype without numbers.
    GeometryError
        If the affine or the positions are not usable.
    StoredValueError
        If slope or intercept is not finite, or the slope is zero.

    """

    array: NDArray[Any]
    affine: Affine | None
    positions: NDArray[np.float64] | None
    slope: float
    intercept: float
    label: bool
    source: str
    warnings: tuple[str, ...]

    def __init__(
        self,
        array: ArrayLike,
        affine: Affine | ArrayLike | None = None,
        *,
        positions: ArrayLike | None = None,
        slope: float = 1.0,
        intercept: float = 0.0,
        label: bool = False,
        source: str = "",
        warnings: Iterable[str] = (),
    ) -> None:
        checked = checked_array(array, source)
        place = affine if affine is None or isinstance(affine, Affine) else Affine(affine)
        fields = {
            "array": checked,
            "affine": place,
            "positions": checked_positions(positions, place, checked.shape[0], source),
            "slope": float(slope),
            "intercept": float(intercept),
            "label": bool(label),
            "source": str(source),
            "warnings": tuple(warnings),
        }
        for name, value in fields.items():
            object.__setattr__(self, name, value)
        if not np.isfinite([self.slope, self.intercept]).all() or self.slope == 0:
            raise StoredValueError(
                f"slope {self.slope:g} and intercept {self.intercept:g} make no values",
                hint="give a finite slope other than zero and a finite intercept",
                loc=self.source,
                kind="rescale",
            )

    def __len__(self) -> int:
        """Return the number of slices."""
        return self.slices

    @property
    def slices(self) -> int:
        """Number of slices."""
        return int(self.array.shape[0])

    @property
    def rows(self) -> int:
        """Rows (0028,0010) of each slice."""
        return int(self.array.shape[1])

    @property
    def columns(self) -> int:
        """Columns (0028,0011) of each slice."""
        return int(self.array.shape[2])

    @property
    def samples(self) -> int:
        """SamplesPerPixel (0028,0002): 3 for colour, else 1."""
        return int(self.array.shape[3]) if self.array.ndim == _WITH_SAMPLES else 1

    def planes(self) -> Planes:
        """Return the slices in DICOM's words, exactly where the affine or the positions put them.

        A slice axis that is not at right angles to the slices needs no resampling: each slice has its own
        position. Only rows and columns must meet at a right angle (cosine within 1e-4).

        Raises
        ------
        GeometryError
            If the volume has no place in space, or if rows and columns are sheared.

        """
        affine = self.stack_affine()
        column_direction, row_direction = affine.directions[1:]
        if abs(float(row_direction @ column_direction)) > ORTHOGONAL_COSINE:
            raise self._sheared(affine)
        positions = self.positions
        if positions is None:
            positions = affine.matrix[:3, 3] + np.arange(self.slices)[:, np.newaxis] * affine.steps[0]
        _, between_rows, between_columns = affine.spacing
        return Planes(
            row_direction,
            column_direction,
            (between_rows, between_columns),
            positions,
            self.rows,
            self.columns,
        )

    def sliced(self, slicing: str = "native", like: Planes | None = None) -> Volume:
        """Return the same volume seen as slices of another direction: a view, never a copy or resampling.

        In every mode the slices run along the normal (row direction x column direction).

        Parameters
        ----------
        slicing : str
            ``native`` keeps the array's rows and columns. ``upright`` keeps its slices, and turns their rows and
            columns as the closest of the following views shows them. ``axial``, ``coronal`` and ``sagittal`` take the
            closest array axes (an oblique volume stays oblique) as these views are usually shown: rows run
            to the patient's left, left and posterior; columns to posterior, feet and feet. ``like-parent``
            takes the row and column directions of `like`.
        like : Planes, optional
            The parent's planes, for ``like-parent``.

        Raises
        ------
        GeometryError
            If the slicing is unknown or not possible, or ``like-parent`` is more than 1° off.

        """
        if self.affine is None:
            if slicing == "native":
                return self
            raise GeometryError(
                f"slicing {slicing!r} needs a volume with an affine",
                hint="choose 'native'",
                loc=self.source,
                kind="no-space",
            )
        order = choose_axes(self.stack_affine(), slicing, like)
        return _warned_of_tilt(self._reordered(order))

    def stack_affine(self) -> Affine:
        """Return the affine, its slice axis and origin taken from the positions where there are any."""
        if self.affine is None:
            raise GeometryError(
                "the volume has no affine, so its slices have no place in the patient",
                hint="give Volume an affine (LPS, mm)",
                loc=self.source,
                kind="no-space",
            )
        if self.positions is None:
            return self.affine
        matrix = self.affine.matrix.copy()
        matrix[:3, 3] = self.positions[0]
        if self.slices > 1:
            matrix[:3, 0] = (self.positions[-1] - self.positions[0]) / (self.slices - 1)
        return Affine(matrix)

    def _reordered(self, order: AxisOrder) -> Volume:
        """Return the volume with its axes in another order, and some of them reversed."""
        steps = tuple(slice(None, None, -1) if flip else slice(None) for flip in order.flips)
        rest = range(3, self.array.ndim)
        array = self.array.transpose(*order.axes, *rest)[steps]
        affine = self.stack_affine()
        matrix = affine.matrix[:, [*order.axes, 3]].copy()
        for axis, flip in enumerate(order.flips):
            if flip:
                matrix[:3, 3] += (array.shape[axis] - 1) * matrix[:3, axis]
                matrix[:3, axis] *= -1
        return replace(
            self, array=array, affine=Affine(matrix), positions=self._reordered_positions(order, affine)
        )

    def _reordered_positions(self, order: AxisOrder, affine: Affine) -> NDArray[np.float64] | None:
        """Return the positions for the new order, `None` where the affine says the same."""
        if self.positions is None:
            return None
        if order.axes[0] != 0:
            regular = affine.matrix[:3, 3] + np.arange(self.slices)[:, np.newaxis] * affine.steps[0]
            off = float(np.linalg.norm(self.positions - regular, axis=1).max())
            if off > _SAME_PLACE_MM:
                raise GeometryError(
                    f"an uneven stack cannot be cut along another axis: its slices are up to {off:.3g} mm "
                    "off an even grid",
                    hint="choose slicing 'native', or resample the volume onto an even grid first",
                    loc=self.source,
                    kind="uneven",
                )
            return None
        first = self.positions[::-1] if order.flips[0] else self.positions
        move = np.zeros(3)
        for axis in (1, 2):
            if order.flips[axis]:
                old = order.axes[axis]
                move += (self.array.shape[old] - 1) * affine.steps[old]
        return first + move

    def _sheared(self, affine: Affine) -> GeometryError:
        """Return the error for rows and columns that do not meet at a right angle."""
        possible = right_angle_slicings(affine) if self.positions is None else []
        if possible:
            names = " or ".join(repr(name) for name in possible)
            hint = f"slicing {names} has rows and columns at a right angle and keeps every value"
        else:
            hint = "resample the volume onto a right-angled grid first; no slicing direction avoids the shear"
        angle = shear_degrees(affine.directions, 1, 2)
        return GeometryError(
            f"rows and columns are sheared by {angle:.4g}° and DICOM needs them at a right angle",
            hint=hint,
            loc=self.source,
            kind="sheared",
        )


def _warned_of_tilt(volume: Volume) -> Volume:
    """Add a warning if the stack leans more than 1° off its normal; sheared rows are left to `planes`."""
    affine = volume.stack_affine()
    if abs(float(affine.directions[1] @ affine.directions[2])) > ORTHOGONAL_COSINE:
        return volume
    tilt = volume.planes().tilt_degrees
    text = (
        f"the slices are stacked {tilt:.2f}° off their normal: each is written at its exact position, but "
        "software that assumes a stack at right angles shows them displaced"
    )
    if tilt <= TILT_WARNING_DEGREES or text in volume.warnings:
        return volume
    return replace(volume, warnings=(*volume.warnings, text))


@dataclass(frozen=True, eq=False, slots=True)
class Frames:
    """Images without a place in space, such as pictures or pages.

    Attributes
    ----------
    images : sequence of ndarray
        Each (rows, columns) or (rows, columns, 3). It may be lazy, made anew each time it is asked for, and asked
        from several threads.
    source : str
        Where they come from, for messages.
    warnings : tuple of str
        What the reader noticed.
    shapes : tuple of tuple of int, optional
        The shape of each image of a lazy sequence of uint8, so that no image is made to know it.
    content : callable, optional
        Returns a digest of what a lazy sequence is made from, so that no image is made to know it.

    """

    images: Sequence[NDArray[Any]]
    source: str = ""
    warnings: tuple[str, ...] = ()
    shapes: tuple[tuple[int, ...], ...] | None = None
    content: Callable[[], bytes] | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """A document that is carried as it is, such as a PDF.

    Attributes
    ----------
    data : bytes
        The file's content.
    media_type : str
        Such as ``application/pdf``.
    pages : int
        Number of pages; 0 if the format has none.
    title : str
        Title of the document; may be empty.
    source : str
        Where it comes from, for messages.
    warnings : tuple of str
        What the reader noticed.

    """

    data: bytes
    media_type: str
    pages: int = 0
    title: str = ""
    source: str = ""
    warnings: tuple[str, ...] = ()
