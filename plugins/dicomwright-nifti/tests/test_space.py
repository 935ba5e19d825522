"""The affine is nibabel's best one; what makes it doubtful is told, what makes it useless is refused."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dicomwright_nifti.reader import NiftiReader


def best(path):
    return nib.load(path).affine


def test_each_voxel_lands_where_the_sform_says(nifti, reader, tmp_path, oblique):
    volume = reader.read(nifti().write(tmp_path / "a.nii"), {})
    for i, j, k in [(0, 0, 0), (4, 0, 0), (0, 3, 0), (0, 0, 2), (4, 3, 2)]:
        ras = oblique @ (i, j, k, 1)
        np.testing.assert_allclose(volume.affine.matrix @ (k, j, i, 1), ras * (-1, -1, 1, 1), atol=1e-9)


QUATERNION = {
    "quatern_b": 0.2,
    "quatern_c": -0.4,
    "quatern_d": 0.1,
    "qoffset_x": 5,
    "qoffset_y": -6,
    "qoffset_z": 7,
}


@pytest.mark.parametrize("qfac", [1, -1, 0])
@pytest.mark.parametrize("version", [1, 2])
def test_the_qform_is_used_where_the_sform_has_no_code(nifti, reader, tmp_path, version, qfac):
    pixdim = [qfac, 0.9, 1.3, 3, 1, 1, 1, 1]
    path = nifti(version=version, sform_code=0, qform_code=1, pixdim=pixdim, **QUATERNION).write(
        tmp_path / "a.nii"
    )
    volume = reader.read(path, {})
    np.testing.assert_array_equal(volume.affine.to_ras_ijk(), best(path))
    np.testing.assert_allclose(volume.affine.spacing, (3, 1.3, 0.9), rtol=1e-6)
    assert volume.warnings == ()


def test_without_codes_nibabels_fallback_is_used_and_told(nifti, reader, tmp_path):
    path = nifti(sform_code=0, qform_code=0).write(tmp_path / "a.nii")
    volume = reader.read(path, {})
    np.testing.assert_array_equal(volume.affine.to_ras_ijk(), best(path))
    (warning,) = volume.warnings
    assert "neither sform nor qform has a code" in warning
    assert "left and right are not certain" in warning


def test_disagreeing_matrices_are_told_and_either_can_be_chosen(nifti, reader, tmp_path, oblique):
    path = nifti(qform_code=1, **QUATERNION).write(tmp_path / "a.nii")
    volume = reader.read(path, {})
    np.testing.assert_array_equal(volume.affine.to_ras_ijk(), oblique)
    every = np.array([(*index, 1) for index in np.ndindex(5, 4, 3)])
    distance = np.linalg.norm(every @ (oblique - nib.load(path).get_qform()).T, axis=1).max()
    assert volume.warnings == (
        f"sform (code 1) and qform (code 1) place voxels up to {distance:.3g} mm apart; the sform is used",
    )
    chosen = reader.read(path, {"orientation": "qform"})
    np.testing.assert_array_equal(chosen.affine.to_ras_ijk(), nib.load(path).get_qform())
    assert chosen.warnings[0].endswith("the qform is used")


def test_matrices_that_agree_are_not_told(reader, tmp_path):
    image = nib.Nifti1Image(np.zeros((5, 4, 3), "i2"), np.diag([0.9, 1.3, 3, 1]))
    image.set_qform(image.affine, 1)
    image.set_sform(image.affine, 1)
    nib.save(image, tmp_path / "a.nii")
    assert reader.read(tmp_path / "a.nii", {}).warnings == ()


def test_a_matrix_that_is_asked_for_must_have_a_code(nifti, refused, tmp_path):
    text = refused(nifti().write(tmp_path / "a.nii"), orientation="qform")
    assert "option orientation asks for the qform, but qform_code is 0" in text


@pytest.mark.parametrize("code", [-1, 6, 99])
def test_unknown_codes_count_as_none(nifti, reader, tmp_path, code):
    path = nifti(sform_code=code, qform_code=2, **QUATERNION).write(tmp_path / "a.nii")
    volume = reader.read(path, {})
    np.testing.assert_array_equal(volume.affine.to_ras_ijk(), best(path))
    assert volume.warnings == (f"sform_code {code} is not a NIfTI code; the sform is not used",)


def test_a_negative_voxel_size_is_mended_as_nibabel_does(nifti, reader, tmp_path):
    pixdim = [1, 0.9, -1.3, 3, 1, 1, 1, 1]
    path = nifti(sform_code=0, qform_code=1, pixdim=pixdim, **QUATERNION).write(tmp_path / "a.nii")
    volume = reader.read(path, {})
    np.testing.assert_array_equal(volume.affine.to_ras_ijk(), best(path))
    assert volume.warnings == ("pixdim[2] is -1.3; its absolute value is used",)


@pytest.mark.parametrize(("unit", "factor", "word"), [(1, 1000, "metres"), (3, 0.001, "micrometres")])
def test_other_units_become_mm_and_are_told(nifti, reader, tmp_path, oblique, unit, factor, word):
    path = nifti(xyzt_units=unit | 8).write(tmp_path / "a.nii")
    volume = reader.read(path, {})
    expected = oblique * np.array([factor, factor, factor, 1])[:, np.newaxis]
    np.testing.assert_allclose(volume.affine.to_ras_ijk(), expected, rtol=1e-12)
    (warning,) = volume.warnings
    assert warning.startswith(f"the header gives lengths in {word}")
    kept = reader.read(path, {"units": "mm"})
    np.testing.assert_array_equal(kept.affine.to_ras_ijk(), oblique)
    assert kept.warnings == ()


@pytest.mark.parametrize(("unit", "count"), [(0, 0), (2, 0), (10, 0), (5, 1)])
def test_unknown_units_are_mm(nifti, reader, tmp_path, oblique, unit, count):
    volume = reader.read(nifti(xyzt_units=unit).write(tmp_path / "a.nii"), {})
    np.testing.assert_array_equal(volume.affine.to_ras_ijk(), oblique)
    assert len(volume.warnings) == count


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_an_sform_that_is_not_finite_is_refused(nifti, refused, tmp_path, value):
    text = refused(nifti(srow_y=[0, value, 0, 0]).write(tmp_path / "a.nii.gz"))
    assert text == (
        f"{tmp_path}/a.nii.gz: its sform has values that are not finite; "
        "if the qform is right, use the option orientation=qform"
    )


@pytest.mark.parametrize("row", [[0, 0, 0, 0], [-0.8, 0.45, 0.9, 3]])
def test_a_singular_sform_is_refused(nifti, refused, tmp_path, row):
    assert "its sform is singular" in refused(nifti(srow_y=row).write(tmp_path / "a.nii"))


def test_a_useless_sform_does_not_hide_a_good_qform(nifti, refused, reader, tmp_path):
    path = nifti(srow_y=[0, 0, 0, 0], qform_code=1, **QUATERNION).write(tmp_path / "a.nii")
    assert "use the option orientation=qform" in refused(path)
    volume = reader.read(path, {"orientation": "qform"})
    np.testing.assert_array_equal(volume.affine.to_ras_ijk(), nib.load(path).get_qform())
    assert volume.warnings[0].startswith("the sform is unusable, the qform is used")


@pytest.mark.parametrize("size", [0, np.nan, np.inf])
def test_an_unknown_voxel_size_is_refused_where_it_matters(nifti, refused, reader, tmp_path, size):
    pixdim = [1, 0.9, size, 3, 1, 1, 1, 1]
    text = refused(nifti(sform_code=0, qform_code=1, pixdim=pixdim).write(tmp_path / "a.nii"))
    assert f"pixdim[2] is {size:g}: the voxel size is unknown" in text
    text = refused(nifti(sform_code=0, qform_code=0, pixdim=pixdim).write(tmp_path / "b.nii"))
    assert f"pixdim[2] is {size:g}" in text
    assert reader.read(nifti(pixdim=pixdim).write(tmp_path / "c.nii"), {}).warnings == ()


@pytest.mark.parametrize("b", [1.5, np.nan])
def test_a_qform_that_is_no_rotation_is_refused(nifti, refused, tmp_path, b):
    text = refused(nifti(sform_code=0, qform_code=1, quatern_b=b).write(tmp_path / "a.nii"))
    assert "its qform is not a rotation" in text or "its qform has values that are not finite" in text


def test_a_flat_image_needs_no_third_direction(nifti, reader, tmp_path):
    fields = {"srow_x": [-0.9, 0, 0, 4], "srow_y": [0, 1.3, 0, 5], "srow_z": [0, 0, 0, 6]}
    path = nifti(dim=[2, 5, 12, 1, 1, 1, 1, 1], **fields).write(tmp_path / "a.nii")
    volume = reader.read(path, {})
    assert volume.affine.spacing[0] == pytest.approx(1)
    assert volume.warnings == (
        "the matrix says nothing of the direction across its single slice; 1 mm is taken",
    )
    pixdim = [1, 0.9, 1.3, 0, 0, 0, 0, 0]
    path = nifti(dim=[2, 5, 12, 1, 1, 1, 1, 1], sform_code=0, qform_code=1, pixdim=pixdim).write(
        tmp_path / "b.nii"
    )
    np.testing.assert_array_equal(reader.read(path, {}).affine.to_ras_ijk(), best(path))


numbers = st.floats(-0.5625, 0.5625, width=32)  # three of them always make a rotation


@settings(max_examples=150)
@given(
    q=st.tuples(numbers, numbers, numbers),
    sizes=st.tuples(*[st.floats(0.125, 8, width=32)] * 3),
    offset=st.tuples(*[st.floats(-500, 500, width=32)] * 3),
    codes=st.tuples(st.integers(0, 4), st.integers(0, 4)),
    qfac=st.sampled_from([1, -1]),
    order=st.sampled_from("<>"),
)
def test_any_header_is_placed_as_nibabel_places_it(tmp_path_factory, q, sizes, offset, codes, qfac, order):
    from nibabel.nifti1 import Nifti1Header

    header = Nifti1Header(endianness=order)
    header.set_data_shape((5, 4, 3))
    header.set_data_dtype("u1")
    header["pixdim"][:4] = (qfac, *sizes)
    header["quatern_b"], header["quatern_c"], header["quatern_d"] = q
    header["qoffset_x"], header["qoffset_y"], header["qoffset_z"] = offset
    header["sform_code"], header["qform_code"] = codes
    header["srow_x"], header["srow_y"], header["srow_z"] = np.eye(3, 4) * sizes[0] + q[0] / 50
    header["vox_offset"] = 352
    path = tmp_path_factory.mktemp("space") / "a.nii"
    path.write_bytes(header.binaryblock + bytes(64))
    volume = NiftiReader().read(path, {})
    np.testing.assert_array_equal(volume.affine.to_ras_ijk(), best(path))
    assert any("neither" in text for text in volume.warnings) == (codes == (0, 0))
