"""Everything that dicomwright raises on purpose.

One root, `DicomwrightError`. Each error carries the complete list of `Problem`s, so that a caller sees all
of them at once. A message says *what, where, why*; the hint says *what to do*.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dicomwright._dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "BlueprintError",
    "DeliveryError",
    "DicomwrightError",
    "ExecutionError",
    "GeometryError",
    "ParentError",
    "PluginError",
    "Problem",
    "PublishError",
    "SourceError",
    "StoredValueError",
]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, and what to do about it.

    Examples
    --------
    >>> print(Problem("SeriesTime (0008,0031) is not a TM value", hint="write HHMMSS", loc="site.toml:12"))
    site.toml:12: SeriesTime (0008,0031) is not a TM value; write HHMMSS

    Attributes
    ----------
    message : str
        What is wrong, where and why: tag and keyword, file, instance.
    hint : str
        What to do. May be empty.
    loc : str
        Where the rule or value comes from: ``file:line``, a path, a call site. May be empty.
    kind : str
        A stable word for programs, such as ``missing-in-parent``.

    """

    message: str
    hint: str = ""
    loc: str = ""
    kind: str = ""

    def __str__(self) -> str:
        """Return the problem as one line."""
        text = f"{self.loc}: {self.message}" if self.loc else self.message
        return f"{text}; {self.hint}" if self.hint else text


class DicomwrightError(Exception):
    """Root of all errors of dicomwright.

    Examples
    --------
    >>> error = DicomwrightError("brain.nii is empty", hint="copy the file again")
    >>> str(error)
    'brain.nii is empty; copy the file again'
    >>> len(DicomwrightError.collect([Problem("a"), Problem("b")]).problems)
    2

    Attributes
    ----------
    problems : tuple of Problem
        All that is wrong, never empty.

    """

    def __init__(self, message: str, *, hint: str = "", loc: str = "", kind: str = "") -> None:
        self.problems: tuple[Problem, ...] = (Problem(message, hint, loc, kind),)
        super().__init__(message)

    @classmethod
    def collect(cls, problems: Iterable[Problem]) -> DicomwrightError:
        """Return one error of this class that carries all the problems."""
        found = tuple(problems)
        error = cls(found[0].message)
        error.problems = found
        return error

    def __str__(self) -> str:
        """Return one line, or a count and a line for each problem."""
        if len(self.problems) == 1:
            return str(self.problems[0])
        lines = "\n".join(f"  - {problem}" for problem in self.problems)
        return f"{len(self.problems)} problems:\n{lines}"


class BlueprintError(DicomwrightError):
    """A blueprint, or a blueprint file, is wrong."""


class SourceError(DicomwrightError):
    """A source (NIfTI, PDF, raw ...) cannot be read."""


class ParentError(DicomwrightError):
    """A parent series cannot be used."""


class GeometryError(DicomwrightError):
    """A volume's place in space cannot be expressed in DICOM."""


class StoredValueError(DicomwrightError):
    """Pixel values cannot be stored as asked."""


class PluginError(DicomwrightError):
    """A plug-in, or a name that a plug-in should provide, is not usable."""


class PublishError(DicomwrightError):
    """The output folder cannot be written."""


class DeliveryError(DicomwrightError):
    """Files cannot be sent to a destination."""


class ExecutionError(DicomwrightError):
    """A function that ran elsewhere did not return.

    Attributes
    ----------
    traceback : str
        Where it was, as far as that is known.
    output : str
        The end of what it printed.

    """

    traceback: str = ""
    output: str = ""
