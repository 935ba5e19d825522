"""Measure dicomwright, its peers and the limit: ``nox -s bench``, or ``python benchmarks/run.py --help``."""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from measure import compare_commands, compare_workers, environment
from page import write_page
from report import as_data, machine, write_report
from sizes import Sizes
from whole import Pythons, from_nifti, from_nifti_alone, start_up, with_parents

HERE = Path(__file__).parent
OWN = ("limit", "limit-2", "dicomwright", "dicomwright-2")
READING = ("limit-reading", "limit-reading-2")
PEERS = ("highdicom", "simpleitk")


def main() -> None:
    """Make the input, measure, report."""
    given = _arguments()
    pythons = Pythons(sys.executable, given.peers, given.newest)
    sizes, runs = (Sizes.quick(), 1) if given.quick else (Sizes(), given.runs)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=given.folder) as name:
        folder = Path(name)
        _prepare(folder, sizes)
        results = {"machine": machine(), "quick": given.quick}
        works = {work: _built(work, folder, runs, pythons) for work in ("w1", "w3", "w4")}
        works["w1-disk"] = _on_disk(folder, runs, Path(given.disk))
        works["w1-process"] = as_data(
            compare_commands(with_parents(folder, pythons), folder, runs), "dicomwright-2-mapped"
        )
        works |= _from_nifti(folder, runs, pythons)
        samples = compare_commands(start_up(pythons, folder / "w2.nii.gz"), folder, 2 * runs + 1)
        works["start-up"] = as_data(samples, "python -c pass")
        results |= {"works": works, "figures": _figures(folder, quick=given.quick)}
    results["derived"] = _derived(works, sizes) | _of_elements(works, results["figures"], sizes)
    results["machine"]["load_at_the_end"] = machine()["load"]
    write_report(results, given.out)
    if given.page:
        write_page(results, given.out / "results.png")
    print((given.out / "results.md").read_text(encoding="utf-8"))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    memory = Path("/dev/shm")  # in memory: what is measured is software, not the disk
    parser.add_argument("--quick", action="store_true", help="smaller works and fewer runs: two minutes")
    parser.add_argument("--runs", type=int, default=7, help="rounds of each comparison")
    parser.add_argument("--folder", type=Path, default=memory if memory.is_dir() else None)
    parser.add_argument(
        "--disk", default=tempfile.gettempdir(), help="a folder on a disk, for the synced run"
    )
    parser.add_argument("--peers", default="", help="the Python of an environment with the peers")
    parser.add_argument("--newest", default="", help="the Python of one with nifti-to-dicom")
    parser.add_argument("--out", type=Path, default=HERE / "results")
    parser.add_argument(
        "--page", action="store_true", help="put the results into docs/explanation/performance.md"
    )
    return parser.parse_args()


def _prepare(folder: Path, sizes: Sizes) -> None:
    """Generate the input in another process: a child's peak memory is never below that of its parent."""
    names = [folder, *(str(getattr(sizes, name)) for name in ("w1", "w2", "w2_small", "w3", "w4"))]
    subprocess.run([sys.executable, HERE / "prepare.py", *names], check=True, env=environment())
    command = from_nifti_alone(folder / "w2.nii", Pythons(sys.executable, "", ""))[0]
    reference = str(folder / "w2-made")
    arguments = [reference if part == "OUT" else part for part in command.arguments]
    subprocess.run(arguments, check=True, env=environment())


def _built(work: str, folder: Path, runs: int, pythons: Pythons) -> dict[str, Any]:
    """Compare builds in memory with the limit of one thread."""
    own = (*OWN, *READING) if work == "w3" else OWN  # integers: the limit need not read them before it writes
    names = dict.fromkeys((*own, "pydicom-loop"), pythons.own)
    if pythons.peers:
        names |= dict.fromkeys(PEERS, pythons.peers)
    runs = min(runs, 3) if work == "w4" else runs  # peers take half a minute each
    return as_data(compare_workers(work, names, folder, runs), "limit")


def _on_disk(folder: Path, runs: int, disk: Path) -> dict[str, Any]:
    """Compare W1 with the limit where files are synced, and where they are not."""
    names = ("limit-2", "dicomwright-2", "limit-2-unsynced", "dicomwright-2-unsynced")
    out = Path(tempfile.mkdtemp(prefix="bench-", dir=disk))
    try:
        return as_data(
            compare_workers("w1", dict.fromkeys(names, sys.executable), folder, runs, out), "limit-2"
        )
    finally:
        shutil.rmtree(out)


