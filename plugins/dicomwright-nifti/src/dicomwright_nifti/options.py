"""Options of the reader."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from dicomwright.errors import SourceError
from dicomwright.plugins.options import complete_options
from dicomwright.reading import shown
from dicomwright_nifti.plugin import NIFTI

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["DEFAULT_MAX_BYTES", "DEFAULT_MAX_RATIO", "ReadOptions"]

DEFAULT_MAX_BYTES: Final = 2 * 1024**3
DEFAULT_MAX_RATIO: Final = 1000  # gzip reaches 1030 with one repeated value, real masks stay below 1000
_UNITS: Final = {"": 1, "kib": 1024, "mib": 1024**2, "gib": 1024**3, "tib": 1024**4}
_SIZE: Final = re.compile(r"([0-9]{1,18})\s*(|[KMGT]iB)", re.IGNORECASE | re.ASCII)
_COUNT: Final = re.compile(r"[0-9]{1,9}", re.ASCII)
_CHOICES: Final = {"orientation": ("auto", "sform", "qform"), "units": ("header", "mm")}


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How a file is read.

    Examples
    --------
    >>> ReadOptions.parse({"max_bytes": "4GiB"}).max_bytes
    4294967296

    Attributes
    ----------
    max_bytes : int
        Most bytes that a compressed file may hold once decompressed. Uncompressed files are mapped,
        take no memory, and have no limit but their own size.
    max_ratio : int
        Most bytes that one compressed byte may become, in files that decompress to more than 256 MiB.
        Beyond it a file holds one repeated value: a mistake or an attack.
    orientation : str
        Which matrix places the voxels: ``auto`` (the sform if its code is set, else the qform),
        ``sform`` or ``qform``.
    units : str
        ``header``: lengths are in the header's unit and become mm; ``mm``: they are mm whatever the
        header says.

    """

    max_bytes: int = DEFAULT_MAX_BYTES
    max_ratio: int = DEFAULT_MAX_RATIO
    orientation: str = "auto"
    units: str = "header"

    @classmethod
    def parse(cls, options: Mapping[str, str]) -> ReadOptions:
        """Return the options that texts stand for.

        Raises
        ------
        PluginError
            There is no such option.
        SourceError
            A value is not allowed.

        """
        for name, value in complete_options(NIFTI, options).items():
            allowed = _CHOICES.get(name)
            if allowed is not None and value not in allowed:
                message = f"option {name} of the NIfTI reader cannot be {shown(value)!r}"
                raise SourceError(message, hint=f"it is one of {', '.join(allowed)}", kind="option")
        return cls(
            max_bytes=_bytes(options.get("max_bytes", DEFAULT_MAX_BYTES)),
            max_ratio=_count(options.get("max_ratio", DEFAULT_MAX_RATIO)),
            orientation=options.get("orientation", "auto"),
            units=options.get("units", "header"),
        )


def _bytes(text: str | int) -> int:
    """Return a size such as ``4GiB`` in bytes."""
    match = _SIZE.fullmatch(str(text).strip())
    if match is None or int(match[1]) == 0:
        message = f"option max_bytes of the NIfTI reader cannot be {shown(text)!r}"
        hint = "write a number of bytes, or for example 512MiB or 4GiB"
        raise SourceError(message, hint=hint, kind="option")
    return int(match[1]) * _UNITS[match[2].lower()]


def _count(text: str | int) -> int:
    """Return a whole number above 0."""
    match = _COUNT.fullmatch(str(text).strip())
    if match is None or int(match[0]) == 0:
        message = f"option max_ratio of the NIfTI reader cannot be {shown(text)!r}"
        raise SourceError(message, hint="write a whole number above 0", kind="option")
    return int(match[0])
