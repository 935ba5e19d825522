"""Is a pipeline defined as it must be? Everything that is wrong is told at once."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from itertools import combinations
from math import inf
from typing import TYPE_CHECKING, Any

from dicomwright.errors import DicomwrightError, Problem
from dicomwright_node.pipeline.errors import PipelineError
from dicomwright_node.pipeline.inputs import AbstractInput
from dicomwright_node.pipeline.outputs import is_ae_title, is_port
from dicomwright_node.pipeline.processor import AbstractProcessor, grinder_of
from dicomwright_node.pipeline.routing import Wanted, tag_of

if TYPE_CHECKING:
    from dicomwright_node.pipeline.definition import AbstractPipeline

__all__ = ["check"]

_OF_PIPELINES = (
    "ae_title",
    "dicom_factory",
    "header_blueprint",
    "input",
    "patient_identifier_tag",
    "port",
    "Processor",
)
_OF_INPUTS = ("grinder", "quiet", "required_tags", "required_values", "validate")
_CLOSE = 0.85
_FORMER = {"image_grinder": ["grinder"]}  # names in DicomNode
_OURS = frozenset({"builtins", "dicomwright_node.pipeline.definition", "dicomwright_node.pipeline.inputs"})


def check(pipeline: type[AbstractPipeline]) -> None:
    """Raise all that is wrong with the definition of a pipeline.

    Raises
    ------
    PipelineError
        There is something.

    """
    where = f"{pipeline.__module__}.{pipeline.__qualname__}"
    problems = [
        Problem(message, hint, where, "definition")
        for message, hint in (
            *_network(pipeline),
            *_processor(pipeline),
            *_building(pipeline),
            *_misspelt(pipeline, "", _OF_PIPELINES),
            *_inputs(pipeline),
        )
    ]
    if problems:
        raise PipelineError.collect(problems)


def _network(pipeline: type[AbstractPipeline]) -> Iterator[tuple[str, str]]:
    if not is_ae_title(pipeline.ae_title):
        yield f"ae_title is {pipeline.ae_title!r}", "it is a text of 1 to 16 printable ASCII characters"
    ip: Any = pipeline.ip
    if not isinstance(ip, str) or not ip.strip():
        yield f"ip is {pipeline.ip!r}", 'it is an address such as "127.0.0.1"'
    if not is_port(pipeline.port):
        yield f"port is {pipeline.port!r}", "it is a number from 0 (any free one) to 65535"


def _processor(pipeline: type[AbstractPipeline]) -> Iterator[tuple[str, str]]:
    processor: Any = pipeline.Processor
    if processor is AbstractProcessor:
        yield (
            "it has no Processor",
            "write a class Processor(AbstractProcessor) inside it, with a method process",
        )
    elif not (isinstance(processor, type) and issubclass(processor, AbstractProcessor)):
        yield f"Processor is {_shown(processor)}", "it is a class that derives from AbstractProcessor"
    elif processor.process is AbstractProcessor.process:
        yield "its Processor has no method process", "write process(self, input_container)"
    elif not _takes(processor.process, 2):
        yield "its Processor.process takes other arguments", "write process(self, input_container)"


def _building(pipeline: type[AbstractPipeline]) -> Iterator[tuple[str, str]]:
    from dicomwright import Blueprint, DicomFactory

    factory = pipeline.dicom_factory
    is_class = isinstance(factory, type) and issubclass(factory, DicomFactory)
    if factory is not None and not is_class and not isinstance(factory, DicomFactory):
        yield f"dicom_factory is {_shown(factory)}", "it is a DicomFactory"
    blueprint: Any = pipeline.header_blueprint
    if blueprint is not None and not isinstance(blueprint, Blueprint):
        yield f"header_blueprint is {_shown(blueprint)}", "it is a Blueprint"
    try:
        tag_of(pipeline.patient_identifier_tag)
    except DicomwrightError as error:
        yield f"patient_identifier_tag: {error}", ""


def _inputs(pipeline: type[AbstractPipeline]) -> Iterator[tuple[str, str]]:
    inputs: Any = pipeline.input
    if not isinstance(inputs, Mapping) or not inputs:
        shown = "empty" if inputs == {} else _shown(inputs)
        yield f"input is {shown}", 'it is a dict such as {"ct": CTInput}'
        return
    right = {}
    for name, kind in inputs.items():
        problems = list(_input(name, kind))
        yield from problems
        if not problems:
            right[name] = Wanted.of(kind)
    for (one, first), (other, second) in combinations(right.items(), 2):
        if first.meets(second) and first.weight == second.weight:
            yield (
                f"inputs {one!r} and {other!r} accept the same instances",
                "ask for different values of one tag in required_values",
            )


def _input(name: Any, kind: Any) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with one input."""
    if not isinstance(name, str) or not name:
        yield f"the name of an input is {name!r}", "it is a text"
    if not (isinstance(kind, type) and issubclass(kind, AbstractInput)):
        yield (
            f"input {name!r} is {_shown(kind)}",
            "it is a class that derives from AbstractInput, not an instance",
        )
        return
    yield from _requirements(name, kind)
    yield from _misspelt(kind, f"input {name!r}: ", _OF_INPUTS)
    if not callable(grinder_of(kind)):
        yield f"input {name!r}: grinder is {_shown(kind.grinder)}", "it is a function of one argument"
    validate: Any = kind.validate
    if not callable(validate) or not _takes(validate, 1):
        yield f"input {name!r}: validate takes other arguments", "write validate(self)"
    quiet: Any = kind.quiet
    if quiet is not None and not (isinstance(quiet, int | float) and 0 <= quiet < inf):
        yield f"input {name!r}: quiet is {quiet!r}", "it is a number of seconds"


def _requirements(name: str, kind: type[AbstractInput]) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with the tags and values that an input asks for."""
    tags: Any = kind.required_tags
    values: Any = kind.required_values
    if isinstance(tags, str) or not isinstance(tags, Sequence | set | frozenset):
        yield f"input {name!r}: required_tags is {_shown(tags)}", "it is a list of tags"
        tags = ()
    if not isinstance(values, Mapping):
        yield f"input {name!r}: required_values is {_shown(values)}", "it is a dict of tags and values"
        values = {}
    for tag in (*tags, *values):
        try:
            tag_of(tag)
        except DicomwrightError as error:
            yield f"input {name!r}: {error}", ""
    for tag, value in values.items():
        options = value if isinstance(value, list | tuple | set | frozenset) else [value]
        if not options or not all(isinstance(one, str | int | float) for one in options):
            yield (
                f"input {name!r}: the value of {tag!r} is {_shown(value)}",
                "it is a text, a number, or a list of them",
            )


def _misspelt(kind: type, where: str, known: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Yield the attributes of a user's class that mean nothing, and look as if they should."""
    own = {name for base in kind.__mro__ for name in vars(base) if base.__module__ not in _OURS}
    for name in sorted(own - {*known}):
        near = _FORMER.get(name) or get_close_matches(name, known, 1, _CLOSE)
        if near and not name.startswith("_"):
            yield (
                f"{where}{name} means nothing",
                f"did you mean {near[0]}? Begin the names of your own with _",
            )


def _takes(function: Callable[..., Any], count: int) -> bool:
    """Tell whether a function can be called with so many positional arguments."""
    try:
        inspect.signature(function).bind(*[None] * count)
    except (TypeError, ValueError):
        return False
    return True


def _shown(value: Any) -> str:
    if value is None:
        return "None"
    return f"the class {value.__name__}" if isinstance(value, type) else f"a {type(value).__name__}"
