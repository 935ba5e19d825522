"""Pictures, pages and volumes as secondary capture (PS3.3 A.8)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pydicom.uid import UID

from dicomwright.blueprint.blueprint import Blueprint
from dicomwright.blueprint.elements import BulkElement, StaticElement
from dicomwright.encoders.api import Encoding
from dicomwright.encoders.elements import window
from dicomwright.errors import BlueprintError
from dicomwright.payload import Frames
from dicomwright_sc import elements
from dicomwright_sc.images import FrameImages
from dicomwright_sc.iods import MULTI_FRAME, SINGLE_FRAME, SOP_CLASSES, Kind
from dicomwright_sc.multiframe import check_length, joined, pixel_bytes
from dicomwright_sc.placed import images_of, placed
from dicomwright_sc.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dicomwright.blueprint.elements import VirtualElement
    from dicomwright.encoders.api import EncodeRequest
    from dicomwright.encoders.pixels import VolumePixels
    from dicomwright.encoders.placement import Placement
    from dicomwright.payload import Volume

__all__ = ["SecondaryCaptureEncoder"]

_SOP_CLASS: Final = "SOPClassUID"
_BYTES: Final = 8
_COMPLETED_BY: Final = "sc-image-common"  # the shipped blueprint of all secondary capture
_OLD_READERS: Final = (
    "position and spacing are written as in any image, which the standard allows in secondary capture since 2020; "
    "older software, such as GDCM and what is built on it, ignores them"
)
_PICTURES: Final = "pictures have no place in the patient, so that they belong to no single parent instance"


@dataclass(frozen=True)
class _Job:
    """What is to be encoded.

    Attributes
    ----------
    images : FrameImages or VolumePixels
        The images.
    count : int
        Their number.
    source : str
        Where they come from.
    placement : Placement, optional
        Of a volume.
    warnings : tuple of str
        What the reader noticed.
    losses : tuple
        Method and ratio of the images that were compressed with loss.
    request : EncodeRequest
        What was asked.

    """

    images: FrameImages | VolumePixels
    count: int
    source: str
    placement: Placement | None
    warnings: tuple[str, ...]
    losses: tuple[tuple[str, float] | None, ...]
    request: EncodeRequest

    @property
    def planes(self) -> Any:
        """Where the images lie, None where nothing says it."""
        return None if self.placement is None else self.placement.planes


class SecondaryCaptureEncoder:
    """Writes a volume, pictures or pages as secondary capture.

    Examples
    --------
    >>> import numpy as np
    >>> from dicomwright import Blueprint, DicomFactory, Frames
    >>> pictures = Frames([np.zeros((4, 5, 3), np.uint8), np.zeros((6, 7, 3), np.uint8)])
    >>> series = DicomFactory().build(pictures, Blueprint.load("secondary-capture"), encoder="secondary-capture")
    >>> [(image.Rows, image.Columns) for image in series]
    [(4, 5), (6, 7)]

    An instance for each image, each with its own rows and columns; or with ``mode=multiframe`` one instance of
    the SOP class that holds such pixels: single bit, grey of 8 or 16 bit, or true colour.
    """

    def encode(self, payload: Volume | Frames, request: EncodeRequest) -> Encoding:
        """Return the blueprints of a volume or of frames.

        Raises
        ------
        BlueprintError
            The blueprint's SOP class is no secondary capture, or holds other pixels; or an option is wrong.
        SourceError
            The pixels cannot be stored, or frames of one multi-frame image differ.
        GeometryError
            The slicing of a volume is not possible.

        """
        settings = Settings.read(request.options)
        asked = _asked_class(request)
        multi_frame = _is_multi_frame(settings, asked, request)
        if isinstance(payload, Frames):
            job = _frames_job(payload, request)
        else:
            job = _volume_job(payload, request, settings, multi_frame=multi_frame)
        return _multi_frame(job, asked) if multi_frame else _single_frames(job)


def _asked_class(request: EncodeRequest) -> str:
    """Return the SOP class that the blueprint names, empty if it names none."""
    if _SOP_CLASS not in request.blueprint:
        return ""
    if request.sop_class_uid not in SOP_CLASSES:
        raise BlueprintError(
            f"SOPClassUID (0008,0016) is that of {UID(request.sop_class_uid).name}, not of a secondary capture",
            hint="start from a shipped one (--blueprint secondary-capture), or name another encoder (--encoder)",
            loc=request.blueprint[_SOP_CLASS].origin,
            kind="sop-class",
        )
    return request.sop_class_uid


def _is_multi_frame(settings: Settings, asked: str, request: EncodeRequest) -> bool:
    """Tell whether all images go into one instance.

    The plain class is that of all secondary capture until ``mode=multiframe`` asks for the one that holds the pixels.
    """
    several = asked not in ("", SINGLE_FRAME)
    if several and settings.mode == "single":
        raise BlueprintError(
            f"mode=single does not go with SOPClassUID (0008,0016) of {SOP_CLASSES[asked]}",
            hint="use --blueprint secondary-capture, or leave the mode out",
            loc=request.blueprint[_SOP_CLASS].origin,
            kind="sop-class",
        )
    return several or settings.mode == "multiframe"


def _frames_job(frames: Frames, request: EncodeRequest) -> _Job:
    """Return the job of pictures or pages."""
    images = FrameImages.of(frames)
    losses = getattr(frames.images, "lossy", (None,) * len(images))
    return _Job(images, len(images), frames.source, None, frames.warnings, losses, request)


def _volume_job(volume: Volume, request: EncodeRequest, settings: Settings, *, multi_frame: bool) -> _Job:
    """Return the job of a volume."""
    placement = placed(volume, request.parents, settings)
    images = images_of(placement.volume, volume, settings, multi_frame=multi_frame)
    warnings = (*placement.volume.warnings, *placement.warnings)
    count = placement.volume.slices
    return _Job(images, count, volume.source, placement, warnings, (None,) * count, request)


def _single_frames(job: _Job) -> Encoding:
    """Return the encoding of one instance for each image."""
    placement = job.placement
    derived = [
        StaticElement(_SOP_CLASS, "UI", SINGLE_FRAME),
        *_pixels(job),
        *_place(job),
        *elements.lossy(job.losses),
    ]
    return Encoding(
        count=job.count,
        derived=Blueprint(derived),
        defaults=Blueprint([*_defaults(job)]),
        pairs=None if placement is None else placement.pairs,
        pairing_problem=_PICTURES if placement is None else placement.pairing_problem,
        images=job.images,
        stored_values=getattr(job.images, "result", lambda: None),
        warnings=(*job.warnings, *([_OLD_READERS] if job.planes is not None else [])),
        content=job.images.digest,
        completed_by=_COMPLETED_BY,
    )


def _pixels(job: _Job) -> Iterator[VirtualElement]:
    """Give the pixels of one image for each instance."""
    images = job.images
    if isinstance(images, FrameImages):
        kinds = [Kind(kind.samples, max(kind.bits, _BYTES)) for kind in images.kinds]
        yield from elements.pixel_module(images.shapes, kinds)
        vr = "OB" if all(kind.bits == _BYTES for kind in kinds) else "OW"
    else:
        yield from elements.scanned_pixel_module(images)
        yield from elements.rescale(images)
        vr = "OW"
    yield BulkElement("PixelData", vr, lambda env: images.scaled_image(env.index))  # type: ignore[attr-defined]  # of a build


def _place(job: _Job) -> Iterator[VirtualElement]:
    """Give where the slices of a volume lie."""
    if job.placement is None or job.placement.planes is None:
        return
    yield elements.patient_orientation(job.planes)
    yield from elements.image_plane(job.placement.planes)
    yield from elements.frame_of_reference(job.placement, job.request)


def _defaults(job: _Job) -> Iterator[VirtualElement]:
    """Give what a blueprint may override."""
    yield elements.patient_orientation(job.planes)
    if job.planes is not None:
        yield from Blueprint.load("frame-of-reference")
    if not isinstance(job.images, FrameImages):
        yield from window(job.images, job.request)
    if job.placement is not None and job.placement.planes is not None:
        thickness = job.placement.thickness or [None]
        yield elements.each("SliceThickness", "DS", thickness)


def _multi_frame(job: _Job, asked: str) -> Encoding:
    """Return the encoding of one instance with all images."""
    shape, kind = _common(job)
    if asked != SINGLE_FRAME:
        _check_holds(asked, kind, job.request)
    size = pixel_bytes(shape, kind.bits, job.count)
    check_length(size, job.source)
    images, count, single_bits = job.images, job.count, kind.bits == 1

    def frames(_: Any) -> Any:
        return joined(images, count, size, single_bits=single_bits)

    derived = [
        StaticElement(_SOP_CLASS, "UI", MULTI_FRAME[kind]),
        StaticElement("NumberOfFrames", "IS", count),
        *elements.pixel_module([shape], [kind]),
        *_monochrome(kind),
        *_frame_places(job, kind),
        *elements.lossy(_worst(job.losses)),
        BulkElement("PixelData", "OW" if kind.bits > _BYTES else "OB", frames),
    ]
    defaults = [
        *_multi_frame_defaults(job, kind),
        *elements.vector(job.planes, count),
    ]
    return Encoding(
        count=1,
        derived=Blueprint(derived),
        defaults=Blueprint(defaults),
        pairing_problem="a multi-frame image belongs to no single parent instance",
        stored_values=getattr(images, "result", lambda: None),
        warnings=(*job.warnings, *_burned_in(job), *_left_out(job, kind)),
        content=images.digest,
        completed_by=_COMPLETED_BY,
    )


def _check_holds(asked: str, kind: Kind, request: EncodeRequest) -> None:
    """Refuse the SOP class of a blueprint that holds other pixels."""
    sop_class = MULTI_FRAME[kind]
    if asked and asked != sop_class:
        raise BlueprintError(
            f"SOPClassUID (0008,0016) is that of {SOP_CLASSES[asked]}, but the images are {kind}",
            hint=f"{SOP_CLASSES[sop_class]} holds them: {sop_class}",
            loc=request.blueprint[_SOP_CLASS].origin,
            kind="sop-class",
        )


def _common(job: _Job) -> tuple[tuple[int, ...], Kind]:
    """Return shape and kind of all frames, refusing those that differ."""
    if not isinstance(job.images, FrameImages):
        volume = job.images.volume
        plain = volume.array.dtype.str[1:] == "u1" and volume.slope == 1 and volume.intercept == 0
        return (volume.rows, volume.columns), Kind(1, 8 if plain else 16)
    sizes = [f"{shape[0]}x{shape[1]}" for shape in job.images.shapes]
    for what, texts in (("size", sizes), ("kind", [str(kind) for kind in job.images.kinds])):
        other = next((number for number, text in enumerate(texts) if text != texts[0]), None)
        if other is not None:
            raise BlueprintError(
                f"the frames of a multi-frame image have one {what}, but image 1 is {texts[0]} and image "
                f"{other + 1} is {texts[other]}",
                hint="write an instance for each image: --blueprint secondary-capture, or --encoder-opt mode=single",
                loc=job.source,
                kind="frames-differ",
            )
    return job.images.shapes[0], job.images.kinds[0]


def _monochrome(kind: Kind) -> Iterator[VirtualElement]:
    """Give what SC Multi-frame Image (C.8.6.3) fixes for grey values."""
    if kind.samples > 1 or kind.bits == 1:
        return
    yield StaticElement("PresentationLUTShape", "CS", "IDENTITY")
    yield StaticElement("RescaleIntercept", "DS", "0")
    yield StaticElement("RescaleSlope", "DS", "1")
    yield StaticElement("RescaleType", "LO", "US")


def _frame_places(job: _Job, kind: Kind) -> Iterator[VirtualElement]:
    """Give where the frames of a volume lie; single bits have no place in their IOD."""
    if job.placement is None or job.placement.planes is None or kind.bits == 1:
        return
    yield elements.patient_orientation(job.planes)
    yield from elements.functional_groups(job.placement.planes)
    yield from elements.frame_of_reference(job.placement, job.request)


def _multi_frame_defaults(job: _Job, kind: Kind) -> Iterator[VirtualElement]:
    """Give what a blueprint may override. Nobody has looked for names in the pixels: they may be there."""
    yield elements.patient_orientation(job.planes)
    yield StaticElement("BurnedInAnnotation", "CS", "YES")
    if job.planes is not None and kind.bits > 1:
        yield from Blueprint.load("frame-of-reference")
    if not isinstance(job.images, FrameImages):
        yield from window(job.images, job.request)


def _burned_in(job: _Job) -> Iterator[str]:
    """Yield why BurnedInAnnotation (0028,0301) is what it is."""
    if "BurnedInAnnotation" not in job.request.blueprint:
        yield (
            "BurnedInAnnotation (0028,0301) must be said of a multi-frame image and is YES to be safe; set it to NO in "
            "the blueprint if no pixel names the patient"
        )


def _left_out(job: _Job, kind: Kind) -> Iterator[str]:
    """Yield what of a volume is not in the instance."""
    if kind.bits == 1 and job.planes is not None:
        yield (
            "multi-frame images of single bits have no place in the patient: that of the volume was left out; write an "
            "instance for each slice to keep it (--encoder-opt mode=single)"
        )


def _worst(losses: tuple[tuple[str, float] | None, ...]) -> list[tuple[str, float] | None]:
    """Return the strongest compression of all frames, for the one instance that holds them."""
    found = [loss for loss in losses if loss is not None]
    return [max(found, key=lambda loss: loss[1], default=None)]
