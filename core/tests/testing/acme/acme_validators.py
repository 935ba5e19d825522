"""Validators that look at names of files."""

# ruff: noqa: ARG002
from __future__ import annotations

from pathlib import Path

from dicomwright.validate.api import Complaint


class Suffixes:
    """Complains about small files.

    >>> Suffixes().unavailable()
    ''

    """

    severity = "error"

    def unavailable(self):
        return ""

    def validate(self, files):
        return [self.complaint(file) for file in files if self.is_bad(file)]

    def is_bad(self, file):
        return b"DICM" not in file.read_bytes()

    def complaint(self, file):
        return Complaint(self.severity, "it is no DICOM file", file)


class Fussy(Suffixes):
    def is_bad(self, file):
        return True


class Silent(Suffixes):
    def is_bad(self, file):
        return False


class Brittle(Suffixes):
    def is_bad(self, file):
        return file.read_bytes().index(b"DICM") < 0


class Untidy(Suffixes):
    def is_bad(self, file):
        file.with_suffix(".log").write_text("seen")
        return super().is_bad(file)


class Odd(Suffixes):
    severity = "fatal"


class Elsewhere(Suffixes):
    def complaint(self, file):
        return Complaint("error", "no", Path("other"))


class NoValidator:
    def unavailable(self):
        return ""
