"""Whether a distribution's requirement on the core holds for the core that runs."""

from __future__ import annotations

import operator
import re
from itertools import zip_longest

__all__ = ["fits_core"]

_OURS = re.compile(r"\s*dicomwright(?![-_.]?\w)", re.IGNORECASE)
_PLAIN = re.compile(r"\s*dicomwright((?:\s*(?:>=|<=|>|<)\s*\d+(?:\.\d+)*\s*,?)+)\s*", re.IGNORECASE)
_CLAUSE = re.compile(r"(>=|<=|>|<)\s*([\d.]+)")
_RELEASE = re.compile(r"\d+(?:\.\d+)*")
_COMPARE = {">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt}


def fits_core(requirement: str, core: str) -> bool:
    """Tell whether a requirement (PEP 508) allows this version of the core; those on others always do.

    Examples
    --------
    >>> fits_core("dicomwright>=0.1,<0.2", "0.1.4"), fits_core("dicomwright~=0.2", "0.1.4")
    (True, False)

    Raises
    ------
    ValueError
        It is about the core, and cannot be read.

    """
    if not _OURS.match(requirement):
        return True
    plain = _PLAIN.fullmatch(requirement)
    if plain and _RELEASE.fullmatch(core):  # the usual case; packaging would take longer than all the rest
        return all(_COMPARE[how](*_padded(core, bound)) for how, bound in _CLAUSE.findall(plain[1]))
    from packaging.requirements import Requirement

    wanted = Requirement(requirement)
    applies = wanted.marker is None or wanted.marker.evaluate({"extra": ""})
    return not applies or wanted.specifier.contains(core, prereleases=True)


def _padded(one: str, other: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return two releases as numbers, equally long."""
    pairs = list(zip_longest(map(int, one.split(".")), map(int, other.split(".")), fillvalue=0))
    return tuple(pair[0] for pair in pairs), tuple(pair[1] for pair in pairs)
