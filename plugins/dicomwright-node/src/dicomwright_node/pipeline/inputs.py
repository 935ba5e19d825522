"""One input of a pipeline: which instances it takes, when it is complete, and how its data is handed over."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from dicomwright_node.pipeline.grinders import to_datasets

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pydicom import Dataset

    from dicomwright import ParentSeries

__all__ = ["AbstractInput"]


class AbstractInput:
    """What a pipeline needs, one class for each kind of series.

    Examples
    --------
    >>> from dicomwright_node.pipeline.grinders import to_volume
    >>> class CTInput(AbstractInput):
    ...     required_values = {"Modality": "CT"}
    ...     required_tags = ["ImagePositionPatient"]
    ...     grinder = to_volume
    ...
    ...     def validate(self):
    ...         return self.images == 5
    >>> CTInput([]).validate()
    False

    Attributes
    ----------
    required_tags : sequence of tag
        Keywords or numbers of the tags that each instance must have, with a value.
    required_values : mapping
        Tag to value, or to a list of values of which any will do. A value of several components is matched by
        each of them.
    grinder : callable
        Makes from the input what `process` gets; see `dicomwright_node.pipeline.grinders`.
    quiet : float or None
        Seconds without a new instance before the input is looked at. None: ``[jobs] settle`` of the configuration if
        the class has a `validate` of its own, else ``[jobs] quiet``.
    paths : tuple of Path
        The instances' files, in order along the slice normal, or by InstanceNumber where there is no geometry.

    """

    required_tags: ClassVar[Sequence[Any]] = ()
    required_values: ClassVar[Mapping[Any, Any]] = {}
    grinder: ClassVar[Callable[[Any], Any]] = to_datasets
    quiet: ClassVar[float | None] = None

    def __init__(self, paths: Sequence[Path]) -> None:
        self._arrived = tuple(Path(path) for path in paths)

    def validate(self) -> bool:
        """Tell whether the series is complete; asked when no instance has come for a while.

        Override it. As it stands, one image is enough, and the pause that ends a series is longer.
        """
        return self.images > 0

    @property
    def images(self) -> int:
        """Number of instances."""
        return len(self._arrived)

    @cached_property
    def paths(self) -> tuple[Path, ...]:
        """The files, in order."""
        return self.parents.files if self._one_series else tuple(path for path, _ in self._by_number)

    @cached_property
    def headers(self) -> list[Dataset]:
        """The data sets without pixels, in order."""
        return [header for _, header in self._by_number] if not self._one_series else list(self.parents)

    @property
    def datasets(self) -> list[Dataset]:
        """The data sets, in order; pixels are read when they are asked for."""
        from pydicom import dcmread

        return [dcmread(path, defer_size=65536) for path in self.paths]

    @cached_property
    def parents(self) -> ParentSeries:
        """The series as a parent of what is built.

        Raises
        ------
        ParentError
            The instances are of several series, or do not fit together.

        """
        from dicomwright import ParentSeries

        return ParentSeries.read(self._arrived)

    @property
    def series_uids(self) -> tuple[str, ...]:
        """SeriesInstanceUIDs, each once."""
        return tuple(dict.fromkeys(str(header.get("SeriesInstanceUID", "")) for header in self.headers))

    def counted(self, tag: Any = "ImagesInAcquisition") -> bool:
        """Tell whether there are as many instances as an element says, such as NumberOfSlices (0054,0081)."""
        said = {int(header[tag].value or 0) if tag in header else 0 for header in self.headers}
        return said == {self.images}

    def gapless(self) -> bool:
        """Tell whether the slices are evenly spaced; without geometry, whether they are numbered 1 to n."""
        planes = self.parents.planes if self._one_series else None
        if planes is not None and len(planes) == self.images:
            return self.images == 1 or planes.spacing is not None
        numbers = sorted(int(header.get("InstanceNumber") or 0) for header in self.headers)
        return self.images > 0 and numbers == list(range(1, self.images + 1))

    @cached_property
    def _one_series(self) -> bool:
        from dicomwright import DicomwrightError

        try:
            return len(self.parents) == self.images
        except DicomwrightError:
            return False

    @cached_property
    def _by_number(self) -> list[tuple[Path, Dataset]]:
        """Files and headers by series and InstanceNumber, in the order of arrival where that says nothing."""
        from pydicom import dcmread

        read = [(path, dcmread(path, stop_before_pixels=True)) for path in self._arrived]
        return sorted(read, key=lambda pair: _place(pair[1]))


def _place(header: Dataset) -> tuple[str, int]:
    try:
        number = int(header.get("InstanceNumber") or 0)
    except (TypeError, ValueError):
        number = 0
    return str(header.get("SeriesInstanceUID", "")), number
