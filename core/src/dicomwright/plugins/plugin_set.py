"""All plug-ins of a run, loaded once."""

from __future__ import annotations

import os
import threading
from dataclasses import field, replace
from typing import TYPE_CHECKING, Any, TypeVar

from dicomwright._dataclass import dataclass
from dicomwright.errors import DicomwrightError, PluginError
from dicomwright.plugins.discovery import BUILTIN, Discovery, discover, new_manager
from dicomwright.plugins.hooks import BUILD_HOOK, KINDS
from dicomwright.plugins.known import COMMANDS, known_owner
from dicomwright.plugins.records import tell
from dicomwright.plugins.registry import Registry
from dicomwright.plugins.trace import timed, trace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pluggy import HookRelay, PluginManager

    from dicomwright.plugins._metadata import BundleCandidate, Candidate
    from dicomwright.plugins.records import Contribution, PluginRecord

__all__ = ["DISABLE_VARIABLE", "PluginSet", "default", "load", "load_these"]

#: Environment variable: ``1`` or ``all`` for all plug-ins, or names of plug-ins or distributions with commas.
DISABLE_VARIABLE = "DICOMWRIGHT_DISABLE_PLUGINS"

_T = TypeVar("_T")
_ALL = frozenset({"1", "all", "true", "yes", "on"})
_NONE = frozenset({"", "0", "none", "false", "no", "off"})


@dataclass(frozen=True)
class PluginSet:
    """The plug-ins of a run.

    Examples
    --------
    >>> plugin_set = load(enabled=False)
    >>> plugin_set.registry("encoder").names()
    ('image', 'planar-stack')
    >>> plugin_set.records[0].name
    'builtin'

    Attributes
    ----------
    records : tuple of PluginRecord
        One for each plug-in, what the core itself provides first, then by distribution and name.
    warnings : tuple of str
        What the user should know about the choice of plug-ins.
    hook : pluggy.HookRelay
        The hooks of the plug-ins that are loaded.

    """

    records: tuple[PluginRecord, ...]
    registries: Mapping[str, Registry]
    warnings: tuple[str, ...] = ()
    _manager: PluginManager = field(default_factory=new_manager, repr=False, compare=False)

    @property
    def hook(self) -> HookRelay:
        """The hooks; see `around_build` for the one around a build."""
        return self._manager.hook

    def registry(self, kind: str) -> Registry:
        """Return all of one kind, such as ``"reader"``; the kinds are the keys of `KINDS`."""
        if kind not in self.registries:
            raise PluginError(
                f'there is no kind of plug-in "{kind}"', hint=f"it is one of {', '.join(KINDS)}"
            )
        return self.registries[kind]

    def around_build(self, build: Callable[[], _T], *, source: Any, blueprint: Any, parents: Any) -> _T:
        """Call `build` inside the ``dicomwright_build`` wrappers of all plug-ins, and return its result.

        Raises
        ------
        PluginError
            A wrapper failed. What `build` itself raises passes, unless a wrapper replaces it.

        """
        own: list[BaseException] = []

        def innermost() -> _T:
            try:
                return build()
            except BaseException as error:
                own.append(error)
                raise

        caller = getattr(self._manager.hook, BUILD_HOOK)
        values = {"source": source, "blueprint": blueprint, "parents": parents}
        around = ", ".join(one.plugin_name for one in caller.get_hookimpls()) or "no plug-in"
        try:
            with timed([f"{BUILD_HOOK}: compiled, inside {around}"]):
                result: _T = caller.call_extra([innermost], values)
        except (DicomwrightError, KeyboardInterrupt):
            raise
        except BaseException as error:
            if any(error is one for one in own):
                raise
            raise self._wrapper_error(error) from error
        return result

    def _wrapper_error(self, error: BaseException) -> PluginError:
        """Return the error for a wrapper that failed, naming the plug-in whose code raised."""
        implementations = getattr(self._manager.hook, BUILD_HOOK).get_hookimpls()
        names = {one.plugin.__file__: one.plugin_name for one in implementations}
        label, trace = "", error.__traceback__
        while trace is not None:  # the last of a plug-in's frames is where it happened
            label = names.get(trace.tb_frame.f_code.co_filename, label)
            trace = trace.tb_next
        distribution, _, name = label.partition(":")
        who = f'plug-in "{name}" of {distribution}' if label else "a plug-in"
        return PluginError(
            f"{who} failed around the build, in {BUILD_HOOK}: {tell(error)}",
            hint=f"{DISABLE_VARIABLE}={distribution or 'NAME'} builds without it",
            kind="broken-plugin",
        )


def load(enabled: bool | None = None, disabled: Iterable[str] = ()) -> PluginSet:
    """Load the built-ins and the installed plug-ins.

    A plug-in that cannot be used is a record, never an exception.

    Parameters
    ----------
    enabled : bool, optional
        ``False``: the built-ins only. ``True``: all, whatever the environment says. Default: as
        ``DICOMWRIGHT_DISABLE_PLUGINS`` says.
    disabled : iterable of str
        Names of plug-ins or of distributions that are not wanted.

    """
    from dicomwright.plugins import _metadata  # importlib_metadata only when plug-ins are asked for

    return _loaded(_metadata.find_candidates(), _metadata.core_version(), _Choice(enabled, disabled))


def load_these(candidates: Iterable[Candidate], core: str) -> PluginSet:
    """Load the built-ins and these plug-ins, whatever is installed, for the tests of plug-ins.

    Parameters
    ----------
    candidates : iterable of Candidate
        The plug-ins.
    core : str
        The version of the core that they meet.

    """
    return _loaded(list(candidates), core, _Choice(enabled=True, disabled=()))


