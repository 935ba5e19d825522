"""The readers are registered as any third party's, and chosen by file name and content."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import fields

import pytest

from dicomwright.plugins import load
from dicomwright.plugins.selection import choose_reader
from dicomwright_raw.description import Description

NAMES = {
    "a.raw": "raw", "a.BIN": "raw", "a.npy": "numpy", "a.NPZ": "numpy", "a.nrrd": "nrrd", "a.nhdr": "nrrd",
    "a.mha": "metaimage", "a.mhd": "metaimage",
}  # fmt: skip
CONTENTS = {b"\x93NUMPY\1\0": "numpy", b"NRRD0005\n": "nrrd", b"ObjectType = Image\n": "metaimage"}


@pytest.fixture(scope="module")
def plugin_set():
    return load(enabled=True)


def test_record(plugin_set):
    (record,) = [one for one in plugin_set.records if one.distribution == "dicomwright-raw"]
    assert (record.name, record.status, record.reason) == ("raw", "loaded", "")


@pytest.mark.parametrize(("file", "name"), NAMES.items())
def test_chosen_by_name(plugin_set, tmp_path, file, name):
    (tmp_path / file).write_bytes(b"something")
    assert choose_reader(tmp_path / file, plugin_set)[0] == name


@pytest.mark.parametrize(("content", "name"), CONTENTS.items())
def test_chosen_by_content(plugin_set, tmp_path, content, name):
    (tmp_path / "nameless").write_bytes(content)
    assert choose_reader(tmp_path / "nameless", plugin_set)[0] == name


def test_options_are_declared_as_the_reader_knows_them(plugin_set):
    registry = plugin_set.registry("reader")
    declared = {name: {option.name for option in registry.spec(name).options} for name in NAMES.values()}
    entries = {field.name for field in fields(Description)}
    assert declared["raw"] == entries | {"sidecar"}
    own = {"dtype", "shape", "byte_order", "order", "offset"}
    assert declared["numpy"] == entries - own | {"sidecar", "array", "max_bytes"}
    assert declared["nrrd"] == declared["metaimage"] == {"max_bytes"}


def test_registration_is_light():
    code = "import dicomwright_raw.plugin, sys; print({'numpy', 'pydicom'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
