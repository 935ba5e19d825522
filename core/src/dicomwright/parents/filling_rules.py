"""What a derived object must not inherit from its parent, rule by rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dicomwright._dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["FILLING_RULES", "LOSSY", "FillingRule"]

LOSSY = frozenset([0x00282110, 0x00282112, 0x00282114])
"""LossyImageCompression, its ratio and its method."""

_DESCRIBES_NO_PIXELS = frozenset([0x00280300, 0x00280301, 0x00280302, 0x00280303]) | LOSSY
"""Of group 0028: quality control, burned-in annotation, recognisable features, modification in time."""


@dataclass(frozen=True, slots=True)
class FillingRule:
    """Elements that the filling strategy COPY leaves out.

    Attributes
    ----------
    name : str
        Stable, as the build result shows it.
    summary : str
        Which elements, and why.
    source : str
        Where the standard says so.
    matches : callable
        Tells whether a tag falls under the rule.

    """

    name: str
    summary: str
    source: str
    matches: Callable[[int], bool]


def _group(*groups: int) -> Callable[[int], bool]:
    return lambda tag: tag >> 16 in groups


def _repeating(first: int) -> Callable[[int], bool]:
    """Match the even groups first, first + 2 ... first + 1E (repeating groups, PS3.5 section 7.6)."""
    return lambda tag: tag >> 16 in range(first, first + 0x20, 2)


def _tags(*tags: int) -> Callable[[int], bool]:
    known = frozenset(tags)
    return lambda tag: tag in known


FILLING_RULES: tuple[FillingRule, ...] = (
    FillingRule(
        "group-length",
        "Group lengths (gggg,0000): the output's groups have other lengths.",
        "PS3.5 section 7.2",
        lambda tag: tag & 0xFFFF == 0,
    ),
    FillingRule(
        "file-meta",
        "Command, file meta and directory groups, and odd groups below 0008, which no dataset may have.",
        "PS3.10 section 7.1, PS3.5 section 7.8",
        _group(*range(0x0008)),
    ),
    FillingRule(
        "character-set",
        "SpecificCharacterSet: all text is decoded, and the output declares the set that it needs.",
        "PS3.3 C.12.1.1.2",
        _tags(0x00080005),
    ),
    FillingRule(
        "instance-identity",
        "What identifies, authorises or locates the parent instance itself.",
        "PS3.3 C.12.1",
        _tags(
            *(0x00080012, 0x00080013, 0x00080014, 0x00080015, 0x00080016, 0x00080018, 0x0008001A, 0x0008001B),
            *(0x00080052, 0x00080054, 0x00080056, 0x00081190, 0x00200013, 0x00880130, 0x00880140),
            *(0x00209161, 0x00209162, 0x00209163, 0x00200242, 0x0020930F),
            *(0x01000410, 0x01000414, 0x01000420, 0x01000424, 0x01000426),
        ),
    ),
    FillingRule(
        "series-identity",
        "What identifies the parent series: the output is a new series.",
        "PS3.3 C.7.3.1",
        _tags(0x0020000E, 0x00200011, 0x00080021, 0x00080031),
    ),
    FillingRule(
        "counts",
        "How many images the parent series or study has, and the place of each among them.",
        "PS3.3 C.8.9.1, C.8.9.4; PS3.4 C.6",
        _tags(
            *(0x00201000, 0x00201002, 0x00201200, 0x00201202, 0x00201204, 0x00201206, 0x00201208, 0x00201209),
            *(0x00540081, 0x00540101, 0x00541330),
        ),
    ),
    FillingRule(
        "content-time",
        "ContentDate and ContentTime: when the parent's pixels were made.",
        "PS3.3 C.7.6.1",
        _tags(0x00080023, 0x00080033),
    ),
    FillingRule(
        "derivation",
        "ImageType, FrameType and the parent's own history and references: the output is derived anew.",
        "PS3.3 C.7.6.1.1.2, C.12.2, C.12.4",
        _tags(
            *(0x00080008, 0x00089007, 0x00081111, 0x00081115, 0x00081140, 0x0008114A, 0x00081155, 0x00081150),
            *(0x00081160, 0x00081200, 0x00082111, 0x00082112, 0x00080042, 0x00089215, 0x00089092, 0x00089121),
            *(0x00089123, 0x00089124, 0x00089154, 0x00089237, 0x0018A001),
        ),
    ),
    FillingRule(
        "patient-orientation",
        "How the patient lay, as codes: they must not stand beside PatientPosition, which the blueprints give.",
        "PS3.3 C.8.4.6, C.7.3.1",
        _tags(0x00540410, 0x00540414),
    ),
    FillingRule(
        "image-plane",
        "Where the parent's image lies and how its pixels are spaced: the encoder says so for the output.",
        "PS3.3 C.7.6.2, C.7.4.1",
        _tags(
            *(0x00180050, 0x00180088, 0x00200020, 0x00200030, 0x00200032, 0x00200035, 0x00200037, 0x00200050),
            *(0x00200052, 0x00201041, 0x00280030, 0x00280A02, 0x00280A04, 0x00181164, 0x00182010),
        ),
    ),
    FillingRule(
        "smallest-largest",
        "Smallest and largest pixel values: they are of the parent's stored values.",
        "PS3.3 C.7.6.3",
        lambda tag: 0x00280104 <= tag <= 0x00280119,  # noqa: PLR2004 - tags
    ),
    FillingRule(
        "pixel-padding",
        "PixelPaddingValue and its range limit: they are stored values of the parent.",
        "PS3.3 C.7.5.1.1.2",
        _tags(0x00280120, 0x00280121, 0x00280122),
    ),
    FillingRule(
        "rescale",
        "How the parent's stored values become real ones.",
        "PS3.3 C.11.1, C.7.6.16.2.11",
        _tags(0x00281040, 0x00281041, 0x00281052, 0x00281053, 0x00281054, 0x00283000, 0x00409096),
    ),
    FillingRule(
        "window",
        "Windows and look-up tables of the display: they fit the parent's values.",
        "PS3.3 C.11.2",
        _tags(
            *(0x00281050, 0x00281051, 0x00281055, 0x00281056, 0x00281090, 0x00283002, 0x00283003, 0x00283004),
            *(0x00283006, 0x00283010, 0x00283110, 0x20500010, 0x20500020),
        ),
    ),
    FillingRule(
        "pixel-description",
        "The rest of group 0028: it describes the parent's pixels (size, bits, colour, palettes).",
        "PS3.3 C.7.6.3",
        lambda tag: tag >> 16 == 0x0028 and tag not in _DESCRIBES_NO_PIXELS,  # noqa: PLR2004 - a group
    ),
    FillingRule(
        "multi-frame",
        "Functional groups, dimensions and frame vectors: they count the parent's frames.",
        "PS3.3 C.7.6.6, C.7.6.16, C.7.6.17",
        _tags(
            *(0x52009229, 0x52009230, 0x00209221, 0x00209222, 0x00209311, 0x00209228, 0x00181063, 0x00181065),
            *(0x00540010, 0x00540020, 0x00540030, 0x00540050, 0x00540060, 0x00540070, 0x00540080, 0x00540090),
            *(0x00540100, 0x3004000C),
        ),
    ),
    FillingRule(
        "overlays", "Overlays 60xx: drawn on the parent's pixels.", "PS3.3 C.9.2", _repeating(0x6000)
    ),
    FillingRule("curves", "Curves and audio 50xx (retired).", "PS3.3-2004 C.10", _repeating(0x5000)),
    FillingRule(
        "icon", "Icon images: small copies of the parent's pixels.", "PS3.3 C.7.6.1.1.6", _tags(0x00880200)
    ),
    FillingRule(
        "pixel-data",
        "Pixel data in all its forms, waveforms and spectroscopy data.",
        "PS3.3 C.7.6.3",
        lambda tag: tag >> 16 in {0x5400, 0x5600} or 0x7F00 <= tag >> 16 <= 0x7FFF,  # noqa: PLR2004 - groups
    ),
    FillingRule(
        "document",
        "The encapsulated document of the parent.",
        "PS3.3 C.24.2",
        _tags(*(0x00420000 | number for number in (0x10, 0x11, 0x12, 0x13, 0x14, 0x15))),
    ),
    FillingRule(
        "digital-signatures",
        "Signatures, encrypted and original attributes: they vouch for the parent's bytes only.",
        "PS3.3 C.12.1.1.3",
        _group(0x0400, 0x4FFE, 0xFFFA),
    ),
    FillingRule("padding", "Data set trailing padding.", "PS3.10 section 7.2", _group(0xFFFC)),
    FillingRule(
        "lossy-compression",
        "LossyImageCompression stays 01 once it was; ratio and method only when all parents agree.",
        "PS3.3 C.7.6.1.1.5",
        lambda tag: tag in LOSSY,
    ),
    FillingRule(
        "private",
        "Private blocks: their meaning, and what they say of the patient, is not known.",
        "PS3.5 section 7.8",
        lambda tag: bool(tag >> 16 & 1),
    ),
    FillingRule(
        "undecodable",
        "Elements whose bytes are damaged or do not fit the declared character set.",
        "PS3.5 section 6",
        lambda _: False,
    ),
    FillingRule(
        "illegal-value",
        "Values that break the rules of their VR in the parent, or that one of the instances lacks.",
        "PS3.5 section 6.2",
        lambda _: False,
    ),
    FillingRule(
        "other-iod",
        "Attributes that the IOD of the output does not have, where the parents are of another IOD.",
        "PS3.3 annex A",
        lambda _: False,
    ),
    FillingRule(
        "unpaired",
        "Values that differ between the parent instances, where the output slices are not paired with them.",
        "PS3.3 C.7.6.2",
        lambda _: False,
    ),
)
"""All rules; the first that matches a tag gives its name."""
