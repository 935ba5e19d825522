"""From files of each format to DICOM series that independent programs read as the same volume."""

from __future__ import annotations

import numpy as np
import pytest

from dicomwright import Blueprint, DicomFactory

OPTIONS = {"numpy": {"spacing": "5,0.8,0.7", "convention": "LPS"}}
FILES = [
    "ct_be.raw", "ct_fortran_u16.raw", "ct_header128.raw", "ct_fortran.npy", "ct.npz", "mr_oblique_msb.mha",
    "mr_oblique_detached.mhd", "BallBinary30x30x30_bz2.nrrd", "legacy_ct_label.nrrd",
]  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_series(shared_data, tmp_path, read, dciodvfy, sitk_read, compare_volumes, name):
    path = shared_data / "v16_raw_nrrd_mha" / name
    options = OPTIONS["numpy"] if path.suffix in (".npy", ".npz") else {}
    volume = read(path, **options)
    blueprint = Blueprint.load("mr-image" if name.startswith("mr") else "ct-image")
    series = DicomFactory().build(path, blueprint, reader_options=options)
    series.write(tmp_path / "out")
    assert [error for file in sorted((tmp_path / "out").iterdir()) for error in dciodvfy(file)] == []
    found = sitk_read(tmp_path / "out")
    values = volume.array * np.float64(volume.slope) + volume.intercept
    match = compare_volumes(volume.affine.matrix, values, found.affine, found.array)
    assert match.corner_mm < 0.01
    assert match.value_error == 0
