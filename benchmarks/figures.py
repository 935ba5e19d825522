"""Figures of single operations, each against what pydicom takes for the same: run alone, prints JSON."""

from __future__ import annotations

import json
import shutil
import statistics
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pydicom
from contenders import SPACING
from pydicom.dataelem import DataElement
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_data_element

from dicomwright import Blueprint, DicomFactory, FunctionalElement, StaticElement, Volume
from dicomwright.parents import ParentSeries

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS = 7
SPARE = ("StudyDescription", "ProtocolName", "InstitutionName", "RequestedProcedureDescription")


def seconds(task: Callable[[], Any]) -> float:
    """Return how long a task takes."""
    start = time.perf_counter()
    task()
    return time.perf_counter() - start


def parents(folder: Path) -> dict[str, float]:
    """Compare reading the headers of a parent series with `pydicom.dcmread` of each."""
    files = sorted((folder / "parents").iterdir())

    def read() -> object:
        return [pydicom.dcmread(path, stop_before_pixels=True) for path in files]

    pairs = [(seconds(lambda: ParentSeries.read(files)), seconds(read)) for _ in range(ROUNDS)]
    return {
        "parents_us": 1e6 * statistics.median(a for a, _ in pairs) / len(files),
        "dcmread_us": 1e6 * statistics.median(b for _, b in pairs) / len(files),
        "parents_speedup": statistics.median(b / a for a, b in pairs),
    }


def small_series(count: int, *elements: Any) -> Any:
    """Return a series of 16 x 16 images."""
    volume = Volume(np.arange(count * 256, dtype="i4").reshape(count, 16, 16).astype("i2"), SPACING)
    return DicomFactory().build(volume, Blueprint.load("mr-image") + Blueprint(elements))


def writing(series: Any, out: Path) -> float:
    """Return the seconds an instance takes to be written."""
    shutil.rmtree(out, ignore_errors=True)
    return seconds(lambda: series.write(out, fsync=False)) / len(series)


def elements(out: Path, count: int) -> dict[str, float]:
    """Return what an element costs an instance: a constant one, one of a plain function, one of pydicom."""
    functions = [FunctionalElement(name, "LO", lambda _: "of this slice") for name in SPARE]
    functions.append(FunctionalElement("ImageComments", "LT", lambda env: f"slice {env.instance_number}"))
    constants = [StaticElement(name, "LO", "of all slices") for name in SPARE]
    plain, static, varying = (small_series(count, *more) for more in ((), constants, functions))
    rounds = [[writing(series, out) for series in (plain, static, varying)] for _ in range(ROUNDS)]
    stream = DicomBytesIO()
    stream.is_little_endian, stream.is_implicit_VR = True, False

    def by_pydicom() -> None:
        for number in range(count):
            write_data_element(stream, DataElement(0x00204000, "LT", f"slice {number}"), ["iso8859"])

    return {
        "constant_us": 1e6 * statistics.median(b - a for a, b, _ in rounds) / len(constants),
        "function_us": 1e6 * statistics.median(c - a for a, _, c in rounds) / len(functions),
        "pydicom_element_us": 1e6 * statistics.median(seconds(by_pydicom) for _ in range(ROUNDS)) / count,
    }


def datasets(out: Path, count: int) -> dict[str, float]:
    """Return what `series[i]` takes before its elements are looked at, and what reading its file takes."""
    pairs = []
    for _ in range(ROUNDS):
        series = small_series(count)
        made = seconds(lambda series=series: [series[index] for index in range(count)])  # type: ignore[misc]
        shutil.rmtree(out, ignore_errors=True)
        files = series.write(out, fsync=False)
        pairs.append((made, seconds(lambda files=files: [pydicom.dcmread(path) for path in files])))  # type: ignore[misc]
    return {
        "dataset_us": 1e6 * statistics.median(a for a, _ in pairs) / count,
        "dcmread_file_us": 1e6 * statistics.median(b for _, b in pairs) / count,
    }


def growth(out: Path, few: int, many: int) -> dict[str, float]:
    """Compare the time a slice takes in a long series with that in a short one, building included."""
    ratios: list[float] = []
    made: list[Any] = []
    for _ in range(5):
        short, long = (
            seconds(lambda n=n: made.append(small_series(n))) / n + writing(made.pop(), out)  # type: ignore[misc]
            for n in (few, many)
        )
        ratios.append(long / short)
    return {"growth": statistics.median(ratios), "growth_few": few, "growth_many": many}


def main() -> None:
    """Measure and print."""
    folder, quick = Path(sys.argv[1]), sys.argv[2:] == ["quick"]
    out = folder / "figures"
    found = parents(folder) | elements(out, 200 if quick else 2000) | datasets(out, 60 if quick else 300)
    found |= growth(out, *((100, 400) if quick else (500, 10_000)))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
