"""The elements of secondary capture that follow from images and place (PS3.3 A.8)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from dicomwright.blueprint.blueprint import Blueprint
from dicomwright.blueprint.copying import CopyElement, CopyOrElseElement
from dicomwright.blueprint.elements import IndexElement, SequenceElement, SeriesElement, StaticElement
from dicomwright.blueprint.resolution import OMIT
from dicomwright.encoders.api import PixelElement
from dicomwright.payload import ds
from dicomwright.uids import gen_uid
from dicomwright_sc.placed import orientation_letters

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dicomwright.blueprint.elements import VirtualElement
    from dicomwright.encoders.api import EncodeRequest
    from dicomwright.encoders.pixels import VolumePixels
    from dicomwright.encoders.placement import Placement
    from dicomwright.payload import Planes
    from dicomwright_sc.iods import Kind

__all__ = [
    "each",
    "frame_of_reference",
    "functional_groups",
    "image_plane",
    "lossy",
    "patient_orientation",
    "pixel_module",
    "rescale",
    "scanned_pixel_module",
    "vector",
]

_FRAME_OF_REFERENCE: Final = "FrameOfReferenceUID"
_SLICE_LOCATION_VECTOR, _PAGE_NUMBER_VECTOR = 0x00182005, 0x00182001


def each(keyword: str, vr: str, values: Sequence[Any]) -> VirtualElement:
    """Return an element with a value for each instance, a static one where all are the same."""
    if all(value == values[0] for value in values):
        return StaticElement(keyword, vr, values[0])
    return IndexElement(keyword, vr, list(values))


class OptionalPixelElement(PixelElement):
    """An element that is left out where its function gives None."""

    may_omit = True

    def resolve(self, env: Any) -> Any:
        """Return the value or `OMIT`."""
        value = super().resolve(env)
        return OMIT if value is None else value


def pixel_module(shapes: Sequence[tuple[int, ...]], kinds: Sequence[Kind]) -> Iterator[VirtualElement]:
    """Give Image Pixel (C.7.6.3) of images whose kinds are known, one for each instance."""
    yield each("Rows", "US", [shape[0] for shape in shapes])
    yield each("Columns", "US", [shape[1] for shape in shapes])
    yield each("SamplesPerPixel", "US", [kind.samples for kind in kinds])
    yield each(
        "PhotometricInterpretation", "CS", ["RGB" if kind.samples > 1 else "MONOCHROME2" for kind in kinds]
    )
    if any(kind.samples > 1 for kind in kinds):
        yield each("PlanarConfiguration", "US", [0 if kind.samples > 1 else OMIT for kind in kinds])
    for keyword, less in (("BitsAllocated", 0), ("BitsStored", 0), ("HighBit", 1)):
        yield each(keyword, "US", [kind.bits - less for kind in kinds])
    yield StaticElement("PixelRepresentation", "US", 0)


def scanned_pixel_module(pixels: VolumePixels) -> Iterator[VirtualElement]:
    """Give Image Pixel of a grey volume, whose bits depend on its values."""
    yield StaticElement("Rows", "US", pixels.volume.rows)
    yield StaticElement("Columns", "US", pixels.volume.columns)
    yield StaticElement("SamplesPerPixel", "US", 1)
    yield StaticElement("PhotometricInterpretation", "CS", "MONOCHROME2")
    yield PixelElement("BitsAllocated", "US", lambda: pixels.stored.bits_allocated)
    yield PixelElement("BitsStored", "US", lambda: pixels.stored.bits_stored)
    yield PixelElement("HighBit", "US", lambda: pixels.stored.bits_stored - 1)
    yield PixelElement("PixelRepresentation", "US", lambda: int(pixels.stored.signed))


def rescale(pixels: VolumePixels) -> Iterator[VirtualElement]:
    """Give Modality LUT (C.11.1) where the stored numbers are not the values."""

    def needed(value: str) -> str | None:
        return None if pixels.slope == 1 and pixels.intercept == 0 else value

    yield OptionalPixelElement("RescaleSlope", "DS", lambda: needed(pixels.stored.slope))
    yield OptionalPixelElement("RescaleIntercept", "DS", lambda: needed(pixels.stored.intercept))
    yield OptionalPixelElement("RescaleType", "LO", lambda: needed("US"))


def image_plane(planes: Planes) -> Iterator[VirtualElement]:
    """Give Image Plane (C.7.6.2), one slice for each instance."""
    orientation = [ds(number) for number in (*planes.row_direction, *planes.column_direction)]
    yield StaticElement("ImageOrientationPatient", "DS", orientation)
    yield StaticElement("PixelSpacing", "DS", [ds(number) for number in planes.pixel_spacing])
    positions = [[ds(number) for number in position] for position in planes.positions]
    yield each("ImagePositionPatient", "DS", positions)
    yield each("SliceLocation", "DS", [ds(number) for number in planes.projections])


def functional_groups(planes: Planes) -> Iterator[VirtualElement]:
    """Give Multi-frame Functional Groups (C.7.6.16), one slice for each frame."""
    orientation = [ds(number) for number in (*planes.row_direction, *planes.column_direction)]
    spacing = StaticElement("PixelSpacing", "DS", [ds(number) for number in planes.pixel_spacing])
    shared = [
        SequenceElement("PixelMeasuresSequence", [Blueprint([spacing])]),
        SequenceElement(
            "PlaneOrientationSequence",
            [Blueprint([StaticElement("ImageOrientationPatient", "DS", orientation)])],
        ),
    ]
    frames = [
        StaticElement("ImagePositionPatient", "DS", [ds(number) for number in position])
        for position in planes.positions
    ]
    yield SequenceElement("SharedFunctionalGroupsSequence", [Blueprint(shared)])
    yield SequenceElement(
        "PerFrameFunctionalGroupsSequence",
        [Blueprint([SequenceElement("PlanePositionSequence", [Blueprint([frame])])]) for frame in frames],
    )


def patient_orientation(planes: Planes | None) -> VirtualElement:
    """Give PatientOrientation (0020,0020), empty where it is not known."""
    if planes is None:
        return StaticElement("PatientOrientation", "CS", None)
    letters = [orientation_letters(planes.row_direction), orientation_letters(planes.column_direction)]
    return StaticElement("PatientOrientation", "CS", letters)


def frame_of_reference(placement: Placement, request: EncodeRequest) -> Iterator[VirtualElement]:
    """Give a new frame of reference where the space is not the parent's, whatever the blueprint copies."""
    if placement.planes is None or request.parents is None or placement.in_parent_space:
        return
    blueprint = request.blueprint
    if _FRAME_OF_REFERENCE not in blueprint or isinstance(
        blueprint[_FRAME_OF_REFERENCE], CopyElement | CopyOrElseElement
    ):
        yield SeriesElement(_FRAME_OF_REFERENCE, "UI", gen_uid)


