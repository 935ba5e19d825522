"""Where each value of an output comes from: rule, level, layer, file and line, parent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, overload

from dicomwright.blueprint.copying import CopyElement, CopyOrElseElement, InstanceCopyElement
from dicomwright.blueprint.elements import DiscardElement, SequenceElement, StaticElement
from dicomwright.blueprint.tags import PrivateTag, to_tag
from dicomwright.engine.private import is_creator
from dicomwright.engine.rules import FilledElement, Layer, Rule, merge
from dicomwright.errors import ParentError

if TYPE_CHECKING:
    from pydicom.dataelem import DataElement
    from pydicom.dataset import Dataset

    from dicomwright.blueprint.elements import VirtualElement
    from dicomwright.engine.plan import Plan
    from dicomwright.parents import ParentSeries

__all__ = ["Explained", "Explanation", "explain_plan", "explain_rules"]

_COPIES = (CopyElement, CopyOrElseElement, InstanceCopyElement, FilledElement)
_CHARSET = 0x00080005
_LONGEST = 60
_BULK_VRS = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "UN"})
_COLUMNS = ("tag", "keyword", "VR", "value", "level", "rule", "layer", "origin", "parent", "overrode")


@dataclass(frozen=True, slots=True)
class Explained:
    """One tag of the output, and why it has its value.

    Attributes
    ----------
    path : str
        The keyword, or the tag where it has none; inside sequences after those, as
        ``DerivationCodeSequence[1].CodeValue``.
    tag, keyword, vr : str
        ``(gggg,eeee)``; the keyword may be empty.
    value : str, optional
        As text, that of the first instance if they differ; None if it is not known without a source.
    rule : str
        The rule in a few words.
    level : str
        ``static``, ``series`` or ``instance``: how often it is decided.
    layer : str
        Who gave the rule, such as ``blueprint`` or ``encoder image``.
    origin : str
        ``file:line``, a call site, or the name of the layer.
    parent : str
        The parent's file that the value was copied from; empty if it was not.
    overrode : tuple of (layer, rule, origin)
        The weaker rules, the strongest first.
    present : bool
        Whether it is in the output; discarded and omitted tags are not.

    """

    path: str
    tag: str
    keyword: str
    vr: str
    value: str | None
    rule: str
    level: str
    layer: str
    origin: str
    parent: str = ""
    overrode: tuple[tuple[str, str, str], ...] = ()
    present: bool = True

    def as_dict(self) -> dict[str, Any]:
        """Return it as what JSON can hold."""
        found = {name: getattr(self, name) for name in self.__slots__}
        names = ("layer", "rule", "origin")
        return found | {"overrode": [dict(zip(names, weaker, strict=True)) for weaker in self.overrode]}


@dataclass(frozen=True)
class Explanation(Sequence[Explained]):
    """Every tag of an output in order, `Explained`.

    Examples
    --------
    >>> import numpy as np
    >>> from dicomwright import Blueprint, DicomFactory, Volume
    >>> volume = Volume(np.zeros((3, 4, 5), np.int16), [[0, 0, 1.5, 0], [0, 2, 0, 0], [3, 0, 0, 0], [0, 0, 0, 1]])
    >>> explanation = DicomFactory().build(volume, Blueprint.load("mr-image")).explain()
    >>> (row,) = explanation.of("Modality")
    >>> row.value, row.rule, row.level, row.layer, row.origin.partition(":")[0]
    ('MR', "static 'MR'", 'static', 'blueprint', 'dicomwright/blueprints/mr-image.toml')

    """

    rows: tuple[Explained, ...]
    left_out: tuple[Explained, ...] = field(default=())

    def __len__(self) -> int:
        """Return the number of tags."""
        return len(self.rows)

    @overload
    def __getitem__(self, index: int) -> Explained: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Explained]: ...
    def __getitem__(self, index: int | slice) -> Explained | Sequence[Explained]:
        """Return one row, or several."""
        return self.rows[index]

    def of(self, tag: Any) -> tuple[Explained, ...]:
        """Return what is said of one tag, at every level; of one that is not in the output why it is not.

        Raises
        ------
        BlueprintError
            It is no tag.

        """
        known = to_tag(tag)
        wanted = str(known) if isinstance(known, PrivateTag) else _shown(int(known))
        return tuple(row for row in (*self.rows, *self.left_out) if wanted in (row.tag, row.path))

    def table(self, rows: Sequence[Explained] | None = None) -> str:
        """Return rows as columns of text, all by default."""
        lines = [_COLUMNS, *(_columns(row) for row in (self.rows if rows is None else rows))]
        widths = [max(len(line[column]) for line in lines) for column in range(len(_COLUMNS))]
        joined = (
            "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)) for line in lines
        )
        return "\n".join(line.rstrip() for line in joined)


def explain_plan(plan: Plan, *, has_source: bool = True) -> Explanation:
    """Return where each value of a series comes from; functions of the blueprint run for its first instance.

    Parameters
    ----------
    plan : Plan
        Of the series.
    has_source : bool
        False if the pixels only stand in for others: then what follows from them is not shown.

    """
    dataset = plan.dataset(0)
    writer = _Writer(plan, has_source=has_source)
    rows = [*_meta_rows(dataset), *writer.rows(dataset, {rule.tag: rule for rule in plan.rules}, "")]
    paths = {row.path for row in rows}
    left_out = [
        _of_rule(rule, present=False)
        for rule in plan.rules
        if not isinstance(rule.tag, PrivateTag) and _word(int(rule.tag)) not in paths
    ]
    return Explanation(tuple(rows), tuple(left_out))


def explain_rules(rules: Sequence[Rule]) -> Explanation:
    """Return which rule makes each tag, where nothing is resolved."""
    rows = [row for rule in rules for row in _rows_of_rule(rule, "")]
    return Explanation(
        tuple(row for row in rows if row.present), tuple(row for row in rows if not row.present)
    )


class _Writer:
    """Explains the elements of an instance."""

    def __init__(self, plan: Plan, *, has_source: bool) -> None:
        self.has_source = has_source
        self.parents: ParentSeries | None = plan.request.parents
        pairs = plan.request.pairs
        self.index = (pairs[0] or 0) if pairs else 0

    def rows(self, dataset: Dataset, rules: dict[Any, Rule], path: str) -> Iterator[Explained]:
        """Yield the rows of a level and of the levels below it."""
        for tag in sorted(dataset.keys()):
            rule = rules.get(tag) or rules.get(_symbolic(dataset, int(tag)))
            bulk = tag == getattr(dataset, "_bulk_tag", None)
            element = None if bulk else dataset[tag]
            yield self.row(int(tag), element, rule, path)
            if element is not None and element.VR == "SQ":
                yield from self.items(element, rule, path)

    def row(self, tag: int, element: DataElement | None, rule: Rule | None, path: str) -> Explained:
        """Return the row of one element."""
        if rule is None or (tag == _CHARSET and not isinstance(rule.element, StaticElement)):
            return _of_engine(tag, element, path)
        value = None if element is None else _text(element)
        if not self.has_source and rule.layer.startswith(("encoder", "codec")):
            value = None
        vr = rule.element.vr or "UN" if element is None else str(element.VR)
        return _of_rule(rule, tag, vr, value, path, self.parent_of(element, rule, path))

    def items(self, element: DataElement, rule: Rule | None, path: str) -> Iterator[Explained]:
        """Yield the rows of the items of a sequence; those of a copied one have its rule."""
        blueprints = rule.element.blueprints if rule and isinstance(rule.element, SequenceElement) else ()
        for number, item in enumerate(element.value, 1):
            place = f"{path}{_word(int(element.tag))}[{number}]."
            if rule is not None and number <= len(blueprints):
                inner = merge([Layer(rule.layer, blueprints[number - 1])])
                yield from self.rows(item, {one.tag: one for one in inner}, place)
            else:
                yield from self.inherited(item, rule, place)

    def inherited(self, item: Dataset, rule: Rule | None, path: str) -> Iterator[Explained]:
        """Yield the rows of an item that came as a whole."""
        for element in item:
            if rule is None:
                yield _of_engine(int(element.tag), element, path)
            else:
                parent = self.parent_of(element, rule, path)
                yield _of_rule(rule, int(element.tag), str(element.VR), _text(element), path, parent)
            if element.VR == "SQ":
                for number, inner in enumerate(element.value, 1):
                    yield from self.inherited(inner, rule, f"{path}{_word(int(element.tag))}[{number}].")

    def parent_of(self, element: DataElement | None, rule: Rule, path: str) -> str:
        """Return the file of the parent instance that a value was copied from."""
        inner = getattr(rule.element, "element", rule.element)
        if self.parents is None or element is None or not isinstance(inner, _COPIES):
            return ""
        try:
            index = self.index if self.parents.varies(rule.tag) else 0
            found = None if isinstance(rule.tag, PrivateTag) else self.parents.element(rule.tag, index)
        except ParentError:  # what cannot be decoded was not copied
            return ""
        may_differ = isinstance(inner, CopyOrElseElement) and not path
        if may_differ and (found is None or _text(found) != _text(element)):
            return ""
        files = self.parents.files
        return str(files[index]) if files else f"data set {index + 1} of the parents"


def _meta_rows(dataset: Dataset) -> Iterator[Explained]:
    """Yield the rows of the file meta information."""
    for element in dataset.file_meta:
        yield Explained(
            _word(int(element.tag)),
            _shown(int(element.tag)),
            element.keyword,
            str(element.VR),
            _text(element),
            "file meta information (PS3.10 section 7.1)",
            "instance" if element.keyword == "MediaStorageSOPInstanceUID" else "series",
            "engine",
            "engine",
        )


def _of_engine(tag: int, element: DataElement | None, path: str) -> Explained:
    """Return the row of an element that the engine adds."""
    rule, layer = "creator of a private block", "private block"
    if tag == _CHARSET:
        rule, layer = "the character set that the texts need", "character set"
    vr, value = ("UN", None) if element is None else (str(element.VR), _text(element))
    return Explained(
        f"{path}{_word(tag)}", _shown(tag), _keyword(tag), vr, value, rule, "series", layer, "engine"
    )


def _of_rule(
    rule: Rule,
    tag: int | None = None,
    vr: str = "",
    value: str | None = None,
    path: str = "",
    parent: str = "",
    *,
    present: bool = True,
) -> Explained:
    """Return the row of a rule."""
    number = tag if tag is not None or isinstance(rule.tag, PrivateTag) else int(rule.tag)
    shown = str(rule.tag) if number is None else _shown(number)
    keyword = "" if number is None else _keyword(number)
    return Explained(
        f"{path}{keyword or shown}",
        shown,
        keyword,
        vr or rule.element.vr or "",
        value,
        rule.element.rule(),
        rule.element.level.name.lower(),
        rule.layer,
        rule.element.origin,
        parent,
        tuple((weaker.layer, weaker.element.rule(), weaker.element.origin) for weaker in rule.overrode),
        present,
    )


def _rows_of_rule(rule: Rule, path: str) -> Iterator[Explained]:
    """Yield the rows of a rule and of its items."""
    present = not isinstance(rule.element, DiscardElement)
    row = _of_rule(rule, value=_fixed(rule.element), path=path, present=present)
    yield row
    for number, blueprint in enumerate(getattr(rule.element, "blueprints", ()), 1):
        for inner in merge([Layer(rule.layer, blueprint)]):
            yield from _rows_of_rule(inner, f"{row.path}[{number}].")


def _fixed(element: VirtualElement) -> str | None:
    """Return the value of a rule that has one."""
    if not isinstance(element, StaticElement):
        return None
    value = getattr(element.value, "value", element.value)
    values = value if isinstance(value, list | tuple) else [value]
    return _short("\\".join("" if one is None else str(one) for one in values))


def _symbolic(dataset: Dataset, tag: int) -> PrivateTag | None:
    """Return a private tag by its creator."""
    group, block = tag >> 16, tag >> 8 & 0xFF
    if not group & 1 or is_creator(tag) or (group << 16 | block) not in dataset:
        return None
    return PrivateTag(group, str(dataset[group << 16 | block].value), tag & 0xFF)


def _text(element: DataElement) -> str:
    """Return a value as text."""
    if element.VR == "SQ":
        return f"{len(element.value)} item{'' if len(element.value) == 1 else 's'}"
    if element.VR in _BULK_VRS and isinstance(element.value, bytes):
        return f"{len(element.value)} bytes"
    if element.is_empty:
        return ""
    values = element.value if element.VM > 1 else [element.value]
    return _short("\\".join(str(value) for value in values))


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def _shown(tag: int) -> str:
    return f"({tag >> 16:04X},{tag & 0xFFFF:04X})"


def _keyword(tag: int) -> str:
    from pydicom.datadict import keyword_for_tag

    return keyword_for_tag(tag)


def _word(tag: int) -> str:
    return _keyword(tag) or _shown(tag)


def _columns(row: Explained) -> tuple[str, ...]:
    """Return a row as texts of a table; what is in items is indented."""
    name = row.keyword or row.tag
    name = "  " * row.path.removesuffix(name).count("[") + name
    value = "-" if row.value is None else row.value
    rule = _short(row.rule if row.present else f"not in the output: {row.rule}")
    overrode = "; ".join(f"{layer}: {_short(weaker)} ({origin})" for layer, weaker, origin in row.overrode)
    return (row.tag, name, row.vr, value, row.level, rule, row.layer, row.origin, row.parent, overrode)
