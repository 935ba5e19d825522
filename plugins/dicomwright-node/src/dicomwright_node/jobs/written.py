"""Write what the user's function returned into the node's folder, each file on disk before anything is sent."""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from dicomwright_node.pipeline.errors import PipelineError
from dicomwright_node.pipeline.outputs import DicomOutput, FileOutput

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pydicom import Dataset

    from dicomwright_node.pipeline.outputs import PipelineOutput

__all__ = ["EXPLANATION", "Written", "write_output"]

#: End of the name of the file with the explanation of a series, beside its folder.
EXPLANATION = ".explained.json"
_CONTENT = "content"


@dataclass(frozen=True, slots=True)
class Written:
    """A finished output.

    Attributes
    ----------
    kind : str
        ``dicom`` or ``file``.
    path : str
        The folder, or the file.
    files, size : int
        How many files, and their bytes.
    destination : str
        A URL.
    options : dict
        Of the sender.

    """

    kind: str
    path: str
    files: int
    size: int
    destination: str
    options: dict[str, str] = field(default_factory=dict)


def write_output(output: PipelineOutput, folder: Path) -> list[Written]:
    """Write all that an output is made of; when this returns, it is on disk.

    A series that goes to several destinations is written once.
    """
    _check_places(output)
    items = list(_items(output))  # held, so that no two contents have one id
    if not items:
        return []
    folder.mkdir(mode=0o700, parents=True)
    placed: dict[int, Path] = {}
    written: list[Written] = []
    for number, (kind, destination, content, options) in enumerate(items, 1):
        if id(content) not in placed:
            placed[id(content)] = _write(content, folder / f"{number:02d}")
        path = placed[id(content)]
        files = [path] if path.is_file() else sorted(path.glob("*"))
        size = sum(file.stat().st_size for file in files)
        written.append(Written(kind, str(path), len(files), size, destination, options))
    _sync(folder)
    _sync(folder.parent)
    return written


def _check_places(output: PipelineOutput) -> None:
    """Refuse files that take the place of each other: which one is last would be chance."""
    places = Counter(
        where for part in output.parts if isinstance(part, FileOutput) for where, _ in part.items
    )
    for place, times in places.items():
        whole = next((one for one in place.parents if one in places), None)
        if times > 1 or whole:
            what = f"inside {whole}, which is replaced as a whole" if whole else "more than once"
            raise PipelineError(
                f"FileOutput has {place} {what}", hint="give each output a place of its own", kind="output"
            )


def _items(output: PipelineOutput) -> Iterator[tuple[str, str, Any, dict[str, str]]]:
    """Yield kind, destination, content and options of each item."""
    for part in output.parts:
        if isinstance(part, DicomOutput):
            for url, series in part.items:
                yield "dicom", url, series, {str(name): str(value) for name, value in part.options.items()}
        elif isinstance(part, FileOutput):
            for target, content in part.items:
                yield "file", f"file://{quote(os.fsencode(target))}", content, {}
        else:
            raise PipelineError(
                f"an output is a {type(part).__name__}, which the node cannot deliver",
                hint="return DicomOutput, FileOutput, MultiOutput or NoOutput",
                kind="output",
            )


def _write(content: Any, place: Path) -> Path:
    """Write one content and return where it is."""
    from dicomwright import Series

    if isinstance(content, Series):
        content.write(place)
        _explain(content, place)
        return place
    place.mkdir()  # what a user copies of it may be for others; the folder above is not
    if isinstance(content, bytes | str | Path):
        _write_file(content, place / _CONTENT)
        return place / _CONTENT
    _write_datasets(content, place)
    return place


def _explain(series: Any, place: Path) -> None:
    """Write where each value comes from."""
    rows = [row.as_dict() for row in series.explain()]
    text = json.dumps({"rows": rows, "result": series.result}, default=str)
    _write_file(text, place.with_name(place.name + EXPLANATION))


def _write_file(content: bytes | str | Path, path: Path) -> None:
    with path.open("xb") as file:
        if isinstance(content, Path):
            with content.open("rb") as source:
                shutil.copyfileobj(source, file, 1 << 20)
        else:
            file.write(content.encode() if isinstance(content, str) else content)
        file.flush()
        os.fsync(file.fileno())
    _sync(path.parent)


def _write_datasets(datasets: Sequence[Dataset], folder: Path) -> None:
    """Write data sets that the user made, with a preamble that holds nothing."""
    from pydicom import dcmwrite
    from pydicom.uid import ExplicitVRLittleEndian

    uids = [str(dataset.get("SOPInstanceUID", "")) for dataset in datasets]
    if not all(uids) or len(set(uids)) < len(uids):
        raise PipelineError(
            "data sets of an output have no SOPInstanceUID, or the same one", hint="build them with gen_uid()"
        )
    for number, dataset in enumerate(datasets, 1):
        dataset.ensure_file_meta()
        if "TransferSyntaxUID" not in dataset.file_meta:
            dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        dataset.preamble = bytes(128)
        with (folder / f"{number:05d}.dcm").open("xb") as file:
            dcmwrite(file, dataset, enforce_file_format=True)
            file.flush()
            os.fsync(file.fileno())
    _sync(folder)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
