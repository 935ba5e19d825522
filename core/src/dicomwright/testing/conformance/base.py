"""What all batteries have in common."""

from __future__ import annotations

import inspect
import json
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from dicomwright.errors import DicomwrightError
from dicomwright.plugins.hooks import KINDS
from dicomwright.testing.child import run_in_child
from dicomwright.testing.digests import digest
from dicomwright.testing.temporary import candidate_of, plugin_set_of
from dicomwright.testing.work import Job, perform

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from dicomwright.plugins import PluginSet, Spec
    from dicomwright.testing.child import Report

__all__ = ["Conformance", "PluginConformance", "refusal_of", "snapshot"]

_LIGHT = """
import json, sys, threading
import dicomwright.plugins
known, threads, started = set(sys.modules), threading.active_count(), []
sys.addaudithook(lambda event, _: event in {starts!r} and started.append(event))
import {module}
tops = {{name.partition(".")[0] for name in set(sys.modules) - known}}
others = sorted(tops - sys.stdlib_module_names - {{"dicomwright", "{module}".partition(".")[0]}})
print("\\n" + json.dumps({{"others": others, "threads": threading.active_count() - threads, "started": started}}))
"""
_STARTS = ("subprocess.Popen", "os.system", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn")
_BOUNDED = re.compile(r"dicomwright(\[[^]]*\])?\s*\(?(?=.*(<|~=|==))(?=.*(>|~=|==))")
_MEBIBYTE = 1 << 20
_UNKNOWN_VERSION = "0"

_reports: dict[type, Report] = {}


def snapshot(folder: Path) -> dict[str, bytes]:
    """Return the files below a folder with their content."""
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def refusal_of(action: Callable[[], Any], wanted: type[DicomwrightError]) -> list[str]:
    """Return what is wrong with the way in which bad input is refused; nothing, if all is well."""
    try:
        action()
    except DicomwrightError as error:
        found = (
            []
            if isinstance(error, wanted)
            else [f"raises {type(error).__name__}, not {wanted.__name__}: {error}"]
        )
        return (
            found
            + [
                f"its message is not one line: {problem.message!r}"
                for problem in error.problems
                if not problem.message.strip() or len(problem.message.splitlines()) != 1
            ]
            + [f"fails instead: {problem}" for problem in error.problems if problem.kind == "broken-plugin"]
        )
    except BaseException as error:  # noqa: BLE001  # whatever it is, the battery tells it
        return [f"raises {type(error).__name__}, not {wanted.__name__}: {error}"]
    return ["takes it without a word"]


class Conformance:
    """What is asked of anything: same input, same result; here, in threads and elsewhere; and nothing on the side.

    Attributes
    ----------
    kind : str
        The kind of thing, such as ``"reader"``; each battery has its own.
    module : str
        The plug-in's module, such as ``"dicomwright_acme.plugin"``.
    name : str
        The name of what is tested.
    others : tuple of str
        Modules of other plug-ins that the test needs.
    most_memory : int
        Bytes by which a process may grow while it works on the sample.

    """

    kind: ClassVar[str] = ""
    module: str = ""
    name: str = ""
    others: tuple[str, ...] = ()
    most_memory: int = 256 * _MEBIBYTE

    #: Whether work may talk to this machine, and write files that it is told to write.
    loopback: ClassVar[bool] = False
    may_write: ClassVar[bool] = False
    #: How often it is used at once, in four threads.
    calls: ClassVar[int] = 8

    def job_of(self, case: dict[str, Any]) -> Job:
        """Return one use of what is tested."""
        return Job(self.kind, self.name, tuple(filter(None, (self.module, *self.others))), case)

    def reported(self, job: Job) -> Report:
        """Return what this job, or that of another test of the class, comes to in a process of its own."""
        if type(self) not in _reports:
            self.report_anew(job)
        return _reports[type(self)]

    def report_anew(self, job: Job) -> Report:
        """Return what a job comes to in a process of its own, and keep that for the other tests of the class."""
        _reports[type(self)] = run_in_child(job, loopback=self.loopback)
        return _reports[type(self)]

    def test_same_input_same_result(self, job: Job) -> None:
        """The same twice, and the input is as before."""
        before = digest(job.case)
        assert perform(job) == perform(job), f"{self.kind} {self.name} gives another result the second time"
        assert digest(job.case) == before, f"{self.kind} {self.name} changes its input"

    def another(self, job: Job, folder: Path) -> Job:  # noqa: ARG002  # batteries make one of them
        """Return a use that gives another result, if the battery can make one in a folder; else the same."""
        return job

    def test_works_in_threads(self, job: Job, tmp_path: Path) -> None:
        """The same from several threads at once, some of which work on something else."""
        both, expected = [job], [perform(job)]
        with suppress(DicomwrightError):
            expected.append(perform(another := self.another(job, tmp_path)))
            both.append(another)
        times = self.calls // len(both)
        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(perform, both * times))
        assert found == expected * times, (
            f"{self.kind} {self.name} gives other results from several threads at once"
        )

    def test_works_in_another_process(self, job: Job) -> None:
        """The same in a new process that works beside this one."""
        with ThreadPoolExecutor(1) as pool:
            elsewhere = pool.submit(self.report_anew, job)  # a test's paths may be part of its result
            expected = perform(job)
            report = elsewhere.result()
        assert not report.error, f"{self.kind} {self.name} fails in another process:\n{report.error}"
        assert report.digest == expected, f"{self.kind} {self.name} gives another result in another process"

    def test_asks_nothing_of_the_network(self, job: Job) -> None:
        """No connection, no name looked up."""
        asked = self.reported(job).network
        assert not asked, f"{self.kind} {self.name} asks the network: {asked}"

    def test_writes_nothing_on_the_side(self, job: Job) -> None:
        """Nothing is changed but in the folder for temporary files, and nothing stays there, nor any thread."""
        report = self.reported(job)
        assert self.may_write or not report.written, f"{self.kind} {self.name} writes {report.written}"
        assert not report.left, f"{self.kind} {self.name} leaves temporary files: {report.left}"
        assert not report.threads, f"{self.kind} {self.name} leaves threads: {report.threads}"

    def test_memory_is_bounded(self, job: Job) -> None:
        """The process does not grow more than `most_memory`."""
        grown = self.reported(job).memory
        assert grown <= self.most_memory, (
            f"{self.kind} {self.name} takes {grown // _MEBIBYTE} MiB for its sample; most_memory is "
            f"{self.most_memory // _MEBIBYTE} MiB"
        )

    def check_refusals(
        self, jobs: Iterable[tuple[str, Job]], wanted: type[DicomwrightError], folder: Path
    ) -> None:
        """Check that each job is refused as it ought to be, and that nothing is written meanwhile."""
        before, found, count = snapshot(folder), [], 0
        for what, job in jobs:
            count += 1
            found += [
                f"{what}: {self.kind} {self.name} {text}"
                for text in refusal_of(partial(perform, job), wanted)
            ]
        assert count, "there is nothing that ought to be refused"
        assert not found, "\n".join(found)
        assert snapshot(folder) == before, f"{self.kind} {self.name} changes files beside what it refuses"


