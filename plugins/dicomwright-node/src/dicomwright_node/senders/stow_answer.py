"""What the answer to a STOW-RS request means (PS3.18 section 10.5.3): for each instance, and nothing is assumed."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from dicomwright.plugins import Delivery

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from dicomwright.plugins.protocols import DeliveryState

__all__ = ["PASSING", "Answer", "deliveries_of", "retry_after"]

_DONE = range(200, 300)
_NO = range(300, 500)
_CONFLICT = 409
#: Codes of refusals that may pass.
PASSING = frozenset({408, 425, 429, 503, 507})
_REFERENCED, _FAILED = "00081199", "00081198"
_INSTANCE, _REASON, _WARNING = "00081155", "00081197", "00081196"
_THERE_ALREADY = 0x0111
_FULL, _OUT_OF_RESOURCES = 0xA7, 0x0213
_REASONS = {
    0x0110: "processing failure",
    0x0117: "invalid SOP instance",
    0x0122: "SOP class not supported",
    0x0124: "not authorised",
    0xC122: "transfer syntax not supported",
    0xB000: "elements were coerced",
    0xB006: "elements were discarded",
    0xB007: "the data set does not match its SOP class",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer.

    Attributes
    ----------
    status : int
        Its code.
    media_type : str
        Content-Type without parameters, lower case.
    body : bytes
        All of it.
    retry_after : float
        Seconds that the server wants to be left alone.

    """

    status: int
    media_type: str
    body: bytes
    retry_after: float = 0.0


@dataclass(frozen=True, slots=True)
class _Said:
    """What an answer says of one instance."""

    stored: bool
    code: int


def deliveries_of(files: Mapping[str, Path], answer: Answer) -> Iterator[Delivery]:
    """Yield what became of each file of a request.

    Examples
    --------
    >>> from pathlib import Path
    >>> page = Answer(200, "text/html", b"<html>please log in")
    >>> [one] = deliveries_of({"1.2.3": Path("1.dcm")}, page)
    >>> one.state, one.message
    ('unknown', 'the answer is text/html and names no instance')

    Parameters
    ----------
    files : mapping of str to Path
        The files by SOPInstanceUID.
    answer : Answer
        What the server said.

    """
    said, problem = _read(answer)
    for uid, file in files.items():
        found = said.get(uid)
        if found is not None and (not found.stored or answer.status in {*_DONE, _CONFLICT}):
            yield _of_instance(file, found, answer)
        else:
            yield _of_request(file, answer, problem)


def _of_instance(file: Path, said: _Said, answer: Answer) -> Delivery:
    code = f"0x{said.code:04X}" if said.code else f"HTTP {answer.status}"
    meaning = _REASONS.get(said.code, "")
    if said.stored:
        state: DeliveryState = "warning" if said.code else "stored"
        return Delivery(file, state, code, meaning)
    if said.code == _THERE_ALREADY:
        return Delivery(file, "warning", code, "it was there already")
    passing = said.code >> 8 == _FULL or said.code == _OUT_OF_RESOURCES
    text = "out of resources" if passing else meaning or "the server could not store it"
    return Delivery(file, "refused", code, text, transient=passing)


def _of_request(file: Path, answer: Answer, problem: str) -> Delivery:
    """Return what is known of an instance that the answer does not name."""
    status = f"HTTP {answer.status}"
    if answer.status in PASSING:
        text = "the server cannot take it now"
        return Delivery(file, "refused", status, text, transient=True, retry_after=answer.retry_after)
    if answer.status in _NO:
        return Delivery(file, "refused", status, f"the server refuses the request; {problem}")
    return Delivery(file, "unknown", status, problem, retry_after=answer.retry_after)


def _read(answer: Answer) -> tuple[dict[str, _Said], str]:
    """Return what is said of instances, and why it is not said of all."""
    if answer.media_type not in {"application/dicom+json", "application/json"}:
        what = f"is {answer.media_type}" if answer.media_type else "has no type"
        return {}, f"the answer {what} and names no instance" if answer.body else "the answer is empty"
    try:
        content = json.loads(answer.body)
        objects = content if isinstance(content, list) else [content]
        said = {uid: found for one in objects for uid, found in _instances(one)}
    except (ValueError, RecursionError, LookupError, TypeError, AttributeError):
        return {}, "the answer is not what PS3.18 describes"
    return said, "the answer does not name the instance"


def _instances(answer: Mapping[str, Any]) -> Iterator[tuple[str, _Said]]:
    """Yield UIDs with what is said of them; a failure counts more than a success."""
    for item in answer.get(_REFERENCED, {}).get("Value", ()):
        yield _uid(item), _Said(stored=True, code=_code(item, _WARNING))
    for item in answer.get(_FAILED, {}).get("Value", ()):
        yield _uid(item), _Said(stored=False, code=_code(item, _REASON))


def _uid(item: Mapping[str, Any]) -> str:
    return str(item[_INSTANCE]["Value"][0])


def _code(item: Mapping[str, Any], tag: str) -> int:
    values = item.get(tag, {}).get("Value") or [0]
    return int(values[0])


def retry_after(text: str | None) -> float:
    """Return the seconds of a Retry-After header, which holds seconds or a date; 0 if it holds neither.

    Examples
    --------
    >>> retry_after("120"), retry_after("soon"), retry_after(None)
    (120.0, 0.0, 0.0)

    """
    if not text:
        return 0.0
    if text.isascii() and text.strip().isdigit():
        return float(text.strip())
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return 0.0
    moment = moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
    return max(0.0, (moment - dt.datetime.now(dt.UTC)).total_seconds())
