"""Find the instances that a user wants to be sent, and refuse what cannot be sent as it is."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dicomwright.errors import DeliveryError, ParentError, Problem
from dicomwright.parents.headers import looks_like_dicom, read_header
from dicomwright.parents.scanner import Familiar
from dicomwright.plugins.records import escape

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pydicom.dataset import Dataset

    from dicomwright.parents.headers import Header

__all__ = ["Found", "Instance", "find_instances"]

_UID = re.compile(r"[0-9]+(?:\.[0-9]+)+")
_LONGEST_UID = 64
_SNIFFED = 140
_SHOWN = 3
_MOST_PROBLEMS = 20


@dataclass(frozen=True, slots=True)
class Instance:
    """A file that can be sent.

    Attributes
    ----------
    file : Path
        Where it is, absolute.
    sop_instance_uid, sop_class_uid, series_instance_uid : str
        What it is.
    sha256 : str
        Of all its bytes.
    stamp : (int, int)
        Its size and time of change when it was read.

    """

    file: Path
    sop_instance_uid: str
    sop_class_uid: str
    series_instance_uid: str
    sha256: str
    stamp: tuple[int, int]

    def has_changed(self) -> bool:
        """Tell whether another content stands there now; one that is gone was not changed."""
        try:
            return _stamp(self.file) != self.stamp
        except OSError:
            return False


@dataclass(frozen=True, slots=True)
class Found:
    """The instances, each UID once, and what the user should know."""

    instances: tuple[Instance, ...]
    warnings: tuple[str, ...]


def find_instances(files: str | Path | Iterable[str | Path]) -> Found:
    """Return the instances of files and folders, in order of their names.

    In a folder, what is not DICOM is left out with a warning, unless its name ends in ``.dcm``; links to folders
    below it are not followed, which is warned of, too, and hidden files are not looked at.

    Raises
    ------
    DeliveryError
        A file cannot be sent as it is: damaged, cut off, without file meta information, or two files have one
        SOPInstanceUID. All problems are told.

    """
    given = [files] if isinstance(files, str | Path) else list(files)
    search = _Search()
    for path in given:
        search.add(Path(path).absolute())
    if not search.instances and not search.problems:
        search.problems.append(_nothing(given, search.others))
    if search.problems:
        raise DeliveryError.collect(_shortened(search.problems))
    return Found(tuple(search.instances.values()), tuple(search.warnings()))


def _nothing(given: list[str | Path], others: list[Path]) -> Problem:
    where = ", ".join(map(str, given[:_SHOWN])) or "what was given"
    found = f" (only {_some(others)})" if others else ""
    return Problem(
        f"there is no DICOM file in {where}{found}", "give a folder with finished files", kind="source"
    )


def _shortened(problems: list[Problem]) -> list[Problem]:
    more = len(problems) - _MOST_PROBLEMS
    return problems if more <= 0 else [*problems[:_MOST_PROBLEMS], Problem(f"and {more} more", kind="source")]


class _Search:
    """What was found so far."""

    def __init__(self) -> None:
        self.instances: dict[str, Instance] = {}
        self.problems: list[Problem] = []
        self.others: list[Path] = []
        self.links: list[Path] = []
        self.copies = 0
        self._familiar = Familiar()

    def warnings(self) -> Iterator[str]:
        """Yield what the user should know."""
        if self.others:
            yield f"not to be sent: {_some(self.others)}"
        if self.links:
            yield f"nothing is sent of folders behind links: {_some(self.links)}"
        if self.copies:
            yield f"{self.copies} files are copies of others and are not sent twice"

    def add(self, path: Path) -> None:
        """Take a file, or what is in a folder and those below it."""
        if not path.is_dir():
            self._read(path)
            return
        for root, folders, names in os.walk(path, onerror=self._failed):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            self.links += [Path(root, name) for name in folders if Path(root, name).is_symlink()]
            for name in sorted(names):
                if not name.startswith("."):
                    self._sort_out(Path(root, name))

    def _failed(self, error: OSError) -> None:
        self.problems.append(
            Problem(f"{error.filename} cannot be read ({error.strerror})", "check its permissions")
        )

    def _sort_out(self, path: Path) -> None:
        """Read a file of a folder if it is DICOM, or should have been."""
        try:
            regular = stat.S_ISREG(path.stat().st_mode)
            head = b""
            if regular:
                with path.open("rb") as file:
                    head = file.read(_SNIFFED)
        except OSError as error:
            self._failed(error)
            return
        is_index = path.name.upper() == "DICOMDIR"  # which archives do not take
        if regular and not is_index and (path.suffix.lower() == ".dcm" or looks_like_dicom(head)):
            self._read(path)
        else:
            self.others.append(path)

    def _read(self, path: Path) -> None:
        try:
            stamp = _stamp(path)
            header = read_header(path, self._familiar)
            wrong = list(_problems(header))
            digest = _sha256(path)
        except ParentError as error:
            self.problems += error.problems
        except OSError as error:
            self.problems.append(
                Problem(f"{path} cannot be read ({error.strerror})", "check the path and its permissions")
            )
        else:
            self.problems += wrong
            if not wrong:
                self._keep(_instance(header, digest, stamp))

    def _keep(self, instance: Instance) -> None:
        first = self.instances.setdefault(instance.sop_instance_uid, instance)
        if first is instance:
            return
        if first.sha256 == instance.sha256:
            self.copies += 1
            return
        self.problems.append(
            Problem(
                f"{first.file} and {instance.file} differ, but have the same SOPInstanceUID (0008,0018) "
                f"{instance.sop_instance_uid}; an archive keeps one of them",
                "leave one out, or give it a UID of its own",
                kind="duplicate-uid",
            )
        )


def _text(header: Header, keyword: str) -> str:
    return _uid(header.dataset, keyword)


def _meta(header: Header, keyword: str) -> str:
    return _uid(header.dataset.file_meta, keyword)


def _uid(dataset: Dataset, keyword: str) -> str:
    """Return a value as it is in the file: pydicom would warn of what is no UID."""
    value = dataset.get_item(keyword).value if keyword in dataset else None
    return bytes(value or b"").decode("ascii", "replace").rstrip("\0 ")


def _instance(header: Header, digest: str, stamp: tuple[int, int]) -> Instance:
    return Instance(
        header.path,
        _text(header, "SOPInstanceUID"),
        _text(header, "SOPClassUID"),
        _text(header, "SeriesInstanceUID"),
        digest,
        stamp,
    )


def _problems(header: Header) -> Iterator[Problem]:
    """Yield why a file cannot be sent as it is."""
    path, again = header.path, "write the file again"
    for keyword, tag in (("SOPInstanceUID", "(0008,0018)"), ("SOPClassUID", "(0008,0016)")):
        value = _text(header, keyword)
        if not (_UID.fullmatch(value) and len(value) <= _LONGEST_UID):
            yield Problem(f"{path}: {keyword} {tag} is {value!r}, which is no UID", again, kind="uid")
            continue
        stated = _meta(header, f"MediaStorage{keyword}")
        if stated and stated != value:
            yield Problem(
                f"{path}: {keyword} {tag} is {value}, but the file meta information says {stated}",
                again,
                kind="uid",
            )
    for keyword in ("TransferSyntaxUID", "MediaStorageSOPClassUID", "MediaStorageSOPInstanceUID"):
        if not _meta(header, keyword):
            yield Problem(
                f"{path}: the file meta information has no {keyword}", "write it as PS3.10 asks", kind="meta"
            )
    for note in header.warnings:
        if "cut off" in note:
            yield Problem(f"{path}: {note}", "copy or export the file again", kind="damaged")


def _stamp(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_size, status.st_mtime_ns


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _some(paths: list[Path]) -> str:
    more = f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
    return ", ".join(escape(path.name) for path in paths[:_SHOWN]) + more
