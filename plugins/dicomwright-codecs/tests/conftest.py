"""Images that no turn or mirror leaves the same, and datasets around fragments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import SecondaryCaptureImageStorage, generate_uid

from dicomwright import Blueprint, DicomFactory, Volume
from dicomwright.encoders.codecs import CodecRequest, PixelLayout
from dicomwright.plugins import load
from dicomwright_codecs.codec import ImageCodec

if TYPE_CHECKING:
    from pathlib import Path

AFFINE = np.diag([5.0, 2.0, 1.5, 1.0])[[2, 1, 0, 3]]


@pytest.fixture(scope="session")
def plugin_set() -> Any:
    """Return the plug-ins that are installed."""
    return load(enabled=True)


@pytest.fixture
def voxels() -> Any:
    """Return signed voxels with noise, of odd sides."""
    random = np.random.default_rng(7)
    slices, rows, columns = np.mgrid[:5, :61, :47]
    values = random.normal(0, 30, (5, 61, 47)) + columns * 20 - rows * 7 + slices * 100 - 300
    return values.astype(np.int16)


@pytest.fixture
def build(voxels: Any) -> Any:
    """Return a function that builds a series in a transfer syntax."""

    def of(
        name: str, array: Any = voxels, blueprint: str = "ct-image", elements: Any = (), **given: Any
    ) -> Any:
        chosen = Blueprint.load(blueprint) + Blueprint(elements)
        return DicomFactory().build(Volume(array, AFFINE), chosen, transfer_syntax=name, **given)

    return of


@pytest.fixture
def compressed(plugin_set: Any) -> Any:
    """Return a function that compresses frames and returns the dataset that holds them, and the compression."""

    def of(name: str, frames: Any, options: Any = None, bits: int = 0) -> tuple[Dataset, Any]:
        rows, columns = frames.shape[1:3]
        colour = frames.ndim > 3
        allocated = frames.dtype.itemsize * 8
        signed = frames.dtype.kind == "i"
        layout = PixelLayout(
            rows,
            columns,
            3 if colour else 1,
            allocated,
            bits or allocated,
            signed,
            "RGB" if colour else "MONOCHROME2",
            len(frames),
        )
        uid = plugin_set.registry("codec").spec(name).uid
        data = np.ascontiguousarray(frames)
        request = CodecRequest(
            name,
            uid,
            1,
            lambda _: (memoryview(frame).cast("B") for frame in data),
            lambda _: layout,
            options or {},
        )
        compression = ImageCodec().compression(request)
        return _dataset(compression, layout, uid), compression

    return of


def _dataset(compression: Any, layout: PixelLayout, uid: str) -> Dataset:
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = SecondaryCaptureImageStorage, generate_uid()
    dataset.Rows, dataset.Columns = layout.rows, layout.columns
    dataset.SamplesPerPixel, dataset.NumberOfFrames = layout.samples, layout.frames
    dataset.BitsAllocated, dataset.BitsStored = layout.bits_allocated, layout.bits_stored
    dataset.HighBit, dataset.PixelRepresentation = layout.bits_stored - 1, int(layout.signed)
    dataset.PhotometricInterpretation = compression.photometric(layout)
    if layout.samples > 1:
        dataset.PlanarConfiguration = 0
    dataset.add_new("PixelData", "OB", bytes(compression.value(0)))
    dataset["PixelData"].is_undefined_length = True
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = uid
    return dataset


@pytest.fixture
def decoded(run_dcmtk: Any, tmp_path: Path) -> Any:
    """Return a function that decodes a file by another program and returns its pixels."""
    import pydicom

    def of(program: str, file: Path, *arguments: str) -> Any:
        run_dcmtk(program, *arguments, file, tmp_path / "decoded.dcm")
        return pydicom.dcmread(tmp_path / "decoded.dcm").pixel_array

    return of
