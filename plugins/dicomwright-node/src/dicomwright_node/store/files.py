"""The node's folder: where its files are, how they get there whole, and how much room there is.

::

    node.db      the database
    node.lock    held by the node that serves
    instances/   000001/<random>.dcm: received, in folders of a bounded number of files
    outputs/     <job>-<attempt>/: what jobs made
    scratch/     <job>-<attempt>/: where a running job works; emptied when the node starts
    ledgers/     <delivery>.db: what became of each sent file

Names are built from ordinals and random numbers, never from anything that was received.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from dicomwright_node.store.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

__all__ = ["PART", "Files", "remove_folder", "sync_folder"]

#: End of the name of a file that is being written.
PART = ".part"
_FILES_IN_A_FOLDER = 4096


@dataclass(frozen=True, slots=True)
class Files:
    """The folder of one node.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> folder = tempfile.TemporaryDirectory()
    >>> files = Files.open(pathlib.Path(folder.name) / "node")
    >>> sorted(path.name for path in files.root.iterdir())
    ['instances', 'ledgers', 'outputs', 'scratch']
    >>> folder.cleanup()

    Attributes
    ----------
    root : Path
        The folder, absolute.

    """

    root: Path

    @classmethod
    def open(cls, root: Path) -> Files:
        """Make the folder, mode 0700, if it is not there.

        Raises
        ------
        StoreError
            It cannot be made.

        """
        try:
            for folder in (root, *(root / name for name in ("instances", "outputs", "scratch", "ledgers"))):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"{root}: the node's folder cannot be made: {error.strerror}") from error
        return cls(root.absolute())

    @property
    def database(self) -> Path:
        """The database file."""
        return self.root / "node.db"

    def path(self, relative: str) -> Path:
        """Return the path of a file by the text in the database."""
        return self.root / relative

    def output_folder(self, job_id: int, attempt: int) -> Path:
        """Return where an attempt of a job puts what it made; not made here, as a build makes its folder itself."""
        return self.root / "outputs" / f"{job_id}-{attempt}"

    def scratch_folder(self, job_id: int, attempt: int) -> Path:
        """Return an empty folder for an attempt of a job to work in."""
        folder = self.root / "scratch" / f"{job_id}-{attempt}"
        remove_folder(folder)
        folder.mkdir(mode=0o700)
        return folder

    def ledger(self, delivery_id: int) -> Path:
        """Return the ledger file of a delivery."""
        return self.root / "ledgers" / f"{delivery_id}.db"

    def new_instance(self, ordinal: int) -> Path:
        """Return a new path for an instance, the n-th of this run; its folder is there."""
        folder = self.root / "instances" / f"{ordinal // _FILES_IN_A_FOLDER:06d}"
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder / f"{secrets.token_hex(16)}.dcm"

    def relative(self, path: Path) -> str:
        """Return the text for the database of a path below the folder."""
        return path.relative_to(self.root).as_posix()

    def remove(self, relatives: Iterable[str]) -> None:
        """Remove files and folders by the texts in the database; those that are gone already are no error."""
        for relative in relatives:
            path = self.root / relative
            if path.is_dir():
                remove_folder(path)
            else:
                path.unlink(missing_ok=True)

    def free(self) -> int:
        """Return how many bytes the disk has left for this user."""
        return shutil.disk_usage(self.root).free

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Be the one node that serves this folder.

        Raises
        ------
        StoreError
            Another one does.

        """
        with (self.root / "node.lock").open("ab") as held:
            _lock(held, self.root)
            yield


def _lock(file: BinaryIO, root: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        hint = "stop it, or give this one another folder"
        raise StoreError(f"{root}: another node serves this folder", hint=hint) from error


def remove_folder(folder: Path) -> None:
    """Remove a folder if it is there, also one in which a function made folders that nobody may write to."""
    shutil.rmtree(folder, ignore_errors=True)
    if not folder.is_dir():
        return
    with contextlib.suppress(OSError):
        folder.chmod(0o700)
        for parent, names, _ in os.walk(folder):
            for name in names:
                path = os.path.join(parent, name)  # noqa: PTH118  # os.walk gives texts
                if not os.path.islink(path):  # noqa: PTH114
                    os.chmod(path, 0o700)  # noqa: PTH101
    shutil.rmtree(folder, ignore_errors=True)


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
