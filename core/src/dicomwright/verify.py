"""Positional proof: finished files are read again, and their pixels are found in the source where they claim to be.

Nothing of the build is used but the source, the parents' positions for arrays without an affine, and the error that
the build says it makes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pydicom

from dicomwright.errors import PublishError
from dicomwright.payload import Document, Frames, Volume

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from pydicom.dataset import Dataset

    from dicomwright.engine.series import Series
    from dicomwright.parents import ParentSeries

__all__ = ["Proof", "prove", "prover"]

#: Farthest that a pixel may be from its voxel, in mm.
MOST_MM = 0.01
_SAMPLES = 28
_WHITE = 255
_RELATIVE = 1e-9


@dataclass(frozen=True)
class Proof:
    """What was proved.

    Attributes
    ----------
    instances, pixels : int
        How many files were read, and how many of their pixels were compared: the corners of each slice, and others
        between them.
    max_mm : float, optional
        Largest distance between the place of a pixel by its file and that of its voxel in the source; None where
        there is no space.
    max_value_error : float
        Largest difference of values.

    """

    instances: int
    pixels: int
    max_mm: float | None
    max_value_error: float

    def as_dict(self) -> dict[str, Any]:
        """Return it as what JSON can hold."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


def prover(series: Series) -> Callable[[Sequence[Path]], dict[str, Any]]:
    """Return a check for `Series.write` that proves the files against the source of the series."""

    def check(files: Sequence[Path]) -> dict[str, Any]:
        stored = series.stored_values or {}
        error = float(stored.get("max_abs_error") or 0.0)
        return {"verify": prove(files, series.payload, series.parents, error).as_dict()}

    return check


def prove(
    files: Sequence[Path], payload: Any, parents: ParentSeries | None = None, allowed_error: float = 0.0
) -> Proof:
    """Find the pixels of finished files in their source.

    Parameters
    ----------
    files : sequence of Path
        In order of their instances.
    payload : Volume, Frames or Document
        The source.
    parents : ParentSeries, optional
        They place an array without an affine.
    allowed_error : float
        Largest difference of values that the build admits.

    Raises
    ------
    PublishError
        A pixel is not where it should be, or has another value; or the source is of a kind that cannot be compared.

    """
    if isinstance(payload, Document):
        return _document(files, payload)
    if isinstance(payload, Frames):
        source = _Source(payload.images, None)
    elif isinstance(payload, Volume):
        source = _Source(payload.array, _place(payload, parents), payload.slope, payload.intercept)
    else:
        raise PublishError(f"a {type(payload).__name__} cannot be proved", hint="build without --verify")
    return _compared(files, source, allowed_error)


