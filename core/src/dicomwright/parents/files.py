"""Find the DICOM files that a caller means."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from dicomwright.errors import ParentError, Problem
from dicomwright.parents.headers import Header, looks_like_dicom, read_header
from dicomwright.parents.scanner import Familiar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["MAX_FILES", "SERIES_LIMIT", "Reading", "read_files", "read_folder", "some"]

MAX_FILES = 100_000
"""A folder with more files than this is refused."""
SERIES_LIMIT = 512 * 2**20
"""The most bytes that the headers of one series may hold together."""

_DICOMDIR = "1.2.840.10008.1.3.10"
_SNIFFED = 140
_SHOWN = 3
_TOO_MANY = 20


@dataclass(slots=True)
class Reading:
    """What came of reading files: headers, warnings and problems."""

    headers: list[Header] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    size: int = 0
    familiar: Familiar = field(default_factory=Familiar)

    def add(self, path: Path) -> None:
        """Read one file; a file that cannot be read becomes a problem."""
        try:
            header = read_header(path, self.familiar)
        except ParentError as error:
            self.problems += error.problems
            return
        self.size += header.size
        if self.size > SERIES_LIMIT:
            raise ParentError(
                f"the headers of the parent series hold more than {SERIES_LIMIT:,} bytes, at {path}",
                hint="give fewer files",
            )
        self.headers.append(header)
        self.warnings += [f"{path}: {note}" for note in header.warnings]

    @property
    def hopeless(self) -> bool:
        """Whether so many files failed that the rest need not be tried."""
        return len(self.problems) >= _TOO_MANY


def some(names: Iterable[object]) -> str:
    """Return the first few names, and how many more there are."""
    texts = [str(name) for name in names]
    more = f" and {len(texts) - _SHOWN} more" if len(texts) > _SHOWN else ""
    return ", ".join(texts[:_SHOWN]) + more


def read_files(paths: Iterable[Path]) -> Reading:
    """Read exactly these files; each one that is not DICOM is a problem."""
    reading = Reading()
    for path in paths:
        reading.add(path)
        if reading.hopeless:
            break
    for header in [header for header in reading.headers if _is_dicomdir(header)]:
        reading.headers.remove(header)
        reading.problems.append(
            Problem(
                f"{header.path} is a DICOMDIR, an index that is not followed", "give the folder of the images"
            )
        )
    return reading


def read_folder(folder: Path) -> Reading:
    """Read all DICOM files in a folder and the folders below it.

    Links to folders, pipes and devices are never opened. Files that are not DICOM are named in a warning,
    unless their name ends in .dcm: that is a problem, because a slice may be missing.

    Raises
    ------
    ParentError
        No DICOM file at all; more than `MAX_FILES` files.

    """
    reading, others, skipped = Reading(), [], []
    for path, mode in _entries(folder, reading):
        if not stat.S_ISREG(mode):
            skipped.append(path)
        elif _worth_reading(path, reading):
            reading.add(path)
        elif not path.name.startswith("."):
            others.append(path)
        if reading.hopeless:
            break
    reading.headers = [header for header in reading.headers if not _is_dicomdir(header)]
    _report(folder, reading, others, skipped)
    return reading


def _report(folder: Path, reading: Reading, others: list[Path], skipped: list[Path]) -> None:
    if not reading.headers and not reading.problems:
        found = f"only {some(path.name for path in others + skipped)}" if others or skipped else "no files"
        raise ParentError(
            f"there is no DICOM file in {folder} ({found})",
            hint="give the folder that holds the parent series",
        )
    if others:
        reading.warnings.append(f"not DICOM, left out: {some(others)}")
    if skipped:
        reading.warnings.append(f"not regular files, left out: {some(skipped)}")


def _worth_reading(path: Path, reading: Reading) -> bool:
    """Tell whether a regular file is DICOM, or should have been."""
    if path.suffix.lower() in {".dcm", ".dicom"} and not path.name.startswith("."):
        return True
    try:
        with path.open("rb") as file:
            return looks_like_dicom(file.read(_SNIFFED))
    except OSError as error:
        reading.problems.append(
            Problem(f"{path} cannot be read ({error.strerror or error})", "check its permissions")
        )
    return False


def _entries(folder: Path, reading: Reading) -> Iterator[tuple[Path, int]]:
    """Yield each file, pipe ... below a folder, with its mode; sorted; links to folders are not entered."""
    count = 0

    def failed(error: OSError) -> None:
        reading.problems.append(
            Problem(f"{error.filename} cannot be read ({error.strerror or error})", "check its permissions")
        )

    for root, folders, names in os.walk(folder, onerror=failed, followlinks=False):
        folders.sort()
        links = [name for name in folders if os.path.islink(os.path.join(root, name))]  # noqa: PTH118, PTH114 - fast
        if links:
            reading.warnings.append(
                f"links to folders are not followed: {some(Path(root, name) for name in links)}"
            )
        count += len(names)
        if count > MAX_FILES:
            raise ParentError(
                f"{folder} holds more than {MAX_FILES:,} files", hint="give the folder of one series"
            )
        for name in sorted(names):
            path = Path(root, name)
            try:
                yield path, path.stat().st_mode
            except OSError as error:
                failed(error)


def _is_dicomdir(header: Header) -> bool:
    return header.storage_class == _DICOMDIR
