"""The built-in encoder: a volume as single-frame images of CT, MR or PET."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast, get_args

from pydicom.uid import UID

from dicomwright._dataclass import dataclass
from dicomwright.blueprint.blueprint import Blueprint
from dicomwright.blueprint.copying import CopyElement, CopyOrElseElement, InstanceCopyElement
from dicomwright.blueprint.elements import BulkElement, FunctionalElement, StaticElement
from dicomwright.encoders.api import Encoding
from dicomwright.encoders.elements import (
    RescaleElement,
    decimals,
    each,
    new_frame_of_reference,
    pixel_module,
    window,
)
from dicomwright.encoders.iods import IMAGE_IODS, ImageIod
from dicomwright.encoders.pixels import VolumePixels
from dicomwright.encoders.placement import Placement, place
from dicomwright.errors import BlueprintError, GeometryError, SourceError
from dicomwright.payload.decimal_string import ds
from dicomwright.payload.stored_values import Quantise

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dicomwright.blueprint.elements import VirtualElement
    from dicomwright.encoders.api import EncodeRequest
    from dicomwright.parents import ParentSeries
    from dicomwright.payload.volume import Volume

__all__ = ["ImageEncoder"]

_SINGLE = 1
_SHEAR = ("refuse", "positions")
_PLANE = ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing")


@dataclass(frozen=True)
class Options:
    """The options of the encoder, read from text.

    Attributes
    ----------
    slicing : str
        ``auto``, ``native``, ``axial``, ``coronal``, ``sagittal`` or ``like-parent``.
    non_finite : float, optional
        The value that stands for NaN and infinity.
    quantise : str
        ``auto``, ``exact`` or ``fit``.
    shear : str
        ``refuse`` an affine whose slices are displaced against their normal, or write their exact ``positions``.

    """

    slicing: str = "auto"
    non_finite: float | None = None
    quantise: Quantise = "auto"
    shear: str = "refuse"

    @classmethod
    def read(cls, options: Any) -> Options:
        """Return the options, refusing what is not one."""
        number = options.get("non_finite")
        try:
            non_finite = None if number in (None, "") else float(number)
        except ValueError:
            raise BlueprintError(
                f"non_finite={number!r} is not a number", hint="give a value, as -1024"
            ) from None
        quantise = options.get("quantise") or "auto"
        if quantise not in get_args(Quantise):
            raise BlueprintError(f"quantise={quantise!r} is not one of {', '.join(get_args(Quantise))}")
        shear = options.get("shear") or "refuse"
        if shear not in _SHEAR:
            raise BlueprintError(f"shear={shear!r} is not one of {', '.join(_SHEAR)}")
        return cls(options.get("slicing") or "auto", non_finite, cast("Quantise", quantise), shear)


class ImageEncoder:
    """Writes a volume as one single-frame image for each slice.

    Examples
    --------
    >>> import numpy as np
    >>> from dicomwright import Blueprint, DicomFactory, Volume
    >>> volume = Volume(np.zeros((3, 4, 5), np.int16), [[0, 0, 1.5, 0], [0, 2, 0, 0], [3, 0, 0, 0], [0, 0, 0, 1]])
    >>> len(DicomFactory().build(volume, Blueprint.load("ct-image"), encoder="image"))
    3

    Rows, columns, pixels, rescale and place follow from the volume and override the blueprint.
    """

    def encode(self, payload: Volume, request: EncodeRequest) -> Encoding:
        """Return the blueprints of a volume.

        Raises
        ------
        BlueprintError
            No IOD is named, or one that this encoder does not write.
        SourceError
            The volume is colour, which CT, MR and PET cannot hold.
        GeometryError
            Rows and columns do not meet at a right angle, or the slicing asked for is not possible.

        """
        iod = _iod(request)
        options = Options.read(request.options)
        if payload.samples > _SINGLE:
            raise SourceError(
                f"colour cannot be stored as {iod.name}, which has one value a pixel (MONOCHROME2)",
                hint="write a secondary capture: pip install dicomwright-sc, then --encoder secondary-capture",
                loc=payload.source,
                kind="colour",
            )
        placement = place(payload, request.parents, options.slicing, options.shear)
        if placement.planes is None:
            _check_described(payload, request)
        pixels = VolumePixels(
            placement.volume,
            payload,
            iod.rules,
            candidates=_rescales(request.parents),
            non_finite=options.non_finite,
            quantise=options.quantise,
        )
        return Encoding(
            count=placement.volume.slices,
            derived=Blueprint(
                [
                    *pixel_module(pixels, iod, request),
                    BulkElement("PixelData", "OW", lambda env: pixels.scaled_image(env.index)),  # type: ignore[attr-defined]  # of a build
                    *_plane_module(placement, iod, request),
                ]
            ),
            defaults=Blueprint(_defaults(pixels, placement, iod, request)),
            pairs=placement.pairs,
            pairing_problem=placement.pairing_problem,
            images=pixels,
            stored_values=pixels.result,
            warnings=placement.volume.warnings + placement.warnings + _stolen_identity(request.blueprint),
            content=pixels.digest,
            completed_by=iod.blueprint,
        )


def _iod(request: EncodeRequest) -> ImageIod:
    """Return the IOD to write."""
    names = ", ".join(iod.name for iod in IMAGE_IODS.values())
    if not request.sop_class_uid:
        raise BlueprintError(
            "SOPClassUID (0008,0016) is given by nothing, so it is not known what kind of image to write",
            hint="start from a shipped blueprint, as Blueprint.load('mr-image') + yours (--blueprint mr-image)",
            kind="missing-identifier",
        )
    try:
        return IMAGE_IODS[request.sop_class_uid]
    except KeyError:
        raise BlueprintError(
            f"the image encoder writes {names}, not {UID(request.sop_class_uid).name}",
            hint="name another encoder (--encoder), or another SOPClassUID (0008,0016) in the blueprint",
            kind="sop-class",
        ) from None


def _check_described(volume: Volume, request: EncodeRequest) -> None:
    """Refuse slices without a place, which the IODs here do not allow, unless the blueprint gives it."""
    missing = [keyword for keyword in _PLANE if keyword not in request.blueprint]
    parents = request.parents
    if missing:
        why = f" ({'; '.join(parents.warnings)})" if parents is not None and parents.warnings else ""
        raise GeometryError(
            f"nothing says where the slices lie in the patient: no affine, no parents with a place{why}, and no "
            f"{' or '.join(missing)} in the blueprint",
            hint="give Volume(array, affine), a parent series with one instance for each slice, or these elements",
            loc=volume.source,
            kind="no-space",
        )


def _stolen_identity(blueprint: Blueprint) -> tuple[str, ...]:
    """Warn of new pixels under the parent's own UIDs: archives take them for the same object, or refuse them."""
    copies = (CopyElement, CopyOrElseElement, InstanceCopyElement)
    return tuple(
        f"{keyword} is copied from the parent, but the pixels are not the parent's: an archive may refuse or replace"
        for keyword in ("SOPInstanceUID", "SeriesInstanceUID")
        if keyword in blueprint and isinstance(blueprint[keyword], copies)
    )


