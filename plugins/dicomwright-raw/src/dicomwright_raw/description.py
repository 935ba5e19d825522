"""What a sidecar or the options say of a raw volume: each entry read, checked, and told if it is wrong."""

from __future__ import annotations

import difflib
import math
import re
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from dicomwright.errors import Problem, SourceError
from dicomwright.reading import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["AXES", "CONVENTIONS", "DTYPES", "LENGTHS", "ORDERS", "PLACE", "Description", "describe"]

DTYPES: Final = (
    "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float16", "float32", "float64",
)  # fmt: skip
ORDERS: Final[Mapping[str, Literal["<", ">"]]] = {"little": "<", "big": ">"}
AXES: Final = ("slice", "row", "column", "sample")
CONVENTIONS: Final = ("LPS", "RAS")
LENGTHS: Final = {"mm": 1.0, "cm": 10.0, "m": 1000.0, "um": 0.001}
PLACE: Final = ("spacing", "origin", "direction", "affine")
_TYPE_TEXT: Final = re.compile(r"([<>|=]?)([uif][1248])")
_CONVENTION: Final = re.compile(r"\s*(LPS|RAS)\b.*", re.IGNORECASE | re.DOTALL)
_MOST_NUMBERS: Final = 16
_LONGEST_UNIT: Final = 64
_MOST_DIM: Final = 2**40


@dataclass(frozen=True, slots=True)
class Description:
    """What the bytes of a raw volume are.

    Attributes
    ----------
    dtype : str
        One of `DTYPES`.
    shape : tuple of int
        One number for each axis.
    byte_order : str
        ``little`` or ``big``.
    order : str
        ``C``: the last axis varies fastest in the file; ``F``: the first does.
    offset : int
        Bytes before the first value.
    axes : tuple of str
        What each axis is: ``slice``, ``row`` (the index that grows down the image), ``column``, ``sample``.
    spacing, origin, direction, affine : tuple of float
        Where the voxels are. Spacing, direction (one unit vector for each axis) and the columns of the
        affine are in the order of the axes; origin is x, y, z of the first voxel.
    convention : str
        ``LPS`` or ``RAS``: what x, y and z are.
    length_unit : str
        Of spacing, origin and affine: ``mm``, ``cm``, ``m`` or ``um``.
    slope, intercept : float
        A value is stored x slope + intercept.
    units : str
        Unit of the values, for people.
    label : bool
        The values are names of classes.

    """

    dtype: str = ""
    shape: tuple[int, ...] = ()
    byte_order: str = "little"
    order: str = "C"
    offset: int = 0
    axes: tuple[str, ...] = ()
    spacing: tuple[float, ...] = ()
    origin: tuple[float, ...] = ()
    direction: tuple[float, ...] = ()
    affine: tuple[float, ...] = ()
    convention: str = ""
    length_unit: str = "mm"
    slope: float = 1.0
    intercept: float = 0.0
    units: str = ""
    label: bool = False

    @property
    def numpy_dtype(self) -> np.dtype[Any]:
        """Type and byte order of a stored number."""
        return np.dtype(self.dtype).newbyteorder(ORDERS[self.byte_order])


def describe(entries: Mapping[str, Any], where: str, allowed: tuple[str, ...] = ()) -> Description:
    """Return the description that entries give, texts or numbers alike.

    Examples
    --------
    >>> describe({"dtype": "int16", "shape": "4,120,200"}, "--reader-opt").shape
    (4, 120, 200)

    Raises
    ------
    SourceError
        Entries are unknown or wrong; all of them are named.

    """
    known = allowed or tuple(field.name for field in fields(Description))
    problems, values = [], dict[str, Any]()
    for name, value in entries.items():
        try:
            values[name] = _parser(name, known)(value)
        except (ValueError, TypeError, OverflowError, AttributeError) as error:
            message = f"{shown(name)!r}: {error}" if name in known else str(error)
            problems.append(Problem(message, "correct it there", where, "description"))
    if problems:
        raise SourceError.collect(problems)
    order = values.get("dtype", ("", ""))[1]
    if order and values.setdefault("byte_order", order) != order:
        message = f"byte_order is {values['byte_order']}, but dtype says {order}"
        raise SourceError(message, hint="leave one of them out", loc=where, kind="description")
    values["dtype"] = values.get("dtype", ("", ""))[0]
    return Description(**values)


