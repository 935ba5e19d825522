"""What the node keeps: a SQLite database (WAL) and the files beside it.

`Store` opens both. Functions that change rows are in `instances`, `jobs`, `deliveries` and `upkeep`, one
transaction each.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dicomwright_node.store.database import Database
from dicomwright_node.store.errors import StoreError
from dicomwright_node.store.files import Files

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Store"]


@dataclass(frozen=True, slots=True)
class Store:
    """A node's folder, opened.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from dicomwright_node.store import jobs
    >>> folder = tempfile.TemporaryDirectory()
    >>> store = Store.open(pathlib.Path(folder.name))
    >>> jobs.claim(store.database, "ready", "running", owner="worker-1") is None
    True
    >>> store.close(); folder.cleanup()

    Attributes
    ----------
    database : Database
        Rows.
    files : Files
        Files.

    """

    database: Database
    files: Files

    @classmethod
    def open(cls, folder: Path) -> Store:
        """Open the folder of a node, or make it.

        Raises
        ------
        StoreError
            It cannot be used.

        """
        files = Files.open(folder)
        is_new = not files.database.is_file() or not files.database.stat().st_size
        if is_new and any(files.root.glob("instances/*/*.dcm")):
            raise StoreError(
                f"{files.root}: it has instances, but no database",
                hint="put its node.db back, or give another folder: what no database names is removed",
            )
        return cls(Database(files.database), files)

    def close(self) -> None:
        """Close the database; no other thread may use it."""
        self.database.close()
