"""Run validators over files and come to one verdict for each file and for the whole."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dicomwright.errors import DicomwrightError, Problem, PublishError
from dicomwright.plugins import default

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from dicomwright.plugins import PluginSet
    from dicomwright.validate.api import Complaint, Validator

__all__ = ["Verdict", "validate", "validating"]

_MOST_TOLD = 20
_MARK = slice(128, 132)
_SUFFIXES = (".dcm", ".dicom", ".ima")


@dataclass(frozen=True)
class Verdict:
    """What validators say.

    Attributes
    ----------
    files : tuple of Path
        What was judged.
    complaints : tuple of Complaint
        Everything that was said.
    validators : tuple of dict
        ``name``, ``distribution``, ``version`` and ``unavailable``, why it did not run, of each.
    skipped : tuple of Path
        What lies in a folder and is not DICOM.

    """

    files: tuple[Path, ...]
    complaints: tuple[Complaint, ...]
    validators: tuple[dict[str, str], ...]
    skipped: tuple[Path, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether there is no error."""
        return not self.errors

    @property
    def errors(self) -> tuple[Complaint, ...]:
        """The complaints that fail a file or the series."""
        return tuple(one for one in self.complaints if one.severity == "error")

    def of(self, file: Path | None) -> tuple[Complaint, ...]:
        """Return what was said of one file; of the files together for None."""
        return tuple(one for one in self.complaints if one.file == file)

    def as_dict(self) -> dict[str, Any]:
        """Return it as what JSON can hold."""
        return {
            "verdict": _word(self.complaints),
            "validators": list(self.validators),
            "series": {
                "verdict": _word(self.of(None)),
                "complaints": [one.as_dict() for one in self.of(None)],
            },
            "files": [
                {
                    "file": str(file),
                    "verdict": _word(self.of(file)),
                    "complaints": [one.as_dict() for one in self.of(file)],
                }
                for file in self.files
            ],
            "skipped": [str(file) for file in self.skipped],
        }

    def summary(self) -> dict[str, Any]:
        """Return the counts, for the result of a build."""
        counts = {
            f"{severity}s": sum(one.severity == severity for one in self.complaints)
            for severity in ("error", "warning", "note")
        }
        return {"verdict": _word(self.complaints), "validators": list(self.validators)} | counts


def _word(complaints: Iterable[Complaint]) -> str:
    return "fail" if any(one.severity == "error" for one in complaints) else "pass"


def validate(
    files: str | Path | Iterable[str | Path],
    validators: Iterable[str] = (),
    *,
    plugin_set: PluginSet | None = None,
) -> Verdict:
    """Judge files with the core's own validator and those of plug-ins.

    Examples
    --------
    >>> import numpy as np
    >>> from dicomwright import Blueprint, DicomFactory, Volume
    >>> volume = Volume(np.zeros((3, 4, 5), np.int16), [[0, 0, 1.5, 0], [0, 2, 0, 0], [3, 0, 0, 0], [0, 0, 0, 1]])
    >>> files = DicomFactory().build(volume, Blueprint.load("mr-image")).write("series")
    >>> validate("series", ["standard"]).passed
    True

    Parameters
    ----------
    files : path, or iterable of paths
        A folder (with those below it), of which what is not DICOM is skipped, or files.
    validators : iterable of str
        Names; all that can run here if not given.

    Raises
    ------
    DicomwrightError
        There is no file, or a validator that is named is not there or cannot run.

    """
    paths, skipped = _files(files)
    plugins = plugin_set or default()
    names = tuple(validators)
    complaints: list[Complaint] = []
    ran: list[dict[str, str]] = []
    for name in names or plugins.registry("validator").names():
        with plugins.registry("validator").using(name):
            validator = _validator(plugins, name)
            reason = validator.unavailable()
        if reason and names:
            raise DicomwrightError(f"validator {name!r} cannot run: {reason}", kind="validator")
        provider = plugins.registry("validator").provider(name)
        ran.append(
            {
                "name": name,
                "distribution": provider.distribution,
                "version": provider.version,
                "unavailable": reason,
            }
        )
        if not reason:
            with plugins.registry("validator").using(name):
                complaints += [replace(one, validator=name) for one in validator.validate(paths)]
    return Verdict(paths, tuple(complaints), tuple(ran), skipped)


def validating(
    validators: Iterable[str] = (), *, plugin_set: PluginSet | None = None
) -> Callable[[Sequence[Path]], dict[str, Any]]:
    """Return a check for `Series.write`: files that fail are not published."""
    names = tuple(validators)

    def check(files: Sequence[Path]) -> dict[str, Any]:
        verdict = validate(files, names, plugin_set=plugin_set)
        if not verdict.passed:
            raise PublishError.collect(_problems(verdict))
        return {"validate": verdict.summary()}

    return check


def _problems(verdict: Verdict) -> Iterator[Problem]:
    """Yield the errors, each once, as problems."""
    seen: dict[tuple[str, str], list[str]] = {}
    for one in verdict.errors:
        seen.setdefault((one.validator, one.message), []).append(one.file.name if one.file else "the series")
    for number, ((validator, message), names) in enumerate(seen.items()):
        if number == _MOST_TOLD:
            yield Problem(f"and {len(seen) - _MOST_TOLD} more kinds of error", kind="validate")
            return
        where = names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"
        yield Problem(f"{where}: {message} ({validator})", kind="validate")


def _validator(plugins: PluginSet, name: str) -> Validator:
    target = plugins.registry("validator").resolve(name)
    validator: Validator = target() if isinstance(target, type) else target
    return validator


def _files(files: str | Path | Iterable[str | Path]) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
    """Return the files that are meant, and what is skipped since it is not DICOM and nobody named it."""
    given = [files] if isinstance(files, str | Path) else list(files)
    found: list[Path] = []
    skipped: list[Path] = []
    for path in map(Path, given):
        if path.is_dir():
            for one in sorted(one for one in path.rglob("*") if one.is_file()):
                (found if _looks_like_dicom(one) else skipped).append(one)
        elif path.is_file():
            found.append(path)
        else:
            raise DicomwrightError(f"{path} is neither a file nor a folder", kind="source")
    if not found:
        many = f" ({len(skipped)} other files were skipped)" if skipped else ""
        raise DicomwrightError(
            f"there is no DICOM file to validate{many}", hint="name a folder with DICOM files", kind="source"
        )
    return tuple(found), tuple(skipped)


def _looks_like_dicom(path: Path) -> bool:
    """Tell whether a file has the mark of DICOM (PS3.10 section 7.1), or a name that promises it."""
    if path.suffix.lower() in _SUFFIXES:
        return True
    try:
        with path.open("rb") as file:
            return file.read(_MARK.stop)[_MARK] == b"DICM" and path.name != "DICOMDIR"
    except OSError:
        return True  # the validators tell why it cannot be read
