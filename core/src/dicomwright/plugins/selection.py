"""Choose the reader of a source file: by name, else by file name and first bytes, else by asking.

There is no falling back from one reader to the next: what reads a file must not depend on what fails first.
"""

from __future__ import annotations

import os
import stat
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from dicomwright._dataclass import dataclass
from dicomwright.errors import DicomwrightError, PluginError, SourceError
from dicomwright.plugins.isolation import stdout_to_stderr
from dicomwright.plugins.known import known_for_extension
from dicomwright.plugins.protocols import Reader
from dicomwright.plugins.records import escape, tell
from dicomwright.plugins.trace import trace

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dicomwright.plugins.descriptors import ReaderSpec
    from dicomwright.plugins.plugin_set import PluginSet
    from dicomwright.plugins.registry import Registry

__all__ = ["HEAD_SIZE", "choose_reader"]

#: How many bytes from the start of a file readers are shown.
HEAD_SIZE = 4096

_GZIP = b"\x1f\x8b"
_GZIP_WINDOW = 31
_DICOM_OFFSET, _DICOM_MAGIC = 128, b"DICM"
_DICOM_EXTENSIONS = (".dcm", ".dicom", ".ima")


@dataclass(frozen=True)
class _Source:
    """A source file and its first bytes."""

    path: Path
    head: bytes
    inner: bytes  # the first bytes of what is inside, if the file is gzip-compressed

    def is_dicom(self) -> bool:
        """Tell whether it is a DICOM file, by its first bytes or its name."""
        return self.has(_DICOM_OFFSET, _DICOM_MAGIC) or self.path.name.lower().endswith(_DICOM_EXTENSIONS)

    def has(self, offset: int, mark: bytes) -> bool:
        """Tell whether the bytes are there, plain or inside gzip."""
        return self.head.startswith(mark, offset) or self.inner.startswith(mark, offset)


def choose_reader(
    path: str | os.PathLike[str], plugin_set: PluginSet, name: str | None = None
) -> tuple[str, Reader]:
    """Return the name of the reader for a source, and the reader.

    Parameters
    ----------
    path : path-like
        The source.
    plugin_set : PluginSet
        Where readers come from.
    name : str, optional
        The reader's name. Without it: the readers that know the longest end of the file name and those whose
        magic bytes the file has (both at once beat one alone); several are asked by `Reader.can_read`.

    Raises
    ------
    SourceError
        There is no such file, or it is a DICOM file, or no reader takes it.
    PluginError
        The reader is not known, not installed, lacks a dependency, or several take the file.

    """
    registry = plugin_set.registry("reader")
    where = Path(path)
    chosen = _choose(where, registry, name)
    trace(f'source {where}: reader "{chosen[0]}" is chosen')
    return chosen


def _choose(where: Path, registry: Registry, name: str | None) -> tuple[str, Reader]:
    """Return the name of the reader for a source, and the reader."""
    kind = _file_kind(where)
    if name is not None:
        trace(f'source {where}: reader "{name}" is asked for')
        return name, _reader(registry, name)
    if kind == "folder":
        raise SourceError(
            f"{where} is a folder; a source is one file",
            hint="name the file, or give a folder of DICOM files as --parent",
            kind="folder",
        )
    source = _open(where)
    candidates = _candidates(source, _specs(registry, registry.names()))
    trace(f"source {where}: name and first bytes lead to {', '.join(candidates) or 'no reader'}")
    if len(candidates) == 1:
        return candidates[0], _reader(registry, candidates[0])
    if candidates:
        return _one_of(source, registry, candidates)
    if source.is_dicom():
        raise _dicom_error(source)
    shy = [
        one
        for one, spec in _specs(registry, registry.names()).items()
        if not spec.extensions and not spec.magic
    ]
    accepted, _ = _ask(source, registry, shy)
    if not accepted:
        raise _nothing_reads(source, registry)
    return _one_of(source, registry, shy)


def _file_kind(path: Path) -> str:
    """Return "file" or "folder", or raise for what is neither."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:
        raise SourceError(f"{escape(str(path))} cannot be read: {_why(error)}", kind="unreadable") from error
    if stat.S_ISDIR(mode):
        return "folder"
    if not stat.S_ISREG(mode):
        raise SourceError(f"{path} is no regular file but a pipe, socket or device", kind="not-a-file")
    return "file"


def _why(error: OSError | ValueError) -> str:
    """Return the reason of an error of the operating system, without the file name that the message has."""
    return error.strerror if isinstance(error, OSError) and error.strerror else tell(error)


def _open(path: Path) -> _Source:
    """Read the first bytes of a file, without waiting if it was replaced by a pipe meanwhile."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with os.fdopen(descriptor, "rb") as file:
            head = file.read(HEAD_SIZE) or b""
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {_why(error)}", kind="unreadable") from error
    return _Source(path, head, _inflate(head) if head.startswith(_GZIP) else b"")


def _inflate(head: bytes) -> bytes:
    """Return the first bytes inside gzip, as far as they are sound."""
    try:
        return zlib.decompressobj(_GZIP_WINDOW).decompress(head, HEAD_SIZE)
    except zlib.error:  # damaged: the reader that its name leads to says so
        return b""


