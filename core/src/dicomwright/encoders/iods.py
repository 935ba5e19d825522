"""What the IODs of images ask of their pixels (PS3.3 C.8.2, C.8.3, C.8.4, C.8.9)."""

from __future__ import annotations

from dataclasses import field

from dicomwright._dataclass import dataclass
from dicomwright.payload.stored_values import StoredValueRules

__all__ = ["IMAGE_IODS", "NM_IMAGE", "ImageIod"]


@dataclass(frozen=True)
class ImageIod:
    """One IOD of the built-in encoders.

    Attributes
    ----------
    name : str
        Its short name, for messages.
    blueprint : str
        The shipped blueprint that completes it.
    rules : StoredValueRules
        How values may be stored.
    always_rescale : bool
        Slope and intercept are type 1.
    rescale_type : str
        RescaleType where a rescale is written and the IOD leaves its meaning open; empty for none.
    spacing_between_slices : bool
        The IOD has SpacingBetweenSlices (0018,0088).
    image_index : bool
        The IOD counts its images (PET: ImageIndex, NumberOfSlices).

    """

    name: str
    blueprint: str
    rules: StoredValueRules = field(default_factory=StoredValueRules)
    always_rescale: bool = True
    rescale_type: str = ""
    spacing_between_slices: bool = False
    image_index: bool = False


#: SOP class UID → IOD of single-frame images
IMAGE_IODS = {
    "1.2.840.10008.5.1.4.1.1.2": ImageIod("CT", "ct-image"),
    "1.2.840.10008.5.1.4.1.1.4": ImageIod(
        "MR",
        "mr-image",
        rules=StoredValueRules(plain_preferred=True),
        always_rescale=False,
        rescale_type="US",
        spacing_between_slices=True,
    ),
    "1.2.840.10008.5.1.4.1.1.128": ImageIod(
        "PET",
        "pet-image",
        rules=StoredValueRules(intercept_zero=True),
        image_index=True,
    ),
}
#: Planar nuclear medicine; like MR it has no Modality LUT, and a rescale is written only where it is needed.
NM_IMAGE = ImageIod(
    "NM",
    "nm-image",
    rules=StoredValueRules(bits_allocated=(8, 16), plain_preferred=True),
    always_rescale=False,
    rescale_type="US",
)
