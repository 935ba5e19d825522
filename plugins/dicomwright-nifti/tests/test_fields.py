"""What is read without nibabel is what nibabel reads, to the last bit."""

from __future__ import annotations

import subprocess
import sys

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nibabel.spatialimages import HeaderDataError

from dicomwright_nifti.fields import PlainFields

SHARED = ["dim", "intent_code", "datatype", "bitpix", "pixdim", "vox_offset", "scl_slope", "scl_inter"]
CODES = ["xyzt_units", "qform_code", "sform_code"]
FLOATS = st.floats(width=32)
PARTS = st.one_of(st.floats(-0.5625, 0.5625, width=32), st.sampled_from([0.0, 0.5, -0.5, 1.0]), FLOATS)
SIZES = st.one_of(st.floats(0.125, 8, width=32), FLOATS)


def outcome(function):
    """Return a matrix as bytes, or the name of the error."""
    try:
        with np.errstate(all="ignore"):
            return np.asarray(function(), np.float64).tobytes()
    except (ValueError, ArithmeticError, HeaderDataError) as error:
        return type(error).__name__


@given(st.binary(min_size=348, max_size=348), st.sampled_from("<>"))
def test_fields_of_any_bytes(head, order):
    ours, theirs = PlainFields(head, order), nib.Nifti1Header(head, order, check=False)
    for name in [*SHARED, *CODES]:
        assert ours[name].tobytes() == theirs[name].tobytes()
        np.testing.assert_array_equal(ours[name].tolist(), theirs[name].tolist())
    assert outcome(ours.get_sform) == outcome(theirs.get_sform)


@given(
    st.lists(PARTS, min_size=3, max_size=3),
    st.lists(SIZES, min_size=3, max_size=3),
    st.lists(FLOATS, min_size=3, max_size=3),
    st.sampled_from([1, -1, 1, -1, 0, 7]),
    st.sampled_from("<>"),
)
def test_the_qform(parts, sizes, offset, factor, order):
    header = nib.Nifti1Header(endianness=order)
    header["pixdim"][:4] = [factor, *sizes]
    for name, value in zip(("quatern_b", "quatern_c", "quatern_d"), parts, strict=True):
        header[name] = value
    for name, value in zip(("qoffset_x", "qoffset_y", "qoffset_z"), offset, strict=True):
        header[name] = value
    ours = PlainFields(header.binaryblock, order)
    assert outcome(ours.get_qform) == outcome(header.get_qform)
    assert outcome(ours.get_base_affine) == outcome(header.get_base_affine)


def test_a_copy_is_apart():
    fields = PlainFields(nib.Nifti1Header().binaryblock, "<")
    other = fields.copy()
    other["pixdim"][1] = 7
    assert (float(fields["pixdim"][1]), float(other["pixdim"][1])) == (1.0, 7.0)


@pytest.mark.parametrize("coded", ["sform", "qform"])
def test_a_plain_file_is_read_without_nibabel(tmp_path, coded):
    image = nib.Nifti1Image(np.zeros((4, 3, 2), "i2"), None)
    getattr(image, f"set_{coded}")(np.diag([2, 3, 5, 1]), 1)
    nib.save(image, tmp_path / "a.nii")
    code = (
        "import sys; from pathlib import Path; from dicomwright_nifti.reader import NiftiReader; "
        "assert NiftiReader().read(Path(sys.argv[1]), {}).array.shape == (2, 3, 4); "
        "assert 'nibabel' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code, tmp_path / "a.nii"], check=True)
