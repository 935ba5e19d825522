"""DICOM tags as people write them: keywords, numbers, pairs, and private tags by creator.

An ordinary tag becomes pydicom's `BaseTag`. A private tag becomes a `PrivateTag`, which names the creator and
leaves the block number open: blocks are allocated when a dataset is made (PS3.5 §7.8.1).
"""

from __future__ import annotations

import difflib
import re
from functools import lru_cache
from operator import index
from typing import TYPE_CHECKING, Any

from pydicom.datadict import keyword_dict, keyword_for_tag, repeater_has_keyword, tag_for_keyword
from pydicom.tag import BaseTag

from dicomwright._dataclass import dataclass
from dicomwright.blueprint._value_rules import shown
from dicomwright.errors import BlueprintError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["IDENTITY", "ONE_IN_A_SERIES", "AnyTag", "PrivateTag", "TagLike", "describe", "sort_key", "to_tag"]

_HEX_TAG = re.compile(r"\(?([0-9A-Fa-f]{4})\s*,?\s*([0-9A-Fa-f]{4})\)?|0[xX]([0-9A-Fa-f]{1,8})")
_PRIVATE_TAG = re.compile(
    r"(?P<creator>[^\n]+):\s*\(?(?P<group>[0-9A-Fa-f]{4})\s*,\s*(?:[xX]{2}|[1-9A-Fa-f][0-9A-Fa-f])"
    r"(?P<offset>[0-9A-Fa-f]{2})\)?",
)
_NOT_IN_CREATOR = re.compile(r"[\x00-\x1f\x7f-\x9f\\\ud800-\udfff]")
_CREATOR_LENGTH = 64
_LAST_TAG = 0xFFFFFFFF

IDENTITY = frozenset(
    map(
        tag_for_keyword,
        (
            "PatientName",
            "PatientID",
            "IssuerOfPatientID",
            "PatientBirthDate",
            "PatientSex",
            "StudyInstanceUID",
            "StudyID",
            "AccessionNumber",
            "FrameOfReferenceUID",
        ),
    ),
)
"""What says whose images these are: never left out, however it is written."""

ONE_IN_A_SERIES = IDENTITY - set(map(tag_for_keyword, ("StudyID", "AccessionNumber"))) | set(
    map(tag_for_keyword, ("SeriesInstanceUID", "Modality", "SOPClassUID"))
)
"""What must never differ between the instances of a series: whose they are, and what they belong to (PS3.3 A.1.2)."""


@dataclass(frozen=True, slots=True)
class PrivateTag:
    r"""A private tag: group, creator and the element's place in the creator's block.

    Examples
    --------
    >>> tag = PrivateTag(0x0009, "ACME 1.1", 0x01)
    >>> print(tag)
    ACME 1.1:(0009,xx01)
    >>> tag == to_tag("ACME 1.1:0009,xx01")
    True

    Attributes
    ----------
    group : int
        Odd, from 0009 to FFFD (PS3.5 §7.1, §7.8).
    creator : str
        The text of the private creator element: 1 to 64 characters, without backslash and control characters.
    offset : int
        The last byte of the element number, 00 to FF.

    Raises
    ------
    BlueprintError
        If a part is outside its range.

    """

    group: int
    creator: str
    offset: int

    def __post_init__(self) -> None:
        """Refuse what PS3.5 §7.8.1 does not allow."""
        problem = _private_problem(self.group, self.creator, self.offset)
        if problem:
            raise BlueprintError(problem, kind="bad-tag")
        object.__setattr__(self, "group", index(self.group))
        object.__setattr__(self, "creator", self.creator.strip())
        object.__setattr__(self, "offset", index(self.offset))

    def __str__(self) -> str:
        """Return the text form, which `to_tag` reads."""
        return f"{self.creator}:({self.group:04X},xx{self.offset:02X})"

    def __lt__(self, other: object) -> bool:
        """Order by group, then after the group's ordinary tags by creator and offset."""
        if isinstance(other, PrivateTag | int):
            return sort_key(self) < sort_key(other)
        return NotImplemented

    def __gt__(self, other: object) -> bool:
        """Order by group, then after the group's ordinary tags by creator and offset."""
        if isinstance(other, PrivateTag | int):
            return sort_key(self) > sort_key(other)
        return NotImplemented


AnyTag = BaseTag | PrivateTag
TagLike = int | tuple[int, int] | str | BaseTag | PrivateTag


def to_tag(tag: TagLike) -> AnyTag:
    """Return the tag that is meant.

    Examples
    --------
    >>> to_tag("PatientName"), to_tag(0x00100010), to_tag((0x0010, 0x0010)), to_tag("(0010,0010)")
    ((0010,0010), (0010,0010), (0010,0010), (0010,0010))
    >>> print(to_tag("ACME 1.1:(0009,xx01)"))
    ACME 1.1:(0009,xx01)

    Parameters
    ----------
    tag : int, (int, int), str, BaseTag or PrivateTag
        A number, a (group, element) pair, a DICOM keyword, ``(gggg,eeee)``, ``ggggeeee``, or for private tags
        ``creator:(gggg,xxee)``.

    Raises
    ------
    BlueprintError
        If it is none of these. For a misspelt keyword the hint names the nearest ones.

    """
    if isinstance(tag, BaseTag | PrivateTag):
        return tag
    if isinstance(tag, str):
        return _from_text(tag)
    if isinstance(tag, tuple):
        return _from_pair(tag)
    number = _whole(tag)
    if number is None or not 0 <= number <= _LAST_TAG:
        raise BlueprintError(
            f"{shown(tag)} is not a DICOM tag",
            hint="give a keyword, a number from 0 to 0xFFFFFFFF, a pair or a PrivateTag",
            kind="bad-tag",
        )
    return BaseTag(number)


