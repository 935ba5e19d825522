"""Is a bundle fit to be given to others: its frame, each blueprint by lint and by a build, and words about each."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dicomwright._version import version
from dicomwright.build import sop_class_of
from dicomwright.bundles.bundle import Bundle, core_problem, open_bundle
from dicomwright.bundles.bundle_set import BundleSet, same_version
from dicomwright.bundles.load import read_blueprints
from dicomwright.bundles.manifest import FILE
from dicomwright.bundles.requirements import plugin_problems
from dicomwright.bundles.stores import FolderStore, printable, read_regular, reason_of, shown
from dicomwright.bundles.toml_text import decoded, read_toml
from dicomwright.bundles.zip_store import ZipStore
from dicomwright.dry_run import lint
from dicomwright.errors import BlueprintError, DicomwrightError, Problem
from dicomwright.lint import Finding
from dicomwright.lint.findings import named
from dicomwright.plugins import default
from dicomwright.standard import iod_of
from dicomwright.synthetic import build_synthetic

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator, Mapping

    from dicomwright.bundles.load import Reading
    from dicomwright.plugins import PluginSet

__all__ = ["BundleCheck", "check_bundle", "findings_of"]

_PAGE_BYTES = 1024 * 1024
_UP = 3


@dataclass(frozen=True)
class BundleCheck:
    """What a check of a bundle found.

    Attributes
    ----------
    name, version : str
        Of the bundle.
    blueprints : tuple of (str, str)
        For each blueprint its id, and ``built``, ``linted`` (no encoder makes such objects), ``part`` or ``wrong``.
    findings : tuple of Finding
        What is wrong, errors first.

    """

    name: str
    version: str
    blueprints: tuple[tuple[str, str], ...]
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether there is no error."""
        return not any(finding.severity == "error" for finding in self.findings)


def findings_of(
    read: Reading,
    plugin_set: PluginSet | None = None,
    *,
    allow: Iterable[str] = (),
    kwargs: Mapping[Any, Any] | None = None,
) -> list[Finding]:
    """Return what is wrong with a blueprint, one that cannot be read or is a part of others, too."""
    known = iod_of(sop_class_of(read.blueprint, None))
    if read.problems:
        return list(named((Finding.of_problem(one, "blueprint") for one in read.problems), known))
    found = lint(read.blueprint, allow=allow, kwargs=kwargs, plugin_set=plugin_set)
    if "SOPClassUID" in read.blueprint:
        return found
    others = [
        finding for finding in found if not (finding.kind == "sop-class" and finding.severity == "error")
    ]
    part = Finding("note", "sop-class", (), "it names no SOP class: a part of other blueprints")
    return [*others, part]


def check_bundle(
    path: str | os.PathLike[str],
    plugin_set: PluginSet | None = None,
    bundles: Iterable[str | os.PathLike[str]] = (),
) -> BundleCheck:
    """Check a bundle before it is given to others.

    Each blueprint is linted, and built from made-up data, with a made-up parent series and, if it copies nothing that
    it must have, without. The README, or another page in Markdown beside it, must name each.

    Parameters
    ----------
    path : path
        The folder, the zip, the wheel, or the project of a bundle.
    plugin_set : PluginSet, optional
        The plug-ins; all that are installed if not given.
    bundles : iterable of path
        Other bundles that it extends.

    Raises
    ------
    BlueprintError
        It is no bundle, or its ``bundle.toml`` is wrong.

    """
    plugins = default() if plugin_set is None else plugin_set
    bundle = open_bundle(Path(path))
    bundle_set = BundleSet([path, *bundles])
    findings = list(_of_frame(bundle, Path(path), plugins))
    of_frame = {finding.message for finding in findings}
    states = []
    pages = _pages(bundle, Path(path))
    for name in sorted(bundle.manifest.blueprints):
        identifier = f"{bundle.name}/{name}"
        state, found = _of_blueprint(identifier, plugins, bundle_set)
        states.append((identifier, state))
        findings += (one for one in found if one.message not in of_frame)
        word = rf"(?<![\w-]){re.escape(name)}(?![\w-])"
        if pages is not None and not any(re.search(word, page) for page in pages):
            fix = "say in README.md what it is for"
            findings.append(_finding("error", f"no page names the blueprint {name}", fix, bundle.store.label))
    order = {"error": 0, "warning": 1, "note": 2}
    findings.sort(key=lambda finding: order[finding.severity])
    return BundleCheck(bundle.name, bundle.manifest.version, tuple(states), tuple(dict.fromkeys(findings)))


def _finding(severity: Any, message: str, fix: str = "", origin: str = "") -> Finding:
    return Finding(severity, "bundle", (), message, fix, origin=origin)


def _of_frame(bundle: Bundle, path: Path, plugin_set: PluginSet) -> Iterator[Finding]:
    """Yield what is wrong with the bundle as a whole."""
    manifest, file = bundle.manifest, f"{bundle.store.label}/{FILE}"
    misfit = core_problem(bundle, version())
    if misfit:
        yield _finding("error", misfit, "", file)
    yield from (Finding.of_problem(one, "bundle") for one in plugin_problems(bundle, plugin_set))
    if not manifest.contact:
        yield _finding("warning", "it does not say whom to ask", 'write contact = "..."', file)
    if not manifest.requires_dicomwright:
        fix = 'write requires-dicomwright = ">=0.1,<0.2"'
        yield _finding("warning", "it does not say which versions of dicomwright it fits", fix, file)
    try:
        yield from _of_names(bundle, list(bundle.hashes()))
    except BlueprintError as error:
        yield from (Finding.of_problem(one, "bundle") for one in error.problems)
    project = _project(path)
    if project is not None:
        yield from _of_project(bundle, path, project)


