"""Slices as DICOM describes them."""

from __future__ import annotations

import numpy as np
import pytest

from dicomwright.errors import GeometryError
from dicomwright.payload import Planes

TILTED = [(0, 0.1 * n, 3.0 * n) for n in range(5)]


def planes(positions, row=(1, 0, 0), column=(0, 1, 0), spacing=(0.5, 0.7), rows=4, columns=6):
    return Planes(row, column, spacing, positions, rows, columns)


def test_pixel_centres_follow_the_standards_equation():
    turned = planes([(1, 2, 3), (1, 2, 8)], row=(0, 1, 0), column=(0, 0, -1))
    assert turned.index_to_lps(1, 3, 2).tolist() == pytest.approx([1, 2 + 2 * 0.7, 8 - 3 * 0.5])
    assert turned.index_to_lps([0, 1], 0.5, 0).shape == (2, 3)
    assert turned.normal.tolist() == [-1, 0, 0]


@pytest.mark.parametrize(
    ("gaps", "expected"),
    [
        ([3, 3, 3], 3.0),
        ([-3, -3, -3], 3.0),
        ([3, 3.0019, 3], pytest.approx(3.000633, abs=1e-6)),
        ([3, 3.004, 3], None),
        ([5, 5.0049, 5], pytest.approx(5.001633, abs=1e-6)),
        ([4, 7, 7], None),
        ([3, 0, 3], None),
        ([3, -3, 3], None),
        ([], None),
    ],
)
def test_spacing_only_where_it_is_uniform(gaps, expected):
    heights = np.concatenate([[0], np.cumsum(gaps)])
    assert planes([(0, 0, z) for z in heights]).spacing == expected


def test_spacing_is_measured_along_the_normal_of_a_tilted_stack():
    stack = planes(TILTED)
    assert stack.spacing == pytest.approx(3.0)
    assert stack.tilt_degrees == pytest.approx(np.degrees(np.arctan2(0.1, 3.0)))
    assert planes(TILTED[::-1]).tilt_degrees == pytest.approx(stack.tilt_degrees)
    assert planes([(0, 0, 0)]).tilt_degrees == 0


def test_projections_order_slices_of_an_oblique_stack():
    row, column = np.array([0.8, 0.6, 0]), np.array([0, 0, -1.0])
    normal = np.cross(row, column)
    stack = planes([(7, 8, 9) + step * normal for step in (4, 0, 2)], row=row, column=column)
    assert np.argsort(stack.projections).tolist() == [1, 2, 0]


def test_values_are_read_only():
    with pytest.raises(ValueError, match="read-only"):
        planes(TILTED).positions[0, 0] = 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"row": (1, 0)}, r"row direction have shape \(2,\), not 3"),
        ({"row": (1.1, 0, 0)}, r"row direction \[1.1, 0.0, 0.0\] has length 1.1, not 1"),
        ({"column": (0, 0, 0)}, "column direction .* has length 0"),
        ({"column": (0.01, 0.99995, 0)}, "meet at 89.43°, but ImageOrientationPatient needs 90°"),
        ({"spacing": (0.5, 0)}, "each must be positive"),
        ({"spacing": (0.5, np.nan)}, "pixel spacing hold NaN"),
        ({"rows": 0}, "0x6 pixels: each must be positive"),
        ({"positions": [(0, 0, 0, 1)]}, r"positions have shape \(1, 4\), not nx3"),
        ({"positions": np.empty((0, 3))}, "0 slices"),
        ({"positions": "abc"}, "not numbers"),
    ],
)
def test_refuses_what_is_no_plane(change, message):
    with pytest.raises(GeometryError, match=message):
        planes(**({"positions": TILTED} | change))
