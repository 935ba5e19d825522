"""The axes of an NRRD file: which are slices, rows, columns and samples, and where they lie."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

import numpy as np

from dicomwright.reading import refusal, shown
from dicomwright_raw.header_text import integers, numbers
from dicomwright_raw.layout import across, checked
from dicomwright_raw.refusals import times

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from dicomwright.payload import Affine

__all__ = ["Axes", "axes_of", "place"]

_MOST_AXES: Final = 16
_SPACE_DIMENSIONS: Final = 3
_COLOUR: Final = 3
#: Sign of x, y, z on the way to LPS.
_TO_LPS: Final = {
    "left-posterior-superior": (1, 1, 1), "lps": (1, 1, 1),
    "right-anterior-superior": (-1, -1, 1), "ras": (-1, -1, 1),
    "left-anterior-superior": (1, -1, 1), "las": (1, -1, 1),
}  # fmt: skip
_LENGTHS: Final = {
    "mm": 1.0,
    "millimeter": 1.0,
    "cm": 10.0,
    "m": 1000.0,
    "um": 0.001,
    "µm": 0.001,
    "micron": 0.001,
}
_COLOUR_KINDS: Final = ("rgb-color", "3-color", "3-vector", "vector")
_IN_SPACE: Final = ("domain", "space", "???", "none")
_VECTOR: Final = re.compile(r"none|\(([^()]*)\)", re.IGNORECASE)
_QUOTED: Final = re.compile(r'"([^"]*)"')


@dataclass(frozen=True, slots=True)
class Axes:
    """The axes, fastest first as in the header.

    Attributes
    ----------
    names : tuple of str
        ``column``, ``row``, ``slice``, and ``sample`` for colour; axes of size 1 out of space are left out.
    sizes : tuple of int
        Their sizes.
    places : tuple of int
        Which axes of the header they are.

    """

    SPACE: ClassVar = ("column", "row", "slice")

    names: tuple[str, ...]
    sizes: tuple[int, ...]
    places: tuple[int, ...]


def axes_of(header: Mapping[str, str], path: Path) -> Axes:
    """Return what the axes are.

    Raises
    ------
    SourceError
        They are not one volume, grey or RGB.

    """
    (count,) = integers(header["dimension"], 1, "dimension", path)
    if count > _MOST_AXES:
        raise refusal(path, f"its dimension is {count}", "correct the header", "header")
    sizes = integers(header["sizes"], count, "sizes", path)
    spatial, kinds = _in_space(header, count, path), _kinds(header, count)
    names, kept = [], []
    left = list(Axes.SPACE)
    for axis in range(count):
        name = _name(axis in spatial and bool(left), sizes[axis], kinds[axis])
        if name == "space":
            names.append(left.pop(0))
        elif name == "sample" and "sample" not in names:
            names.append("sample")
        elif sizes[axis] == 1:
            continue
        else:
            message = f"its axis {axis + 1} of {count} ({times(sizes)}, kind {shown(kinds[axis])}) is not in one volume"
            raise refusal(path, message, "save one grey or RGB volume to a file of its own", "unsupported")
        kept.append(axis)
    if not {"column", "row"} <= set(names):
        raise refusal(path, "it has fewer than two axes in space", "save rows and columns", "unsupported")
    return Axes(tuple(names), tuple(sizes[axis] for axis in kept), tuple(kept))


def _name(spatial: bool, size: int, kind: str) -> str:
    """Return what an axis is: ``space``, ``sample``, or neither."""
    if spatial:
        return "space"
    return "sample" if size == _COLOUR and kind in _COLOUR_KINDS else ""


def _kinds(header: Mapping[str, str], count: int) -> list[str]:
    """Return the kind of each axis, ``none`` where it is not said."""
    kinds = header.get("kinds", "").lower().split()
    return kinds if len(kinds) == count else ["none"] * count


def _in_space(header: Mapping[str, str], count: int, path: Path) -> set[int]:
    """Return which axes lie in space: those with a direction, else those whose kind allows it."""
    if "space directions" in header:
        return {axis for axis, vector in enumerate(_directions(header, count, path)) if vector is not None}
    return {axis for axis, kind in enumerate(_kinds(header, count)) if kind in _IN_SPACE}


def _directions(header: Mapping[str, str], count: int, path: Path) -> list[list[float] | None]:
    """Return the direction of each axis, None where it has none."""
    text = header["space directions"]
    found = list(_VECTOR.finditer(text))
    if len(found) != count or _VECTOR.sub("", text).strip():
        message = f"its field 'space directions' is {shown(text)!r}, not {count} vectors"
        raise refusal(path, message, "correct the header", "header")
    length = _dimensions(header, path)
    return [
        None if match[1] is None else numbers(match[1].replace(",", " "), length, "space directions", path)
        for match in found
    ]


def _dimensions(header: Mapping[str, str], path: Path) -> int:
    """Return how many dimensions the space has; a named one has three."""
    space = header.get("space", "").lower().replace(" ", "")
    if space.endswith("-time"):
        raise refusal(path, f"its space is {shown(space)!r}, with time", "save one volume", "unsupported")
    if space:
        return _SPACE_DIMENSIONS
    return integers(header.get("space dimension", str(_SPACE_DIMENSIONS)), 1, "space dimension", path)[0]


def place(header: Mapping[str, str], axes: Axes, path: Path) -> tuple[Affine | None, list[str]]:
    """Return where the voxels are, None if nothing says it, and what to tell the user.

    Raises
    ------
    SourceError
        The directions are not finite or singular, or the space is not that of a patient.

    """
    notes: list[str] = []
    dimensions = _dimensions(header, path)
    if dimensions < _SPACE_DIMENSIONS:
        return None, [
            f"its space has {dimensions} dimensions and is not that of a patient: the voxels have no place"
        ]
    if "space directions" in header:
        steps = _steps(header, axes, path, notes)
    elif "spacings" in header:
        steps = _straight(header, axes, path, notes)
    else:
        return None, ["the header does not say where the voxels are"]
    return None if steps is None else checked(steps, "LPS", path), notes


def _steps(header: Mapping[str, str], axes: Axes, path: Path, notes: list[str]) -> NDArray[np.float64] | None:
    """Return the columns (slice, row, column, origin) in LPS mm that directions and origin give."""
    signs = _signs(header, notes)
    if signs is None:
        return None
    vectors = _directions(header, int(header["dimension"]), path)
    columns = {
        name: np.array(vectors[axis])
        for name, axis in zip(axes.names, axes.places, strict=True)
        if name != "sample"
    }
    if "slice" not in columns:
        columns["slice"] = across(columns["column"], columns["row"])
        notes.append("the header says nothing of the direction across its single slice; a step of 1 is taken")
    origin = header.get("space origin", "")
    if not origin:
        notes.append("the header has no space origin; 0, 0, 0 is taken")
    columns["origin"] = np.array(_origin(origin, path))
    matrix = np.column_stack([columns[name] for name in ("slice", "row", "column", "origin")])
    return np.asarray(np.array(signs)[:, np.newaxis] * _scales(header, notes)[:, np.newaxis] * matrix)


def _origin(text: str, path: Path) -> list[float]:
    """Return the place of the first voxel."""
    vector = text.strip().strip("()").replace(",", " ") or "0 0 0"
    return numbers(vector, _SPACE_DIMENSIONS, "space origin", path)


def _signs(header: Mapping[str, str], notes: list[str]) -> tuple[int, int, int] | None:
    """Return the signs that bring the header's space to LPS."""
    space = header.get("space", "").lower().replace(" ", "")
    if not space:
        notes.append("the header does not name its space; left-posterior-superior is taken, as ITK does")
        return 1, 1, 1
    signs = _TO_LPS.get(space)
    if signs is None:
        notes.append(f"its space {shown(space)!r} is not that of a patient: the voxels have no place")
    return signs


