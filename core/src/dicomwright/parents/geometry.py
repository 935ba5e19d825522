"""Where the images of a parent series lie, and in which order.

Images are ordered by the projection of their position on the slice normal (PS3.3 C.7.6.2.1.1), never by
file name. Multi-frame objects say their positions in functional groups (PS3.3 C.7.6.16), those of a frame
before the shared ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dicomwright._dataclass import dataclass
from dicomwright.errors import GeometryError, Problem
from dicomwright.parents.checks import groups, numbers, text, value_of
from dicomwright.parents.files import some
from dicomwright.payload.planes import Planes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from pydicom.dataset import Dataset

__all__ = ["Frame", "Layout", "lay_out", "plane_name"]

SAME_ORIENTATION_DEGREES = 0.25
"""Images whose rows and columns differ by less than this are parallel: room for rounded cosines."""
SAME_POSITION_MM = 1e-3
"""Images closer than this along the normal are at one position."""
TILT_DEGREES = 1.0
"""A stack that leans further than this from its normal is reported as tilted."""
_ORTHONORMAL = 1e-3
_MOST_FRAMES = 100_000


@dataclass(frozen=True, slots=True)
class Frame:
    """One image: which data set holds it, and what it says of its plane."""

    dataset: int
    frame: int
    position: tuple[float, ...] | None
    orientation: tuple[float, ...] | None
    spacing: tuple[float, ...] | None


@dataclass(frozen=True, slots=True)
class Layout:
    """How a series is laid out.

    Attributes
    ----------
    order : tuple of int
        The data sets, sorted.
    planes : Planes or None
        The *distinct* positions, along +normal; None without complete geometry.
    members : tuple of tuple of int
        For each plane, which data sets (as sorted) have an image there.
    warnings, problems
        What to tell, and why the series must be refused.
    several : bool
        Whether data sets hold several images each without saying where: then none belongs to a slice.

    """

    order: tuple[int, ...]
    planes: Planes | None
    members: tuple[tuple[int, ...], ...]
    warnings: tuple[str, ...]
    problems: tuple[Problem, ...]
    several: bool = False


def plane_name(normal: NDArray[np.float64]) -> str:
    """Return axial, coronal or sagittal (normal within 1 degree of an axis), else oblique."""
    axis = int(np.argmax(np.abs(normal)))
    name = ("sagittal", "coronal", "axial")[axis]
    return name if abs(normal[axis]) > np.cos(np.radians(1.0)) else f"oblique (closest to {name})"


def lay_out(datasets: Sequence[Dataset], names: Sequence[str]) -> Layout:
    """Order a series and find its planes."""
    by_number = _number_order(datasets)
    note = _no_stack(datasets, names)
    if note:
        return Layout(by_number, None, (), (note,), (), several="mosaic" in note)
    frames = [frame for index, dataset in enumerate(datasets) for frame in _frames(index, dataset)]
    lost = [frame for frame in frames if frame.position is None or frame.orientation is None]
    if lost:
        several = any(_frame_count(dataset) > 1 for dataset in datasets)
        return Layout(by_number, None, (), tuple(_lost_notes(lost, frames, names)), (), several)
    orientation = np.array([frame.orientation for frame in frames], dtype=np.float64)
    problems = _orientation_problems(frames, orientation, names)
    if problems:
        return Layout(by_number, None, (), (), problems)
    return _stack(datasets, names, frames, by_number)


def _number_order(datasets: Sequence[Dataset]) -> tuple[int, ...]:
    """Return the order by InstanceNumber (0020,0013); the given order when any lacks it."""
    try:
        found = [int(text(dataset, 0x00200013)) for dataset in datasets]
    except ValueError:
        return tuple(range(len(datasets)))
    return tuple(int(index) for index in np.argsort(found, kind="stable"))


def _no_stack(datasets: Sequence[Dataset], names: Sequence[str]) -> str:
    mosaics = [
        name for dataset, name in zip(datasets, names, strict=True) if "MOSAIC" in text(dataset, 0x00080008)
    ]
    if mosaics:
        return f"the parents are mosaics, each a whole volume: they have no slice positions ({some(mosaics)})"
    found = {text(dataset, 0x00200052) for dataset in datasets} - {""}
    if len(found) > 1:
        return f"the parents have {len(found)} frames of reference (0020,0052), so no common geometry"
    return ""


def _lost_notes(lost: list[Frame], frames: list[Frame], names: Sequence[str]) -> list[str]:
    if len(lost) == len(frames):
        what = "the parents say no position and orientation of their images: they have no geometry"
    else:
        missing = some(dict.fromkeys(names[frame.dataset] for frame in lost))
        what = f"{len(lost)} of {len(frames)} parent images say no position or orientation ({missing})"
    ordered = "; they are ordered by InstanceNumber (0020,0013)" if len(names) > 1 else ""
    return [what + ordered]


def _frames(index: int, dataset: Dataset) -> list[Frame]:
    per_frame, shared = value_of(dataset, 0x52009230), value_of(dataset, 0x52009229)
    if per_frame or shared:
        common = shared[0] if shared else None
        items: Sequence[Any] = per_frame or [None]
        return [_functional(index, number, item, common) for number, item in enumerate(items[:_MOST_FRAMES])]
    if _frame_count(dataset) > 1:  # and nothing says where they are
        return [Frame(index, 0, None, None, None)]
    position = numbers(dataset, 0x00200032, 3)
    return [Frame(index, 0, position, numbers(dataset, 0x00200037, 6), numbers(dataset, 0x00280030, 2))]


def _frame_count(dataset: Dataset) -> int:
    """Return NumberOfFrames (0028,0008); 1 without it."""
    count = text(dataset, 0x00280008)
    return int(count) if count.isdecimal() else 1


def _functional(index: int, number: int, item: Any, shared: Any) -> Frame:
    def find(group: int, tag: int, count: int) -> tuple[float, ...] | None:
        for place in (item, shared):
            inner = value_of(place, group) if place is not None else None
            found = numbers(inner[0], tag, count) if inner else None
            if found is not None:
                return found
        return None

    return Frame(
        index,
        number,
        find(0x00209113, 0x00200032, 3),
        find(0x00209116, 0x00200037, 6),
        find(0x00289110, 0x00280030, 2),
    )


def _orientation_problems(
    frames: list[Frame], orientation: NDArray[np.float64], names: Sequence[str]
) -> tuple[Problem, ...]:
    rows, columns = orientation[:, :3], orientation[:, 3:]
    lengths = np.stack([np.linalg.norm(rows, axis=1), np.linalg.norm(columns, axis=1)])
    skew = np.abs((rows * columns).sum(axis=1))
    bad = np.flatnonzero((np.abs(lengths - 1).max(axis=0) > _ORTHONORMAL) | (skew > _ORTHONORMAL))
    if bad.size:
        files = some(dict.fromkeys(names[frames[index].dataset] for index in bad))
        return (
            Problem(
                f"ImageOrientationPatient (0020,0037) is not two unit vectors at right angles in {files}",
                "use parents with a correct orientation",
                kind="orientation",
            ),
        )
    kinds = _kinds(rows, columns)
    if kinds.max() == 0:
        return ()
    found = groups(kinds.tolist(), [names[frame.dataset] for frame in frames])
    parts = []
    for kind, members in found.items():
        first = int(np.flatnonzero(kinds == kind)[0])
        parts.append(f"{len(members)} {plane_name(np.cross(rows[first], columns[first]))} ({some(members)})")
    return (
        Problem(
            f"the parent series holds {len(found)} orientations: {', '.join(parts)}",
            "give the files of one orientation",
            kind="several-orientations",
        ),
    )


def _kinds(rows: NDArray[np.float64], columns: NDArray[np.float64]) -> NDArray[np.intp]:
    """Give each image a number: parallel images get the same one."""
    kinds = np.full(len(rows), -1, dtype=np.intp)
    same = 2 * np.sin(np.radians(SAME_ORIENTATION_DEGREES) / 2)
    kind = 0
    while (left := np.flatnonzero(kinds < 0)).size:
        row_off = np.linalg.norm(rows - rows[left[0]], axis=1)
        column_off = np.linalg.norm(columns - columns[left[0]], axis=1)
        kinds[(kinds < 0) & (row_off <= same) & (column_off <= same)] = kind
        kind += 1
    return kinds


def _stack(
    datasets: Sequence[Dataset], names: Sequence[str], frames: list[Frame], by_number: tuple[int, ...]
) -> Layout:
    row, column = _right_angle(np.array(frames[0].orientation))
    positions = np.array([frame.position for frame in frames], dtype=np.float64)
    along = positions @ np.cross(row, column)
    rank = {dataset: place for place, dataset in enumerate(by_number)}
    ordered = sorted(range(len(frames)), key=lambda i: (along[i], rank[frames[i].dataset], frames[i].frame))
    order = by_number
    if len(frames) == len(datasets):
        order = tuple(frames[index].dataset for index in ordered)
    stacks: list[list[int]] = []
    for index in ordered:
        if stacks and along[index] - along[stacks[-1][0]] <= SAME_POSITION_MM:
            stacks[-1].append(index)
        else:
            stacks.append([index])
    sorted_place = {dataset: place for place, dataset in enumerate(order)}
    members = tuple(tuple(sorted_place[frames[index].dataset] for index in stack) for stack in stacks)
    firsts = [stack[0] for stack in stacks]
    first = frames[firsts[0]]
    planes, notes = _planes(first, datasets[first.dataset], row, column, positions[firsts])
    stack_names = [names[frames[index].dataset] for index in firsts]
    notes += _notes(planes, stack_names, members) if planes else []
    return Layout(order, planes, members if planes else (), tuple(notes), ())


def _right_angle(orientation: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the directions, made orthonormal if rounding has spoiled them by more than validators accept."""
    row, column = orientation[:3], orientation[3:]
    off = max(abs(float(np.linalg.norm(direction)) - 1) for direction in (row, column))
    if abs(float(row @ column)) > 1e-4 or off > 4e-5:  # noqa: PLR2004 - the tolerances of Planes, and of dciodvfy
        row = row / np.linalg.norm(row)
        column = column - (column @ row) * row
        column /= np.linalg.norm(column)
    return row, column


