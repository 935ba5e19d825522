"""Small parent series: anisotropic, not square, each voxel different, so that no mistake can hide."""

from __future__ import annotations

import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    UID,
    CTImageStorage,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    MRImageStorage,
    RLELossless,
    generate_uid,
)

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable

    from numpy.typing import NDArray

__all__ = ["ORIENTATIONS", "make_series", "write_series"]

ORIENTATIONS = {  # the directions in which the column index and the row index grow, in LPS
    "axial": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0)),
    "coronal": ((1.0, 0.0, 0.0), (0.0, 0.0, -1.0)),
    "sagittal": ((0.0, 1.0, 0.0), (0.0, 0.0, -1.0)),
    "oblique": ((0.936, 0.352, 0.0), (-0.2112, 0.5616, -0.8)),
}
KIND: dict[str, dict[str, Any]] = {
    "CT": {
        "SOPClassUID": CTImageStorage,
        "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"],
        "RescaleSlope": "1",
        "RescaleIntercept": "-1024",
        "KVP": "120",
        "AcquisitionNumber": 1,
        "PixelRepresentation": 1,
    },
    "MR": {
        "SOPClassUID": MRImageStorage,
        "ImageType": ["ORIGINAL", "PRIMARY", "OTHER"],
        "ScanningSequence": "GR",
        "SequenceVariant": "NONE",
        "ScanOptions": "",
        "MRAcquisitionType": "3D",
        "EchoTime": "4.6",
        "EchoTrainLength": 1,
        "RepetitionTime": "9.8",
        "PixelRepresentation": 0,
    },
}


def make_series(
    modality: str = "CT",
    orientation: str = "axial",
    *,
    shape: tuple[int, int, int] = (5, 6, 4),
    spacing: tuple[float, float, float] = (2.5, 0.75, 1.25),
    origin: tuple[float, float, float] = (-31.5, 17.25, -105.0),
    charset: str | list[str] | None = None,
    transfer_syntax: str = ExplicitVRLittleEndian,
    private: bool = False,
    sequences: bool = False,
    seed: int = 1,
    elements: dict[str, Any] | None = None,
) -> list[Dataset]:
    """Return the datasets of a CT or MR series in the order of its normal, each with its file meta.

    Parameters
    ----------
    modality : str
        ``CT`` or ``MR``.
    orientation : str
        A name in `ORIENTATIONS`.
    shape, spacing : tuple
        Slices, rows, columns; and the steps between them in mm.
    origin : tuple
        LPS position in mm of the first pixel of the first slice.
    charset : str or list of str
        SpecificCharacterSet (0008,0005); give `elements` with a PatientName that needs it.
    transfer_syntax : str
        Any uncompressed one, or RLE lossless.
    private, sequences : bool
        Whether to add a private block; and sequences, one of them nested.
    seed : int
        Series with the same seed are equal, UIDs included.
    elements : dict
        More elements by keyword, the same in each dataset.

    """
    column_step, row_step = (np.array(direction) for direction in ORIENTATIONS[orientation])
    normal = np.cross(column_step, row_step)
    uids = [generate_uid(entropy_srcs=[f"phantom {seed} {index}"]) for index in range(3 + shape[0])]
    series = []
    for index, pixels in enumerate(_pixels(shape)):
        dataset = _patient_study_series(modality, uids)
        if charset is not None:
            dataset.SpecificCharacterSet = charset
        dataset.SOPInstanceUID = uids[3 + index]
        dataset.InstanceNumber = index + 1
        dataset.ImageOrientationPatient = [*column_step.tolist(), *row_step.tolist()]
        position = np.array(origin) + index * spacing[0] * normal
        dataset.ImagePositionPatient = [round(value, 6) for value in position.tolist()]
        dataset.PixelSpacing = list(spacing[1:])
        dataset.SliceThickness = spacing[0]
        _add_extras(dataset, private=private, sequences=sequences)
        for keyword, value in (elements or {}).items():
            setattr(dataset, keyword, value)
        _set_pixels(dataset, pixels, UID(transfer_syntax))
        series.append(dataset)
    return series


def write_series(
    datasets: Iterable[Dataset], folder: str | os.PathLike[str], *, shuffled: bool = False
) -> list[Path]:
    """Write datasets as Part 10 files; return the paths in the order of the datasets.

    With `shuffled`, the order of the file names is not the order of the slices.
    """
    datasets, folder = list(datasets), Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    names = [f"IM{number:05d}" for number in range(len(datasets))]
    if shuffled:
        random.Random(len(names)).shuffle(names)  # noqa: S311  # an order, no secret
    paths = [folder / name for name in names]
    for dataset, path in zip(datasets, paths, strict=True):
        pydicom.dcmwrite(path, dataset, enforce_file_format=True)
    return paths


def _pixels(shape: tuple[int, int, int]) -> NDArray[np.int16]:
    """Return values that are all different as long as the volume is small."""
    slices, rows, columns = np.indices(shape)
    return np.asarray(100 * slices + 10 * rows + columns, np.int16)


def _patient_study_series(modality: str, uids: list[UID]) -> Dataset:
    """Return what all instances share."""
    values: dict[str, Any] = {
        "PatientName": "Phantom^Parent",
        "PatientID": "P-001",
        "PatientBirthDate": "19700102",
        "PatientSex": "O",
        "PatientPosition": "HFS",
        "StudyInstanceUID": uids[0],
        "StudyID": "S1",
        "StudyDate": "20240305",
        "StudyTime": "101112",
        "AccessionNumber": "A-17",
        "ReferringPhysicianName": "Referrer^Rita",
        "StudyDescription": "Phantom study",
        "SeriesInstanceUID": uids[1],
        "SeriesNumber": 3,
        "SeriesDescription": "Phantom parent",
        "Modality": modality,
        "BodyPartExamined": "HEAD",
        "FrameOfReferenceUID": uids[2],
        "PositionReferenceIndicator": "",
        "Manufacturer": "Phantom works",
        "AcquisitionDate": "20240305",
        "ContentDate": "20240305",
        "ContentTime": "101314",
        **KIND[modality],
    }
    dataset = Dataset()
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    return dataset


def _add_extras(dataset: Dataset, *, private: bool, sequences: bool) -> None:
    """Add what careless copying trips over."""
    if private:
        block = dataset.private_block(0x0029, "PHANTOM WORKS", create=True)
        block.add_new(0x01, "LO", "private text")
        block.add_new(0x02, "DS", ["1.5", "2.5"])
    if not sequences:
        return
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "T-D1100", "SRT", "Head"
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = (
        CTImageStorage,
        generate_uid(entropy_srcs=["reference"]),
    )
    item.PurposeOfReferenceCodeSequence = [code]
    dataset.ProcedureCodeSequence = [code]
    dataset.ReferencedImageSequence = [item]


def _set_pixels(dataset: Dataset, pixels: NDArray[np.int16], transfer_syntax: UID) -> None:
    """Describe and store one slice in a transfer syntax."""
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated = dataset.BitsStored = 16
    dataset.HighBit = 15
    dataset.file_meta = FileMetaDataset()
    compressed = transfer_syntax == RLELossless
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian if compressed else transfer_syntax
    order = ">" if transfer_syntax == ExplicitVRBigEndian else "<"
    dataset.PixelData = pixels.astype(f"{order}i2").tobytes()
    dataset["PixelData"].VR = "OW"
    if compressed:
        dataset.compress(RLELossless, generate_instance_uid=False)
