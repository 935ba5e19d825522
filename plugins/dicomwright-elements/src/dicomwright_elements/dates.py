"""Dates of DICOM (PS3.5 section 6.2), whole and partial, moved by days."""

from __future__ import annotations

import datetime as dt
import re

__all__ = ["shifted_date", "shifted_datetime"]

_DATE = re.compile(r"(\d{4})(?:(\d\d)(\d\d)|\.(\d\d)\.(\d\d))")
_DATETIME = re.compile(r"(\d{4})(\d\d)?(\d\d)?(\d\d(?:\d\d(?:\d\d(?:\.\d{1,6})?)?)?)?([+-]\d{4})?")
_MIDDLE_MONTH, _MIDDLE_DAY = 7, 15


def shifted_date(text: str, days: int) -> str:
    """Return a DA value moved by days.

    Examples
    --------
    >>> shifted_date("20240301", -1), shifted_date("1999.12.31", 1)
    ('20240229', '20000101')

    Raises
    ------
    ValueError
        It is no date, or the other one is before year 1 or after 9999.

    """
    found = _DATE.fullmatch(text.strip())
    if found is None:
        msg = "it is no date"
        raise ValueError(msg)
    year, month, day = (int(part) for part in found.groups() if part is not None)
    return _text(_moved(year, month, day, days))


def shifted_datetime(text: str, days: int) -> str:
    """Return a DT value moved by days: as exact as it was, its time of day and zone unchanged.

    A month or a year without a day is taken at its middle, so that a shift of less than half of it often leaves it.

    Examples
    --------
    >>> shifted_datetime("20240301120000.5+0100", -1)
    '20240229120000.5+0100'
    >>> shifted_datetime("202403", 40), shifted_datetime("2024", 40)
    ('202404', '2024')

    Raises
    ------
    ValueError
        It is no date and time, or the other one is before year 1 or after 9999.

    """
    found = _DATETIME.fullmatch(text.strip())
    if found is None or (found[4] and not found[3]):
        msg = "it is no date and time"
        raise ValueError(msg)
    year, month, day, time, zone = found.groups()
    moved = _text(_moved(int(year), int(month or _MIDDLE_MONTH), int(day or _MIDDLE_DAY), days))
    exact = len(year) + len(month or "") + len(day or "")
    return moved[:exact] + (time or "") + (zone or "")


def _moved(year: int, month: int, day: int, days: int) -> dt.date:
    try:
        return dt.date(year, month, day) + dt.timedelta(days=days)
    except OverflowError:
        msg = "the date would be before year 1 or after 9999"
        raise ValueError(msg) from None


def _text(date: dt.date) -> str:
    return f"{date.year:04d}{date.month:02d}{date.day:02d}"
