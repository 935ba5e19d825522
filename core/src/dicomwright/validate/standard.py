"""The core's own validator: the tables of the IOD, values, stored range, character set, and the series as a whole."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import pydicom
from pydicom.errors import InvalidDicomError

from dicomwright.lint.checks import check
from dicomwright.lint.views import DatasetView
from dicomwright.standard import iod_of
from dicomwright.validate.api import Complaint
from dicomwright.validate.pixels import pixel_complaints
from dicomwright.validate.series import Summary, series_complaints
from dicomwright.validate.values import value_complaints

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from pydicom.dataset import Dataset

__all__ = ["StandardValidator"]

_UNDECODABLE = (
    InvalidDicomError,
    OSError,
    EOFError,
    ValueError,
    KeyError,
    NotImplementedError,
    AttributeError,
)
_META = (("MediaStorageSOPClassUID", "SOPClassUID"), ("MediaStorageSOPInstanceUID", "SOPInstanceUID"))


class StandardValidator:
    """Checks files against the standard's tables, one at a time, and then all of them together.

    Examples
    --------
    >>> StandardValidator().unavailable()
    ''

    """

    def unavailable(self) -> str:
        """Return nothing: it always can."""
        return ""

    def validate(self, files: Sequence[Path]) -> Iterator[Complaint]:
        """Yield what is wrong."""
        summaries = []
        for path in files:
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # what is wrong is told below
                    dataset = pydicom.dcmread(path)
                yield from self._file(path, dataset)
                summaries.append(Summary.of(path, dataset))
            except _UNDECODABLE as error:
                yield Complaint("error", f"cannot be read as a DICOM file: {error}", path)
        yield from series_complaints(summaries)

    def _file(self, path: Path, dataset: Dataset) -> Iterator[Complaint]:
        """Yield what is wrong with one file."""
        for severity, message in (
            *_of_meta(dataset),
            *value_complaints(dataset),
            *_of_iod(dataset),
            *pixel_complaints(dataset),
        ):
            yield Complaint(severity, message, path)  # type: ignore[arg-type]  # the three words


def _of_meta(dataset: Dataset) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with the file meta information (PS3.10 section 7.1)."""
    for name, keyword in _META:
        there, here = str(dataset.file_meta.get(name, "")), str(dataset.get(keyword, ""))
        if not there:
            yield "error", f"{name} is missing in the file meta information"
        elif there != here:
            yield (
                "error",
                f"{name} of the file meta information is {there}, and {keyword} is {here or 'missing'}",
            )
    if "TransferSyntaxUID" not in dataset.file_meta:
        yield "error", "TransferSyntaxUID (0002,0010) is missing in the file meta information"


def _of_iod(dataset: Dataset) -> Iterator[tuple[str, str]]:
    """Yield what the tables of the IOD say."""
    uid = str(dataset.get("SOPClassUID", ""))
    iod = iod_of(uid)
    if iod is None:
        yield (
            "note",
            f"SOPClassUID {uid or '(none)'} is no storage SOP class of the tables: only values are checked",
        )
        return
    for finding in check(iod, DatasetView(dataset)):
        yield finding.severity, finding.message
