"""Builds from beginning to end, run as a user runs them, and proofs of what they wrote."""

from __future__ import annotations

import json
import math
import os
import resource
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import nibabel as nib
import numpy as np
import pydicom
import pytest

LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
MEGABYTE = 1024**2


class Outcome(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str
    seconds: float = 0.0
    peak: int = 0

    @property
    def errors(self):
        """The lines of the error message."""
        return [line for line in self.err.splitlines() if not line.startswith("dicomwright: warning:")]

    @property
    def result(self):
        """What ``--json`` printed."""
        return json.loads(self.out)


@pytest.fixture
def cli(capfd):
    """Return `cli(*arguments) -> Outcome`: the command line in this process."""
    from dicomwright.cli.entry import _run

    def run(*arguments):
        capfd.readouterr()
        arguments = [str(argument) for argument in arguments]
        start = time.process_time()
        code = _run(arguments, debug="--debug" in arguments)
        printed = capfd.readouterr()
        return Outcome(code, printed.out, printed.err, time.process_time() - start)

    return run


def time_of_children():
    """Return the processor time of the processes that this one has waited for, in seconds."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@pytest.fixture(scope="session")
def process():
    """Return `process(*arguments, limits={}, env={}) -> Outcome`: the command line in a process of its own.

    Its peak of resident memory is measured; `limits` are those of `resource.setrlimit`.
    """
    code = (
        "import resource, sys, atexit\n"
        "from dicomwright.cli.entry import main\n"
        "@atexit.register\n"
        "def tell(): open({peak!r}, 'w').write(str(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss))\n"
        "main(sys.argv[1:])\n"
    )

    def run(*arguments, limits=None, env=None, cwd=None, tmp_path):
        peak = tmp_path / "peak"

        def limit():
            for which, value in (limits or {}).items():
                resource.setrlimit(which, (value, value))

        start = time_of_children()
        done = subprocess.run(
            [sys.executable, "-c", code.format(peak=str(peak)), *map(str, arguments)],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            preexec_fn=limit,
            env={**os.environ, **(env or {})},
            cwd=cwd,
        )
        seconds = time_of_children() - start
        used = int(peak.read_text() or 0) * 1024 if peak.exists() else 0
        peak.unlink(missing_ok=True)
        return Outcome(done.returncode, done.stdout, done.stderr, seconds, used)

    return run


def save_nifti(path, array, affine, **header):
    """Write a NIfTI file with RAS `affine`, both forms coded; return its path."""
    image = nib.Nifti1Image(array, affine)
    image.header.set_xyzt_units("mm", "sec")
    image.set_sform(affine, header.get("sform_code", 1))
    image.set_qform(affine, header.get("qform_code", 1))
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(image, path)
    return path


OBLIQUE = np.array(  # RAS, anisotropic: columns of length 1.25, 0.75, 2.5
    [
        [0.936 * 1.25, -0.352 * 0.75 * 0.6, 0.352 * 2.5 * 0.8, -31.5],
        [0.352 * 1.25, 0.936 * 0.75 * 0.6, -0.936 * 2.5 * 0.8, 17.25],
        [0.0, 0.8 * 0.75, 0.6 * 2.5, -105.0],
        [0.0, 0.0, 0.0, 1.0],
    ]
)
OBLIQUE[:3, :3] /= np.linalg.norm(OBLIQUE[:3, :3], axis=0) / [1.25, 0.75, 2.5]


@pytest.fixture
def nifti(tmp_path):
    """Return `nifti(array=..., affine=..., name=...) -> path`; by default 7x5x4 voxels, oblique, all different."""

    def make(array=None, affine=OBLIQUE, name="source.nii.gz", **header):
        if array is None:
            array = np.arange(140, dtype=np.int16).reshape(7, 5, 4) - 20
        return save_nifti(tmp_path / name, array, affine, **header)

    return make


class Written(NamedTuple):
    """A series read back from its files, without any help of ours."""

    datasets: list

    @classmethod
    def read(cls, folder):
        """Read all files of a folder, in order of their names; a file that is not DICOM is an error."""
        return cls([pydicom.dcmread(path) for path in sorted(Path(folder).iterdir())])

    def affine(self, dataset):
        """Return the matrix from (row, column) to LPS, as PS3.3 C.7.6.2.1.1 has it."""
        across, down = np.array(dataset.ImageOrientationPatient, float).reshape(2, 3)
        between_rows, between_columns = (float(value) for value in dataset.PixelSpacing)
        origin = np.array(dataset.ImagePositionPatient, float)
        return np.column_stack([down * between_rows, across * between_columns, origin])

    def values(self, dataset):
        """Return the values that the stored numbers stand for."""
        slope, intercept = float(dataset.get("RescaleSlope", 1)), float(dataset.get("RescaleIntercept", 0))
        return dataset.pixel_array.astype(np.float64) * slope + intercept


class Proof(NamedTuple):
    """What the files hold of a source."""

    distance_mm: float
    value_error: float


@pytest.fixture(scope="session")
def prove():
    """Return `prove(folder, affine, array) -> Proof`; `affine` maps the array's own index to LPS.

    Each pixel of the files is looked up in the source by its position; each voxel must be met exactly once.
    """

    def proof(folder, affine, array):
        written, met = Written.read(folder), np.zeros(array.shape[:3], np.uint8)
        distance = error = 0.0
        for dataset in written.datasets:
            rows, columns = np.indices((dataset.Rows, dataset.Columns)).reshape(2, -1)
            places = written.affine(dataset) @ np.stack([rows, columns, np.ones_like(rows)])
            index = np.linalg.solve(affine, np.vstack([places, np.ones_like(rows)]))[:3]
            voxel = np.rint(index).astype(int)
            distance = max(
                distance, np.linalg.norm(affine[:3, :3] @ (index - voxel), axis=0).max(initial=0.0)
            )
            if (voxel < 0).any() or (voxel >= np.array(array.shape[:3])[:, None]).any():
                return Proof(math.inf, math.inf)
            met[tuple(voxel)] += 1
            expected = array[tuple(voxel)].astype(np.float64)
            error = max(error, np.abs(written.values(dataset).ravel() - expected).max())
        assert (met == 1).all(), f"{np.count_nonzero(met != 1)} voxels are not met exactly once"
        return Proof(distance, error)

    return proof


@pytest.fixture(scope="session")
def conformance(dciodvfy, dcentvfy):
    """Return `conformance(folder, most=6)`: the errors of dciodvfy and dcentvfy."""

    def check(folder, most=6):
        files = sorted(Path(folder).iterdir())
        chosen = [files[index] for index in sorted({*np.linspace(0, len(files) - 1, most).astype(int)})]
        with ThreadPoolExecutor(2) as pool:
            errors = [line for found in pool.map(dciodvfy, chosen) for line in found]
        return [*errors, *dcentvfy(files)]

    return check


@pytest.fixture
def read_back(dcm2niix, sitk_read, compare_volumes):
    """Return `read_back(folder, affine, array)`: what dcm2niix and SimpleITK make of a folder."""

    def check(folder, affine, array):
        images = dcm2niix(folder)
        assert len(images) == 1, [image.get_filename() for image in images]
        seen = LPS @ images[0].affine
        by_dcm2niix = compare_volumes(affine, array, seen, np.asanyarray(images[0].dataobj))
        other = sitk_read(folder)
        return by_dcm2niix, compare_volumes(affine, array, other.affine, other.array)

    return check


@pytest.fixture
def judge(prove, conformance, read_back):
    """Return `judge(folder, affine, array, result)`: all of it, asserted."""

    def check(folder, affine, array, result, *, readers=True):
        assert conformance(folder) == []
        proof, reported = prove(folder, affine, array), result["stored_values"]["max_abs_error"]
        assert proof.distance_mm <= 0.01
        slack = 1e-9 * max(1.0, float(np.abs(array).max()))
        assert proof.value_error <= reported + slack
        if reported == 0:
            assert proof.value_error <= slack
        if not readers:
            return
        for match in read_back(folder, affine, array):
            assert match.reason == ""
            assert match.corner_mm <= 0.01
            assert match.value_error <= reported + 1e-6 * max(1.0, float(np.abs(array).max()))

    return check
