"""A series appears whole or not at all: files are staged beside the target, synced, and renamed.

Beside ``out`` stands ``.out.dicomwright`` while a run writes: ``lock`` is held by the run, ``new`` holds its
files, ``old`` what it replaces. A run that was killed leaves the folder behind; the next run sees that nobody
holds the lock, puts back or removes what is there, and goes on.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from dicomwright.engine.bulk import groups_of
from dicomwright.engine.encoding import encoder_for
from dicomwright.errors import PublishError
from dicomwright.uids import IMPLEMENTATION_CLASS_UID

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["check_target", "file_name", "staged", "sync_folder", "write_file"]

_OUR_NAME = re.compile(r"[0-9]{5,}\.dcm")
_META_STARTS_AT = 144
_LONGEST_META = 2**16
_OUR_MARK = encoder_for(0x00020012, "UI", ())(IMPLEMENTATION_CLASS_UID)
_STAGING_ENTRIES = {"lock", "new", "old"}


def file_name(number: int) -> str:
    """Return the name of the file of an instance: its number, at least five digits."""
    return f"{number:05d}.dcm"


def check_target(directory: Path, *, overwrite: bool) -> None:
    """Refuse a folder that must not be written, before any work is done.

    Raises
    ------
    PublishError
        The path is not a folder, is not empty, or another run is writing it.

    """
    try:
        if not directory.exists() and not directory.is_symlink():
            return
        if not directory.is_dir():
            raise PublishError(f"{directory} is not a folder", hint="give --out another name", kind="target")
        entries = sorted(directory.iterdir())
    except OSError as error:
        raise _cannot("look into", directory, error) from error
    if entries and not overwrite:
        raise PublishError(
            f"{directory} exists and is not empty ({_some(entries)})",
            hint="give another folder, or overwrite (--overwrite) what an earlier run wrote there",
            kind="target",
        )
    foreign = [entry for entry in entries if not _is_ours(entry)]
    if foreign:
        raise PublishError(
            f"{directory} holds what dicomwright did not write ({_some(foreign)}), so it is not overwritten",
            hint="give another folder, or move these files away",
            kind="target",
        )


@contextmanager
def staged(directory: Path, *, overwrite: bool = False) -> Iterator[Path]:
    """Give a folder to write into; it becomes the target when the block ends well.

    Raises
    ------
    PublishError
        The target may not be written, another run writes it, or the disk refuses.

    """
    directory = directory.resolve()
    check_target(directory, overwrite=overwrite)
    staging = directory.parent / f".{directory.name}.dicomwright"
    lock = _lock(staging, directory)
    try:
        _clean_up(staging, directory)
        check_target(
            directory, overwrite=overwrite
        )  # another run may have finished while we waited for nothing
        new = staging / "new"
        with _disk("make", new):
            new.mkdir()
        yield new
        _commit(staging, directory)
    finally:
        _remove(staging)
        os.close(lock)


def write_file(path: str | Path, buffers: list[Any], *, fsync: bool = True) -> None:
    """Write a new file from buffers, some perhaps as `BulkParts`, and wait until the disk has it.

    Raises
    ------
    PublishError
        The disk refuses.

    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        try:
            for group in groups_of(buffers):
                _write_all(descriptor, group)
            if fsync:
                os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise _cannot("write", path, error) from error