@dataclass(frozen=True)
class _Place:
    """Slices of the source in space: origin of each, and the steps to the next row and column, LPS mm."""

    origins: NDArray[np.float64]
    row_step: NDArray[np.float64]
    column_step: NDArray[np.float64]
    matrix: NDArray[np.float64] | None = None

    def index_of(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return (slice, row, column) of points, with fractions."""
        if self.matrix is not None:
            inverse = np.linalg.inv(self.matrix)
            index: NDArray[np.float64] = points @ inverse[:3, :3].T + inverse[:3, 3]
            return index
        normal = np.cross(self.column_step, self.row_step)
        normal /= np.linalg.norm(normal)
        middle = points.mean(axis=0)
        nearest = int(np.argmin(np.abs((self.origins - middle) @ normal)))
        basis = np.column_stack([self.row_step, self.column_step, normal])
        rows, columns, off = np.linalg.solve(basis, (points - self.origins[nearest]).T)
        return np.column_stack([nearest + off / self._gap(normal), rows, columns])

    def point_of(self, index: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the points of voxels."""
        if self.matrix is not None:
            points: NDArray[np.float64] = index @ self.matrix[:3, :3].T + self.matrix[:3, 3]
            return points
        slices = index[:, 0].astype(int).clip(0, len(self.origins) - 1)
        offsets = np.outer(index[:, 1], self.row_step) + np.outer(index[:, 2], self.column_step)
        return np.asarray(self.origins[slices] + offsets)

    def _gap(self, normal: NDArray[np.float64]) -> float:
        gaps = np.abs(np.diff(self.origins @ normal))
        return float(gaps[gaps > 0].min()) if (gaps > 0).any() else 1.0


@dataclass(frozen=True)
class _Source:
    """The values of the source, and their place."""

    array: Any
    place: _Place | None
    slope: float = 1.0
    intercept: float = 0.0

    def values(self, index: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the values at (slice, row, column); what is true is 1."""
        slices = {number: np.asarray(self.array[number]) for number in {int(one[0]) for one in index}}
        found = [slices[int(one[0])][one[1], one[2]] for one in index]
        return np.asarray(found, dtype=np.float64) * self.slope + self.intercept

    def is_bits(self, number: int) -> bool:
        """Tell whether one slice holds nothing but true and false, which an image of 8 bit shows as white and black."""
        return np.asarray(self.array[number]).dtype == bool

    def shape_of(self, number: int) -> tuple[int, ...]:
        """Return rows and columns of one slice."""
        return tuple(np.shape(self.array[number])[:2])


@dataclass(frozen=True)
class _Plane:
    """One slice of a file."""

    name: str
    pixels: NDArray[Any]
    slope: float
    intercept: float
    position: NDArray[np.float64] | None
    row_step: NDArray[np.float64] | None = None
    column_step: NDArray[np.float64] | None = None

    def points(self, pixels: NDArray[np.int64]) -> NDArray[np.float64] | None:
        """Return where (row, column) lie, LPS mm (PS3.3 C.7.6.2.1.1)."""
        if self.position is None or self.row_step is None or self.column_step is None:
            return None
        offsets = np.outer(pixels[:, 0], self.row_step) + np.outer(pixels[:, 1], self.column_step)
        points: NDArray[np.float64] = self.position + offsets
        return points

    def values(self, pixels: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the values of (row, column)."""
        stored = self.pixels[pixels[:, 0], pixels[:, 1]].astype(np.float64)
        return stored * self.slope + self.intercept


def _compared(files: Sequence[Path], source: _Source, allowed_error: float) -> Proof:
    """Compare every plane of every file."""
    farthest: float | None = None
    largest, count = 0.0, 0
    for number, plane in enumerate(_planes(files)):
        pixels = _chosen(plane.pixels.shape[0], plane.pixels.shape[1], number)
        index, distance = _found(plane, pixels, source, number)
        if distance is not None:
            farthest = max(farthest or 0.0, distance)
        wanted, have = source.values(index), plane.values(pixels)
        if source.is_bits(int(index[0, 0])):
            have = np.where(have == _WHITE, 1.0, have)
        known = np.isfinite(wanted)
        errors = np.abs(wanted - have)[known]
        limit = allowed_error * (1 + 1e-6) + _RELATIVE * max(
            1.0, float(np.abs(wanted[known]).max(initial=0.0))
        )
        if errors.size and errors.max() > limit:
            raise _wrong_value(plane, pixels, index, wanted, have, limit)
        largest = max(largest, float(errors.max(initial=0.0)))
        count += len(pixels)
    return Proof(len(files), count, farthest, largest)


def _found(
    plane: _Plane, pixels: NDArray[np.int64], source: _Source, number: int
) -> tuple[NDArray[np.int64], float | None]:
    """Return the voxels of pixels, and how far the farthest is."""
    points = plane.points(pixels)
    if points is None or source.place is None:
        if number >= len(source.array) or source.shape_of(number) != plane.pixels.shape[:2]:
            raise PublishError(
                f"{plane.name}: {plane.pixels.shape[0]}x{plane.pixels.shape[1]} pixels (rows x columns) are not slice "
                f"{number + 1} of the source",
                kind="verify",
            )
        return np.column_stack([np.full(len(pixels), number), pixels]), None
    exact = source.place.index_of(points)
    index = np.rint(exact)
    distances = np.linalg.norm(points - source.place.point_of(index), axis=1)
    whole = index.astype(np.int64)
    limits = np.array([len(source.array), *source.shape_of(0)])
    inside = ((whole >= 0) & (whole < limits)).all(axis=1)
    worst = int(np.argmax(np.where(inside, distances, np.inf)))
    if not inside.all() or distances[worst] > MOST_MM:
        row, column = pixels[worst]
        where = (
            f"{distances[worst]:.3g} mm off voxel {whole[worst].tolist()}"
            if inside.all()
            else "outside the source"
        )
        raise PublishError(
            f"{plane.name}: the pixel of row {row}, column {column} lies at {np.round(points[worst], 4).tolist()} (LPS "
            f"mm), which is {where}",
            hint="nothing was published; please report this with the header of the source",
            kind="verify",
        )
    return whole, float(distances.max())


def _wrong_value(
    plane: _Plane,
    pixels: NDArray[np.int64],
    index: NDArray[np.int64],
    wanted: NDArray[np.float64],
    have: NDArray[np.float64],
    limit: float,
) -> PublishError:
    """Return the error for the pixel with the largest difference."""
    errors = np.nan_to_num(np.abs(wanted - have))
    worst = np.unravel_index(int(np.argmax(errors)), errors.shape)
    row, column = pixels[worst[0]]
    return PublishError(
        f"{plane.name}: the pixel of row {row}, column {column} has the value {have[worst]:.10g}, and the voxel "
        f"{index[worst[0]].tolist()} of the source {wanted[worst]:.10g}, {errors[worst]:.3g} apart, where {limit:.3g} "
        "is allowed",
        hint="nothing was published; please report this with the header of the source",
        kind="verify",
    )


def _chosen(rows: int, columns: int, number: int) -> NDArray[np.int64]:
    """Return the corners of a slice and pixels between them, others in each slice, the same in each run."""
    corners = np.array([[0, 0], [0, columns - 1], [rows - 1, 0], [rows - 1, columns - 1]])
    random = np.random.default_rng(number)
    between = np.column_stack([random.integers(0, rows, _SAMPLES), random.integers(0, columns, _SAMPLES)])
    return np.vstack([corners, between]).astype(np.int64)


def _place(volume: Volume, parents: ParentSeries | None) -> _Place | None:
    """Return where the slices of a volume lie; an array without an affine lies where its parents do."""
    if volume.affine is not None:
        matrix = volume.affine.matrix
        if volume.positions is None:
            slices = np.arange(volume.slices)
            origins = matrix[:3, 3] + np.outer(slices, matrix[:3, 0])
            return _Place(origins, matrix[:3, 1], matrix[:3, 2], matrix)
        return _Place(volume.positions, matrix[:3, 1], matrix[:3, 2])
    planes = None if parents is None else parents.planes
    if parents is None or planes is None or len(planes) != volume.slices:
        return None
    origins = planes.positions
    if parents.given == tuple(range(len(parents)))[::-1]:
        origins = origins[::-1]
    between_rows, between_columns = planes.pixel_spacing
    return _Place(origins, planes.column_direction * between_rows, planes.row_direction * between_columns)


def _planes(files: Sequence[Path]) -> Iterator[_Plane]:
    """Read the slices of the files in order."""
    for path in files:
        dataset = pydicom.dcmread(path)
        frames = int(dataset.get("NumberOfFrames") or 1)
        pixels = dataset.pixel_array
        stacked = pixels if "NumberOfFrames" in dataset and frames > 1 else pixels[np.newaxis]
        for frame in range(frames):
            name = path.name if frames == 1 else f"{path.name}, frame {frame + 1}"
            yield _plane(dataset, frame, name, stacked[frame])


def _plane(dataset: Dataset, frame: int, name: str, pixels: NDArray[Any]) -> _Plane:
    """Return one slice."""

    def value(keyword: str, sequence: str) -> Any:
        for group in (*_groups(dataset, frame, sequence), *_detectors(dataset, frame)):
            if group.get(keyword) is not None:
                return group[keyword].value
        return dataset.get(keyword)

    position = value("ImagePositionPatient", "PlanePositionSequence")
    orientation = value("ImageOrientationPatient", "PlaneOrientationSequence")
    spacing = value("PixelSpacing", "PixelMeasuresSequence")
    slope = value("RescaleSlope", "PixelValueTransformationSequence")
    intercept = value("RescaleIntercept", "PixelValueTransformationSequence")
    numbers = (1.0 if slope is None else float(slope), 0.0 if intercept is None else float(intercept))
    if position is None or orientation is None or spacing is None:
        return _Plane(name, pixels, *numbers, None)
    directions = np.array([float(one) for one in orientation])
    between_rows, between_columns = (float(one) for one in spacing)
    return _Plane(
        name,
        pixels,
        *numbers,
        np.array([float(one) for one in position]),
        directions[3:] * between_rows,
        directions[:3] * between_columns,
    )


def _groups(dataset: Dataset, frame: int, sequence: str) -> Iterator[Dataset]:
    """Yield the functional groups of a frame, its own before the shared ones."""
    own = list(dataset.get("PerFrameFunctionalGroupsSequence") or ())[frame : frame + 1]
    for item in (*own, *(dataset.get("SharedFunctionalGroupsSequence") or ())):
        yield from item.get(sequence) or ()


def _detectors(dataset: Dataset, frame: int) -> Iterator[Dataset]:
    """Yield the detector of a frame of nuclear medicine, which has its place (PS3.3 C.8.4.11)."""
    items = list(dataset.get("DetectorInformationSequence") or ())
    numbers = np.atleast_1d(dataset.get("DetectorVector") or 0)
    number = int(numbers[frame]) if frame < len(numbers) else 0
    yield from items[number - 1 : number] if number else ()


def _document(files: Sequence[Path], document: Document) -> Proof:
    """Compare an encapsulated document with its source, byte for byte."""
    for path in files:
        dataset = pydicom.dcmread(path)
        data = bytes(dataset.get("EncapsulatedDocument") or b"")
        length = len(document.data)
        if data[:length] != document.data or data[length:].strip(b"\0"):
            raise PublishError(f"{path.name}: the document is not that of the source", kind="verify")
    return Proof(len(files), 0, None, 0.0)
