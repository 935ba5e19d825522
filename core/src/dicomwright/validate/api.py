"""What a validator is asked, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

__all__ = ["Complaint", "Severity", "Validator"]

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True)
class Complaint:
    """One thing that a validator says of a file, or of a series as a whole.

    Attributes
    ----------
    severity : str
        ``error``, ``warning`` or ``note``; errors fail the file or the series.
    message : str
        What is wrong.
    file : Path, optional
        The file it is about; None for the files together.
    validator : str
        Name of the validator; filled in by `dicomwright.validate.validate`.

    """

    severity: Severity
    message: str
    file: Path | None = None
    validator: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return it as what JSON can hold."""
        return {"severity": self.severity, "validator": self.validator, "message": self.message}


@runtime_checkable
class Validator(Protocol):
    """The target of a `ValidatorSpec`: a class or an object. Nothing needs to inherit from this.

    Examples
    --------
    >>> class Suffixes:
    ...     def unavailable(self):
    ...         return ""
    ...
    ...     def validate(self, files):
    ...         return [Complaint("warning", "is not called .dcm", file) for file in files if file.suffix != ".dcm"]
    >>> isinstance(Suffixes(), Validator)
    True

    """

    def unavailable(self) -> str:
        """Return why this validator cannot run here, such as a program that is missing; empty if it can."""

    def validate(self, files: Sequence[Path]) -> Iterable[Complaint]:
        """Return what is wrong with files, and with them together. They are finished and are not changed."""
