"""Compile blueprints, parents and an encoding into a plan; everything that is wrong is said at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydicom.charset import convert_encodings, default_encoding
from pydicom.dataelem import DataElement
from pydicom.tag import Tag

from dicomwright.blueprint.charset import check_encodable, choose_charset, texts_of
from dicomwright.blueprint.elements import StaticElement
from dicomwright.blueprint.environment import SeriesEnvironment
from dicomwright.blueprint.resolution import OMIT, EncodedElement
from dicomwright.blueprint.tags import describe
from dicomwright.clock import frozen_instant
from dicomwright.engine.nodes import Node, Resolver
from dicomwright.engine.plan import Plan
from dicomwright.engine.private import parent_creators
from dicomwright.engine.rules import Rule, merge
from dicomwright.engine.shared import of_one_series
from dicomwright.engine.template import constant_value, parts_of
from dicomwright.errors import BlueprintError, DicomwrightError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from dicomwright.engine.request import BuildRequest

__all__ = ["compile_plan"]

_CHARSET = 0x00080005
_SOP_CLASS, _SOP_INSTANCE = 0x00080016, 0x00080018
_TEXT_VRS = frozenset({"SH", "LO", "ST", "LT", "UC", "UT", "PN", "SQ"})


def compile_plan(request: BuildRequest) -> Plan:
    """Return the plan of a build.

    Raises
    ------
    BlueprintError
        Something is wrong with the blueprints, or with what they need of the parent series; all problems are
        in the error, and no pixel has been touched.

    """
    env = SeriesEnvironment(
        parents=request.parents,
        pairs=request.pairs,
        pairing_problem=request.pairing_problem,
        total_images=request.count,
        kwargs=request.kwargs,
        factory=request.factory,
    )
    resolver = Resolver(env, parent_creators(env.parent), request.uids, request.check)
    rules = merge(request.layers)
    with frozen_instant(request.instant):
        nodes = resolver.nodes(rules)
    problems = resolver.problems
    problems.extend(_identity_problems(nodes, request.count))
    bulk = next((node for node in nodes if node.is_bulk), None)
    nodes = [node for node in nodes if node is not bulk]
    problems.extend(_bulk_problems(nodes, bulk))
    charset = _charset(nodes, request, problems)
    nodes = _with_charset(nodes, charset)
    encodings = convert_encodings(charset) if charset else default_encoding
    parts = of_one_series(parts_of(nodes, encodings, request.uids, problems), nodes, problems)
    if problems:
        raise _one_error(resolver.errors, problems)
    return Plan(request, rules, parts, bulk, encodings, tuple(resolver.warnings))


def _one_error(errors: Sequence[DicomwrightError], problems: Sequence[Problem]) -> DicomwrightError:
    """Return the error that an element raised, if nothing else is wrong; else one with all problems."""
    if len(errors) == 1 and errors[0].problems == tuple(problems):
        return errors[0]
    return BlueprintError.collect(problems)


def _identity_problems(nodes: Sequence[Node], count: int) -> Iterator[Problem]:
    """Refuse instances without identity, and one SOPInstanceUID for several."""
    tags = {int(node.tag) for node in nodes}
    for tag in (_SOP_CLASS, _SOP_INSTANCE):
        if tag not in tags:
            yield Problem(
                f"{describe(tag)} is given by nothing, and without it there is no DICOM instance",
                hint="add it to the blueprint",
                kind="missing-identifier",
            )
    for node in nodes:
        if node.tag == _SOP_INSTANCE and not node.varies and count > 1:
            yield Problem(
                f"{describe(node.tag)} is the same for all {count} instances",
                hint="use FunctionalElement(0x00080018, 'UI', lambda env: gen_uid())",
                loc=node.rule.element.origin,
                kind="identity",
            )


def _bulk_problems(nodes: Sequence[Node], bulk: Node | None) -> Iterator[Problem]:
    """Refuse elements behind the bulk element, which ends an instance."""
    for node in nodes:
        if bulk is not None and node.tag > bulk.tag:
            yield Problem(
                f"{describe(node.tag)} would stand behind {describe(bulk.tag)}, the last element of an instance",
                hint="discard it",
                loc=node.rule.element.origin,
                kind="forbidden-tag",
            )


def _charset(nodes: Sequence[Node], request: BuildRequest, problems: list[Problem]) -> Any:
    """Return the value of SpecificCharacterSet that carries every text, None for ASCII."""
    given = next((node for node in nodes if node.tag == _CHARSET), None)
    texts = set(_known_texts(nodes))
    if given is not None and isinstance(given.rule.element, StaticElement) and given.value:
        charset = list(given.value) if isinstance(given.value, (list, tuple)) else str(given.value)
        problems.extend(
            Problem(
                f"{text!r} cannot be written in the character set {charset!r}",
                hint="leave SpecificCharacterSet out of the blueprint: the one that is needed is chosen",
                loc=given.rule.element.origin,
                kind="charset",
            )
            for text in check_encodable(texts, charset)
        )
        return charset
    preferred = () if request.parents is None else request.parents.charset
    return choose_charset(texts, preferred, open_ended=any(map(_is_open, _walk(nodes))))


def _is_open(node: Node) -> bool:
    """Tell whether a node's text is only known when an instance is made."""
    return node.varying is not None and node.varying.known is None and node.vr in _TEXT_VRS


def _walk(nodes: Iterable[Node]) -> Iterator[Node]:
    """Iterate over nodes and the nodes of their items."""
    for node in nodes:
        yield node
        for item in node.items or ():
            yield from _walk(item)


def _known_texts(nodes: Iterable[Node]) -> Iterator[str]:
    """Iterate over the texts that are known and depend on the character set."""
    for node in _walk(nodes):
        if node.vr not in _TEXT_VRS or node.items is not None:
            continue
        values = [constant_value(node)] if node.varying is None else node.varying.known or ()
        for value in values:
            if isinstance(value, str):
                yield value
            elif value is not OMIT and not isinstance(value, EncodedElement):
                yield from texts_of(DataElement(node.tag, node.vr, value))


def _with_charset(nodes: Sequence[Node], charset: Any) -> list[Node]:
    """Return the nodes with the SpecificCharacterSet that was chosen."""
    others = [node for node in nodes if node.tag != _CHARSET]
    if charset is None:
        return others
    element = StaticElement(_CHARSET, "CS", charset)
    rule = Rule(Tag(_CHARSET), element, "character set")
    node = Node(Tag(_CHARSET), "CS", rule, value=charset)
    return sorted([node, *others], key=lambda each: int(each.tag))
