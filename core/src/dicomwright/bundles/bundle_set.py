"""All bundles that can be named: those that are given, those of the environment, those that are installed."""

from __future__ import annotations

import os
from dataclasses import replace
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from dicomwright._dataclass import dataclass
from dicomwright._version import version
from dicomwright.bundles.stores import printable, shown
from dicomwright.errors import BlueprintError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dicomwright.bundles.bundle import Bundle
    from dicomwright.plugins._metadata import BundleCandidate

__all__ = ["VARIABLE", "BundleRecord", "BundleSet", "same_version"]

#: Environment variable: folders and zips, with the separator of PATH between them.
VARIABLE = "DICOMWRIGHT_BUNDLES"

Status = Literal["usable", "failed", "incompatible", "conflict", "shadowed", "disabled"]
_NO_CLAIM = ("shadowed", "disabled")
_TOLD = 2
_TOLD_PROBLEMS = 5
_GIVEN, _ENVIRONMENT, _INSTALLED = "--bundle", VARIABLE, "installed"


@dataclass(frozen=True)
class BundleRecord:
    """One bundle, and what became of it.

    Attributes
    ----------
    name, version : str
        As its ``bundle.toml`` or the metadata say; empty if neither does.
    source : str
        ``--bundle``, ``DICOMWRIGHT_BUNDLES``, or ``installed``.
    place : str
        Its path.
    distribution : str
        Who installed it; empty for folders and zips.
    status : str
        ``"usable"``; ``"failed"``: it cannot be read or is wrong; ``"incompatible"``: it wants another core;
        ``"conflict"``: two have the name; ``"shadowed"``: one that counts more has the name; ``"disabled"``: by
        the user.
    reason : str
        Why it cannot be used. One line.
    blueprints : tuple of str
        The ids of its blueprints.
    contact : str
        Whom to ask.

    """

    name: str
    version: str
    source: str
    place: str
    distribution: str = ""
    status: Status = "usable"
    reason: str = ""
    blueprints: tuple[str, ...] = ()
    contact: str = ""

    @property
    def who(self) -> str:
        """What messages call it."""
        return self.distribution or self.place


class _Found(NamedTuple):
    """A record, the bundle if it can be read, and what is wrong with it."""

    record: BundleRecord
    bundle: Bundle | None
    problems: tuple[Problem, ...] = ()


class BundleSet:
    """The bundles of a run; nothing is looked for before somebody asks.

    Those that are given count more than those of the environment, and these more than those that are installed.

    Examples
    --------
    >>> bundles = BundleSet(installed=False)
    >>> "st-elsewhere" in bundles
    False

    Parameters
    ----------
    paths : iterable of path
        Folders and zips.
    installed : bool
        Whether to look for installed bundles, too.

    """

    def __init__(self, paths: Iterable[str | os.PathLike[str]] = (), *, installed: bool = True) -> None:
        self.paths = tuple(paths)
        self.installed = installed

    @property
    def records(self) -> tuple[BundleRecord, ...]:
        """One for each bundle, usable or not."""
        return tuple(found.record for found in self._found)

    @property
    def usable(self) -> tuple[Bundle, ...]:
        """The bundles that can be used, by name."""
        return tuple(self._usable[name] for name in sorted(self._usable))

    def __contains__(self, name: object) -> bool:
        """Tell whether a bundle of this name can be used."""
        return name in self._usable

    def bundle(self, name: str) -> Bundle:
        """Return a bundle by its name.

        Raises
        ------
        BlueprintError
            There is none of that name that can be used; the error says why.

        """
        if name in self._usable:
            return self._usable[name]
        for found in self._found:
            if found.record.name == name:
                raise BlueprintError(
                    f"bundle {shown(name)} of {found.record.who} cannot be used: {found.record.reason}",
                    hint="see: dicomwright bundles",
                    kind="broken-bundle",
                )
        raise self._unknown(name)

    def require_given(self) -> None:
        """Refuse what was given by path and cannot be used.

        Raises
        ------
        BlueprintError
            With all that is wrong.

        """
        problems: list[Problem] = []
        for found in self._found:
            record = found.record
            if record.source != _GIVEN or record.status == "usable":
                continue
            problems += found.problems or [Problem(f"bundle {record.place}: {record.reason}", kind="bundle")]
        if problems:
            raise BlueprintError.collect(problems)

    def _unknown(self, name: str) -> BlueprintError:
        """Return the error for a name that no bundle has."""
        close = get_close_matches(name, self._usable, 1)
        known = ", ".join(sorted(self._usable)) or "none"
        broken = [one.record for one in self._found if one.record.status == "failed" and not one.record.name]
        told = "".join(f"; {record.who} is broken: {record.reason}" for record in broken[:_TOLD])
        if len(broken) > _TOLD:
            told += f"; and {len(broken) - _TOLD} more are broken, see: dicomwright bundles"
        suggestion = f"did you mean {close[0]}? " if close else ""
        return BlueprintError(
            f"there is no bundle {shown(name)}{told}",
            hint=f"{suggestion}There are: {known}. Give a folder or zip with --bundle or {VARIABLE}",
            kind="unknown-bundle",
        )

    @cached_property
    def _usable(self) -> dict[str, Bundle]:
        return {
            found.bundle.name: found.bundle
            for found in self._found
            if found.bundle is not None and found.record.status == "usable"
        }

    @cached_property
    def _found(self) -> tuple[_Found, ...]:
        """Look for all bundles, those that count most first."""
        listed = os.environ.get(VARIABLE, "").split(os.pathsep)
        tiers = [
            [_at(path, _GIVEN) for path in _once(map(str, self.paths))],
            [_at(path, _ENVIRONMENT) for path in _once(filter(None, listed))],
            list(_installed()) if self.installed else [],
        ]
        settled: list[_Found] = []
        for tier in tiers:
            settled += _settled(tier, [one.record for one in settled])
        return tuple(settled)


