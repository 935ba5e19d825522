"""Write what was measured: JSON with everything, a Markdown table of ratios, a bar chart."""

from __future__ import annotations

import json
import os
import platform
import statistics
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from measure import Samples

__all__ = ["TIMES", "as_data", "machine", "times", "write_report"]

MIB = 2**20
ROUND = 10
TIMES = "\N{MULTIPLICATION SIGN}"
TITLES = {
    "w1": "W1: CT series from a float volume and its parents",
    "w3": "W3: large images",
    "w4": "W4: many tiny images",
    "w2": "W2: NIfTI to MR, whole process",
}


def machine() -> dict[str, Any]:
    """Return what was measured on, and how busy it was."""
    cpu = next(
        (
            line.partition(":")[2].strip()
            for line in open("/proc/cpuinfo", encoding="utf-8")  # noqa: PTH123, SIM115  # read once, to its end
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    return {
        "date": time.strftime("%Y-%m-%d"),
        "cpu": cpu,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "load": [round(value, 1) for value in os.getloadavg()],
    }


def as_data(samples: list[Samples], reference: str) -> dict[str, dict[str, float]]:
    """Return ratios to a contender, with what they were made from."""
    base = next(sample for sample in samples if sample.name == reference)
    return {
        sample.name: {
            "ratio": round(sample.ratio_to(base), 3),
            "cpu_ratio": round(sample.cpu_ratio_to(base), 3),
            "cpu_s": round(statistics.median(sample.cpu), 5),
            "median_s": round(sample.median, 5),
            "memory_mib": round(sample.memory / MIB, 1),
            "runs": len(sample.seconds),
        }
        for sample in samples
    }


def write_report(results: dict[str, Any], folder: Path) -> None:
    """Write ``results.json``, ``results.md`` and ``results.png``."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.json").write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    (folder / "results.md").write_text(_markdown(results), encoding="utf-8")
    _chart(results, folder / "results.png")


def _markdown(results: dict[str, Any]) -> str:
    works = {name: results["works"][name] for name in ("w1", "w3", "w4", "w2") if name in results["works"]}
    names = sorted({name for work in works.values() for name in work}, key=_order)
    lines = ["| | " + " | ".join(f"{key.upper()} time | processor | memory" for key in works) + " |"]
    lines.append("|---" * (1 + 3 * len(works)) + "|")
    for name in names:
        cells = [_cell(work.get(name)) for work in works.values()]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n\n" + _figures(results)


def _order(name: str) -> tuple[int, str]:
    return (0 if name.startswith("limit") else 1 if name.startswith("dicomwright") else 2, name)


def _cell(entry: dict[str, float] | None) -> str:
    if entry is None:
        return " | | "
    return f"{times(entry['ratio'])} | {times(entry['cpu_ratio'])} | {entry['memory_mib']:.0f} MiB"


def times(ratio: float) -> str:
    """Return a ratio for a table."""
    return f"{ratio:.2f} {TIMES}" if ratio < ROUND else f"{ratio:.0f} {TIMES}"


def _figures(results: dict[str, Any]) -> str:
    figures = results["figures"] | results["derived"]
    lines = ["| figure | value |", "|---|---|"]
    return "\n".join(lines + [f"| {name} | {value:.4g} |" for name, value in figures.items()]) + "\n"


def _chart(results: dict[str, Any], path: Path) -> None:
    """Draw one panel a work: bars of the time as a multiple of the first contender's."""
    try:
        import matplotlib as mpl
    except ImportError:
        print("no picture: matplotlib is not installed")
        return
    mpl.use("Agg")
    from matplotlib import pyplot as plt

    works = [name for name in TITLES if name in results["works"]]
    figure, axes = plt.subplots(len(works), 1, figsize=(8, 2.1 * len(works)), layout="constrained")
    for axis, name in zip(axes, works, strict=True):
        work = {who: entry for who, entry in results["works"][name].items() if not who.endswith("unsynced")}
        names = sorted(work, key=_order, reverse=True)
        colours = ["#2a6f97" if who.startswith("dicomwright") else "#b8b8b8" for who in names]
        bars = axis.barh(names, [work[who]["ratio"] for who in names], color=colours)
        axis.bar_label(bars, [times(work[who]["ratio"]) for who in names], padding=3, fontsize=8)
        axis.set_title(TITLES[name], fontsize=9, loc="left")
        axis.set_xscale("log")
        axis.tick_params(labelsize=8)
        axis.margins(x=0.12)
    figure.savefig(path, dpi=110)