class PluginConformance(Conformance):
    """What is asked of anything that a plug-in provides, besides `Conformance`: light, described, documented."""

    @property
    def plugin_set(self) -> PluginSet:
        """The plug-in, and no other."""
        return plugin_set_of(*filter(None, (self.module,)))

    @property
    def spec(self) -> Spec:
        """The descriptor of what is tested."""
        return self.plugin_set.registry(self.kind).spec(self.name)

    def test_module_is_light(self) -> None:
        """The plug-in's module is imported by each command, so it loads nothing else and starts and prints nothing."""
        code = _LIGHT.format(module=self.module or "dicomwright.plugins.builtin", starts=_STARTS)
        done = subprocess.run(
            [sys.executable, "-c", f"import sys; sys.path[:] = {sys.path!r}\n{code}"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{self.module} cannot be imported by itself:\n{done.stderr}"
        printed, _, line = done.stdout.rstrip("\n").rpartition("\n")
        found = json.loads(line)
        others = ", ".join(found["others"])
        assert not others, f"{self.module} imports {others}: leave that to the module of the target"
        assert not found["started"], f"{self.module} starts processes when it is imported"
        assert not found["threads"], f"{self.module} starts threads when it is imported"
        assert not printed.strip() and not done.stderr.strip(), (  # noqa: PT018  # one thing
            f"{self.module} prints when it is imported: {printed}{done.stderr}"
        )

    def test_plugin_is_loaded(self) -> None:
        """It has a record without a fault, and states which versions of the core it works with."""
        for record in self.plugin_set.records:
            assert record.status == "loaded", (
                f"{record.name} ({record.provider}) is {record.status}: {record.reason}"
            )
        assert self.name in self.plugin_set.registry(self.kind), (
            f'{self.module} gives no {self.kind} "{self.name}", but {self.plugin_set.registry(self.kind).names()}'
        )
        if not self.module or candidate_of(self.module).version == _UNKNOWN_VERSION:
            return  # not installed, so there are no metadata to look at
        requires = [text for text in candidate_of(self.module).requires if "extra" not in text]
        bounded = [text for text in requires if _BOUNDED.match(text)]
        assert bounded, (
            f'state the versions of the core, such as "dicomwright>=0.1,<0.2"; it requires {requires}'
        )

    def test_descriptor_is_complete(self) -> None:
        """Every field says something."""
        assert self.name in self.plugin_set.registry(self.kind), f'there is no {self.kind} "{self.name}"'
        found = list(self.descriptor_problems(self.spec))
        assert not found, f"the descriptor of {self.kind} {self.name}: {'; '.join(found)}"

    def descriptor_problems(self, spec: Spec) -> Iterator[str]:
        """Yield what is missing in a descriptor; a battery adds what its kind needs."""
        if type(spec) is not KINDS[self.kind].spec:
            yield f"it is a {type(spec).__name__}, not a {KINDS[self.kind].spec.__name__}"
        if spec.summary.strip().lower() == spec.name:
            yield "its summary says no more than the name"
        for option in getattr(spec, "options", ()) or ():
            if option.summary.strip().lower() == option.name:
                yield f"the summary of option {option.name} says no more than the name"

    def test_target_is_documented(self) -> None:
        """The object behind the descriptor has a docstring: one line that ends with a full stop, and an example."""
        target = self.plugin_set.registry(self.kind).resolve(self.name)
        text = inspect.getdoc(target) or ""
        first = text.partition("\n\n")[0]
        where = self.spec.target
        assert first.endswith("."), f"{where} has no docstring that begins with a line and a full stop"
        assert ">>> " in text, f"the docstring of {where} shows no example"