def sync_folder(folder: Path) -> None:
    """Wait until the disk has the names in a folder."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_all(descriptor: int, buffers: list[bytes | memoryview]) -> None:
    """Write buffers, going on where the system wrote a part."""
    written = os.writev(descriptor, buffers)
    if written == sum(map(len, buffers)):
        return
    os.lseek(descriptor, -written, os.SEEK_CUR)
    left = [memoryview(buffer).cast("B") for buffer in buffers if len(buffer)]
    while left:
        written = os.writev(descriptor, left)
        while left and written >= len(left[0]):
            written -= len(left.pop(0))
        if written:
            left[0] = left[0][written:]


def _lock(staging: Path, directory: Path) -> int:
    """Take the lock of a target; it is freed when the process ends, however it ends."""
    while True:
        with _disk("make", directory.parent):
            directory.parent.mkdir(parents=True, exist_ok=True)
        lock = _opened(staging)
        if lock is None:
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(lock).st_ino == (staging / "lock").stat().st_ino:
                return lock
        except BlockingIOError:
            os.close(lock)
            raise PublishError(
                f"another run is writing {directory} (its staging folder is {staging})",
                hint="wait for it, or give another folder",
                kind="busy",
            ) from None
        except FileNotFoundError:
            pass  # the run that held it has just finished and removed it: try again
        os.close(lock)


def _opened(staging: Path) -> int | None:
    """Make a staging folder and open its lock; None if a run that finishes removes it under our hands."""
    with _disk("make", staging):
        try:
            staging.mkdir(mode=0o700, exist_ok=True)
            _refuse_foreign(staging)
            return os.open(staging / "lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        except FileNotFoundError:
            return None


def _refuse_foreign(staging: Path) -> None:
    """Refuse a staging folder that is a link, or holds anything which no run puts there: it would be removed."""
    if staging.is_symlink():
        raise PublishError(
            f"{staging}, where files are staged, is a link", hint="move it away", kind="target"
        )
    foreign = [entry for entry in staging.iterdir() if entry.name not in _STAGING_ENTRIES]
    for folder in (staging / "new", staging / "old"):
        if folder.is_symlink():
            foreign.append(folder)
        elif folder.exists():
            foreign += [entry for entry in folder.iterdir() if not _OUR_NAME.fullmatch(entry.name)]
    if foreign:
        raise PublishError(
            f"{staging} is not a staging folder of ours ({_some(foreign)})",
            hint="move it away",
            kind="target",
        )


def _clean_up(staging: Path, directory: Path) -> None:
    """Undo what a killed run left: put the old series back if the new one is not in its place."""
    old = staging / "old"
    with _disk("clean up", staging):
        if old.exists() and not directory.exists():
            old.rename(directory)
        for leftover in (old, staging / "new"):
            if leftover.exists():
                shutil.rmtree(leftover)


def _commit(staging: Path, directory: Path) -> None:
    """Put the new folder in its place."""
    new, old = staging / "new", staging / "old"
    with _disk("rename to", directory):
        sync_folder(new)
        if directory.exists() and any(directory.iterdir()):
            directory.rename(old)
        try:
            new.rename(directory)
        except OSError:
            if old.exists():
                old.rename(directory)
            raise
        sync_folder(directory.parent)


def _remove(staging: Path) -> None:
    """Remove the staging folder; what cannot be removed is left for the next run to clean up."""
    shutil.rmtree(staging, ignore_errors=True)


@contextmanager
def _disk(what: str, path: Path) -> Iterator[None]:
    """Turn an error of the operating system into one of ours."""
    try:
        yield
    except OSError as error:
        raise _cannot(what, path, error) from error


def _cannot(what: str, path: str | Path, error: OSError) -> PublishError:
    return PublishError(
        f"cannot {what} {path}: {error.strerror or error}",
        hint="nothing of this series was published; free space or give a folder that can be written",
        kind="disk",
    )


def _is_ours(path: Path) -> bool:
    """Tell whether a file was written by a run of ours: its name, and the software that its meta names.

    The meta information is searched as bytes: there may be thousands of files, and parsing it takes twenty times as
    long.
    """
    if not _OUR_NAME.fullmatch(path.name) or path.is_symlink() or not path.is_file():
        return False
    try:
        with path.open("rb") as file:
            start = file.read(_META_STARTS_AT)
            if start[-16:-4] != b"DICM\x02\0\0\0UL\x04\0":  # prefix, and the header of the group's length
                return False
            return _OUR_MARK in file.read(min(int.from_bytes(start[-4:], "little"), _LONGEST_META))
    except OSError:
        return False


def _some(paths: list[Path], most: int = 3) -> str:
    """Return a few names."""
    names = ", ".join(path.name for path in paths[:most])
    return f"{names}, ... {len(paths)} in all" if len(paths) > most else names
