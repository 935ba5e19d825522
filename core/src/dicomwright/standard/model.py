"""What the look-ups of this package return: small frozen values."""

from __future__ import annotations

from dataclasses import field
from typing import Any

from dicomwright._dataclass import dataclass

__all__ = ["Attribute", "Entry", "MacroUse", "ModuleUse", "SopClass", "Terms"]


@dataclass(frozen=True, slots=True)
class Terms:
    """Enumerated values or defined terms of an attribute (PS3.3 of 2020).

    Examples
    --------
    >>> Terms(True, ("M", "F", "O")).allows("F")
    True
    >>> Terms(True, ("0000H", "0001H")).allows(1)
    True

    Attributes
    ----------
    enumerated : bool
        True for enumerated values (no other value is allowed), False for defined terms (others may be used).
    values : tuple of str
        The terms as printed in the standard; numbers may be hexadecimal with an H at the end.
    value_number : int
        Which value of a multi-valued attribute, from 1; 0 means each value.
    when : str
        In which case the list holds, such as ``if Bits Stored = 8``; empty means always.

    """

    enumerated: bool
    values: tuple[str, ...]
    value_number: int = 0
    when: str = ""

    def allows(self, value: Any) -> bool:
        """Return whether one value (not a list of values) is among the terms."""
        if isinstance(value, int):
            return value in {_number(term) for term in self.values}
        text = str(value).strip()
        return text in self.values


def _number(term: str) -> int | None:
    digits, base = (term[:-1], 16) if term[-1:] in ("H", "h") else (term, 10)
    try:
        return int(digits, base)
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class SopClass:
    """A storage SOP class.

    Attributes
    ----------
    uid, keyword, name : str
        As in PS3.6 annex A, such as ``1.2.840.10008.5.1.4.1.1.2``, ``CTImageStorage``, ``CT Image Storage``.
    iod : str
        Key of its IOD, such as ``ct-image``.

    """

    uid: str
    keyword: str
    name: str
    iod: str


@dataclass(frozen=True, slots=True)
class ModuleUse:
    """A module as one IOD uses it (a row of a table of PS3.3 annex A).

    Attributes
    ----------
    key, name : str
        Such as ``general-series`` and ``General Series``.
    usage : str
        ``M`` mandatory, ``C`` conditional, ``U`` user option.
    entity : str
        Information entity, such as ``Series``.
    condition : str
        When a conditional module is required, as far as known.
    table : str
        Number of the table of PS3.3 that lists its attributes, such as ``C.7-5a``; empty for younger modules.
    items : int
        Internal: the number of its list of attributes.

    """

    key: str
    name: str
    usage: str
    entity: str
    condition: str = ""
    table: str = ""
    items: int = field(default=0, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class MacroUse:
    """A functional group macro as one multi-frame IOD uses it.

    Attributes
    ----------
    key, name : str
        Such as ``pixel-measures`` and ``Pixel Measures``.
    usage : str
        ``M``, ``C``, ``U``; empty where the tables do not tell (IODs and macros younger than 2020).
    condition : str
        When a conditional macro is required.
    sequences : tuple of int
        Tags of its sequences in the items of the shared and per-frame functional groups sequences.
    table : str
        Number of the table of PS3.3 that lists its attributes.

    """

    key: str
    name: str
    usage: str
    condition: str
    sequences: tuple[int, ...]
    table: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of a table of attributes, shared by all the places where the table is included."""

    tag: int
    type: str
    condition: str = ""
    terms: tuple[Terms, ...] = ()
    macro: str = ""
    items: int = 0


@dataclass(frozen=True, slots=True)
class Attribute:
    """What one module of an IOD says of an attribute at one place.

    Examples
    --------
    >>> from dicomwright import standard
    >>> print(standard.attribute("CTImageStorage", "KVP"))
    KVP (0018,0060), type 2, CT Image module (M)

    Attributes
    ----------
    path : tuple of int
        Tags of the sequences around it, outermost first; empty at the top level.
    module : ModuleUse
        The module that says so, with its usage in the IOD.

    """

    entry: Entry = field(repr=False)
    path: tuple[int, ...]
    module: ModuleUse

    @property
    def tag(self) -> int:
        """Tag as a number; overlays stand for all their groups as 60xx = 6000."""
        return self.entry.tag

    @property
    def type(self) -> str:
        """Type: ``1``, ``1C``, ``2``, ``2C`` or ``3`` (PS3.5 section 7.4)."""
        return self.entry.type

    @property
    def condition(self) -> str:
        """When type 1C or 2C is required, in the words of PS3.3 of 2020; empty if not known."""
        return self.entry.condition

    @property
    def terms(self) -> tuple[Terms, ...]:
        """Enumerated values and defined terms, as far as known."""
        return self.entry.terms

    @property
    def macro(self) -> str:
        """Key of the macro through which the module includes it, as far as recognised."""
        return self.entry.macro

    @property
    def has_items(self) -> bool:
        """Whether the tables list attributes inside its items."""
        return bool(self.entry.items)

    @property
    def place(self) -> tuple[int, ...]:
        """The path with its own tag at the end."""
        return (*self.path, self.entry.tag)

    @property
    def keyword(self) -> str:
        """Keyword of PS3.6, from pydicom's dictionary."""
        return keyword_of(self.entry.tag)

    @property
    def required(self) -> bool:
        """Whether it is always there when its module is (type 1 or 2)."""
        return self.entry.type in ("1", "2")

    def __str__(self) -> str:
        """Return one line for messages: where, type, module."""
        where = ".".join(keyword_of(tag) for tag in self.place)
        tag = f"({self.tag >> 16:04X},{self.tag & 0xFFFF:04X})"
        return f"{where} {tag}, type {self.type}, {self.module.name} module ({self.module.usage})"


def keyword_of(tag: int) -> str:
    """Return the keyword of a tag, or the tag as eight digits if pydicom does not know it."""
    from pydicom.datadict import keyword_for_tag

    return keyword_for_tag(tag) or f"{tag:08X}"
