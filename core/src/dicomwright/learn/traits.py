"""What each tag of an example series is, and which rule makes it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from pydicom.datadict import keyword_for_tag
from pydicom.tag import BaseTag

from dicomwright.blueprint.tags import PrivateTag, sort_key
from dicomwright.learn.constants import constant_rule
from dicomwright.learn.positions import linear
from dicomwright.learn.tags import number_of, tags_of
from dicomwright.standard import modules_with

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydicom.dataelem import DataElement

    from dicomwright.explain import Explained
    from dicomwright.learn.example import Example

__all__ = ["COPIED", "KINDS", "Trait", "classify", "refused_trait"]

#: What a tag can be.
KINDS = (
    "constant",
    "patient/study context",
    "UID",
    "linear in position",
    "varying",
    "pixel-derived",
    "private",
)
_CONSTANT, _CONTEXT, _UID, _LINEAR, _VARYING, _PIXELS, _PRIVATE = KINDS
_CONTEXT_MODULES = ("Patient", "General Study", "Clinical Trial", "Visit")
_PIXEL_MODULES = frozenset({"Image Pixel", "Modality LUT", "VOI LUT", "Overlay Plane"})
_OF_PIXELS = frozenset(  # extreme values, padding, the picture of the picture, and counts of slices
    {0x00280108, 0x00280109, 0x00280120, 0x00280121, 0x00880200, 0x00541330, 0x00540081}
)
_CONTEXT_GROUPS = frozenset({0x0010, 0x0012, 0x0032, 0x0038, 0x4008})  # whatever the IOD has of them
_SITE_MODULES = frozenset({"General Equipment", "SC Equipment"})
_OF_SITE = frozenset({"SeriesNumber", "SeriesDescription"})
#: Copied if the parent has it.
COPIED = {"copy": "optional", "when-varying": "paired"}
_COPIED_IF_LEGAL = COPIED | {"copy": "usable"}
_COPIED_OR_EMPTY = {"copy-or-else": "", "when-varying": "paired", "when-unusable": "else"}
_LINE = 60
_PIXEL_GROUPS = frozenset({0x7FE0, *range(0x5000, 0x5100, 2), *range(0x6000, 0x6100, 2)})
_PERSONAL_VRS = frozenset({"PN", "DA", "TM", "DT", "AS", "LT", "ST", "UT"})  # who and when, and free text
#: Identity and dates of a new series are its own.
_NEW = {
    "SOPInstanceUID": "a new one for each instance",
    "SeriesInstanceUID": "a new one for each series",
    "SeriesDate": "the date of the build",
    "SeriesTime": "the time of the build",
    "ContentDate": "the date of the build",
    "ContentTime": "the time of the build",
    "SourceImageSequence": "a build refers to the images that it was made from",
    "InstanceNumber": "numbered anew, 1 for the first slice along the normal",
}
_CREATED = {"InstanceCreationDate": "today", "InstanceCreationTime": "time-now"}
_DERIVED = "DERIVED"


@dataclass(frozen=True)
class Trait:
    """One tag of the example, what it is, and what the draft does with it.

    Attributes
    ----------
    tag : BaseTag or PrivateTag
        The tag.
    kind : str
        One of `KINDS`.
    note : str
        Why the draft does what it does; holds no value of the example.
    rule : str or dict, optional
        The rule of the draft; None where the draft needs none.
    told : bool
        Whether a series that is built may differ from the example here.

    """

    tag: BaseTag | PrivateTag
    kind: str
    note: str
    rule: str | Mapping[str, Any] | None = field(default=None)
    told: bool = False

    @property
    def name(self) -> str:
        """The tag as blueprint files write it."""
        if isinstance(self.tag, PrivateTag):
            return str(self.tag)
        return keyword_for_tag(self.tag) or number_of(self.tag)

    def weaker(self, why: str) -> Trait:
        """Return the next weaker rule, where this one could not be kept."""
        if self.rule is not None and self.rule != _COPIED_IF_LEGAL and not isinstance(self.tag, PrivateTag):
            return replace(self, rule=_COPIED_IF_LEGAL, told=True, note=f"copied where it is legal: {why}")
        first = self.note.partition(": ")[2] if self.rule == _COPIED_IF_LEGAL else why
        return replace(self, rule=None, told=True, note=f"no rule of its own: {first}")


def classify(
    examples: list[Example],
    given: Mapping[int, Explained],
    same: frozenset[int],
    refused: Mapping[int, str],
    *,
    keep_private: bool,
) -> list[Trait]:
    """Return the trait of each tag of the examples, in order.

    Parameters
    ----------
    examples : list of Example
        Series of one kind.
    given : mapping of int to Explained
        What the IOD's blueprint and the encoder make by themselves.
    same : frozenset of int
        Which of those tags have the values of the first example.
    refused : mapping of int to str
        Which tags the IOD's blueprint would not copy, and why.
    keep_private : bool
        Whether private elements are copied.

    """
    tags = {tag for example in examples for one in example.parents for tag in tags_of(one)}
    tags.update(tag for example in examples for tag in example.behind)
    found = _Classifier(examples, given, same, refused, keep_private=keep_private)
    return [found.of_tag(tag) for tag in sorted(tags, key=sort_key)]


@dataclass(frozen=True)
class _Classifier:
    """Classifies the tags of example series."""

    examples: list[Example]
    given: Mapping[int, Explained]
    same: frozenset[int]
    refused: Mapping[int, str]
    keep_private: bool

    def of_tag(self, tag: BaseTag | PrivateTag) -> Trait:
        """Return the trait of a tag."""
        if any(tag in example.behind for example in self.examples):
            kind = _PIXELS if isinstance(tag, BaseTag) and not tag.is_private else _PRIVATE
            return Trait(
                tag, kind, "left out; it stands behind the pixels, where parents are not read", told=True
            )
        if not isinstance(tag, PrivateTag):
            no_creator = "left out; it has no creator"
            return Trait(tag, _PRIVATE, no_creator, told=True) if tag.is_private else self.trait(int(tag))
        if not self.keep_private:
            return Trait(tag, _PRIVATE, "left out; --keep-private copies it", told=True)
        return Trait(tag, _PRIVATE, "copied from the paired instance", COPIED)

    def trait(self, number: int) -> Trait:
        """Return the trait of an ordinary tag."""
        tag, kind, keyword = BaseTag(number), self.kind(number), keyword_for_tag(number)
        if keyword in _CREATED:
            return Trait(tag, kind, "when the new instance is made", {"series": _CREATED[keyword]}, told=True)
        if keyword in _NEW:
            return Trait(tag, kind, _NEW[keyword], told=True)
        row = self.given.get(number)
        if row is not None and row.layer.startswith("encoder") and "default" not in row.layer:
            return Trait(tag, kind, "made by the encoder from the volume", told=number not in self.same)
        if number in self.same and row is not None and number not in self.refused:
            return Trait(tag, kind, f"{self.of(row)} has the rule already: {_short(row.rule)}")
        return self.ruled(tag, kind)

    def ruled(self, tag: BaseTag, kind: str) -> Trait:
        """Return the trait of a tag that the draft has a rule for."""
        number = int(tag)
        if keyword_for_tag(number) == "ImageType" and not self.is_derived():
            return Trait(tag, kind, "what is built from it is derived, and says so", told=True)
        if kind == _PIXELS:
            return Trait(tag, kind, "follows from the pixels; left to the encoder", told=True)
        if number in self.refused:
            return refused_trait(tag, kind, self.refused[number])
        if kind == _CONSTANT and self.alike(number) and _is_of_site(number):
            element = self.element(number)
            rule = None if element is None else constant_rule(element)
            if rule is not None:
                return Trait(tag, kind, self.everywhere(), rule)
        return self.copied(tag, kind)

    def copied(self, tag: BaseTag, kind: str) -> Trait:
        """Return the trait of a tag that is copied."""
        number = int(tag)
        if self.varies(number):
            note = "copied from the paired instance"
        elif kind == _CONSTANT and self.alike(number):
            note = f"{self.everywhere()}; says how the parent was made"
        else:
            note = "copied from the parent"
        found = [one for example in self.examples for one in example.elements(number) if one is not None]
        if self.keep_private or not any(one.VR == "SQ" for one in found):
            return Trait(tag, kind, note, COPIED)
        loses = any(one.is_empty or _has_private(one) for one in found)
        return Trait(tag, kind, f"{note}, without its private elements", _COPIED_IF_LEGAL, told=loses)

    def of(self, row: Explained) -> str:
        """Return who gives a rule."""
        return self.examples[0].base if row.layer == "blueprint" else row.layer

    def kind(self, number: int) -> str:
        """Return what a tag is."""
        element = self.element(number)
        modules = modules_with(number)
        is_varying = self.varies(number)
        if _is_of_pixels(number, modules) and not (_is_window(number) and not is_varying):
            return _PIXELS
        if element is not None and element.VR == "UI":
            return _UID
        if _is_context(number, modules) and not is_varying:
            return _CONTEXT
        if is_varying:
            return _LINEAR if linear(self.examples, number) else _VARYING
        is_personal = element is not None and (element.VR in _PERSONAL_VRS or _is_an_id(element))
        return _CONTEXT if is_personal else _CONSTANT

    def element(self, number: int) -> DataElement | None:
        """Return an element of the first instance that has it."""
        every = (one for example in self.examples for one in example.elements(number))
        return next((one for one in every if one is not None), None)

    def varies(self, number: int) -> bool:
        """Tell whether instances of one series differ."""
        return any(example.varies(number) for example in self.examples)

    def alike(self, number: int) -> bool:
        """Tell whether all examples have the same value."""
        elements = [example.element(number) for example in self.examples]
        return all(element is not None and element == elements[0] for element in elements)

    def everywhere(self) -> str:
        """Say where a value was found."""
        count = sum(len(example.parents) for example in self.examples)
        series = "" if len(self.examples) == 1 else f" of {len(self.examples)} series"
        return f"the same in all {count} instances{series}"

    def is_derived(self) -> bool:
        """Tell whether the examples are derived images themselves."""
        element = self.element(0x00080008)
        return element is not None and not self.varies(0x00080008) and _DERIVED in (element.value or ())


def refused_trait(tag: BaseTag, kind: str, why: str) -> Trait:
    """Return the trait of a tag that the blueprint of the IOD would not copy from the example."""
    return Trait(tag, kind, f"copied where it is legal, else empty: {why}", _COPIED_OR_EMPTY, told=True)


def _has_private(sequence: DataElement) -> bool:
    """Tell whether there are private elements in a sequence, at any depth."""
    return any(
        tag.is_private or (item[tag].VR == "SQ" and _has_private(item[tag]))
        for item in sequence.value
        for tag in item.keys()  # noqa: SIM118  # pydicom's items would be decoded
    )


def _is_context(number: int, modules: tuple[str, ...]) -> bool:
    """Tell whether a tag belongs to the patient, the study or the trial."""
    return number >> 16 in _CONTEXT_GROUPS or any(module.startswith(_CONTEXT_MODULES) for module in modules)


def _is_of_pixels(number: int, modules: tuple[str, ...]) -> bool:
    return number >> 16 in _PIXEL_GROUPS or number in _OF_PIXELS or not _PIXEL_MODULES.isdisjoint(modules)


def _is_of_site(number: int) -> bool:
    """Tell whether a tag names a series or equipment, rather than the patient or how the parent was acquired."""
    return keyword_for_tag(number) in _OF_SITE or not _SITE_MODULES.isdisjoint(modules_with(number))


def _is_window(number: int) -> bool:
    return number in (0x00281050, 0x00281051, 0x00281055, 0x00281056)


def _is_an_id(element: DataElement) -> bool:
    """Tell whether an element is a number that an institution gave to something of this examination."""
    keyword = str(element.keyword)
    return (
        element.VR in {"SH", "LO"} and keyword != "DeviceSerialNumber" and keyword.endswith(("ID", "Number"))
    )


def _short(text: str) -> str:
    """Return a rule as it fits a line."""
    return text if len(text) <= _LINE else f"{text[: _LINE - 3]}..."
