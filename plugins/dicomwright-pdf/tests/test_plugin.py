"""Reader and encoder are registered as any third party's, and chosen by name, content and SOP class."""

from __future__ import annotations

import dataclasses
import subprocess
import sys

import numpy as np
import pytest

from dicomwright import Blueprint, DicomFactory
from dicomwright.errors import PluginError
from dicomwright.plugins import load
from dicomwright.plugins.selection import choose_reader
from dicomwright_pdf.options import ReadOptions
from dicomwright_pdf.testing import pdf_of


@pytest.fixture(scope="module")
def plugin_set():
    return load(enabled=True)


def test_record(plugin_set):
    (record,) = [one for one in plugin_set.records if one.distribution == "dicomwright-pdf"]
    assert (record.name, record.status, record.reason) == ("pdf", "loaded", "")
    assert set(record.kinds) == {"command", "encoder", "reader"}


@pytest.mark.parametrize("name", ["report.pdf", "REPORT.PDF", "nameless"])
def test_chosen_by_file_name_and_content(plugin_set, tmp_path, name):
    (tmp_path / name).write_bytes(pdf_of("x"))
    assert choose_reader(tmp_path / name, plugin_set)[0] == "pdf"


def test_options_are_declared_as_the_reader_knows_them(plugin_set):
    declared = [option.name for option in plugin_set.registry("reader").spec("pdf").options]
    assert sorted(declared) == sorted(field.name for field in dataclasses.fields(ReadOptions))


def test_registration_is_light():
    names = "{'numpy', 'pydicom', 'pypdf', 'pypdfium2'}"
    code = f"import dicomwright_pdf.plugin, sys; print({names} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_pdfium_never_comes_into_the_process_that_builds(tmp_path):
    (tmp_path / "a.pdf").write_bytes(pdf_of("x"))
    code = (
        "import sys; from dicomwright import *; from dicomwright_pdf.reader import PdfReader;"
        "s = DicomFactory().build('a.pdf', Blueprint.load('encapsulated-pdf')); s.write('out');"
        "f = PdfReader.from_bytes(open('a.pdf', 'rb').read(), {'payload': 'Frames'}); list(f.images);"
        "print({'pypdf', 'pypdfium2'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert done.stdout == "set()\n"


def test_the_encoder_follows_from_the_blueprint(tmp_path):
    (tmp_path / "a.pdf").write_bytes(pdf_of("x"))
    series = DicomFactory().build(tmp_path / "a.pdf", Blueprint.load("encapsulated-pdf"))
    assert series.result["encoder"]["name"] == "encapsulated-pdf"
    assert series.result["reader"]["name"] == "pdf"


def test_an_array_is_no_document():
    with pytest.raises(PluginError, match="'encapsulated-pdf' takes Document, and the source is a Volume"):
        DicomFactory().build(np.zeros((2, 3, 4)), Blueprint.load("encapsulated-pdf"))
