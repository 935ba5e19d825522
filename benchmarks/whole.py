"""Whole processes: the commands of dicomwright and of its peers, as a user starts them."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from measure import Command

__all__ = ["Pythons", "from_nifti", "from_nifti_alone", "start_up", "with_parents"]

HERE = Path(__file__).parent
_SIMPLEITK = """
import sys, os, SimpleITK as sitk
image = sitk.ReadImage(sys.argv[1]); os.mkdir(sys.argv[2])
writer = sitk.ImageFileWriter(); writer.KeepOriginalImageUIDOn()
for index in range(image.GetDepth()):
    one = image[:, :, index]
    one.SetMetaData("0008|0060", "MR"); one.SetMetaData("0008|0018", f"2.25.79{index}")
    writer.SetFileName(f"{sys.argv[2]}/{index:05d}.dcm"); writer.Execute(one)
"""
_NIFTI_TO_DICOM = """
import sys
from nifti_to_dicom import NiftiToDicom
NiftiToDicom.convert(sys.argv[1], modality="MR", sub="01", out_dir=sys.argv[2], verbose=False)
"""
_WITH_PARENTS = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from contenders import MAKERS
MAKERS[sys.argv[2]]("w1", Path(sys.argv[3]))(Path(sys.argv[4]))
"""


@dataclass(frozen=True)
class Pythons:
    """Where dicomwright is installed, where its peers are, and where those that need a newer Python are."""

    own: str
    peers: str
    newest: str

    def script(self, name: str) -> str:
        """Return a command beside our own Python."""
        return str(Path(self.own).with_name(name))


def from_nifti(nifti: Path, reference: Path, pythons: Pythons) -> list[Command]:
    """Return all who turn a NIfTI file into a series, dicomwright first."""
    commands = from_nifti_alone(nifti, pythons)
    if pythons.peers:
        tools = Path(pythons.peers).parent
        commands += [
            Command("SimpleITK", [pythons.peers, "-c", _SIMPLEITK, str(nifti), "OUT"]),
            Command("nii2dcm", [f"{tools}/nii2dcm", str(nifti), "OUT", "-d", "MR"], makes_folder=False),
            Command(
                "nifti2dicom",
                [
                    f"{tools}/nifti2dicom",
                    str(nifti),
                    "-d",
                    str(reference),
                    "-o",
                    "OUT",
                    "--quiet",
                    "--kind",
                    "image",
                ],
            ),
        ]
    if pythons.newest:
        commands.append(Command("nifti-to-dicom", [pythons.newest, "-c", _NIFTI_TO_DICOM, str(nifti), "OUT"]))
    return commands


def from_nifti_alone(nifti: Path, pythons: Pythons) -> list[Command]:
    """Return dicomwright and, where it is installed, vtk-dicom's niftitodicom."""
    build = [
        pythons.script("dicomwright"),
        "build",
        str(nifti),
        "--blueprint",
        "mr-image",
        "--out",
        "OUT",
        "--quiet",
    ]
    commands = [Command("dicomwright", build)]
    if shutil.which("niftitodicom"):
        commands.append(Command("vtk-dicom (C++)", ["niftitodicom", "-s", "-o", "OUT", str(nifti)]))
    return commands


def with_parents(folder: Path, pythons: Pythons) -> list[Command]:
    """Return W1 as whole processes: start, map the volume, read the parents, build, write."""
    return [
        Command(name, [pythons.own, "-c", _WITH_PARENTS, str(HERE), name, str(folder), "OUT"])
        for name in ("dicomwright-2-mapped", "pydicom-loop-mapped")
    ]


def start_up(pythons: Pythons, packed: Path) -> list[Command]:
    """Return what start-up is compared with, and what it is."""
    own = pythons.script("dicomwright")
    return [
        Command("python -c pass", [pythons.own, "-c", "pass"]),
        Command("import numpy, pydicom", [pythons.own, "-c", "import numpy, pydicom"]),
        Command("dicomwright --help", [own, "--help"]),
        Command("dicomwright plugins", [own, "plugins"]),
        Command("gzip -dc", ["gzip", "-dc", str(packed)]),
    ]
