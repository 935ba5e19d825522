"""Senders into a folder: ``folder:/path``."""

# ruff: noqa: ARG002
from __future__ import annotations

import builtins
import shutil
from pathlib import Path

from dicomwright.errors import DeliveryError
from dicomwright.plugins import Delivery

object = builtins.object  # noqa: A001


class Folder:
    """Copy files into a folder.

    >>> Folder().send([], "folder:.", {})
    []

    """

    def send(self, files, destination, options):
        return [self.one(file, self.target(destination)) for file in files]

    def target(self, destination):
        _, _, path = destination.partition(":")
        if not path:
            raise DeliveryError(f"{destination!r} names no folder", hint="write folder:PATH")
        return Path(path)

    def one(self, file, folder):
        try:
            shutil.copy(file, folder / file.name)
        except OSError as error:
            return Delivery(file, "unknown", "", str(error))
        return Delivery(file, "stored")


class Forgetful(Folder):
    def send(self, files, destination, options):
        return super().send(files[1:], destination, options)


class Liar(Folder):
    def one(self, file, folder):
        return Delivery(file, "stored")


class Sloppy(Folder):
    def one(self, file, folder):
        shutil.copy(file, folder / file.name)
        return Delivery(file, "stored")

    def target(self, destination):
        return Path(destination.split(":")[1] or destination.split(":")[2])


class Trusting(Folder):
    def target(self, destination):
        return Path(destination.partition(":")[2] or "/nowhere")


class Meddler(Folder):
    def one(self, file, folder):
        found = super().one(file, folder)
        file.write_bytes(b"")
        return found


class Mover(Folder):
    def one(self, file, folder):
        return super().one(file, folder), 1