def describe(tag: TagLike) -> str:
    """Return the tag as messages show it: keyword and number.

    Examples
    --------
    >>> describe(0x0008103E)
    'SeriesDescription (0008,103E)'
    >>> describe(0x00091001)
    '(0009,1001)'
    >>> describe("ACME 1.1:(0009,xx01)")
    'ACME 1.1:(0009,xx01)'

    """
    known = to_tag(tag)
    if isinstance(known, PrivateTag):
        return str(known)
    keyword = keyword_for_tag(known)
    return f"{keyword} {known}" if keyword else str(known)


def sort_key(tag: AnyTag | int) -> tuple[int, int, str, int]:
    """Return the key that sorts tags of both kinds: by group, and in it private tags last, by creator.

    Examples
    --------
    >>> tags = [to_tag("ACME:(0009,xx01)"), to_tag(0x00100010), to_tag(0x00090010)]
    >>> [str(tag) for tag in sorted(tags, key=sort_key)]
    ['(0009,0010)', 'ACME:(0009,xx01)', '(0010,0010)']

    """
    if isinstance(tag, PrivateTag):
        return (tag.group, 1, tag.creator, tag.offset)
    number = int(tag)
    return (number >> 16, 0, "", number & 0xFFFF)


def _from_text(text: str) -> AnyTag:
    """Read a keyword, a hexadecimal tag or a private tag."""
    text = text.strip()
    number = tag_for_keyword(text) if text else None  # pydicom's dictionary has tags without keyword
    if number is not None:
        return BaseTag(number)
    match = _HEX_TAG.fullmatch(text)
    if match:
        return BaseTag(int(match[3] or match[1] + match[2], 16))
    match = _PRIVATE_TAG.fullmatch(text)
    if match:
        return PrivateTag(int(match["group"], 16), match["creator"].strip(), int(match["offset"], 16))
    message = f"{shown(text)} is not a DICOM keyword or tag"
    raise BlueprintError(message, hint=_hint(text), kind="unknown-tag")


def _from_pair(pair: tuple[Any, ...]) -> BaseTag:
    """Read (group, element)."""
    numbers = [_whole(part) for part in pair]
    if len(numbers) == 2 and all(part is not None and 0 <= part <= 0xFFFF for part in numbers):  # noqa: PLR2004 - a pair
        group, element = (part or 0 for part in numbers)
        return BaseTag(group << 16 | element)
    raise BlueprintError(
        f"{shown(pair)} is not a DICOM tag",
        hint="a pair is (group, element), each from 0 to 0xFFFF",
        kind="bad-tag",
    )


def _whole(value: Any) -> int | None:
    """Return the integer, numpy's included; None for everything else, bool included."""
    if isinstance(value, bool) or type(value).__name__ in {"bool", "bool_"}:
        return None
    try:
        return index(value)
    except TypeError:
        return None


def _private_problem(group: Any, creator: Any, offset: Any) -> str:
    """Return what is wrong with the parts of a private tag, or an empty text."""
    number, place = _whole(group), _whole(offset)
    if number is None or number % 2 == 0 or not 0x0009 <= number <= 0xFFFD:  # noqa: PLR2004 - PS3.5 §7.8
        given = shown(group) if number is None else f"{number:04X}"
        return f"{given} is not a private group: those are odd, 0009 to FFFD (PS3.5 §7.8)"
    if not isinstance(creator, str) or not creator.strip() or len(creator) > _CREATOR_LENGTH:
        return f"{shown(creator)} is not a private creator: 1 to 64 characters (PS3.5 §7.8.1)"
    if _NOT_IN_CREATOR.search(creator):
        return f"{shown(creator)} is not a private creator: no backslash or control character (PS3.5 §6.2)"
    if place is None or not 0 <= place <= 0xFF:  # noqa: PLR2004 - one byte
        return f"{shown(offset)} is not an element's place in a private block: 00 to FF (PS3.5 §7.8.1)"
    return ""


def _hint(text: str) -> str:
    """Return what to write instead of an unknown keyword."""
    if repeater_has_keyword(text):
        return f"{text} stands for several groups: write the tag as (gggg,eeee)"
    if ":" in text:
        return "a private tag is written creator:(gggg,xxee)"
    names = _near(text)
    if names:
        return f"did you mean {' or '.join(names)}?"
    return "give a DICOM keyword, (gggg,eeee) or creator:(gggg,xxee)"


def _near(text: str) -> list[str]:
    """Return up to three keywords that look like the text."""
    folded = _folded_keywords()
    wanted = re.sub(r"[^0-9A-Za-z]", "", text[:_CREATOR_LENGTH]).lower()
    if wanted in folded:
        return [folded[wanted]]
    return [folded[name] for name in difflib.get_close_matches(wanted, folded, n=3, cutoff=0.75)]


@lru_cache(maxsize=1)
def _folded_keywords() -> Mapping[str, str]:
    """Return all keywords by their lower-case form."""
    return {keyword.lower(): keyword for keyword in keyword_dict if keyword}