def _of_names(bundle: Bundle, names: Iterable[str]) -> Iterator[Finding]:
    """Yield files that are one on systems that take large letters for small, or join accents to letters."""
    seen: dict[str, str] = {}
    for name in names:
        other = seen.setdefault(unicodedata.normalize("NFC", name).casefold(), name)
        if other != name:
            message = f"{shown(other)} and {shown(name)} are one file on some systems"
            yield _finding("error", message, "rename one of them", bundle.store.label)


def _of_project(bundle: Bundle, path: Path, project: Path) -> Iterator[Finding]:
    """Yield what does not fit between a bundle and the project that packages it."""
    file = project / "pyproject.toml"
    name = printable(str(file))
    try:
        text = decoded(read_regular(file, name, _PAGE_BYTES), name)
        table = _table(read_toml(text, name)[0], "project")
    except OSError as error:
        yield _finding("error", f"it cannot be read: {reason_of(error)}", "", name)
        return
    except BlueprintError as error:
        yield from (Finding.of_problem(one, "bundle") for one in error.problems)
        return
    entries = _table(table, "entry-points", "dicomwright.bundles")
    if (
        not entries and path.resolve() != project
    ):  # a folder in somebody's repository, not a package of its own
        return
    stated, version_ = table.get("version"), bundle.manifest.version
    if isinstance(stated, str) and not same_version(stated, version_):
        message = f"the distribution is version {shown(stated)}, its bundle.toml says {shown(version_)}"
        yield _finding("error", message, "make them equal", name)
    dynamic = table.get("dynamic")
    if not isinstance(dynamic, list) or "entry-points" not in dynamic:
        yield from _of_entry(bundle, entries.get(bundle.name), name)


def _of_entry(bundle: Bundle, package: Any, name: str) -> Iterator[Finding]:
    """Yield what is wrong with the entry point of a bundle."""
    root = bundle.store.root.resolve().parts if isinstance(bundle.store, FolderStore) else ()
    fix = f'write [project.entry-points."dicomwright.bundles"] with {bundle.name} = "PACKAGE"'
    if package is None:
        message = f"no entry point makes {bundle.name} known when it is installed"
        yield _finding("error", message, fix, name)
    elif not isinstance(package, str) or root[-len(package.split(".")) :] != tuple(package.split(".")):
        message = f"the entry point {bundle.name} = {shown(package)} does not name the folder of the bundle"
        yield _finding("error", message, fix, name)


def _table(data: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    """Return a table inside a table, empty if there is none."""
    for name in names:
        inside = data.get(name)
        data = inside if isinstance(inside, dict) else {}
    return data


def _project(path: Path) -> Path | None:
    """Return the folder of the project that a bundle is part of."""
    start = path.resolve()
    for folder in [start, *start.parents][:_UP] if start.is_dir() else ():
        if (folder / "pyproject.toml").is_file():
            return folder
    return None


def _pages(bundle: Bundle, path: Path) -> list[str] | None:
    """Return the pages that may name blueprints, in the bundle and its project; None if not all can be read."""
    found = []
    try:
        names = [name for name in bundle.store.names() if name.lower().endswith(".md")]
        found += [bundle.read(name, _PAGE_BYTES).decode("utf-8", "replace") for name in names]
    except BlueprintError as error:
        if error.problems[0].kind != "too-large":  # told as a problem of the frame
            return None
    if isinstance(bundle.store, ZipStore):
        found.append(bundle.store.description())
    project = _project(path)
    if project is not None:
        pages = [*project.glob("*.md"), *project.glob("docs/**/*.md")]
        found += map(_page, sorted(pages))
    return [page for page in found if page]


def _page(path: Path) -> str:
    """Return the text of a page of a project, empty if it cannot be read."""
    try:
        return read_regular(path, path.name, _PAGE_BYTES).decode("utf-8", "replace")
    except (OSError, BlueprintError):
        return ""


def _of_blueprint(identifier: str, plugin_set: PluginSet, bundles: BundleSet) -> tuple[str, list[Finding]]:
    """Return what was done with one blueprint, and what is wrong with it."""
    read = read_blueprints([identifier], plugin_set, bundles)
    found = [one for one in findings_of(read, plugin_set) if one.severity != "note"]
    if not read.summary:
        found.append(_finding("warning", f"{identifier} has no summary", 'write summary = "..."'))
    if read.problems or any(finding.severity == "error" for finding in found):
        return "wrong", found
    if "SOPClassUID" not in read.blueprint:
        return "part", found
    try:
        state, problems = build_synthetic(read.blueprint, plugin_set)
    except DicomwrightError as error:
        return "wrong", [*found, *map(_of_build(identifier), error.problems)]
    return "wrong" if problems else state, [*found, *map(_of_build(identifier), problems)]


def _of_build(identifier: str) -> Any:
    """Return what makes findings of the problems of a build."""

    def finding(problem: Problem) -> Finding:
        found = Finding.of_problem(problem, "value")
        return Finding(
            "error",
            "build",
            found.place,
            f"{identifier} cannot be built: {problem.message}",
            problem.hint,
            origin=problem.loc,
        )

    return finding
