"""The files of a zip, read where they are: nothing is ever unpacked to disk."""

from __future__ import annotations

import io
import stat
import zipfile
from contextlib import suppress
from typing import TYPE_CHECKING

from dicomwright.bundles.stores import (
    MAX_BUNDLE_BYTES,
    MAX_DATA_BYTES,
    MAX_FILES,
    belongs,
    printable,
    read_regular,
    shown,
    too_many,
    within,
)
from dicomwright.errors import BlueprintError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["MAX_ZIP_BYTES", "ZipStore"]

#: Largest zip, in bytes.
MAX_ZIP_BYTES = 16 * 1024 * 1024

_ENTRY = b"PK\x01\x02"
_ENCRYPTED = 0x1
_SAYS_UTF_8 = 0x800
#: What reading a zip that is damaged may raise: the standard library lets through nearly everything.
_FAULTS = Exception


class ZipStore:
    """The files of a zip. See `Store`.

    Parameters
    ----------
    path : Path
        The zip.
    label : str
        What messages call it.

    Raises
    ------
    BlueprintError
        It is no zip, too large, or has files that are links, stand twice or lead outside.
    OSError
        The system refuses.

    """

    def __init__(self, path: Path, label: str) -> None:
        self.label = label
        data = read_regular(path, label, MAX_ZIP_BYTES, "a zip")
        if data.count(_ENTRY) > 2 * MAX_FILES:  # before a list of a million files is made
            raise too_many(label)
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
            entries = [entry for entry in self._zip.infolist() if not entry.is_dir()]
        except _FAULTS as error:
            text = f"{label} is not a zip that can be read: {printable(str(error))}"
            raise BlueprintError(
                text, hint="name the folder of a bundle, or a zip of it", kind="bad-zip"
            ) from None
        self._entries = self._checked(entries)
        self._root = self._found_root()

    def read(self, path: str, most: int) -> bytes:
        """Return the bytes of a file. See `Store`."""
        name = within(path)
        entry = self._entries.get(self._root + name)
        if entry is None:
            raise BlueprintError(
                f"{self.label} has no file {shown(name)}", hint="check its name", kind="missing-file"
            )
        if entry.file_size > most:
            raise BlueprintError(
                f"{self.label}/{name} is larger than the {most // 1024} kB that are read", kind="too-large"
            )
        try:
            with self._zip.open(entry) as stream:
                return stream.read(most + 1)
        except _FAULTS as error:
            raise BlueprintError(
                f"{self.label}/{name} cannot be read: {printable(str(error))}", kind="bad-zip"
            ) from None

    def names(self) -> list[str]:
        """Return the names of all files. See `Store`."""
        inside = [name.removeprefix(self._root) for name in self._entries if name.startswith(self._root)]
        return sorted(name for name in inside if all(map(belongs, name.split("/"))))

    def description(self) -> str:
        """Return what a wheel says of its distribution, the README; empty for other zips."""
        found = [name for name in self._entries if name.endswith(".dist-info/METADATA")]
        if not found or self._entries[found[0]].file_size > MAX_DATA_BYTES:
            return ""
        try:
            return self._zip.read(self._entries[found[0]]).decode("utf-8", "replace")
        except _FAULTS:
            return ""

    def _checked(self, entries: list[zipfile.ZipInfo]) -> dict[str, zipfile.ZipInfo]:
        """Return the files by name, if nothing is wrong with any of them."""
        if len(entries) > MAX_FILES:
            raise too_many(self.label)
        if sum(entry.file_size for entry in entries) > MAX_BUNDLE_BYTES:
            raise BlueprintError(
                f"the files of {self.label} have more than {MAX_BUNDLE_BYTES >> 20} MB together",
                hint="a bundle holds blueprints and tables",
                kind="too-large",
            )
        found: dict[str, zipfile.ZipInfo] = {}
        for entry in entries:
            name = self._name(entry)
            if name in found:
                raise BlueprintError(
                    f"{self.label} has the file {shown(name)} twice", hint="make it again", kind="bad-zip"
                )
            found[name] = entry
        return found

    def _name(self, entry: zipfile.ZipInfo) -> str:
        """Return the name of a file that is what it seems to be."""
        name = within(_decoded(entry), self.label)
        mode = entry.external_attr >> 16
        if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
            kind = "a link" if stat.S_ISLNK(mode) else "not a regular file"
            raise BlueprintError(
                f"{self.label}/{name} is {kind}", hint="put the file itself there", kind="bad-zip"
            )
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise BlueprintError(
                f"{self.label}/{name} is compressed in an unusual way",
                hint="make the zip again",
                kind="bad-zip",
            )
        if entry.flag_bits & _ENCRYPTED:
            raise BlueprintError(
                f"{self.label}/{name} is encrypted", hint="make the zip again", kind="bad-zip"
            )
        return name

    def _found_root(self) -> str:
        """Return the folder in the zip that has the bundle: the top, or the only one with a ``bundle.toml``."""
        if "bundle.toml" in self._entries:
            return ""
        below = [name for name in self._entries if name.count("/") == 1 and name.endswith("/bundle.toml")]
        return below[0].removesuffix("bundle.toml") if len(below) == 1 else ""


def _decoded(entry: zipfile.ZipInfo) -> str:
    """Return a name; that of macOS is UTF-8, and does not say so."""
    if not entry.flag_bits & _SAYS_UTF_8:
        with suppress(UnicodeError):
            return entry.orig_filename.encode("cp437").decode()
    return entry.orig_filename
