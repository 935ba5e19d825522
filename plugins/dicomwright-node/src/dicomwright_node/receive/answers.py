"""What becomes of an instance that somebody sends, and how C-STORE and STOW-RS say so."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

__all__ = ["Answer", "Outcome", "RefusedError"]


class Outcome(Enum):
    """What became of an instance, and its status in C-STORE (PS3.4 B.2.3, PS3.7 C) and STOW-RS (PS3.18 I.2)."""

    STORED = 0x0000
    SAME = 0x0001  # the same bytes are here already: answered as STORED
    OTHER = 0xB000  # other bytes with this UID are here and stay
    FULL = 0xA700
    MISMATCH = 0xA900
    NOT_UNDERSTOOD = 0xC000
    TOO_LARGE = 0xC001
    FAILED = 0x0110  # a fault of ours

    @property
    def status(self) -> int:
        """The status code."""
        return 0 if self is Outcome.SAME else self.value

    @property
    def label(self) -> str:
        """Its name in the log and in figures."""
        return self.name.lower().replace("_", "-")

    @property
    def kept(self) -> bool:
        """Whether an instance with this UID is on disk."""
        return self in {Outcome.STORED, Outcome.SAME, Outcome.OTHER}


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one instance, and why, in one line without patient data."""

    outcome: Outcome
    message: str = ""


class RefusedError(Exception):
    """An instance is not taken."""

    def __init__(self, outcome: Outcome, message: str) -> None:
        super().__init__(message)
        self.answer = Answer(outcome, message)
