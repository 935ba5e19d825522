"""The map from array indices to LPS."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dicomwright.errors import GeometryError
from dicomwright.payload import Affine

RAS = np.array([[-2.0, 0.1, 0, 90], [0.2, 1.5, 0, -126], [0, 0, 3, -72], [0, 0, 0, 1]])


def test_from_ras_places_each_voxel_with_x_and_y_negated():
    affine = Affine.from_ras(RAS)
    i, j, k = 3, 5, 7
    right, anterior, superior, _ = RAS @ (i, j, k, 1)
    left, posterior, up, _ = affine.matrix @ (k, j, i, 1)
    assert (left, posterior, up) == pytest.approx((-right, -anterior, superior), abs=1e-12)


@settings(deadline=None)
@given(st.lists(st.floats(-300, 300), min_size=12, max_size=12))
def test_ras_and_back_is_exact(numbers):
    matrix = np.vstack([np.reshape(numbers, (3, 4)), (0, 0, 0, 1)])
    try:
        affine = Affine.from_ras(matrix)
    except GeometryError:
        return
    assert np.array_equal(affine.to_ras_ijk(), matrix)


def test_spacing_is_that_of_slices_rows_and_columns():
    affine = Affine([[0, 0, 0.5, 0], [0, -0.7, 0, 0], [3, 0, 0, 0], [0, 0, 0, 1]])
    assert affine.spacing == (3.0, 0.7, 0.5)


def test_is_an_array_and_read_only():
    affine = Affine(RAS)
    assert np.array_equal(np.asarray(affine), RAS)
    assert np.asarray(affine, dtype=np.float32).dtype == np.float32
    with pytest.raises(ValueError, match="read-only"):
        affine.matrix[0, 0] = 1
    assert affine == Affine(affine)
    assert hash(affine) == hash(Affine(RAS))
    assert affine != Affine(np.diag([1, 2, 3, 1]))


def test_the_given_matrix_may_change_afterwards():
    matrix = RAS.copy()
    affine = Affine(matrix)
    matrix[0, 0] = 99
    assert affine.matrix[0, 0] == -2


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        (np.eye(3), r"shape \(3, 3\), not \(4, 4\)"),
        ([[1, 2], [3]], "not a matrix of numbers"),
        (np.diag([1, np.nan, 1, 1]), "NaN or infinite"),
        (np.diag([1, np.inf, 1, 1]), "NaN or infinite"),
        (np.diag([1, 0, 1, 1]), r"singular: its steps are 1 0 1 mm long"),
        (np.diag([1, 1e-200, 1, 1]), "singular: its steps are"),
        ([[1, 2, 0, 0], [1, 2, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]], "three steps lie in one plane"),
        (np.array([[2.0, 0, 0, 5], [0, 2, 0, 6], [0, 0, 2, 7], [0, 0, 0, 1]]).T, "last row .* is 5 6 7 1"),
    ],
)
def test_refuses_what_places_nothing(matrix, message):
    with pytest.raises(GeometryError, match=message):
        Affine(matrix)
    with pytest.raises(GeometryError):
        Affine.from_ras(matrix)


def test_tiny_voxels_are_not_singular():
    assert Affine(np.diag([1e-4, 2e-4, 3e-4, 1])).spacing == (1e-4, 2e-4, 3e-4)
