"""Real NIfTI files become series that independent programs accept and read back as the same volume."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest

LPS = np.diag([-1.0, -1.0, 1.0, 1.0])

#: file, blueprint, whether the values survive without loss (None: whole millionths, which a reader may or may not see)
VOLUMES = [
    ("v01_ct_axial/ct_axial.nii.gz", "ct-image", True),
    ("v02_mr_sagittal/mr_sagittal.nii.gz", "mr-image", True),
    ("v03_mr_oblique_triple/mr_oblique_triple.nii.gz", "mr-image", True),
    ("v04_mr_oblique_ipp_off_normal/mr_oblique_ipp_off_normal.nii.gz", "mr-image", True),
    ("v05_mr_three_plane_localizer/axial.nii.gz", "mr-image", True),
    ("v05_mr_three_plane_localizer/coronal.nii.gz", "mr-image", True),
    ("v05_mr_three_plane_localizer/sagittal.nii.gz", "mr-image", True),
    ("v06_pet_fdg/pet_fdg.nii.gz", "mr-image", False),
    ("v07_ct_tilt_nonuniform/ct_tilt_7mm_Tilt_1.nii.gz", "ct-image", True),
    ("v10_enhanced_multiframe/enhanced_ct.nii.gz", "ct-image", True),
    ("v10_enhanced_multiframe/legacy_ct_single.nii.gz", "ct-image", True),
    ("v13_nifti_float_and_scaled/adc_float32_tiny.nii.gz", "mr-image", None),
    ("v13_nifti_float_and_scaled/mr_float32.nii.gz", "mr-image", True),
    ("v13_nifti_float_and_scaled/pet_suv_float32.nii.gz", "ct-image", False),
    ("v13_nifti_float_and_scaled/tmap_int16_scl.nii.gz", "mr-image", True),
    ("v14_nifti_headers/avg152T1_RL_nifti.nii.gz", "mr-image", True),
    ("v14_nifti_headers/bigendian_float32.nii", "ct-image", True),
    ("v14_nifti_headers/bigendian_int16.nii", "ct-image", True),
    ("v14_nifti_headers/nifti2.nii.gz", "ct-image", True),
    ("v14_nifti_headers/pair.hdr", "ct-image", True),
    ("v14_nifti_headers/pair.img", "ct-image", True),
    ("v14_nifti_headers/qform_only.nii.gz", "ct-image", True),
    ("v14_nifti_headers/sform_and_qform_differ.nii.gz", "ct-image", True),
    *((f"v14_nifti_headers/crop_{axes}.nii.gz", "ct-image", True) for axes in ("ASR", "IRP", "LPI", "LPS")),
    *((f"v14_nifti_headers/crop_{axes}.nii.gz", "mr-image", True) for axes in ("PIR", "RSA", "SLA")),
    ("v15_nifti_labels/labels_int32.nii.gz", "ct-image", True),
    ("v15_nifti_labels/labels_uint8_mask.nii.gz", "mr-image", True),
]


def source(path):
    """Return the matrix from the file's own index to LPS, and the values."""
    image = nib.load(path)
    return LPS @ image.affine, np.asanyarray(image.dataobj)


@pytest.mark.parametrize(
    ("name", "blueprint", "lossless"), VOLUMES, ids=lambda value: str(value).rpartition("/")[2]
)
def test_a_real_volume(cli, shared_data, tmp_path, judge, name, blueprint, lossless):
    outcome = cli("build", shared_data / name, "--blueprint", blueprint, "--out", tmp_path / "out", "--json")
    assert outcome.code == 0, outcome.err
    assert outcome.result["stored_values"]["lossless"] in ((True, False) if lossless is None else (lossless,))
    judge(tmp_path / "out", *source(shared_data / name), outcome.result)


@pytest.mark.parametrize("slicing", ["native", "axial", "coronal", "sagittal"])
@pytest.mark.parametrize(
    "name",
    ["v03_mr_oblique_triple/mr_oblique_triple.nii.gz", "v14_nifti_headers/crop_IRP.nii.gz"],
    ids=["oblique", "IRP"],
)
def test_a_real_volume_in_every_slicing(cli, shared_data, tmp_path, judge, name, slicing):
    arguments = ["build", shared_data / name, "--blueprint", "mr-image", "--out", tmp_path / "out", "--json"]
    outcome = cli(*arguments, "--encoder-opt", f"slicing={slicing}")
    assert outcome.code == 0, outcome.err
    judge(tmp_path / "out", *source(shared_data / name), outcome.result)


def test_floats_lose_at_most_half_a_step(cli, shared_data, tmp_path, prove):
    for number, name in enumerate(("adc_float32_tiny", "pet_suv_float32")):
        path, out = shared_data / f"v13_nifti_float_and_scaled/{name}.nii.gz", tmp_path / str(number)
        outcome = cli("build", path, "--blueprint", "ct-image", "--out", out, "--json")
        affine, array = source(path)
        step = (float(array.max()) - float(array.min())) / 65535
        assert 0 <= outcome.result["stored_values"]["max_abs_error"] <= 0.5 * step * (1 + 1e-3)
        assert prove(out, affine, array).value_error <= 0.5 * step * (1 + 1e-3)


