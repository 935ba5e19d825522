"""The input of the benchmarks, generated once into a folder: volumes, a parent series, NIfTI files."""

from __future__ import annotations

import datetime as dt
import os
from typing import TYPE_CHECKING, Any

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["make_nifti", "make_parents", "smooth_volume"]

STUDY, SERIES, FRAME = "2.25.1001", "2.25.1002", "2.25.1003"


def smooth_volume(shape: tuple[int, int, int], dtype: str, seed: int = 1) -> Any:
    """Return a volume that looks like CT numbers with noise: floats are no whole numbers."""
    random = np.random.default_rng(seed)
    volume = np.empty(shape, dtype=dtype)
    noise = random.normal(0, 20, size=shape[1:]).astype(np.float32)
    rows = np.sin(np.linspace(0, 3, shape[1], dtype=np.float32))[:, None]
    columns = np.cos(np.linspace(0, 5, shape[2], dtype=np.float32))[None, :]
    for index in range(shape[0]):
        plane = 900 * rows * columns + noise * (1 + index / shape[0]) + index
        volume[index] = plane if np.dtype(dtype).kind == "f" else np.rint(plane) + 1000
    return volume


def make_nifti(path: Path, shape: tuple[int, int, int], *, level: int = 1) -> None:
    """Write an int16 NIfTI file and, beside it, the same one compressed."""
    import gzip

    import nibabel

    array = smooth_volume(shape, "i2").transpose(2, 1, 0)
    affine = np.array([[-0.7, 0, 0, 170], [0, -0.75, 0, 190], [0, 0, 1.5, -120], [0, 0, 0, 1.0]])
    nibabel.save(nibabel.Nifti1Image(array, affine), path)
    with gzip.open(path.with_name(path.name + ".gz"), "wb", compresslevel=level) as packed:
        packed.write(path.read_bytes())


def make_parents(folder: Path, shape: tuple[int, int, int]) -> None:
    """Write a CT series of 120 elements an instance: 5 sequences, a private block, pixels (zeros)."""
    folder.mkdir(parents=True)
    size = 2 * shape[1] * shape[2]
    for index in range(shape[0]):
        path = folder / f"IM{index:04d}.dcm"
        dataset = _parent(index, shape)
        dataset.save_as(path, enforce_file_format=True)
        with path.open("ab", buffering=0) as file:
            file.write(b"\xe0\x7f\x10\x00OW\0\0" + size.to_bytes(4, "little"))
            os.truncate(file.fileno(), file.tell() + size)


def _parent(index: int, shape: tuple[int, int, int]) -> Dataset:
    """Return one instance of the parent series, without pixels."""
    dataset = Dataset()
    for values in (_identity(index), _acquisition(index), _image(index, shape)):
        for keyword, value in values.items():
            setattr(dataset, keyword, value)
    _sequences(dataset, index)
    block = dataset.private_block(0x0029, "BENCHMARK SCANNER", create=True)
    for offset in range(12):
        block.add_new(offset, "LO", f"private value {offset} of {index % 4}")
    block.add_new(0x20, "OB", bytes(range(256)) * 2)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return dataset


def _identity(index: int) -> dict[str, Any]:
    time = (
        dt.datetime(2026, 2, 3, 9, 30, 0, tzinfo=dt.UTC) + dt.timedelta(milliseconds=400 * index)
    ).strftime("%H%M%S.%f")
    return {
        "SpecificCharacterSet": "ISO_IR 100",
        "SOPClassUID": CTImageStorage,
        "SOPInstanceUID": f"2.25.2000{index:05d}",
        "StudyDate": "20260203",
        "SeriesDate": "20260203",
        "AcquisitionDate": "20260203",
        "ContentDate": "20260203",
        "StudyTime": "093000.000000",
        "SeriesTime": "093100.000000",
        "AcquisitionTime": time,
        "ContentTime": time,
        "AccessionNumber": "A0042",
        "Modality": "CT",
        "Manufacturer": "Bench",
        "InstitutionName": "Hôpital des Mesures",
        "InstitutionAddress": "1 Rue du Banc",
        "ReferringPhysicianName": "Référent^Jean",
        "StationName": "CT1",
        "StudyDescription": "CT thorax",
        "SeriesDescription": "Thorax 1.0 B30f",
        "InstitutionalDepartmentName": "Radiology",
        "PhysiciansOfRecord": "Record^Anne",
        "PerformingPhysicianName": "Perform^Marie",
        "OperatorsName": "Operator^Oda",
        "ManufacturerModelName": "Model 7",
        "PatientName": "Müller^Jürgen",
        "PatientID": "P0042",
        "IssuerOfPatientID": "BENCH",
        "PatientBirthDate": "19600102",
        "PatientSex": "M",
        "PatientAge": "066Y",
        "PatientSize": "1.80",
        "PatientWeight": "80.5",
        "EthnicGroup": "unknown",
        "PatientComments": "none",
        "StudyInstanceUID": STUDY,
        "SeriesInstanceUID": SERIES,
        "FrameOfReferenceUID": FRAME,
        "StudyID": "S1",
        "SeriesNumber": "3",
        "AcquisitionNumber": "1",
        "InstanceNumber": str(index + 1),
        "PositionReferenceIndicator": "SN",
        "ImageComments": f"slice {index + 1}",
    }


