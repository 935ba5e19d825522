"""The answer of STOW-RS (PS3.18 section 10.5.3 and I.2): status code, and a dataset as DICOM JSON or XML."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple
from xml.sax.saxutils import escape

from dicomwright_node.receive.answers import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dicomwright_node.receive.answers import Answer

__all__ = ["JSON", "XML", "Told", "as_json", "as_xml", "http_status"]

JSON, XML = "application/dicom+json", "application/dicom+xml"
_OK, _PARTLY, _CONFLICT, _FULL = 200, 202, 409, 507
_KEYWORDS = {
    "00081150": ("ReferencedSOPClassUID", "UI"),
    "00081155": ("ReferencedSOPInstanceUID", "UI"),
    "00081190": ("RetrieveURL", "UR"),
    "00081196": ("WarningReason", "US"),
    "00081197": ("FailureReason", "US"),
    "00081198": ("FailedSOPSequence", "SQ"),
    "00081199": ("ReferencedSOPSequence", "SQ"),
    "0008119A": ("OtherFailuresSequence", "SQ"),
}
_Item = dict[str, str | int | None]


class Told(NamedTuple):
    """What became of one part of a request."""

    sop_class: str
    sop_instance: str
    answer: Answer


def http_status(told: Sequence[Told]) -> int:
    """Return 200 if all is stored as sent, 202 if only a part is or with warnings, 409 or 507 if nothing is."""
    outcomes = {one.answer.outcome for one in told}
    if not any(outcome.kept for outcome in outcomes):
        return _FULL if outcomes == {Outcome.FULL} else _CONFLICT
    return _OK if outcomes <= {Outcome.STORED, Outcome.SAME} else _PARTLY


def as_json(told: Sequence[Told]) -> bytes:
    """Return the dataset as DICOM JSON (PS3.18 annex F)."""
    dataset: dict[str, object] = {"00081190": {"vr": "UR"}}
    for tag, items in _sequences(told):
        dataset[tag] = {"vr": "SQ", "Value": [dict(_json_elements(item)) for item in items]}
    return json.dumps(dataset).encode()


def as_xml(told: Sequence[Told]) -> bytes:
    """Return the dataset as Native DICOM Model (PS3.19 annex A.1)."""
    parts = ['<?xml version="1.0" encoding="UTF-8"?>\n<NativeDicomModel xml:space="preserve">']
    parts.append(_xml_element("00081190", None))
    for tag, items in _sequences(told):
        parts.append(_xml_open(tag))
        for number, item in enumerate(items, 1):
            elements = "".join(_xml_element(*element) for element in sorted(item.items()))
            parts.append(f'<Item number="{number}">{elements}</Item>')
        parts.append("</DicomAttribute>")
    parts.append("</NativeDicomModel>\n")
    return "".join(parts).encode()


def _sequences(told: Sequence[Told]) -> Iterator[tuple[str, list[_Item]]]:
    """Yield the sequences that have items."""
    stored = [_stored(one) for one in told if one.answer.outcome.kept]
    failed = [one for one in told if not one.answer.outcome.kept]
    named = [_failed(one) for one in failed if one.sop_instance]
    other: list[_Item] = [{"00081197": one.answer.outcome.status} for one in failed if not one.sop_instance]
    for tag, items in (("00081198", named), ("00081199", stored), ("0008119A", other)):
        if items:
            yield tag, items


def _stored(one: Told) -> _Item:
    """Return an item of the ReferencedSOPSequence."""
    item: _Item = {"00081150": one.sop_class, "00081155": one.sop_instance, "00081190": None}
    if one.answer.outcome.status:
        item["00081196"] = one.answer.outcome.status
    return item


def _failed(one: Told) -> _Item:
    """Return an item of the FailedSOPSequence."""
    return {
        "00081150": one.sop_class,
        "00081155": one.sop_instance,
        "00081197": one.answer.outcome.status,
    }


def _json_elements(item: _Item) -> Iterator[tuple[str, dict[str, object]]]:
    """Yield the elements of an item as DICOM JSON."""
    for tag, value in sorted(item.items()):
        element: dict[str, object] = {"vr": _KEYWORDS[tag][1]}
        if value is not None:
            element["Value"] = [value]
        yield tag, element


def _xml_open(tag: str) -> str:
    """Return the opening tag of an attribute."""
    keyword, vr = _KEYWORDS[tag]
    return f'<DicomAttribute tag="{tag}" vr="{vr}" keyword="{keyword}">'


def _xml_element(tag: str, value: str | int | None) -> str:
    """Return an attribute with one value, or none."""
    text = "" if value is None else f'<Value number="1">{escape(str(value))}</Value>'
    return f"{_xml_open(tag)}{text}</DicomAttribute>"
