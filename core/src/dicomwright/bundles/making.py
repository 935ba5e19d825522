"""From a rule as data to its element: it is checked against its type's descriptor before any code of the type runs."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from dicomwright.blueprint.elements import VirtualElement
from dicomwright.blueprint.resolution import Level
from dicomwright.blueprint.tags import describe, to_tag
from dicomwright.blueprint.vr import expected_vrs
from dicomwright.bundles.sources import shown
from dicomwright.errors import BlueprintError, DicomwrightError, PluginError, Problem
from dicomwright.plugins.known import known_owner
from dicomwright.plugins.statements import VALUE_KINDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from dicomwright.blueprint.tags import AnyTag
    from dicomwright.bundles.context import RuleContext
    from dicomwright.plugins import ElementTypeSpec, PluginSet, RuleOption, RuleValue

__all__ = ["EVERYWHERE", "ElementType", "types_named"]

_VR = "vr"
#: Keys that every rule may have; no element type is meant by them.
EVERYWHERE = (_VR, "only-if", "final")
_SCALARS = (str, int, float, dt.date, dt.time)


def types_named(plugin_set: PluginSet, data: Mapping[str, Any]) -> list[str]:
    """Return the element types that the keys of a rule name: one, if it is a good rule.

    A key may be the name of a type and an option of another one; then the other one is meant. So a plug-in that is
    installed beside others does not change what their rules mean.
    """
    registry = plugin_set.registry("element-type")
    known = [key for key in data if key in registry and key not in EVERYWHERE]
    if len(known) < 2:  # noqa: PLR2004 - nothing to choose
        return known
    fitting = [one for one in known if {*known} - {one} <= ElementType(plugin_set, one).options()]
    best = min((ElementType(plugin_set, one).rank for one in fitting), default=0)
    first = [one for one in fitting if ElementType(plugin_set, one).rank == best]
    return first if len(first) == 1 else known


@dataclass(frozen=True)
class ElementType:
    """An element type by its name: checks rules, and makes elements.

    Attributes
    ----------
    plugin_set : PluginSet
        Where it is looked up.
    name : str
        Its name, which is registered.

    """

    plugin_set: PluginSet
    name: str

    @cached_property
    def spec(self) -> ElementTypeSpec:
        """Its descriptor."""
        return cast("ElementTypeSpec", self.plugin_set.registry("element-type").spec(self.name))

    @property
    def rank(self) -> int:
        """Whose it is: 0 the core's, 1 that of a distribution of the project, 2 of others."""
        if self.plugin_set.registry("element-type").provider(self.name).distribution == "dicomwright":
            return 0
        return 2 if known_owner("element-type", self.name) is None else 1

    def options(self) -> frozenset[str]:
        """Return the keys that its rules may have beside its name."""
        if not self.spec.is_stated:
            return self._taken()
        return frozenset(option.name for option in self.spec.options or ())

    def check(
        self, tag: AnyTag, value: Any, options: Mapping[str, Any], loc: Callable[[str], str]
    ) -> list[Problem]:
        """Return what is wrong with a rule, as far as the descriptor says it.

        Parameters
        ----------
        tag : BaseTag or PrivateTag
            Where the rule stands.
        value : Any
            What stands behind the type's name; None for a bare name.
        options : mapping
            The keys beside it.
        loc : callable
            From a key of the rule to its ``file:line``.

        """
        spec = self.spec
        found = list(self._of_other_vr(tag, options, loc))
        if not spec.is_stated:
            return found + [
                self._unknown(key, self._taken(), loc) for key in options if key not in self._taken()
            ]
        stated = {option.name: option for option in spec.options or ()}
        allowed = {*stated, _VR} if spec.vr else {*stated}
        found += [self._unknown(key, allowed, loc) for key in options if key not in allowed]
        if spec.value is not None:
            found += _wrong(self.name, spec.value, tag, value, loc(self.name))
        for name, option in stated.items():
            if name in options:
                found += _wrong(name, option, tag, options[name], loc(name))
            elif option.required:
                found.append(_lacking(self.name, spec, option, loc(self.name)))
        return found

    def make(self, tag: AnyTag, value: Any, context: RuleContext) -> VirtualElement:
        """Return the element of a rule that was checked; the target may be anybody's code.

        Raises
        ------
        DicomwrightError
            The rule is wrong, or the code is.

        """
        target = self._target
        stated = self.spec.value
        if (
            value is True
            and stated is not None
            and "nothing" in stated.kinds
            and "boolean" not in stated.kinds
        ):
            value = None  # { discard = true } is "discard"
        try:
            element = self._made(target, tag, value, context)
            if isinstance(element, VirtualElement) and element.tag == tag and _answers(element):
                return element
        except DicomwrightError:
            raise
        except (Exception, SystemExit) as error:
            raise self._broken(f"failed: {type(error).__name__}: {error}") from error
        raise self._broken(f"gave {shown(element)}, not an element of {describe(tag)}")

    def _made(self, target: Any, tag: AnyTag, value: Any, context: RuleContext) -> Any:
        """Call the target in its way: a function, an object with ``from_data``, or an element's class."""
        maker = getattr(target, "from_data", None)
        if maker is None and isinstance(target, type) and issubclass(target, VirtualElement):
            return self._constructed(target, tag, value, context)
        return (maker or target)(tag, value, context)

    def _constructed(
        self, target: type[VirtualElement], tag: AnyTag, value: Any, context: RuleContext
    ) -> VirtualElement:
        """Call an element's class with tag, VR, value and options, rules inside the rule as elements."""
        spec = self.spec
        stated = {option.name: option for option in spec.options or ()}
        given = {
            name.replace("-", "_"): _argument(stated.get(name), name, tag, data, context)
            for name, data in context.options.items()
        }
        values = () if value is None else (_argument(spec.value, self.name, tag, value, context),)
        return target(tag, context.vr_of(tag), *values, **given)

    def _of_other_vr(
        self, tag: AnyTag, options: Mapping[str, Any], loc: Callable[[str], str]
    ) -> Iterator[Problem]:
        """Yield the problem of a tag whose VR the type cannot make."""
        named = options.get(_VR)
        possible = [named] if isinstance(named, str) else list(expected_vrs(tag) or ())
        allowed = self.spec.vrs
        if allowed and possible and not set(possible) & set(allowed):
            text = (
                f"{describe(tag)} has VR {' or '.join(possible)}, and {self.name} makes {', '.join(allowed)}"
            )
            yield Problem(text, "write another kind of rule", loc(self.name), "bad-rule")

    @cached_property
    def _target(self) -> Any:
        """Return the target; it does not say again what the descriptor says."""
        target = self.plugin_set.registry("element-type").resolve(self.name)
        if self.spec.is_stated and _taken_by(target) is not None:
            raise self._broken("says its options twice, in its descriptor and with takes(...)")
        return target

    def _taken(self) -> frozenset[str]:
        """Return the options that the code declares, where the descriptor states nothing."""
        taken = _taken_by(self.plugin_set.registry("element-type").resolve(self.name))
        return frozenset({_VR}) if taken is None else taken

    def _unknown(self, key: str, allowed: set[str] | frozenset[str], loc: Callable[[str], str]) -> Problem:
        """Return the problem of a key that the rule may not have."""
        close = get_close_matches(key, sorted(allowed), 1)
        listed = f"beside {self.name} there may be {', '.join(sorted(allowed))}" if allowed else "take it out"
        return Problem(
            f"a rule of type {self.name} has no {shown(key)}",
            f"did you mean {close[0]}?" if close else listed,
            loc(key),
            "bad-rule",
        )

    def _broken(self, what: str) -> PluginError:
        """Return the error for code that does not do what it should."""
        provider = self.plugin_set.registry("element-type").provider(self.name)
        return PluginError(
            f'element type "{self.name}" of {provider} {what}',
            hint=f"report it to the authors of {provider.distribution}",
            kind="broken-plugin",
        )