def _acquisition(index: int) -> dict[str, Any]:
    return {
        "ScanOptions": "HELICAL MODE",
        "BodyPartExamined": "CHEST",
        "KVP": "120",
        "DataCollectionDiameter": "500",
        "DeviceSerialNumber": "12345",
        "SoftwareVersions": ["syn 1.2", "rec 3.4"],
        "ProtocolName": "Thorax routine",
        "ReconstructionDiameter": "358.4",
        "DistanceSourceToDetector": "1040",
        "DistanceSourceToPatient": "570",
        "GantryDetectorTilt": "0",
        "TableHeight": "150",
        "RotationDirection": "CW",
        "ExposureTime": "500",
        "XRayTubeCurrent": str(150 + index % 40),
        "Exposure": str(75 + index % 20),
        "FilterType": "0",
        "GeneratorPower": "45",
        "FocalSpots": ["1.2"],
        "DateOfLastCalibration": "20260101",
        "TimeOfLastCalibration": "080000",
        "ConvolutionKernel": "B30f",
        "PatientPosition": "HFS",
        "RevolutionTime": 0.5,
        "SingleCollimationWidth": 0.6,
        "TotalCollimationWidth": 38.4,
        "TableSpeed": 46.0,
        "TableFeedPerRotation": 23.0,
        "SpiralPitchFactor": 0.6,
        "ExposureModulationType": "XYZ_EC",
        "CTDIvol": 5.5 + index / 1000,
        "ContrastBolusAgent": "none",
        "RequestedProcedureDescription": "CT thorax",
        "PerformedProcedureStepStartDate": "20260203",
        "PerformedProcedureStepStartTime": "093000",
        "PerformedProcedureStepID": "PPS1",
        "PerformedProcedureStepDescription": "CT thorax",
        "CommentsOnThePerformedProcedureStep": "",
    }


def _image(index: int, shape: tuple[int, int, int]) -> dict[str, Any]:
    return {
        "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"],
        "SliceThickness": "0.75",
        "ImagePositionPatient": ["-179.65", "-179.65", f"{-300 + 0.75 * index:.2f}"],
        "ImageOrientationPatient": ["1", "0", "0", "0", "1", "0"],
        "SliceLocation": f"{-300 + 0.75 * index:.2f}",
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "Rows": shape[1],
        "Columns": shape[2],
        "PixelSpacing": ["0.7", "0.7"],
        "BitsAllocated": 16,
        "BitsStored": 12,
        "HighBit": 11,
        "PixelRepresentation": 0,
        "WindowCenter": ["40", "-600"],
        "WindowWidth": ["400", "1200"],
        "RescaleIntercept": "-1024",
        "RescaleSlope": "1",
        "RescaleType": "HU",
        "WindowCenterWidthExplanation": ["SOFT", "LUNG"],
    }


def _sequences(dataset: Dataset, index: int) -> None:
    dataset.ReferencedStudySequence = [_reference("2.25.3001")]
    dataset.ReferencedImageSequence = [_reference(f"2.25.4{index // 64:03d}"), _reference("2.25.4999")]
    dataset.SourceImageSequence = [_reference(f"2.25.5{index:05d}")]
    dataset.ProcedureCodeSequence = [_code("CTTHX", "CT thorax")]
    request = Dataset()
    request.RequestedProcedureID, request.ScheduledProcedureStepID = "RP1", "SPS1"
    request.RequestedProcedureDescription = "CT thorax"
    request.ScheduledProtocolCodeSequence = [_code("THX", "Thorax")]
    dataset.RequestAttributesSequence = [request]


def _reference(uid: str) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = CTImageStorage, uid
    return item


def _code(value: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "99BENCH", meaning
    return item
