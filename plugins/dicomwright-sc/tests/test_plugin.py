"""The reader and the encoder are registered as any third party's."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import fields

import pytest

from dicomwright import Blueprint, DicomFactory
from dicomwright.bundles import shipped_names
from dicomwright.plugins import load
from dicomwright.plugins.selection import choose_reader
from dicomwright_sc.iods import SOP_CLASSES
from dicomwright_sc.options import ReadOptions
from dicomwright_sc.settings import Settings


@pytest.fixture(scope="module")
def plugin_set():
    return load(enabled=True)


def test_record(plugin_set):
    (record,) = [one for one in plugin_set.records if one.distribution == "dicomwright-sc"]
    assert (record.name, record.status, record.reason) == ("sc", "loaded", "")
    assert set(record.kinds) == {"reader", "encoder"}


@pytest.mark.parametrize("name", ["a.png", "a.JPG", "a.jpeg", "a.tif", "a.tiff", "a.bmp", "a.ppm"])
def test_chosen_by_name(plugin_set, tmp_path, name):
    (tmp_path / name).write_bytes(b"something")
    assert choose_reader(tmp_path / name, plugin_set)[0] == "picture"


@pytest.mark.parametrize("content", [b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"II*\0", b"MM\0*"])
def test_chosen_by_content(plugin_set, tmp_path, content):
    (tmp_path / "nameless").write_bytes(content)
    assert choose_reader(tmp_path / "nameless", plugin_set)[0] == "picture"


def test_options_and_classes_are_declared_as_the_code_knows_them(plugin_set):
    reader = plugin_set.registry("reader").spec("picture")
    assert [option.name for option in reader.options] == [field.name for field in fields(ReadOptions)]
    encoder = plugin_set.registry("encoder").spec("secondary-capture")
    assert {option.name for option in encoder.options} == {field.name for field in fields(Settings)}
    assert encoder.sop_classes == tuple(SOP_CLASSES)


def test_registration_is_light():
    code = "import dicomwright_sc.plugin, sys; print({'numpy', 'pydicom', 'PIL'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


@pytest.mark.parametrize("name", [one for one in shipped_names() if "secondary" in one or "-sc-" in one])
def test_lint_asks_this_encoder(name):
    findings = DicomFactory().lint(Blueprint.load(name))
    assert [one for one in findings if one.severity != "note" or one.kind == "sop-class"] == []
