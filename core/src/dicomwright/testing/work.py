"""One use of what a plug-in provides, as a value that can be sent to another process and compared."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from dicomwright.plugins.options import complete_options
from dicomwright.testing.digests import digest
from dicomwright.testing.frozen import INSTANT
from dicomwright.testing.samples import sample_volume
from dicomwright.testing.temporary import plugin_set_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dicomwright.engine.series import Series
    from dicomwright.plugins import PluginSet, ReaderSpec

__all__ = ["Job", "built", "instance_of", "perform", "read", "sample_files"]


@dataclass(frozen=True)
class Job:
    """One use of what a plug-in provides.

    Attributes
    ----------
    kind, name : str
        What is used, such as the reader ``"acme"``.
    modules : tuple of str
        The plug-in's module, and those of others that the use needs.
    case : mapping
        What it is used on; it must be picklable.

    """

    kind: str
    name: str
    modules: tuple[str, ...]
    case: Mapping[str, Any] = field(default_factory=dict)

    def plugin_set(self) -> PluginSet:
        """Return the plug-ins of this job and no others."""
        return plugin_set_of(*self.modules)


def perform(job: Job) -> str:
    """Do it once, the clock standing still and UIDs following from the input; return a digest of the result."""
    return digest(_WORK[job.kind](job, job.plugin_set()))


def instance_of(plugins: PluginSet, kind: str, name: str) -> Any:
    """Return what a name stands for, made if the descriptor names a class."""
    target = plugins.registry(kind).resolve(name)
    return target() if isinstance(target, type) else target


def read(job: Job, plugins: PluginSet) -> Any:
    """Return the payload of a source, with whatever the reader raises."""
    spec = cast("ReaderSpec", plugins.registry("reader").spec(job.name))
    options = complete_options(spec, job.case.get("options", {}))
    return instance_of(plugins, "reader", job.name).read(Path(job.case["source"]), options)


def built(job: Job, plugins: PluginSet) -> Series:
    """Return the series of a job with a ``source``, ``blueprint`` and maybe ``rules``, ``parents``, options."""
    from dicomwright.blueprint.blueprint import Blueprint
    from dicomwright.bundles import load_blueprint
    from dicomwright.bundles.text_values import blueprint_of
    from dicomwright.factory import DicomFactory

    case = job.case
    blueprint = Blueprint()
    given = blueprint_of(tuple(case.get("values", {}).items()), origin="the kit")
    for name in case.get("blueprints", ()):
        blueprint += load_blueprint(name, plugins, case.get("bundles", ()))
    return DicomFactory(plugin_set=plugins).build(
        case["source"],
        blueprint + given,
        case.get("parents"),
        encoder=job.name if job.kind == "encoder" else None,
        kwargs=case.get("kwargs"),
        encoder_options=case.get("options") if job.kind == "encoder" else None,
        transfer_syntax=job.name if job.kind == "codec" else "",
        codec_options=case.get("options") if job.kind == "codec" else None,
        uids="derived",
        instant=INSTANT,
    )


def sample_files(folder: Path, values: Mapping[str, str] | None = None) -> list[Path]:
    """Write a small MR series with these values, the same each time; return its files."""
    case = {"source": sample_volume(), "blueprints": ("mr-image",), "values": values or {}}
    series = built(Job("sample", "", (), case), plugin_set_of())
    return [Path(file) for file in series.write(folder, fsync=False)]


def _files(job: Job, plugins: PluginSet) -> Any:
    """Return the digests of the files of a build, one read after the other: memory is the plug-in's."""
    series = built(job, plugins)
    with tempfile.TemporaryDirectory(prefix="dicomwright-") as folder:
        files = series.write(Path(folder) / "out", fsync=False)
        return {Path(file).name: digest(Path(file).read_bytes()) for file in files}


def _complaints(job: Job, plugins: PluginSet) -> Any:
    """Return what a validator says of files."""
    from dicomwright.validate import validate

    verdict = validate(job.case["files"], [job.name], plugin_set=plugins)
    return [(one.severity, one.message, one.file and one.file.name) for one in verdict.complaints]


def _deliveries(job: Job, plugins: PluginSet) -> Any:
    """Return what became of files that were sent."""
    spec = cast("ReaderSpec", plugins.registry("sender").spec(job.name))
    options = complete_options(spec, job.case.get("options", {}))
    sender = instance_of(plugins, "sender", job.name)
    files = [Path(file) for file in job.case["files"]]
    return sorted((one.file.name, one.state) for one in sender.send(files, job.case["destination"], options))


def _checked(job: Job, plugins: PluginSet) -> Any:
    """Return what the check of a bundle finds; it builds each blueprint."""
    from dicomwright.bundle_check import check_bundle

    done = check_bundle(job.case["bundle"], plugins)
    return done.blueprints, [str(finding) for finding in done.findings]


def _called(job: Job, plugins: PluginSet) -> Any:
    """Return what a function returns that an executor called."""
    function, arguments = job.case["call"]
    return instance_of(plugins, "executor", job.name).run(
        function, arguments, seconds=job.case.get("seconds")
    )


_WORK: dict[str, Callable[[Job, PluginSet], Any]] = {
    "reader": read,
    "encoder": _files,
    "codec": _files,
    "element-type": _files,
    "function": _files,
    "bundle": _checked,
    "validator": _complaints,
    "sender": _deliveries,
    "executor": _called,
}
