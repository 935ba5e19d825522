"""What runs in a job's own process: it asks the inputs, calls the user's function, and writes its outputs."""

from __future__ import annotations

import logging
import os
import resource
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from dicomwright_node.jobs.written import Written, write_output
from dicomwright_node.pipeline import AbstractProcessor

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dicomwright_node.pipeline import AbstractPipeline

__all__ = ["JobResult", "JobSpec", "Lacking", "run_job", "what_lack", "what_lacks"]

#: Names of the inputs that are not complete, with the number of their images.
Lacking = dict[str, int]


@dataclass(frozen=True, slots=True)
class JobSpec:
    """A job, as its process is told.

    Attributes
    ----------
    paths : mapping of str to tuple of str
        The files of each input.
    key : str
        What groups them.
    folder : str
        Where the outputs go; it is not there yet.
    scratch : str
        An empty folder, where the function works.
    uid_key : str
        What the UIDs follow from.

    """

    paths: Mapping[str, tuple[str, ...]]
    key: str
    folder: str
    scratch: str
    uid_key: str


@dataclass(frozen=True, slots=True)
class JobResult:
    """What a job made.

    Attributes
    ----------
    lacking : dict of str to int
        The inputs that were not complete, with the number of their images; if there are any, nothing ran.
    written : list of Written
        Outputs on disk.
    seconds : float
        How long it took.
    peak : int
        The most memory that was in use, in bytes.

    """

    lacking: Lacking = field(default_factory=dict)
    written: list[Written] = field(default_factory=list)
    seconds: float = 0.0
    peak: int = 0


def what_lacks(pipeline: type[AbstractPipeline], paths: Mapping[str, tuple[str, ...]]) -> Lacking:
    """Return the inputs that say that they are not complete."""
    inputs = pipeline().make_inputs({name: tuple(map(Path, found)) for name, found in paths.items()})
    return {name: one.images for name, one in inputs.items() if not one.images or not one.validate()}


def what_lack(
    pipeline: type[AbstractPipeline], jobs: Sequence[Mapping[str, tuple[str, ...]]]
) -> list[Lacking]:
    """Return what several jobs lack."""
    return [what_lacks(pipeline, paths) for paths in jobs]


def run_job(pipeline: type[AbstractPipeline], spec: JobSpec) -> JobResult:
    """Run a job to its outputs; UIDs follow from the job's key, so that another run gives them again."""
    from dicomwright.uids import keyed

    start = time.perf_counter()
    lacking = what_lacks(pipeline, spec.paths)
    if lacking:
        return JobResult(lacking)
    os.chdir(spec.scratch)
    log = logging.StreamHandler(sys.stdout)  # with what is printed, which is kept however the function ends
    log.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    logging.getLogger().addHandler(log)
    AbstractProcessor.logger.setLevel(logging.INFO)
    paths = {name: [Path(path) for path in found] for name, found in spec.paths.items()}
    with keyed(bytes.fromhex(spec.uid_key)):
        running = pipeline()
        output = running.process(running.make_inputs(paths), spec.key)
        written = write_output(output, Path(spec.folder))
    peak = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return JobResult({}, written, time.perf_counter() - start, peak)
