"""Volumes whose values tell where each voxel came from, in spaces where swapped axes cannot hide."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from dicomwright.payload import Affine, Volume


def index_array(shape):
    """Every voxel holds its own index: slice * 10^6 + row * 10^3 + column."""
    slices, rows, columns = np.indices(shape)
    return (slices * 1_000_000 + rows * 1_000 + columns).astype(np.int32)


def indices_of(array):
    """Undo `index_array`: homogeneous (slice, row, column, 1), shape (..., 4)."""
    return np.stack([array // 1_000_000, array // 1_000 % 1_000, array % 1_000, np.ones_like(array)], axis=-1)


def rotation(yaw, pitch, roll):
    """Rotation matrix from three angles in degrees."""
    a, b, c = np.radians([yaw, pitch, roll])
    z = [[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]]
    y = [[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]]
    x = [[1, 0, 0], [0, np.cos(c), -np.sin(c)], [0, np.sin(c), np.cos(c)]]
    return np.array(z) @ np.array(y) @ np.array(x)


class Grids:
    """What the geometry tests build their volumes from."""

    shape = (4, 5, 7)
    spacing = (3.0, 0.7, 0.4)
    origin = (-31.5, 17.25, 102.0)
    orders = tuple(
        (axes, signs)
        for axes in itertools.permutations(range(3))
        for signs in itertools.product((1, -1), repeat=3)
    )
    index_array = staticmethod(index_array)
    rotation = staticmethod(rotation)

    def volume(self, axes=(2, 1, 0), signs=(1, 1, 1), turn=None, shape=None, spacing=None, **options):
        """Return a volume whose array axis n runs along LPS axis axes[n], in the direction signs[n]."""
        shape = shape or self.shape
        matrix = np.eye(4)
        matrix[:3, :3] = 0
        for axis, (along, sign, step) in enumerate(zip(axes, signs, spacing or self.spacing, strict=True)):
            matrix[along, axis] = sign * step
        if turn is not None:
            matrix[:3, :3] = turn @ matrix[:3, :3]
        matrix[:3, 3] = self.origin
        return Volume(index_array(shape), matrix, **options)

    @staticmethod
    def worst_mm(original, view):
        """Return the largest distance between where a voxel was and where its pixel is written."""
        planes = view.planes()
        place = planes.index_to_lps(*np.indices(view.array.shape))
        if original.positions is None:
            true = (indices_of(view.array) @ Affine(original.affine).matrix.T)[..., :3]
        else:
            where = indices_of(view.array)
            steps = Affine(original.affine).steps
            true = original.positions[where[..., 0]] + where[..., 1:2] * steps[1] + where[..., 2:3] * steps[2]
        return float(np.linalg.norm(place - true, axis=-1).max())


@pytest.fixture(scope="session")
def grids():
    return Grids()
