"""What the status of a C-STORE response means (PS3.4 table B.2-1, PS3.7 Annex C)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dicomwright.plugins import Delivery

if TYPE_CHECKING:
    from pathlib import Path

    from pydicom.dataset import Dataset

__all__ = ["delivery_of"]

_MEANINGS = {
    0x0001: "a warning without a reason",
    0x0107: "some attributes were not taken",
    0x0116: "a value is out of range",
    0x0110: "processing failure",
    0x0117: "invalid SOP instance",
    0x0122: "SOP class not supported",
    0x0124: "not authorised",
    0x0210: "duplicate invocation",
    0x0211: "unrecognised operation",
    0x0212: "mistyped argument",
    0x0213: "out of resources",
    0xB000: "elements were coerced",
    0xB006: "elements were discarded",
    0xB007: "the data set does not match its SOP class",
}
_FULL = 0xA7  # the first byte
_WARNING, _CANNOT_UNDERSTAND = 0xB, 0xC  # the first four bits
_RANGES = {_FULL: "out of resources", 0xA9: "the data set does not match its SOP class"}
_THERE_ALREADY = 0x0111
_WARNINGS = {0x0001, 0x0107, 0x0116}
_NOT_YET = {0xFF00, 0xFF01}  # of other services
_OUT_OF_RESOURCES = 0x0213


def delivery_of(file: Path, status: Dataset, seconds: float) -> Delivery:
    """Return what became of a file.

    Examples
    --------
    >>> from pathlib import Path
    >>> from pydicom.dataset import Dataset
    >>> answer = Dataset()
    >>> answer.Status = 0xA701
    >>> delivery_of(Path("1.dcm"), answer, 0.1).status
    '0xA701'
    >>> delivery_of(Path("1.dcm"), Dataset(), 0.1).state
    'unknown'

    Parameters
    ----------
    file : Path
        The file.
    status : Dataset
        The library's answer; empty if there was none.
    seconds : float
        How long it took.

    """
    if "Status" not in status:
        return Delivery(file, "unknown", "", f"no answer: the association ended after {seconds:.1f} s")
    code = int(status.Status)
    comment = str(status.get("ErrorComment", "") or "").strip()
    told = f"0x{code:04X}"
    if code == 0:
        return Delivery(file, "stored", told)
    if code == _THERE_ALREADY:
        return Delivery(file, "warning", told, _joined("it was there already", comment))
    if code >> 12 == _WARNING or code in _WARNINGS:
        return Delivery(file, "warning", told, _joined(_meaning(code), comment))
    if code in _NOT_YET:
        return Delivery(file, "unknown", told, _joined("it says that it is still at work", comment))
    passing = code >> 8 == _FULL or code == _OUT_OF_RESOURCES
    return Delivery(file, "refused", told, _joined(_meaning(code), comment), transient=passing)


def _meaning(code: int) -> str:
    known = _MEANINGS.get(code) or _RANGES.get(code >> 8)
    return known or ("cannot understand" if code >> 12 == _CANNOT_UNDERSTAND else "")


def _joined(meaning: str, comment: str) -> str:
    return ": ".join(filter(None, (meaning, comment)))
