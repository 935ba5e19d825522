"""One DICOM file within a STOW-RS request: its file meta information says what comes, the rest is its dataset."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydicom.uid import AllTransferSyntaxes

from dicomwright_node.receive.answers import Answer, Outcome, RefusedError
from dicomwright_node.receive.intake import Announced

if TYPE_CHECKING:
    from concurrent.futures import Future

    from dicomwright_node.receive.intake import Incoming, Intake, Origin

__all__ = ["Part"]

_START = 132
_LONGEST_META = 64 * 1024
_LONG_VRS = {b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"}
_SYNTAXES = frozenset(map(str, AllTransferSyntaxes))


class Part:
    """Takes the bytes of one file.

    Parameters
    ----------
    intake, origin : Intake, Origin
        Where to, and who sends.
    study : str
        StudyInstanceUID that it must have; empty: any.

    Attributes
    ----------
    sop_class, sop_instance : str
        As its file meta information says; empty until that has come.

    """

    def __init__(self, intake: Intake, origin: Origin, study: str) -> None:
        self._intake = intake
        self._origin = origin
        self._study = study
        self._head = b""
        self._incoming: Incoming | None = None
        self._refused: Answer | None = None
        self.sop_class = self.sop_instance = ""
        self.size = 0

    def refuse(self, answer: Answer) -> None:
        """Take nothing of it."""
        self._refused = answer

    def take(self, data: bytes) -> None:
        """Take the next bytes; never raises for what they are."""
        self.size += len(data)
        if self._refused is not None:
            return
        try:
            if self._incoming is not None:
                self._incoming.write(memoryview(data))
            else:
                self._begin(data)
        except RefusedError as error:
            self._refused, self._incoming, self._head = error.answer, None, b""

    def finish(self) -> Future[Answer] | Answer:
        """Return what became of it, or will."""
        incoming, self._incoming = self._incoming, None
        if incoming is None:
            return self._refused or Answer(Outcome.NOT_UNDERSTOOD, "a part of the request is no DICOM file")
        try:
            return incoming.finish()
        except RefusedError as error:
            return error.answer

    def discard(self) -> None:
        """Forget it."""
        if self._incoming is not None:
            self._incoming.discard()

    def _begin(self, data: bytes) -> None:
        """Open a file as soon as the file meta information has come."""
        self._head += data
        try:
            found = _read_meta(self._head)
        except ValueError as error:
            raise RefusedError(Outcome.NOT_UNDERSTOOD, str(error)) from error
        if found is None:
            return
        meta, end = found
        self.sop_class, self.sop_instance = meta.get(0x0002, ""), meta.get(0x0003, "")
        syntax = meta.get(0x0010, "")
        if syntax not in _SYNTAXES:
            raise RefusedError(Outcome.NOT_UNDERSTOOD, "the transfer syntax of the file is not known")
        announced = Announced(self.sop_class, self.sop_instance, syntax, self._study)
        self._incoming = self._intake.begin(self._origin, announced)
        rest, self._head = memoryview(self._head)[end:], b""
        self._incoming.write(rest)


def _read_meta(data: bytes) -> tuple[dict[int, str], int] | None:
    """Return the texts of the file meta information and where it ends; None if it has not all come."""
    if len(data) < _START:
        return None
    begin = _START if data[_START - 4 : _START] == b"DICM" else 0  # some clients leave the preamble out
    if data[begin : begin + 2] != b"\2\0":
        raise ValueError("a part of the request is no DICOM file")
    texts: dict[int, str] = {}
    pos = begin
    while pos + 12 <= len(data):
        if data[pos : pos + 2] != b"\2\0":
            return texts, pos
        is_long = data[pos + 4 : pos + 6] in _LONG_VRS
        start = pos + (12 if is_long else 8)
        length = int.from_bytes(data[start - (4 if is_long else 2) : start], "little")
        pos, number = start + length, int.from_bytes(data[pos + 2 : pos + 4], "little")
        if pos - begin > _LONGEST_META:
            raise ValueError("the file meta information of a part is too long")
        texts[number] = data[start:pos].decode("latin-1").rstrip("\0 ")
    return None
