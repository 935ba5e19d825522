"""Which input takes an instance, decided by data alone: no code of the user runs."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dicomwright_node.pipeline.errors import PipelineError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydicom import Dataset

    from dicomwright_node.pipeline.definition import AbstractPipeline
    from dicomwright_node.pipeline.inputs import AbstractInput

__all__ = ["Route", "Router", "Wanted", "sorted_into", "tag_of"]

_PIXELS = 0x7FE00000


@dataclass(frozen=True, slots=True)
class Route:
    """Where an instance goes.

    Attributes
    ----------
    input : str
        Name of the input; empty if none takes it.
    key : str
        Value of the tag that groups instances.
    reason : str
        Why no input takes it, without patient data.

    """

    input: str
    key: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an input asks of an instance."""

    tags: frozenset[int]
    values: dict[int, frozenset[str]]

    @classmethod
    def of(cls, kind: type[AbstractInput]) -> Wanted:
        """Return what a class of inputs asks for."""
        values = {}
        for tag, value in kind.required_values.items():
            options = value if isinstance(value, list | tuple | set | frozenset) else [value]
            values[tag_of(tag)] = frozenset(_plain(one) for one in options)
        return cls(frozenset({*map(tag_of, kind.required_tags), *values}), values)

    @property
    def weight(self) -> int:
        """How much is asked for; of two inputs that could take an instance, the one that asks for more does."""
        return len(self.tags) + len(self.values)

    def meets(self, other: Wanted) -> bool:
        """Tell whether an instance can be what both want."""
        return all(self.values[tag] & other.values[tag] for tag in self.values.keys() & other.values.keys())

    def lacks(self, header: Dataset) -> str:
        """Return what an instance does not have; empty if nothing."""
        for tag in sorted(self.tags):
            if tag not in header or (tag < _PIXELS and header[tag].is_empty):
                return f"no {_name(tag)}"
        for tag, options in self.values.items():
            if not options & _values(header, tag):
                return f"another {_name(tag)}"
        return ""


class Router:
    """Finds the input of a pipeline that takes an instance.

    Examples
    --------
    >>> from pydicom import Dataset
    >>> from dicomwright_node import AbstractInput, AbstractPipeline
    >>> class CTInput(AbstractInput):
    ...     required_values = {"Modality": "CT"}
    >>> class Sorted(AbstractPipeline):
    ...     input = {"ct": CTInput}
    >>> router, header = Router(Sorted), Dataset()
    >>> header.PatientID, header.Modality = "4711", "CT"
    >>> router.route(header)
    Route(input='ct', key='4711', reason='')
    >>> header.Modality = "MR"
    >>> router.route(header).reason
    'no input takes it: ct wants another Modality (0008,0060)'

    """

    def __init__(self, pipeline: type[AbstractPipeline]) -> None:
        self._key = tag_of(pipeline.patient_identifier_tag)
        wanted = [(name, Wanted.of(kind)) for name, kind in pipeline.input.items()]
        self._wanted = sorted(wanted, key=lambda pair: -pair[1].weight)
        self.tags = sorted({self._key, *(tag for _, one in wanted for tag in one.tags)})

    def route(self, header: Dataset) -> Route:
        """Return which input takes an instance, by the most that it asks for."""
        key = ""
        if self._key in header and not header[self._key].is_empty:
            element = header[self._key]
            key = "\\".join(map(str, element.value if element.VM > 1 else [element.value])).strip(" \0")
        if not key:
            return Route("", "", f"it has no {_name(self._key)}, so that no job can be found for it")
        lacking = []
        for name, wanted in self._wanted:
            lack = wanted.lacks(header)
            if not lack:
                return Route(name, key)
            lacking.append(
                f"{name} wants {lack}" if lack.startswith("another") else f"it has {lack} for {name}"
            )
        return Route("", key, f"no input takes it: {'; '.join(lacking)}")

    def read(self, path: str | os.PathLike[str]) -> Dataset:
        """Read what `route` looks at from a file; pixel data is empty in it, if the file has any.

        Raises
        ------
        PipelineError
            It cannot be read.

        """
        from dicomwright.errors import ParentError
        from dicomwright.parents.headers import read_header

        file = Path(path)
        try:
            header = read_header(file)
            dataset = header.dataset
            for tag in self.tags:
                dataset.get(tag)  # decodes it
        except ParentError as error:
            message, name = error.problems[0].message, f"{file} "
            reason = f"the file {message.removeprefix(name)}" if message.startswith(name) else message
            raise PipelineError(reason, loc=str(file), kind="damaged") from error
        except Exception as error:
            raise PipelineError(f"a value cannot be read: {type(error).__name__}", loc=str(file)) from error
        if any(tag >= _PIXELS for tag in self.tags) and header.size < file.stat().st_size:
            dataset.add_new(next(tag for tag in self.tags if tag >= _PIXELS), "OW", b"")
        return dataset


def sorted_into(
    pipeline: type[AbstractPipeline], paths: Iterable[str | os.PathLike[str]]
) -> tuple[str, dict[str, list[Path]]]:
    """Return the key of files and the files of each input.

    Raises
    ------
    PipelineError
        No input takes a file, they have several keys, or it is one path and no list.

    """
    if isinstance(paths, str | bytes | os.PathLike):
        raise PipelineError("run was given one path, not a list", hint="give files: Path(folder).iterdir()")
    router = Router(pipeline)
    files: dict[str, list[Path]] = {}
    keys = set()
    for path in paths:
        route = router.route(router.read(path))
        if not route.input:
            raise PipelineError(route.reason, loc=str(path), kind="unwanted")
        keys.add(route.key)
        files.setdefault(route.input, []).append(Path(path))
    if len(keys) > 1:
        raise PipelineError(f"the files are of {len(keys)} patients", kind="several-patients")
    return next(iter(keys), ""), files


def tag_of(tag: Any) -> int:
    """Return a tag as a number.

    Raises
    ------
    BlueprintError
        It is no tag, or a private one.

    """
    from dicomwright.blueprint.tags import PrivateTag, to_tag

    known = to_tag(tag)
    if isinstance(known, PrivateTag):
        raise PipelineError(f"{tag!r} is a private tag", hint="inputs are told apart by standard ones")
    return int(known)


def _values(header: Dataset, tag: int) -> set[str]:
    """Return the components of a value, and the value as a whole."""
    element = header[tag]
    components = [_plain(one) for one in (element.value if element.VM > 1 else [element.value])]
    return {*components, "\\".join(components)}


def _plain(value: Any) -> str:
    """Return a value as a text that is the same for 1, 1.0 and "1"."""
    text = str(value).strip(" \0")
    try:
        number = float(text)
    except ValueError:
        return text
    return repr(number)


def _name(tag: int) -> str:
    from pydicom.datadict import keyword_for_tag

    shown = f"({tag >> 16:04X},{tag & 0xFFFF:04X})"
    return f"{keyword_for_tag(tag)} {shown}".strip()
