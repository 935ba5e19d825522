"""Load plug-ins one by one; each fault becomes a record and touches nobody else."""

from __future__ import annotations

import threading
from dataclasses import replace
from difflib import get_close_matches
from functools import partial
from inspect import Parameter, signature
from itertools import islice
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

from pluggy import PluginManager

from dicomwright.errors import DicomwrightError
from dicomwright.plugins import builtin, hooks
from dicomwright.plugins.compatibility import fits_core
from dicomwright.plugins.hooks import BUILD_HOOK, KINDS, Kind
from dicomwright.plugins.isolation import (
    SECONDS_VARIABLE,
    TooLongError,
    at_most,
    seconds_allowed,
    stdout_to_stderr,
    strays,
    surroundings_kept,
)
from dicomwright.plugins.known import known_owner
from dicomwright.plugins.records import UNKNOWN, Contribution, PluginRecord, Status, escape, tell
from dicomwright.plugins.trace import timed, trace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from dicomwright.plugins._metadata import Candidate
    from dicomwright.plugins.descriptors import Spec

__all__ = ["BUILTIN", "Discovery", "discover", "new_manager"]

#: Name of the record of what the core itself provides.
BUILTIN = "builtin"

_MOST_CONTRIBUTIONS = 1_000
_HOOKS = (*(kind.hook for kind in KINDS.values()), BUILD_HOOK)


class Discovery(NamedTuple):
    """What the plug-ins gave: records and contributions, side by side."""

    records: list[PluginRecord]
    contributions: list[tuple[str, int, Contribution]]  # kind, index of the record, contribution


class _RefusedError(Exception):
    """A plug-in cannot be used, and why."""

    def __init__(self, status: Status, reason: str, cause: BaseException | None = None) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.details = _traceback(cause) if cause else ""


def _traceback(error: BaseException) -> str:
    """Return where an error happened, for the author of the plug-in."""
    import traceback

    return "".join(traceback.format_exception(error))


def new_manager() -> PluginManager:
    """Return a manager that knows the hooks and no plug-in."""
    manager = PluginManager("dicomwright")
    manager.add_hookspecs(hooks)
    return manager


def discover(
    manager: PluginManager, candidates: list[Candidate], core: str, disabled: Callable[[Candidate], str]
) -> Discovery:
    """Load the built-ins and then each candidate.

    Parameters
    ----------
    manager : PluginManager
        Where the plug-ins are registered.
    candidates : list of Candidate
        In order.
    core : str
        The running version of dicomwright.
    disabled : callable
        Says why a candidate is not wanted, or an empty text.

    """
    found = Discovery([], [])
    _register(manager, found, PluginRecord(BUILTIN, "dicomwright", core), (), _load_builtin)
    rivals = [one for one in candidates if not disabled(one) and not _metadata_problem(one, core)]
    for candidate in candidates:
        record = PluginRecord(candidate.name, candidate.distribution, candidate.version)
        reason = disabled(candidate)
        if reason:
            trace(f'plug-in "{record.name}" of {record.provider}: disabled: {reason}')
            found.records.append(replace(record, status="disabled", reason=reason))
            continue
        _register(manager, found, record, candidate.requires, partial(_load, candidate, core, rivals))
    return found


def _register(
    manager: PluginManager,
    found: Discovery,
    record: PluginRecord,
    requires: tuple[str, ...],
    load: Callable[[], Any],
) -> None:
    """Add one plug-in, or the record of why not."""
    label = f"{record.distribution}:{record.name}"
    said = [f'plug-in "{record.name}" of {record.provider}:']
    try:
        with timed(said), stdout_to_stderr(), surroundings_kept():
            given, kinds = _isolated(partial(_in_time, partial(_take_in, manager, label, load)), "loading it")
            said.append(f"loaded, {', '.join(kinds) or 'nothing'}")
    except _RefusedError as refused:
        if manager.has_plugin(label):
            manager.unregister(name=label)
        trace(f'plug-in "{record.name}" of {record.provider}: {refused.status}: {refused.reason}')
        found.records.append(
            replace(record, status=refused.status, reason=refused.reason, details=refused.details)
        )
        return
    index = len(found.records)
    found.records.append(replace(record, kinds=kinds))
    found.contributions.extend(
        (kind, index, Contribution(spec, record.name, record.provider, requires)) for kind, spec in given
    )


