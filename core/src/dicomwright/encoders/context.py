"""Derived-image context: what an image says of the images that it was made from (PS3.3 C.12.2, C.12.4)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dicomwright._dataclass import dataclass
from dicomwright.blueprint.blueprint import Blueprint
from dicomwright.blueprint.copying import CopyElement, CopyOrElseElement, InstanceCopyElement
from dicomwright.blueprint.elements import SequenceElement, StaticElement
from dicomwright.encoders.elements import ready
from dicomwright.errors import BlueprintError
from dicomwright.parents.checks import text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dicomwright.blueprint.elements import VirtualElement
    from dicomwright.parents import ParentSeries
    from dicomwright.standard import Iod

__all__ = ["Derivation", "derived_context"]

_SOP_CLASS, _SOP_INSTANCE, _STUDY, _SERIES = 0x00080016, 0x00080018, 0x0020000D, 0x0020000E
_ROWS = 0x00280010
_SOURCES = "SourceImageSequence"
_CODE_PARTS = 3
_UID = re.compile(r"(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*))*")
_LONGEST_UID = 64
#: CID 7202, the default purpose of reference of a source image.
SOURCE_IMAGE = ("121322", "DCM", "Source image for image processing operation")


@dataclass(frozen=True)
class Derivation:
    """What the user says of how the images were made.

    Examples
    --------
    >>> from dicomwright import Derivation
    >>> Derivation.of("Lung nodules, threshold 0.5").description
    'Lung nodules, threshold 0.5'
    >>> Derivation(codes=(("113076", "DCM", "Segmentation"),), algorithm="NoduleNet", algorithm_version="2.1").codes
    (('113076', 'DCM', 'Segmentation'),)

    Attributes
    ----------
    description : str
        DerivationDescription (0008,2111).
    codes : tuple of (value, scheme, meaning)
        DerivationCodeSequence (0008,9215), from CID 7203.
    algorithm, algorithm_version, manufacturer : str
        An item of ContributingEquipmentSequence (0018,A001). Without a manufacturer the algorithm's name stands
        for it, as Manufacturer is type 1 there.

    """

    description: str = ""
    codes: tuple[tuple[str, ...], ...] = ()
    algorithm: str = ""
    algorithm_version: str = ""
    manufacturer: str = ""

    def __post_init__(self) -> None:
        for code in self.codes:
            if len(code) != _CODE_PARTS or not all(code):
                raise BlueprintError(
                    f"derivation code {code!r} is not value, scheme and meaning",
                    hint="as ('113076', 'DCM', 'Segmentation'), --derivation-code 113076,DCM,Segmentation",
                    kind="derivation",
                )

    @classmethod
    def of(cls, given: Derivation | str | None) -> Derivation:
        """Return a derivation from what a caller may have: a text is its description."""
        if isinstance(given, Derivation):
            return given
        return cls(description=given or "")


def derived_context(
    iod: Iod,
    parents: ParentSeries | None,
    pairs: Sequence[int | None] | None,
    blueprint: Blueprint,
    derivation: Derivation,
) -> Blueprint:
    """Return the elements that name the sources of derived images, weaker than the user's blueprint.

    An instance refers to the parent instance that it is paired with; instances without a pairing refer to all of
    the parents. ReferencedSeriesSequence, or StudiesContainingOtherReferencedInstancesSequence where the output
    has another study, holds the same instances and no other (PS3.3 C.12.2).

    Parameters
    ----------
    iod : Iod
        Of the output; what it does not have is left out.
    parents : ParentSeries, optional
        The sources.
    pairs : sequence of int, optional
        For each instance the index of its parent.
    blueprint : Blueprint
        The user's; it tells whether the study is the parents'.
    derivation : Derivation
        What the user says.

    """
    context = Blueprint()
    if iod.module("general-reference") is not None:
        for element in _described(derivation):
            context.add_virtual_element(element)
        instances = None if parents is None else _references(parents, pairs)
        if instances and parents is not None:
            purpose = SequenceElement("PurposeOfReferenceCodeSequence", [_code(*SOURCE_IMAGE)])
            sources = [Blueprint([*instance, purpose]) for instance in instances]
            context.add_virtual_element(SequenceElement(_SOURCES, sources))
            if _SOURCES in blueprint:
                instances = _own_references(blueprint[_SOURCES], parents)
            for element in _common_instance_reference(iod, parents, instances, blueprint):
                context.add_virtual_element(element)
    return _owned(context)


def _described(derivation: Derivation) -> Iterator[VirtualElement]:
    """Give what the user says of the derivation."""
    if derivation.description:
        yield StaticElement("DerivationDescription", "ST", derivation.description)
    if derivation.codes:
        yield SequenceElement("DerivationCodeSequence", [_code(*code) for code in derivation.codes])


def _code(value: str, scheme: str, meaning: str) -> Blueprint:
    """Return a code (PS3.3 table 8.8-1); values longer than 16 characters go to LongCodeValue."""
    short = len(value) <= 16  # noqa: PLR2004 - PS3.3 section 8.1
    return Blueprint(
        [
            StaticElement("CodeValue", "SH", value) if short else StaticElement("LongCodeValue", "UC", value),
            StaticElement("CodingSchemeDesignator", "SH", scheme),
            StaticElement("CodeMeaning", "LO", meaning),
        ]
    )


def _references(
    parents: ParentSeries, pairs: Sequence[int | None] | None
) -> list[tuple[VirtualElement, VirtualElement]]:
    """Return the references of an instance: one that varies, or one for each parent; none if parents lack UIDs."""
    classes = [text(dataset, _SOP_CLASS) for dataset in parents]
    uids = [text(dataset, _SOP_INSTANCE) for dataset in parents]
    images = all(text(dataset, _ROWS) for dataset in parents)
    if not images or not all(map(_is_uid, (*classes, *uids))):
        return []
    if pairs is not None and None not in pairs:
        indices = [index for index in pairs if index is not None]
        return [
            (
                ready("ReferencedSOPClassUID", "UI", [classes[index] for index in indices]),
                ready("ReferencedSOPInstanceUID", "UI", [uids[index] for index in indices]),
            )
        ]
    return [
        (
            StaticElement("ReferencedSOPClassUID", "UI", sop_class),
            StaticElement("ReferencedSOPInstanceUID", "UI", uid),
        )
        for sop_class, uid in zip(classes, uids, strict=True)
    ]


def _own_references(
    sources: VirtualElement, parents: ParentSeries
) -> list[tuple[VirtualElement, VirtualElement]]:
    """Return those parents that the blueprint's own SourceImageSequence names; of others the series is not known."""
    items = getattr(sources, "blueprints", ())
    named = {_fixed(item, "ReferencedSOPInstanceUID") for item in items}
    return [
        reference for reference in _references(parents, None) if getattr(reference[1], "value", "") in named
    ]