def test_nan_is_refused_by_count_until_a_value_is_named(cli, shared_data, tmp_path, prove):
    path = shared_data / "v13_nifti_float_and_scaled/nan_float64.nii.gz"
    affine, array = source(path)
    arguments = ["build", path, "--blueprint", "mr-image", "--out", tmp_path / "out", "--json"]
    refused = cli(*arguments)
    assert refused.code == 1
    assert str(np.isnan(array).sum()) in refused.err.replace(",", "")
    assert not (tmp_path / "out").exists()
    done = cli(*arguments, "--encoder-opt", "non_finite=-1")
    assert done.code == 0, done.err
    proof = prove(tmp_path / "out", affine, np.where(np.isfinite(array), array, -1))
    assert proof.distance_mm <= 0.01
    assert proof.value_error <= done.result["stored_values"]["max_abs_error"] + 1e-9


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("v13_nifti_float_and_scaled/complex64.nii.gz", ["complex64"]),
        ("v12_nifti_colour/rgb24_oblique.nii.gz", ["colour", "secondary capture"]),
        ("v12_nifti_colour/rgba32_oblique.nii.gz", []),
        ("v12_nifti_colour/rgb24_us.nii.gz", []),
        ("v11_mr_4d/ge_4d.nii.gz", ["4"]),
        ("v11_mr_4d/ge_nifti2.nii", ["4"]),
        ("v11_mr_4d/mosaic_4d.nii.gz", ["4"]),
        ("v10_enhanced_multiframe/xa10_4d.nii.gz", ["4"]),
        ("v15_nifti_labels/labels_int32_large.nii.gz", ["614454277"]),
    ],
    ids=lambda value: str(value).rpartition("/")[2],
)
def test_what_cannot_be_written_right_is_refused(cli, shared_data, tmp_path, name, words):
    out = tmp_path / "out"
    outcome = cli("build", shared_data / name, "--blueprint", "mr-image", "--out", out, "--json")
    assert outcome.code == 1
    assert outcome.out == ""
    assert outcome.err.startswith("dicomwright: error: ")
    for word in words:
        assert word.lower() in outcome.err.lower().replace(",", "")
    assert list(tmp_path.iterdir()) == []


def test_a_sheared_volume_is_refused_or_written_at_exact_positions(
    cli, shared_data, tmp_path, prove, conformance
):
    path = shared_data / "v07_ct_tilt_nonuniform/sheared_ct.nii.gz"
    arguments = ["build", path, "--blueprint", "ct-image", "--out", tmp_path / "out", "--json"]
    refused = cli(*arguments)
    assert refused.code == 1
    assert "18.5°" in refused.err
    assert "shear=positions" in refused.err
    assert not (tmp_path / "out").exists()
    done = cli(*arguments, "--encoder-opt", "shear=positions")
    assert done.code == 0, done.err
    assert any("18.5" in warning for warning in done.result["warnings"])
    proof = prove(tmp_path / "out", *source(path))
    assert (proof.distance_mm <= 0.01, proof.value_error) == (True, 0)
    assert conformance(tmp_path / "out") == []


def test_a_header_without_codes_is_warned_of(cli, shared_data, tmp_path, conformance):
    path = shared_data / "v14_nifti_headers/no_codes.nii.gz"
    outcome = cli("build", path, "--blueprint", "ct-image", "--out", tmp_path / "out", "--json")
    assert outcome.code == 0, outcome.err
    assert any("code" in warning for warning in outcome.result["warnings"])
    assert "dicomwright: warning:" in outcome.err
    assert conformance(tmp_path / "out") == []


def test_forms_that_differ_are_warned_of(cli, shared_data, tmp_path):
    path = shared_data / "v14_nifti_headers/sform_and_qform_differ.nii.gz"
    outcome = cli("build", path, "--blueprint", "ct-image", "--out", tmp_path / "out", "--json")
    assert any("qform" in warning and "sform" in warning for warning in outcome.result["warnings"])


def test_a_mask_keeps_zero_and_one(cli, shared_data, tmp_path):
    import pydicom

    path = shared_data / "v15_nifti_labels/labels_uint8_mask.nii.gz"
    cli("build", path, "--blueprint", "ct-image", "--out", tmp_path / "out", "--json")
    values = {
        int(value)
        for file in (tmp_path / "out").iterdir()
        for value in np.unique(pydicom.dcmread(file).pixel_array)
    }
    assert values == {0, 1}


@pytest.mark.parametrize(
    "name", ["v13_nifti_float_and_scaled/nan_float64", "v15_nifti_labels/labels_int32_large"]
)
def test_each_problem_is_said_once(cli, shared_data, tmp_path, name):
    done = cli("build", shared_data / f"{name}.nii.gz", "--blueprint", "ct-image", "--out", tmp_path / "out")
    lines = done.err.splitlines()
    assert len(lines) == len(set(lines)) == 1
