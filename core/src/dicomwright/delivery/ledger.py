"""The ledger: what is known of each instance at each destination, on disk before anything else is sent.

SQLite with a write-ahead log. One row for each destination, SOPInstanceUID and content.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import fcntl
import os
import sqlite3
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from dicomwright.delivery.report import DeliveryRow
from dicomwright.errors import DeliveryError
from dicomwright.plugins.records import escape

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dicomwright.delivery.instances import Instance
    from dicomwright.plugins.protocols import Delivery

__all__ = ["Ledger"]

_APPLICATION_ID = 0x64776C67  # "dwlg"
_VERSION = 1
_COLUMNS = (
    "destination, sop_instance_uid, sha256, sop_class_uid, series_instance_uid, file, state, status, message, "
    "attempts, changed"
)
_SCHEMA = """
CREATE TABLE IF NOT EXISTS delivery (
  destination TEXT NOT NULL, sop_instance_uid TEXT NOT NULL, sha256 TEXT NOT NULL,
  sop_class_uid TEXT NOT NULL, series_instance_uid TEXT NOT NULL, file TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('stored', 'warning', 'refused', 'unknown', 'pending')),
  status TEXT NOT NULL, message TEXT NOT NULL, attempts INTEGER NOT NULL, changed TEXT NOT NULL,
  PRIMARY KEY (destination, sop_instance_uid, sha256)
) WITHOUT ROWID;
"""
_PLAN = f"""
INSERT INTO delivery ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, 'pending', '', '', 0, ?)
ON CONFLICT DO UPDATE SET file = excluded.file
"""  # noqa: S608  # nothing from outside
_SET = "UPDATE delivery SET state = ?, status = ?, message = ?, attempts = attempts + ?, changed = ?"
_WHERE = "WHERE destination = ? AND sop_instance_uid = ? AND sha256 = ?"


class Ledger:
    """An open ledger; the only run that writes it.

    Examples
    --------
    >>> with Ledger(Path("out.ledger")) as ledger:
    ...     ledger.rows()
    ()

    Parameters
    ----------
    path : Path
        The file; it is made if it is not there. Beside it, SQLite keeps ``-wal`` and ``-shm`` while it is open.

    Raises
    ------
    DeliveryError
        Another run writes it, it cannot be written, or it is something else.

    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path).absolute()
        self._turn = threading.Lock()  # destinations have threads of their own
        self._lock = _locked(self.path)
        try:
            with _telling(self.path):
                self._database = _opened(self.path)
        except BaseException:
            self._unlock()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close it and let others write it."""
        self._database.close()
        self._unlock()

    def _unlock(self) -> None:
        _lock_of(self.path).unlink(missing_ok=True)
        os.close(self._lock)

    def plan(self, destination: str, instances: Iterable[Instance]) -> None:
        """Add rows for instances that have none; what is known of the others stays."""
        now = _now()
        values = [
            (*_key(destination, one), one.sop_class_uid, one.series_instance_uid, _name(one.file), now)
            for one in instances
        ]
        with self._turn, _telling(self.path), self._database:
            self._database.executemany(_PLAN, values)

    def begin(self, destination: str, instances: Iterable[Instance]) -> None:
        """Write that instances are being sent: if nothing else is ever written, nobody knows what became of them."""
        now = _now()
        rows = [("unknown", "", "it was being sent", 0, now, *_key(destination, one)) for one in instances]
        with self._turn, _telling(self.path), self._database:
            self._database.executemany(f"{_SET} {_WHERE}", rows)

    def record(self, destination: str, instance: Instance, delivery: Delivery, *, sent: bool) -> None:
        """Write what became of an instance, and whether it was sent; it is on disk when this returns."""
        told = (delivery.state, escape(delivery.status), escape(delivery.message), int(sent), _now())
        with self._turn, _telling(self.path), self._database:
            self._database.execute(f"{_SET} {_WHERE}", (*told, *_key(destination, instance)))

    def row(self, destination: str, instance: Instance) -> DeliveryRow:
        """Return what is known of an instance that was planned."""
        query = f"SELECT {_COLUMNS} FROM delivery {_WHERE}"  # noqa: S608  # nothing from outside
        with self._turn, _telling(self.path):
            return _row(self._database.execute(query, _key(destination, instance)).fetchone())

    def other_contents(self, destination: str, instance: Instance) -> bool:
        """Tell whether another content with the same UID has arrived before."""
        query = (
            "SELECT 1 FROM delivery WHERE destination = ? AND sop_instance_uid = ? AND sha256 <> ? "
            "AND state IN ('stored', 'warning')"
        )
        with _telling(self.path):
            return self._database.execute(query, _key(destination, instance)).fetchone() is not None

    def rows(self) -> tuple[DeliveryRow, ...]:
        """Return all that is written."""
        with _telling(self.path):
            return tuple(_rows(self._database))

    @staticmethod
    def read(path: str | Path) -> tuple[DeliveryRow, ...]:
        """Return all that is written in a ledger, also while a run writes it.

        Raises
        ------
        DeliveryError
            There is no such ledger, or it is something else.

        """
        where = Path(path).absolute()
        with _telling(where):
            database = sqlite3.connect(f"{where.as_uri()}?mode=ro", uri=True)
            with contextlib.closing(database):
                _check(database, where)
                return tuple(_rows(database))


def _key(destination: str, instance: Instance) -> tuple[str, str, str]:
    return destination, instance.sop_instance_uid, instance.sha256


def _rows(database: sqlite3.Connection) -> Iterator[DeliveryRow]:
    for values in database.execute(f"SELECT {_COLUMNS} FROM delivery ORDER BY destination, file"):  # noqa: S608
        yield _row(values)


def _row(values: tuple[Any, ...] | None) -> DeliveryRow:
    if values is None or None in values:
        raise sqlite3.DatabaseError("it is damaged")
    destination, uid, digest, sop_class, series, file, *rest = values
    return DeliveryRow(destination, uid, digest, sop_class, series, Path(os.fsdecode(file)), *rest)


def _name(file: Path) -> str | bytes:
    """Return a path as SQLite takes it: as bytes if they are no text."""
    name = os.fsencode(file)
    try:
        return name.decode()
    except UnicodeDecodeError:
        return name


def _now() -> str:
    return dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds")


def _opened(path: Path) -> sqlite3.Connection:
    """Open the database and make its table; it is for the eyes of its owner."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600))
    database = sqlite3.connect(path, check_same_thread=False, timeout=10.0)
    try:
        if database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            _check(database, path)
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        database.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
        database.execute(f"PRAGMA user_version = {_VERSION}")
        database.executescript(_SCHEMA)
    except BaseException:
        database.close()
        raise
    return database


