"""Options of the encoder."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast, get_args

from dicomwright.errors import BlueprintError
from dicomwright.payload.stored_values import Quantise
from dicomwright.reading import shown

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Settings"]

_CHOICES: Final = {
    "mode": ("auto", "single", "multiframe"),
    "shear": ("refuse", "positions"),
    "quantise": get_args(Quantise),
}


@dataclass(frozen=True, slots=True)
class Settings:
    """How images are encoded.

    Examples
    --------
    >>> Settings.read({"mode": "multiframe"}).mode
    'multiframe'

    Attributes
    ----------
    mode : str
        ``single``, ``multiframe``, or ``auto``: as the SOP class of the blueprint says, else single.
    slicing, shear : str
        Of a volume, as the encoder of images has them.
    non_finite : float, optional
        The value that stands for NaN and infinity.
    quantise : str
        ``auto``, ``exact`` or ``fit``.

    """

    mode: str = "auto"
    slicing: str = "auto"
    shear: str = "refuse"
    non_finite: float | None = None
    quantise: Quantise = "auto"

    @classmethod
    def read(cls, options: Mapping[str, Any]) -> Settings:
        """Return the options, refusing what is not one.

        Raises
        ------
        BlueprintError
            A value is not allowed.

        """
        words = {name: str(options.get(name) or choices[0]) for name, choices in _CHOICES.items()}
        for name, word in words.items():
            if word not in _CHOICES[name]:
                hint = f"it is one of {', '.join(_CHOICES[name])}"
                raise BlueprintError(f"{name}={shown(word)!r} is not known", hint=hint, kind="option")
        return cls(
            mode=words["mode"],
            slicing=str(options.get("slicing") or "auto"),
            shear=words["shear"],
            non_finite=_number(options.get("non_finite")),
            quantise=cast("Quantise", words["quantise"]),
        )


def _number(value: Any) -> float | None:
    """Return a finite number, None for nothing."""
    if value in (None, ""):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        message = f"non_finite={shown(value)!r} is not a number"
        raise BlueprintError(message, hint="give a value, as -1024", kind="option")
    return number
