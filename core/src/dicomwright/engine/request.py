"""What the engine is asked to build."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Any, Protocol

from dicomwright._dataclass import dataclass
from dicomwright.uids import BuildUids

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping, Sequence

    import numpy as np

    from dicomwright.engine.nodes import Node
    from dicomwright.engine.rules import Layer, Rule
    from dicomwright.errors import Problem
    from dicomwright.parents import ParentSeries

__all__ = ["BuildRequest", "Check", "Images", "PlainImages"]


class Check(Protocol):
    """Looks at a blueprint as a whole, when all is resolved but what follows from the pixels."""

    def __call__(self, rules: list[Rule], nodes: list[Node], unknown: frozenset[int]) -> Iterable[Problem]:
        """Return what is wrong.

        Parameters
        ----------
        rules : list of Rule
            One for each tag.
        nodes : list of Node
            What became of them; a rule without a node is not in the output.
        unknown : frozenset of int
            Tags that follow from the pixels, or that have a problem of their own.

        """


class Images(Protocol):
    """The slices of a build, for the functions of a blueprint."""

    @property
    def slope(self) -> float | None:
        """RescaleSlope, if there is one."""

    @property
    def intercept(self) -> float | None:
        """RescaleIntercept, if there is one."""

    def image(self, index: int) -> Any:
        """Return the unmodified values of one slice."""

    def scaled_image(self, index: int) -> Any:
        """Return the numbers that one slice is stored as."""


@dataclass(frozen=True)
class PlainImages:
    """Slices that nobody encodes: they are handed on as they are."""

    slices: Sequence[np.ndarray[Any, Any]]
    slope: float | None = None
    intercept: float | None = None

    def image(self, index: int) -> Any:
        """Return one slice."""
        return self.slices[index]

    def scaled_image(self, index: int) -> Any:  # noqa: ARG002  # nothing is scaled
        """Return None."""
        return None


@dataclass(frozen=True)
class BuildRequest:
    """Everything that a `Plan` is compiled from.

    Attributes
    ----------
    layers : sequence of Layer
        Blueprints from the weakest to the strongest.
    count : int
        Number of instances.
    parents : ParentSeries, optional
        The parent series.
    pairs : tuple, optional
        For each instance the index of its parent, or None.
    pairing_problem : str
        Why instances are not paired.
    images : Images, optional
        The slices.
    kwargs : mapping
        What the caller gave to the factory.
    factory : DicomFactory, optional
        The factory.
    uids : BuildUids
        Where UIDs come from.
    instant : datetime, optional
        What dates are taken from.
    transfer_syntax_uid : str
        How the instances are encoded.
    check : Check, optional
        Looks at the blueprint as a whole.

    """

    layers: Sequence[Layer]
    count: int
    parents: ParentSeries | None = None
    pairs: tuple[int | None, ...] | None = None
    pairing_problem: str = ""
    images: Images | None = None
    kwargs: Mapping[Any, Any] = field(default_factory=dict)
    factory: Any = None
    uids: BuildUids = field(default_factory=BuildUids.random)
    instant: dt.datetime | None = None
    transfer_syntax_uid: str = "1.2.840.10008.1.2.1"
    check: Check | None = None
