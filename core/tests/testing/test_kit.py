"""Fixtures, samples and assertions of the kit."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys

import nibabel
import numpy as np
import pydicom
import pytest

from dicomwright import Blueprint, DicomFactory, Document, gen_uid
from dicomwright.bundles import load_blueprint
from dicomwright.plugins import default
from dicomwright.testing import (
    INSTANT,
    assert_same_bytes,
    assert_same_volume,
    assert_valid,
    compare_volumes,
    frozen_uids,
    plugin_set_of,
    read_volume,
    sample_volume,
    write_nifti,
    write_pdf,
    write_raw,
)
from dicomwright.testing.digests import digest
from dicomwright.testing.volumes import SpatialArray

PLUGIN = """
from dicomwright.plugins import FunctionSpec, ReaderSpec, hookimpl

@hookimpl
def dicomwright_readers():
    return [ReaderSpec(name="acme", summary="ACME", target="acme_reader:Reader", extensions=(".acme",))]

@hookimpl
def dicomwright_functions():
    return [FunctionSpec(name="acme", summary="ACME", target="acme_reader:text")]
"""
READER = """
from dicomwright.testing import sample_volume

class Reader:
    def can_read(self, path, head):
        return True

    def read(self, path, options):
        return sample_volume()

def text():
    return "from acme"
