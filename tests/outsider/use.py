"""Use what the templates rendered from the command line, as whoever installed it would.

    python use.py FOLDER plugin|bundle NAME [KIND|BLUEPRINT ...]

Not collected by pytest: the session `outsider` runs it where the wheels are installed and no sources are.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pydicom

from dicomwright.testing import assert_same_volume, assert_valid, sample_volume, write_raw

AFFINE = [[0, 0, 1.25, 0], [0, 0.75, 0, 0], [2.5, 0, 0, 0], [0, 0, 0, 1]]


def dicomwright(*arguments: object, code: int = 0) -> str:
    """Run a command; return what it printed."""
    program = Path(sys.executable).with_name("dicomwright")
    done = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, check=False)
    printed = done.stdout + done.stderr
    assert done.returncode == code, f"dicomwright {arguments} ended with {done.returncode}:\n{printed}"
    assert "Traceback" not in printed, printed
    return done.stdout or printed


def built(folder: Path, source: Path, *arguments: object) -> list[pydicom.Dataset]:
    """Build a series; return its datasets, which are valid."""
    dicomwright("build", source, *arguments, "--out", folder)
    assert_valid(folder)
    return [pydicom.dcmread(file) for file in sorted(folder.iterdir())]


def use(folder: Path, name: str, kinds: set[str]) -> None:
    """Use each kind of thing that a plug-in brings."""
    volume = sample_volume(affine=AFFINE)
    raw = write_raw(folder / "scan.raw", volume)
    if "reader" in kinds:
        source = folder / f"scan.{name}"
        head = f"{name.upper()} 1\n3 4 5 2.5 0.75 1.25\n".encode("ascii")
        source.write_bytes(head + volume.array.tobytes())
        built(folder / "read", source, "--blueprint", "mr-image")
        assert_same_volume(folder / "read", volume)
        source.write_bytes(head)
        told = dicomwright("build", source, "--blueprint", "mr-image", "--out", folder / "no", code=1)
        assert "which is not what (3, 4, 5) needs" in told
        assert not (folder / "no").exists()
    if "encoder" in kinds:
        options = ["--encoder", name, "--encoder-opt", "comment=draft"]
        (first, *_) = built(folder / "encoded", raw, "--blueprint", "mr-image", *options)
        assert first.ImageComments == "draft"
    rules = []
    if "element-type" in kinds:
        rules.append(f'StudyDescription = {{ {name} = "brain", suffix = " (draft)" }}')
    if "function" in kinds:
        rules.append(f'SeriesDescription = {{ series = "{name}" }}')
    if rules:
        own = folder / "own.toml"
        own.write_text("\n".join(['schema = 1\nextends = ["mr-image"]\n[elements]', *rules, ""]), "utf-8")
        (first, *_) = built(folder / "ruled", raw, "--blueprint", own)
        found = (first.get("StudyDescription", ""), first.get("SeriesDescription", ""))
        told = ("BRAIN (draft)" if "element-type" in kinds else "", f"made by dicomwright-{name}")
        assert found == (told if "function" in kinds else (told[0], "")), found
        assert "0 errors, 0 warnings" in dicomwright("lint", own)
    series = folder / "series"
    built(series, raw, "--blueprint", "mr-image", "--set", "PatientID=4711")
    if "validator" in kinds:
        assert "pass" in dicomwright("validate", series, "--validator", name)
        built(folder / "nobody", raw, "--blueprint", "mr-image")
        assert "PatientID" in dicomwright("validate", folder / "nobody", "--validator", name, code=1)
    if "sender" in kinds:
        (folder / "archive").mkdir()
        dicomwright("send", series, f"{name}:{folder / 'archive'}")
        assert {file.name for file in (folder / "archive").iterdir()} == {
            file.name for file in series.iterdir()
        }


def use_bundle(folder: Path, name: str, blueprints: set[str]) -> None:
    """Build with each blueprint of a bundle that is installed."""
    listed = json.loads(dicomwright("bundles", "--json"))
    assert [one["status"] for one in listed if one["name"] == name] == ["usable"], listed
    raw = write_raw(folder / "scan.raw")
    for blueprint in sorted(blueprints):
        given = ["--blueprint", f"{name}/{blueprint}", "--kwarg", "study_label=Trial"]
        (first, *_) = built(folder / blueprint, raw, *given)
        assert (first.Modality.lower()[:2], first.StudyDescription) == (
            blueprint[:2].replace("pe", "pt"),
            "Trial",
        )
        assert_same_volume(folder / blueprint, sample_volume())


def main(place: str, what: str, name: str, *parts: str) -> None:
    """Use a plug-in or a bundle."""
    folder = Path(place)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    if what == "bundle":
        use_bundle(folder, name, {*parts})
        return
    listed = json.loads(dicomwright("plugins", "--json"))
    (record,) = (one for one in listed if one["distribution"] == f"dicomwright-{name}")
    assert (record["status"], set(record["kind"])) == ("loaded", {*parts}), record
    use(folder, name, {*parts})


if __name__ == "__main__":
    main(*sys.argv[1:])
