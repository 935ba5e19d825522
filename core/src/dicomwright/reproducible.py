"""Builds that give the same bytes again: UIDs and dates that follow from what is built."""

from __future__ import annotations

import datetime as dt
import hashlib
import inspect
import os
from collections.abc import Mapping
from functools import singledispatch
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any

from pydicom.valuerep import DA, TM

from dicomwright.blueprint.blueprint import Blueprint
from dicomwright.blueprint.elements import VirtualElement
from dicomwright.errors import BlueprintError
from dicomwright.uids import BuildUids

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from dicomwright.build import BuildOptions
    from dicomwright.engine.rules import Layer
    from dicomwright.parents import ParentSeries

__all__ = ["derived_instant", "derived_uids", "stable"]

_NOT_BUILT = ("origin", "tag", "vr", "final")  # tag and VR are told apart from the rest
_PLAIN = (str, bytes, int, float, bool, type(None), list, tuple, dict)
_DATES = (("ContentDate", "ContentTime"), ("SeriesDate", "SeriesTime"), ("StudyDate", "StudyTime"))


def derived_uids(
    layers: Iterable[Layer],
    options: BuildOptions,
    content: Callable[[], bytes] | None,
    parents: ParentSeries | None,
) -> BuildUids:
    """Return UIDs that are a function of parents, blueprint, options and content."""
    rules = [(layer.name, _stable(element)) for layer in layers for element in layer.blueprint]

    def seed() -> bytes:
        state = hashlib.sha256(b"" if content is None else content())
        sources = sorted(str(dataset.get("SOPInstanceUID", "")) for dataset in parents or ())
        known = (
            sources,
            rules,
            _stable(options.kwargs),
            _stable(options.encoder_options),
            options.keep_private,
        )
        state.update(repr(known).encode())
        return state.digest()

    return BuildUids.derived(seed)


def derived_instant(options: BuildOptions, parents: ParentSeries | None) -> dt.datetime | None:
    """Return the instant that dates are taken from.

    The one that is given; that of the environment variable SOURCE_DATE_EPOCH; now. With derived UIDs the
    parents' latest date and time stand in for now; without parents nothing does, and dates are left empty.
    """
    if options.instant is not None:
        return options.instant
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    if epoch:
        return _from_epoch(epoch)
    if options.uids == "random":
        return dt.datetime.now().astimezone()
    return max(_instants(parents), default=None)


def _from_epoch(text: str) -> dt.datetime:
    """Return SOURCE_DATE_EPOCH as an instant in UTC."""
    try:
        return dt.datetime.fromtimestamp(int(text), dt.UTC)
    except (ValueError, OverflowError, OSError):
        raise BlueprintError(f"SOURCE_DATE_EPOCH={text!r} is not a number of seconds since 1970") from None


def _instants(parents: ParentSeries | None) -> Iterator[dt.datetime]:
    """Iterate over the dates and times of the parents."""
    for dataset in parents or ():
        for date_keyword, time_keyword in _DATES:
            try:
                date: dt.date | None = DA(dataset.get(date_keyword) or None)
                time: dt.time | None = TM(dataset.get(time_keyword) or None)
            except ValueError:
                continue  # a parent with a malformed date: the others tell
            if date:
                yield dt.datetime.combine(date, time or dt.time())
                break


def stable(value: Any) -> Any:
    """Return a value, such as an element, in a form that compares equal where it makes the same."""
    return _stable(value)


@singledispatch
def _stable(value: Any) -> Any:
    """Return a value in a form whose text is the same in every run, and differs where the value does."""
    if hasattr(value, "tobytes"):  # the text of a large array is cut short
        return str(getattr(value, "dtype", "")), hashlib.sha256(value.tobytes()).hexdigest()
    if callable(value) or " object at 0x" in repr(value):  # an address is another in every run
        return type(value).__module__, getattr(value, "__qualname__", type(value).__qualname__)
    return repr(value)


@_stable.register
def _(value: Mapping) -> Any:  # type: ignore[type-arg]  # registered by the bare class
    pairs = [(str(key), _stable(item)) for key, item in value.items()]
    return sorted(pairs, key=lambda pair: pair[0])


@_stable.register(list)
@_stable.register(tuple)
@_stable.register(Blueprint)
def _(value: Any) -> Any:
    return [_stable(item) for item in value]


@_stable.register
def _(value: VirtualElement) -> Any:
    parts = {name: part for name, part in vars(value).items() if name not in _NOT_BUILT}
    return type(value).__name__, str(value.tag), value.vr, _stable(parts)


@_stable.register
def _(value: FunctionType) -> Any:
    """Return what a function does: its code, constants, defaults, and the values it closes over."""
    names = value.__code__.co_freevars
    cells = inspect.getclosurevars(value).nonlocals
    return (
        value.__module__,
        value.__qualname__,
        _stable_code(value.__code__),
        [_stable(default) for default in value.__defaults__ or ()],
        [_stable(cells[name]) if isinstance(cells.get(name), _PLAIN) else name for name in names],
    )


def _stable_code(code: CodeType) -> Any:
    """Return compiled code and its constants, those of functions inside it included."""
    constants = [_stable_code(one) if isinstance(one, CodeType) else repr(one) for one in code.co_consts]
    return code.co_code.hex(), code.co_names, constants
