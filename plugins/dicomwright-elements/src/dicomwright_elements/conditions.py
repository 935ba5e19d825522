"""Conditions on the values of a parent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dicomwright.blueprint.tags import describe, to_tag
from dicomwright.errors import BlueprintError
from dicomwright_elements.derived import texts
from dicomwright_elements.patterns import Pattern

if TYPE_CHECKING:
    from dicomwright.blueprint.tags import AnyTag
    from dicomwright.bundles import RuleContext

__all__ = ["Test", "read_tests"]

_KINDS = ("equals", "in", "present", "matches")


@dataclass(frozen=True)
class Test:
    """What must hold of one tag of the parent; of several values one is enough.

    Examples
    --------
    >>> test = Test(to_tag("Modality"), wanted=("MR", "CT"))
    >>> test.holds("MR"), test.holds("PT"), test.holds(None)
    (True, False, False)

    Attributes
    ----------
    tag : BaseTag or PrivateTag
        The tag.
    wanted : tuple of str or number
        One of these.
    present : bool, optional
        Whether it must have a value.
    pattern : Pattern, optional
        What must be found in it.

    """

    __test__ = False  # pytest: this is none

    tag: AnyTag
    wanted: tuple[str | int | float, ...] = ()
    present: bool | None = None
    pattern: Pattern | None = None

    def holds(self, value: Any) -> bool:
        """Tell whether it holds for a plain value; None for an absent one."""
        found = [text.strip() for text in texts(value)] if _is_simple(value) else ["items"]
        if self.present is not None:
            return bool(found) is self.present
        if self.pattern is not None:
            return any(self.pattern.found_in(text) for text in found)
        return any(_is_same(text, wanted) for text in found for wanted in self.wanted)

    def __str__(self) -> str:
        """Return the test in a few words."""
        name = describe(self.tag)
        if self.present is not None:
            return f"{name} is {'present' if self.present else 'absent or empty'}"
        if self.pattern is not None:
            return f"{name} matches {self.pattern.text!r}"
        return f"{name} is {' or '.join(map(str, self.wanted))}"


def read_tests(data: dict[str, Any], context: RuleContext) -> tuple[Test, ...]:
    """Return the tests of a table: keyword = value, list of values, true, false or a table of one test.

    Raises
    ------
    BlueprintError
        It is no such table.

    """
    if not data:
        raise context.problem("when has no condition", hint='such as when = { Modality = "MR" }')
    return tuple(_test(name, value, context) for name, value in data.items())


def _test(name: str, value: Any, context: RuleContext) -> Test:
    """Return one test."""
    tag = to_tag(name)
    if isinstance(value, bool):
        return Test(tag, present=value)
    if not isinstance(value, dict):
        return Test(tag, wanted=_wanted(name, value, context))
    if len(value) != 1 or next(iter(value)) not in _KINDS:
        raise context.problem(
            f"when: the test of {name} has {' and '.join(value) or 'nothing'}",
            hint=f"it has one of {', '.join(_KINDS)}",
        )
    ((kind, what),) = value.items()
    if kind == "present":
        if not isinstance(what, bool):
            raise context.problem(f"when: present of {name} is neither true nor false")
        return Test(tag, present=what)
    if kind == "matches":
        return Test(tag, pattern=_pattern(name, what, context))
    return Test(tag, wanted=_wanted(name, what, context))


def _pattern(name: str, text: Any, context: RuleContext) -> Pattern:
    """Return the pattern of a test."""
    if not isinstance(text, str):
        raise context.problem(f"when: matches of {name} is no text")
    try:
        return Pattern.of(text)
    except ValueError as error:
        raise BlueprintError(
            f"when: {name}: {error}", hint="see the syntax of RE2", loc=context.loc
        ) from None


def _wanted(name: str, value: Any, context: RuleContext) -> tuple[str | int | float, ...]:
    """Return the values of a test."""
    values = value if isinstance(value, list) else [value]
    if not values or any(type(one) not in (str, int, float) for one in values):
        raise context.problem(
            f"when: {name} is compared with what is no text, number or list of those",
            hint='write { present = true } for "has a value"',
        )
    return tuple(values)


def _is_simple(value: Any) -> bool:
    """Tell whether a value is no sequence of items."""
    return type(value).__name__ != "Sequence"


def _is_same(text: str, wanted: str | float) -> bool:
    """Tell whether a value is the wanted one; numbers are compared as numbers."""
    if isinstance(wanted, str):
        return text == wanted.strip()
    try:
        return float(text) == wanted
    except ValueError:
        return False