def _taken_by(target: Any) -> frozenset[str] | None:
    """Return the options that a target declares with `dicomwright.bundles.takes`."""
    try:
        maker = getattr(target, "from_data", target)
        taken = getattr(target, "options", getattr(maker, "options", None))
    except Exception:  # noqa: BLE001  # anybody's code; what it is asked to make says what is wrong
        return None
    return taken if isinstance(taken, frozenset) else None


def _answers(element: VirtualElement) -> bool:
    """Tell whether an element can be asked what lint and explain ask."""
    level: Any = element.level
    vr: Any = element.vr
    tags: Any = element.required_tags()
    return (
        isinstance(level, Level)
        and isinstance(vr, str | None)
        and isinstance(element.rule(), str)
        and all(isinstance(tag, int) for tag in tags)
    )


def _argument(stated: RuleValue | None, name: str, tag: AnyTag, data: Any, context: RuleContext) -> Any:
    """Return what a class is given for a value or option: rules become elements, values what DICOM has."""
    kinds = () if stated is None else stated.kinds
    if "rule" in kinds and isinstance(data, dict):
        return context.rule(tag, data, name)
    if "rule" in kinds and "value" not in kinds:
        return context.rule(tag, data, name)
    if "rules" in kinds:
        return [context.rule(tag, one, name, number) for number, one in enumerate(data)]
    if "items" in kinds:
        return [context.items(one, name, number) for number, one in enumerate(data)]
    if "value" in kinds:
        return context.value(tag, data)
    return [context.value(tag, one) for one in data] if "values" in kinds else data


