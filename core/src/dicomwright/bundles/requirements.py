"""Whether the plug-ins that a bundle needs are there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dicomwright.bundles.manifest import FILE
from dicomwright.errors import Problem

if TYPE_CHECKING:
    from dicomwright.bundles.bundle import Bundle
    from dicomwright.plugins import PluginSet

__all__ = ["plugin_problems"]


def plugin_problems(bundle: Bundle, plugin_set: PluginSet) -> list[Problem]:
    """Return what is wrong with the plug-ins that a bundle's ``requires-plugins`` names."""
    found = []
    for text in bundle.manifest.requires_plugins:
        problem = _problem(text, plugin_set)
        if problem:
            message = f"bundle {bundle.name} {bundle.manifest.version} needs {text}, {problem[0]}"
            found.append(Problem(message, problem[1], f"{bundle.store.label}/{FILE}", "missing-plugin"))
    return found


def _problem(text: str, plugin_set: PluginSet) -> tuple[str, str] | None:
    """Say why a requirement does not hold, and what to do."""
    from packaging.requirements import Requirement
    from packaging.version import InvalidVersion

    from dicomwright.plugins._metadata import canonical, installed_version

    wanted = Requirement(text)
    if wanted.marker is not None and not wanted.marker.evaluate({"extra": ""}):
        return None
    install = f'python -m pip install "{text}"'
    records = [one for one in plugin_set.records if canonical(one.distribution) == canonical(wanted.name)]
    version = records[0].version if records else installed_version(wanted.name)
    if not version:
        return "which is not installed", install
    try:
        fits = wanted.specifier.contains(version, prereleases=True)
    except InvalidVersion:
        fits = False
    if not fits:
        return f"and {wanted.name} {version} is installed", install
    unusable = [one for one in records if one.status not in ("loaded", "conflict")]
    if unusable:
        return f"which is {unusable[0].status}: {unusable[0].reason}", "see: dicomwright plugins"
    return None
