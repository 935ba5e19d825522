"""Look-up of what plug-ins provide, by kind and name."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import field
from difflib import get_close_matches
from functools import reduce
from importlib import import_module
from typing import TYPE_CHECKING, Any

from dicomwright._dataclass import dataclass
from dicomwright.errors import DicomwrightError, PluginError
from dicomwright.plugins.isolation import folder_kept, stdout_to_stderr, streams_kept
from dicomwright.plugins.known import known_owner
from dicomwright.plugins.records import tell
from dicomwright.plugins.trace import timed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dicomwright.plugins.descriptors import Spec
    from dicomwright.plugins.records import Contribution, PluginRecord, Provider

__all__ = ["Registry"]


@dataclass(frozen=True)
class Registry:
    """All of one kind: readers, encoders, ...

    Attributes
    ----------
    kind : str
        Such as ``"reader"``.
    entries : mapping of str to Contribution
        What can be used, in order of names.
    conflicts : mapping of str to tuple of Contribution
        Names that several plug-ins claim and that therefore none of them has.
    broken : tuple of PluginRecord
        Plug-ins that are installed and not usable.

    """

    kind: str
    entries: Mapping[str, Contribution]
    conflicts: Mapping[str, tuple[Contribution, ...]] = field(default_factory=dict)
    broken: tuple[PluginRecord, ...] = ()
    _objects: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    def names(self) -> tuple[str, ...]:
        """Return the names that can be used, sorted."""
        return tuple(self.entries)

    def __contains__(self, name: object) -> bool:
        """Tell whether a name can be used."""
        return name in self.entries

    def spec(self, name: str) -> Spec:
        """Return the descriptor of a name, or raise `PluginError`."""
        return self._entry(name).spec

    def provider(self, name: str) -> Provider:
        """Return distribution and version that a name comes from, or raise `PluginError`."""
        return self._entry(name).provider

    def resolve(self, name: str) -> Any:
        """Return the object behind a name; it is imported at the first call.

        Raises
        ------
        PluginError
            The name is not known, or what it stands for cannot be imported.

        """
        if name not in self._objects:
            self._objects[name] = self._import(self._entry(name))
        return self._objects[name]

    @contextmanager
    def using(self, name: str) -> Iterator[None]:
        """Surround the use of what a name stands for: what a plug-in's code raises is told with its name.

        The working folder is as before afterwards.

        Raises
        ------
        PluginError
            Something went wrong that is no `DicomwrightError`. What the core itself raises passes as it is.

        """
        try:
            with folder_kept():
                yield
        except (DicomwrightError, KeyboardInterrupt, MemoryError):
            raise
        except BaseException as error:  # foreign code may call sys.exit, and must not take us along
            provider = self._entry(name).provider
            if provider.distribution == "dicomwright":
                raise
            raise PluginError(
                f'{self.kind} "{name}" of {provider} failed: {tell(error)}',
                hint=f"report it to the authors of {provider.distribution}; --debug shows where",
                kind="broken-plugin",
            ) from error

    def call(self, name: str, method: str, *arguments: Any, gives: type = object) -> Any:
        """Return what a method of the thing behind a name gives; the thing is made if the descriptor names a class.

        Raises
        ------
        PluginError
            The name is not known, or the plug-in's code fails, or gives anything but a `gives`.

        """
        target = self.resolve(name)
        with self.using(name):
            found = getattr(target() if isinstance(target, type) else target, method)(*arguments)
            if not isinstance(found, gives):
                raise TypeError(f"{method} gave {type(found).__name__}, not {gives.__name__}")
        return found

    def _entry(self, name: str) -> Contribution:
        """Return what a name stands for, or say why there is no such thing."""
        if name in self.entries:
            return self.entries[name]
        if name in self.conflicts:
            raise self.conflict(name)
        raise self.unknown(name)

    def conflict(self, name: str) -> PluginError:
        """Return the error for a name that several plug-ins claim."""
        claims = self.conflicts[name]
        named = " and ".join(f'plug-in "{claim.plugin}" of {claim.provider}' for claim in claims)
        return PluginError(
            f'{self.kind} "{name}" is claimed by {named}, so neither is used',
            hint="uninstall one of them, or switch it off: "
            f"DICOMWRIGHT_DISABLE_PLUGINS={claims[-1].provider.distribution}",
            kind="name-conflict",
        )

    def unknown(self, name: str) -> PluginError:
        """Return the error for a name that nothing usable has."""
        known = known_owner(self.kind, name)
        if known:
            for record in self.broken:
                if record.distribution.lower() == known.distribution:
                    return PluginError(
                        f'{self.kind} "{name}" comes from {record.provider}, which is {record.status}: '
                        f"{record.reason}",
                        hint="see: dicomwright plugins",
                        kind="broken-plugin",
                    )
            return PluginError(
                f'{self.kind} "{name}" is not installed',
                hint=f"python -m pip install {known.distribution}",
                kind="not-installed",
            )
        return PluginError(
            f'there is no {self.kind} "{name}"{self.suspects()}',
            hint=self._suggestion(name),
            kind="unknown-name",
        )

    def suspects(self) -> str:
        """Name the plug-ins that are not usable and may have had the name."""
        if not self.broken:
            return ""
        listed = ", ".join(
            f'"{record.name}" of {record.provider} ({record.status})' for record in self.broken
        )
        return f"; not usable, and may have had it: {listed}"

    def _suggestion(self, name: str) -> str:
        """Say what to write instead."""
        close = get_close_matches(name.lower(), self.entries, 1)
        installed = ", ".join(self.entries) or "none"
        return (f"did you mean {close[0]}? " if close else "") + f"Installed: {installed}"

    def _import(self, entry: Contribution) -> Any:
        """Import the target of a descriptor."""
        module, _, attribute = entry.spec.target.partition(":")
        try:
            with (
                timed([f"{self.kind} {entry.spec.name} of {entry.provider}: {entry.spec.target}"]),
                stdout_to_stderr(),
                streams_kept(),
            ):
                return reduce(getattr, attribute.split("."), import_module(module))
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # foreign code may call sys.exit, and must not take us along
            raise self._import_error(entry, error) from error

    def _import_error(self, entry: Contribution, error: BaseException) -> PluginError:
        """Return the error for a target that cannot be imported."""
        what = f'{self.kind} "{entry.spec.name}" of plug-in "{entry.plugin}" ({entry.provider})'
        missing = error.name if isinstance(error, ModuleNotFoundError) else None
        if missing is None or missing == entry.spec.target.partition(":")[0]:
            return PluginError(
                f"{what} cannot be used: importing {entry.spec.target} failed: {tell(error)}",
                hint=f"report it to the authors of {entry.provider.distribution}, or install another version",
                kind="broken-plugin",
            )
        return PluginError(
            f'{what} cannot be used: it needs the Python module "{missing}", which is not installed',
            hint=f'python -m pip install "{self._requirement(entry, missing)}"',
            kind="missing-dependency",
        )

    @staticmethod
    def _requirement(entry: Contribution, module: str) -> str:
        """Return what to install for a module: the requirement of that name, else the plug-in."""
        wanted = re.sub(r"[-_.]+", "-", module.partition(".")[0]).lower()
        for requirement in entry.requires:
            text = requirement.partition(";")[0].strip()
            name = re.match(r"[A-Za-z0-9._-]+", text)
            if name and re.sub(r"[-_.]+", "-", name[0]).lower() == wanted:
                return text
        return entry.provider.distribution
