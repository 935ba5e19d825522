"""What the target of an element type is given to make its element from."""

from __future__ import annotations

import datetime as dt
import inspect
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol, cast

from dicomwright._dataclass import dataclass
from dicomwright.blueprint.tags import describe
from dicomwright.blueprint.values import check_value, normalise
from dicomwright.blueprint.vr import check_vr, expected_vrs
from dicomwright.bundles.sources import shown
from dicomwright.errors import BlueprintError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dicomwright.blueprint.blueprint import Blueprint
    from dicomwright.blueprint.elements import VirtualElement
    from dicomwright.blueprint.tags import AnyTag
    from dicomwright.bundles.parameters import Parameter
    from dicomwright.bundles.toml_lines import Key
    from dicomwright.plugins import FunctionSpec, PluginSet

__all__ = ["ElementMaker", "RuleContext", "RuleReader", "takes"]

_SCALARS = (str, int, float, dt.date, dt.time)


class RuleReader(Protocol):
    """Reads rules inside rules; the loader is one."""

    plugin_set: PluginSet

    def rule(
        self, tag: AnyTag, data: Any, key: Key, vr: str | None, base: VirtualElement | None = None
    ) -> VirtualElement:
        """Return the element of a rule."""

    def items(self, data: Mapping[str, Any], key: Key, base: Blueprint | None = None) -> Blueprint:
        """Return the blueprint of a table of rules, laid over another."""

    def parameter(self, name: str) -> Mapping[str, Parameter]:
        """Return the declarations of parameters, one of which is of this name."""

    def resource(self, path: str) -> bytes:
        """Return the bytes of a data file beside the blueprint file."""


class ElementMaker(Protocol):
    """The target of an `ElementTypeSpec`: a callable, or an object that has it as ``from_data``.

    An attribute ``options`` names the keys that a rule may have beside that of the element type; without it
    that is ``vr`` alone. See `takes`.

    Examples
    --------
    A plug-in's element type ``upper``, for rules such as ``StudyDescription = { upper = "brain" }``:

    >>> from dicomwright.blueprint.elements import StaticElement
    >>> def upper(tag, data, context):
    ...     text = context.value(tag, data)
    ...     return StaticElement(tag, context.vr_of(tag), text.upper())

    """

    def __call__(self, tag: AnyTag, data: Any, context: RuleContext) -> VirtualElement:
        """Return the element.

        Parameters
        ----------
        tag : pydicom.tag.BaseTag or PrivateTag
            The tag that the rule stands at.
        data : Any
            What the file has behind the element type's name, as TOML gives it; None for a bare name.
        context : RuleContext
            Everything else.

        Raises
        ------
        BlueprintError
            The rule is wrong; the loader adds file and line.

        """


def takes(*options: str) -> Callable[[ElementMaker], ElementMaker]:
    """Declare which keys a rule of an element type may have beside the element type's own."""

    def declare(maker: ElementMaker) -> ElementMaker:
        maker.options = frozenset(options)  # type: ignore[attr-defined]  # read by the loader
        return maker

    return declare