def _once(paths: Iterable[str]) -> Iterable[str]:
    """Return paths, of several to one place the first."""
    found: dict[str, str] = {}
    for path in paths:
        found.setdefault(os.path.realpath(path) if "\0" not in path else path, path)
    return found.values()


def _settled(tier: list[_Found], stronger: list[BundleRecord]) -> Iterator[_Found]:
    """Yield bundles of one kind with the names that they do not get."""
    taken = {record.name: record for record in stronger if record.name and record.status not in _NO_CLAIM}
    usable = [found for found in tier if found.record.status == "usable"]
    for found in tier:
        record = found.record
        rivals = [one.record.who for one in usable if one is not found and one.record.name == record.name]
        if record.status == "usable" and record.name in taken:
            reason = f"{taken[record.name].who} has the name and counts more"
            if taken[record.name].status != "usable":
                reason += ", though it cannot be used"
            record = replace(record, status="shadowed", reason=reason)
        elif record.status == "usable" and rivals:
            reason = f"{' and '.join(rivals)} has the name {shown(record.name)}, too, so neither is used"
            record = replace(record, status="conflict", reason=reason)
        yield found._replace(record=record)


def _at(path: str, source: str) -> _Found:
    """Return what is at a path."""
    return _opened(Path(path), BundleRecord("", "", source, printable(path)))


def _opened(path: Path, record: BundleRecord, label: str = "") -> _Found:
    """Open a bundle; whatever is wrong with it stays with it."""
    from dicomwright.bundles.bundle import core_problem, read_bundle  # late: most builds need no bundle

    try:
        bundle, problems = read_bundle(path, label)
    except BlueprintError as error:
        return _failed(record, error.problems)
    manifest = bundle.manifest
    record = replace(
        record,
        name=manifest.name or record.name,
        version=manifest.version or record.version,
        contact=manifest.contact,
        blueprints=tuple(f"{manifest.name}/{name}" for name in sorted(manifest.blueprints)),
    )
    if problems:
        return _failed(replace(record, blueprints=()), problems)
    misfit = core_problem(bundle, version())
    if misfit:
        return _Found(replace(record, status="incompatible", reason=misfit), None)
    return _Found(record, bundle)


def _failed(record: BundleRecord, problems: Iterable[Problem]) -> _Found:
    """Return what became of a bundle that cannot be used."""
    found = tuple(problems)
    told = [str(problem) for problem in found[:_TOLD_PROBLEMS]]
    if len(found) > _TOLD_PROBLEMS:
        told.append(f"and {len(found) - _TOLD_PROBLEMS} more, see: dicomwright bundle check")
    reason = printable("; ".join(told))
    return _Found(replace(record, status="failed", reason=reason), None, found)


def _installed() -> Iterator[_Found]:
    """Yield the installed bundles, importing nothing of theirs."""
    from dicomwright.plugins import _metadata
    from dicomwright.plugins.plugin_set import switched_off

    for candidate in _metadata.find_bundles():
        told = map(printable, (candidate.name, candidate.version, candidate.folder, candidate.distribution))
        name, version_, folder, distribution = told
        record = BundleRecord(name, version_, _INSTALLED, folder, distribution)
        off = switched_off(candidate)
        if off:
            yield _Found(replace(record, status="disabled", reason=off), None)
            continue
        if candidate.problem:
            yield _Found(replace(record, status="failed", reason=printable(candidate.problem)), None)
            continue
        yield _of_distribution(_opened(Path(candidate.folder), record, candidate.label), candidate)


def same_version(one: str, other: str) -> bool:
    """Tell whether two versions are the same, as PEP 440 says.

    Examples
    --------
    >>> same_version("1.0", "1.0.0"), same_version("1.0", "1.0.1")
    (True, False)

    """
    from packaging.version import InvalidVersion, Version  # late: it takes longer than all the rest

    try:
        return Version(one) == Version(other)
    except InvalidVersion:
        return one == other


def _of_distribution(found: _Found, candidate: BundleCandidate) -> _Found:
    """Refuse a bundle that is not what its distribution says."""
    record = found.record
    if record.status == "failed":
        return found
    reason = ""
    if not same_version(record.version, candidate.version):
        reason = f"its bundle.toml says version {record.version}, its distribution {candidate.version}"
    elif record.name != candidate.name:
        reason = (
            f"its bundle.toml says the name {shown(record.name)}, its entry point {shown(candidate.name)}"
        )
    return (
        found._replace(record=replace(record, status="failed", reason=reason), bundle=None)
        if reason
        else found
    )
