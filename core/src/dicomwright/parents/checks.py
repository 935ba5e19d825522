"""Refuse what is not one series of one patient."""

from __future__ import annotations

from functools import lru_cache
from math import isfinite
from typing import TYPE_CHECKING, Any

from pydicom.dataelem import RawDataElement
from pydicom.multival import MultiValue
from pydicom.tag import BaseTag

from dicomwright.errors import ParentError, Problem
from dicomwright.parents.copying import decoded
from dicomwright.parents.files import some
from dicomwright.parents.scanner import shared_tag

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pydicom.dataset import Dataset

__all__ = ["check_one_series", "entries", "groups", "locate", "numbers", "raw_element", "text", "value_of"]

_LISTS = (MultiValue, list, tuple)
_PATIENT = (0x00100020, 0x00100021)
_ONE_OF = (
    (
        "patients (PatientID (0010,0020) with its issuer)",
        _PATIENT,
        "give the files of one patient",
        "patient",
    ),
    ("studies (StudyInstanceUID (0020,000D))", (0x0020000D,), "give the files of one study", "study"),
    ("series (SeriesInstanceUID (0020,000E))", (0x0020000E,), "give the files of one series", "series"),
    (
        "image sizes (Rows (0028,0010), Columns (0028,0011))",
        (0x00280010, 0x00280011),
        "give one of them",
        "size",
    ),
)


def value_of(dataset: Dataset, tag: int) -> Any:
    """Return an element's decoded value, or None when it is absent, empty or damaged."""
    if entry(dataset, tag) is None:
        return None
    try:
        value = decoded(dataset, tag).value
    except (KeyError, ParentError):
        return None
    return None if value is None or value == "" else value


def raw_element(dataset: Dataset, tag: int) -> RawDataElement | None:
    """Return an element that nobody has decoded yet, or None."""
    element = entry(dataset, tag)
    return element if isinstance(element, RawDataElement) else None


def entry(dataset: Dataset, tag: int | None) -> Any:
    """Return an element as the data set holds it, or None: `get_item` costs ten times as much."""
    return None if tag is None else dataset._dict.get(shared_tag(tag))  # noqa: SLF001


def entries(datasets: Sequence[Dataset], tag: Any) -> list[Any]:
    """Return an element as each data set holds it, or None; see `locate`."""
    if not isinstance(tag, int):
        return [entry(dataset, locate(dataset, tag)) for dataset in datasets]
    place = shared_tag(tag)
    held = [dataset._dict for dataset in datasets]  # noqa: SLF001  # as `entry`
    return [elements.get(place) for elements in held]


def locate(dataset: Dataset, tag: Any) -> BaseTag | None:
    """Return where a data set has an element, or None.

    Parameters
    ----------
    tag : int or private tag
        A number, or something with ``group``, ``creator`` and ``offset``: then the block of that creator is
        looked for (PS3.5 section 7.8.1).

    """
    if isinstance(tag, int):
        found = shared_tag(tag)
        return None if entry(dataset, found) is None else found
    for block in range(0x10, 0x100):
        if text(dataset, tag.group << 16 | block) == tag.creator:
            found = BaseTag(tag.group << 16 | block << 8 | tag.offset)
            return found if found in dataset else None
    return None


def text(dataset: Dataset, tag: int) -> str:
    """Return an element as text without padding, empty when absent; fast where not yet decoded."""
    raw = raw_element(dataset, tag)
    if raw is not None and isinstance(raw.value, bytes) and raw.value.isascii():
        return raw.value.decode("ascii").strip(" \0")
    value = value_of(dataset, tag)
    return "" if value is None else str(value).strip(" \0")


def numbers(dataset: Dataset, tag: int, count: int) -> tuple[float, ...] | None:
    """Return `count` numbers of a DS element; None when absent, or not that many finite numbers."""
    raw = raw_element(dataset, tag)
    if raw is not None and raw.VR in {None, "DS"} and isinstance(raw.value, bytes):
        return _numbers_of(raw.value, count)
    value = value_of(dataset, tag)
    return _finite(() if value is None else value if isinstance(value, _LISTS) else (value,), count)


@lru_cache(maxsize=1024)
def _numbers_of(encoded: bytes, count: int) -> tuple[float, ...] | None:
    """Return the numbers of an encoded DS value; most parents of a series have the same."""
    return _finite(encoded.strip(b" \0").split(b"\\"), count)


def _finite(parts: Iterable[Any], count: int) -> tuple[float, ...] | None:
    """Return `count` finite numbers, or None."""
    try:
        values = tuple(map(float, parts))
    except (TypeError, ValueError):
        return None
    return values if len(values) == count and all(map(isfinite, values)) else None


def groups(keys: Sequence[Any], names: Sequence[str]) -> dict[Any, list[str]]:
    """Return the names that share each key, in order of first appearance."""
    found: dict[Any, list[str]] = {}
    for key, name in zip(keys, names, strict=True):
        found.setdefault(key, []).append(name)
    return found


def check_one_series(datasets: Sequence[Dataset], names: Sequence[str]) -> Iterator[Problem]:
    """Yield a problem for each thing that must be one in a series and is not, and for each duplicate.

    Values are compared, never shown: they may identify a patient.

    """
    for what, tags, hint, kind in _ONE_OF:
        if all(_same_bytes(datasets, tag) for tag in tags):
            continue
        keys = [tuple(_key(dataset, tag) for tag in tags) for dataset in datasets]
        found = groups(keys, names)
        if len(found) > 1:
            lists = "; ".join(some(members) for members in list(found.values())[:4])
            yield Problem(
                f"the parent files are of {len(found)} {what}: {lists}", hint, kind=f"several-{kind}"
            )
    instances = groups([text(dataset, 0x00080018) for dataset in datasets], names)
    for uid, members in instances.items():
        if uid and len(members) > 1:
            yield Problem(
                f"SOPInstanceUID (0008,0018) {uid[:64]} is in {len(members)} parent files: {some(members)}",
                "give each instance once",
                kind="duplicate-instance",
            )


def _same_bytes(datasets: Sequence[Dataset], tag: int) -> bool:
    """Tell whether all data sets have an element with the same bytes: the fast answer for nearly all series."""
    raws = entries(datasets, tag)
    first = raws[0] if raws else None
    return isinstance(first, RawDataElement) and all(
        isinstance(raw, RawDataElement)
        and raw.value == first.value
        and raw.is_little_endian is first.is_little_endian
        for raw in raws
    )


def _key(dataset: Dataset, tag: int) -> str:
    if tag >> 16 == 0x0028:  # noqa: PLR2004 - numbers, not text
        raw = raw_element(dataset, tag)
        if raw is not None and raw.VR == "US" and raw.length == 2 and raw.is_little_endian:  # noqa: PLR2004 - one number
            return str(int.from_bytes(raw.value or b"", "little"))
        return str(value_of(dataset, tag))
    return text(dataset, tag)
