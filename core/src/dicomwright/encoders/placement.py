"""Where the slices of a volume lie, and which parent instances belong to them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from dicomwright._dataclass import dataclass
from dicomwright.errors import GeometryError, ParentError
from dicomwright.parents.pairing import nearest
from dicomwright.payload.decimal_string import ds

if TYPE_CHECKING:
    from dicomwright.parents import Pairing, ParentSeries
    from dicomwright.payload.planes import Planes
    from dicomwright.payload.volume import Volume

__all__ = ["Placement", "fits", "place"]

_SLICE_THICKNESS = 0x00180050
_DISPLACED_MM = 0.01
_EDGE = 0.51  # pixels from the centre of the outermost one to its edge, with a margin for rounding


@dataclass(frozen=True)
class Placement:
    """A volume cut into slices.

    Attributes
    ----------
    volume : Volume
        Its slices are the instances, in order.
    planes : Planes, optional
        Their place; None where nothing says it.
    pairs : tuple, optional
        For each slice the index of its parent; None if not every slice has one.
    pairing_problem : str
        Why not.
    thickness : list, optional
        SliceThickness of the paired parents, one for each slice.
    in_parent_space : bool
        Every slice lies in a parent's image: in its plane, and not beyond its edges.
    warnings : tuple of str
        What the user should know.

    """

    volume: Volume
    planes: Planes | None
    pairs: tuple[int | None, ...] | None = None
    pairing_problem: str = ""
    thickness: list[Any] | None = None
    in_parent_space: bool = False
    warnings: tuple[str, ...] = ()


def place(volume: Volume, parents: ParentSeries | None, slicing: str, shear: str = "refuse") -> Placement:
    """Return a volume cut into slices and paired with the parents.

    An array without an affine takes the place of the parents, slice by slice in their order along the normal.
    With parents, ``auto`` cuts like they are cut if the grids are parallel and the slices lie beside them. Otherwise it
    takes the slices as they are.

    Raises
    ------
    GeometryError
        The slicing is not possible, or an array without an affine does not fit the parents.

    """
    if volume.affine is None:
        return _by_parents(volume, parents)
    like = None if parents is None else parents.planes
    if slicing == "like-parent" and like is None:
        raise GeometryError(
            "slicing 'like-parent' needs parents with ImagePositionPatient and ImageOrientationPatient",
            hint="give such a parent series, or name another slicing",
            kind="slicing",
        )
    if parents is None:
        cut = volume.sliced("native" if slicing == "auto" else slicing)
        planes = cut.planes()
        _check_shear(cut, planes, shear)
        return Placement(cut, planes)
    cut, planes, pairing, warnings = _beside(volume, parents, slicing)
    if None in pairing.indices:
        _check_shear(cut, planes, shear)
    return _paired(cut, planes, parents, pairing.indices, pairing.problem, warnings)


def fits(volume: Volume, parents: ParentSeries | None) -> bool:
    """Tell whether an array has a slice for each parent, of its size, so that it lies where they lie."""
    planes = None if parents is None else parents.planes
    return (
        parents is not None
        and planes is not None
        and len(planes) == len(parents) == volume.slices
        and (planes.rows, planes.columns) == (volume.rows, volume.columns)
    )


def _beside(
    volume: Volume, parents: ParentSeries, slicing: str
) -> tuple[Volume, Planes, Pairing, tuple[str, ...]]:
    """Return the volume as slices, their planes and their pairing with the parents.

    ``auto`` cuts like the parents are cut, unless the grids are not parallel or fewer than half of the slices would
    lie beside a parent: then the volume says how.
    """
    wanted = slicing
    warnings: tuple[str, ...] = ()
    if slicing == "auto":
        wanted = "native" if parents.planes is None else "like-parent"
    try:
        cut = volume.sliced(wanted, parents.planes)
    except GeometryError as error:
        if slicing != "auto":
            raise
        wanted = "native"
        cut = volume.sliced(wanted)
        warnings = (f"not sliced like the parent: {error.problems[0].message}",)
    planes = cut.planes()
    pairing = parents.pair(planes, cut.slices)
    if slicing == "auto" and wanted == "like-parent" and 2 * len(pairing.unpaired) > cut.slices:
        cut = volume.sliced("native")
        planes = cut.planes()
        pairing = parents.pair(planes, cut.slices)
    return cut, planes, pairing, warnings


def _check_shear(volume: Volume, planes: Planes, shear: str) -> None:
    """Refuse an affine whose slices are displaced against their normal, unless exact positions are asked for.

    Each slice can be written at its exact position, but most software stacks slices along the normal and shows
    them displaced. Positions that the caller or the parents give are taken as they are.
    """
    steps = planes.positions - planes.positions[0]
    aside = float(np.linalg.norm(steps - np.outer(steps @ planes.normal, planes.normal), axis=1).max())
    if shear == "positions" or volume.positions is not None or aside <= _DISPLACED_MM:
        return
    raise GeometryError(
        f"the affine is sheared: the slices are stacked {planes.tilt_degrees:.3g}° off their normal, which displaces "
        f"them by up to {aside:.3g} mm in software that stacks them along it",
        hint="resample the volume onto a grid with right angles, or write each slice at its exact position with "
        "shear=positions (--encoder-opt shear=positions)",
        loc=volume.source,
        kind="shear",
    )


def _by_parents(volume: Volume, parents: ParentSeries | None) -> Placement:
    """Place an array without an affine where its parents are."""
    if parents is None:
        return Placement(volume, None)
    volume, warnings = _in_order(volume, parents)
    pairing = parents.pair(None, volume.slices)
    planes = parents.planes
    if planes is not None and len(planes) == len(parents) == volume.slices:
        if (planes.rows, planes.columns) != (volume.rows, volume.columns):
            raise GeometryError(
                f"the array has slices of {volume.rows}x{volume.columns} (rows x columns), its parents "
                f"of {planes.rows}x{planes.columns}, so their place is not that of the array",
                hint="give Volume(array, affine) with the array's own affine",
                loc=volume.source,
                kind="size",
            )
    elif planes is not None and len(parents) != volume.slices:
        raise ParentError(
            f"the array has {volume.slices} slices and the parent series {len(parents)} instances, so the place "
            "of the slices is not known",
            hint="give as many parents as slices, or Volume(array, affine) with the array's own affine",
            loc=volume.source,
            kind="count",
        )
    else:
        planes = None
    return _paired(volume, planes, parents, pairing.indices, pairing.problem, warnings)


def _in_order(volume: Volume, parents: ParentSeries) -> tuple[Volume, tuple[str, ...]]:
    """Return an array with its slices in the order of the parents along their normal.

    An array belongs to parents in the order in which the caller has them. If that runs against the normal, the
    array is read backwards. If it goes back and forth, it says nothing of space: the array is taken along the normal.
    """
    ascending = tuple(range(len(parents)))
    if parents.given in (None, ascending) or parents.planes is None or volume.slices != len(parents):
        return volume, ()
    if parents.given == ascending[::-1]:
        return replace(volume, array=volume.array[::-1]), ()
    warning = (
        "the parents were given in no order along their normal: slice 1 of the array is taken as the first along "
        "the normal (row x column direction), not as that of the first dataset"
    )
    return volume, (warning,)


def _paired(
    volume: Volume,
    planes: Planes | None,
    parents: ParentSeries,
    indices: tuple[int | None, ...],
    problem: Any,
    warnings: tuple[str, ...],
) -> Placement:
    """Return the placement with its pairing."""
    whole = None not in indices
    why = "" if problem is None else problem.message
    if not whole and any(index is not None for index in indices):
        warnings += (why,)
    elif not whole:
        warnings += (f"no slice is paired with a parent instance: {why}",)
    inside = whole and (planes is None or parents.planes is None or _within(planes, parents.planes))
    if planes is not None and not inside:
        why_new = "reach beyond the parents' images" if whole else "do not lie in the parents' planes"
        warnings += (f"FrameOfReferenceUID (0020,0052) is new: the slices {why_new}",)
    return Placement(
        volume=volume,
        planes=planes,
        pairs=indices if whole else None,
        pairing_problem=why,
        thickness=_thickness(parents, indices) if whole else None,
        in_parent_space=inside,
        warnings=warnings,
    )


def _within(planes: Planes, parents: Planes) -> bool:
    """Tell whether the centres of all pixels lie in pixels of the parents, as those of a part or of a finer grid."""
    heights = planes.positions @ parents.normal
    places = nearest(heights, parents.projections)
    down = planes.column_direction * planes.pixel_spacing[0] * (planes.rows - 1)
    along = planes.row_direction * planes.pixel_spacing[1] * (planes.columns - 1)
    for corner in (0 * down, down, along, down + along):
        offsets = planes.positions + corner - parents.positions[places]
        rows = offsets @ parents.column_direction / parents.pixel_spacing[0]
        columns = offsets @ parents.row_direction / parents.pixel_spacing[1]
        for index, count in ((rows, parents.rows), (columns, parents.columns)):
            if (index < -_EDGE).any() or (index > count - 1 + _EDGE).any():
                return False
    return True


def _thickness(parents: ParentSeries, indices: tuple[int | None, ...]) -> list[Any] | None:
    """Return SliceThickness (0018,0050) of the paired parents, None if one has none."""
    elements = parents.column(_SLICE_THICKNESS, indices)
    values: list[Any] = [None if element is None else element.value for element in elements]
    return None if any(value in (None, "") for value in values) else [ds(float(value)) for value in values]
