"""Conditions that are decided by hand, because their texts speak of more than presence and values.

Each function answers for one attribute (or module, or macro). It returns `Decision.UNDECIDED` whenever the
answer depends on the patient, the scanner or the intention, which nothing in the object shows.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from dicomwright.standard.condition_language import any_of
from dicomwright.standard.iods import load
from dicomwright.standard.lookup import sop_classes
from dicomwright.standard.situation import PER_FRAME_GROUPS, SHARED_GROUPS, UNKNOWN, Decision, Situation, View

__all__ = ["ATTRIBUTES", "GROUPS", "MODULES", "Special"]

#: None means that the text is to be read instead.
Special = Callable[[Situation], Decision | None]
YES, NO, UNDECIDED = Decision.REQUIRED, Decision.NOT_REQUIRED, Decision.UNDECIDED

_ONCE = """
ABDOMEN ABDOMENPELVIS AORTA BLADDER BRAIN CHEST CHESTABDOMEN CHESTABDPELVIS COCCYX COLON CSPINE CTSPINE
DUODENUM ESOPHAGUS GALLBLADDER HEAD HEADNECK HEART ILEUM JEJUNUM LARYNX LIVER LSPINE LSSPINE MEDIASTINUM
NECK NECKCHEST NECKCHESTABDOMEN NECKCHESTABDPELV PANCREAS PELVIS PENIS PHARYNX PROSTATE RECTUM SACRUM
SKULL SPINE SPLEEN SSPINE STERNUM STOMACH TLSPINE TRACHEA TSPINE UTERUS VAGINA WHOLEBODY
"""
_TWICE = """
ANKLE ARM AXILLA BREAST CALCANEUS CALF CLAVICLE EAR ELBOW EXTREMITY EYE FEMUR FINGER FOOT FOREARM HAND
HIP HUMERUS KIDNEY KNEE LEG PATELLA SCAPULA SHOULDER THIGH THUMB TOE ULNA WRIST
"""
#: PS3.16 annex L: parts of the body that exist once, and those that exist on either side.
UNPAIRED, PAIRED = frozenset(_ONCE.split()), frozenset(_TWICE.split())
_LYING = "ct-image mr-image enhanced-ct-image enhanced-mr-image enhanced-mr-color-image mr-spectroscopy"
#: PS3.3 section C.7.3: IODs whose objects say how the patient lies.
POSITIONED = frozenset(_LYING.split())
#: Code Value, Long Code Value and URN Code Value.
CODE_VALUES = (0x00080100, 0x00080119, 0x00080120)
#: PS3.16 section 8: coding schemes whose codes never change their meaning.
VERSIONLESS = frozenset({"DCM", "SCT", "SRT", "UCUM", "LN", "FMA"})
GATING, SCAN_OPTIONS = {"CG", "PPG"}, {"PER", "RG", "CG", "PPG", "FC", "PFF", "PFP", "SP", "FS"}
SEGMENTATIONS = frozenset({"segmentation", "surface-segmentation", "height-map-segmentation"})
PLANE_GROUPS = {
    "pixel-measures": 0x00289110,
    "plane-position-patient": 0x00209113,
    "plane-orientation-patient": 0x00209116,
}


def values_of(situation: Situation, tag: int) -> list[Any] | None:
    """Return the values as a list; None if they are not known."""
    value = situation.value(tag)
    if value is UNKNOWN:
        return None
    values = [] if value is None else list(value) if isinstance(value, list | tuple) else [value]
    return None if UNKNOWN in values else values


def never(_situation: Situation) -> Decision:
    """Answer for what other kinds of software do: retrieve by frame, convert for a query, encrypt."""
    return NO


def if_true(truth: bool | None, otherwise: Decision = NO) -> Decision:
    """Turn a truth into a decision."""
    if truth is None:
        return UNDECIDED
    return YES if truth else otherwise


def patient_position(situation: Situation) -> Decision:
    """(0018,5100), PS3.3 C.7.3: not beside Patient Orientation Code Sequence, else for CT and MR."""
    coded = situation.present(0x00540410)
    if coded:
        return Decision.FORBIDDEN
    if situation.iod.key not in POSITIONED:
        return NO
    return UNDECIDED if coded is None else YES


def laterality(situation: Situation) -> Decision:
    """(0020,0060), PS3.3 C.7.3: for paired parts of the body without a laterality of image or frame."""
    parts = values_of(situation, 0x00180015)
    other = any_of([situation.present(tag) for tag in (0x00200062, 0x00209072, 0x00240113)])
    if other or (parts and str(parts[0]) in UNPAIRED):
        return NO
    return YES if other is False and parts and str(parts[0]) in PAIRED else UNDECIDED


def patient_orientation(situation: Situation) -> Decision:
    """(0020,0020), PS3.3 C.7.6.1: for images whose IOD does not demand position and orientation."""
    plane = situation.iod.module("image-plane")
    if plane is not None and plane.usage == "M":
        return NO
    placed = [situation.present(tag) for tag in (0x00200032, 0x00200037, 0x00480102)]
    if situation.iod.macros:
        placed = [situation.group_has(PLANE_GROUPS["plane-position-patient"])]
    return YES if any_of(placed) is False else UNDECIDED


def defined_protocol(situation: Situation) -> Decision:
    """(0018,990C), PS3.3 C.12.1: for performed procedure protocols."""
    return UNDECIDED if "performed-procedure-protocol" in situation.iod.key else NO


def of_an_animal(situation: Situation) -> Decision:
    """PS3.3 C.7.1.1: an animal has a species; without one the patient is human."""
    species = any_of([situation.present(tag) for tag in (0x00102201, 0x00102202)])
    return NO if species is False else UNDECIDED


def species(situation: Situation, other: int) -> Decision:
    """(0010,2201) and (0010,2202): one of them if the patient is an animal."""
    return NO if situation.present(other) else UNDECIDED


def pixel_aspect_ratio(situation: Situation) -> Decision:
    """(0028,0034), PS3.3 C.7.6.3: not where a pixel spacing is."""
    spaced = any_of([situation.present(tag) for tag in (0x00280030, 0x00181164, 0x00182010)])
    measures = situation.iod.macro("pixel-measures")
    if spaced or (measures is not None and (measures.usage == "M" or situation.group_has(0x00289110))):
        return NO
    return UNDECIDED


def pixel_padding_range_limit(situation: Situation) -> Decision:
    """(0028,0121), PS3.3 C.7.6.3: only the user can want a range; it needs a padding value."""
    return NO if situation.present(0x00280120) is False else UNDECIDED


def extended_offset_table_lengths(situation: Situation) -> Decision:
    """(7FE0,0002), PS3.3 C.7.6.3: only beside an extended offset table."""
    return NO if situation.present(0x7FE00001) is False else UNDECIDED


def repetition_time(situation: Situation) -> Decision:
    """(0018,0080), PS3.3 C.8.3.1: unless echo planar and not segmented k-space."""
    sequences, variants = values_of(situation, 0x00180020), values_of(situation, 0x00180021)
    if (variants and "SK" in variants) or (sequences and "EP" not in sequences):
        return YES
    return NO if sequences and variants is not None else UNDECIDED


def inversion_time(situation: Situation) -> Decision:
    """(0018,0082), PS3.3 C.8.3.1: for inversion recovery."""
    sequences = values_of(situation, 0x00180020)
    return if_true(None if sequences is None else "IR" in sequences)


def trigger_time(situation: Situation) -> Decision:
    """(0018,1060) of MR, PS3.3 C.8.3.1: for scan options that include heart gating."""
    options = values_of(situation, 0x00180022)
    if options is None:
        return UNDECIDED
    if GATING & set(options):
        return YES
    return NO if set(options) <= SCAN_OPTIONS else UNDECIDED


def lossy_image_compression(situation: Situation) -> Decision:
    """(0028,2110), PS3.3 C.7.6.1.1.5: once lossy, a ratio or method is there."""
    told = any_of([situation.present(tag) for tag in (0x00282112, 0x00282114)])
    return YES if told else UNDECIDED


def ct_rescale_type(situation: Situation) -> Decision:
    """(0028,1054) of CT, PS3.3 C.8.2.1: for multi-energy images; else it depends on what the values mean."""
    energies = values_of(situation, 0x00189361)
    return YES if energies and energies[0] == "YES" else UNDECIDED


def needs_derivation_code(situation: Situation) -> Decision:
    """(0018,9353), PS3.3 C.8.2.1: only with a derivation code."""
    return NO if situation.present(0x00089215) is False else UNDECIDED


def per_frame_groups(situation: Situation) -> Decision:
    """(5200,9230), PS3.3 C.7.6.16: Frame Content is never shared; where it is mandatory there are items."""
    content = situation.iod.macro("frame-content")
    return YES if content is not None and content.usage == "M" else UNDECIDED


def concatenation_uid(situation: Situation) -> Decision:
    """(0020,9161), PS3.3 C.7.6.16: a part of a concatenation has a number in it."""
    return if_true(situation.present(0x00209162))


def evidence(situation: Situation, reference: int, inside: int = 0) -> Decision:
    """Evidence sequences, PS3.3 C.8.13.1: for every image that a functional group refers to."""
    found = [_has_items(situation.root, reference)]
    for sequence in (SHARED_GROUPS, PER_FRAME_GROUPS):
        groups = (
            _items(_items([situation.root], sequence), inside)
            if inside
            else _items([situation.root], sequence)
        )
        found += [None] if groups is None else [_has_items(group, reference) for group in groups]
    return if_true(any_of(found))


def _items(views: list[View] | None, tag: int) -> list[View] | None:
    """Return the items of a sequence in each of the views; None if some are not known."""
    lists = [view.items(tag) for view in views or ()]
    if views is None or None in lists:
        return None
    return [item for items in lists for item in items or ()]


def _has_items(view: View, tag: int) -> bool | None:
    items = view.items(tag)
    return None if items is None else bool(items)


def code_value(situation: Situation, own: int) -> Decision:
    """PS3.3 table 8.8-1: a code has one of three forms; the short one unless another is there."""
    others = any_of([situation.here.present(tag) for tag in CODE_VALUES if tag != own])
    if others:
        return NO
    return YES if others is False and own == CODE_VALUES[0] else UNDECIDED


def coding_scheme_version(situation: Situation) -> Decision:
    """(0008,0103), PS3.3 table 8.8-1: only with a designator, and not for schemes that never change."""
    if situation.here.present(0x00080102) is False:
        return Decision.FORBIDDEN
    schemes = values_of(situation, 0x00080102)
    return NO if schemes and str(schemes[0]) in VERSIONLESS else UNDECIDED


def _referenced_iod(situation: Situation) -> str:
    uids = values_of(situation, 0x00081150)
    return next((row.iod for row in sop_classes() if uids and row.uid == str(uids[0])), "")


def referenced_frame_number(situation: Situation) -> Decision:
    """(0008,1160), PS3.3 table 10-3: only for frames of a multi-frame image."""
    key = _referenced_iod(situation)
    if situation.here.present(0x0062000B):
        return NO
    several = any("multi-frame" in module.key for module in load(key).modules) if key else True
    return UNDECIDED if several else NO


def referenced_segment_number(situation: Situation) -> Decision:
    """(0062,000B), PS3.3 table 10-3: only for segments of a segmentation."""
    key = _referenced_iod(situation)
    if situation.here.present(0x00081160):
        return NO
    return NO if key and key not in SEGMENTATIONS else UNDECIDED


def referenced_waveform_channels(situation: Situation) -> Decision:
    """(0040,A0B0): only for channels of a waveform."""
    key = _referenced_iod(situation)
    return NO if key and load(key).module("waveform") is None else UNDECIDED


def functional_group_pointer(situation: Situation) -> Decision:
    """(0020,9167), PS3.3 C.7.6.17: if the dimension is an attribute of a functional group."""
    pointers = values_of(situation, 0x00209165)
    if not pointers:
        return UNDECIDED
    places = [found.path for found in situation.iod.places(int(pointers[0]))]
    if not places:
        return UNDECIDED
    inside = [path[:1] in ((SHARED_GROUPS,), (PER_FRAME_GROUPS,)) for path in places]
    return YES if all(inside) else NO if not any(inside) else UNDECIDED


def private_creator(situation: Situation, pointer: int) -> Decision:
    """(0020,9213) and (0020,9238): if the pointer is a private tag."""
    pointers = values_of(situation, pointer)
    if not pointers:
        return NO if situation.here.present(pointer) is False else UNDECIDED
    return if_true(bool(int(pointers[0]) >> 16 & 1))


def hl7_instance_identifier(situation: Situation) -> Decision:
    """(0040,E001), PS3.3 C.24.2: for CDA documents."""
    return YES if situation.iod.key == "encapsulated-cda" else NO


def content_template_sequence(situation: Situation) -> Decision:
    """(0040,A504) at the top level: only beside content."""
    return NO if situation.present(0x0040A730) is False else UNDECIDED


def pixel_spacing_calibrated(situation: Situation) -> Decision:
    """(0028,0030) of secondary capture, PS3.3 10.7: a calibration has a type."""
    return YES if situation.present(0x00280A02) else UNDECIDED


def frame_increment_pointer(situation: Situation) -> Decision:
    """(0028,0009) of multi-frame secondary capture, PS3.3 C.8.6.3: for more than one frame."""
    frames = values_of(situation, 0x00280008)
    return if_true(None if frames is None else bool(frames) and int(frames[0]) > 1)


def other_plane_groups(situation: Situation, own: str) -> Decision | None:
    """Plane groups of multi-frame secondary capture, PS3.3 A.8: where one is, all three are."""
    if "secondary-capture" not in situation.iod.key:
        return None
    tags = [tag for key, tag in PLANE_GROUPS.items() if key != own]
    return if_true(any_of([situation.group_has(tag) for tag in tags]))


def frame_of_reference(situation: Situation) -> Decision | None:
    """Frame of Reference of secondary capture: where the planes have a place in the patient."""
    if "secondary-capture" not in situation.iod.key:
        return None
    if situation.iod.macros:
        return other_plane_groups(situation, "")
    return YES if situation.present(0x00200032) else UNDECIDED


def contrast(situation: Situation, agent: int) -> Decision:
    """Contrast modules: an agent that is named was used."""
    return YES if situation.present(agent) else UNDECIDED


ANIMAL = (0x00102210, 0x00102292, 0x00102293, 0x00102294, 0x00102297, 0x00102299)

#: By tag, and module where the same tag has other conditions in other modules.
ATTRIBUTES: dict[tuple[int, str], Special] = {
    **{(tag, ""): of_an_animal for tag in ANIMAL},
    (0x00102201, ""): partial(species, other=0x00102202),
    (0x00102202, ""): partial(species, other=0x00102201),
    (0x00185100, "general-series"): patient_position,
    (0x00200060, "general-series"): laterality,
    (0x00200020, "general-image"): patient_orientation,
    (0x00280034, "image-pixel"): pixel_aspect_ratio,
    (0x00280121, "image-pixel"): pixel_padding_range_limit,
    (0x00287FE0, "image-pixel"): never,
    (0x7FE00002, "image-pixel"): extended_offset_table_lengths,
    (0x00080053, "sop-common"): never,
    (0x0018990C, "sop-common"): defined_protocol,
    (0x04000500, "sop-common"): never,
    (0x003A0300, "cine"): never,
    (0x00180080, "mr-image"): repetition_time,
    (0x00180082, "mr-image"): inversion_time,
    (0x00181060, "mr-image"): trigger_time,
    (0x00282110, "pet-image"): lossy_image_compression,
    (0x00282110, "nm-image"): lossy_image_compression,
    (0x00281054, "ct-image"): ct_rescale_type,
    (0x00189353, "ct-image"): needs_derivation_code,
    (0x52009230, ""): per_frame_groups,
    (0x00209161, ""): concatenation_uid,
    (0x00089092, ""): partial(evidence, reference=0x00081140),
    (0x00089154, ""): partial(evidence, reference=0x00082112, inside=0x00089124),
    **{(tag, ""): partial(code_value, own=tag) for tag in CODE_VALUES},
    (0x00080103, ""): coding_scheme_version,
    (0x00081160, ""): referenced_frame_number,
    (0x0062000B, ""): referenced_segment_number,
    (0x0040A0B0, ""): referenced_waveform_channels,
    (0x00209167, ""): functional_group_pointer,
    (0x00209213, ""): partial(private_creator, pointer=0x00209165),
    (0x00209238, ""): partial(private_creator, pointer=0x00209167),
    (0x0040E001, "encapsulated-document"): hl7_instance_identifier,
    (0x0040A504, "encapsulated-document"): content_template_sequence,
    (0x00280030, "sc-image"): pixel_spacing_calibrated,
    (0x00280030, "sc-multi-frame-image"): pixel_spacing_calibrated,
    (0x00280009, "sc-multi-frame-image"): frame_increment_pointer,
}

#: By key of a conditional module.
MODULES: dict[str, Special] = {
    "frame-extraction": never,
    "frame-of-reference": frame_of_reference,
    "contrast-bolus": partial(contrast, agent=0x00180010),
    "enhanced-contrast-bolus": partial(contrast, agent=0x00180012),
}

#: By key of a conditional functional group macro.
GROUPS: dict[str, Special] = {key: partial(other_plane_groups, own=key) for key in PLANE_GROUPS}
