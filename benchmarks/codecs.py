"""Compressed series against their bare encoders: run alone, prints a table.

The encoders run in as many processes as there are cores, loaded and started before, each with its share of the
frames in memory, and throw away what they make: nobody can be faster with them. dicomwright writes the same frames
as a series, from `Series.write` to the last file; starting whatever it needs is part of that. The two run by turns,
and a ratio is the median of the ratios of runs that followed each other.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import resource
import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from data import smooth_volume
from dicomwright_codecs.coding import LIBRARIES, Job, encode

from dicomwright import Blueprint, DicomFactory, Volume

if TYPE_CHECKING:
    from collections.abc import Callable

NAMES = {"rle": "rle", "jpeg-ls": "jpeg-ls", "jpeg2000-lossless": "jpeg2000", "htj2k-lossless": "htj2k"}
MIB = 2**20
SIDE = 512
AFFINE = np.diag([5.0, 0.7, 0.7, 1.0])[[2, 1, 0, 3]]


class Bare:
    """The encoder of a family, in processes that wait for the word."""

    def __init__(self, family: str, volume: Any, cores: int) -> None:
        context = multiprocessing.get_context("fork")
        self._pipes, self._processes = [], []
        for number in range(cores):
            ours, theirs = context.Pipe()
            process = context.Process(target=_serve, args=(theirs, family, volume[number::cores]))
            process.start()
            self._pipes.append(ours)
            self._processes.append(process)
        for pipe in self._pipes:
            pipe.recv()

    def __call__(self) -> float:
        """Encode all frames once and return the processor time."""
        for pipe in self._pipes:
            pipe.send("encode")
        return sum(pipe.recv() for pipe in self._pipes)

    def close(self) -> None:
        for pipe, process in zip(self._pipes, self._processes, strict=True):
            pipe.send("")
            process.join()


def _serve(pipe: Any, family: str, share: Any) -> None:
    for module in LIBRARIES[family]:
        __import__(module)
    job = Job(family, SIDE, SIDE, 1, 16, 16, signed=True, settings={})
    frames = [plane.tobytes() for plane in share]
    pipe.send(0.0)
    while pipe.recv():
        start = time.process_time()
        for frame in frames:
            encode(job, frame)
        pipe.send(time.process_time() - start)


def writing(name: str, volume: Any, cores: int, out: Path) -> Callable[[], float]:
    """Return what writes the frames as a series and gives the processor time."""
    series = DicomFactory().build(Volume(volume, AFFINE), Blueprint.load("ct-image"), transfer_syntax=name)

    def write() -> float:
        before = _processor()
        series.write(out, jobs=cores, fsync=False)
        return _processor() - before

    return write


def _processor() -> float:
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def compared(name: str, mib: int, runs: int, cores: int, folder: Path) -> dict[str, float]:
    """Measure a codec at one size: ratios by the clock and of the processor, and the bare rate."""
    volume = smooth_volume((mib * MIB // (2 * SIDE * SIDE), SIDE, SIDE), "i2")
    bare = Bare(NAMES[name], volume, cores)
    out = folder / "out"
    series = writing(name, volume, cores, out)
    rounds = []
    for _ in range(runs + 1):
        rounds.append([_timed(bare), _timed(series)])
        shutil.rmtree(out)
    bare.close()
    ratios = [
        statistics.median(ours[kind] / theirs[kind] for theirs, ours in rounds[1:]) for kind in range(2)
    ]
    return {
        "clock": ratios[0],
        "processor": ratios[1],
        "bare_mib_s": mib / statistics.median(theirs[0] for theirs, _ in rounds[1:]),
    }


def _timed(task: Callable[[], float]) -> tuple[float, float]:
    start = time.perf_counter()
    processor = task()
    return time.perf_counter() - start, processor


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--codecs", default=",".join(NAMES), help="which, by name")
    parser.add_argument("--mib", default="20,80,200", help="sizes of the uncompressed series")
    parser.add_argument("--runs", type=int, default=5, help="rounds after one to warm up")
    given = parser.parse_args()
    memory = Path("/dev/shm")  # in memory: what is measured is software, not the disk
    cores = len(os.sched_getaffinity(0))
    print(
        f"| codec | MiB | bare, {cores} cores, MiB/s | clock : bare | processor : bare |\n|---|---|---|---|---|"
    )
    with tempfile.TemporaryDirectory(prefix="bench-", dir=memory if memory.is_dir() else None) as folder:
        for name in given.codecs.split(","):
            for mib in map(int, given.mib.split(",")):
                found = compared(name, mib, given.runs, cores, Path(folder))
                print(
                    f"| {name} | {mib} | {found['bare_mib_s']:.0f} | {found['clock']:.2f} | {found['processor']:.2f} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
