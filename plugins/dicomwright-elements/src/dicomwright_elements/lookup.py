"""``lookup``: a value looked up in a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dicomwright.blueprint.elements import StaticElement, VirtualElement
from dicomwright.blueprint.resolution import OMIT
from dicomwright.errors import BlueprintError, Problem
from dicomwright_elements.derived import DerivedElement, Failure, input_rule, one_or_list, texts
from dicomwright_elements.tables import Row, read_table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from dicomwright.blueprint.environment import SeriesEnvironment
    from dicomwright.blueprint.tags import AnyTag, TagLike
    from dicomwright.bundles import RuleContext

__all__ = ["LookupElement"]

_MOST_PROBLEMS = 10


class LookupElement(DerivedElement):
    """A value that a table has for another.

    Examples
    --------
    >>> from dicomwright import SeriesEnvironment, StaticElement
    >>> source = StaticElement("PatientSex", "CS", "M")
    >>> LookupElement("PatientComments", "LT", source, {"M": "male"}).resolve(SeriesEnvironment())
    'male'

    Parameters
    ----------
    tag, vr
        See `VirtualElement`.
    source : VirtualElement
        The rule that gives what is looked up.
    table : mapping of str to value
        What there is.
    default : VirtualElement, optional
        For what the table does not have; without it that is an error.
    name : str
        What messages call the table.
    ignore_case : bool
        Whether ``m`` finds ``M``: then the keys of the table are in lower case.

    """

    takes_failures = True

    def __init__(
        self,
        tag: TagLike,
        vr: str,
        source: VirtualElement,
        table: Mapping[str, Any],
        default: VirtualElement | None = None,
        *,
        name: str = "the table",
        ignore_case: bool = False,
    ) -> None:
        super().__init__(tag, vr, [source] if default is None else [source, default])
        self.table = dict(table)
        self.name = name
        self.ignore_case = ignore_case

    def required_tags(self) -> set[int]:
        """Return what is looked up; the default may do without."""
        return self.inputs[0].required_tags()

    def computation(self, env: SeriesEnvironment) -> Callable[[Sequence[Any]], Any]:  # noqa: ARG002  # not needed
        """Return `compute`."""
        return self.compute

    def compute(self, values: Sequence[Any]) -> Any:
        """Return the table's value for each of the values."""
        if isinstance(values[0], Failure):
            raise values[0].error
        if values[0] is OMIT:
            return OMIT
        keys = [text.strip() for text in texts(values[0])]
        if self.ignore_case:
            keys = [key.lower() for key in keys]
        if all(key in self.table for key in filter(None, keys)):
            return one_or_list([self.table[key] if key else "" for key in keys])
        if len(values) == 1:
            raise self.problem(
                f"has a value that {self.name} does not have",
                hint="add it to the table, or give a default",
                kind="not-in-table",
            )
        if isinstance(values[1], Failure):
            raise values[1].error
        return values[1]

    def rule(self) -> str:
        """Return the rule in a few words."""
        other = f", or else {self.inputs[1].rule()}" if len(self.inputs) > 1 else ""
        return f"{self.inputs[0].rule()}, looked up in {self.name}{other}"

    @classmethod
    def from_data(cls, tag: AnyTag, data: Any, context: RuleContext) -> LookupElement:
        """Make ``{ lookup = "table.csv" }`` or ``{ lookup = { M = "male" } }``."""
        options = context.options
        if isinstance(data, str):
            rows = read_table(context, data, options.get("key"), options.get("value"))
        elif "key" in options or "value" in options:
            raise context.problem("the table has no columns", hint="key and value are of CSV files")
        else:
            rows = [Row(key, value, "") for key, value in data.items()]
        name = data if isinstance(data, str) else "the table"
        ignore_case = options.get("ignore-case", False)
        return cls(
            tag,
            context.vr_of(tag),
            input_rule(tag, context),
            _checked(tag, rows, context, ignore_case=ignore_case),
            _default(tag, context),
            name=name,
            ignore_case=ignore_case,
        )


def _default(tag: AnyTag, context: RuleContext) -> VirtualElement | None:
    """Return the rule for what the table does not have."""
    if "default" not in context.options:
        return None
    data = context.options["default"]
    if isinstance(data, dict):
        return context.rule(tag, data, "default")
    return StaticElement(tag, context.vr_of(tag), context.value(tag, data))


def _checked(tag: AnyTag, rows: list[Row], context: RuleContext, *, ignore_case: bool) -> dict[str, Any]:
    """Return the table with values as DICOM has them; all that is wrong is told at once."""
    table: dict[str, Any] = {}
    problems: list[Problem] = []
    for row in rows:
        key = row.key.strip()
        key = key.lower() if ignore_case else key
        try:
            value = context.value(tag, row.value)
        except BlueprintError as error:
            problems += [
                Problem(f"{row.place}{one.message}", one.hint, context.loc, one.kind)
                for one in error.problems
            ]
            continue
        if table.setdefault(key, value) != value:
            problems.append(
                Problem(f'{row.place}"{key}" has two values', "keep one", context.loc, "bad-table")
            )
    if problems:
        raise BlueprintError.collect(problems[:_MOST_PROBLEMS])
    return table
