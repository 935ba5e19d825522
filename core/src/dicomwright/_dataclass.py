"""Frozen dataclasses that are made in a quarter of the time: a short command makes nearly a hundred classes.

`dataclasses.dataclass` compiles six functions for a frozen class, which takes half a millisecond. Here one is
compiled, ``__init__``; the others are the same for all classes but for the names of the fields. Whoever checks types
sees the original.
"""

from __future__ import annotations

import dataclasses
from dataclasses import MISSING, FrozenInstanceError
from operator import attrgetter
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable
    from dataclasses import Field, dataclass
else:

    def dataclass(cls: Any = None, /, *, frozen: bool = False, **options: Any) -> Any:
        """Return a class as `dataclasses.dataclass` does.

        Examples
        --------
        >>> @dataclass(frozen=True, slots=True)
        ... class Place:
        ...     x: float
        ...     y: float = 0.0
        >>> Place(1.5), Place(1.5) == Place(1.5, 0), len({Place(2), Place(2)})
        (Place(x=1.5, y=0.0), True, 1)
        >>> Place(1).x = 2
        Traceback (most recent call last):
        ...
        dataclasses.FrozenInstanceError: cannot assign to field 'x'

        """

        def made(one: type) -> type:
            return _frozen(one, **options) if frozen else dataclasses.dataclass(one, **options)

        return made if cls is None else made(cls)


__all__ = ["dataclass"]

_ABSENT = object()


def _frozen(cls: type, *, eq: bool = True, **options: Any) -> type:
    """Return a frozen dataclass."""
    inherits = any("__dataclass_params__" in vars(base) for base in cls.__mro__[1:])
    made: Any = dataclasses.dataclass(cls, init=False, repr=False, eq=False, frozen=inherits, **options)
    made.__dataclass_params__.frozen = True  # what Python looks at when a class inherits
    fields = dataclasses.fields(made)
    functions = {"__init__": _init(made, fields)}
    if not inherits:
        functions |= {"__setattr__": _set, "__delattr__": _delete}
    functions["__repr__"] = _repr([field.name for field in fields if field.repr])
    if eq:
        functions |= _comparison([field.name for field in fields if field.compare])
    if options.get("slots"):
        functions |= {"__getstate__": _state([field.name for field in fields]), "__setstate__": _restore}
    for name, function in functions.items():
        if vars(cls).get(name) is None:
            setattr(made, name, function)
    return made  # type: ignore[no-any-return]  # made of a class


def _init(cls: type, fields: tuple[Field[Any], ...]) -> Callable[..., None]:
    """Compile the function that takes the fields."""
    scope: dict[str, Any] = {"_set": object.__setattr__, "_absent": _ABSENT}
    parameters: dict[bool, list[str]] = {False: [], True: []}
    lines = []
    for number, field in enumerate(fields):
        name = value = field.name
        default = ""
        if field.default is not MISSING:
            scope[f"_default{number}"], default = field.default, f"=_default{number}"
        elif field.default_factory is not MISSING:
            scope[f"_default{number}"], default = field.default_factory, "=_absent"
            value = f"_default{number}() if {name} is _absent else {name}"
        if field.init:
            parameters[bool(field.kw_only)].append(name + default)
        elif default:
            lines.append(f" {name}{default}\n")
        if field.init or default:
            lines.append(f" _set(self, {name!r}, {value})\n")
    if hasattr(cls, "__post_init__"):
        lines.append(" self.__post_init__()\n")
    star = ["*", *parameters[True]] if parameters[True] else []
    head = ", ".join(["self", *parameters[False], *star])
    exec(f"def __init__({head}):\n{''.join(lines) or ' pass'}", scope)  # noqa: S102  # as `dataclasses` does
    function: Any = scope["__init__"]
    function.__qualname__ = f"{cls.__qualname__}.__init__"
    function.__annotations__ = {field.name: field.type for field in fields} | {"return": None}
    return function  # type: ignore[no-any-return]  # compiled


def _set(self: object, name: str, value: object) -> NoReturn:  # noqa: ARG001  # as Python calls it
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _delete(self: object, name: str) -> NoReturn:  # noqa: ARG001  # as Python calls it
    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _repr(names: list[str]) -> Any:
    """Return the function that shows the fields."""

    @recursive_repr()
    def shown(self: Any) -> str:
        values = ", ".join(f"{name}={getattr(self, name)!r}" for name in names)
        return f"{type(self).__qualname__}({values})"

    return shown


def _comparison(names: list[str]) -> dict[str, Any]:
    """Return the functions that compare the fields, and hash them."""
    values: Any = attrgetter(*names) if names else lambda _: ()

    def equal(self: Any, other: Any) -> bool:
        return values(self) == values(other) if type(other) is type(self) else NotImplemented

    def hashed(self: Any) -> int:
        return hash(values(self))

    return {"__eq__": equal, "__hash__": hashed}


def _state(names: list[str]) -> Any:
    """Return the function that pickles the fields of a class with slots."""

    def state(self: Any) -> dict[str, Any]:
        return {name: getattr(self, name) for name in names}

    return state


def _restore(self: object, state: dict[str, Any]) -> None:
    for name, value in state.items():
        object.__setattr__(self, name, value)
