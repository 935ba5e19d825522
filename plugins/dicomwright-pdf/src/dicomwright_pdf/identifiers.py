"""What identifies a patient, and whether a text has it."""

from __future__ import annotations

import re
import unicodedata
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from dicomwright.blueprint.elements import StaticElement
from dicomwright.blueprint.tags import to_tag
from dicomwright.errors import ParentError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dicomwright.blueprint.blueprint import Blueprint
    from dicomwright.blueprint.tags import AnyTag
    from dicomwright.parents import ParentSeries

__all__ = ["Identifiers"]

_NAMES: Final = ("PatientName", "OtherPatientNames", "PatientBirthName", "PatientMotherBirthName")
_NUMBERS: Final = ("OtherPatientIDs", "AccessionNumber", "PatientAddress")
_TELLING: Final = 4  # characters, below which one of these is any number
_NO_SPACES: Final = "\u2e80"  # from here on: writing without spaces between words
#: Letters that do not come apart into a plain one and an accent, as people write them without.
_ASCII: Final = (
    {ord(a): b for a, b in zip("äöüøåæßœ", ("ae", "oe", "ue", "oe", "aa", "ae", "ss", "oe"), strict=True)},
    {ord(a): b for a, b in zip("øåłđ", "oald", strict=True)},
)
_DATE: Final = re.compile(r"(\d{4})(\d{2})(\d{2})")


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
        numbers = {_plain(number) for number in numbers}
        dates = {form for date in birth_dates for form in _date_forms(date)}
        wanted = {_plain(word) for word in words} | numbers | dates
        self._patterns = [_pattern(word) for word in sorted(wanted - {""})]

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
        plain = _plain(text)
        return any(pattern.search(plain) for pattern in self._patterns)


def _pattern(word: str) -> re.Pattern[str]:
    """Return a pattern that finds a word forwards and backwards."""
    letters = word.replace(" ", "")
    directions = (" ?".join(map(re.escape, order)) for order in (letters, letters[::-1]))
    either = "|".join(directions)
    if any(character >= _NO_SPACES for character in letters):
        return re.compile(either)
    return re.compile(rf"(?<!\w)(?:{either})(?!\w)")


def _texts(tag: AnyTag, parents: ParentSeries | None, blueprint: Blueprint) -> Iterator[str]:
    """Yield the values of an element: those written in the blueprint, and the parent's."""
    stated = blueprint[tag] if tag in blueprint else None  # noqa: SIM401  # a blueprint has no get
    written = stated.value if isinstance(stated, StaticElement) else None
    for value in (written, _value(tag, parents)):
        values: Any = value if isinstance(value, list | tuple) or hasattr(value, "append") else [value]
        yield from (str(each).strip() for each in values if each not in (None, ""))


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
    """Yield the family name of each group of a person name; where there is none, the given name."""
    for group in name.split("="):
        parts = [part.strip() for part in group.split("^")]
        found = next((part for part in parts if part), "")
        yield found
        yield from found.split()[-1:]


def _spellings(word: str) -> Iterator[str]:
    """Yield a name as it is written without the letters that ASCII lacks."""
    for alphabet in _ASCII:
        yield word.casefold().translate(alphabet)


def _date_forms(date: str) -> Iterator[str]:
    """Yield a date of birth as reports write it."""
    match = _DATE.fullmatch(date.strip())
    if match is None:
        return
    year, month, day = match.groups()
    yield date
    for sign in ".-/ ":
        for first, second in ((day, month), (month, day)):
            for one, two in ((first, second), (first.lstrip("0"), second.lstrip("0"))):
                yield sign.join((one, two, year))
                yield sign.join((year, one, two))


def _plain(text: str) -> str:
    """Return text without accents, case, and runs of spaces."""
    decomposed = unicodedata.normalize("NFKD", text).casefold()
    kept = "".join(character for character in decomposed if not unicodedata.combining(character))
    return " ".join(kept.split())