def _loaded(candidates: list[Candidate], core: str, choice: _Choice) -> PluginSet:
    """Load the built-ins and each candidate."""
    manager = new_manager()
    # the project's own distributions come first: their names are theirs
    candidates.sort(key=lambda one: not _owns_its_name(one))
    found = discover(manager, candidates, core, choice.reason)
    registries = _registries(found)
    order = sorted(found.records, key=_record_order)
    return PluginSet(tuple(order), registries, choice.unused(candidates), manager)


_default_lock = threading.RLock()  # a plug-in may ask while it is loaded
_default: list[PluginSet] = []


def default() -> PluginSet:
    """Return the plug-ins as the environment says, loaded at the first call."""
    with _default_lock:
        if not _default:
            _default[:] = [load()]
        return _default[0]


class _Choice:
    """Which plug-ins the user does not want."""

    def __init__(self, enabled: bool | None, disabled: Iterable[str]) -> None:
        self._all = "plug-ins are switched off" if enabled is False else ""
        self._names = {_canonical(name): "it is switched off" for name in disabled}
        setting = os.environ.get(DISABLE_VARIABLE, "").strip() if enabled is None else ""
        if setting.lower() in _ALL:
            self._all = self._all or f"{DISABLE_VARIABLE}={setting}"
        elif setting.lower() not in _NONE:
            for name in filter(None, map(str.strip, setting.split(","))):
                self._names.setdefault(_canonical(name), f"{DISABLE_VARIABLE} names it")

    def reason(self, candidate: Candidate | BundleCandidate) -> str:
        """Say why a plug-in is not wanted; empty if it is."""
        by_name = self._names.get(_canonical(candidate.name)) or self._names.get(
            _canonical(candidate.distribution)
        )
        return by_name or self._all

    def unused(self, candidates: list[Candidate]) -> tuple[str, ...]:
        """Return a warning for each name that is no plug-in's: a slip would leave one switched on."""
        present = {_canonical(text) for one in candidates for text in (one.name, one.distribution)}
        if self._names.keys() - present:
            from dicomwright.plugins._metadata import find_bundles  # late: names of bundles are seldom given

            present |= {_canonical(text) for one in find_bundles() for text in (one.name, one.distribution)}
        return tuple(
            f'cannot switch off plug-in "{name}": there is none of that name'
            for name in sorted(self._names)
            if name not in present
        )


def switched_off(candidate: Candidate | BundleCandidate) -> str:
    """Say why the environment does not want a plug-in, or a bundle of blueprints; empty if it does."""
    return _Choice(None, ()).reason(candidate)


def _canonical(name: str) -> str:
    """Return a name in the spelling that compares equal."""
    return name.strip().lower().replace("_", "-").replace(".", "-")


def _owns_its_name(candidate: Candidate) -> bool:
    """Tell whether the plug-in is one of the project's own."""
    owner = known_owner("plugin", candidate.name)
    return owner is not None and owner.distribution == _canonical(candidate.distribution)


def _record_order(record: PluginRecord) -> tuple[bool, str, str]:
    """Return the key that sorts the built-ins first, then by distribution and name."""
    return record.name != BUILTIN, _canonical(record.distribution), record.name


def _registries(found: Discovery) -> dict[str, Registry]:
    """Sort contributions into registries, and settle names that several plug-ins claim."""
    usable: dict[str, dict[str, Contribution]] = {kind: {} for kind in KINDS}
    contested: dict[str, dict[str, tuple[Contribution, ...]]] = {kind: {} for kind in KINDS}
    claims: dict[tuple[str, str], list[tuple[int, Contribution]]] = {}
    for kind, index, contribution in found.contributions:
        claims.setdefault((kind, contribution.spec.name), []).append((index, contribution))
    for (kind, name), claimants in sorted(claims.items()):
        ours = kind == "command" and name in COMMANDS
        owner = None if ours else _owner(kind, name, claimants)
        if owner is not None:
            usable[kind][name] = owner
        elif not ours:
            contested[kind][name] = tuple(one for _, one in claimants)
        for index, contribution in claimants:
            if contribution is not owner:
                others = [str(one.provider) for _, one in claimants if one is not contribution]
                reason = _reason(owner, others, ours=ours)
                _note_conflict(found.records, index, f'its {kind} "{name}" is not used: {reason}')
    broken = tuple(record for record in found.records if record.status not in ("loaded", "conflict"))
    broken += tuple(record for record in found.records if record.status == "conflict" and not record.kinds)
    return {kind: Registry(kind, usable[kind], contested[kind], broken) for kind in KINDS}


def _owner(kind: str, name: str, claimants: list[tuple[int, Contribution]]) -> Contribution | None:
    """Return who has a name: the core, the distribution that it is reserved for, or the only claimant."""
    known = known_owner(kind, name)
    for _, contribution in claimants:
        reserved = known and _canonical(contribution.provider.distribution) == known.distribution
        if contribution.plugin == BUILTIN or reserved or len(claimants) == 1:
            return contribution
    return None


def _reason(owner: Contribution | None, others: list[str], *, ours: bool) -> str:
    """Say why a plug-in did not get a name."""
    if owner is None and not ours:
        return f"{' and '.join(others)} claims the name, too"
    whose = "dicomwright itself" if owner is None or owner.plugin == BUILTIN else str(owner.provider)
    return f"the name belongs to {whose}"


def _note_conflict(records: list[PluginRecord], index: int, text: str) -> None:
    """Write into the record of a plug-in what it did not get."""
    record = records[index]
    trace(f'plug-in "{record.name}" of {record.provider}: conflict: {text}')
    reason = f"{record.reason}; {text}" if record.reason else text
    records[index] = replace(record, status="conflict", reason=reason)