def _scales(header: Mapping[str, str], notes: list[str]) -> NDArray[np.float64]:
    """Return the units of the three axes of space in mm."""
    units = [unit.strip().lower() for unit in _QUOTED.findall(header.get("space units", ""))]
    if len(units) != _SPACE_DIMENSIONS or not all(unit in _LENGTHS for unit in units):
        if any(units):
            notes.append(f"its space units {shown(' '.join(units))!r} are not known; mm is taken")
        return np.ones(3)
    if set(units) != {"mm"}:
        notes.append(f"its lengths are in {', '.join(sorted(set(units)))} and were brought to mm")
    return np.array([_LENGTHS[unit] for unit in units])


def _straight(
    header: Mapping[str, str], axes: Axes, path: Path, notes: list[str]
) -> NDArray[np.float64] | None:
    """Return the columns that spacings alone give: sizes are known, position and orientation are made up."""
    words = header["spacings"].split()
    count = int(header["dimension"])
    chosen = dict(zip(axes.names, axes.places, strict=True))
    if len(words) != count or any(words[chosen[name]].lower() == "nan" for name in ("column", "row")):
        notes.append("the header does not say where the voxels are")
        return None
    sizes = {
        name: numbers(words[chosen[name]], 1, "spacings", path)[0]
        for name in Axes.SPACE
        if name in chosen and words[chosen[name]].lower() != "nan"
    }
    matrix = np.zeros((3, 4))
    for column, (name, row) in enumerate((("slice", 2), ("row", 1), ("column", 0))):
        matrix[row, column] = sizes.get(name, 1.0)
    notes.append(
        "the header gives voxel sizes only: position and orientation are unknown and were made up; left and right "
        "are not certain"
    )
    return matrix