def _specs(registry: Registry, names: Iterable[str]) -> dict[str, ReaderSpec]:
    """Return the descriptors of readers."""
    return {name: cast("ReaderSpec", registry.spec(name)) for name in names}


def _candidates(source: _Source, specs: dict[str, ReaderSpec]) -> list[str]:
    """Return the readers that file name and first bytes point to."""
    file_name = source.path.name.lower()
    lengths = {
        name: max((len(end) for end in spec.extensions if file_name.endswith(end)), default=0)
        for name, spec in specs.items()
    }
    longest = max(lengths.values(), default=0)
    by_name = {name for name, length in lengths.items() if length == longest > 0}
    by_magic = {name for name, spec in specs.items() if any(source.has(*mark) for mark in spec.magic)}
    if source.has(_DICOM_OFFSET, _DICOM_MAGIC) and not by_magic:
        return []
    return sorted(by_name & by_magic or by_name | by_magic)


def _ask(
    source: _Source, registry: Registry, candidates: list[str]
) -> tuple[list[tuple[str, Reader]], list[str]]:
    """Return the readers that take the file, and why the others do not."""
    accepted: list[tuple[str, Reader]] = []
    refused: list[str] = []
    for name in candidates:
        try:
            reader = _reader(registry, name)
            with stdout_to_stderr():
                takes = bool(reader.can_read(source.path, source.head))
        except KeyboardInterrupt:
            raise
        except DicomwrightError as error:
            refused.append(f"{name}: {error.problems[0].message}")
        except BaseException as error:  # noqa: BLE001  foreign code; its reason is shown if nobody takes the file
            refused.append(f"{name}: {tell(error)}")
        else:
            accepted.append((name, reader)) if takes else refused.append(f"{name}: not one of its files")
    trace(
        f"source {source.path}: asked {', '.join(candidates)}; taken by {len(accepted)}; {'; '.join(refused)}"
    )
    return accepted, refused


def _one_of(source: _Source, registry: Registry, candidates: list[str]) -> tuple[str, Reader]:
    """Return the only reader that takes the file."""
    accepted, refused = _ask(source, registry, candidates)
    if len(accepted) == 1:
        return accepted[0]
    if not accepted:
        raise SourceError(
            f"{source.path} is taken by none of its readers: {'; '.join(refused)}",
            hint="name the reader to see what it has against the file: --reader NAME",
            kind="no-reader",
        )
    named = ", ".join(f"{name} ({registry.provider(name)})" for name, _ in accepted)
    raise PluginError(
        f"{source.path} can be read by several readers: {named}",
        hint=f"choose one: --reader {accepted[0][0]}",
        kind="ambiguous-reader",
    )


def _reader(registry: Registry, name: str) -> Reader:
    """Return a reader, made if the descriptor names a class."""
    target = registry.resolve(name)
    reader: Any = target
    what = f'reader "{name}" of {registry.provider(name)}'
    if isinstance(target, type):
        try:
            with stdout_to_stderr():
                reader = target()
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # foreign code may call sys.exit, and must not take us along
            raise PluginError(f"{what} cannot be made: {tell(error)}", kind="broken-plugin") from error
    if not isinstance(reader, Reader):
        raise PluginError(
            f"{what} is no reader: it lacks can_read(path, head) or read(path, options)", kind="broken-plugin"
        )
    return reader


def _dicom_error(source: _Source) -> SourceError:
    """Return the error for a DICOM file that is given as a source."""
    return SourceError(
        f"{source.path} is a DICOM file; it cannot be the source of a build",
        hint="give the series that the result belongs to as --parent, and the new image as the source",
        kind="dicom-source",
    )


def _nothing_reads(source: _Source, registry: Registry) -> DicomwrightError:
    """Return the error for a file that no usable reader knows: why there is none."""
    for name, claims in registry.conflicts.items():
        if any(_candidates(source, {name: cast("ReaderSpec", claim.spec)}) for claim in claims):
            return registry.conflict(name)
    known = known_for_extension(source.path.name)
    if known:
        name = next(name for kind, name in known.names if kind == "reader")
        if name not in registry:
            problem = registry.unknown(name).problems[0]
            return PluginError(
                f"{source.path} cannot be read: {problem.message}", hint=problem.hint, kind=problem.kind
            )
    end = "".join(source.path.suffixes[-2 if source.path.suffix.lower() == ".gz" else -1 :])
    what = f"nothing that is installed reads {end} files" if end else "its name has no extension"
    state = "the file is empty" if not source.head else "its first bytes are not known either"
    return SourceError(
        f"{source.path} cannot be read: {what}, and {state}{registry.suspects()}",
        hint=f"installed readers: {_listed(registry)}",
        kind="no-reader",
    )


def _listed(registry: Registry) -> str:
    """Return the readers with the ends of the file names that they take."""
    specs = _specs(registry, registry.names())
    return "; ".join(f"{name} ({' '.join(spec.extensions)})" for name, spec in specs.items()) or "none"
