"""Which SpecificCharacterSet (0008,0005) a dataset needs, and which texts fit into one (PS3.5 §6.1)."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from pydicom.charset import STAND_ALONE_ENCODINGS, python_encoding
from pydicom.multival import MultiValue
from pydicom.valuerep import CUSTOMIZABLE_CHARSET_VR

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pydicom.dataelem import DataElement

__all__ = ["TEXT_VRS", "check_encodable", "choose_charset", "texts_of"]

TEXT_VRS = frozenset(vr.value for vr in CUSTOMIZABLE_CHARSET_VR)
"""The VRs whose bytes depend on the character set: LO, LT, PN, SH, ST, UC, UT."""

_UTF8 = "ISO_IR 192"
_ONE_BYTE_PREFIX = "ISO_IR "
_KATAKANA = "ISO_IR 13"  # its backslash is a yen sign, and little software reads or writes it
_ASCII = frozenset({"", "ISO_IR 6", "ISO 2022 IR 6"})
_LISTS = (list, tuple, MultiValue)


def choose_charset(
    texts: Iterable[str],
    preferred: Sequence[str] = (),
    *,
    open_ended: bool = False,
) -> str | None:
    """Return the SpecificCharacterSet that carries all the texts, None if they need none.

    ASCII needs none. Otherwise the preferred set stays if it is one set of one byte a character (but not
    ISO_IR 13) and has all the characters; else it is UTF-8, which has all there are.

    Examples
    --------
    >>> choose_charset(["Chest"], ["ISO_IR 100"]) is None
    True
    >>> choose_charset(["Søren"], ["ISO_IR 100"]), choose_charset(["Жук"], ["ISO_IR 100"])
    ('ISO_IR 100', 'ISO_IR 192')

    Parameters
    ----------
    texts : iterable of str
        All texts of the dataset, nested ones included: `texts_of` gives an element's.
    preferred : sequence of str or str
        The parent's SpecificCharacterSet.
    open_ended : bool
        True if there are texts that are not known yet: then it is UTF-8.

    """
    if open_ended:
        return _UTF8
    wide = [text for text in texts if not text.isascii()]
    if not wide:
        return None
    terms = _terms(preferred)
    stays = len(terms) == 1 and _is_one_byte(terms[0]) and terms[0] != _KATAKANA
    return terms[0] if stays and not check_encodable(wide, terms[0]) else _UTF8


def check_encodable(texts: Iterable[str], charset: str | Sequence[str] | None) -> list[str]:
    """Return the texts that cannot be written in the character set; all of them if there is no such set.

    Examples
    --------
    >>> check_encodable(["Chest", "Søren", "Жук"], "ISO_IR 100")
    ['Жук']
    >>> check_encodable(["Søren"], None)
    ['Søren']

    Parameters
    ----------
    texts : iterable of str
        What is to be written.
    charset : str, sequence of str or None
        The value of SpecificCharacterSet. With several, a text may switch between them (code extensions).

    """
    terms = _terms(charset)
    if any(term not in _ASCII and term not in python_encoding for term in terms):
        return list(texts)
    if len(terms) > 1 and any(term in STAND_ALONE_ENCODINGS for term in terms):
        return list(texts)
    return [text for text in texts if not text.isascii() and not _fits(text, terms)]


def texts_of(element: DataElement) -> Iterator[str]:
    """Iterate over the texts of an element that the character set matters for, nested ones included.

    Examples
    --------
    >>> from pydicom.dataelem import DataElement
    >>> list(texts_of(DataElement("OtherPatientNames", "PN", ["Buc^Jérôme", "Yamada^Tarou=山田^太郎"])))
    ['Buc^Jérôme', 'Yamada^Tarou=山田^太郎']

    """
    if element.VR == "SQ":
        for item in element.value or ():
            for nested in item:
                yield from texts_of(nested)
    elif element.VR in TEXT_VRS and element.value is not None:
        values = element.value if isinstance(element.value, _LISTS) else (element.value,)
        yield from (str(value) for value in values if value)


def _terms(charset: str | Sequence[str] | None) -> list[str]:
    """Return the defined terms of a SpecificCharacterSet value."""
    if not charset:
        return [""]
    return charset.split("\\") if isinstance(charset, str) else [str(term) for term in charset]


def _is_one_byte(term: str) -> bool:
    """Tell a set of one byte a character without code extensions."""
    return (
        term.startswith(_ONE_BYTE_PREFIX) and term != _UTF8 and term in python_encoding and term not in _ASCII
    )


def _fits(text: str, terms: Sequence[str]) -> bool:
    """Tell whether each character is in one of the sets."""
    return all(any(_has(character, term) for term in terms) for character in set(text))


@lru_cache(maxsize=65536)
def _has(character: str, term: str) -> bool:
    """Tell whether a character survives writing and reading in a set."""
    if term in _ASCII:
        return character.isascii()
    codec = python_encoding[term]
    try:
        encoded = character.encode(codec)
    except UnicodeError:
        return False
    one_byte = _is_one_byte(term) or term == "ISO 2022 IR 13"
    return encoded.decode(codec) == character and (not one_byte or len(encoded) == 1)
