"""Check the options that a user gives to a reader, encoder or codec."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from dicomwright.errors import PluginError, Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dicomwright.plugins.descriptors import CodecSpec, EncoderSpec, ReaderSpec

__all__ = ["complete_options"]


def complete_options(spec: ReaderSpec | EncoderSpec | CodecSpec, given: Mapping[str, str]) -> dict[str, str]:
    """Return the given options with the defaults of those that are not given.

    Examples
    --------
    >>> from dicomwright.plugins import OptionSpec, ReaderSpec
    >>> spec = ReaderSpec(
    ...     name="pages",
    ...     summary="pages as images",
    ...     target="acme.pages:Reader",
    ...     options=(OptionSpec(name="dpi", summary="resolution", default="150"),),
    ... )
    >>> complete_options(spec, {})
    {'dpi': '150'}

    Raises
    ------
    PluginError
        Options that the descriptor does not declare, all of them.

    """
    declared = {option.name: option.default for option in spec.options}
    unknown = [name for name in given if name not in declared]
    if unknown:
        raise PluginError.collect(
            Problem(
                f'"{spec.name}" has no option "{name}"',
                hint=_hint(name, list(declared)),
                kind="unknown-option",
            )
            for name in unknown
        )
    return {name: default for name, default in declared.items() if default} | dict(given)


def _hint(name: str, declared: list[str]) -> str:
    """Say what to write instead."""
    close = get_close_matches(name.lower(), declared, 1)
    options = f"it has {', '.join(declared)}" if declared else "it has none"
    return f"did you mean {close[0]}? {options}" if close else options