def _planes(
    frame: Frame,
    dataset: Dataset,
    row: NDArray[np.float64],
    column: NDArray[np.float64],
    positions: NDArray[np.float64],
) -> tuple[Planes | None, list[str]]:
    size = value_of(dataset, 0x00280010), value_of(dataset, 0x00280011)
    if frame.spacing is None or not all(isinstance(length, int) for length in size):
        return None, ["the parents say no PixelSpacing (0028,0030) or size: they have no geometry"]
    try:
        return Planes(row, column, frame.spacing, positions, size[0], size[1]), []
    except GeometryError as error:
        return None, [f"the parents have no usable geometry: {error}"]


def _notes(planes: Planes, names: list[str], members: tuple[tuple[int, ...], ...]) -> list[str]:
    notes = []
    most = max(len(stack) for stack in members)
    if most > 1:
        notes.append(
            f"the parents hold up to {most} images at each of {len(members)} positions (a time series?)"
        )
    if len(planes) < 2:  # noqa: PLR2004 - no gap to speak of
        return notes
    if planes.tilt_degrees > TILT_DEGREES:
        notes.append(
            f"the parents' slices are stacked {planes.tilt_degrees:.1f}° off their normal (gantry tilt): "
            "distances between slices are measured along the normal"
        )
    gaps = np.diff(planes.projections)
    if planes.spacing is None:
        notes += _gap_notes(gaps, names)
    return notes


def _gap_notes(gaps: NDArray[np.float64], names: list[str]) -> list[str]:
    """Tell missing slices (gaps that are whole multiples of the usual one) from uneven spacing."""
    usual = float(np.median(gaps))
    steps = np.rint(gaps / usual)
    wide = np.flatnonzero(steps > 1)
    if np.abs(gaps - steps * usual).max() > max(0.02 * usual, 2e-3) or not wide.size:
        return [f"the parents' slices are not evenly spaced: {gaps.min():.4g} to {gaps.max():.4g} mm"]
    return [
        f"{int(steps[index]) - 1} parent slices are missing between {names[index]} and {names[index + 1]} "
        f"(a gap of {gaps[index]:.4g} mm, usually {usual:.4g} mm)"
        for index in wide[:3]
    ]