def _parser(name: str, known: tuple[str, ...]) -> Callable[[Any], Any]:
    """Return the parser of an entry, refusing one that is not known."""
    if name in known:
        return _PARSERS[name]
    near = difflib.get_close_matches(str(name), known, 1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
    raise ValueError(f"there is no entry {shown(name)!r}; {hint}")


def _told(value: Any) -> str:
    """Return a value for a message, texts in quotes."""
    return repr(shown(value)) if isinstance(value, str) else shown(value)


def _type(value: Any) -> tuple[str, str]:
    """Return name and byte order of a type such as ``int16`` or ``>i2``."""
    text = str(value).strip()
    match = _TYPE_TEXT.fullmatch(text)
    if match is None and text not in DTYPES:
        raise ValueError(f"{shown(text)!r} is not one of {', '.join(DTYPES)}")
    if match is None:
        return text, ""
    if match[2] in ("f1", "f16"):
        raise ValueError(f"{text!r} is not one of {', '.join(DTYPES)}")
    return np.dtype(match[2]).name, {"<": "little", ">": "big"}.get(match[1], "")


def _numbers(value: Any) -> list[float]:
    """Return finite numbers from a list, a list of lists, an array of either or a text."""
    if isinstance(value, str):
        value = re.split(r"[\s,;]+", value.strip().strip("[]()"))
    value = value.tolist() if isinstance(value, np.ndarray) else value
    value = list(value) if isinstance(value, tuple) else value
    if isinstance(value, list) and all(isinstance(row, list | tuple) for row in value):
        value = [number for row in value for number in row]
    if not isinstance(value, list) or not 1 <= len(value) <= _MOST_NUMBERS:
        raise ValueError(f"{_told(value)} is not a list of numbers")
    return [_number(each) for each in value]


def _number(value: Any) -> float:
    """Return a finite number from a number or a text."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise TypeError(f"{_told(value)} is not a number")
    try:
        number = float(value)
    except (ValueError, OverflowError):
        raise ValueError(f"{_told(value)} is not a number") from None
    if not math.isfinite(number):
        raise ValueError(f"{_told(value)} is not finite")
    return number


def _count(value: Any, least: int) -> int:
    """Return a whole number from a number or a text."""
    number = _number(value)
    if number != int(number) or not least <= number <= _MOST_DIM:
        raise ValueError(f"{number:g} is not a whole number from {least} to {_MOST_DIM:,}")
    return int(number)


def _shape(value: Any) -> tuple[int, ...]:
    return tuple(_count(number, 1) for number in _numbers(value))


def _axes(value: Any) -> tuple[str, ...]:
    names = [str(name).strip().lower() for name in (value.split(",") if isinstance(value, str) else value)]
    if len(set(names)) < len(names) or not {"row", "column"} <= set(names) <= set(AXES):
        raise ValueError(
            f"{_told(value)} does not name each axis once: row and column, and perhaps slice and sample"
        )
    return tuple(names)


def _of(*choices: str) -> Callable[[Any], str]:
    """Return the parser of one of some words."""

    def parse(value: Any) -> str:
        for choice in choices:
            if str(value).strip().lower() == choice.lower():
                return choice
        raise ValueError(f"{_told(value)} is not one of {', '.join(choices)}")

    return parse


def _convention(value: Any) -> str:
    """Return the convention, the first word of a text that may explain it."""
    match = _CONVENTION.fullmatch(str(value))
    if match is None:
        raise ValueError(f"{_told(value)} does not begin with LPS or RAS")
    return match[1].upper()


def _several(*counts: int) -> Callable[[Any], tuple[float, ...]]:
    """Return the parser of a list of numbers of some length."""

    def parse(value: Any) -> tuple[float, ...]:
        numbers = _numbers(value)
        if len(numbers) not in counts:
            raise ValueError(f"it has {len(numbers)} numbers, not {' or '.join(map(str, counts))}")
        return tuple(numbers)

    return parse


def _spacing(value: Any) -> tuple[float, ...]:
    numbers = _several(2, 3)(value)
    if min(numbers) <= 0:
        raise ValueError(f"{_told(value)} is not above 0")
    return numbers


def _slope(value: Any) -> float:
    number = _number(value)
    if number == 0:
        raise ValueError("it is 0, which makes all values the same")
    return number


def _units(value: Any) -> str:
    text = str(value).strip()
    if text in LENGTHS and text != "mm":
        raise ValueError(f"{text!r} is a unit of lengths; write it as length_unit")
    if not text.isprintable() or len(text) > _LONGEST_UNIT:
        raise ValueError(f"{shown(text)!r} is not a short text")
    return text


def _flag(value: Any) -> bool:
    text = str(value).strip().lower()
    if text not in ("true", "false"):
        raise ValueError(f"{_told(value)} is not true or false")
    return text == "true"


_PARSERS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "dtype": _type,
    "shape": _shape,
    "byte_order": _of(*ORDERS),
    "order": _of("C", "F"),
    "offset": lambda value: _count(value, 0),
    "axes": _axes,
    "spacing": _spacing,
    "origin": _several(3),
    "direction": _several(6, 9),
    "affine": _several(12, 16),
    "convention": _convention,
    "length_unit": _of(*LENGTHS),
    "slope": _slope,
    "intercept": _number,
    "units": _units,
    "label": _flag,
}
