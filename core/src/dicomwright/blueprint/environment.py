"""What a virtual element may look at while it is produced."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Any

from dicomwright._dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydicom import Dataset

__all__ = ["InstanceEnvironment", "SeriesEnvironment"]


@dataclass
class InstanceEnvironment:
    """What the function of a `FunctionalElement` is given, once for each instance.

    Examples
    --------
    >>> def comment(env):
    ...     return f"slice {env.instance_number} of {env.total_images}"
    >>> comment(InstanceEnvironment(instance_number=3, total_images=12))
    'slice 3 of 12'

    Attributes
    ----------
    instance_number : int
        Number of this instance, from 1.
    kwargs : Mapping
        What the caller gave to the factory.
    header_dataset : pydicom.Dataset, optional
        The elements that are the same in the whole output series. Read it, do not change it.
    image : numpy.ndarray, optional
        This slice's values, unmodified: (rows, columns) or (rows, columns, samples).
    factory : DicomFactory, optional
        The factory that builds.
    intercept, slope : float, optional
        Value = stored number * slope + intercept.
    scaled_image : numpy.ndarray, optional
        This slice as the numbers that will be stored.
    total_images : int, optional
        Number of instances of the series.
    instance_dataset : pydicom.Dataset, optional
        The parent instance that is paired with this slice.

    """

    instance_number: int
    kwargs: Mapping[Any, Any] = field(default_factory=dict)
    header_dataset: Dataset | None = None
    image: Any = None
    factory: Any = None
    intercept: float | None = None
    slope: float | None = None
    scaled_image: Any = None
    total_images: int | None = None
    instance_dataset: Dataset | None = None


@dataclass(frozen=True)
class SeriesEnvironment:
    """What a virtual element may look at once a series, before any pixel is touched.

    Attributes
    ----------
    parents : ParentSeries, optional
        The parent series.
    pairs : tuple of int or None, optional
        For each output instance the index of its parent instance; None without a pairing.
    pairing_problem : str
        Why there is no pairing; empty if there is one.
    total_images : int
        Number of instances.
    kwargs : Mapping
        What the caller gave to the factory.
    factory : DicomFactory, optional
        The factory that builds.
    warnings : list of str
        An element adds what the user should know; it becomes part of the build's result.

    """

    parents: Any = None
    pairs: tuple[int | None, ...] | None = None
    pairing_problem: str = ""
    total_images: int = 1
    kwargs: Mapping[Any, Any] = field(default_factory=dict)
    factory: Any = None
    warnings: list[str] = field(default_factory=list)

    @property
    def parent(self) -> Dataset | None:
        """The first dataset of the parent series."""
        first: Dataset | None = None if self.parents is None else self.parents.first
        return first