def _lacking(name: str, spec: ElementTypeSpec, option: RuleOption, loc: str) -> Problem:
    """Return the problem of an option that is not there."""
    example = "" if spec.value is None else spec.value.example
    hint = f"write {example}" if option.name in example else f"{option.name} is {option.summary}"
    return Problem(f"a rule of type {name} needs {option.name}", hint, loc, "bad-rule")


def _wrong(name: str, stated: RuleValue, tag: AnyTag, data: Any, loc: str) -> Iterator[Problem]:
    """Yield what is wrong with a value or an option."""
    hint = f"write {stated.example}" if stated.example else ""
    if data is None and "nothing" not in stated.kinds:
        yield Problem(f"{name} needs {stated.summary}", hint, loc, "bad-rule")
    elif not any(_IS[kind](data) for kind in stated.kinds):
        yield Problem(*_of_other_kind(name, stated, tag, data, hint), loc, "bad-rule")
    elif stated.choices and isinstance(data, str) and data not in stated.choices:
        close = get_close_matches(data, stated.choices, 1)
        listed = " or ".join(f'"{choice}"' for choice in stated.choices)
        meant = f'did you mean "{close[0]}"? ' if close else ""
        yield Problem(f"{name} is {shown(data)}", f"{meant}it is {listed}", loc, "bad-rule")


def _of_other_kind(name: str, stated: RuleValue, tag: AnyTag, data: Any, hint: str) -> tuple[str, str]:
    """Say that a value is of another kind, and what to write."""
    if stated.kinds == ("nothing",):
        return f"{name} takes nothing, not {shown(data)}", f'write "{name}"'
    if stated.kinds == ("value",):
        is_sequence = getattr(stated, "name", None) is None and isinstance(data, dict)
        where = describe(tag) if getattr(stated, "name", None) is None else name
        other = "for a sequence write { sequence = [...] }" if is_sequence else hint
        return (
            f"{where} = {shown(data)} is neither a text, a number, a date, a time nor a list of those",
            other,
        )
    nouns = dict.fromkeys(VALUE_KINDS[kind] for kind in stated.kinds if kind != "nothing")
    return f"{name} is {shown(data)}, not {' or '.join(nouns)}", hint or f"it is {stated.summary}"


def _is_scalar(data: Any) -> bool:
    return isinstance(data, _SCALARS) and not isinstance(data, bool)


def _is_list_of(check: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda data: isinstance(data, list) and all(map(check, data))


def _is_rule(data: Any) -> bool:
    return isinstance(data, str | dict)


def _is_tag(data: Any) -> bool:
    try:
        return isinstance(data, str) and to_tag(data) is not None
    except BlueprintError:
        return False


def _is_table(data: Any) -> bool:
    return isinstance(data, dict)


def _is_text(data: Any) -> bool:
    return isinstance(data, str)


_is_value_list = _is_list_of(_is_scalar)
_IS: dict[str, Callable[[Any], bool]] = {
    "nothing": lambda data: data is None or data is True,
    "text": _is_text,
    "texts": _is_list_of(_is_text),
    "whole": lambda data: type(data) is int,
    "number": lambda data: type(data) in (int, float),
    "boolean": lambda data: type(data) is bool,
    "value": lambda data: _is_scalar(data) or _is_value_list(data),
    "values": lambda data: (
        _is_list_of(lambda one: _is_scalar(one) or _is_value_list(one))(data) and bool(data)
    ),
    "table": _is_table,
    "tables": _is_list_of(_is_table),
    "rule": _is_rule,
    "rules": lambda data: _is_list_of(_is_rule)(data) and bool(data),
    "items": _is_list_of(_is_table),
    "keyword": _is_tag,
    "series-function": _is_text,
    "instance-function": _is_text,
    "any": lambda data: data is not None,
}
assert _IS.keys() == VALUE_KINDS.keys()
