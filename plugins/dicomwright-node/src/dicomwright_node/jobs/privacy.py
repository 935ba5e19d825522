"""Take patient data out of texts that people see: messages, tracebacks, what functions print."""

from __future__ import annotations

import re
from collections.abc import MutableSequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = ["redacted", "secrets_of"]

_KEYWORDS = (
    "PatientName",
    "PatientID",
    "OtherPatientIDs",
    "PatientBirthDate",
    "PatientAddress",
    "AccessionNumber",
    "ReferringPhysicianName",
    "InstitutionName",
    "StudyID",
)
_SHORTEST = 3  # shorter ones would hide half of a text


def secrets_of(paths: Iterable[Path]) -> frozenset[str]:
    """Return the patient's data in files, as texts; of files that cannot be read nothing."""
    from dicomwright.parents.headers import read_header

    found: set[str] = set()
    for path in paths:
        try:
            header = read_header(path).dataset
            values = [text for keyword in _KEYWORDS for text in _texts(header.get(keyword))]
        except Exception:  # noqa: BLE001, S112  # hostile bytes raise all kinds of things
            continue
        for value in values:
            found |= {value, *re.split(r"[\^= ]", value)}
    return frozenset(text for text in found if len(text) >= _SHORTEST)


def _texts(value: Any) -> list[str]:
    """Return the components of a value as texts."""
    return [str(one or "") for one in (value if isinstance(value, MutableSequence) else [value])]


def redacted(text: str, secrets: frozenset[str]) -> str:
    """Return a text without patient data.

    Examples
    --------
    >>> redacted("no scan of Doe^Jane (4711)", frozenset(["Doe^Jane", "4711"]))
    'no scan of [patient] ([patient])'

    """
    for secret in sorted(secrets, key=len, reverse=True):
        text = re.sub(re.escape(secret), "[patient]", text, flags=re.IGNORECASE)
    return text
