"""From rules to nodes: every element is resolved once, checked, and given its final tag."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from pydicom.dataelem import DataElement
from pydicom.tag import BaseTag, Tag

from dicomwright.blueprint.copying import CopyElement, CopyOrElseElement, InstanceCopyElement
from dicomwright.blueprint.elements import BulkElement, SequenceElement, StaticElement
from dicomwright.blueprint.resolution import OMIT, EncodedElement, Items, Level, PerInstance
from dicomwright.blueprint.tags import IDENTITY, PrivateTag, describe
from dicomwright.blueprint.values import checker, normaliser
from dicomwright.engine.private import Blocks, is_creator, is_private_data, orphans, symbolic
from dicomwright.engine.rules import Layer, Rule, merge
from dicomwright.errors import DicomwrightError, Problem
from dicomwright.parents.copying import fresh_element
from dicomwright.payload.decimal_string import ds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from dicomwright.blueprint.elements import VirtualElement
    from dicomwright.blueprint.environment import SeriesEnvironment
    from dicomwright.blueprint.tags import AnyTag
    from dicomwright.engine.request import Check
    from dicomwright.uids import BuildUids

__all__ = ["Node", "Resolver"]

_COPIES = (CopyElement, CopyOrElseElement, InstanceCopyElement)
_LOWEST_TAG = 0x00080000  # below are command, file meta and media directory groups
_DELIMITERS = 0xFFFE
_INSTANCE_NUMBER = 0x00200013  # pairs instances without geometry
_IS_END = 2**31
_DS_LENGTH = 16


@dataclass(slots=True)
class Node:
    """One element of the output: a constant value, a value for each instance, or items.

    Attributes
    ----------
    tag : pydicom.tag.BaseTag
        The tag in the output, private blocks allocated.
    vr : str
        Its VR.
    rule : Rule
        Where it comes from.
    value : Any
        The constant value, as pydicom takes it.
    varying : PerInstance, optional
        How the value of an instance is made.
    items : list of list of Node, optional
        The items of a sequence that is described by blueprints.

    """

    tag: BaseTag
    vr: str
    rule: Rule
    value: Any = None
    varying: PerInstance | None = None
    items: list[list[Node]] | None = None

    @property
    def is_bulk(self) -> bool:
        """Whether the value goes to the file uncopied."""
        return isinstance(self.rule.element, BulkElement)

    @property
    def varies(self) -> bool:
        """Whether instances differ."""
        return self.varying is not None or any(node.varies for item in self.items or () for node in item)


class Resolver:
    """Resolves rules into nodes and collects everything that is wrong.

    Parameters
    ----------
    env : SeriesEnvironment
        What elements may look at.
    creators : mapping
        Private creators of the parent, group → block → creator.
    uids : BuildUids
        Where UIDs come from.
    check : Check, optional
        Asked once, when all is known but what follows from the pixels.

    """

    def __init__(
        self,
        env: SeriesEnvironment,
        creators: Mapping[int, Mapping[int, str]],
        uids: BuildUids,
        check: Check | None = None,
    ) -> None:
        self.env = env
        self.creators = creators
        self.uids = uids
        self.check = check
        self.problems: list[Problem] = []
        self.errors: list[DicomwrightError] = []
        self.warnings = env.warnings

    def nodes(self, rules: list[Rule], path: str = "") -> list[Node]:
        """Return the nodes of one dataset in tag order; problems are added to `problems`."""
        rules = [self._by_creator(rule) for rule in rules]
        found: list[tuple[AnyTag, Node]] = []
        early = [rule for rule in rules if not self._touches_pixels(rule)]
        late = [rule for rule in rules if self._touches_pixels(rule)]
        wrong = [rule.tag for rule in early if self._fails(rule, path, found)]
        if self.check is not None and not path:
            tags = [*wrong, *(rule.tag for rule in late)]
            unknown = frozenset(int(tag) for tag in tags if not isinstance(tag, PrivateTag))
            self.problems.extend(
                self.check(rules, [node for tag, node in found if tag not in wrong], unknown)
            )
        for rule in late if not self.problems else ():
            if self._fails(rule, path, found):
                break  # the next would look at the same pixels
        nodes = self._placed(found)
        return sorted(nodes, key=lambda node: int(node.tag))

    def _fails(self, rule: Rule, path: str, found: list[tuple[AnyTag, Node]]) -> bool:
        """Resolve a rule, add its node, and tell whether it has a problem."""
        before = len(self.problems)
        node = self._resolve(rule, path)
        if node is not None:
            found.append((rule.tag, node))
        return len(self.problems) > before

    def _touches_pixels(self, rule: Rule) -> bool:
        """Tell whether an element looks at the pixels; UIDs that are derived from the content do."""
        element = rule.element
        derived = self.uids.of_content and element.vr == "UI" and element.level is Level.SERIES
        return element.touches_pixels or derived

    def _by_creator(self, rule: Rule) -> Rule:
        """Name a private element that is copied by its creator, so that its block may move."""
        if (
            isinstance(rule.tag, PrivateTag)
            or not isinstance(rule.element, _COPIES)
            or not is_private_data(rule.tag)
        ):
            return rule
        return replace(rule, tag=symbolic(rule.tag, self.creators))

    def _resolve(self, rule: Rule, path: str) -> Node | None:
        """Return one node, None if the element is not in the output or has a problem."""
        if not self._tag_is_allowed(rule):
            return None
        place = f"{path}{sort_text(rule.tag)}"
        resolution = self._without_illegal_copies(rule, self._asked(rule, place))
        if resolution is OMIT:
            return None
        try:
            return self._node(rule, resolution, place)
        except (TypeError, AttributeError) as error:  # an element of a plug-in may give anything
            given = type(resolution).__name__
            text = f"({rule.element.rule()}) gives {given} with something that is no value: {error}"
            self._add(rule, f"{describe(rule.tag)} {text}", "raised")
            return None

    def _node(self, rule: Rule, resolution: Any, place: str) -> Node | None:
        """Return the node of what an element resolved to."""
        if isinstance(resolution, Items):
            return self._items(rule, resolution, place)
        if isinstance(resolution, PerInstance):
            return self._varying(rule, resolution)
        return self._constant(rule, resolution)

    def _without_illegal_copies(self, rule: Rule, resolution: Any) -> Any:
        """Leave out a copy that the output can do without and the standard does not allow, and say so."""
        element = rule.element
        optional = isinstance(element, CopyOrElseElement) or getattr(element, "optional", False)
        if not isinstance(resolution, DataElement) or not optional or int(resolution.tag) in IDENTITY:
            return resolution
        _, problems = plain_value(_number(rule.tag), element.vr or resolution.VR, resolution)
        if not problems:
            return resolution
        self.warnings.append(f"not copied: {problems[0].message}")
        if isinstance(element, CopyOrElseElement):
            return element.fallback(self.env)
        return OMIT

    def _asked(self, rule: Rule, place: str) -> Any:
        """Return what the element resolves to, `OMIT` if it has a problem."""
        element = rule.element
        raised = ""
        resolution: Any = OMIT
        try:
            with self.uids.at(place):
                resolution = element.resolve(self.env)
        except DicomwrightError as error:
            self.problems.extend(error.problems)
            self.errors.append(error)
            return OMIT
        except (Exception, SystemExit) as error:  # noqa: BLE001  # foreign code raises anything; it becomes a problem
            raised = f"{type(error).__name__}: {error}"
        needed = self._lacking(element)
        if needed or raised:
            what = needed or f"raised {raised}"
            kind = "missing-in-parent" if needed else "raised"
            self._add(rule, f"{describe(rule.tag)} ({element.rule()}) {what}", kind)
            return OMIT
        return resolution

    def _lacking(self, element: VirtualElement) -> str:
        """Say what an element needs of the parents and they do not have; copies tell it themselves."""
        if isinstance(element, (*_COPIES, SequenceElement)):
            return ""
        needed = element.required_tags() - {_INSTANCE_NUMBER}
        lacking = [tag for tag in sorted(needed) if not any(tag in one for one in self.env.parents or ())]
        whose = "the parent series does not have" if self.env.parents else "only a parent series has"
        return f"needs {' and '.join(map(describe, lacking))}, which {whose}" if lacking else ""

    def _tag_is_allowed(self, rule: Rule) -> bool:
        """Refuse tags that never stand in a dataset."""
        tag = rule.tag
        if isinstance(tag, PrivateTag):
            return True
        number = int(tag)  # pydicom compares tags in Python
        if number >= _LOWEST_TAG and number >> 16 != _DELIMITERS and number & 0xFFFF != 0:
            return True
        self._add(
            rule,
            f"{describe(tag)} cannot be set by a blueprint: it is file meta information, a group length or a delimiter",
            "forbidden-tag",
        )
        return False

    def _items(self, rule: Rule, items: Items, place: str) -> Node:
        """Return a sequence; it is constant if all of its elements are."""
        if rule.element.vr not in (None, "SQ"):
            self._add(rule, f"{describe(rule.tag)} of VR {rule.element.vr} has no items", "items")
        resolved = [
            self.nodes(merge([Layer(rule.layer, blueprint)]), f"{place}[{number}].")
            for number, blueprint in enumerate(items.blueprints, 1)
        ]
        return Node(_number(rule.tag), "SQ", rule, items=resolved)

    def _varying(self, rule: Rule, resolution: PerInstance) -> Node | None:
        """Return an element with a value for each instance; known values are checked now."""
        known = None if resolution.known is None else list(resolution.known)
        vr = rule.element.vr or next((_vr_of(value) for value in known or () if _vr_of(value)), "")
        if not vr and any(value is not None and value is not OMIT for value in known or ()):
            self._add(rule, f"{describe(rule.tag)}: nothing says its VR", "vr")
            return None
        vr = vr or "UN"
        if known is not None:
            if resolution.in_order and len(known) != self.env.total_images:
                text = f"gives {len(known)} values for {self.env.total_images} instances"
                self._add(rule, f"{describe(rule.tag)} ({rule.element.rule()}) {text}", "count")
            resolution = replace(resolution, known=self._all_checked(rule, vr, known))
        return Node(_number(rule.tag), vr, rule, varying=resolution)

    def _all_checked(self, rule: Rule, vr: str, values: Iterable[Any]) -> list[Any]:
        """Return values as pydicom takes them; at the first that is wrong, which is told, none."""
        plain_of = plain_values(_number(rule.tag), vr)
        seen: dict[int, tuple[Any, Any]] = {}  # by identity: copies share what their parents have in common
        for value in values:
            if id(value) in seen or value is OMIT or isinstance(value, EncodedElement):
                continue
            plain, problems = plain_of(value)
            if problems:
                self.problems.extend(replace(problem, loc=rule.element.origin) for problem in problems)
                return []
            seen[id(value)] = value, plain
        return [seen[id(value)][1] if id(value) in seen else value for value in values]

    def _constant(self, rule: Rule, value: Any) -> Node | None:
        """Return an element with one value for the series."""
        vr = rule.element.vr or (value.VR if isinstance(value, DataElement) else None)
        if vr is None:
            self._add(rule, f"{describe(rule.tag)}: nothing says its VR", "vr")
            return None
        return Node(_number(rule.tag), vr, rule, value=self._checked(rule, vr, value))

    def _checked(self, rule: Rule, vr: str, value: Any) -> Any:
        """Return a value as pydicom takes it, adding what is wrong with it."""
        plain, problems = plain_value(_number(rule.tag), vr, value)
        self.problems.extend(replace(problem, loc=rule.element.origin) for problem in problems)
        return None if problems else plain

    def _placed(self, found: list[tuple[AnyTag, Node]]) -> list[Node]:
        """Give private elements their blocks, and the blocks their creators."""
        written = {
            int(node.tag): str(node.value).strip()
            for tag, node in found
            if not isinstance(tag, PrivateTag) and is_creator(node.tag)
        }
        blocks = Blocks(written, self.creators)
        for tag, node in found:
            if isinstance(tag, PrivateTag):
                place = blocks.place(tag)
                if place is None:
                    self._add(
                        node.rule,
                        f"{describe(tag)}: all 240 private blocks of the group are taken",
                        "private",
                    )
                else:
                    node.tag = place
        nodes = [node for _, node in found]
        self.problems.extend(orphans({int(node.tag): node.rule.element.origin for node in nodes}, blocks))
        return nodes + [_creator(tag, creator) for tag, creator in blocks.allocated.items()]

    def _add(self, rule: Rule, message: str, kind: str) -> None:
        self.problems.append(Problem(message, loc=rule.element.origin, kind=kind))


def plain_value(tag: int, vr: str, value: Any) -> tuple[Any, list[Problem]]:
    """Return a value as pydicom takes it, and what is wrong with it: see `plain_values`."""
    return plain_values(tag, vr)(value)


@lru_cache(maxsize=1024)
def plain_values(tag: int, vr: str) -> Callable[[Any], tuple[Any, list[Problem]]]:
    """Return the function that gives a value as pydicom takes it, and what is wrong with it.

    A `pydicom.DataElement` is a copy from a parent: its decimal strings may be too long, and what is wrong with it
    is told without quoting it.
    """
    normal, check, check_copied = normaliser(tag, vr), checker(tag, vr), checker(tag, vr, show_value=False)
    takes_number = vr == "IS" and not check("1")

    def plain(value: Any) -> tuple[Any, list[Problem]]:
        if takes_number and type(value) is int and abs(value) < _IS_END:  # what functions give most
            return value, []
        copied = isinstance(value, DataElement)
        value = normal(_shortened(vr, value.value) if copied else value)
        problems = (check_copied if copied else check)(value)
        if vr == "SQ" and value is not None and not problems:
            value = fresh_element(DataElement(tag, "SQ", value)).value
        return value, problems

    return plain


def _vr_of(value: Any) -> str:
    """Return the VR of a copy, an empty text of what is none."""
    if isinstance(value, EncodedElement):
        return value.vr
    return str(value.VR) if isinstance(value, DataElement) else ""


def _shortened(vr: str, value: Any) -> Any:
    """Return decimal strings with no more than 16 characters; scanners write longer ones."""
    if vr != "DS" or value in (None, ""):
        return value
    values = [value] if isinstance(value, str | float | int) else list(value)
    texts = [str(each) for each in values]
    if all(len(text) <= _DS_LENGTH for text in texts):
        return value
    return [text if len(text) <= _DS_LENGTH else ds(float(text)) for text in texts]


def sort_text(tag: AnyTag) -> str:
    """Return a tag as a stable word."""
    return str(tag) if isinstance(tag, PrivateTag) else f"{int(tag):08X}"


def _number(tag: AnyTag) -> BaseTag:
    """Return the tag as a number; for a private tag one that its block will replace."""
    return Tag(tag.group, 0x1000 | tag.offset) if isinstance(tag, PrivateTag) else tag


def _creator(tag: int, creator: str) -> Node:
    """Return the creator element of an allocated block."""
    element = StaticElement(tag, "LO", creator)
    return Node(Tag(tag), "LO", Rule(Tag(tag), element, "private block"), value=creator)
