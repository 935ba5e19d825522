"""Secondary captures in compressed transfer syntaxes: colour, multi-frame, and images that differ."""

from __future__ import annotations

import numpy as np
import pydicom
import pytest

from dicomwright import Blueprint, DicomFactory
from dicomwright.payload import Frames

DECODERS = {"rle": "dcmdrle", "jpeg-ls": "dcmdjpls", "jpeg2000-lossless": None}


@pytest.fixture
def frames():
    rows, columns = np.mgrid[:61, :47]
    return [
        np.stack([rows * 4 + k, columns * 5, (rows + columns + k) % 256], -1).astype("u1") for k in range(3)
    ]


@pytest.mark.parametrize("name", DECODERS)
@pytest.mark.parametrize("mode", ["single", "multiframe"])
@pytest.mark.parametrize("colour", [True, False])
def test_captures_come_back(frames, tmp_path, name, mode, colour, dciodvfy, run_dcmtk):
    pytest.importorskip("dicomwright_sc")
    pytest.importorskip("dicomwright_codecs")
    images = frames if colour else [frame[..., 0] for frame in frames]
    series = DicomFactory().build(
        Frames(images, "frames"),
        Blueprint(),
        encoder="secondary-capture",
        encoder_options={"mode": mode},
        transfer_syntax=name,
    )
    file = series.write(tmp_path / "out")[0]
    wanted = np.stack(images) if mode == "multiframe" else images[0]
    np.testing.assert_array_equal(pydicom.dcmread(file).pixel_array, wanted)
    assert dciodvfy(file) == []
    programs = [("gdcmconv", "--raw"), *([(DECODERS[name],)] if DECODERS[name] else [])]
    for program, *arguments in programs:
        run_dcmtk(program, *arguments, file, tmp_path / "decoded.dcm")
        np.testing.assert_array_equal(pydicom.dcmread(tmp_path / "decoded.dcm").pixel_array, wanted)


def test_images_that_differ_are_described_one_by_one(frames, tmp_path):
    pytest.importorskip("dicomwright_sc")
    pytest.importorskip("dicomwright_codecs")
    images = [frames[0], frames[1][:40, :, 0]]
    series = DicomFactory().build(
        Frames(images, "frames"),
        Blueprint(),
        encoder="secondary-capture",
        transfer_syntax="jpeg2000-lossless",
    )
    datasets = [pydicom.dcmread(file) for file in series.write(tmp_path / "out")]
    assert [dataset.PhotometricInterpretation for dataset in datasets] == ["YBR_RCT", "MONOCHROME2"]
    for dataset, image in zip(datasets, images, strict=True):
        np.testing.assert_array_equal(dataset.pixel_array, image)