def _check(database: sqlite3.Connection, path: Path) -> None:
    """Refuse what another program, or a later version, wrote."""
    if database.execute("PRAGMA application_id").fetchone()[0] != _APPLICATION_ID:
        raise DeliveryError(
            f"{path} is not a ledger of deliveries", hint="give --ledger another name", kind="ledger"
        )
    version = database.execute("PRAGMA user_version").fetchone()[0]
    if version != _VERSION:
        raise DeliveryError(
            f"{path} is a ledger of version {version}, and this one writes {_VERSION}",
            hint="use the dicomwright that wrote it, or give --ledger another name",
            kind="ledger",
        )


@contextlib.contextmanager
def _telling(path: Path) -> Iterator[None]:
    """Turn what the disk and SQLite raise into one of our errors."""
    try:
        yield
    except (OSError, sqlite3.OperationalError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise DeliveryError(
            f"the ledger {path} cannot be used: {reason}",
            hint="give --ledger a path that can be written",
            kind="ledger",
        ) from error
    except (sqlite3.Error, UnicodeDecodeError) as error:
        reason = "it is damaged" if isinstance(error, UnicodeDecodeError) else str(error)
        raise DeliveryError(
            f"the ledger {path} cannot be used: {reason}",
            hint="give --ledger another name, or move a broken ledger away; what has arrived is sent once more then",
            kind="ledger",
        ) from error


def _lock_of(path: Path) -> Path:
    return path.with_name(f"{path.name}-lock")


def _locked(path: Path) -> int:
    """Take the lock of a ledger; it is free when the process ends, however it ends."""
    lock = _lock_of(path)
    while True:
        with _telling(path):
            descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(descriptor).st_ino == lock.stat().st_ino:
                return descriptor
        except BlockingIOError:
            os.close(descriptor)
            raise DeliveryError(
                f"another run is sending with the ledger {path}",
                hint="wait for it, or give --ledger another name",
                kind="locked",
            ) from None
        except FileNotFoundError:
            pass  # the run that held it has just finished
        os.close(descriptor)
