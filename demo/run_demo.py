"""Build DICOM series from real images, have independent programs judge them, say where they are.

    nox -s demo

The images are those that nibabel and pydicom ship for their own tests: a T1 template, an EPI series, a CT of
five slices, one MR slice. Files go to ``demo-output/`` (or to the folder that is given). The exit code is 0
only if every series is valid.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import nibabel
import numpy as np
import pydicom
import pydicom.data
from judging import Image, Verdict, judge

from dicomwright import (
    Blueprint,
    CopyElement,
    DicomFactory,
    FunctionalElement,
    InstanceCopyElement,
    ParentSeries,
    SequenceElement,
    StaticElement,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[1]
NIFTI = Path(nibabel.__file__).parent / "tests" / "data"
CT_SERIES = "dicomdirtests/98892001/CT5N"


class Built(NamedTuple):
    """A written series, what it should hold, and what the build says of itself."""

    truth: Image
    result: dict[str, Any]


class Judged(NamedTuple):
    """One line of the table."""

    name: str
    folder: Path
    result: dict[str, Any]
    verdict: Verdict


def nifti_to_mr(out: Path) -> Built:
    """T1 template (NIfTI, big endian) to MR: whole numbers stay as they are."""
    source = NIFTI / "anatomical.nii"
    return Built(
        nifti_image(nibabel.load(source)),
        command_line(
            *(source, "--blueprint", "mr-image", "--out", out),
            *("--set", "PatientName=Template^T1", "--set", "PatientID=T1"),
        ),
    )


def float_map_to_mr(out: Path) -> Built:
    """Float map (NIfTI) to coronal MR slices: stored with a slope, and the error is measured."""
    source = NIFTI / "reoriented_anat_moved.nii"
    return Built(
        nifti_image(nibabel.load(source)),
        command_line(*(source, "--blueprint", "mr-image", "--encoder-opt", "slicing=coronal", "--out", out)),
    )


def first_volume_to_mr(out: Path) -> Built:
    """First volume of an EPI series (nibabel image in memory) to MR, with a text for each slice."""
    image: Any = nibabel.load(NIFTI / "functional.nii").slicer[..., 0]  # type: ignore[attr-defined]
    blueprint = Blueprint.load("mr-image") + Blueprint(
        [
            StaticElement("SeriesDescription", "LO", "EPI, first volume"),
            FunctionalElement(
                "ImageComments", "LT", lambda env: f"{env.instance_number} of {env.total_images}"
            ),
        ]
    )
    series = DicomFactory().build_nifti_series(image, blueprint)
    series.write(out, overwrite=True)
    return Built(nifti_image(image), series.result)


def smoothed_ct(out: Path) -> Built:
    """Array computed from a CT series to a CT series of the same study, slice by slice."""
    parent = ParentSeries.read(CT_FOLDER)
    hounsfield = np.stack([hounsfield_units(file) for file in parent.files])  # slices, rows, columns
    smooth = (np.roll(hounsfield, 1, axis=2) + hounsfield + np.roll(hounsfield, -1, axis=2)) / 3
    code = Blueprint(
        [
            StaticElement("CodeValue", "SH", "113087"),
            StaticElement("CodingSchemeDesignator", "SH", "DCM"),
            StaticElement("CodeMeaning", "LO", "Smoothing"),
        ]
    )
    blueprint = Blueprint.load("ct-image") + Blueprint(
        [
            CopyElement("StudyInstanceUID"),
            CopyElement("Manufacturer", optional=True),
            InstanceCopyElement("AcquisitionTime", "TM"),
            StaticElement("SeriesDescription", "LO", "Smoothed along the rows"),
            SequenceElement("DerivationCodeSequence", [code]),
        ]
    )
    series = DicomFactory().build_series(smooth, blueprint, parent)
    series.write(out, overwrite=True)
    return Built(array_image(smooth, parent), series.result)


def edges_of_one_slice(out: Path) -> Built:
    """Array computed from one MR slice to an MR slice of the same study."""
    file = Path(str(pydicom.data.get_testdata_file("MR_small.dcm")))
    pixels = pydicom.dcmread(file).pixel_array.astype(np.float32)
    edges = np.hypot(*np.gradient(pixels))[np.newaxis]
    blueprint = Blueprint.load("mr-image") + Blueprint([StaticElement("SeriesDescription", "LO", "Edges")])
    parent = ParentSeries.read(file)
    series = DicomFactory().build(edges, blueprint, parent, uids="derived")
    series.write(out, overwrite=True)
    return Built(array_image(edges, parent), series.result)


def mask_of_ct(out: Path) -> Built:
    """Mask of a CT series (NIfTI, as tools write it) to a CT series, by the command line."""
    parent = ParentSeries.read(CT_FOLDER)
    mask = np.stack([hounsfield_units(file) > 0 for file in parent.files]).astype(np.uint8)
    image = array_image(mask, parent)
    path = out.parent / "mask.nii.gz"
    nibabel.Nifti1Image(image.values, image.affine).to_filename(path)  # type: ignore[no-untyped-call]
    return Built(
        nifti_image(nibabel.load(path)),
        command_line(
            *(path, "--blueprint", "ct-image", "--parent", CT_FOLDER, "--out", out),
            *("--set", "SeriesDescription=Mask", "--uids", "derived"),
        ),
    )


CASES: dict[str, Callable[[Path], Built]] = {
    "nifti-to-mr": nifti_to_mr,
    "float-map-to-mr": float_map_to_mr,
    "first-volume-to-mr": first_volume_to_mr,
    "smoothed-ct": smoothed_ct,
    "mask-of-ct": mask_of_ct,
    "edges-of-one-slice": edges_of_one_slice,
}
CT_FOLDER = Path(str(pydicom.data.get_testdata_file(f"{CT_SERIES}/2062"))).parent


def command_line(*arguments: str | Path) -> dict[str, Any]:
    """Run ``dicomwright build`` and return its JSON; show the command."""
    print("   $ dicomwright build", *map(shortened, arguments), flush=True)
    command = [sys.executable, "-m", "dicomwright", "build", *arguments, "--overwrite", "--json", "--quiet"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"dicomwright ended with {done.returncode}")
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def shortened(text: str | Path) -> str:
    """Return a text with the folders that are the same everywhere left out."""
    for folder in (NIFTI, CT_FOLDER.parent, ROOT):
        text = str(text).replace(f"{folder}/", "")
    return str(text)


def nifti_image(image: Any) -> Image:
    """Return a NIfTI image as truth."""
    return Image(np.asarray(image.get_fdata()), image.affine)


def array_image(array: NDArray[Any], parent: ParentSeries) -> Image:
    """Return an array on the grid of a parent series as truth, its place worked out from the headers."""
    first, last = parent[0], parent[-1]
    along_row, along_column = np.reshape(np.array(first.ImageOrientationPatient, float), (2, 3))
    between_rows, between_columns = map(float, first.PixelSpacing)
    position, end = (np.array(one.ImagePositionPatient, float) for one in (first, last))
    step = (end - position) / (len(parent) - 1) if len(parent) > 1 else np.cross(along_row, along_column)
    if len(parent) == 1:
        step = step * float(first.SliceThickness)  # what dcm2niix takes for a single slice
    lps = np.eye(4)
    lps[:3] = np.column_stack([along_row * between_columns, along_column * between_rows, step, position])
    return Image(array.transpose(2, 1, 0), np.diag([-1, -1, 1, 1]) @ lps)


def hounsfield_units(file: Path) -> NDArray[Any]:
    """Return the values of a CT image."""
    dataset = pydicom.dcmread(file)
    return np.asarray(dataset.pixel_array * float(dataset.RescaleSlope) + float(dataset.RescaleIntercept))


def show_refusal(output: Path) -> bool:
    """Show what becomes of a source that cannot be built, and return whether nothing was written."""
    arguments: list[str | Path] = [
        NIFTI / "functional.nii",
        "--blueprint",
        "mr-image",
        "--out",
        output / "refused",
    ]
    print("   $ dicomwright build", *map(shortened, arguments))
    command = [sys.executable, "-m", "dicomwright", "build", *arguments]
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
    print("  ", shortened(done.stderr.strip()))
    return done.returncode == 1 and not (output / "refused").exists()


def table(lines: list[Judged]) -> str:
    """Return the results as columns."""
    rows = [("series", "instances", "IOD", "dciodvfy", "dcentvfy", "max mm", "value error", "reported", "")]
    for line in lines:
        series, verdict = line.result["series"][0], line.verdict
        rows.append(
            (
                line.name,
                str(series["instances"]),
                pydicom.uid.UID(series["sop_class_uid"]).name,
                f"{len(verdict.header_errors)} errors",
                f"{len(verdict.consistency_errors)} errors",
                f"{verdict.most_mm:.5f}",
                f"{verdict.most_off:.3g}",
                f"{line.result['stored_values']['max_abs_error']:.3g}",
                "valid" if verdict.valid else "NOT VALID",
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def main(arguments: list[str]) -> int:
    """Build and judge every case."""
    output = Path(arguments[0]).resolve() if arguments else ROOT / "demo-output"
    output.mkdir(parents=True, exist_ok=True)
    lines = []
    for number, (name, build) in enumerate(CASES.items(), 1):
        print(f"{number}. {(build.__doc__ or '').strip()}", flush=True)
        folder = output / name
        built = build(folder)
        files = [folder / file for file in built.result["series"][0]["files"]]
        reported = built.result["stored_values"]["max_abs_error"]
        lines.append(Judged(name, folder, built.result, judge(files, built.truth, reported)))
    print(f"{len(CASES) + 1}. A source with a fourth dimension is refused, and nothing is written.")
    refused = show_refusal(output)
    print(f"\n{table(lines)}\n")
    for line in lines:
        for error in (*line.verdict.header_errors, *line.verdict.consistency_errors):
            print(f"{line.name}: {error}")
    print("max mm: how far a voxel, read back with dcm2niix, is from that of the source.")
    print("value error: how far its value is; reported: what the build measured when it rounded the values.")
    print("(dcm2niix hands values on in single precision, which adds a little.)")
    print(f"The files are in {output}, one folder for each series.")
    return 0 if refused and all(line.verdict.valid for line in lines) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