def _from_nifti(folder: Path, runs: int, pythons: Pythons) -> dict[str, Any]:
    """Compare whole processes from a NIfTI file."""
    reference = folder / "w2-made"
    all_of_them = from_nifti(folder / "w2.nii", reference, pythons)
    works = {"w2": as_data(compare_commands(all_of_them, folder, min(runs, 3)), "dicomwright")}
    for name, file in (("w2-repeated", "w2.nii"), ("w2-gz", "w2.nii.gz"), ("w2-small", "small.nii")):
        commands = from_nifti_alone(folder / file, pythons)
        works[name] = as_data(compare_commands(commands, folder, 2 * runs - 1), "dicomwright")
    return works


def _figures(folder: Path, *, quick: bool) -> dict[str, float]:
    arguments = [sys.executable, HERE / "figures.py", folder, *(["quick"] if quick else [])]
    done = subprocess.run(arguments, check=True, capture_output=True, text=True, env=environment())
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def _derived(works: dict[str, Any], sizes: Sizes) -> dict[str, float]:
    """Return what the targets are about, from what was measured."""

    def ratio(work: str, name: str, other: str, kind: str = "median_s") -> float:
        return float(works[work][name][kind] / works[work][other][kind])

    found = {}
    for kind, label in (("median_s", ""), ("cpu_s", ", processor")):
        for work, end in ((work, end) for work in ("w1", "w3", "w4") for end in ("", "-2")):
            found[f"{work}{end} : limit{end}{label}"] = ratio(work, "dicomwright" + end, "limit" + end, kind)
        found[f"w3-2 : limit-reading-2{label}"] = ratio("w3", "dicomwright-2", "limit-reading-2", kind)
        for other, name in (("w1-2", "dicomwright-2"), ("limit-2", "limit-2")):
            found[f"loop : {other}{label}"] = ratio("w1", "pydicom-loop", name, kind)
        found[f"w1 process, loop : ours{label}"] = ratio(
            "w1-process", "pydicom-loop-mapped", "dicomwright-2-mapped", kind
        )
        w4 = works["w4"]["dicomwright"][kind] - works["w4"]["limit"][kind]
        found[f"w4 beyond the limit, us an instance{label}"] = 1e6 * w4 / sizes.w4[0]
        imports = works["start-up"]["import numpy, pydicom"][kind]
        found[f"w2-small : import numpy, pydicom{label}"] = works["w2-small"]["dicomwright"][kind] / imports
        unpacked = works["start-up"]["gzip -dc"][kind] + works["w2-repeated"]["dicomwright"][kind]
        found[f"w2-gz : gzip -dc + w2{label}"] = works["w2-gz"]["dicomwright"][kind] / unpacked
        for work in ("w2-repeated", "w2-gz") if "vtk-dicom (C++)" in works["w2"] else ():
            found[f"{work} : vtk-dicom{label}"] = ratio(work, "dicomwright", "vtk-dicom (C++)", kind)
        start = {name: entry[kind] for name, entry in works["start-up"].items()}
        for command in ("--help", "plugins"):
            over = start[f"dicomwright {command}"] - start["python -c pass"]
            found[f"{command} over python, ms{label}"] = 1e3 * over
            found[f"{command} : import numpy, pydicom{label}"] = over / (imports - start["python -c pass"])
    for end in ("", "-unsynced"):
        found[f"w1 on disk{end} : limit"] = ratio("w1-disk", f"dicomwright-2{end}", f"limit-2{end}")
    return found


def _of_elements(works: dict[str, Any], figures: dict[str, float], sizes: Sizes) -> dict[str, float]:
    """Return what single operations take, to what pydicom takes for the same; and the floor of a whole process."""
    element = figures["pydicom_element_us"]
    w4, w4_cpu = (
        1e6 * (works["w4"]["dicomwright"][kind] - works["w4"]["limit"][kind]) / sizes.w4[0]
        for kind in ("median_s", "cpu_s")
    )
    imports = works["start-up"]["import numpy, pydicom"]["median_s"]
    floor = imports + sizes.w1[0] * figures["parents_us"] / 1e6 + works["w1"]["limit-2"]["median_s"]
    return {
        "w4 : pydicom element": w4 / element,
        "w4 : pydicom element, processor": w4_cpu / element,
        "function : pydicom element": figures["function_us"] / element,
        "constant : pydicom element": figures["constant_us"] / element,
        "series[i] : dcmread": figures["dataset_us"] / figures["dcmread_file_us"],
        "w1 process, loop : floor": works["w1-process"]["pydicom-loop-mapped"]["median_s"] / floor,
    }


if __name__ == "__main__":
    main()
