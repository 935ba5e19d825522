"""Copy elements out of a parent so that nothing of the parent's encoding comes along.

A copied element is decoded and built anew at every level: text is Unicode, so that it can be written in
whatever character set the output declares (PS3.5 section 6.1); no sequence item keeps a Specific Character
Set (0008,0005), a group length or an encoding of its own; words of a big endian parent are swapped.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from pydicom import config
from pydicom.charset import default_encoding
from pydicom.datadict import keyword_for_tag
from pydicom.dataelem import DataElement, RawDataElement, convert_raw_data_element
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence
from pydicom.tag import BaseTag
from pydicom.valuerep import PersonName

from dicomwright.errors import ParentError
from dicomwright.parents.scanner import MAX_SEQUENCE_DEPTH, shared_tag

if TYPE_CHECKING:
    from collections.abc import Iterable, MutableSequence

__all__ = ["decoded", "fresh_element"]

_CHARSET = 0x00080005
_NEEDS_DATASET = frozenset({None, "UN"})  # VRs that other elements help to find
_WORD_BYTES = {"OW": 2, "OF": 4, "OL": 4, "OD": 8, "OV": 8}
_AMBIGUOUS = {"US or SS": "US", "OB or OW": "OW", "US or OW": "OW", "US or SS or OW": "OW"}
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def decoded(dataset: Dataset, tag: int) -> DataElement:
    """Return an element of a data set, decoded; raise ParentError when its bytes are damaged.

    The data set keeps what was read, undecoded, where its VR says how to decode it. The element may still belong
    to `dataset`: see `fresh_element` for a copy.

    Raises
    ------
    KeyError
        The data set does not have it.
    ParentError
        It cannot be decoded. Text that its character set cannot read counts as such.

    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # odd values of a parent are checked when they are written
        try:
            raw = dataset._dict.get(shared_tag(tag))  # noqa: SLF001  # `get_item` would decode
            if isinstance(raw, RawDataElement) and raw.VR not in _NEEDS_DATASET and raw.value is not None:
                return convert_raw_data_element(raw, encoding=_encodings(dataset, tag), ds=dataset)
            return dataset[BaseTag(tag)]
        except KeyError:
            if BaseTag(tag) not in dataset:
                raise
            raise _undecodable(tag, "its VR is not known") from None
        except RecursionError:
            raise _too_deep(tag) from None
        except Exception as error:  # pydicom raises many kinds on damaged bytes
            raise _undecodable(tag, "its bytes are damaged") from error  # the error may quote the value


def _encodings(dataset: Dataset, tag: int) -> str | MutableSequence[str]:
    """Return the codecs of an element's text."""
    if tag == _CHARSET:
        return default_encoding
    return dataset.original_character_set or dataset._character_set  # noqa: SLF001  # as pydicom decodes


def fresh_element(
    element: DataElement, *, little_endian: bool = True, keep_private: bool = True
) -> DataElement:
    """Return the element built anew at every nesting level.

    Parameters
    ----------
    element : DataElement
        Decoded, of any VR.
    little_endian : bool
        Whether the data set that it was read from was little endian; for items of a sequence this is known.
    keep_private : bool
        Whether private elements within sequence items come along.

    Returns
    -------
    DataElement
        Shares nothing mutable with `element`.

    Raises
    ------
    ParentError
        Sequences are nested deeper than 64 levels; text or values that cannot be decoded.

    """
    return _fresh(element, 0, little=little_endian, keep_private=keep_private)


def _fresh(element: DataElement, depth: int, *, little: bool, keep_private: bool) -> DataElement:
    if element.VR == "SQ":
        if depth >= MAX_SEQUENCE_DEPTH:
            raise _too_deep(element.tag)
        items = [_fresh_item(item, depth + 1, keep_private=keep_private) for item in element.value or ()]
        return DataElement(element.tag, "SQ", Sequence(items))
    vr, value = _plain(element, little=little)
    try:
        fresh = DataElement(element.tag, vr, value, validation_mode=config.IGNORE)
    except Exception as error:  # the same: pydicom leaves what it cannot convert as it is
        raise _undecodable(element.tag, f"its value is no {vr}") from error
    fresh.validation_mode = config.settings.reading_validation_mode
    return fresh


def _fresh_item(item: Dataset, depth: int, *, keep_private: bool) -> Dataset:
    fresh = Dataset()
    little = item.original_encoding[1] is not False
    for tag in _copied_tags(item, keep_private=keep_private):
        fresh.add(_fresh(decoded(item, tag), depth, little=little, keep_private=keep_private))
    return fresh


def _copied_tags(item: Dataset, *, keep_private: bool) -> Iterable[BaseTag]:
    for tag in sorted(item.keys()):
        if tag.element and tag != _CHARSET and (keep_private or not tag.is_private):
            yield tag


def _plain(element: DataElement, *, little: bool) -> tuple[str, Any]:
    """Return VR and value without any object that remembers the parent."""
    vr, value = element.VR, element.value
    if vr in _AMBIGUOUS:
        return _resolved(_AMBIGUOUS[vr], value, little=little)
    if isinstance(value, MultiValue | list | tuple):
        return vr, [_single(element, part) for part in value]
    if isinstance(value, bytes | bytearray | memoryview):
        return vr, _words(bytes(value), _WORD_BYTES.get(vr, 1), little=little)
    return vr, _single(element, value)


def _single(element: DataElement, value: Any) -> Any:
    if isinstance(value, PersonName):
        value = str(value)
    if isinstance(value, str) and _REPLACEMENT in value:
        raise _undecodable(element.tag, "its text does not fit the character set that the parent declares")
    return value


def _words(value: bytes, width: int, *, little: bool) -> bytes:
    if little or width == 1 or len(value) % width:
        return value
    return np.frombuffer(value, dtype=f">u{width}").astype(f"<u{width}").tobytes()


def _resolved(vr: str, value: Any, *, little: bool) -> tuple[str, Any]:
    """Settle a VR that depends on the pixels, for a value that is still bytes."""
    if not isinstance(value, bytes | bytearray):
        return vr, list(value) if isinstance(value, MultiValue | list) else value
    data = _words(bytes(value), 2, little=little)
    if vr == "US":
        return vr, np.frombuffer(data[: len(data) // 2 * 2], dtype="<u2").tolist() or None
    return vr, data


def _name(tag: int) -> str:
    tag = BaseTag(tag)
    keyword = keyword_for_tag(tag)
    number = f"({tag.group:04X},{tag.element:04X})"
    return f"{keyword} {number}" if keyword else number


def _undecodable(tag: int, why: str) -> ParentError:
    return ParentError(
        f"{_name(tag)} of the parent cannot be decoded: {why}",
        hint="discard the element or give it another value",
        kind="undecodable-in-parent",
    )


def _too_deep(tag: int) -> ParentError:
    return ParentError(
        f"{_name(tag)} of the parent holds sequences nested more than {MAX_SEQUENCE_DEPTH} deep",
        hint="discard the element",
        kind="too-deep-in-parent",
    )
