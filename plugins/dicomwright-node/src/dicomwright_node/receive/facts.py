"""What the database wants to know of a received file, read from the file itself."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydicom.charset import decode_bytes
from pydicom.dataelem import RawDataElement

from dicomwright.errors import ParentError
from dicomwright.parents.headers import read_header
from dicomwright_node.receive.answers import Outcome, RefusedError

if TYPE_CHECKING:
    from pathlib import Path

    from pydicom.dataset import Dataset

__all__ = ["Facts", "is_uid", "read_facts"]

_UID = re.compile(r"[0-9]+(?:\.[0-9]+)*")
_LONGEST_UID = 64
_LONGEST_PATIENT_ID = 1024
_DELIMITERS = {0x5C}  # after these bytes the first character set holds again (PS3.5 section 6.1.2.5.3)


def is_uid(text: str) -> bool:
    """Tell whether a text is digits and dots as in a UID.

    Components that begin with 0 are wrong (PS3.5 section 9.1), and are found in the field.
    """
    return len(text) <= _LONGEST_UID and _UID.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class Facts:
    """Identifiers of one instance; study, series and patient may be empty."""

    sop_class: str
    sop_instance: str
    study: str
    series: str
    patient_id: str


def read_facts(path: Path) -> Facts:
    """Read the identifiers of a complete file.

    Raises
    ------
    RefusedError
        It cannot be read as DICOM, its pixel data is cut off, or an identifier is none.

    """
    try:
        header = read_header(path)
        cut = next((note for note in header.warnings if "cut off" in note), None)
        facts = _facts(header.dataset)
    except ParentError as error:
        message = error.problems[0].message.removeprefix(f"{path} ")
        raise RefusedError(Outcome.NOT_UNDERSTOOD, f"the dataset {message}") from error
    except RefusedError:
        raise
    except Exception as error:  # whatever a decoder raises on hostile bytes
        message = f"the identifiers of the dataset cannot be read ({type(error).__name__})"
        raise RefusedError(Outcome.NOT_UNDERSTOOD, message) from error
    if cut:
        raise RefusedError(Outcome.NOT_UNDERSTOOD, f"the dataset is incomplete: {cut}")
    return facts


def _facts(dataset: Dataset) -> Facts:
    """Return the identifiers of a header."""
    return Facts(
        sop_class=_uid(dataset, 0x00080016, "SOPClassUID (0008,0016)", needed=True),
        sop_instance=_uid(dataset, 0x00080018, "SOPInstanceUID (0008,0018)", needed=True),
        study=_uid(dataset, 0x0020000D, "StudyInstanceUID (0020,000D)"),
        series=_uid(dataset, 0x0020000E, "SeriesInstanceUID (0020,000E)"),
        patient_id=_patient_id(dataset),
    )


def _uid(dataset: Dataset, tag: int, name: str, *, needed: bool = False) -> str:
    """Return a UID of the dataset, empty if it is not there and not needed."""
    value = _raw(dataset, tag).decode("latin-1").rstrip("\0 ")
    if not value and not needed:
        return ""
    if not is_uid(value):
        what = "is not a UID" if value else "is missing"
        raise RefusedError(Outcome.NOT_UNDERSTOOD, f"{name} {what}")
    return value


def _patient_id(dataset: Dataset) -> str:
    """Return the PatientID as text."""
    raw = _raw(dataset, 0x00100020)
    if len(raw) > _LONGEST_PATIENT_ID:
        message = f"PatientID (0010,0020) is longer than {_LONGEST_PATIENT_ID} bytes"
        raise RefusedError(Outcome.NOT_UNDERSTOOD, message)
    encodings = dataset.original_character_set
    names = [encodings] if isinstance(encodings, str) else list(encodings)
    return decode_bytes(raw, names, _DELIMITERS).rstrip("\0 ").lstrip(" ")


def _raw(dataset: Dataset, tag: int) -> bytes:
    """Return the bytes of a value; decoding it would warn of wrong ones, and quote them."""
    element: object = dataset.get_item(tag)
    return (element.value or b"") if isinstance(element, RawDataElement) else b""