def vector(planes: Planes | None, count: int) -> Iterator[VirtualElement]:
    """Give what distinguishes the frames of a multi-frame image (C.8.6.3, C.8.6.4)."""
    if count == 1:
        return
    if planes is None:
        yield StaticElement("FrameIncrementPointer", "AT", _PAGE_NUMBER_VECTOR)
        yield StaticElement(_PAGE_NUMBER_VECTOR, "IS", list(range(1, count + 1)))
        return
    yield StaticElement("FrameIncrementPointer", "AT", _SLICE_LOCATION_VECTOR)
    yield StaticElement(_SLICE_LOCATION_VECTOR, "DS", [ds(number) for number in planes.projections])


def lossy(losses: Sequence[tuple[str, float] | None]) -> Iterator[VirtualElement]:
    """Say that images were compressed with loss before they came here (C.7.6.1.1.5)."""
    if not any(losses):
        return
    told = [("01", ds(loss[1]), loss[0]) if loss else (OMIT, OMIT, OMIT) for loss in losses]
    yield each("LossyImageCompression", "CS", [each_told[0] for each_told in told])
    yield each("LossyImageCompressionRatio", "DS", [each_told[1] for each_told in told])
    yield each("LossyImageCompressionMethod", "CS", [each_told[2] for each_told in told])
