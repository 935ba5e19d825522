"""dicom-validator, which compares files with the tables of PS3.3."""

from __future__ import annotations

import os
import re
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from dicomwright.validate import Complaint
from dicomwright_validate.programs import batches, run

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["DicomValidator"]

_FOLDER = "DICOMWRIGHT_DICOM_STANDARD"
_EDITION = re.compile(r"\d{4}[a-z]")
_FILE = re.compile(r"^Validating DICOM file (.*)$")
_MODULE = re.compile(r'^Module "(.*)":?$')
_COMPLAINT = re.compile(r"^\s*(Tag \(.*|Invalid .*|Unknown SOPClassUID.*|.*is missing.*)$")
_BATCH = 100
_SECONDS_A_FILE, _SECONDS_TO_START = 10, 120


class DicomValidator:
    """Asks dicom-validator about files; it is never let into the network."""

    def unavailable(self) -> str:
        """Return what is missing."""
        if find_spec("dicom_validator") is None:
            return 'it is not installed: python -m pip install "dicomwright-validate[dicom-validator]"'
        if _edition() is None:
            return f"no tables of the standard in {_folder()}; {_FOLDER} names another folder"
        return ""

    def validate(self, files: Sequence[Path]) -> Iterator[Complaint]:
        """Yield what it says."""
        start = [
            sys.executable,
            "-P",
            "-m",
            "dicom_validator.validate_iods",
            "--standard-path",
            str(_folder()),
        ]
        for batch in batches(files, _BATCH):
            command = [*start, "--edition", str(_edition()), *map(str, batch)]
            code, text = run(command, _SECONDS_TO_START + _SECONDS_A_FILE * len(batch))
            judged = set(_FILE.findall(text)) | {
                match[1] for match in map(_FILE.match, text.splitlines()) if match
            }
            if code < 0 or not judged:
                yield Complaint(
                    "error", f"dicom-validator gave no verdict ({code}): {text.strip()[-200:]}", batch[0]
                )
                return
            yield from _said(text, batch)


def _said(text: str, files: Sequence[Path]) -> Iterator[Complaint]:
    """Yield the complaints of its listing."""
    named = {str(path): path for path in files}
    file, module = files[0], ""
    for line in text.splitlines():
        started, headed = _FILE.match(line), _MODULE.match(line.strip())
        if started:
            file, module = named.get(started[1], file), ""
        elif headed:
            module = headed[1]
        elif _COMPLAINT.match(line):
            message = re.sub(r"\s+", " ", line.strip())
            extension = module == "General" and message.endswith("is unexpected")
            unknown = message.startswith("Unknown SOPClassUID")
            severity = "warning" if extension else "note" if unknown else "error"
            yield Complaint(severity, f"{module}: {message}" if module else message, file)  # type: ignore[arg-type]  # the three words


def _folder() -> Path:
    """Return where the tables of the standard are."""
    named = os.environ.get(_FOLDER)
    return Path(named) if named else Path.home() / "dicom-validator"


def _edition() -> str | None:
    """Return the newest edition that is there, so that none is looked for in the network."""
    folder = _folder()
    if not folder.is_dir():
        return None
    found = [entry.name for entry in folder.iterdir() if entry.is_dir() and _EDITION.fullmatch(entry.name)]
    return max(found, default=None)
