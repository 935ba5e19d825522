"""Values of a finished file: VR, length, repertoire, number of values, character set (PS3.5 section 6)."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from pydicom.charset import convert_encodings
from pydicom.dataelem import RawDataElement

from dicomwright.blueprint.charset import texts_of
from dicomwright.blueprint.tags import describe
from dicomwright.blueprint.values import check_value, normalise
from dicomwright.blueprint.vr import check_vr

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydicom.dataelem import DataElement
    from pydicom.dataset import Dataset

__all__ = ["value_complaints"]

_TEXT = frozenset({"SH", "LO", "ST", "LT", "UC", "UT", "PN"})
_UNCHECKED = frozenset({"UN", "SQ", "OB", "OD", "OF", "OL", "OV", "OW"})


def value_complaints(dataset: Dataset, path: str = "", charset: Any = None) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with the values of a dataset and of its items."""
    charset = dataset.get("SpecificCharacterSet", charset)
    for tag in sorted(dataset.keys()):
        raw = dataset.get_item(tag)
        yield from _of_text(raw, charset, path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pydicom's words; ours follow
            try:
                element = dataset[tag]
            except (ValueError, TypeError, KeyError, NotImplementedError, OverflowError) as error:
                yield "error", f"{path}{describe(tag)} cannot be decoded: {error}"
                continue
            yield from _of_element(element, path)
        if element.VR == "SQ":
            for number, item in enumerate(element.value, 1):
                yield from value_complaints(
                    item, f"{path}{element.keyword or describe(tag)}[{number}].", charset
                )


def _of_element(element: DataElement, path: str) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with one value."""
    vr = str(element.VR)
    if element.tag.is_private or vr in _UNCHECKED:
        return
    problem = check_vr(element.tag, vr)
    if problem is not None:
        yield "error", f"{path}{problem.message}"
        return
    for found in check_value(element.tag, vr, normalise(element.tag, vr, element.value), show_value=False):
        yield "error", f"{path}{found.message}"


def _of_text(raw: Any, charset: Any, path: str) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with text and its character set (PS3.3 C.12.1.1.2)."""
    if not isinstance(raw, RawDataElement):
        texts = "".join(texts_of(raw)) if raw is not None and str(raw.VR) in _TEXT else ""
        if not texts.isascii() and not charset:
            yield "error", _undeclared(raw.tag, path)
        return
    if raw.VR not in _TEXT or not isinstance(raw.value, bytes) or raw.value.isascii():
        return
    if not charset:
        yield "error", _undeclared(raw.tag, path)
        return
    if isinstance(charset, str):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            encodings = convert_encodings(charset)
        try:
            raw.value.decode(encodings[0])
        except (UnicodeDecodeError, LookupError):
            yield "error", f"{path}{describe(raw.tag)} is not text of the character set {charset}"


def _undeclared(tag: Any, path: str) -> str:
    return (
        f"{path}{describe(tag)} has characters beyond ASCII, and SpecificCharacterSet (0008,0005) does not say which "
        "(PS3.3 C.12.1.1.2)"
    )
