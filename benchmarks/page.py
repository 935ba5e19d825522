"""Put the results of a run into the page ``docs/explanation/performance.md``: ``python benchmarks/page.py``.

The page has comments ``<!-- measured: NAME -->`` and ``<!-- end -->``; what stands between them is written anew. The
sentences around them are not: read them again after a run.
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path
from typing import Any

from report import TIMES, times

__all__ = ["write_page"]

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs" / "explanation" / "performance.md"
QUIET = 1.5  # load of two cores above which other work is said to have run beside
WORKS = ("w1", "w3", "w4", "w2")
NAMES = {
    "limit": "limit, 1 thread",
    "limit-2": "limit, 2 threads",
    "limit-reading": "limit that reads all values once, 1 thread",
    "limit-reading-2": "limit that reads all values once, 2 threads",
    "dicomwright": "**dicomwright**, 1 thread (W2: the command)",
    "dicomwright-2": "**dicomwright**, 2 threads",
    "pydicom-loop": "pydicom, a loop that copies the parent",
    "highdicom": "highdicom, a secondary capture for each slice",
    "simpleitk": "SimpleITK, series writer",
    "SimpleITK": "SimpleITK, a script",
    "vtk-dicom (C++)": "vtk-dicom `niftitodicom` (C++)",
    "nii2dcm": "nii2dcm",
    "nifti-to-dicom": "nifti-to-dicom",
    "nifti2dicom": "nifti2dicom",
}
#: What is aimed at: what it is, the aim, and the name of the figure.
AIMS = (
    ("W1 to the limit, 1 thread", "≤ 1.25", "w1 : limit"),
    ("W1 to the limit, 2 threads", "≤ 1.25", "w1-2 : limit-2"),
    ("W1: the pydicom loop to ours, 2 threads", "≥ 10", "loop : w1-2"),
    ("W1: the pydicom loop to the limit itself, 2 threads", "", "loop : limit-2"),
    ("W1 as whole processes, parents read: the loop to ours", "≥ 5", "w1 process, loop : ours"),
    ("the same: the loop to imports, reading of the parents and the limit", "", "w1 process, loop : floor"),
    ("W1 on a disk, each file synced, to a limit that syncs", "≤ 1.4", "w1 on disk : limit"),
    ("parents' headers: `pydicom.dcmread` to ours", "≥ 2.5", "parents_speedup"),
    ("W2 to vtk-dicom (C++)", "< 1", "w2-repeated : vtk-dicom"),
    ("W2 from `.nii.gz` to `gzip -dc` and W2", "≤ 1.2", "w2-gz : gzip -dc + w2"),
    ("a 23 MB file to importing numpy and pydicom", "≤ 1.3", "w2-small : import numpy, pydicom"),
    ("W3 to the limit, 2 threads", "≤ 1.15", "w3-2 : limit-2"),
    ("W3 to a limit that reads all values once, 2 threads", "", "w3-2 : limit-reading-2"),
    ("W4: a header beyond the limit, to one element that pydicom writes", "≤ 3", "w4 : pydicom element"),
    ("an element of a plain function, to one that pydicom writes", "≤ 1", "function : pydicom element"),
    ("a constant element, to one that pydicom writes", "0", "constant : pydicom element"),
    ("`series[i]`, to `pydicom.dcmread` of its file", "≤ 0.3", "series[i] : dcmread"),
    ("a slice of 10,000 to one of 500", "≤ 1.1", "growth"),
    ("`dicomwright --help` to importing numpy and pydicom", "≤ 0.5", "--help : import numpy, pydicom"),
    ("`dicomwright plugins` to importing numpy and pydicom", "≤ 1", "plugins : import numpy, pydicom"),
)


def write_page(results: dict[str, Any], picture: Path | None = None) -> None:
    """Write the measured parts of the page anew, and copy the picture beside it."""
    text = PAGE.read_text(encoding="utf-8")
    for name, made in (("contenders", _contenders), ("machine", _machine), ("aims", _aims)):
        head, found, rest = text.partition(f"<!-- measured: {name} -->\n")
        _, end, tail = rest.partition("<!-- end -->")
        if not (found and end):
            raise SystemExit(f"{PAGE} has no place for {name}")
        text = head + found + made(results) + end + tail
    PAGE.write_text(text, encoding="utf-8")
    if picture is not None and picture.exists():
        shutil.copy(picture, PAGE.with_name("performance.png"))


def _contenders(results: dict[str, Any]) -> str:
    """Return the table of all contenders."""
    works = results["works"]
    lines = ["| | " + " | ".join(f"{work.upper()} | MiB" for work in WORKS) + " |"]
    lines.append("|---" * (1 + 2 * len(WORKS)) + "|")
    for name, label in NAMES.items():
        cells = [_cell(works[work].get(name)) for work in WORKS]
        if any(cell.strip(" |") for cell in cells):
            lines.append(f"| {label} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _cell(entry: dict[str, float] | None) -> str:
    return " | " if entry is None else f"{times(entry['ratio'])} | {entry['memory_mib']:.0f}"


def _machine(results: dict[str, Any]) -> str:
    """Return what was measured on, and whether other work ran beside."""
    machine, built = results["machine"], results["works"]["w1"]["dicomwright"]
    load = machine["load"][0], machine["load_at_the_end"][0]
    lines = [
        f"{machine['date']}, {machine['cpu']}, {machine['cores']} cores, Python {machine['python']}, files in memory;",
        f"medians of ratios of {built['runs']:.0f} rounds (3 for W4 and for the peers of W2).",
        f"Load of the machine: {load[0]} when it began, {load[1]} when it ended.",
    ]
    if load[0] > QUIET:
        lines += [
            "So other work ran beside: rounds meet that alike, but two threads gain little then, and single",
            "figures swing by a fifth.",
        ]
    return "\n".join(lines) + "\n"


def _aims(results: dict[str, Any]) -> str:
    """Return the table of aims."""
    figures = results["figures"] | results["derived"]
    lines = ["| | aim | clock | processor |", "|---|---|---|---|"]
    for label, aim, name in AIMS:
        clock, processor = (_ratio(figures.get(key)) for key in (name, f"{name}, processor"))
        lines.append(f"| {label} | {aim + ' ' + TIMES if aim else ''} | {clock} | {processor} |")
    memory = results["works"]["w1"]["dicomwright-2"]["memory_mib"]
    lines.append(f"| memory above input and parents, W1 | ≤ 8 slices + 16 MB | {memory:.0f} MiB | |")
    return "\n".join(lines) + "\n"


def _ratio(value: float | None) -> str:
    return "" if value is None else times(max(value, 0.0))


def main() -> None:
    """Read the results of the last run, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", nargs="?", type=Path, default=HERE / "results")
    folder = parser.parse_args().results
    results = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    write_page(results, folder / "results.png")


if __name__ == "__main__":
    main()
