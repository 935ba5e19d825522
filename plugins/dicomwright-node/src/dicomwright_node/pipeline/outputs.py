"""What `process` returns: which series and files go where."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from dicomwright_node.pipeline.errors import PipelineError

__all__ = ["Address", "DicomOutput", "FileOutput", "MultiOutput", "NoOutput", "PipelineOutput"]

_LONGEST_AE_TITLE = 16
_LARGEST_PORT = 65535


@dataclass(frozen=True, slots=True)
class Address:
    """Where a DICOM peer listens.

    Examples
    --------
    >>> Address("192.0.2.7", 104, "PACS").url
    'dicom://PACS@192.0.2.7:104'

    Parameters
    ----------
    ip : str
        Address or name of the host.
    port : int
        Its port.
    ae_title : str
        Its AE title, at most 16 characters (PS3.5 6.2).

    """

    ip: str
    port: int
    ae_title: str

    def __post_init__(self) -> None:
        ip: Any = self.ip
        if not isinstance(ip, str) or not ip or any(c in ip for c in " /@?#[]"):
            raise PipelineError(f"ip is {self.ip!r}; it is an address or the name of a host")
        if not is_port(self.port) or not self.port:
            raise PipelineError(f"port is {self.port!r}; it is a number from 1 to {_LARGEST_PORT}")
        if not is_ae_title(self.ae_title):
            raise PipelineError(f"ae_title is {self.ae_title!r}; it is 1 to 16 printable characters")

    @property
    def url(self) -> str:
        """The address as ``dicomwright send`` takes it."""
        host = f"[{self.ip}]" if ":" in self.ip else self.ip
        return f"dicom://{quote(self.ae_title.strip(), safe='')}@{host}:{self.port}"


class PipelineOutput:
    """Root of what `process` may return."""

    @property
    def parts(self) -> tuple[PipelineOutput, ...]:
        """The outputs that it is made of."""
        return (self,)


@dataclass(frozen=True)
class DicomOutput(PipelineOutput):
    """Series for DICOM peers.

    Examples
    --------
    >>> from pydicom import Dataset
    >>> DicomOutput([(Address("192.0.2.7", 104, "PACS"), Dataset())]).items[0][0]
    'dicom://PACS@192.0.2.7:104'

    Parameters
    ----------
    items : iterable of (destination, series)
        An `Address`, or a URL that ``dicomwright send`` takes; a `Series`, a list of them, data sets or one data set.
    options : mapping of str to str
        Options of the sender.

    """

    items: Sequence[tuple[Any, Any]]
    options: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        checked = [(_url(where), series_of(what)) for where, what in _pairs(self.items, "DicomOutput")]
        object.__setattr__(self, "items", tuple((url, one) for url, many in checked for one in many))


@dataclass(frozen=True)
class FileOutput(PipelineOutput):
    """Series and files for folders that this machine reaches.

    Examples
    --------
    >>> FileOutput([("/results/4711/report.txt", "nothing found")]).items
    ((PosixPath('/results/4711/report.txt'), 'nothing found'),)

    Parameters
    ----------
    items : iterable of (path, content)
        The path is absolute. Bytes, text or a `pathlib.Path` (copied) become a file of that name; a `Series` or data
        sets become a folder of that name. What is there already is replaced.

    """

    items: Sequence[tuple[Any, Any]]

    def __post_init__(self) -> None:
        object.__setattr__(self, "items", tuple(map(_filed, _pairs(self.items, "FileOutput"))))


@dataclass(frozen=True)
class MultiOutput(PipelineOutput):
    """Several outputs at once.

    Examples
    --------
    >>> MultiOutput([NoOutput(), FileOutput([("/results/a.txt", "a")])]).parts[0].items
    ((PosixPath('/results/a.txt'), 'a'),)

    """

    outputs: Sequence[PipelineOutput]

    def __post_init__(self) -> None:
        given: Any = self.outputs
        outputs: tuple[Any, ...] = tuple(given) if isinstance(given, Iterable) else (given,)
        wrong = [type(one).__name__ for one in outputs if not isinstance(one, PipelineOutput)]
        if wrong:
            raise PipelineError(f"MultiOutput takes outputs, not a {wrong[0]}")
        object.__setattr__(self, "outputs", outputs)

    @property
    def parts(self) -> tuple[PipelineOutput, ...]:
        """The outputs that it is made of."""
        return tuple(part for output in self.outputs for part in output.parts)


@dataclass(frozen=True)
class NoOutput(PipelineOutput):
    """Nothing goes anywhere: the job is done."""

    @property
    def parts(self) -> tuple[PipelineOutput, ...]:
        """No outputs."""
        return ()


def is_ae_title(value: Any) -> bool:
    """Tell whether a value is an AE title (PS3.5 6.2)."""
    if not isinstance(value, str) or not value.strip() or len(value) > _LONGEST_AE_TITLE:
        return False
    return value.isascii() and value.isprintable() and "\\" not in value


def is_port(value: Any) -> bool:
    """Tell whether a value is a port; 0 is any free one."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _LARGEST_PORT


def series_of(content: Any) -> list[Any]:
    """Return series: each a `Series`, or a list of data sets.

    Raises
    ------
    PipelineError
        The content is something else, or empty.

    """
    from pydicom import Dataset

    from dicomwright import Series

    if isinstance(content, Series):
        return [content]
    if isinstance(content, Dataset):
        return [[content]]
    items = list(content) if isinstance(content, Iterable) and not isinstance(content, str | bytes) else []
    if items and all(isinstance(item, Dataset) for item in items):
        return [items]
    if items and all(isinstance(item, Series) for item in items):
        return items
    raise PipelineError(
        f"an output is {'empty' if items == [] and isinstance(content, list) else _article(content)}, not a series",
        hint="give a Series, or data sets",
        kind="output",
    )


def _url(destination: Any) -> str:
    if isinstance(destination, Address):
        return destination.url
    if isinstance(destination, str) and "://" in destination:
        return destination
    shown = repr(destination) if isinstance(destination, str) else _article(destination)
    raise PipelineError(
        f"a destination is {shown}",
        hint="give an Address or a URL such as dicom://PACS@host:104",
        kind="output",
    )


def _filed(item: tuple[Any, Any]) -> tuple[Path, Any]:
    """Return a path and what is to be there."""
    where, content = item
    if not isinstance(where, str | os.PathLike) or not Path(where).is_absolute() or ".." in Path(where).parts:
        raise PipelineError(
            f"FileOutput: {where!r} is no absolute path", hint="a node has no folder of yours", kind="output"
        )
    if not Path(where).name or "\0" in str(where):
        raise PipelineError(f"FileOutput: {where!r} names no file", hint="give its whole path", kind="output")
    if isinstance(content, bytes | str | Path):
        return Path(where), content
    series, *more = series_of(content)
    if more:
        raise PipelineError(
            f"FileOutput: {where!r} is one folder for {len(more) + 1} series",
            hint="give each a path",
            kind="output",
        )
    return Path(where), series


def _pairs(items: Any, name: str) -> list[tuple[Any, Any]]:
    listed = list(items) if isinstance(items, Iterable) and not isinstance(items, str) else [items]
    for item in listed:
        if not isinstance(item, tuple | list) or len(item) != 2:  # noqa: PLR2004  # a pair
            raise PipelineError(
                f"{name} has {_article(item)}, not a pair",
                hint="write [(destination, series)]",
                kind="output",
            )
    return [(first, second) for first, second in listed]


def _article(value: Any) -> str:
    return f"a {type(value).__name__}"
