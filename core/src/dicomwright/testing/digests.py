"""A short text that stands for a value, the same in every process if and only if the value is."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

__all__ = ["digest"]


def digest(value: Any) -> str:
    """Return the digest of a payload, files, datasets, or plain values.

    Examples
    --------
    >>> from dicomwright.testing import sample_volume
    >>> digest(sample_volume()) == digest(sample_volume()), digest([1]) == digest(["1"])
    (True, False)

    """
    state = hashlib.sha256()
    _add(state, value)
    return state.hexdigest()


def _add(state: Any, value: Any) -> None:
    """Add a value, and what it is made of."""
    state.update(f"{type(value).__name__}(".encode())
    if hasattr(value, "tobytes"):
        shape, dtype = getattr(value, "shape", ()), getattr(value, "dtype", "")
        state.update(f"{dtype}{shape}".encode() + value.tobytes())
    elif isinstance(value, bytes | bytearray):
        state.update(value)
    elif is_dataclass(value):
        for field in fields(value):
            state.update(field.name.encode())
            _add(state, getattr(value, field.name))
    elif isinstance(value, Mapping):
        for key in sorted(value, key=repr):
            _add(state, key)
            _add(state, value[key])
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for item in value:
            _add(state, item)
    elif not callable(value):
        state.update((value.name if isinstance(value, Path) else repr(value)).encode())
    state.update(b")")
