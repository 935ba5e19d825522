"""What became of each plug-in."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Literal, NamedTuple

from dicomwright._dataclass import dataclass

if TYPE_CHECKING:
    from dicomwright.plugins.descriptors import Spec

__all__ = ["UNKNOWN", "Contribution", "PluginRecord", "Provider", "Status", "escape", "tell"]

Status = Literal["loaded", "failed", "incompatible", "disabled", "conflict"]

#: Stands for a name or version that the metadata do not tell.
UNKNOWN = "unknown"

_LONGEST_TEXT = 400


class Provider(NamedTuple):
    """The distribution that something comes from."""

    distribution: str
    version: str

    def __str__(self) -> str:
        """Return name and version as in messages."""
        return f"{self.distribution} {self.version}"


@dataclass(frozen=True, slots=True)
class PluginRecord:
    """One plug-in, and what became of it.

    Attributes
    ----------
    name : str
        Name of its entry point.
    distribution, version : str
        Who installed it.
    kinds : tuple of str
        The kinds of things that it provides: ``"reader"``, ``"encoder"``, ...
    status : str
        ``"loaded"``; ``"failed"``: it could not be imported or is wrong; ``"incompatible"``: it wants another
        core; ``"disabled"``: by the user; ``"conflict"``: a name is taken, so what bears it is not usable.
    reason : str
        Why it is not simply loaded. One line.
    details : str
        The traceback of a failure, for its author.

    """

    name: str
    distribution: str
    version: str
    kinds: tuple[str, ...] = ()
    status: Status = "loaded"
    reason: str = ""
    details: str = field(default="", repr=False, compare=False)

    @property
    def provider(self) -> Provider:
        """The distribution and its version."""
        return Provider(self.distribution, self.version)


class Contribution(NamedTuple):
    """One thing that one plug-in provides."""

    spec: Spec
    plugin: str
    provider: Provider
    requires: tuple[str, ...] = ()


def escape(text: str) -> str:
    """Return outside text as one short line without control characters."""
    line = " ".join(text.split())
    safe = "".join(character if character.isprintable() else ascii(character)[1:-1] for character in line)
    return safe if len(safe) <= _LONGEST_TEXT else f"{safe[:_LONGEST_TEXT]}..."


def tell(error: BaseException) -> str:
    r"""Return an exception as one line, whatever it is.

    Examples
    --------
    >>> tell(ValueError("no\nsuch thing"))
    'ValueError: no such thing'
    >>> tell(SystemExit(0))
    'it called sys.exit(0)'

    """
    if isinstance(error, SystemExit):
        return f"it called sys.exit({escape(repr(error.code))})"
    try:
        text = str(error)
    except Exception as second:  # noqa: BLE001  an exception that cannot be printed is told by its class
        text = f"its text cannot be made ({type(second).__name__})"
    return escape(f"{type(error).__name__}: {text}" if text else type(error).__name__)
