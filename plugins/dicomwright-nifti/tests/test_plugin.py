"""The reader is registered as any third party's, and chosen by name, by file name and by content."""

from __future__ import annotations

import dataclasses
import gzip
import subprocess
import sys

import nibabel
import numpy as np
import pytest

from dicomwright.plugins import load
from dicomwright.plugins.selection import choose_reader
from dicomwright_nifti.options import ReadOptions
from dicomwright_nifti.reader import NiftiReader

IMAGES = {
    "NIfTI-1": (nibabel.Nifti1Image, "<"),
    "NIfTI-1, big-endian": (nibabel.Nifti1Image, ">"),
    "NIfTI-2": (nibabel.Nifti2Image, "<"),
    "NIfTI-2, big-endian": (nibabel.Nifti2Image, ">"),
}


@pytest.fixture(scope="module")
def plugin_set():
    return load(enabled=True)


def saved(folder, kind: str, file: str):
    image_class, order = IMAGES[kind]
    header = image_class.header_class(endianness=order)
    header.set_data_dtype(np.int16)
    image = image_class(np.arange(60, dtype=np.int16).reshape(3, 4, 5), np.diag([2.0, 3, 5, 1]), header)
    nibabel.save(image, folder / file)
    return folder / file


def test_record(plugin_set):
    (record,) = [one for one in plugin_set.records if one.distribution == "dicomwright-nifti"]
    assert (record.name, record.kinds, record.status, record.reason) == ("nifti", ("reader",), "loaded", "")
    assert plugin_set.registry("reader").provider("nifti").distribution == "dicomwright-nifti"


@pytest.mark.parametrize("kind", IMAGES)
@pytest.mark.parametrize("file", ["a.nii", "a.nii.gz", "A.NII"])
def test_chosen_by_file_name(plugin_set, tmp_path, kind, file):
    path = saved(tmp_path, kind, "a.nii.gz" if file.endswith(".gz") else "a.nii").rename(tmp_path / file)
    name, reader = choose_reader(path, plugin_set)
    assert name == "nifti"
    assert isinstance(reader, NiftiReader)


@pytest.mark.parametrize("kind", IMAGES)
@pytest.mark.parametrize("compress", [False, True])
def test_chosen_by_content(plugin_set, tmp_path, kind, compress):
    content = saved(tmp_path, kind, "a.nii").read_bytes()
    (tmp_path / "nameless").write_bytes(gzip.compress(content) if compress else content)
    assert choose_reader(tmp_path / "nameless", plugin_set)[0] == "nifti"


@pytest.mark.parametrize("ending", [".hdr", ".img"])
@pytest.mark.parametrize("kind", ["NIfTI-1", "NIfTI-2"])
def test_pairs(plugin_set, tmp_path, kind, ending):
    image = nibabel.load(saved(tmp_path, kind, "a.nii"))
    pair = nibabel.Nifti1Pair if kind == "NIfTI-1" else nibabel.Nifti2Pair
    nibabel.save(pair.from_image(image), tmp_path / "p.img")
    assert choose_reader(tmp_path / f"p{ending}", plugin_set)[0] == "nifti"
    header = (tmp_path / "p.hdr").rename(tmp_path / "nameless")
    assert choose_reader(header, plugin_set)[0] == "nifti"


@pytest.mark.parametrize("content", [b"", b"garbage", b"\x1f\x8b"])
def test_damaged_file_comes_here_so_that_the_reader_says_what_is_wrong(plugin_set, tmp_path, content):
    (tmp_path / "a.nii.gz").write_bytes(content)
    assert choose_reader(tmp_path / "a.nii.gz", plugin_set)[0] == "nifti"


def test_options_are_declared_as_the_reader_knows_them(plugin_set):
    declared = [option.name for option in plugin_set.registry("reader").spec("nifti").options]
    assert declared == [field.name for field in dataclasses.fields(ReadOptions)]


def test_registration_is_light():
    code = "import dicomwright_nifti.plugin, sys; print({'numpy', 'nibabel', 'pydicom'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