def _in_time(action: Callable[[], Any]) -> Any:
    """Load a plug-in, within its time and without threads that stay."""
    seconds = seconds_allowed()
    before = threading.enumerate()
    try:
        with at_most(seconds):
            result = action()
    except TooLongError as error:
        raise _RefusedError(
            "failed", f"loading it took longer than {seconds:g} s ({SECONDS_VARIABLE} allows more)", error
        ) from error
    finally:
        started = [one for one in threading.enumerate() if one not in before] if len(before) == 1 else []
        strays.extend(started)
    if started:
        raise _RefusedError("failed", "loading it started threads; a plug-in starts them when it is used")
    return result


def _load_builtin() -> ModuleType:
    """Return what the core provides."""
    return builtin


def _load(candidate: Candidate, core: str, rivals: list[Candidate]) -> Any:
    """Import one plug-in, if its metadata allow."""
    problem = _metadata_problem(candidate, core)
    if problem:
        raise _RefusedError(*problem)
    _check_name(candidate, rivals)
    return _isolated(candidate.load, f"importing {candidate.value}")


def _isolated(action: Callable[[], Any], what: str) -> Any:
    """Call foreign code; all that it raises becomes a refusal, except Ctrl-C."""
    try:
        return action()
    except (KeyboardInterrupt, TooLongError, _RefusedError):
        raise
    except DicomwrightError as error:
        text = "; ".join(problem.message for problem in error.problems)
        raise _RefusedError("failed", f"{what} failed: {escape(text)}", error) from error
    except BaseException as error:  # a plug-in may call sys.exit, and must not take us along
        raise _RefusedError("failed", f"{what} failed: {tell(error)}", error) from error


def _metadata_problem(candidate: Candidate, core: str) -> tuple[Status, str] | None:
    """Say what is wrong before a plug-in is imported; installers do not see later changes of the core."""
    if candidate.problem:
        return "failed", escape(candidate.problem)
    for text in candidate.requires:
        try:
            fits = core == UNKNOWN or fits_core(text, core)
        except ValueError:
            return "failed", f"its requirement {escape(repr(text))} cannot be read"
        if not fits:
            return "incompatible", (
                f"it needs {escape(text)}, this is dicomwright {core}; install a version of "
                f"{candidate.distribution} that fits"
            )
    return None


def _check_name(candidate: Candidate, rivals: Iterable[Candidate]) -> None:
    """Refuse a plug-in whose name another distribution's plug-in has."""
    if candidate.name == BUILTIN:
        raise _RefusedError("conflict", f'the name "{BUILTIN}" belongs to dicomwright itself')
    owner = known_owner("plugin", candidate.name)
    if owner and candidate.distribution.lower() == owner.distribution:
        return
    others = [one for one in rivals if one.name == candidate.name and one != candidate]
    if others:
        named = " and ".join(f"{one.distribution} {one.version}" for one in others)
        raise _RefusedError(
            "conflict",
            f'the plug-in name "{candidate.name}" of {candidate.distribution} {candidate.version} is also '
            f"claimed by {named}; uninstall or disable one of them",
        )


def _take_in(
    manager: PluginManager, label: str, load: Callable[[], object]
) -> tuple[list[tuple[str, Spec]], tuple[str, ...]]:
    """Load a plug-in, register it and ask its hooks."""
    plugin = load()
    if not isinstance(plugin, ModuleType):
        raise _RefusedError(
            "failed", f"its entry point names an object of type {type(plugin).__name__}, not a module"
        )
    twin = manager.get_name(plugin)
    if twin is not None:
        distribution, _, name = twin.partition(":")
        raise _RefusedError(
            "conflict", f'its module {plugin.__name__} is registered already, as "{name}" of {distribution}'
        )
    problems = list(_hook_problems(manager, plugin))
    if problems:
        raise _RefusedError(*_sum_up(problems))
    manager.register(plugin, name=label)
    given = [(kind.name, spec) for kind in KINDS.values() for spec in _descriptors(manager, label, kind)]
    kinds = [name for name in KINDS if any(kind == name for kind, _ in given)]
    build = any(impl.plugin_name == label for impl in getattr(manager.hook, BUILD_HOOK).get_hookimpls())
    return given, (*kinds, "build") if build else tuple(kinds)


