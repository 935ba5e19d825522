"""Parameters of blueprint files: values that are given to a build by name, with a type and maybe a default."""

from __future__ import annotations

import enum
from dataclasses import field, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from dicomwright._dataclass import dataclass
from dicomwright.blueprint.elements import VirtualElement
from dicomwright.blueprint.resolution import PerInstance, Resolution
from dicomwright.blueprint.tags import describe, to_tag
from dicomwright.blueprint.values import check_value, normalise
from dicomwright.bundles.stores import shown
from dicomwright.bundles.text_values import from_text
from dicomwright.errors import BlueprintError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dicomwright.blueprint.environment import SeriesEnvironment
    from dicomwright.blueprint.tags import TagLike
    from dicomwright.bundles.document import Document

__all__ = ["LATER", "VRS", "Later", "Parameter", "ParameterElement", "check_conflicts", "read_parameters"]

_KEYS = ("type", "default", "summary")
_ANY_TAG = 0x00091010  # stands for the tag of a value that has none yet
#: The types that a parameter may have.
VRS = frozenset(
    "AE AS CS DA DS DT FD FL IS LO LT PN SH SL SS ST SV TM UC UI UL UR US UT UV".split()  # noqa: SIM905
)


class Later(enum.Enum):
    """The type of `LATER`: a value that lint takes to be given to the build."""

    LATER = "later"


LATER = Later.LATER


@dataclass(frozen=True)
class Parameter:
    """One parameter as a file declares it.

    Attributes
    ----------
    name : str
        What ``--kwarg`` gives.
    vr : str
        Its type, a VR (PS3.5 section 6.2).
    default : Any
        Its value where none is given.
    required : bool
        Whether it has no default.
    summary : str
        One line for people.
    loc : str
        ``file:line`` of the declaration.

    """

    name: str
    vr: str
    default: Any = None
    required: bool = True
    summary: str = field(default="", repr=False)
    loc: str = field(default="", repr=False)  # where it stands does not count in UIDs that are derived

    def value(self, tag: TagLike, vr: str, given: Any) -> tuple[Any, list[Problem]]:
        """Return a value as a tag takes it, and what is wrong with it for the parameter's type and the tag's VR."""
        try:
            value = from_text(tag, self.vr, given) if isinstance(given, str) else given
        except BlueprintError as error:
            return given, list(error.problems)
        problems = check_value(tag, self.vr, normalise(tag, self.vr, value))
        value = normalise(tag, vr, value)
        if not problems and vr != self.vr:
            problems = check_value(tag, vr, value)
        return value, problems


class _Declared:
    """The declaration of one parameter; which of several counts is known when all files are read."""

    def __init__(self, name: str, known: Mapping[str, Parameter]) -> None:
        self.name = name
        self.known = known

    def __repr__(self) -> str:
        """Return what the declaration says, and nothing of the others."""
        return repr(self.known[self.name])


class ParameterElement(VirtualElement):
    """A value that is given to the build by name.

    Parameters
    ----------
    tag, vr
        See `VirtualElement`.
    name : str
        The parameter.
    known : mapping
        The declarations; the last file has the last word about defaults.

    """

    def __init__(self, tag: TagLike, vr: str, name: str, known: Mapping[str, Parameter]) -> None:
        super().__init__(tag, vr)
        self.name = name
        self.declared = _Declared(name, known)

    @property
    def parameter(self) -> Parameter:
        """The declaration that counts."""
        return self.declared.known[self.name]

    def resolve(self, env: SeriesEnvironment) -> Resolution:
        """Return the value that is given, or the default."""
        parameter = self.parameter
        if self.name in env.kwargs:
            given = env.kwargs[self.name]
            if given is LATER:
                return PerInstance(lambda _: None)
        elif parameter.required:
            raise self._missing(env)
        else:
            given = parameter.default
            self._suspect(env)
        value, problems = parameter.value(self.tag, self.vr or parameter.vr, given)
        if problems:
            told = [
                replace(one, message=f"parameter {self.name}: {one.message}", loc=self.origin)
                for one in problems
            ]
            raise BlueprintError.collect(told)
        return value

    def rule(self) -> str:
        """Return the rule in a few words."""
        parameter = self.parameter
        default = "required" if parameter.required else f"default {parameter.default!r}"
        return f"parameter {self.name} ({parameter.vr}, {default})"

    def _missing(self, env: SeriesEnvironment) -> BlueprintError:
        """Return the error for a parameter that nobody gave."""
        others = {str(key).lower(): str(key) for key in env.kwargs if key not in self.declared.known}
        close = get_close_matches(self.name.lower(), others, 1)
        meant = f"; {others[close[0]]} is given, and there is no such parameter" if close else ""
        return self.problem(
            f"needs the parameter {self.name} ({self.parameter.vr}), which has no default{meant}",
            hint=f"give --kwarg {self.name}=..., in Python kwargs={{{self.name!r}: ...}}",
            kind="missing-parameter",
        )

    def _suspect(self, env: SeriesEnvironment) -> None:
        """Warn of a name that looks like this one and is no parameter."""
        others = {str(key).lower(): str(key) for key in env.kwargs if key not in self.declared.known}
        close = get_close_matches(self.name.lower(), others, 1, 0.8)
        if close:
            warning = f"{others[close[0]]} is given, and is no parameter; did you mean {self.name}?"
            if warning not in env.warnings:
                env.warnings.append(warning)


