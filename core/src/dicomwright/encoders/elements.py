"""Elements that encoders of volumes have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from dicomwright.blueprint.copying import CopyElement, CopyOrElseElement
from dicomwright.blueprint.elements import (
    DiscardElement,
    IndexElement,
    SeriesElement,
    StaticElement,
    VirtualElement,
)
from dicomwright.blueprint.resolution import OMIT, EncodedElement, Level, PerInstance
from dicomwright.encoders.api import PixelElement
from dicomwright.engine.encoding import encoder_for
from dicomwright.payload.decimal_string import ds
from dicomwright.uids import gen_uid

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pydicom.tag import BaseTag

    from dicomwright.blueprint.blueprint import Blueprint
    from dicomwright.blueprint.environment import SeriesEnvironment
    from dicomwright.blueprint.resolution import Resolution
    from dicomwright.encoders.api import EncodeRequest
    from dicomwright.encoders.iods import ImageIod
    from dicomwright.encoders.pixels import VolumePixels
    from dicomwright.encoders.placement import Placement

__all__ = [
    "InstanceNumberElement",
    "RescaleElement",
    "decimals",
    "each",
    "new_frame_of_reference",
    "pixel_module",
    "ready",
    "window",
]

_WIDEST = 9e18
_LOSSY = "LossyImageCompression"
_FRAME_OF_REFERENCE = "FrameOfReferenceUID"


def pixel_module(pixels: VolumePixels, iod: ImageIod, request: EncodeRequest) -> Iterator[VirtualElement]:
    """Give Image Pixel (PS3.3 C.7.6.3) without the pixels themselves, the parents' loss, and the rescale."""
    yield StaticElement("SamplesPerPixel", "US", 1)
    yield StaticElement("PhotometricInterpretation", "CS", "MONOCHROME2")
    yield StaticElement("Rows", "US", pixels.volume.rows)
    yield StaticElement("Columns", "US", pixels.volume.columns)
    yield PixelElement("BitsAllocated", "US", lambda: pixels.stored.bits_allocated)
    yield PixelElement("BitsStored", "US", lambda: pixels.stored.bits_stored)
    yield PixelElement("HighBit", "US", lambda: pixels.stored.bits_stored - 1)
    yield PixelElement("PixelRepresentation", "US", lambda: int(pixels.stored.signed))
    if _carries_loss(request):  # once compressed with loss, always so (PS3.3 C.7.6.1.1.5)
        yield StaticElement("LossyImageCompression", "CS", "01")
    yield RescaleElement("RescaleSlope", "DS", lambda: pixels.stored.slope, pixels, iod)
    yield RescaleElement("RescaleIntercept", "DS", lambda: pixels.stored.intercept, pixels, iod)


def window(pixels: VolumePixels, request: EncodeRequest) -> Iterator[VirtualElement]:
    """Give a window that covers all values (PS3.3 C.11.2); none where the blueprint discards its centre or width."""
    if any(_discards(request, keyword) for keyword in ("WindowCenter", "WindowWidth")):
        return
    for keyword, vr, index in (
        ("WindowCenter", "DS", 0),
        ("WindowWidth", "DS", 1),
        ("VOILUTFunction", "CS", 2),
    ):
        yield _OptionalElement(keyword, vr, lambda index=index: _window(pixels)[index])


def new_frame_of_reference(placement: Placement, request: EncodeRequest) -> Iterator[VirtualElement]:
    """Give a new frame of reference where the space is not the parent's, whatever the blueprint copies."""
    if placement.planes is None or request.parents is None or placement.in_parent_space:
        return
    if _only_copied(request.blueprint):
        yield SeriesElement(_FRAME_OF_REFERENCE, "UI", gen_uid)


def each(keyword: str, vr: str, values: list[Any]) -> VirtualElement:
    """Return an element with a value for each instance, a static one where all are the same."""
    if all(value == values[0] for value in values):
        return StaticElement(keyword, vr, values[0])
    return IndexElement(keyword, vr, values)


def decimals(keyword: str, rows: list[Any]) -> VirtualElement:
    """Return an element with a number, or a list of numbers, for each instance."""
    return ready(
        keyword, "DS", [ds(row) if isinstance(row, float) else [ds(number) for number in row] for row in rows]
    )


def ready(keyword: str, vr: str, values: list[Any]) -> VirtualElement:
    """Return an element as `each` does, of values that are known to be legal."""
    if all(value == values[0] for value in values):
        return StaticElement(keyword, vr, values[0])
    return _ReadyElement(keyword, vr, values)


class InstanceNumberElement(VirtualElement):
    """InstanceNumber (0020,0013), from 1."""

    level = Level.INSTANCE

    def __init__(self) -> None:
        super().__init__("InstanceNumber", "IS")

    def resolve(self, env: SeriesEnvironment) -> Resolution:
        """Return the number of each instance."""
        return _encoded(self, range(1, env.total_images + 1))

    def rule(self) -> str:
        """Return the rule in a few words."""
        return "the number of the instance"


class _ReadyElement(IndexElement):
    """Values that need no check: they are encoded at once, and the engine does not look at them again."""

    def resolve(self, env: SeriesEnvironment) -> Resolution:
        """Return the values, one for each instance."""
        found: PerInstance = super().resolve(env)
        return _encoded(self, found.known or ())


def _encoded(element: VirtualElement, values: Iterable[Any]) -> PerInstance:
    """Return legal values as they go to the file."""
    encode = encoder_for(cast("BaseTag", element.tag), cast("str", element.vr), ())
    return PerInstance.of(EncodedElement(encode(value)) for value in values)


class _OptionalElement(PixelElement):
    """An element that is left out where its function gives None."""

    may_omit = True

    def resolve(self, env: Any) -> Any:
        value = super().resolve(env)
        return OMIT if value is None else value


class RescaleElement(_OptionalElement):
    """Slope, intercept and type: left out where the IOD has no rescale and none is needed."""

    def __init__(self, tag: str, vr: str, func: Any, pixels: VolumePixels, iod: ImageIod) -> None:
        def needed() -> Any:
            if iod.always_rescale or pixels.slope != 1 or pixels.intercept != 0:
                return func()
            return None

        super().__init__(tag, vr, needed)


def _window(pixels: VolumePixels) -> tuple[str | None, str | None, str | None]:
    """Return the window that covers all values; none where programs that count in 64 bits would overflow."""
    center, width, function = pixels.stored.window()
    if max(abs(float(center)), float(width)) > _WIDEST:
        return None, None, None
    return center, width, function


def _carries_loss(request: EncodeRequest) -> bool:
    """Tell whether the parents were compressed with loss, and the blueprint does not refuse to say so."""
    return request.parents is not None and request.parents.lossy and not _discards(request, _LOSSY)


def _discards(request: EncodeRequest, keyword: str) -> bool:
    """Tell whether the blueprint discards an element."""
    return keyword in request.blueprint and isinstance(request.blueprint[keyword], DiscardElement)


def _only_copied(blueprint: Blueprint) -> bool:
    """Tell whether the blueprint takes the frame of reference from the parent, or says nothing of it."""
    if _FRAME_OF_REFERENCE not in blueprint:
        return True
    return isinstance(blueprint[_FRAME_OF_REFERENCE], CopyElement | CopyOrElseElement)
