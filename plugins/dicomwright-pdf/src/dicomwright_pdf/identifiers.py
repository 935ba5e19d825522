"""What identifies a patient, and whether a text has it."""

from __future__ import annotations

import re
import unicodedata
from contextlib import suppress
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from dicomwright.blueprint.copying import CopyElement, CopyOrElseElement, InstanceCopyElement
from dicomwright.blueprint.elements import DiscardElement, StaticElement, VirtualElement
from dicomwright.blueprint.tags import to_tag
from dicomwright.errors import ParentError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dicomwright.blueprint.blueprint import Blueprint
    from dicomwright.blueprint.tags import AnyTag
    from dicomwright.parents import ParentSeries

__all__ = ["Identifiers", "unknown"]

_NAMES: Final = ("PatientName", "OtherPatientNames", "PatientBirthName", "PatientMotherBirthName")
#: Rules whose value is known before an instance is made.
_KNOWN: Final = (StaticElement, CopyElement, InstanceCopyElement, DiscardElement)
_NUMBERS: Final = ("OtherPatientIDs", "AccessionNumber", "PatientAddress")
_TELLING: Final = 4  # characters, below which one of these is any number
_NO_SPACES: Final = "\u2e80"  # from here on: writing without spaces between words
_A_SYLLABLE: Final = re.compile("[\uac00-\ud7a3]")  # of Korean, which many other words have, too
_FROM_THE_RIGHT: Final = ("R", "AL")  # as Unicode calls Hebrew and Arabic
_NOT_READ: Final = "\ufffe"  # what PDFium puts where a line ends with a hyphen
_APOSTROPHES: Final = "'`\u02bc\u2018\u2019"
#: Letters that do not come apart into a plain one and an accent, as people write them without.
_ASCII: Final = (
    {ord(a): b for a, b in zip("äöüøåæßœ", ("ae", "oe", "ue", "oe", "aa", "ae", "ss", "oe"), strict=True)},
    {ord(a): b for a, b in zip("øåłđðıþ", ("o", "a", "l", "d", "d", "i", "th"), strict=True)},
)
_DATE: Final = re.compile(r"(\d{4})(\d{2})(\d{2})")
_DATE_MARKS: Final = [unicodedata.normalize("NFKD", marks).split() for marks in ("年 月 日", "년 월 일")]
#: How the names of the months begin in European languages, without accents.
_MONTHS: Final = (
    "jan|ene|gen|янв",
    "feb|fev|фев",
    "mar|mrt|maa|мар",
    "apr|avr|abr|апр",
    "may|mai|mei|maj|mag|мая|маи",
    "jun|juin|giu|июн",
    "jul|juil|lug|июл",
    "aug|aou|ago|авг",
    "sep|set|сен",
    "oct|okt|ott|out|окт",
    "nov|ноя",
    "dec|dez|des|dic|дек",
)


class Identifiers:
    """What identifies a patient, and a search for it that does not mind spelling.

    Examples
    --------
    >>> found = Identifiers(names=["Müller^Änne"], numbers=["4711-A"], birth_dates=["19800217"])
    >>> found.anywhere_in("Patient: MUELLER"), found.anywhere_in("born 17.2.1980"), found.anywhere_in("No. 4711-a.")
    (True, True, True)
    >>> found.anywhere_in("Page 1 of 4711")
    False

    Parameters
    ----------
    names : iterable of str
        Person names as DICOM writes them.
    numbers : iterable of str
        Patient IDs, accession numbers and the like.
    birth_dates : iterable of str
        As YYYYMMDD.

    """

    def __init__(
        self, names: Iterable[str] = (), numbers: Iterable[str] = (), birth_dates: Iterable[str] = ()
    ) -> None:
        words = {word for name in names for word in _family_names(name)}
        words |= {spelt for word in list(words) for spelt in _spellings(word)}
        wanted = {_plain(word) for word in (*words, *numbers)}
        dates = [pattern for date in birth_dates for pattern in _date_patterns(date)]
        self._patterns = [_pattern(word) for word in sorted(wanted - {""})] + dates

    @classmethod
    def of(cls, parents: ParentSeries | None, blueprint: Blueprint) -> Identifiers:
        """Return what parents and blueprint say of the patient."""

        def texts(keyword: str) -> list[str]:
            return list(_texts(to_tag(keyword), parents, blueprint))

        numbers = [number for keyword in _NUMBERS for number in texts(keyword)]
        numbers += () if parents is None else _other_ids(parents)
        return cls(
            names=[name for keyword in _NAMES for name in texts(keyword)],
            numbers=[*texts("PatientID"), *(number for number in numbers if len(number) >= _TELLING)],
            birth_dates=texts("PatientBirthDate"),
        )

    def __bool__(self) -> bool:
        return bool(self._patterns)

    def anywhere_in(self, text: str) -> bool:
        """Tell whether a text has one of them: as a word of its own, however its letters are spaced.

        Right-to-left writing may come out of a document backwards, and is found so, too.
        """
        plain = {_plain(spelt) for spelt in {text.casefold(), *_spellings(text)}}
        return any(pattern.search(each) for pattern in self._patterns for each in plain)


def _pattern(word: str) -> re.Pattern[str]:
    """Return a pattern that finds a word forwards, and backwards if it is written from right to left."""
    letters = word.replace(" ", "")
    backwards = any(unicodedata.bidirectional(character) in _FROM_THE_RIGHT for character in letters)
    directions = (" ?".join(map(re.escape, letters[::step])) for step in ((1, -1) if backwards else (1,)))
    either = f"(?:{'|'.join(directions)})"
    written = unicodedata.normalize("NFC", letters)
    if any(character >= _NO_SPACES for character in written) and not _A_SYLLABLE.fullmatch(written):
        return re.compile(either)
    inside = "[0-9]" if letters.isdecimal() and len(letters) >= _TELLING else r"\w"
    return re.compile(rf"(?<!{inside}){either}(?!{inside})")


