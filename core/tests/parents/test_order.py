"""The order of a series, and what is told of its geometry."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicomwright.errors import ParentError
from dicomwright.parents import ParentSeries


@pytest.mark.parametrize("plane", ["axial", "sagittal", "coronal", "oblique"])
@pytest.mark.parametrize("step", [1, -1])
def test_slices_are_sorted_along_the_normal_whatever_the_order_and_numbers(slices, plane, step):
    given_order = slices(plane, range(0, 6 * step, step))
    random.Random(3).shuffle(given_order)
    series = ParentSeries(given_order)
    assert [image.InstanceNumber for image in series] == (list(range(1, 7))[::step])
    assert series.planes is not None
    assert np.diff(series.planes.projections) == pytest.approx(2.5, abs=1e-5)
    assert series.planes.spacing == pytest.approx(2.5)
    assert (series.planes.rows, series.planes.columns) == (5, 4)
    assert series.planes.pixel_spacing == (0.9, 1.7)
    assert series.warnings == ()


@given(order=st.permutations(range(6)))
def test_any_order_of_the_files_gives_the_same_series(slices, order):
    images = slices("oblique")
    series = ParentSeries([images[index] for index in order])
    assert list(series) == images


def test_without_geometry_the_instance_number_orders(slices):
    images = slices()
    for image in images:
        del image.ImagePositionPatient
    series = ParentSeries(images[::-1])
    assert [image.InstanceNumber for image in series] == [1, 2, 3, 4, 5, 6]
    assert series.planes is None
    (warning,) = series.warnings
    assert warning == (
        "the parents say no position and orientation of their images: they have no geometry; "
        "they are ordered by InstanceNumber (0020,0013)"
    )


def test_without_geometry_and_number_the_given_order_stays(slices):
    images = slices()
    for image in images:
        del image.ImagePositionPatient, image.InstanceNumber
    assert list(ParentSeries(images[::-1])) == images[::-1]


def test_one_slice_without_position_is_named(slices):
    images = slices()
    del images[2].ImagePositionPatient
    (warning,) = ParentSeries(images).warnings
    assert warning.startswith("1 of 6 parent images say no position or orientation (data set 3)")


def test_a_damaged_position_counts_as_none(slices):
    images = slices()
    images[0].add_new(0x00200032, "LO", ["1", "x", "3"])
    assert ParentSeries(images).planes is None


def test_a_missing_slice_is_told(slices):
    series = ParentSeries(slices("coronal", [0, 1, 2, 5, 6]))
    assert series.warnings == (
        "2 parent slices are missing between data set 3 and data set 4 (a gap of 7.5 mm, usually 2.5 mm)",
    )


def test_uneven_spacing_is_told(slices):
    series = ParentSeries(slices("axial", [0, 1, 2.4, 3.1]))
    assert series.warnings == ("the parents' slices are not evenly spaced: 1.75 to 3.5 mm",)


def test_tilt_is_told_with_its_angle(slices):
    images = slices()
    for place, image in enumerate(images):
        x, y, z = image.ImagePositionPatient
        image.ImagePositionPatient = [x, y + 2.5 * place * np.tan(np.radians(15)), z]
    (warning,) = ParentSeries(images).warnings
    assert "stacked 15.0° off their normal (gantry tilt)" in warning


def test_a_time_series_has_distinct_planes(slices):
    images = slices("oblique", [0, 1, 2, 0, 1, 2])
    series = ParentSeries(images)
    assert [image.InstanceNumber for image in series] == [1, 4, 2, 5, 3, 6]
    assert series.planes is not None
    assert len(series.planes) == 3
    assert series.warnings == ("the parents hold up to 2 images at each of 3 positions (a time series?)",)


def test_frames_of_reference_are_not_mixed(slices):
    images = slices()
    for number, image in enumerate(images):
        image.FrameOfReferenceUID = f"2.25.{1 + number % 2}"
    series = ParentSeries(images)
    assert series.planes is None
    assert "2 frames of reference" in series.warnings[0]


def test_orientations_are_named(slices):
    images = slices("axial", range(2)) + slices("sagittal", range(3))
    for number, image in enumerate(images):
        image.SOPInstanceUID = f"2.25.{number + 1}"
    with pytest.raises(
        ParentError, match=r"holds 2 orientations: 2 axial \(data set 1, data set 2\), 3 sagittal"
    ):
        ParentSeries(images)


@pytest.mark.parametrize("bad", [[1, 0, 0, 0.1, 1, 0], [2, 0, 0, 0, 1, 0], [0, 0, 0, 0, 0, 0]])
def test_a_wrong_orientation_is_refused(slices, bad):
    images = slices()
    images[4].ImageOrientationPatient = bad
    with pytest.raises(ParentError, match=r"not two unit vectors at right angles in data set 5"):
        ParentSeries(images)


def test_rounded_cosines_are_the_same_orientation(slices):
    images = slices("oblique")
    images[1].ImageOrientationPatient = [0.8003, 0.3603, 0.4799, -0.6, 0.48, 0.64]
    series = ParentSeries(images)
    assert series.planes is not None
    assert len(series.planes) == 6


def test_cosines_rounded_to_three_digits_are_usable(slices):
    images = slices()
    for image in images:
        image.ImageOrientationPatient = [0.999, 0.036, 0, -0.0355, 0.999, 0]
    assert ParentSeries(images).planes is not None


def test_cosines_that_are_no_unit_vectors_become_some(slices):
    images = slices()
    for image in images:
        image.ImageOrientationPatient = [0.985, 0.174, 0, -0.174, 0.985, 0]
    planes = ParentSeries(images).planes
    assert planes is not None
    assert np.linalg.norm([planes.row_direction, planes.column_direction], axis=1) == pytest.approx(
        1, abs=1e-12
    )
    assert planes.row_direction == pytest.approx([0.985, 0.174, 0], abs=3e-4)


def test_positions_without_pixel_spacing_order_but_make_no_planes(slices):
    images = slices("axial", [2, 1, 0])
    for image in images:
        del image.PixelSpacing
    series = ParentSeries(images)
    assert [image.InstanceNumber for image in series] == [3, 2, 1]
    assert series.planes is None
    assert series.warnings == ("the parents say no PixelSpacing (0028,0030) or size: they have no geometry",)


def test_an_impossible_pixel_spacing_is_told(slices):
    series = ParentSeries(slices(PixelSpacing=[0, 1]))
    assert series.planes is None
    assert series.warnings[0].startswith("the parents have no usable geometry: ")
