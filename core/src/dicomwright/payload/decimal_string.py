"""Numbers as Decimal Strings (DS): at most 16 characters (PS3.5 §6.2)."""

from __future__ import annotations

import math
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal

from dicomwright.errors import StoredValueError

__all__ = ["DS_LENGTH", "ds", "ds_down", "ds_up"]

DS_LENGTH = 16
"""Characters that a DS value may have."""
# Magnitudes at which an exponent holds no more digits than fixed point.
_FIXED_IS_BEST = (1e-3, 1e14)


def ds(value: float) -> str:
    """Return the DS text nearest to `value`.

    Fixed point where it is as exact, else an exponent without padding: ``1.52590218967e-5`` holds one digit
    more than ``1.5259021897e-05`` (`pydicom.valuerep.format_number_as_ds`).

    Examples
    --------
    >>> ds(0.1), ds(2.0), ds(1 / 3), ds(-1 / 65535)
    ('0.1', '2', '0.33333333333333', '-1.5259021897e-5')

    Raises
    ------
    StoredValueError
        If `value` is NaN or infinite.

    """
    number = _finite(value)
    text = repr(number)
    if len(text) <= DS_LENGTH and number and "e" not in text:
        return text.removesuffix(".0")
    short = _tidy(text)
    if len(short) <= DS_LENGTH:
        return short
    if _FIXED_IS_BEST[0] <= abs(number) < _FIXED_IS_BEST[1]:
        return _fixed(number) or _scientific(number) or "0"
    texts = [text for text in (_fixed(number), _scientific(number), _whole_mantissa(number)) if text]
    return min(texts, key=lambda text: abs(float(text) - number))


def ds_up(value: float) -> str:
    """Return the smallest DS text whose number is not below `value`.

    Examples
    --------
    >>> ds_up(1 / 3), ds_up(0.5)
    ('0.33333333333334', '0.5')

    Raises
    ------
    StoredValueError
        If `value` is not finite, or no DS of finite value is as large.

    """
    return _directed(value, ROUND_CEILING, ds(value))


def ds_down(value: float) -> str:
    """Return the largest DS text whose number is not above `value`; the mirror image of `ds_up`."""
    return _directed(value, ROUND_FLOOR, ds(value))


def _directed(value: float, rounding: str, nearest: str | None) -> str:
    number = _finite(value)
    if nearest is not None and float(nearest) == number:
        return nearest
    exact = Decimal(number)
    for digits in range(DS_LENGTH, 0, -1):
        rounded = Context(prec=digits, rounding=rounding).create_decimal(exact)
        for text in (format(rounded, "f"), format(rounded, "e")):
            tidy = _tidy(text)
            if len(tidy) <= DS_LENGTH and math.isfinite(float(tidy)):
                return tidy
    raise StoredValueError(
        f"{number!r} is too large for a decimal string of {DS_LENGTH} characters",
        hint="scale the values",
        kind="decimal-string",
    )


def _fixed(number: float) -> str | None:
    """Return the longest fixed-point text that fits, or `None` if the digits before the point do not."""
    whole = len(str(int(abs(number)))) + (number < 0)
    text = _tidy(f"{number:.{max(DS_LENGTH - whole - 1, 0)}f}")
    # Rounding may add a digit before the point; what follows it is then zeros, which go.
    return text if len(text) <= DS_LENGTH else None


def _scientific(number: float) -> str | None:
    """Return the longest text with an exponent that fits."""
    for decimals in range(13, -1, -1):
        text = _tidy(f"{number:.{decimals}e}")
        if len(text) <= DS_LENGTH:
            return text if math.isfinite(float(text)) else _towards_zero(number)
    return None


def _whole_mantissa(number: float) -> str | None:
    """Return a large number as a whole number of thousands, millions ...: one digit more without a point."""
    if abs(number) < 10**15:
        return None
    exact = int(number)
    for zeros in range(1, 10):
        text = f"{round(exact / 10**zeros)}e{zeros}"
        if len(text) <= DS_LENGTH:
            return text
    return None


def _towards_zero(number: float) -> str:
    """Return the text next to the largest doubles, where rounding to nearest would leave their range."""
    return _directed(number, ROUND_FLOOR if number > 0 else ROUND_CEILING, nearest=None)


def _tidy(text: str) -> str:
    """Remove what carries no information: trailing zeros, a plus sign and zeros in the exponent, ``-0``."""
    mantissa, _, exponent = text.lower().partition("e")
    if "." in mantissa:
        mantissa = mantissa.rstrip("0").rstrip(".")
    if mantissa in ("-0", "", "0"):
        return "0"
    return f"{mantissa}e{int(exponent)}" if exponent and int(exponent) else mantissa


def _finite(value: float) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise StoredValueError(
            f"{number} cannot be written as a decimal string",
            hint="give a finite number",
            kind="decimal-string",
        )
    return number