def _texts(tag: AnyTag, parents: ParentSeries | None, blueprint: Blueprint) -> Iterator[str]:
    """Yield the values of an element: those written in the blueprint, and the parent's."""
    rule = _rule(tag, blueprint)
    stated = rule.value if isinstance(rule, StaticElement) else rule
    written = None if isinstance(stated, VirtualElement | Enum) else stated
    for value in (written, _value(tag, parents)):
        values: Any = value if isinstance(value, list | tuple) or hasattr(value, "append") else [value]
        yield from (str(each).strip() for each in values if each not in (None, ""))


def _rule(tag: AnyTag, blueprint: Blueprint) -> Any:
    """Return the rule of an element, or its value, where no parent has it."""
    rule = blueprint[tag] if tag in blueprint else None  # noqa: SIM401  # a blueprint has no get
    return rule.default if isinstance(rule, CopyOrElseElement) else rule


def unknown(parents: ParentSeries | None, blueprint: Blueprint) -> str:
    """Return which of a patient's name and ID is only known when the instance is made; empty for none."""
    for keyword in ("PatientName", "PatientID"):
        tag = to_tag(keyword)
        rule = _rule(tag, blueprint)
        made = isinstance(rule, VirtualElement) and not isinstance(rule, _KNOWN)
        if made and not any(_texts(tag, parents, blueprint)):
            return keyword
    return ""


def _value(tag: AnyTag, parents: ParentSeries | None) -> Any:
    """Return the parent's value, None if there is none that can be read."""
    if parents is None:
        return None
    with suppress(ParentError):
        element = parents.element(tag)
        return None if element is None else element.value
    return None


def _other_ids(parents: ParentSeries) -> Iterator[str]:
    """Yield the patient IDs in OtherPatientIDsSequence (0010,1002)."""
    for item in _value(to_tag("OtherPatientIDsSequence"), parents) or ():
        yield str(item.get("PatientID", "") or "")


def _family_names(name: str) -> Iterator[str]:
    """Yield the family name of each group of a person name; where there is none, the given name.

    Of several words the last one, and those that are no particles. Where it is not told which is which, the
    first, too. Writing without spaces may have the given name right behind the family name.
    """
    for group in name.split("="):
        parts = [part.strip() for part in re.split("[,^]", group)]
        found = next((part for part in parts if part), "")
        yield found
        words = re.split(r"[\s\-\u2010-\u2015]+", found)
        yield from (word for word in words if len(word) >= _TELLING)
        yield words[-1]
        if len(parts) == 1:
            yield words[0]
        if found and found[0] >= _NO_SPACES:
            yield "".join(parts[:2])


def _spellings(text: str) -> Iterator[str]:
    """Yield a text as it is written without the letters that ASCII lacks."""
    composed = unicodedata.normalize("NFC", text).casefold()
    for alphabet in () if text.isascii() else _ASCII:
        yield composed.translate(alphabet)


def _date_patterns(date: str) -> Iterator[re.Pattern[str]]:
    """Yield what finds a date of birth as reports write it."""
    match = _DATE.fullmatch(date.strip())
    if match is None or not 1 <= int(match[2]) <= len(_MONTHS):
        return
    parts = match.groups()
    year, short = (" ?".join(digits) for digits in (parts[0], parts[0][2:]))
    month, day = ("(?:0 ?)?" + " ?".join(number.removeprefix("0")) for number in parts[1:])
    named = rf"(?:{_MONTHS[int(parts[1]) - 1]})[^\W\d]{{0,9}}"
    sign = r" ?[./ ] ?"
    forms = (
        *(" ?".join("".join(parts[part] for part in order)) for order in ((0, 1, 2), (1, 2, 0), (2, 1, 0))),
        *(rf"{one}{sign}{two}{sign}{year}" for one, two in ((day, month), (month, day))),
        *(rf"{year}{sign}{one}{sign}{two}" for one, two in ((day, month), (month, day))),
        *(rf"{one} ?[./] ?{two} ?[./] ?{short}" for one, two in ((day, month), (month, day))),
        *(rf"{year} ?{a} ?{month} ?{b} ?{day} ?{c}" for a, b, c in _DATE_MARKS),
        rf"{day}(?:st|nd|rd|th)?\.? ?(?:de )?{named}\.?,? ?(?:de )?(?:{year}|{short})",
        rf"{named}\.? ?{day}(?:st|nd|rd|th)?,? ?{year}",
        rf"{year} ?{named}\.? ?{day}",
    )
    yield from (re.compile(rf"(?<![0-9]){form}(?![0-9])") for form in forms)


def _plain(text: str) -> str:
    """Return text without accents, case, and what is not seen; what joins words is one space."""
    decomposed = unicodedata.normalize("NFKD", text).casefold()
    return " ".join(decomposed.translate(_KEPT).split())


class _Kept(dict[int, str]):
    """What is left of a character in plain text."""

    def __missing__(self, code: int) -> str:
        kept = self[code] = _kept(chr(code))
        return kept


_KEPT: Final = _Kept()


def _kept(character: str) -> str:
    kind = unicodedata.category(character)
    if kind == "Cf" or character == _NOT_READ or unicodedata.combining(character):
        return ""
    if kind in ("Pd", "Pc", "Cc") or character in _APOSTROPHES:
        return " "
    return str(unicodedata.decimal(character, character))