def _fixed(item: Blueprint, keyword: str) -> str:
    """Return the value that a blueprint fixes, empty if it does not."""
    element = item[keyword] if keyword in item else None  # noqa: SIM401 - a blueprint has no get
    return str(element.value) if isinstance(element, StaticElement) else ""


def _common_instance_reference(
    iod: Iod,
    parents: ParentSeries,
    instances: list[tuple[VirtualElement, VirtualElement]],
    blueprint: Blueprint,
) -> Iterator[VirtualElement]:
    """Give the Common Instance Reference module (PS3.3 C.12.2)."""
    study, series = text(parents.first, _STUDY), text(parents.first, _SERIES)
    if not instances or iod.module("common-instance-reference") is None or not _is_uid(series):
        return
    item = Blueprint(
        [
            StaticElement("SeriesInstanceUID", "UI", series),
            SequenceElement("ReferencedInstanceSequence", [Blueprint(instance) for instance in instances]),
        ]
    )
    referenced = SequenceElement("ReferencedSeriesSequence", [item])
    if _same_study(study, blueprint):
        yield referenced
    elif _is_uid(study):
        other = Blueprint([StaticElement("StudyInstanceUID", "UI", study), referenced])
        yield SequenceElement("StudiesContainingOtherReferencedInstancesSequence", [other])


def _same_study(study: str, blueprint: Blueprint) -> bool:
    """Tell whether the output is in the parents' study."""
    if _STUDY not in blueprint:
        return True
    element = blueprint[_STUDY]
    if isinstance(element, StaticElement):
        return str(element.value) == study
    return isinstance(element, CopyElement | CopyOrElseElement | InstanceCopyElement)


def _is_uid(value: str) -> bool:
    """Tell whether a text is a UID; parents may hold anything."""
    return len(value) <= _LONGEST_UID and _UID.fullmatch(value) is not None


def _owned(blueprint: Blueprint) -> Blueprint:
    """Name the origin of the elements at every level."""
    for element in blueprint:
        element.origin = "derivation"
        for item in getattr(element, "blueprints", ()):
            _owned(item)
    return blueprint