def _sum_up(problems: list[tuple[Status, str]]) -> tuple[Status, str]:
    """Make one status and one line of all that is wrong with the hooks."""
    statuses = {status for status, _ in problems}
    status: Status = "incompatible" if statuses == {"incompatible"} else "failed"
    return status, "; ".join(text for _, text in problems)


def _hook_problems(manager: PluginManager, plugin: Any) -> Iterator[tuple[Status, str]]:
    """Yield what is wrong with the functions that a plug-in marks as hooks."""
    for name in sorted(dir(plugin)):
        options = manager.parse_hookimpl_opts(plugin, name)
        if options is None:
            if name in _HOOKS and callable(getattr(plugin, name)):
                yield "failed", f"{name} is not marked with @hookimpl"
            continue
        hook = options.get("specname") or name
        if hook not in _HOOKS:
            if not options.get("optionalhook"):
                close = get_close_matches(hook, _HOOKS, 1)
                yield "failed", f"{hook} is not a hook" + (f"; did you mean {close[0]}?" if close else "")
        elif options.get("hookwrapper") or bool(options.get("wrapper")) is not (hook == BUILD_HOOK):
            ought = (
                "must be marked with" if hook == BUILD_HOOK else "gives descriptors and cannot be marked with"
            )
            yield "failed", f"{hook} {ought} @hookimpl(wrapper=True)"
        else:
            yield from _argument_problems(hook, getattr(plugin, name))


def _argument_problems(hook: str, function: Callable[..., Any]) -> Iterator[tuple[Status, str]]:
    """Yield the arguments that a hook wants and is not given."""
    offered = tuple(signature(getattr(hooks, hook)).parameters)
    for parameter in signature(function).parameters.values():
        if parameter.default is Parameter.empty and parameter.name not in offered:
            offer = ", ".join(offered) or "none"
            yield (
                "incompatible",
                f'{hook} takes the argument "{parameter.name}", which does not exist (there are: {offer})',
            )


def _descriptors(manager: PluginManager, label: str, kind: Kind) -> list[Spec]:
    """Call one hook of one plug-in and check what it gives."""
    specs: list[Spec] = []
    for implementation in getattr(manager.hook, kind.hook).get_hookimpls():
        if implementation.plugin_name != label:
            continue
        said = [f"{kind.hook} of {label}"]
        with timed(said):
            given = _isolated(partial(_drain, implementation.function), f"calling {kind.hook}")
            said.append(f"gave {len(given)}")
        specs.extend(_checked(kind, given))
    return specs


def _drain(function: Callable[[], Iterable[Any]]) -> list[Any]:
    """Call a hook and return what it gives, within reason."""
    return list(islice(function(), _MOST_CONTRIBUTIONS + 1))


def _checked(kind: Kind, given: list[Any]) -> list[Spec]:
    """Return the descriptors of one hook, if they are all that."""
    if len(given) > _MOST_CONTRIBUTIONS:
        raise _RefusedError("failed", f"{kind.hook} gives more than {_MOST_CONTRIBUTIONS} descriptors")
    wrong = [item for item in given if type(item) is not kind.spec]
    if wrong:
        found = ", ".join(sorted({type(item).__name__ for item in wrong}))
        raise _RefusedError("failed", f"{kind.hook} gives {escape(found)}, not {kind.spec.__name__}")
    for spec in given:
        spec.__post_init__()  # it may have been made without
    names = [spec.name for spec in given]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise _RefusedError("failed", f"{kind.hook} gives the name {', '.join(twice)} twice")
    return given