def read_parameters(
    document: Document, known: Mapping[str, Parameter], *, complete: bool = True
) -> dict[str, Parameter]:
    """Return the parameters that a file declares; what is wrong is added to the problems of the document.

    Parameters
    ----------
    document : Document
        The file.
    known : mapping
        Those of the files that it extends, which it may give another default.
    complete : bool
        Whether these are all; where a file cannot be read, another may have the type.

    """
    return {
        name: found
        for name, data in document.parameters.items()
        if (found := _declared(document, name, data, known.get(name), complete=complete)) is not None
    }


def _declared(
    document: Document, name: str, data: Any, older: Parameter | None, *, complete: bool
) -> Parameter | None:
    """Return one parameter, or note why it is none."""
    key = ("parameters", name)
    before = len(document.problems)
    if not (name.isidentifier() and name.isascii()):
        document.add(f"{shown(name)} cannot be the name of a parameter", "use letters, digits and _", *key)
    if not isinstance(data, dict):
        document.add(f"parameter {name} is not a table", 'write { type = "LO", default = "..." }', *key)
        return None
    for unknown in (one for one in data if one not in _KEYS):
        close = get_close_matches(unknown, _KEYS, 1)
        hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(_KEYS)}"
        document.add(f"a parameter has no {shown(unknown)}", hint, *key, unknown)
    vr = data.get("type", older.vr if older else None)
    if vr is None and not complete:
        vr = "UT"
    if not isinstance(vr, str) or vr not in VRS:
        document.add(
            f"parameter {name} is of type {shown(vr)}" if "type" in data else f"parameter {name} has no type",
            'write the VR of its values (PS3.5 section 6.2), such as type = "LO"',
            *key,
        )
    elif older is not None and older.vr != vr:
        document.add(
            f"parameter {name} is of type {vr}, and of type {older.vr} in {older.loc}",
            "give it one type",
            *key,
        )
    summary = data.get("summary", older.summary if older else "")
    if not isinstance(summary, str) or not summary.isprintable():
        document.add(f"the summary of parameter {name} is not one line of text", "", *key, "summary")
    if len(document.problems) > before:
        return None
    required = "default" not in data and (older is None or older.required)
    default = data.get("default", older.default if older else None)
    found = Parameter(name, str(vr), default, required, summary, document.loc(*key))
    for problem in () if required else _wrong_default(found):
        document.add(problem.message, problem.hint, *key, "default")
    return found


def _wrong_default(parameter: Parameter) -> Iterator[Problem]:
    """Yield what is wrong with a default for the type."""
    parts = parameter.default if isinstance(parameter.default, list) else [parameter.default]
    if any(isinstance(part, bool | dict | list) for part in parts):
        yield Problem(f"the default of parameter {parameter.name} is neither a text, a number nor a date")
        return
    tag = to_tag(_ANY_TAG)
    for problem in parameter.value(tag, parameter.vr, parameter.default)[1]:
        message = problem.message.replace(describe(tag), f"the default of parameter {parameter.name}")
        yield replace(problem, message=message)


def check_conflicts(
    older: Mapping[str, Parameter], newer: Mapping[str, Parameter], loc: str
) -> Iterator[Problem]:
    """Yield the parameters that two files declare with different types."""
    for name in sorted(older.keys() & newer.keys()):
        one, other = older[name], newer[name]
        if one.vr != other.vr:
            yield Problem(
                f"parameter {name} is of type {one.vr} in {one.loc}, and of type {other.vr} in {other.loc}",
                "rename one of them",
                loc,
                "parameter",
            )
