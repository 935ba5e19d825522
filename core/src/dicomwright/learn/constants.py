"""Constant elements as rules of a blueprint file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dicomwright.blueprint.values import check_value, normalise
from dicomwright.blueprint.vr import expected_vrs

if TYPE_CHECKING:
    from pydicom.dataelem import DataElement

__all__ = ["constant_rule"]

_TEXTS = frozenset({"AE", "CS", "DS", "IS", "LO", "SH", "UC", "UI"})
_INTEGERS = frozenset({"US", "SS", "UL", "SL", "UV", "SV"})
_FLOATS = frozenset({"FD", "FL"})
_LONGEST = 1024


def constant_rule(element: DataElement) -> dict[str, Any] | None:
    """Return ``{static = ...}`` for an element, None where a file cannot say its value, or should not."""
    value = _as_data(element)
    if value is None or check_value(element.tag, element.VR, normalise(element.tag, element.VR, value)):
        return None
    rule: dict[str, Any] = {"static": value}
    return rule if expected_vrs(element.tag) == (element.VR,) else rule | {"vr": str(element.VR)}


def _as_data(element: DataElement) -> Any:
    """Return the value as TOML has it: texts, numbers, or a list of these."""
    vr = str(element.VR)
    if element.is_empty:
        return "" if vr in _TEXTS else None
    parts = list(element.value) if element.VM > 1 else [element.value]
    if vr in _TEXTS:
        data: list[Any] = [str(getattr(part, "original_string", part)).strip(" ") for part in parts]
    elif vr in _INTEGERS:
        data = [int(part) for part in parts]
    elif vr in _FLOATS:
        data = [float(part) for part in parts]
    else:
        return None
    if len(str(data)) > _LONGEST:
        return None
    return data if len(data) > 1 else data[0]
