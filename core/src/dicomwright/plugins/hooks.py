"""The hooks that a plug-in may implement.

One hook per kind of thing, each gives descriptors. A plug-in implements the ones that it needs, in a module
that imports nothing else, and names that module in the entry-point group ``dicomwright``:

>>> @hookimpl
... def dicomwright_readers():
...     return [ReaderSpec(name="acme", summary="ACME volumes", target="dicomwright_acme.reader:AcmeReader")]
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from pluggy import HookimplMarker, HookspecMarker

from dicomwright.plugins.descriptors import (
    CodecSpec,
    CommandSpec,
    ElementTypeSpec,
    EncoderSpec,
    ExecutorSpec,
    FunctionSpec,
    ReaderSpec,
    SenderSpec,
    Spec,
    ValidatorSpec,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["API_VERSION", "BUILD_HOOK", "KINDS", "Kind", "hookimpl", "hookspec"]

hookspec = HookspecMarker("dicomwright")
hookimpl = HookimplMarker("dicomwright")

#: Version of the hooks, their arguments, the descriptors and the protocols behind them. It grows when something is
#: taken away or changes its meaning; what is only added does not change it.
API_VERSION = 1

#: The hook around a whole build.
BUILD_HOOK = "dicomwright_build"


class Kind(NamedTuple):
    """One kind of thing that plug-ins provide.

    Attributes
    ----------
    name : str
        The word used in messages and by `PluginSet.registry`.
    hook : str
        Name of the hook that yields the descriptors.
    spec : type
        Class of the descriptors.

    """

    name: str
    hook: str
    spec: type[Spec]


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("element-type", "dicomwright_element_types", ElementTypeSpec),
        Kind("reader", "dicomwright_readers", ReaderSpec),
        Kind("encoder", "dicomwright_encoders", EncoderSpec),
        Kind("codec", "dicomwright_codecs", CodecSpec),
        Kind("function", "dicomwright_functions", FunctionSpec),
        Kind("sender", "dicomwright_senders", SenderSpec),
        Kind("executor", "dicomwright_executors", ExecutorSpec),
        Kind("validator", "dicomwright_validators", ValidatorSpec),
        Kind("command", "dicomwright_commands", CommandSpec),
    )
}


@hookspec
def dicomwright_element_types() -> Iterable[ElementTypeSpec]:  # type: ignore[empty-body]  # a declaration
    """Give kinds of virtual element, for blueprint files.

    The loader of blueprint files looks the key of a rule, ``copy`` in ``{copy = "optional"}``, up by name.
    """


@hookspec
def dicomwright_readers() -> Iterable[ReaderSpec]:  # type: ignore[empty-body]  # a declaration
    """Give readers, which turn a source file into a payload. The target is a `dicomwright.plugins.Reader`."""


@hookspec
def dicomwright_encoders() -> Iterable[EncoderSpec]:  # type: ignore[empty-body]  # a declaration
    """Give encoders, which say how a payload becomes instances of an IOD."""


@hookspec
def dicomwright_codecs() -> Iterable[CodecSpec]:  # type: ignore[empty-body]  # a declaration
    """Give codecs, which write transfer syntaxes. The target is a `dicomwright.encoders.codecs.Codec`."""


@hookspec
def dicomwright_functions() -> Iterable[FunctionSpec]:  # type: ignore[empty-body]  # a declaration
    """Give functions that blueprint files may name, as in ``{series = "uid"}``."""


@hookspec
def dicomwright_senders() -> Iterable[SenderSpec]:  # type: ignore[empty-body]  # a declaration
    """Give senders, which transmit finished files. The target is a `dicomwright.plugins.Sender` class."""


@hookspec
def dicomwright_executors() -> Iterable[ExecutorSpec]:  # type: ignore[empty-body]  # a declaration
    """Give executors, which call functions elsewhere. The target is a `dicomwright.plugins.Executor` class."""


@hookspec
def dicomwright_validators() -> Iterable[ValidatorSpec]:  # type: ignore[empty-body]  # a declaration
    """Give validators, which judge finished files."""


@hookspec
def dicomwright_commands() -> Iterable[CommandSpec]:  # type: ignore[empty-body]  # a declaration
    """Give commands below ``dicomwright``. The target is a click command."""


@hookspec(firstresult=True)
def dicomwright_build(source: Any, blueprint: Any, parents: Any) -> Any:
    """Surround a whole build, never an element. Implementations are wrappers.

    Examples
    --------
    >>> @hookimpl(wrapper=True)
    ... def dicomwright_build(source, blueprint, parents):
    ...     print("before")
    ...     series = yield
    ...     print(len(series), "instances")
    ...     return series

    Parameters
    ----------
    source : object
        What is built from: a path or a payload.
    blueprint : Blueprint
        The user's blueprint.
    parents : ParentSeries or None
        The parent series.

    Returns
    -------
    Series
        What `yield` gave, or what is to take its place.

    """
