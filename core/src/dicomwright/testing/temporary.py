"""Plug-ins and bundles for the length of a test, and sets of plug-ins that hold nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from textwrap import dedent
from types import ModuleType
from typing import TYPE_CHECKING, NamedTuple

from dicomwright.plugins import PluginSet, _metadata
from dicomwright.plugins._metadata import Candidate
from dicomwright.plugins.plugin_set import DISABLE_VARIABLE, load_these

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["Outcome", "PluginSite", "candidate_of", "plugin_set_of"]

_TIMEOUT = 120


def plugin_set_of(*plugins: str | ModuleType) -> PluginSet:
    """Return a set of the built-ins and these plug-ins, whatever else is installed.

    Examples
    --------
    >>> plugin_set_of().registry("reader").names()
    ()

    Parameters
    ----------
    *plugins : str or module
        Plug-in modules, or their names, such as ``"dicomwright_acme.plugin"``.

    """
    return load_these((candidate_of(plugin) for plugin in plugins), _metadata.core_version())


def candidate_of(plugin: str | ModuleType) -> Candidate:
    """Return a plug-in as discovery would find it; one that is not installed is version 0 of itself."""
    if isinstance(plugin, ModuleType):
        sys.modules.setdefault(plugin.__name__, plugin)
        plugin = plugin.__name__
    for candidate in _metadata.find_candidates():
        if candidate.value == plugin:
            return candidate
    top = plugin.partition(".")[0]
    return Candidate(top.removeprefix("dicomwright_"), plugin, top.replace("_", "-"), "0")


class Outcome(NamedTuple):
    """How a command ended: exit code, standard output, standard error."""

    code: int
    out: str
    err: str


class PluginSite:
    """A folder on the module path, which distributions are put into as pip would leave them.

    The fixture ``dicomwright_site`` gives one.

    Attributes
    ----------
    folder : Path
        Where they are.

    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._distributions: list[str] = []

    def add(
        self,
        distribution: str,
        modules: Mapping[str, str],
        *,
        plugin: str = "",
        name: str = "",
        version: str = "1.0",
        requires: tuple[str, ...] = ("dicomwright",),
    ) -> str:
        """Put a distribution with one plug-in there; return the name of the plug-in's module.

        Parameters
        ----------
        distribution : str
            Its name, such as ``"dicomwright-acme"``.
        modules : mapping of str to str
            Code by the name of the module, such as ``{"acme_plugin": "...", "acme_reader": "..."}``.
        plugin : str, optional
            The module that implements hooks; the first if not given.
        name : str, optional
            Name of the entry point; the distribution's without ``dicomwright-`` if not given.
        version : str
            Version of the distribution.
        requires : tuple of str
            What it depends on, as PEP 508 texts.

        """
        plugin = plugin or next(iter(modules))
        name = name or distribution.removeprefix("dicomwright-")
        self._write_metadata(distribution, version, requires, f"[dicomwright]\n{name} = {plugin}\n")
        for module, code in modules.items():
            path = self.folder.joinpath(*module.split(".")).with_suffix(".py")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(dedent(code), encoding="utf-8")
        self._distributions.append(distribution)
        return plugin

    def add_bundle(
        self, name: str, files: Mapping[str, str], *, version: str = "1.0", requires: tuple[str, ...] = ()
    ) -> Path:
        """Put an installed bundle there; return the folder of its files.

        Parameters
        ----------
        name : str
            Name of the distribution and of the bundle, such as ``"acme-blueprints"``.
        files : mapping of str to str
            Text by path in the bundle; ``bundle.toml`` must be one of them.
        version : str
            Version of the distribution; that in ``bundle.toml`` ought to be the same.
        requires : tuple of str
            What it depends on, as PEP 508 texts.

        """
        package = name.replace("-", "_")
        self._write_metadata(name, version, requires, f"[dicomwright.bundles]\n{name} = {package}\n")
        folder = self.folder / package
        for path, text in {"__init__.py": "", **files}.items():
            file = folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        return folder

    def _write_metadata(
        self, distribution: str, version: str, requires: tuple[str, ...], entry_points: str
    ) -> None:
        """Write what an installer would."""
        info = self.folder / f"{distribution.replace('-', '_')}-{version}.dist-info"
        info.mkdir(parents=True)
        needs = "".join(f"Requires-Dist: {one}\n" for one in requires)
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n{needs}", encoding="utf-8"
        )
        (info / "entry_points.txt").write_text(entry_points, encoding="utf-8")

    def plugin_set(self) -> PluginSet:
        """Return a set of the built-ins and the plug-ins of this folder."""
        mine = [one for one in _metadata.find_candidates() if one.distribution in self._distributions]
        return load_these(mine, _metadata.core_version())

    def environment(self) -> dict[str, str]:
        """Return the variables for a child process that is to see no plug-ins but those of this folder."""
        others = {one.distribution for one in _metadata.find_candidates()} - {*self._distributions}
        path = os.pathsep.join([str(self.folder), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
        return {**os.environ, "PYTHONPATH": path, DISABLE_VARIABLE: ",".join(sorted(others))}

    def run(self, *arguments: object, cwd: os.PathLike[str] | str | None = None) -> Outcome:
        """Run ``dicomwright`` with these arguments in a process of its own, with the plug-ins of this folder."""
        done = subprocess.run(
            [sys.executable, "-m", "dicomwright", *map(str, arguments)],
            env=self.environment(),
            capture_output=True,
            text=True,
            check=False,
            timeout=_TIMEOUT,
            cwd=cwd,
        )
        return Outcome(done.returncode, done.stdout, done.stderr)