def _plane_module(placement: Placement, iod: ImageIod, request: EncodeRequest) -> Iterator[VirtualElement]:
    """Give Image Plane (PS3.3 C.7.6.2), and a new frame of reference where the space is not the parent's."""
    planes = placement.planes
    if planes is None:
        return
    orientation = [ds(number) for number in (*planes.row_direction, *planes.column_direction)]
    yield StaticElement("ImageOrientationPatient", "DS", orientation)
    yield StaticElement("PixelSpacing", "DS", [ds(number) for number in planes.pixel_spacing])
    yield decimals("ImagePositionPatient", planes.positions.tolist())
    yield decimals("SliceLocation", planes.projections.tolist())
    if iod.spacing_between_slices and planes.spacing is not None:
        yield StaticElement("SpacingBetweenSlices", "DS", ds(planes.spacing))
    yield from new_frame_of_reference(placement, request)


def _defaults(
    pixels: VolumePixels, placement: Placement, iod: ImageIod, request: EncodeRequest
) -> Iterator[VirtualElement]:
    """Give what the user's blueprint may override."""
    yield from window(pixels, request)
    if iod.rescale_type:
        yield RescaleElement("RescaleType", "LO", lambda: iod.rescale_type, pixels, iod)
    if placement.thickness is not None:
        yield each("SliceThickness", "DS", placement.thickness)
    else:
        yield StaticElement("SliceThickness", "DS", None)
    if iod.image_index:
        yield FunctionalElement("ImageIndex", "US", lambda env: env.instance_number)
        yield StaticElement("NumberOfSlices", "US", pixels.volume.slices)


def _rescales(parents: ParentSeries | None) -> list[tuple[float, float]]:
    """Return the parents' slope and intercept where all have the same."""
    if parents is None or parents.varies(0x00281053) or parents.varies(0x00281052):
        return []
    slope, intercept = parents.element(0x00281053), parents.element(0x00281052)
    if slope is None or intercept is None or not slope.value:
        return []
    return [(float(slope.value), float(intercept.value or 0))]