@dataclass(frozen=True)
class RuleContext:
    """One rule of a blueprint file, and what helps to read it.

    Attributes
    ----------
    loc : str
        ``file:line`` of the rule.
    vr : str, optional
        The VR that the rule names.
    options : mapping
        The other keys beside the element type's own.
    key : tuple
        The place of the rule in its file.
    reader : RuleReader
        Reads rules inside this one.
    base : VirtualElement, optional
        The rule that this one stands over: that of the same tag in what the file extends.

    """

    loc: str
    vr: str | None
    options: Mapping[str, Any]
    key: Key
    reader: RuleReader
    base: VirtualElement | None = None

    def vr_of(self, tag: AnyTag) -> str:
        """Return the VR: the one that the rule names, else that of the dictionary (PS3.6).

        Raises
        ------
        BlueprintError
            The rule names none, and the dictionary has none or several.

        """
        if self.vr is not None:
            wrong = check_vr(tag, self.vr)
            if wrong is not None:
                raise BlueprintError.collect([replace(wrong, loc=self.loc)])
            return self.vr
        expected = expected_vrs(tag)
        if expected is None or len(expected) != 1:
            several = f"has VR {' or '.join(expected)}" if expected else "is not in the dictionary"
            example = expected[0] if expected else "LO"
            raise self.problem(f'{describe(tag)} {several}; add vr = "{example}" to the rule', kind="no-vr")
        return expected[0]

    def value(self, tag: AnyTag, data: Any) -> Any:
        """Return a value of the file as it will be written.

        Raises
        ------
        BlueprintError
            It is not a value that the tag may have (PS3.5 section 6.2); all reasons are in the error.

        """
        vr = self.vr_of(tag)
        parts = data if isinstance(data, list) else [data]
        for part in parts:
            if isinstance(part, bool) or not isinstance(part, _SCALARS):
                raise self.problem(
                    f"{describe(tag)} = {shown(data)} is neither a text, a number, a date, a time nor a list of those",
                    hint="for a sequence write { sequence = [...] }" if vr == "SQ" else "",
                    kind="bad-value",
                )
        value = normalise(tag, vr, data)
        problems = check_value(tag, vr, value)
        if problems:
            raise BlueprintError.collect(replace(problem, loc=self.loc) for problem in problems)
        return value

    def function(self, name: Any, level: str) -> Callable[..., Any]:
        """Return a registered function, for use once a series or once an instance.

        A function of series level that takes no argument may be used for each instance, too.

        Raises
        ------
        BlueprintError, PluginError
            There is no such function, or it is not of this level.

        """
        if not isinstance(name, str):
            raise self.problem(
                f"{shown(name)} is not the name of a function", hint=f'write {{ {level} = "uid" }}'
            )
        registry = self.reader.plugin_set.registry("function")
        spec = cast("FunctionSpec", registry.spec(name))
        function: Callable[..., Any] = registry.resolve(name)
        if spec.level == level:
            return function
        if spec.level == "instance":
            raise self.problem(
                f'function "{name}" is asked once an instance, not once a series',
                hint=f'write {{ instance = "{name}" }}',
                kind="wrong-level",
            )
        if _needs_argument(function):
            raise self.problem(
                f'function "{name}" looks at the parent series; it is asked once a series, not once an instance',
                hint=f'write {{ series = "{name}" }}',
                kind="wrong-level",
            )
        return _each_time(function)

    def rule(self, tag: AnyTag, data: Any, *steps: str | int) -> VirtualElement:
        """Return the element of a rule inside this one, which stands `steps` below it."""
        return self.reader.rule(tag, data, (*self.key, *steps), self.vr)

    def items(self, data: Mapping[str, Any], *steps: str | int, base: Blueprint | None = None) -> Blueprint:
        """Return the blueprint of a table of rules inside this one, such as an item of a sequence.

        With `base` the rules are laid over those of an item of a weaker blueprint.
        """
        return self.reader.items(data, (*self.key, *steps), base)

    def parameter(self, name: str) -> Mapping[str, Parameter]:
        """Return the declarations of parameters, one of which is of this name.

        Raises
        ------
        BlueprintError
            Neither the file nor what it extends declares it.

        """
        return self.reader.parameter(name)

    def resource(self, path: str) -> bytes:
        """Return the bytes of a data file beside the blueprint file, such as a table.

        Parameters
        ----------
        path : str
            Relative to the folder of the blueprint file, with slashes. What lies outside that folder or its bundle
            cannot be read, nor what is larger than 1 MiB.

        Raises
        ------
        BlueprintError
            There is no such file, it is too large, or outside.

        """
        try:
            return self.reader.resource(path)
        except BlueprintError as error:
            raise BlueprintError.collect(replace(one, loc=self.loc) for one in error.problems) from None

    def problem(self, message: str, hint: str = "", kind: str = "bad-rule") -> BlueprintError:
        """Return an error that names the place of the rule."""
        return BlueprintError(message, hint=hint, loc=self.loc, kind=kind)


def _needs_argument(function: Callable[..., Any]) -> bool:
    """Tell whether a function cannot be called without arguments."""
    try:
        inspect.signature(function).bind()
    except TypeError:
        return True
    except ValueError:  # some builtins have no signature
        return False
    return False


def _each_time(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of an instance that calls one without arguments."""

    def each(_: Any) -> Any:
        return function()

    each.__name__ = getattr(function, "__name__", each.__name__)
    each.__qualname__ = getattr(function, "__qualname__", each.__qualname__)
    return each
