"""An example series: its headers, and its own pixels as a source to build from."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from pydicom import dcmread

from dicomwright.encoders.iods import IMAGE_IODS
from dicomwright.errors import ParentError, SourceError
from dicomwright.learn.tags import tags_of
from dicomwright.parents import ParentSeries
from dicomwright.payload.volume import Volume

if TYPE_CHECKING:
    import os
    from pathlib import Path

    from numpy.typing import NDArray
    from pydicom.dataelem import DataElement
    from pydicom.tag import BaseTag

    from dicomwright.blueprint.tags import PrivateTag

__all__ = ["Example"]

_IN_MEMORY = 4 * 1024**3
_PIXEL_DATA, _PADDING = 0x7FE00010, 0xFFFCFFFC


@dataclass(frozen=True)
class Example:
    """A series to learn from.

    Attributes
    ----------
    parents : ParentSeries
        Its headers, in order along the slice normal.
    name : str
        What messages call it.

    """

    parents: ParentSeries
    name: str

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Example:
        """Read a series of single-frame CT, MR or PET images.

        Raises
        ------
        ParentError
            It is no series, or one of another kind.

        """
        example = cls(ParentSeries.read(path), str(path))
        example.check()
        return example

    @property
    def sop_class(self) -> str:
        """UID of the SOP class of the images."""
        return str(self.parents.first.get("SOPClassUID", ""))

    @property
    def base(self) -> str:
        """The shipped blueprint of its IOD."""
        return IMAGE_IODS[self.sop_class].blueprint

    def check(self) -> None:
        """Refuse what cannot be built again from its own pixels."""
        if self.sop_class not in IMAGE_IODS:
            names = ", ".join(iod.name for iod in IMAGE_IODS.values())
            raise ParentError(
                f"learn takes single-frame images of {names}, not {self._shown_class()}",
                hint="start from a shipped blueprint: dicomwright blueprints",
                loc=self.name,
                kind="sop-class",
            )
        planes = self.parents.planes
        if planes is None or len(planes) != len(self.parents):
            why = (
                "have no complete position"
                if planes is None
                else "share their positions, as a time series does"
            )
            raise ParentError(
                f"learn takes one image for each place, and images of this series {why}",
                hint="give the files of one volume",
                loc=self.name,
                kind="several-at-one-place",
            )

    def _shown_class(self) -> str:
        from pydicom.uid import UID

        return UID(self.sop_class).name or "images without SOPClassUID (0008,0016)"

    @property
    def slices(self) -> list[NDArray[Any]]:
        """The stored numbers of each image, decoded."""
        return self._read[0]

    @property
    def behind(self) -> Counter[BaseTag | PrivateTag]:
        """In how many images an element stands behind the pixels, where parents are not read."""
        return self._read[1]

    @cached_property
    def _read(self) -> tuple[list[NDArray[Any]], Counter[BaseTag | PrivateTag]]:
        """What only whole files tell."""
        rows, columns = (int(self.parents.first.get(name, 0) or 0) for name in ("Rows", "Columns"))
        size = rows * columns * len(self.parents) * 2
        if size > _IN_MEMORY:
            raise SourceError(
                f"the pixels take {size >> 20} MiB, more than the {_IN_MEMORY >> 20} MiB that learn holds in memory",
                hint="give the files of a part of the series",
                loc=self.name,
                kind="too-large",
            )
        images = [_pixels(path) for path in self.parents.files]
        return [pixels for pixels, _ in images], Counter(tag for _, tags in images for tag in tags)

    @cached_property
    def rescales(self) -> list[tuple[float, float]]:
        """Slope and intercept of each image."""
        return [
            (self._number(0x00281053, index, 1.0), self._number(0x00281052, index, 0.0))
            for index in range(len(self.parents))
        ]

    def _number(self, number: int, index: int, default: float) -> float:
        """Return the number in an element of one image."""
        element = self.parents.element(number, index)
        return default if element is None or element.is_empty else float(element.value)

    def element(self, number: int, index: int = 0) -> DataElement | None:
        """Return an element of one image, None if it has none that can be decoded."""
        try:
            found: DataElement | None = self.parents.element(number, index)
        except ParentError:
            return None
        return found

    def elements(self, number: int) -> list[DataElement | None]:
        """Return an element of each image."""
        return [self.element(number, index) for index in range(len(self.parents))]

    def varies(self, number: int) -> bool:
        """Tell whether the images differ in an element; those that cannot be decoded may."""
        try:
            return bool(self.parents.varies(number))
        except ParentError:
            return True

    def volume(self) -> Volume:
        """Return its pixels as a source: stored numbers where all images have one rescale, else values."""
        (slope, intercept), *others = self.rescales
        if all(other == (slope, intercept) for other in others):
            return Volume(np.stack(self.slices), slope=slope, intercept=intercept, source=self.name)
        return Volume(np.stack([self.values(index) for index in range(len(self.parents))]), source=self.name)

    def values(self, index: int) -> NDArray[np.float64]:
        """Return the values of one image."""
        slope, intercept = self.rescales[index]
        return self.slices[index].astype(np.float64) * slope + intercept


def _pixels(path: Path) -> tuple[NDArray[Any], list[BaseTag | PrivateTag]]:
    """Return the stored numbers of one file, and what it has behind them."""
    try:
        dataset = dcmread(path)
        array: NDArray[Any] = dataset.pixel_array
    except Exception as error:  # pydicom and its decoders raise many types
        reason = " ".join(str(error).split()) or type(error).__name__
        raise SourceError(
            f"the pixels cannot be decoded: {reason}",
            hint="give images with pixels; for compressed ones, install one of the decoders that are named",
            loc=str(path),
            kind="pixels",
        ) from error
    if array.ndim != 2:  # noqa: PLR2004 - rows and columns
        raise SourceError(
            "the image has several frames or colours",
            hint="learn takes grey images of one frame",
            loc=str(path),
            kind="pixels",
        )
    behind = (tag for tag, place in tags_of(dataset).items() if _PIXEL_DATA < place < _PADDING)
    return array, list(behind)
