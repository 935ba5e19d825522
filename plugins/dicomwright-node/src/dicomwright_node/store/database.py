"""The node's database: SQLite in WAL mode, one connection for each thread, every commit on disk."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import contextmanager
from importlib import resources
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from dicomwright_node.store.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

__all__ = ["Database"]

_VERSION = 1
_BUSY_SECONDS = 30.0


class _Held:
    """A connection that is closed with its thread; by itself, it would wait for the collector of cycles."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def __del__(self) -> None:
        """Give the files back."""
        self.connection.close()


class Database:
    """A database file, usable from any thread and from several processes at once.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> folder = tempfile.TemporaryDirectory()
    >>> database = Database(pathlib.Path(folder.name) / "node.db")
    >>> with database.transaction() as write:
    ...     _ = write.execute("INSERT INTO jobs (pipeline, key, created_at, updated_at) VALUES ('p', 'k', 0, 0)")
    >>> [row["state"] for row in database.read("SELECT state FROM jobs")]
    ['collecting']
    >>> database.close(); folder.cleanup()

    Parameters
    ----------
    path : Path
        The file, made with mode 0600 if it is not there.

    Raises
    ------
    StoreError
        The file is no database of a node, or of another version.

    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._local = threading.local()
        self._open: WeakSet[_Held] = WeakSet()
        self._lock = threading.Lock()
        try:
            path.touch(mode=0o600)
            self._prepare()
        except (OSError, sqlite3.Error) as error:
            self.close()
            message = f"{path}: the node's database cannot be used: {error}"
            raise StoreError(message, hint="check the file and its folder") from error
        except StoreError:
            self.close()
            raise

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Hold the only right to write; on leaving, what was written is on disk, or on an error undone."""
        connection = self._connection()
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
        except BaseException:
            connection.rollback()
            raise
        connection.commit()

    def read(self, query: str, values: Sequence[Any] | dict[str, Any] = ()) -> list[sqlite3.Row]:
        """Return the rows of a query, which may run while others write."""
        return self._connection().execute(query, values).fetchall()

    def close(self) -> None:
        """Close the connections of all threads; none may be in use."""
        with self._lock:
            for held in list(self._open):
                held.connection.close()
        self._local = threading.local()

    def _connection(self) -> sqlite3.Connection:
        """Return this thread's connection."""
        held: _Held | None = getattr(self._local, "held", None)
        if held is None:
            held = _Held(
                sqlite3.connect(
                    self.path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
                )
            )
            with self._lock:
                self._open.add(held)
            held.connection.row_factory = sqlite3.Row
            held.connection.execute("PRAGMA journal_mode = WAL")
            held.connection.execute("PRAGMA synchronous = FULL")
            held.connection.execute("PRAGMA foreign_keys = ON")
            self._local.held = held
        return held.connection

    def _prepare(self) -> None:
        """Make the tables in a new file; refuse one of another version."""
        schema = resources.files(__package__).joinpath("schema.sql").read_text(encoding="utf-8")
        with self.transaction() as write:
            (version,) = write.execute("PRAGMA user_version").fetchone()
            if version == 0:
                for statement in _statements(schema):
                    write.execute(statement)
                write.execute(f"PRAGMA user_version = {_VERSION}")
            elif version != _VERSION:
                message = f"{self.path} is a node's database of version {version}; this is version {_VERSION}"
                raise StoreError(message, hint="use the dicomwright-node that made it, or another folder")


def _statements(script: str) -> Iterator[str]:
    """Yield the statements of a script; `executescript` would end the transaction."""
    statement = ""
    for line in script.splitlines():
        statement += line.partition("--")[0] + "\n"
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
