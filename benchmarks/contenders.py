"""Who builds a series in memory: each maker loads its input once and returns what is timed, a function of a folder."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import numpy as np
from limit import RawWrite

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["MAKERS", "w1_blueprint"]

SPACING = np.array([[0, 0, 1.5, -200.0], [0, 0.7, 0, -170.0], [0.75, 0, 0, -300.0], [0, 0, 0, 1.0]])
Build = "Callable[[Path], None]"


def w1_blueprint() -> Any:
    """Return the CT blueprint of W1: copies, instance copies, functions of each instance."""
    from dicomwright import Blueprint, CopyElement, FunctionalElement, InstanceCopyElement, StaticElement

    return Blueprint.load("ct-image") + Blueprint(
        [
            StaticElement("SeriesDescription", "LO", "Benchmark"),
            *(
                CopyElement(f"{name}Sequence")
                for name in ("ReferencedStudy", "ProcedureCode", "RequestAttributes")
            ),
            *(CopyElement(f"Performed{name}", optional=True) for name in ("StationAETitle", "Location")),
            *(
                InstanceCopyElement(name)
                for name in ("AcquisitionTime", "ContentTime", "XRayTubeCurrent", "Exposure")
            ),
            FunctionalElement(
                "ImageComments", "LT", lambda env: f"slice {env.instance_number} of {env.total_images}"
            ),
            FunctionalElement("AcquisitionNumber", "IS", lambda env: env.instance_number // 10 + 1),
            FunctionalElement("InstanceCreationTime", "TM", lambda _: "101112"),
        ]
    )


def dicomwright(
    work: str, folder: Path, threads: int, *, fsync: bool = True, mapped: bool = False
) -> Callable[[Path], None]:
    """Return a build and write with dicomwright."""
    from dicomwright import Blueprint, DicomFactory, FunctionalElement, Volume
    from dicomwright.parents import ParentSeries

    array = np.load(folder / f"{work}.npy", mmap_mode="r" if mapped else None)
    if work == "w1":
        source, blueprint, parents = array, w1_blueprint(), ParentSeries.read(folder / "parents")
    else:
        source, parents = Volume(array, SPACING), None
        counter = FunctionalElement("AcquisitionNumber", "IS", lambda env: env.instance_number)
        blueprint = Blueprint.load("mr-image") + Blueprint([counter])
    factory = DicomFactory()

    def build(out: Path) -> None:
        factory.build(source, blueprint, parents).write(out, threads, fsync=fsync)

    return build


def limit(
    work: str, folder: Path, threads: int, *, fsync: bool = True, reading: bool = False
) -> Callable[[Path], None]:
    """Return the raw write of what dicomwright writes."""
    volume = np.load(folder / f"{work}.npy")
    size = volume[0].size * 2
    headers = [path.read_bytes()[:-size] for path in sorted((folder / f"{work}-made").iterdir())]
    return RawWrite(volume, headers, threads, fsync=fsync, reading=reading)


def pydicom_loop(work: str, folder: Path, *, mapped: bool = False) -> Callable[[Path], None]:
    """Return the loop that everybody writes: copy the parent's header, set what differs, save."""
    import pydicom
    from pydicom.uid import generate_uid

    volume = np.load(folder / f"{work}.npy", mmap_mode="r" if mapped else None)
    paths = sorted((folder / "parents").iterdir())
    parents = [pydicom.dcmread(path, stop_before_pixels=True) for path in paths]

    def build(out: Path) -> None:
        out.mkdir()
        low, high = float(volume.min()), float(volume.max())
        slope = (high - low) / 65535 if volume.dtype.kind == "f" else 1
        series = generate_uid()
        for index, plane in enumerate(volume):
            dataset = copy.deepcopy(parents[index % len(parents)])
            dataset.SeriesInstanceUID, dataset.SOPInstanceUID = series, generate_uid()
            dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
            dataset.SeriesDescription = "Benchmark"
            dataset.InstanceNumber = index + 1
            dataset.ImageComments = f"slice {index + 1} of {len(volume)}"
            dataset.Rows, dataset.Columns = plane.shape
            dataset.BitsStored, dataset.HighBit = 16, 15
            dataset.WindowCenter, dataset.WindowWidth = round((low + high) / 2), round(high - low)
            if volume.dtype.kind == "f":
                dataset.RescaleSlope, dataset.RescaleIntercept = f"{slope:.10g}", f"{low:.10g}"
                plane = np.rint((plane - low) / slope).astype("<u2")  # noqa: PLW2901
            dataset.PixelData = plane.tobytes()
            dataset["PixelData"].VR = "OW"
            dataset.save_as(out / f"{index:05d}.dcm")

    return build


