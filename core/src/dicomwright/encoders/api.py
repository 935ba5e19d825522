"""What an encoder is asked, and what it answers: blueprints, never files."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from dicomwright._dataclass import dataclass
from dicomwright.blueprint.blueprint import Blueprint
from dicomwright.blueprint.elements import SeriesElement

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dicomwright.blueprint.environment import SeriesEnvironment
    from dicomwright.blueprint.resolution import Resolution
    from dicomwright.engine.request import Images
    from dicomwright.parents import ParentSeries

__all__ = ["EncodeRequest", "Encoder", "Encoding", "PixelElement"]


@dataclass(frozen=True)
class EncodeRequest:
    """What an encoder is asked.

    Attributes
    ----------
    sop_class_uid : str
        The SOP class of the output; empty if neither the blueprint nor the parents say it.
    blueprint : Blueprint
        What the user asked for.
    parents : ParentSeries, optional
        The parent series.
    options : mapping of str to str
        The options of the encoder, such as ``slicing``.

    """

    sop_class_uid: str
    blueprint: Blueprint
    parents: ParentSeries | None = None
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Encoding:
    """What an encoder answers.

    Attributes
    ----------
    count : int
        Number of instances.
    derived : Blueprint
        Elements that follow from the payload; they override everything.
    defaults : Blueprint
        Elements that the user's blueprint overrides.
    pairs : tuple, optional
        For each instance the index of its parent instance, or None; None without a pairing.
    pairing_problem : str
        Why instances are not paired.
    images : Images, optional
        The slices, for the functions of a blueprint.
    stored_values : callable
        Returns ``slope, intercept, max_abs_error, lossless``, or None.
    warnings : tuple of str
        What the user should know.
    content : callable, optional
        Returns a digest of the payload; UIDs are derived from it.
    transfer_syntax_uid : str
        How the instances are encoded.
    completed_by : str
        Name of the shipped blueprint that completes the IOD, the weakest layer; empty for none.

    """

    count: int
    derived: Blueprint
    defaults: Blueprint = field(default_factory=Blueprint)
    pairs: tuple[int | None, ...] | None = None
    pairing_problem: str = ""
    images: Images | None = None
    stored_values: Callable[[], dict[str, Any] | None] = lambda: None
    warnings: tuple[str, ...] = ()
    content: Callable[[], bytes] | None = None
    transfer_syntax_uid: str = "1.2.840.10008.1.2.1"
    completed_by: str = ""


@runtime_checkable
class Encoder(Protocol):
    """Turns a payload into blueprints for one IOD."""

    def encode(self, payload: Any, request: EncodeRequest) -> Encoding:
        """Return the blueprints of a payload; its pixels may only be read by functions that they hold.

        Raises
        ------
        DicomwrightError
            The payload does not fit the IOD.

        """


class PixelElement(SeriesElement):
    """A series element whose function looks at the pixels: it is asked when all else is known to be right."""

    touches_pixels = True

    def resolve(self, env: SeriesEnvironment) -> Resolution:
        """Call the function."""
        return self.func() if not self.takes_parent else super().resolve(env)
