"""Build an example again from its own pixels, and say what differs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from pydicom.datadict import keyword_for_tag
from pydicom.multival import MultiValue
from pydicom.tag import BaseTag

from dicomwright.blueprint.tags import PrivateTag, sort_key
from dicomwright.learn.tags import number_of, tags_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydicom.dataelem import DataElement
    from pydicom.dataset import Dataset

    from dicomwright.engine.series import Series
    from dicomwright.learn.example import Example

__all__ = ["Difference", "compare", "compare_pixels", "pairs_of"]

_PIXELS = frozenset({0x7FE00010, 0x7FE00008, 0x7FE00009})
_PIXEL_DATA = BaseTag(0x7FE00010)
_RESCALE = (("RescaleSlope", 1), ("RescaleIntercept", 0))
_TINY = 1e-6
_DS_LENGTH = 16


@dataclass(frozen=True)
class Difference:
    """One tag in which a series that was built differs from its example.

    Attributes
    ----------
    tag : BaseTag or PrivateTag
        The tag.
    what : str
        ``missing``, ``added``, ``rounded`` or ``differs``.
    instances : int
        In how many instances.
    told : bool
        Whether the draft says so.
    why : str
        What the draft says.

    """

    tag: BaseTag | PrivateTag
    what: str
    instances: int
    told: bool = False
    why: str = ""

    @property
    def name(self) -> str:
        """Keyword and number of the tag, or creator and number."""
        if isinstance(self.tag, PrivateTag):
            return str(self.tag)
        return f"{keyword_for_tag(self.tag)} {number_of(self.tag)}".strip()

    def as_dict(self) -> dict[str, Any]:
        """Return it as what JSON can hold."""
        return {
            "tag": str(self.tag) if isinstance(self.tag, PrivateTag) else number_of(self.tag),
            "keyword": "" if isinstance(self.tag, PrivateTag) else keyword_for_tag(self.tag),
            "what": self.what,
            "instances": self.instances,
            "told": self.told,
            "why": self.why,
        }


def compare(example: Example, series: Series) -> list[Difference]:
    """Return the tags in which any instance differs from the example's, pixels left out, in order."""
    found: dict[tuple[BaseTag | PrivateTag, str], int] = {
        (tag, "missing"): count for tag, count in example.behind.items()
    }
    for index, built in zip(pairs_of(example, series), series, strict=True):
        for tag, what in _between(example.parents[index], built):
            found[tag, what] = found.get((tag, what), 0) + 1
    ordered = sorted(found.items(), key=lambda item: (sort_key(item[0][0]), item[0][1]))
    return [Difference(tag, what, count) for (tag, what), count in ordered]


def pairs_of(example: Example, series: Series) -> list[int]:
    """Return which image of the example each instance was built from: they lie at one place."""
    places = np.array([one.ImagePositionPatient for one in example.parents], dtype=np.float64)
    built = np.array([one.ImagePositionPatient for one in series], dtype=np.float64)
    return [int(np.argmin(np.linalg.norm(places - place, axis=1))) for place in built]


def compare_pixels(example: Example, series: Series) -> tuple[float, list[Difference]]:
    """Return the largest difference of a value from the example's, and in how many images there is one."""
    largest, found = 0.0, {"rounded": 0, "differs": 0}
    for index, built in zip(pairs_of(example, series), series, strict=True):
        slope, intercept = (float(built.get(name, default)) for name, default in _RESCALE)
        values = built.pixel_array.astype(np.float64) * slope + intercept
        error = float(np.abs(values - example.values(index)).max())
        largest = max(largest, error)
        if error > _TINY * abs(slope):
            found["rounded" if error <= abs(slope) else "differs"] += 1
    return largest, [Difference(_PIXEL_DATA, what, count) for what, count in found.items() if count]


def _between(example: Dataset, built: Dataset) -> Iterator[tuple[BaseTag | PrivateTag, str]]:
    """Yield what differs between two instances at the top level."""
    ones, others = tags_of(example), tags_of(built)
    for tag in sorted({*ones, *others}, key=sort_key):
        if tag in _PIXELS:
            continue
        if tag not in others:
            yield tag, "missing"
        elif tag not in ones:
            yield tag, "added"
        else:
            how = _difference(example, ones[tag], built[others[tag]])
            if how:
                yield tag, how


def _difference(example: Dataset, tag: BaseTag, built: DataElement) -> str:
    """Return how an element differs, empty if it does not; one that cannot be decoded is like nothing."""
    try:
        one = example[tag]
    except Exception:  # noqa: BLE001  # pydicom raises many types for what real files hold
        return "differs"
    if _same(one, built):
        return ""
    return "rounded" if _is_rounded(one, built) else "differs"


def _same(one: DataElement, other: DataElement) -> bool:
    """Tell whether two elements are alike."""
    if one.VR == "SQ" and other.VR == "SQ":
        return len(one.value) == len(other.value) and all(
            not any(_between(item, its)) for item, its in zip(one.value, other.value, strict=True)
        )
    return bool(_plain(one.value) == _plain(other.value))


def _plain(value: Any) -> Any:
    """Return a value without what does not count: padding, and whether nothing is None or an empty text."""
    if value is None or value == "":
        return ""
    if isinstance(value, list | tuple | MultiValue):
        return [_plain(part) for part in value]
    return value.strip(" \0") if isinstance(value, str) else value


def _is_rounded(example: DataElement, built: DataElement) -> bool:
    """Tell whether decimal strings differ because the example's have more characters than DS allows."""
    if (example.VR, built.VR) != ("DS", "DS") or example.VM != built.VM:
        return False
    ones, others = (list(one.value) if one.VM > 1 else [one.value] for one in (example, built))
    longest = max(len(str(getattr(one, "original_string", one))) for one in ones)
    before, after = ([float(one) for one in values if one not in (None, "")] for values in (ones, others))
    return longest > _DS_LENGTH and len(before) == len(after) and np.allclose(before, after, rtol=1e-12)