"""
CODE = {"acme_plugin": PLUGIN, "acme_reader": READER}


def build(folder, **options):
    series = DicomFactory(plugin_set=plugin_set_of()).build(
        sample_volume(), Blueprint.load("mr-image"), **options
    )
    return series.write(folder, fsync=False)


def test_isolated_set_discovers_nothing_unless_asked(dicomwright_plugins, dicomwright_site):
    module = dicomwright_site.add("dicomwright-acme", CODE)
    assert default().registry("reader").names() == ()
    assert [record.name for record in default().records] == ["builtin"]
    found = dicomwright_plugins(module)
    assert found.registry("reader").names() == ("acme",)
    assert default() is found
    assert (found.records[1].distribution, found.records[1].version) == ("dicomwright-acme", "1.0")


def test_module_objects_can_be_plugins(dicomwright_site):
    import importlib

    module = importlib.import_module(dicomwright_site.add("dicomwright-acme", CODE))
    assert plugin_set_of(module).registry("function").names()[0] == "acme"


def test_site_serves_the_command_line(dicomwright_site, tmp_path):
    dicomwright_site.add("dicomwright-acme", CODE, requires=("dicomwright>=0.1",))
    done = dicomwright_site.run("plugins", "--json")
    used = {row["distribution"] for row in json.loads(done.out) if row["status"] == "loaded"}
    assert used == {"dicomwright", "dicomwright-acme"}
    (tmp_path / "own.toml").write_text(
        'schema = 1\nextends = ["mr-image"]\n[elements]\nImageComments = { series = "acme" }\n'
    )
    (tmp_path / "a.acme").write_bytes(b"x")
    done = dicomwright_site.run("build", "a.acme", "--blueprint", "own.toml", "--out", "out", cwd=tmp_path)
    assert done.code == 0, done.err
    assert_valid(tmp_path / "out")
    assert_same_volume(tmp_path / "out", sample_volume())
    assert pydicom.dcmread(tmp_path / "out" / "00001.dcm").ImageComments == "from acme"


def test_site_holds_bundles(dicomwright_site):
    manifest = 'schema = 1\nname = "acme"\nversion = "1.0"\n[blueprints]\nmr = "mr.toml"\n'
    files = {"bundle.toml": manifest, "mr.toml": 'schema = 1\nextends = ["mr-image"]\n'}
    folder = dicomwright_site.add_bundle("acme", files)
    assert (folder / "mr.toml").is_file()
    (row,) = (
        one for one in json.loads(dicomwright_site.run("bundles", "--json").out) if one["name"] == "acme"
    )
    assert (row["status"], row["version"]) == ("usable", "1.0")
    assert load_blueprint("acme/mr", dicomwright_site.plugin_set())["Modality"].value == "MR"


def test_set_of_a_site_holds_its_plugins_alone(dicomwright_site):
    dicomwright_site.add("dicomwright-acme", CODE)
    assert [one.name for one in dicomwright_site.plugin_set().records] == ["builtin", "acme"]


@pytest.mark.usefixtures("dicomwright_uids")
def test_uids_stand_still(tmp_path):
    assert gen_uid() == "2.25.222832399972702467587068222444993945137"
    for name in "ab":
        with frozen_uids(b"another key"):
            build(tmp_path / name, instant=INSTANT)
    assert_same_bytes(tmp_path / "a", tmp_path / "b")


def test_clock_stands_still(dicomwright_clock, dicomwright_site, tmp_path):
    assert dicomwright_clock == INSTANT == dt.datetime(2024, 3, 5, 10, 11, 12, tzinfo=dt.UTC)
    dicomwright_site.add("dicomwright-acme", CODE)
    (tmp_path / "a.acme").write_bytes(b"x")
    done = dicomwright_site.run("build", "a.acme", "--blueprint", "mr-image", "--out", "out", cwd=tmp_path)
    assert done.code == 0, done.err
    files = [*build(tmp_path / "here"), *(tmp_path / "out").iterdir()]
    assert {pydicom.dcmread(file).ContentDate for file in files} == {"20240305"}


def test_samples_of_files(dicomwright_nifti, dicomwright_raw, dicomwright_pdf, dicomwright_parents):
    image = nibabel.load(dicomwright_nifti)
    volume = sample_volume()
    found = SpatialArray.from_nifti(image)
    match = compare_volumes(volume.affine.matrix, volume.array, found.affine, found.array)
    assert match.corner_mm < 1e-4
    assert match.value_error == 0
    assert image.header.get_zooms() == pytest.approx((1.25, 0.75, 2.5))
    described = json.loads(dicomwright_raw.with_name("sample.raw.json").read_text())
    assert described["shape"] == [3, 4, 5]
    assert np.frombuffer(dicomwright_raw.read_bytes(), "<i2").tolist() == list(range(60))
    assert dicomwright_pdf.read_bytes().count(b"/Type /Page ") == 2
    assert len(list(dicomwright_parents.iterdir())) == 5


@pytest.mark.parametrize("dtype", ["u1", "i2", "u2", "i4", "f4", "f8"])
def test_types_and_compression_of_nifti(tmp_path, dtype):
    volume = sample_volume((2, 3, 4), dtype)
    image = nibabel.load(write_nifti(tmp_path / "a.nii.gz", volume))
    assert np.array_equal(np.asarray(image.dataobj).T, volume.array)
    assert image.get_data_dtype() == np.dtype(dtype)


def test_what_cannot_be_a_nifti_file(tmp_path):
    with pytest.raises(ValueError, match="is none of the volumes that this writes"):
        write_nifti(tmp_path / "a.nii", sample_volume((2, 3, 4), "i8"))


def test_pdf_is_whole(tmp_path):
    data = write_pdf(tmp_path / "a.pdf", "a (b) c", pages=3).read_bytes()
    table = int(data.rpartition(b"startxref\n")[2].split()[0])
    assert data[table:].startswith(b"xref\n0 10\n")
    places = [int(line[:10]) for line in data[table:].splitlines() if line.endswith(b" n ")]
    assert [data[place:].split(b" ")[0] for place in places] == [str(n).encode() for n in range(1, 10)]
    assert b"(a \\(b\\) c)" in data


def test_valid_and_not(tmp_path):
    files = build(tmp_path / "out")
    assert_valid(files)
    dataset = pydicom.dcmread(files[1])
    del dataset.PatientName
    dataset.save_as(files[1])
    with pytest.raises(AssertionError, match=r"not valid DICOM:\n.*00002.dcm: .*PatientName"):
        assert_valid(tmp_path / "out")
    assert_valid(tmp_path / "out", allow=["PatientName", "Patient's Name"])
    with pytest.raises(AssertionError, match="there is no file in"):
        assert_valid([])


def test_same_bytes(tmp_path):
    build(tmp_path / "a", uids="derived", instant=INSTANT)
    build(tmp_path / "b", uids="derived", instant=INSTANT)
    assert_same_bytes(tmp_path / "a", tmp_path / "b")
    file = tmp_path / "b" / "00003.dcm"
    data = file.read_bytes()
    file.write_bytes(data[:200] + bytes([data[200] ^ 1]) + data[201:])
    with pytest.raises(AssertionError, match=r"00003.dcm \(\d+ bytes\) differ from byte 200 on: "):
        assert_same_bytes(tmp_path / "a", tmp_path / "b")
    file.unlink()
    with pytest.raises(AssertionError, match=r"only in one of .*00003.dcm"):
        assert_same_bytes(tmp_path / "a", tmp_path / "b")


def test_same_volume(tmp_path):
    build(tmp_path / "a")
    volume = sample_volume()
    assert_same_volume(tmp_path / "a", volume)
    moved = volume.affine.matrix.copy()
    moved[0, 3] += 1
    for other, message in (
        (sample_volume(affine=moved), "a corner is 1 mm away"),
        (sample_volume(affine=np.diag([2.5, 0.75, 1.25, 1])[[2, 1, 0, 3]]), "the axes do not match"),
        (type(volume)(volume.array + np.int16(1), volume.affine), "a value is off by 1"),
        (type(volume)(volume.array[:, ::-1], volume.affine), "a value is off by"),
    ):
        with pytest.raises(AssertionError, match=message):
            assert_same_volume(tmp_path / "a", other)


def test_uneven_stacks_are_no_volume(tmp_path):
    files = build(tmp_path / "a")
    with pytest.raises(ValueError, match="the slices are not evenly spaced"):
        read_volume([files[0], files[1], *build(tmp_path / "b")])
    with pytest.raises(ValueError, match="there are no files"):
        read_volume([])


def test_digests_differ_where_values_do():
    volume = sample_volume()
    values = [
        volume, sample_volume(dtype="i4"), type(volume)(volume.array + np.int16(1), volume.affine), [1], ["1"], [[1]],
        {"a": 1}, {"a": 2}, b"x", "x", Document(b"x", "application/pdf"), Document(b"y", "application/pdf"),
    ]  # fmt: skip
    assert len({digest(value) for value in values}) == len(values)


def test_raw_needs_no_place(tmp_path):
    volume = type(sample_volume())(np.zeros((2, 3, 4), "u1"))
    assert "affine" not in json.loads(
        write_raw(tmp_path / "a.raw", volume).with_name("a.raw.json").read_text()
    )


def test_the_plugin_of_pytest_is_light_and_quiet(tmp_path):
    (tmp_path / "test_own.py").write_text(
        "import sys\ndef test_light():\n    assert not {'numpy', 'pydicom', 'importlib_metadata'} & set(sys.modules)\n"
    )
    arguments = [
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:hypothesispytest",
        "-W",
        "error",
        "--rootdir",
        tmp_path,
    ]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-c", "/dev/null", "--confcutdir", tmp_path, *arguments, tmp_path],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "1 passed" in done.stdout, done.stdout + done.stderr


def test_fixtures_are_known_to_pytest(tmp_path):
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-c",
            "/dev/null",
            "--confcutdir",
            tmp_path,
            "--rootdir",
            tmp_path,
            "--fixtures",
            "-q",
            tmp_path,
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    names = ("plugins", "site", "clock", "uids", "parents", "nifti", "pdf", "raw")
    assert all(f"dicomwright_{name} " in done.stdout for name in names), done.stdout
