"""What there is to know of functions and of those who call us."""

from __future__ import annotations

import inspect
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["call_site", "function_name", "takes_an_argument"]


def call_site() -> str:
    """Return ``file:line`` of the nearest caller outside this package."""
    frame = sys._getframe(1)  # noqa: SLF001  # the documented way to name a caller without building a traceback
    while frame.f_globals.get("__name__", "").partition(".")[0] == "dicomwright" and frame.f_back:
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


def takes_an_argument(func: Callable[..., Any]) -> bool:
    """Tell whether a function must be called with one positional argument."""
    try:
        parameters = inspect.signature(func).parameters.values()
    except (TypeError, ValueError):  # some builtins have no signature
        return False
    return any(
        parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
        and parameter.default is parameter.empty
        for parameter in parameters
    )


def function_name(func: Callable[..., Any]) -> str:
    """Return the name of a function, for people."""
    return getattr(func, "__qualname__", None) or repr(func)
