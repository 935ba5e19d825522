"""A good reader, and one for each way to be wrong. The format: three sizes as bytes, then 16 bit numbers."""

# ruff: noqa: ARG002
from __future__ import annotations

import os
import random
import socket
import sqlite3
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np

from dicomwright import Volume
from dicomwright.errors import PluginError, SourceError

AFFINE = np.diag([2.5, 0.75, 1.25, 1.0])[[2, 1, 0, 3]]
EARLIER = []
STATE = {}


class Good:
    """Read an ACME volume.

    >>> Good().can_read(None, b"ACME")
    True

    """

    def can_read(self, path, head):
        return head.startswith(b"ACME")

    def read(self, path, options):
        data = path.read_bytes()
        if not data.startswith(b"ACME") or len(data) < 7:
            raise SourceError("it is no ACME file", loc=str(path))
        return self.volume(path, data[4:7], data[7:])

    def volume(self, path, shape, data):
        if len(data) != 2 * shape[0] * shape[1] * shape[2] or not data:
            raise SourceError("its length does not fit", loc=str(path))
        return Volume(self.values(np.frombuffer(data, "<i2").reshape(tuple(shape)), path), AFFINE)

    def values(self, array, path):
        return array


class Undocumented(Good):
    __doc__ = ""


class WithoutExample(Good):
    """Read an ACME volume."""


class NoReader:
    """Read nothing."""

    def read(self, path, options):
        raise SourceError("no")


class Shy(Good):
    """Take nothing."""

    def can_read(self, path, head):
        return False


class GivesArray(Good):
    def read(self, path, options):
        return super().read(path, options).array


class WritesBeside(Good):
    def values(self, array, path):
        path.with_suffix(".cache").write_bytes(b"x")
        return array


class Transposed(Good):
    def values(self, array, path):
        return array[::-1]


class Raises(Good):
    def read(self, path, options):
        try:
            return super().read(path, options)
        except SourceError:
            raise ValueError("a traceback") from None


class RaisesOther(Good):
    def read(self, path, options):
        try:
            return super().read(path, options)
        except SourceError:
            raise PluginError("no") from None


class TwoLines(Good):
    def read(self, path, options):
        try:
            return super().read(path, options)
        except SourceError:
            raise SourceError("it is\nwrong") from None


class TakesAll(Good):
    def read(self, path, options):
        return Volume(np.zeros((3, 4, 5), "i2"), AFFINE)


class LeavesFiles(Good):
    def read(self, path, options):
        if not path.read_bytes().startswith(b"ACME"):
            path.with_suffix(".tmp").write_bytes(b"half")
        return super().read(path, options)


class Careless(Good):
    def volume(self, path, shape, data):
        return Volume(np.frombuffer(data, "<i2").reshape(tuple(shape)), AFFINE)


class Chance(Good):
    def values(self, array, path):
        return array + np.int16(random.randrange(10000))


class Shared(Good):
    def values(self, array, path):
        EARLIER.append(1)
        time.sleep(0.02)
        together = len(EARLIER)
        EARLIER.pop()
        return array * np.int16(together)


class Process(Good):
    def values(self, array, path):
        return array + np.int16(os.getpid() % 10007)


class Network(Good):
    def values(self, array, path):
        with suppress(OSError), socket.socket() as one:
            one.connect(("192.0.2.1", 9))
        return array


class Writes(Good):
    def values(self, array, path):
        (Path(__file__).parent / "cache.bin").write_bytes(b"x")
        return array


class LooksUp(Good):
    def values(self, array, path):
        with suppress(OSError):
            socket.getfqdn("192.0.2.1")
        return array


class Database(Good):
    def values(self, array, path):
        sqlite3.connect(Path(__file__).parent / "cache.db").close()
        return array


class MakesFolder(Good):
    def values(self, array, path):
        (Path(__file__).parent / "cache").mkdir(exist_ok=True)
        return array


class Leaves(Good):
    def values(self, array, path):
        os.close(tempfile.mkstemp(".acme")[0])
        return array


class Stateful(Good):
    def volume(self, path, shape, data):
        STATE["path"] = str(path)
        time.sleep(0.02)
        return replace(super().volume(path, shape, data), source=STATE["path"])


class ByUser(Good):
    def values(self, array, path):
        return array + np.int16(os.environ.get("USER") == "somebody")


class Threads(Good):
    def values(self, array, path):
        threading.Thread(target=time.sleep, args=[5], name="acme", daemon=True).start()
        return array


class Greedy(Good):
    def values(self, array, path):
        block = np.ones(50_000_000, np.float64)
        return array + np.int16(block[0])


class Temporary(Good):
    """Use the folder for temporary files, as one may.

    >>> Temporary().can_read(None, b"ACME")
    True

    """

    def values(self, array, path):
        with tempfile.TemporaryFile() as file:
            file.write(b"x")
        return array
