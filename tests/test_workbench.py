"""The tools of the tests are themselves right: a judge that always agrees is worth nothing."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RLELossless,
)

ORIENTATIONS = ("axial", "coronal", "sagittal", "oblique")
AFFINE = np.array([[0.0, 0.3, 2.0, -40.0], [0.1, 1.4, 0.0, 12.0], [5.0, 0.0, 0.2, 7.0], [0.0, 0.0, 0.0, 1.0]])
ARRAY = np.arange(4 * 5 * 3).reshape(4, 5, 3)
TURNS = list(itertools.product(itertools.permutations(range(3)), itertools.product((False, True), repeat=3)))


def turned(affine, array, order, flips):
    """Return the same volume with other axes, computed index by index."""
    index = np.zeros((4, 4))
    index[3, 3] = 1
    for axis, source in enumerate(order):
        index[source, axis] = -1 if flips[axis] else 1
        index[source, 3] = array.shape[source] - 1 if flips[axis] else 0
    other = np.flip(array.transpose(order), [axis for axis in range(3) if flips[axis]])
    return affine @ index, other


@pytest.mark.parametrize(("order", "flips"), TURNS)
def test_volumes_match_in_all_48_axis_orders(compare_volumes, order, flips):
    match = compare_volumes(AFFINE, ARRAY, *turned(AFFINE, ARRAY, order, flips))
    assert match.value_error == 0
    assert match.corner_mm < 1e-9


@given(axis=st.integers(0, 2), shift=st.floats(0.02, 20))
def test_a_shift_is_measured_in_mm(compare_volumes, axis, shift):
    moved = AFFINE.copy()
    moved[axis, 3] += shift
    assert compare_volumes(AFFINE, ARRAY, moved, ARRAY).corner_mm == pytest.approx(shift)


@pytest.mark.parametrize("axis", range(3))
def test_mirrored_values_are_seen(compare_volumes, axis):
    assert compare_volumes(AFFINE, ARRAY, AFFINE, np.flip(ARRAY, axis)).value_error > 0


def test_a_flipped_direction_is_seen(compare_volumes):
    flipped = AFFINE @ np.diag([1.0, -1.0, 1.0, 1.0])
    match = compare_volumes(AFFINE, ARRAY, flipped, ARRAY)
    assert match.corner_mm > 1
    assert match.value_error > 0


def test_the_largest_value_error_counts(compare_volumes):
    other = ARRAY.astype(float)
    other[2, 1, 0] += 0.25
    assert compare_volumes(AFFINE, ARRAY, AFFINE, other) == (0, 0.25, "")


def test_nan_and_infinity_match_only_themselves(compare_volumes):
    values = ARRAY.astype(float)
    values[0, 0, 0], values[1, 1, 1] = math.nan, math.inf
    assert compare_volumes(AFFINE, values, AFFINE, values).value_error == 0
    assert compare_volumes(AFFINE, values, AFFINE, ARRAY).value_error == math.inf


def test_other_axes_or_shapes_never_match(compare_volumes):
    assert "shapes differ" in compare_volumes(AFFINE, ARRAY, AFFINE, ARRAY[:3]).reason
    half_way = np.array([[0.7, -0.7, 0, 0], [0.7, 0.7, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    match = compare_volumes(np.eye(4), ARRAY, half_way, ARRAY)
    assert match.corner_mm == math.inf
    assert "axes do not match" in match.reason


@pytest.mark.parametrize("modality", ["CT", "MR"])
@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_phantoms_satisfy_the_judges(
    tmp_path, make_series, write_series, dciodvfy, dcentvfy, modality, orientation
):
    files = write_series(make_series(modality, orientation, private=True, sequences=True), tmp_path)
    assert [error for file in files for error in dciodvfy(file)] == []
    assert dcentvfy(files) == []


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_phantoms_read_the_same_with_both_readers(
    tmp_path, make_series, write_series, sitk_read, dcm2niix, nifti_in_lps, compare_volumes, orientation
):
    datasets = make_series("CT", orientation, shape=(5, 16, 12))
    write_series(datasets, tmp_path, shuffled=True)
    one = sitk_read(tmp_path)
    (image,) = dcm2niix(tmp_path)
    match = compare_volumes(*one, *nifti_in_lps(image))
    assert match.corner_mm < 0.01
    assert match.value_error == 0
    expected = np.array(datasets[0].ImagePositionPatient) @ np.eye(3)
    assert np.linalg.norm(one.affine[:3, 3] - expected) < 1e-6
    assert one.array[3, 2, 1] == 321 - 1024


@pytest.mark.parametrize(
    "syntax",
    [
        ExplicitVRLittleEndian,
        ImplicitVRLittleEndian,
        ExplicitVRBigEndian,
        DeflatedExplicitVRLittleEndian,
        RLELossless,
    ],
)
def test_phantoms_in_other_transfer_syntaxes(tmp_path, make_series, write_series, dcmdump, syntax):
    files = write_series(make_series(transfer_syntax=syntax), tmp_path)
    dataset = pydicom.dcmread(files[3])
    assert dataset.file_meta.TransferSyntaxUID == syntax
    assert dataset.pixel_array[2, 1] == 321
    assert "Phantom^Parent" in dcmdump(files[3])


@pytest.mark.parametrize(("charset", "name"), [("ISO_IR 192", "山田^太郎"), ("ISO_IR 144", "Жуков^Иван")])
def test_phantoms_in_other_character_sets(tmp_path, make_series, write_series, dcmdump, charset, name):
    files = write_series(make_series(charset=charset, elements={"PatientName": name}), tmp_path)
    assert name in dcmdump(files[0])


def test_dciodvfy_reports_what_is_missing(tmp_path, make_series, write_series, dciodvfy):
    datasets = make_series()
    del datasets[0].ImageType
    errors = dciodvfy(write_series(datasets, tmp_path)[0])
    assert any("ImageType" in error for error in errors)


def test_dcentvfy_reports_two_patients_in_one_study(tmp_path, make_series, write_series, dcentvfy):
    datasets = make_series()
    datasets[1].PatientName = "Someone^Else"
    assert any("PatientName" in error for error in dcentvfy(write_series(datasets, tmp_path)))


def test_dcmdump_fails_a_truncated_file(tmp_path, make_series, write_series, dcmdump):
    file = write_series(make_series(), tmp_path)[0]
    file.write_bytes(file.read_bytes()[:-10])
    with pytest.raises(pytest.fail.Exception, match="dcmdump"):
        dcmdump(file)


def test_dcm2niix_fails_a_folder_without_images(tmp_path, dcm2niix):
    with pytest.raises(pytest.fail.Exception, match="dcm2niix"):
        dcm2niix(tmp_path)


def test_sitk_read_fails_two_series(tmp_path, make_series, write_series, sitk_read):
    write_series(make_series(seed=1), tmp_path / "one")
    write_series(make_series(seed=2), tmp_path / "two")
    for number, file in enumerate([*tmp_path.glob("*/*")]):
        file.rename(tmp_path / f"{number}.dcm")
    with pytest.raises(pytest.fail.Exception, match="2 series"):
        sitk_read(tmp_path)
