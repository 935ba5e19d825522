"""Volumes and slicing: every pixel lands where its voxel was."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dicomwright.errors import GeometryError, SourceError, StoredValueError
from dicomwright.payload import SLICINGS, Affine, Document, Frames, Volume

TOLERANCE_MM = 1e-9
VIEWS = {
    "axial": ((1, 0, 0), (0, 1, 0)),
    "coronal": ((1, 0, 0), (0, 0, -1)),
    "sagittal": ((0, 1, 0), (0, 0, -1)),
}
OBLIQUE = st.tuples(st.floats(-180, 180), st.floats(-90, 90), st.floats(-180, 180))


def along_normal(planes):
    return len(planes) == 1 or bool((np.diff(planes.projections) > 0).all())


def test_all_48_axis_orders_give_the_same_view_of_the_patient(grids):
    """The same patient stored in 48 ways must come out as one and the same series, in each view."""
    patient = grids.volume()
    for slicing, (row, column) in VIEWS.items():
        expected = patient.sliced(slicing)
        for axes, signs in grids.orders:
            order = [2 - axis for axis in axes]
            array = patient.array.transpose(order)[tuple(slice(None, None, sign) for sign in signs)]
            matrix = patient.affine.matrix[:, [*order, 3]].copy()
            for axis, sign in enumerate(signs):
                if sign < 0:
                    matrix[:3, 3] += (array.shape[axis] - 1) * matrix[:3, axis]
                    matrix[:3, axis] *= -1
            view = Volume(array, matrix).sliced(slicing)
            planes = view.planes()
            assert planes.row_direction.tolist() == list(row)
            assert planes.column_direction.tolist() == list(column)
            assert np.array_equal(view.array, expected.array)
            assert np.abs(planes.positions - expected.planes().positions).max() < TOLERANCE_MM
            assert planes.pixel_spacing == expected.planes().pixel_spacing
            assert np.shares_memory(view.array, patient.array)


@pytest.mark.parametrize("slicing", ["native", "axial", "coronal", "sagittal"])
def test_every_pixel_is_where_its_voxel_was_in_all_48_axis_orders(grids, slicing):
    for axes, signs in grids.orders:
        volume = grids.volume(axes, signs)
        view = volume.sliced(slicing)
        assert grids.worst_mm(volume, view) < TOLERANCE_MM
        assert along_normal(view.planes())


@settings(max_examples=60, deadline=None)
@given(
    angles=OBLIQUE,
    order=st.integers(0, 47),
    shape=st.tuples(*[st.integers(1, 6)] * 3),
    spacing=st.tuples(*[st.floats(0.1, 9)] * 3),
    slicing=st.sampled_from(["native", "axial", "coronal", "sagittal"]),
)
def test_oblique_anisotropic_non_square(grids, angles, order, shape, spacing, slicing):
    axes, signs = grids.orders[order]
    volume = grids.volume(axes, signs, turn=grids.rotation(*angles), shape=shape, spacing=spacing)
    view = volume.sliced(slicing)
    planes = view.planes()
    assert grids.worst_mm(volume, view) < TOLERANCE_MM
    assert along_normal(planes)
    assert sorted(view.array.ravel()) == sorted(volume.array.ravel())
    assert np.shares_memory(view.array, volume.array)
    if view.slices > 1:
        assert planes.spacing == pytest.approx(view.affine.spacing[0])
    if slicing in VIEWS:
        row, column = VIEWS[slicing]
        # The closest axes: no turned volume is further than this from the view that is asked for.
        assert planes.row_direction @ row > -TOLERANCE_MM
        assert planes.column_direction @ column > -TOLERANCE_MM


@given(angles=st.tuples(*[st.floats(-25, 25)] * 3), order=st.integers(0, 47))
@settings(max_examples=40, deadline=None)
def test_moderately_oblique_views_are_those_asked_for(grids, angles, order):
    axes, signs = grids.orders[order]
    volume = grids.volume(axes, signs, turn=grids.rotation(*angles))
    for slicing, (row, column) in VIEWS.items():
        planes = volume.sliced(slicing).planes()
        assert planes.row_direction @ row > 0.6
        assert planes.column_direction @ column > 0.6


def test_native_keeps_rows_and_columns_and_turns_only_the_slices(grids):
    right_handed = grids.volume((2, 1, 0), (1, 1, 1))
    assert np.array_equal(right_handed.sliced().array, right_handed.array)
    left_handed = grids.volume((2, 1, 0), (-1, 1, 1))
    assert np.array_equal(left_handed.sliced().array, left_handed.array[::-1])
    mirrored = grids.volume((2, 1, 0), (1, 1, -1))
    assert np.array_equal(mirrored.sliced().array, mirrored.array[::-1])
    assert mirrored.sliced().planes().row_direction.tolist() == [-1, 0, 0]


def test_slicing_twice_changes_nothing_more(grids):
    view = grids.volume((0, 2, 1), (-1, 1, -1)).sliced("coronal")
    again = view.sliced("native").sliced("coronal")
    assert np.array_equal(view.array, again.array)
    assert view.affine == again.affine


def test_like_parent_takes_the_parents_directions(grids):
    turn = grids.rotation(20, -10, 5)
    parent = grids.volume((2, 0, 1), (1, -1, 1), turn=turn, shape=(3, 8, 9)).sliced().planes()
    for axes, signs in grids.orders:
        volume = grids.volume(axes, signs, turn=turn)
        view = volume.sliced("like-parent", parent)
        planes = view.planes()
        assert planes.row_direction == pytest.approx(parent.row_direction, abs=1e-12)
        assert planes.column_direction == pytest.approx(parent.column_direction, abs=1e-12)
        assert grids.worst_mm(volume, view) < TOLERANCE_MM
        assert along_normal(planes)


def test_like_parent_up_to_one_degree_keeps_the_volumes_own_directions(grids):
    parent = grids.volume().planes()
    volume = grids.volume(turn=grids.rotation(0.9, 0, 0))
    view = volume.sliced("like-parent", parent)
    assert view.planes().row_direction @ parent.row_direction == pytest.approx(np.cos(np.radians(0.9)))
    assert grids.worst_mm(volume, view) < TOLERANCE_MM
    with pytest.raises(GeometryError, match=r"rows are 1.2° off the parent's .*'native'"):
        grids.volume(turn=grids.rotation(1.2, 0, 0)).sliced("like-parent", parent)
    with pytest.raises(GeometryError, match="needs a parent series"):
        volume.sliced("like-parent")


def test_unknown_slicing_is_named(grids):
    with pytest.raises(GeometryError, match="unknown slicing 'saggital'; did you mean 'sagittal'"):
        grids.volume().sliced("saggital")
    with pytest.raises(GeometryError, match=", ".join(SLICINGS)):
        grids.volume().sliced("x")


def sheared(grids, axis, other, degrees):
    """Lean array axis `axis` towards array axis `other`."""
    volume = grids.volume()
    matrix = volume.affine.matrix.copy()
    unit = matrix[:3, other] / np.linalg.norm(matrix[:3, other])
    matrix[:3, axis] += np.linalg.norm(matrix[:3, axis]) * np.tan(np.radians(degrees)) * unit
    return Volume(volume.array, matrix, source="leaning.nii")


def test_a_leaning_stack_is_exact_and_warned_of(grids):
    volume = sheared(grids, 0, 1, 18.5)
    view = volume.sliced()
    assert grids.worst_mm(volume, view) < TOLERANCE_MM
    assert view.planes().tilt_degrees == pytest.approx(18.5)
    assert view.planes().spacing == pytest.approx(3.0)
    assert len(view.warnings) == 1
    assert "18.50° off their normal" in view.warnings[0]
    assert view.sliced().warnings == view.warnings
    assert sheared(grids, 0, 1, 0.6).sliced().warnings == ()


def test_sheared_rows_are_refused_with_the_way_out(grids):
    volume = sheared(grids, 1, 2, 5)
    with pytest.raises(GeometryError) as caught:
        volume.planes()
    text = str(caught.value)
    assert text.startswith("leaning.nii: rows and columns are sheared by 5°")
    assert "'coronal' or 'sagittal'" in text
    for slicing in ("coronal", "sagittal"):
        assert grids.worst_mm(volume, volume.sliced(slicing)) < TOLERANCE_MM


def test_a_volume_sheared_in_all_planes_has_no_way_out_but_resampling(grids):
    volume = grids.volume()
    matrix = volume.affine.matrix.copy()
    matrix[:3, :3] = np.array([[1, 0.2, 0.1], [0.1, 1, 0.3], [0.2, 0.1, 1]]) @ matrix[:3, :3]
    with pytest.raises(GeometryError, match="no slicing direction avoids the shear"):
        Volume(volume.array, matrix).sliced("axial").planes()


def test_shear_within_the_tolerance_is_kept_exactly(grids):
    volume = sheared(grids, 1, 2, np.degrees(0.9e-4))
    assert grids.worst_mm(volume, volume.sliced()) < TOLERANCE_MM
    with pytest.raises(GeometryError, match=r"sheared by 0\.006303°"):
        sheared(grids, 1, 2, np.degrees(1.1e-4)).planes()


def uneven(grids, axes=(2, 1, 0), signs=(1, 1, 1)):
    volume = grids.volume(axes, signs)
    step = volume.affine.steps[0]
    positions = (
        volume.affine.matrix[:3, 3] + np.outer([0, 1, 2, 4.5], step) + np.outer([0, 0.1, 0.2, 0.3], (0, 1, 0))
    )
    return Volume(volume.array, volume.affine, positions=positions)


def test_exact_positions_take_the_place_of_the_slice_axis(grids):
    for axes, signs in grids.orders:
        volume = uneven(grids, axes, signs)
        view = volume.sliced()
        assert grids.worst_mm(volume, view) < TOLERANCE_MM
        assert along_normal(view.planes())
        assert view.planes().spacing is None


def test_in_plane_flips_move_the_positions(grids):
    volume = uneven(grids, (2, 0, 1), (-1, -1, 1))
    view = volume.sliced("axial")
    assert view.planes().row_direction.tolist() == [1, 0, 0]
    assert grids.worst_mm(volume, view) < TOLERANCE_MM


def test_an_uneven_stack_cannot_be_cut_across(grids):
    with pytest.raises(
        GeometryError, match="uneven stack cannot be cut along another axis: its slices are up to 3 mm"
    ):
        uneven(grids).sliced("sagittal")
    even = grids.volume()
    same = Volume(even.array, even.affine, positions=even.planes().positions)
    assert grids.worst_mm(even, same.sliced("sagittal")) < TOLERANCE_MM


def test_positions_are_checked(grids):
    volume = grids.volume()
    with pytest.raises(GeometryError, match=r"shape \(3, 3\), not \(4, 3\)"):
        Volume(volume.array, volume.affine, positions=np.zeros((3, 3)))
    with pytest.raises(GeometryError, match="positions hold NaN"):
        Volume(volume.array, volume.affine, positions=np.full((4, 3), np.nan))
    with pytest.raises(GeometryError, match="positions need an affine"):
        Volume(volume.array, positions=np.zeros((4, 3)))


def test_without_an_affine_there_are_no_planes(grids):
    volume = Volume(grids.index_array((2, 3, 4)))
    assert volume.sliced() is volume
    with pytest.raises(GeometryError, match=r"no affine.*give Volume an affine \(LPS, mm\)"):
        volume.planes()
    with pytest.raises(GeometryError, match="'axial' needs a volume with an affine"):
        volume.sliced("axial")


def test_colour_samples_stay_last(grids):
    array = np.arange(4 * 5 * 7 * 3, dtype=np.uint8).reshape(4, 5, 7, 3)
    volume = Volume(array, grids.volume().affine)
    view = volume.sliced("sagittal")
    assert view.array.shape == (7, 4, 5, 3)
    assert view.samples == 3
    assert np.array_equal(view.array[-1, -1, 2], array[0, 2, 0])


def test_memory_maps_are_not_read(tmp_path, grids):
    mapped = np.memmap(tmp_path / "a", dtype=">i2", mode="w+", shape=(4, 5, 7))
    volume = Volume(mapped, grids.volume().affine)
    assert np.shares_memory(volume.sliced("coronal").array, mapped)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((5, 7)), r"2 dimensions \(5x7\).*array\[np.newaxis\]"),
        (np.zeros((2, 3, 4, 5)), r"4 dimensions \(2x3x4x5, float64\).*one series for each time point"),
        (np.zeros((2, 3, 4, 3)), "colour samples"),
        (np.zeros((2, 3, 4, 4), np.uint8), "alpha"),
        (np.zeros((1, 2, 3, 4, 5)), "5 dimensions"),
        (np.zeros((2, 0, 4)), r"empty \(2x0x4\)"),
        (np.zeros((2, 3, 4), complex), r"complex128 \(complex numbers\).*np.abs"),
        (np.zeros((2, 3, 4), object), "Python objects"),
        (np.zeros((2, 3, 4), [("R", "u1"), ("G", "u1"), ("B", "u1")]), r"records.*3 unsigned 8 bit samples"),
        (np.zeros((2, 3, 4), "datetime64[s]"), "no numbers"),
        (np.ma.masked_array(np.zeros((1, 1, 2)), [[[0, 1]]]), r"masked.*array.filled\(value\)"),
    ],
)
def test_refuses_arrays_that_are_no_volume(array, message):
    with pytest.raises(SourceError, match=message):
        Volume(array, source="x.nii")


@pytest.mark.parametrize("options", [{"slope": 0}, {"slope": np.nan}, {"intercept": np.inf}])
def test_refuses_a_rescale_that_makes_no_values(options):
    with pytest.raises(StoredValueError, match="make no values"):
        Volume(np.zeros((1, 2, 3)), **options)


def test_bad_affines_are_refused_when_the_volume_is_made():
    with pytest.raises(GeometryError, match="singular"):
        Volume(np.zeros((1, 2, 3)), np.zeros((4, 4)) + np.diag([0, 0, 0, 1]))


def test_plain_payloads_hold_what_they_are_given():
    assert Frames([np.zeros((2, 3))], source="a.png").images[0].shape == (2, 3)
    assert Document(b"%PDF", "application/pdf", pages=2).pages == 2
    assert len(Volume(np.zeros((4, 2, 3)), Affine(np.eye(4)))) == 4