def highdicom(work: str, folder: Path) -> Callable[[Path], None]:
    """Return secondary captures of highdicom, one for each slice: it writes no CT or MR images."""
    from highdicom.sc import SCImage
    from pydicom.uid import generate_uid

    volume = np.load(folder / f"{work}.npy")

    def build(out: Path) -> None:
        out.mkdir()
        low, high = float(volume.min()), float(volume.max())
        study, series = generate_uid(), generate_uid()
        for index, plane in enumerate(volume):
            pixels = plane
            if volume.dtype.kind == "f":
                pixels = np.rint((plane - low) * (65535 / (high - low))).astype("u2")
            image = SCImage(
                pixel_array=pixels.view("u2"),
                photometric_interpretation="MONOCHROME2",
                bits_allocated=16,
                coordinate_system="PATIENT",
                study_instance_uid=study,
                series_instance_uid=series,
                series_number=1,
                sop_instance_uid=generate_uid(),
                instance_number=index + 1,
                manufacturer="Bench",
                patient_orientation=("L", "P"),
            )
            image.save_as(out / f"{index:05d}.dcm")

    return build


def simpleitk(work: str, folder: Path) -> Callable[[Path], None]:
    """Return the series writer of SimpleITK's documentation."""
    import SimpleITK as sitk  # noqa: N813  # its own name for it

    volume = np.load(folder / f"{work}.npy")

    def build(out: Path) -> None:
        out.mkdir()
        low, high = float(volume.min()), float(volume.max())
        stored = volume
        if volume.dtype.kind == "f":
            stored = np.rint((volume - low) * (65535 / (high - low))).astype("u2")
        image = sitk.GetImageFromArray(stored)
        image.SetSpacing((0.7, 0.7, 1.5))
        writer = sitk.ImageFileWriter()
        writer.KeepOriginalImageUIDOn()
        tags = {
            "0008|0060": "CT",
            "0020|000e": "2.25.77",
            "0020|000d": "2.25.78",
            "0028|1053": "1",
            "0028|1052": "0",
        }
        for index in range(image.GetDepth()):
            one = image[:, :, index]
            for tag, value in (tags | {"0008|0018": f"2.25.79{index}", "0020|0013": str(index + 1)}).items():
                one.SetMetaData(tag, value)
            writer.SetFileName(str(out / f"{index:05d}.dcm"))
            writer.Execute(one)

    return build


def _with(maker: Any, **options: Any) -> Any:
    return lambda work, folder: maker(work, folder, **options)


MAKERS: dict[str, Any] = {
    "limit": _with(limit, threads=1),
    "limit-2": _with(limit, threads=2),
    "limit-reading": _with(limit, threads=1, reading=True),
    "limit-reading-2": _with(limit, threads=2, reading=True),
    "limit-2-unsynced": _with(limit, threads=2, fsync=False),
    "dicomwright": _with(dicomwright, threads=1),
    "dicomwright-2": _with(dicomwright, threads=2),
    "dicomwright-2-unsynced": _with(dicomwright, threads=2, fsync=False),
    "dicomwright-2-mapped": _with(dicomwright, threads=2, mapped=True),
    "pydicom-loop": pydicom_loop,
    "pydicom-loop-mapped": _with(pydicom_loop, mapped=True),
    "highdicom": highdicom,
    "simpleitk": simpleitk,
}
