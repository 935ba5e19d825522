"""What encoders give, for IODs whose encoder is not installed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dicomwright.standard import Iod

__all__ = ["given_by_encoders"]

#: Modules that follow from the payload as a whole.
_MODULES = frozenset(
    {
        "image-pixel",
        "image-plane",
        "multi-frame",
        "multi-frame-functional-groups",
        "multi-frame-dimension",
        "nm-detector",
        "nm-image-pixel",
        "nm-multi-frame",
        "palette-color-lookup-table",
        "voi-lut",
    }
)
#: Attributes of other modules that describe pixels, their number and their meaning, or a document's bytes.
_TAGS = frozenset(
    {
        0x00280002,  # SamplesPerPixel
        0x00280004,  # PhotometricInterpretation
        0x00280006,  # PlanarConfiguration
        0x00280008,  # NumberOfFrames
        0x00280009,  # FrameIncrementPointer
        0x00280010,  # Rows
        0x00280011,  # Columns
        0x00280030,  # PixelSpacing
        0x00280100,  # BitsAllocated
        0x00280101,  # BitsStored
        0x00280102,  # HighBit
        0x00280103,  # PixelRepresentation
        0x00281050,  # WindowCenter
        0x00281051,  # WindowWidth
        0x00281052,  # RescaleIntercept
        0x00281053,  # RescaleSlope
        0x00281054,  # RescaleType
        0x20500020,  # PresentationLUTShape
        0x00180050,  # SliceThickness
        0x00541330,  # ImageIndex
        0x00540081,  # NumberOfSlices
        0x00420011,  # EncapsulatedDocument
        0x00420012,  # MIMETypeOfEncapsulatedDocument
        0x00420015,  # EncapsulatedDocumentLength
        0x52009229,  # SharedFunctionalGroupsSequence
        0x52009230,  # PerFrameFunctionalGroupsSequence
        0x7FE00010,  # PixelData
    }
)
#: What the encoder of an IOD gives besides: a document's title, whether it shows the patient, and its series' number.
_OF_IOD = {
    "encapsulated-pdf": frozenset(
        {
            0x00200011,  # SeriesNumber
            0x00280301,  # BurnedInAnnotation
            0x0040A043,  # ConceptNameCodeSequence
            0x00420010,  # DocumentTitle
        }
    )
}


def given_by_encoders(iod: Iod) -> frozenset[int]:
    """Return the tags that an encoder of this IOD gives, whichever it is.

    Examples
    --------
    >>> from dicomwright import standard
    >>> 0x00280010 in given_by_encoders(standard.iod("CTImageStorage"))
    True

    """
    modules = (
        found.tag for found in iod.level() if found.module.key in _MODULES or _is_groups(found.module.key)
    )
    return frozenset(modules) | _TAGS | _OF_IOD.get(iod.key, frozenset())


def _is_groups(key: str) -> bool:
    return key.endswith("multi-frame-functional-groups")
