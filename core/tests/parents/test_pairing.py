"""Which parent belongs to which slice."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicomwright.parents import ParentSeries
from dicomwright.payload.planes import Planes


def moved(planes, places=None, *, flip=False, along=0.0):
    """Return the planes at other places, turned over, or moved along their normal."""
    positions = (
        planes.positions[list(range(len(planes)) if places is None else places)] + along * planes.normal
    )
    row, column = planes.row_direction, planes.column_direction
    if flip:
        row, column = column, row
    return Planes(row, column, planes.pixel_spacing, positions, planes.rows, planes.columns)


@pytest.mark.parametrize("plane", ["axial", "sagittal", "coronal", "oblique"])
@pytest.mark.parametrize("flip", [False, True])
@given(places=st.permutations(range(6)), along=st.floats(-0.6, 0.6))
def test_by_position_in_any_order(slices, plane, flip, places, along):
    series = ParentSeries(slices(plane, [5, 3, 1, 0, 2, 4]))
    pairing = series.pair(moved(series.planes, places, flip=flip, along=along), 6)
    assert pairing.indices == tuple(places)
    assert pairing.tolerance_mm == pytest.approx(0.625)
    assert pairing.problem is None
    assert pairing.unpaired == ()


def test_missing_parents_leave_slices_unpaired(slices):
    whole = ParentSeries(slices("sagittal"))
    series = ParentSeries(slices("sagittal", [0, 1, 4, 5]))
    pairing = series.pair(whole.planes, 6)
    assert pairing.unpaired == (2, 3)
    assert [index for index in pairing.indices if index is not None] == [0, 1, 2, 3]
    assert pairing.problem.message == (
        "2 of 6 slices have no parent within 0.625 mm along the normal "
        "(slices 3, 4; the nearest parent of slice 3 is 2.5 mm away)"
    )


def test_a_slice_between_two_parents_has_none(slices):
    series = ParentSeries(slices())
    assert series.pair(moved(series.planes, along=1.25), 6).indices == (None,) * 6


def test_other_planes_are_never_paired(slices):
    pairing = ParentSeries(slices("axial")).pair(ParentSeries(slices("sagittal")).planes, 6)
    assert pairing.unpaired == tuple(range(6))
    assert "the slices (sagittal) are at 90.0° to those of the parents (axial)" in pairing.problem.message


def test_uneven_parents_use_their_smallest_gap(slices):
    series = ParentSeries(slices("axial", [0, 0.2, 5]))
    pairing = series.pair(moved(series.planes, along=0.2), 3)
    assert pairing.tolerance_mm == pytest.approx(0.125)
    assert pairing.indices == (None, None, None)


def test_one_parent_reaches_a_quarter_of_its_thickness(slices):
    series = ParentSeries(slices(places=[0], SliceThickness=4))
    assert series.pair(moved(series.planes, along=0.9), 1).indices == (0,)
    assert series.pair(moved(series.planes, along=1.1), 1).indices == (None,)


def test_a_time_series_is_ambiguous(slices):
    series = ParentSeries(slices("axial", [0, 1, 0, 1]))
    pairing = series.pair(series.planes, 2)
    assert pairing.unpaired == (0, 1)
    assert pairing.problem.kind == "ambiguous-pairing"
    assert "up to 2 images at each of 2 positions" in pairing.problem.message


def test_without_planes_the_order_in_space_counts(slices):
    series = ParentSeries(slices("axial", [3, 2, 1]))
    assert series.pair(None, 3).indices == (0, 1, 2)
    assert [image.InstanceNumber for image in series] == [3, 2, 1]
    assert series.pair(None, 4).problem.message.startswith("there are 4 slices but 3 parent instances")


def test_without_geometry_instance_numbers_are_needed(slices):
    images = slices(ImageOrientationPatient=None)
    planes = ParentSeries(slices()).planes
    assert ParentSeries(images[::-1]).pair(planes, 6).indices == tuple(range(6))
    images[3].InstanceNumber = 1
    pairing = ParentSeries(images).pair(planes, 6)
    assert pairing.unpaired == tuple(range(6))
    assert "neither positions nor distinct InstanceNumbers (0020,0013)" in pairing.problem.message


def test_a_time_series_is_not_paired_by_order_either(slices):
    assert ParentSeries(slices("axial", [0, 1, 0, 1])).pair(None, 4).unpaired == (0, 1, 2, 3)


def test_frames_pair_with_the_data_set_that_holds_them(shared_data):
    series = ParentSeries.read(shared_data / "v10_enhanced_multiframe" / "legacy_ct_multi")
    singles = ParentSeries.read(shared_data / "v10_enhanced_multiframe" / "legacy_ct_single")
    assert np.allclose(series.planes.positions, singles.planes.positions, atol=1e-3)
    assert series.pair(singles.planes, 3).indices == (0, 0, 0)
    assert singles.pair(series.planes, 3).indices == (0, 1, 2)
