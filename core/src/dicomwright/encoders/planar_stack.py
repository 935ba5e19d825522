"""The built-in encoder of nuclear medicine: a volume as a stack of planar images in one instance (PS3.3 A.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydicom.uid import UID

from dicomwright.blueprint.blueprint import Blueprint
from dicomwright.blueprint.elements import BulkElement, SequenceElement, StaticElement
from dicomwright.encoders.api import Encoding
from dicomwright.encoders.elements import RescaleElement, new_frame_of_reference, pixel_module, window
from dicomwright.encoders.frames import check_length, joined
from dicomwright.encoders.image import Options
from dicomwright.encoders.iods import NM_IMAGE
from dicomwright.encoders.pixels import VolumePixels
from dicomwright.encoders.placement import Placement, fits, place
from dicomwright.errors import BlueprintError, SourceError
from dicomwright.payload.decimal_string import ds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dicomwright.blueprint.elements import VirtualElement
    from dicomwright.encoders.api import EncodeRequest
    from dicomwright.payload.planes import Planes
    from dicomwright.payload.volume import Volume

__all__ = ["PlanarStackEncoder"]

_NM = "1.2.840.10008.5.1.4.1.1.20"
_ENERGY_WINDOW_VECTOR, _DETECTOR_VECTOR = 0x00540010, 0x00540020
_VECTORS = ("EnergyWindowVector", "DetectorVector")
_THIRD_VALUE = 2
#: Kinds of image whose frames are told apart by energy window and detector (PS3.3 C.8.4.8).
_PLANAR = ("STATIC", "WHOLE BODY")
_DURATION = 0x00181242
_NOT_PAIRED = "a stack of planar images belongs to no single parent instance"


class PlanarStackEncoder:
    """Writes a volume as one NM image: a frame for each slice.

    Examples
    --------
    >>> import numpy as np
    >>> from dicomwright import Blueprint, DicomFactory, Volume
    >>> volume = Volume(np.zeros((3, 4, 5), np.int16), [[0, 0, 1.5, 0], [0, 2, 0, 0], [3, 0, 0, 0], [0, 0, 0, 1]])
    >>> (image,) = DicomFactory().build(volume, Blueprint.load("nm-image"), encoder="planar-stack")
    >>> int(image.NumberOfFrames)
    3

    The frames of a static image differ in energy window and detector (PS3.3 C.8.4.8), and only the items of the
    detectors have a place. So each slice counts as a detector of its own, whose item says where the slice lies.
    """

    def encode(self, payload: Volume, request: EncodeRequest) -> Encoding:
        """Return the blueprints of a volume.

        Raises
        ------
        BlueprintError
            The SOP class is not that of NM images, the kind of image has other frames, or a vector of the blueprint
            has not one number for each frame.
        SourceError
            The volume is colour, or larger than one instance can be.
        GeometryError
            Rows and columns do not meet at a right angle, or the slicing asked for is not possible.

        """
        options = Options.read(request.options)
        _check(payload, request)
        placement = _placed(payload, request, options)
        rules = NM_IMAGE.rules
        pixels = VolumePixels(
            placement.volume, payload, rules, non_finite=options.non_finite, quantise=options.quantise
        )
        derived = [*pixel_module(pixels, NM_IMAGE, request), *_frames(pixels, placement.planes)]
        return Encoding(
            count=1,
            derived=Blueprint([*derived, *new_frame_of_reference(placement, request)]),
            defaults=Blueprint(_defaults(pixels, placement, request)),
            pairing_problem=_NOT_PAIRED,
            stored_values=pixels.result,
            warnings=(*placement.volume.warnings, *placement.warnings, *_unknown_duration(request)),
            content=pixels.digest,
            completed_by=NM_IMAGE.blueprint,
        )


def _check(volume: Volume, request: EncodeRequest) -> None:
    """Refuse what is no stack of planar images."""
    if request.sop_class_uid != _NM:
        raise BlueprintError(
            f"the planar-stack encoder writes NM images, not {UID(request.sop_class_uid).name or 'any others'}",
            hint="start from the shipped blueprint (--blueprint nm-image), or name another encoder (--encoder)",
            kind="sop-class",
        )
    if volume.samples > 1:
        raise SourceError(
            "colour cannot be stored as NM, which has one value a pixel (MONOCHROME2)",
            hint="write a secondary capture: pip install dicomwright-sc, then --encoder secondary-capture",
            loc=volume.source,
            kind="colour",
        )
    size = 2 * volume.slices * volume.rows * volume.columns
    check_length(size, volume.source, "write single-frame images of another IOD, as --blueprint pet-image")
    _check_image_type(request.blueprint)
    _check_vectors(request.blueprint, volume.slices)


def _check_image_type(blueprint: Blueprint) -> None:
    """Refuse kinds of image whose frames are told apart by other vectors, as rotations or time slots."""
    values, origin = _given(blueprint, "ImageType")
    if len(values) > _THIRD_VALUE and values[_THIRD_VALUE] not in _PLANAR:
        raise BlueprintError(
            f"ImageType (0008,0008) value 3 is {values[_THIRD_VALUE]}, and planar images are {' or '.join(_PLANAR)}",
            hint="write STATIC; the frames of other kinds of image are not made here",
            loc=origin,
            kind="image-type",
        )


def _check_vectors(blueprint: Blueprint, frames: int) -> None:
    """Refuse vectors that have not one number for each frame."""
    for keyword in _VECTORS:
        values, origin = _given(blueprint, keyword)
        if values and len(values) != frames:
            raise BlueprintError(
                f"{keyword} has {len(values)} value{'s' * (len(values) > 1)}, and there are {frames} frames",
                hint="give one for each slice, or leave it out",
                loc=origin,
                kind="count",
            )


def _given(blueprint: Blueprint, keyword: str) -> tuple[list[Any], str]:
    """Return the values that a blueprint fixes, none if it does not, and their origin."""
    element = blueprint[keyword] if keyword in blueprint else None  # noqa: SIM401 - a blueprint has no get
    if not isinstance(element, StaticElement) or element.value is None:
        return [], ""
    return (
        list(element.value) if isinstance(element.value, list | tuple) else [element.value]
    ), element.origin


def _placed(volume: Volume, request: EncodeRequest, options: Options) -> Placement:
    """Return a volume cut into slices; planar images need no place."""
    if volume.affine is None and not fits(volume, request.parents):
        return Placement(volume, None, pairing_problem=_NOT_PAIRED)
    return place(volume, request.parents, options.slicing, options.shear)


def _frames(pixels: VolumePixels, planes: Planes | None) -> Iterator[VirtualElement]:
    """Give the frames, and the distance of their pixels (C.8.4.7, type 2)."""
    volume = pixels.volume
    spacing = None if planes is None else [ds(number) for number in planes.pixel_spacing]
    yield StaticElement("NumberOfFrames", "IS", volume.slices)
    yield StaticElement("PixelSpacing", "DS", spacing)

    def frames(_: Any) -> Any:
        size = volume.slices * volume.rows * volume.columns * pixels.stored.dtype.itemsize
        return joined((pixels.scaled_image(index) for index in range(volume.slices)), size)

    yield BulkElement("PixelData", "OW", frames)


def _defaults(pixels: VolumePixels, placement: Placement, request: EncodeRequest) -> Iterator[VirtualElement]:
    """Give what the user's blueprint may override: stacks of several energy windows and detectors, too."""
    count = pixels.volume.slices
    yield StaticElement("FrameIncrementPointer", "AT", [_ENERGY_WINDOW_VECTOR, _DETECTOR_VECTOR])
    yield StaticElement("EnergyWindowVector", "US", [1] * count)
    yield StaticElement("NumberOfEnergyWindows", "US", 1)
    yield StaticElement("DetectorVector", "US", list(range(1, count + 1)))
    yield StaticElement("NumberOfDetectors", "US", count)
    yield SequenceElement("DetectorInformationSequence", list(_detectors(placement.planes)))
    yield RescaleElement("RescaleType", "LO", lambda: NM_IMAGE.rescale_type, pixels, NM_IMAGE)
    yield from window(pixels, request)
    if placement.planes is not None:
        yield from Blueprint.load("frame-of-reference")


def _detectors(planes: Planes | None) -> Iterator[Blueprint]:
    """Give an item for each slice with its place (C.8.4.11); none where the place is not known."""
    if planes is None:
        return
    orientation = [ds(number) for number in (*planes.row_direction, *planes.column_direction)]
    for position in planes.positions:
        yield Blueprint(
            [
                StaticElement("CollimatorType", "CS", None),
                StaticElement("FocalDistance", "IS", None),
                StaticElement("ImagePositionPatient", "DS", [ds(number) for number in position]),
                StaticElement("ImageOrientationPatient", "DS", orientation),
            ]
        )


def _unknown_duration(request: EncodeRequest) -> Iterator[str]:
    """Warn of a duration that must be said and that nobody gives."""
    blueprint, parents = request.blueprint, request.parents
    if "ActualFrameDuration" in blueprint and isinstance(blueprint["ActualFrameDuration"], StaticElement):
        return
    known = None if parents is None or parents.varies(_DURATION) else parents.element(_DURATION)
    if known is None or known.is_empty:
        yield (
            "ActualFrameDuration (0018,1242) must be said of a static image and is 0, since nothing tells it; give the "
            "milliseconds of the acquisition in the blueprint"
        )
