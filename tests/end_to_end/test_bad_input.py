"""Bad input: one error, no traceback, nothing in the out folder, within 5 s and 1 GB."""

from __future__ import annotations

import contextlib
import gzip
import os
import resource
import shutil
import subprocess
from pathlib import Path

import nibabel as nib
import numpy as np
import pydicom
import pytest

GIGABYTE = 1024**3


@pytest.fixture
def refused(cli, tmp_path):
    """Return `refused(source, *more, words=()) -> error text`: a build that must be refused, and how."""

    def check(source, *more, words=(), blueprint="mr-image", out=None, code=1):
        out = tmp_path / "result" / "out" if out is None else out
        before = snapshot(tmp_path)
        done = cli("build", source, "--blueprint", blueprint, *more, "--out", out, "--json")
        assert done.code == code, done.err
        assert_one_error(done, words)
        assert snapshot(tmp_path) == before
        return done.err

    return check


def snapshot(folder):
    """Return everything below a folder, hidden files too; empty folders do not count."""
    return sorted(path for path in folder.rglob("*") if not path.is_dir() or path.is_symlink())


def assert_one_error(done, words=()):
    """Assert that a command said one error line, or a list of problems, and nothing of our inside."""
    assert done.out == ""
    lines = [line for line in done.err.splitlines() if not line.startswith("dicomwright: warning: ")]
    assert lines, "nothing was said"
    assert lines[0].startswith("dicomwright: error: ")
    assert len(lines) == 1 or all(line.startswith("  - ") for line in lines[1:]), done.err
    assert "Traceback" not in done.err
    assert "internal error" not in done.err
    assert done.seconds < 5
    for word in words:
        assert str(word) in done.err


def header(dims, dtype=4, bits=16, offset=352.0, scale=(1.0, 0.0)):
    """Return the bytes of a NIfTI-1 header with any dimensions."""
    raw = np.zeros((), dtype=nib.nifti1.header_dtype)
    raw["sizeof_hdr"], raw["dim"][: len(dims)], raw["datatype"], raw["bitpix"] = 348, dims, dtype, bits
    raw["pixdim"] = 1
    raw["vox_offset"], raw["magic"], raw["sform_code"] = offset, b"n+1", 1
    raw["srow_x"], raw["srow_y"], raw["srow_z"] = (-1, 0, 0, 0), (0, -1, 0, 0), (0, 0, 1, 0)
    raw["scl_slope"], raw["scl_inter"] = scale
    return raw.tobytes() + b"\0\0\0\0"


GOOD = header([3, 5, 4, 3, 1, 1, 1, 1]) + np.arange(60, dtype="<i2").tobytes()
BYTES = {
    "empty": (b"", []),
    "one byte": (b"\x5c", []),
    "garbage": (bytes(range(256)) * 8, []),
    "text": (b"hello, I am a text file\n" * 50, []),
    "header only": (GOOD[:348], []),
    "truncated header": (GOOD[:200], []),
    "truncated data": (GOOD[:-7], ["472", "465"]),
    "no data": (GOOD[:352], []),
    "promises 60 GB": (header([3, 4000, 4000, 2000, 1, 1, 1, 1]) + b"\0" * 1000, []),
    "promises 32767 cubed": (header([7, 32767, 32767, 32767, 32767, 32767, 32767, 32767]) + b"\0" * 1000, []),
    "zero dimension": (header([3, 5, 0, 3, 1, 1, 1, 1]) + b"\0" * 200, []),
    "negative dimension": (header([3, 5, -4, 3, 1, 1, 1, 1]) + b"\0" * 200, []),
    "no dimensions": (header([0, 0, 0, 0, 0, 0, 0, 0]) + b"\0" * 200, []),
    "nine dimensions": (header([9, 5, 4, 3, 1, 1, 1, 1]) + b"\0" * 200, []),
    "unknown type": (header([3, 5, 4, 3, 1, 1, 1, 1], dtype=77, bits=8) + b"\0" * 200, ["77"]),
    "data inside the header": (header([3, 5, 4, 3, 1, 1, 1, 1], offset=10.0) + b"\0" * 200, []),
    "data before the file": (header([3, 5, 4, 3, 1, 1, 1, 1], offset=-400.0) + b"\0" * 200, []),
    "data at nan": (header([3, 5, 4, 3, 1, 1, 1, 1], offset=float("nan")) + b"\0" * 200, []),
    "data at 1e30": (header([3, 5, 4, 3, 1, 1, 1, 1], offset=1e30) + b"\0" * 200, []),
    "a zip": (b"PK\3\4" + b"\0" * 500, []),
    "a DICOM file": (b"\0" * 128 + b"DICM" + b"\0" * 500, ["--parent"]),
}


class TestNiftiBytes:
    @pytest.mark.parametrize("name", BYTES)
    def test_uncompressed(self, refused, tmp_path, name):
        data, words = BYTES[name]
        path = tmp_path / "bad.nii"
        path.write_bytes(data)
        assert "bad.nii" in refused(path, words=words)

    @pytest.mark.parametrize("name", BYTES)
    def test_compressed(self, refused, tmp_path, name):
        path = tmp_path / "bad.nii.gz"
        path.write_bytes(gzip.compress(BYTES[name][0]))
        assert "bad.nii.gz" in refused(path)

    def test_the_good_one_is_good(self, cli, tmp_path):
        path = tmp_path / "good.nii"
        path.write_bytes(GOOD)
        assert cli("build", path, "--blueprint", "mr-image", "--out", tmp_path / "out").code == 0

    @pytest.mark.parametrize(
        ("data", "word"),
        [
            (header([3, 5, 4, 3, 1, 1, 1, 1], bits=64) + b"\0" * 480, "bitpix"),
            (header([3, 5, 4, 3, 1, 1, 1, 1], scale=(float("inf"), 0.0)) + b"\1" * 120, "scl_slope"),
            (header([3, 5, 4, 3, 1, 1, 1, 1], scale=(float("nan"), 3.0)) + b"\1" * 120, "scl_slope"),
            (header([3, 5, 4, 3, 1, 1, 1, 1], scale=(2.0, float("nan"))) + b"\1" * 120, "scl_inter"),
        ],
        ids=[
            "bits of another type",
            "infinite slope",
            "slope that is no number",
            "intercept that is no number",
        ],
    )
    def test_odd_headers_are_refused_or_warned_of(self, cli, tmp_path, data, word):
        path = tmp_path / "odd.nii"
        path.write_bytes(data)
        done = cli("build", path, "--blueprint", "mr-image", "--out", tmp_path / "out", "--json")
        if done.code:
            assert_one_error(done, [word])
        else:
            assert any(word in warning for warning in done.result["warnings"]), done.result["warnings"]

    @pytest.mark.parametrize("cut", [3, 12, 40, -12, -4, -1])
    def test_cut_gzip(self, refused, tmp_path, cut):
        path = tmp_path / "bad.nii.gz"
        noise = np.random.default_rng(0).integers(-900, 900, 60).astype("<i2").tobytes()
        path.write_bytes(gzip.compress(GOOD[:352] + noise)[:cut])
        refused(path)

    @pytest.mark.parametrize("place", [-6, -2, 150])
    def test_gzip_with_a_wrong_checksum_or_byte(self, refused, tmp_path, place):
        noise = np.random.default_rng(0).integers(-900, 900, 60).astype("<i2").tobytes()
        data = bytearray(gzip.compress(GOOD[:352] + noise))
        data[place] ^= 0x55
        path = tmp_path / "bad.nii.gz"
        path.write_bytes(data)
        refused(path)

    def test_no_gzip_under_the_name_of_one(self, cli, tmp_path):
        path = tmp_path / "plain.nii.gz"
        path.write_bytes(GOOD)
        done = cli("build", path, "--blueprint", "mr-image", "--out", tmp_path / "out", "--json")
        if done.code:  # to read it anyway is as good
            assert_one_error(done)

    def test_a_pair_without_its_image(self, refused, tmp_path, nifti):
        image = nib.load(nifti())
        nib.save(nib.Nifti1Pair(np.asarray(image.dataobj), image.affine), tmp_path / "pair.hdr")
        (tmp_path / "pair.img").unlink()
        refused(tmp_path / "pair.hdr", words=["pair.img"])

    def test_nifti2_with_dimensions_beyond_everything(self, refused, tmp_path):
        image = nib.Nifti2Image(np.zeros((2, 3, 4), np.int16), np.eye(4))
        data = bytearray(image.to_bytes())
        data[16 + 8 : 16 + 32] = np.array([2**40, 2**40, 2**40], "<i8").tobytes()
        path = tmp_path / "big.nii"
        path.write_bytes(data)
        refused(path)


AFFINES = {
    "zero": np.zeros((4, 4)),
    "singular": np.diag([1.0, 1.0, 0.0, 1.0]),
    "two equal columns": np.array([[1, 1, 0, 0], [0, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]]),
    "nan": np.array([[np.nan, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]]),
    "infinite origin": np.array([[1, 0, 0, np.inf], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]]),
    "almost singular": np.diag([1.0, 1.0, 1e-30, 1.0]),
    "in-plane shear": np.array([[1, 0.3, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]]),
    "slice shear": np.array([[1, 0, 0.3, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]]),
}


@pytest.mark.parametrize("name", AFFINES)
def test_affines_that_are_none(refused, tmp_path, name):
    image = nib.Nifti1Image(np.arange(60, dtype=np.int16).reshape(5, 4, 3), np.eye(4))
    image.header["sform_code"], image.header["qform_code"] = 1, 0
    for row, axis in enumerate("xyz"):
        image.header[f"srow_{axis}"] = AFFINES[name][row]
    path = tmp_path / "bad.nii"
    path.write_bytes(image.header.binaryblock + b"\0\0\0\0" + np.arange(60, dtype="<i2").tobytes())
    refused(path)


class TestBombs:
    """Each in a process of its own, whose memory is measured."""

    def check(self, done, tmp_path, folder):
        assert done.code == 1, done.err
        assert_one_error(done)
        assert done.peak < GIGABYTE
        assert not folder.exists()
        assert not list(tmp_path.glob(".*"))

    def bomb(self, path, head, megabytes):
        zeros = gzip.compress(b"\0" * 100 * 1024**2)
        path.write_bytes(gzip.compress(head) + zeros * (megabytes // 100))
        return path

    @pytest.mark.parametrize("promised", [1000, 3], ids=["that says so", "that hides it"])
    def test_gzip_bomb(self, process, tmp_path, promised):
        path = self.bomb(tmp_path / "bomb.nii.gz", header([3, 1024, 1024, promised, 1, 1, 1, 1]), 1400)
        out = tmp_path / "out"
        done = process("build", path, "--blueprint", "mr-image", "--out", out, "--json", tmp_path=tmp_path)
        self.check(done, tmp_path, out)

    def test_stacked_gzip(self, process, tmp_path):
        inner = self.bomb(tmp_path / "inner.gz", b"", 300).read_bytes()
        path = tmp_path / "bomb.nii.gz"
        path.write_bytes(gzip.compress(inner * 40))
        out = tmp_path / "out"
        done = process("build", path, "--blueprint", "mr-image", "--out", out, "--json", tmp_path=tmp_path)
        self.check(done, tmp_path, out)

    def test_sparse_file_of_gigabytes(self, process, tmp_path):
        path = tmp_path / "sparse.nii"
        path.write_bytes(header([3, 1024, 1024, 5000, 1, 1, 1, 1])[:352])
        os.truncate(path, 5 * GIGABYTE)
        out = tmp_path / "out"
        done = process("build", path, "--blueprint", "mr-image", "--out", out, "--json", tmp_path=tmp_path)
        self.check(done, tmp_path, out)

    def test_deflated_parent(self, process, tmp_path, nifti, make_series):
        import zlib

        dataset = make_series("MR")[0]
        dataset.ImageComments = "x"
        dataset.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1.99"
        pydicom.dcmwrite(tmp_path / "meta.dcm", dataset, enforce_file_format=True)
        whole = (tmp_path / "meta.dcm").read_bytes()
        start = 132 + 12 + pydicom.dcmread(tmp_path / "meta.dcm").file_meta.FileMetaInformationGroupLength
        squeeze = zlib.compressobj(1, zlib.DEFLATED, -15)
        body = [squeeze.compress(b"\x08\x00\x16\x00UI\x1a\0" + b"1.2.840.10008.5.1.4.1.1.4\0")]
        body += [squeeze.compress(b"\x10\x00\x00\x40UT\0\0\x00\x00\x00\x60")]
        body += [squeeze.compress(b" " * 1024**2) for _ in range(600)] + [squeeze.flush()]
        folder = tmp_path / "parents"
        folder.mkdir()
        (folder / "bomb.dcm").write_bytes(whole[:start] + b"".join(body))
        path, out = nifti(), tmp_path / "out"
        done = process(
            *("build", path, "--blueprint", "mr-image", "--parent", folder, "--out", out, "--json"),
            tmp_path=tmp_path,
        )
        self.check(done, tmp_path, out)


class TestSources:
    def test_missing(self, refused, tmp_path):
        refused(tmp_path / "missing.nii.gz", words=["missing.nii.gz"])

    def test_a_folder(self, refused, tmp_path):
        (tmp_path / "folder").mkdir()
        refused(tmp_path / "folder", words=["folder"])

    def test_a_folder_named_like_a_nifti(self, refused, tmp_path):
        (tmp_path / "folder.nii").mkdir()
        refused(tmp_path / "folder.nii", words=["folder.nii"])

    @pytest.mark.parametrize("name", ["pipe.nii", "pipe.nii.gz", "pipe.xyz"])
    def test_a_fifo(self, refused, tmp_path, name):
        os.mkfifo(tmp_path / name)
        refused(tmp_path / name, words=[name])

    @pytest.mark.parametrize("name", ["/dev/zero", "/dev/null", "/proc/self/mem"])
    def test_a_device(self, refused, name):
        refused(name, words=[name])

    def test_a_link_to_a_device(self, refused, tmp_path):
        (tmp_path / "zero.nii").symlink_to("/dev/zero")
        refused(tmp_path / "zero.nii")

    def test_a_broken_link(self, refused, tmp_path):
        (tmp_path / "link.nii").symlink_to("nowhere")
        refused(tmp_path / "link.nii")

    def test_a_dicom_file(self, refused, tmp_path, make_series, write_series):
        (path,) = write_series(make_series(shape=(1, 4, 5)), tmp_path / "dicom")
        refused(path, words=["--parent"])
        refused(path.rename(path.with_suffix(".dcm")), words=["--parent"])

    @pytest.mark.parametrize("name", ["x.xyz", "noextension", "x.pdf", "x.png"])
    def test_what_nothing_reads(self, refused, tmp_path, name):
        (tmp_path / name).write_bytes(b"something else")
        refused(tmp_path / name, words=[name])

    def test_a_name_that_is_not_utf8(self, refused, tmp_path):
        path = os.fsencode(tmp_path) + b"/bad\xff.nii"
        Path(os.fsdecode(path)).write_bytes(b"no")
        refused(os.fsdecode(path))

    def test_an_empty_name(self, refused):
        refused("")

    def test_a_very_long_name(self, refused, tmp_path):
        refused(tmp_path / ("x" * 5000 + ".nii"))


class TestParents:
    @pytest.fixture
    def parents(self, write_series, tmp_path):
        def make(*series, name="parents"):
            write_series([dataset for one in series for dataset in one], tmp_path / name)
            return tmp_path / name

        return make

    def test_missing(self, refused, nifti, tmp_path):
        refused(nifti(), "--parent", tmp_path / "nowhere", words=["nowhere"])

    def test_empty(self, refused, nifti, tmp_path):
        (tmp_path / "empty").mkdir()
        refused(nifti(), "--parent", tmp_path / "empty", words=["empty"])

    def test_not_dicom(self, refused, nifti, tmp_path):
        (tmp_path / "parents").mkdir()
        (tmp_path / "parents" / "notes.txt").write_text("no DICOM here")
        (tmp_path / "parents" / "more.bin").write_bytes(os.urandom(5000))
        refused(nifti(), "--parent", tmp_path / "parents", words=["parents"])

    @pytest.mark.parametrize("size", [100, 140, 200, 400])
    def test_truncated(self, refused, nifti, parents, make_series, size):
        folder = parents(make_series("MR", shape=(3, 4, 5)))
        for path in folder.iterdir():
            path.write_bytes(path.read_bytes()[:size])
        refused(nifti(), "--parent", folder)

    def test_two_patients(self, refused, nifti, parents, make_series):
        others = make_series("MR", shape=(2, 4, 5), seed=2, elements={"PatientID": "P-002"})
        folder = parents(make_series("MR", shape=(2, 4, 5)), others)
        refused(nifti(), "--parent", folder, words=["patient", "IM0000"])

    def test_one_patient_id_of_two_issuers(self, refused, nifti, parents, make_series):
        series = make_series("MR", shape=(4, 4, 5))
        for number, dataset in enumerate(series):
            dataset.IssuerOfPatientID = f"HOSPITAL {number // 2}"
        refused(nifti(), "--parent", parents(series), words=["2 patients", "issuer", "IM00002"])

    def test_two_series(self, refused, nifti, parents, make_series):
        series = make_series("MR", shape=(4, 4, 5))
        for dataset in series[2:]:
            dataset.SeriesInstanceUID = "2.25.77"
        refused(nifti(), "--parent", parents(series), words=["series", "IM00000"])

    def test_one_instance_twice(self, refused, nifti, parents, make_series):
        series = make_series("MR", shape=(3, 4, 5))
        refused(nifti(), "--parent", parents([*series, series[1]]), words=["IM00001", "IM00003"])

    def test_mixed_orientations(self, refused, nifti, parents, make_series):
        axial = make_series("MR", shape=(2, 4, 5))
        sagittal = make_series("MR", "sagittal", shape=(2, 4, 5))
        for number, dataset in enumerate(sagittal):
            dataset.SOPInstanceUID = f"2.25.77{number}"
        refused(nifti(), "--parent", parents(axial, sagittal), words=["axial", "sagittal"])

    def test_count_that_does_not_fit_an_instance_copy(self, refused, nifti, parents, make_series, tmp_path):
        (tmp_path / "b.toml").write_text(
            'schema = 1\nextends = ["mr-image"]\n[elements]\nImageComments = "copy-instance"\n'
        )
        series = make_series("MR", shape=(3, 5, 7), elements={"ImageComments": "c"})
        error = refused(nifti(), "--parent", parents(series), blueprint=tmp_path / "b.toml")
        assert "ImageComments (0020,4000)" in error
        assert "b.toml:4" in error

    def test_missing_required_tags_are_all_listed(self, refused, nifti, parents, make_series, tmp_path):
        keywords = ("PatientComments", "StudyComments", "ProtocolName", "OperatorsName")
        rules = "\n".join(f'{keyword} = "copy"' for keyword in keywords)
        (tmp_path / "b.toml").write_text(f'schema = 1\nextends = ["mr-image"]\n[elements]\n{rules}\n')
        folder = parents(make_series("MR", shape=(3, 4, 5)))
        error = refused(nifti(), "--parent", folder, blueprint=tmp_path / "b.toml", words=keywords)
        assert error.count("missing in the parent") == 4
        error = refused(nifti(), blueprint=tmp_path / "b.toml", words=keywords)
        assert error.count("there is none") == 4

    def test_fifo_and_device_among_the_files(self, cli, nifti, parents, make_series, tmp_path):
        folder = parents(make_series("MR", shape=(3, 4, 5)))
        os.mkfifo(folder / "pipe")
        (folder / "zero").symlink_to("/dev/zero")
        (folder / "loop").symlink_to(folder)
        arguments = ["build", nifti(), "--blueprint", "mr-image", "--parent", folder, "--json"]
        done = cli(*arguments, "--out", tmp_path / "out")
        assert done.seconds < 5
        assert done.code in (0, 1)
        if done.code:
            assert_one_error(done)

    def test_a_fifo_as_the_parent(self, refused, nifti, tmp_path):
        os.mkfifo(tmp_path / "pipe")
        refused(nifti(), "--parent", tmp_path / "pipe", words=["pipe"])

    def test_sequences_nested_beyond_reason(self, refused, nifti, parents, make_series):
        series = make_series("MR", shape=(1, 4, 5))
        inner = pydicom.Dataset()
        for _ in range(150):
            outer = pydicom.Dataset()
            outer.ProcedureCodeSequence = [inner]
            inner = outer
        series[0].ProcedureCodeSequence = [inner]
        folder = parents(series)
        done = refused(nifti(), "--parent", folder, "--fill", "copy")
        assert "64" in done

    def test_a_parent_of_another_place(self, cli, nifti, parents, make_series, tmp_path, conformance):
        folder = parents(make_series("MR", shape=(3, 4, 5), origin=(500, 500, 500)))
        arguments = ["build", nifti(), "--blueprint", "mr-image", "--parent", folder, "--json"]
        done = cli(*arguments, "--out", tmp_path / "out")
        assert done.code == 0
        assert any("FrameOfReferenceUID" in warning for warning in done.result["warnings"])
        assert conformance(tmp_path / "out") == []

    def test_control_characters_of_a_parent_do_not_reach_the_terminal(
        self, cli, nifti, parents, make_series, tmp_path
    ):
        series = make_series("MR", shape=(3, 4, 5), elements={"StudyDescription": "a\x1b[31mred"})
        folder = parents(series)
        arguments = [
            "build",
            nifti(),
            "--blueprint",
            "mr-image",
            "--parent",
            folder,
            "--out",
            tmp_path / "out",
        ]
        assert "\x1b" not in cli(*arguments).err


FILES = {
    "syntax": ('schema = 1\n[elements]\nPatientID = "copy\nModality = 1\n', ["bad.toml:3"]),
    "no schema": ('[elements]\nPatientID = "copy"\n', ["schema"]),
    "another schema": ('schema = 99\n[elements]\nPatientID = "copy"\n', ["99"]),
    "key twice": ('schema = 1\n[elements]\nPatientID = "copy"\nPatientID = "copy"\n', ["bad.toml:4"]),
    "unknown table": ('schema = 1\n[element]\nPatientID = "copy"\n', ["element", "elements"]),
    "unknown keyword": ('schema = 1\n[elements]\nPatientNam = "copy"\n', ["bad.toml:3", "PatientName"]),
    "unknown rule": ('schema = 1\n[elements]\nPatientID = "cpoy"\n', ["bad.toml:3", "copy"]),
    "unknown type": ('schema = 1\n[elements]\nPatientID = { statik = "x" }\n', ["bad.toml:3", "static"]),
    "unknown function": (
        'schema = 1\n[elements]\nSeriesInstanceUID = { series = "uidd" }\n',
        ["bad.toml:3", "uidd", "uid"],
    ),
    "wrong vr": ('schema = 1\n[elements]\nPatientID = { static = "x", vr = "DS" }\n', ["bad.toml:3", "LO"]),
    "illegal value": ('schema = 1\n[elements]\nModality = { static = "mr" }\n', ["bad.toml:3", "Modality"]),
    "missing parent": ('schema = 1\nextends = ["ct-imag"]\n', ["ct-imag", "ct-image"]),
    "missing file": ('schema = 1\nextends = ["other.toml"]\n', ["other.toml"]),
    "cycle of one": ('schema = 1\nextends = ["bad.toml"]\n', ["bad.toml"]),
    "a path with a null": ('schema = 1\nextends = ["a\\u0000b.toml"]\n', ["bad.toml:2"]),
    "an absolute path": ('schema = 1\nextends = ["/etc/passwd"]\n', ["/etc/passwd"]),
    "a device": ('schema = 1\nextends = ["/dev/zero"]\n', ["/dev/zero"]),
    "extends of another type": ("schema = 1\nextends = 7\n", ["bad.toml:2"]),
    "elements of another type": ("schema = 1\nelements = 7\n", ["bad.toml:2"]),
    "a value of another type": ("schema = 1\n[elements]\nPatientID = 7\n", ["bad.toml:3"]),
    "a number that is infinite": (
        "schema = 1\n[elements]\nPatientWeight = { static = inf }\n",
        ["bad.toml:3"],
    ),
    "items of another type": (
        'schema = 1\n[elements]\nDerivationCodeSequence = { sequence = "x" }\n',
        ["bad.toml:3"],
    ),
    "not text": ("schema = 1\n\xff\xfe", []),
    "long line": ("schema = 1\n" + "a" * 40000 + " = 1\n", []),
    "dotted key": ("schema = 1\n" + ".".join("a" * 3000) + " = 1\n", []),
    "large": ("schema = 1\n" + "# comment\n" * 40000, []),
    "deep array": ("schema = 1\nx = " + "[" * 3000 + "]" * 3000 + "\n", []),
    "private without creator": (
        'schema = 1\n[elements]\n"(0009,1001)" = { static = "x", vr = "LO" }\n',
        ["0009"],
    ),
    "group length": ('schema = 1\n[elements]\n"(0008,0000)" = { static = 1, vr = "UL" }\n', []),
    "file meta": ('schema = 1\n[elements]\nTransferSyntaxUID = { static = "1.2" }\n', ["TransferSyntaxUID"]),
}


class TestBlueprintFiles:
    @pytest.mark.parametrize("name", FILES)
    def test_bad_files(self, refused, nifti, tmp_path, name):
        text, words = FILES[name]
        (tmp_path / "bad.toml").write_bytes(text.encode("latin-1"))
        error = refused(nifti(), "--blueprint", tmp_path / "bad.toml", words=words)
        assert "bad.toml" in error or name == "an absolute path"

    def test_a_cycle_is_told_as_a_chain(self, refused, nifti, tmp_path):
        for name, other in (("a", "b"), ("b", "c"), ("c", "a")):
            (tmp_path / f"{name}.toml").write_text(f'schema = 1\nextends = ["{other}.toml"]\n')
        error = refused(nifti(), blueprint=tmp_path / "a.toml")
        for name in ("a.toml", "b.toml", "c.toml"):
            assert name in error

    def test_all_problems_of_a_file_at_once(self, refused, nifti, tmp_path):
        (tmp_path / "bad.toml").write_text(
            'schema = 1\n[elements]\nPatientNam = "copy"\nModality = { static = "mr" }\n'
            'StudyDate = { static = "20260230" }\nPatientID = { statik = "x" }\n'
        )
        error = refused(nifti(), blueprint=tmp_path / "bad.toml")
        for line in (3, 4, 5, 6):
            assert f"bad.toml:{line}" in error

    @pytest.mark.parametrize("name", ["mr-imagee", "CT-image", "mr_image", "nonsense", ""])
    def test_unknown_names(self, refused, nifti, name):
        error = refused(nifti(), blueprint=name)
        if name and name != "nonsense":
            assert "did you mean" in error

    def test_a_folder_or_a_fifo(self, refused, nifti, tmp_path):
        (tmp_path / "folder.toml").mkdir()
        os.mkfifo(tmp_path / "pipe.toml")
        for name in ("folder.toml", "pipe.toml", "missing.toml"):
            refused(nifti(), blueprint=tmp_path / name, words=[name])

    def test_a_blueprint_that_names_no_kind_of_image(self, refused, nifti, tmp_path):
        (tmp_path / "b.toml").write_text('schema = 1\n[elements]\nPatientID = { static = "1" }\n')
        refused(nifti(), blueprint=tmp_path / "b.toml", words=["SOPClassUID (0008,0016)"])

    def test_a_kind_of_image_that_is_not_written(self, refused, nifti):
        refused(nifti(), "--set", "SOPClassUID=1.2.840.10008.5.1.4.1.1.66.4", words=["Segmentation"])


class TestOut:
    def test_exists_and_is_not_empty(self, refused, nifti, tmp_path):
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / "notes.txt").write_text("mine")
        refused(nifti(), out=tmp_path / "out", words=["notes.txt", "--overwrite"])
        refused(nifti(), "--overwrite", out=tmp_path / "out", words=["notes.txt"])
        assert (tmp_path / "out" / "notes.txt").read_text() == "mine"

    def test_is_a_file(self, refused, nifti, tmp_path):
        (tmp_path / "out").write_text("mine")
        refused(nifti(), out=tmp_path / "out")
        refused(nifti(), "--overwrite", out=tmp_path / "out")

    def test_is_inside_a_file(self, refused, nifti, tmp_path):
        (tmp_path / "file").write_text("mine")
        refused(nifti(), out=tmp_path / "file" / "out")
        refused(nifti(), out=tmp_path / "file" / "deeper" / "out")

    def test_is_the_source(self, refused, nifti):
        path = nifti()
        refused(path, out=path)

    def test_is_the_parent_folder(self, refused, nifti, make_series, write_series, tmp_path):
        write_series(make_series("MR"), tmp_path / "parents")
        refused(nifti(), "--parent", tmp_path / "parents", "--overwrite", out=tmp_path / "parents")

    def test_is_a_link(self, cli, nifti, tmp_path):
        (tmp_path / "real").mkdir()
        (tmp_path / "out").symlink_to("real")
        done = cli("build", nifti(), "--blueprint", "mr-image", "--out", tmp_path / "out", "--json")
        if done.code:
            assert_one_error(done)
        else:
            assert len(list((tmp_path / "out").iterdir())) == 4

    def test_is_a_broken_link(self, refused, nifti, tmp_path):
        (tmp_path / "out").symlink_to("nowhere/at/all")
        refused(nifti(), out=tmp_path / "out")

    @pytest.mark.parametrize("name", ["/proc/dicomwright/out", "/sys/out", "/dev/null/out", "/dev/null"])
    def test_cannot_be_written(self, refused, nifti, name):
        refused(nifti(), out=name, words=[name.rpartition("/")[0]])

    @pytest.mark.parametrize("name", ["", "/", ".", ".."])
    def test_is_no_new_folder(self, refused, nifti, tmp_path, monkeypatch, name):
        (tmp_path / "here").mkdir()
        monkeypatch.chdir(tmp_path / "here")
        (tmp_path / "here" / "something").write_text("")
        refused(nifti(), out=name)

    def test_has_a_very_long_name(self, refused, nifti, tmp_path):
        refused(nifti(), out=tmp_path / ("x" * 300))

    def test_a_staging_folder_of_somebody_else(self, refused, nifti, tmp_path):
        (tmp_path / ".out.dicomwright").mkdir()
        (tmp_path / ".out.dicomwright" / "precious.txt").write_text("mine")
        refused(nifti(), out=tmp_path / "out")
        assert (tmp_path / ".out.dicomwright" / "precious.txt").read_text() == "mine"

    def test_a_staging_name_that_is_a_link_or_a_file(self, refused, nifti, tmp_path):
        (tmp_path / "elsewhere").mkdir()
        (tmp_path / "elsewhere" / "new").mkdir()
        (tmp_path / "elsewhere" / "new" / "precious.txt").write_text("mine")
        (tmp_path / ".out.dicomwright").symlink_to("elsewhere")
        refused(nifti(), out=tmp_path / "out")
        (tmp_path / ".out.dicomwright").unlink()
        (tmp_path / ".out.dicomwright").write_text("mine")
        refused(nifti(), out=tmp_path / "out")


@contextlib.contextmanager
def mounted(folder, options):
    """Mount a small file system, or skip where that is not allowed."""
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip(f"cannot mount: {done.stderr.decode().strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


class TestDisk:
    @pytest.mark.parametrize("kilobytes", [0, 20, 64, 300])
    def test_full(self, cli, nifti, tmp_path, kilobytes):
        path = nifti(np.random.default_rng(0).integers(0, 999, (128, 96, 20)).astype(np.int16))
        with mounted(tmp_path / "disk", f"size={max(kilobytes, 4)}k") as disk:
            if not kilobytes:
                (disk / "filler").write_bytes(b"x" * 4096)
            before = sorted(disk.iterdir())
            done = cli("build", path, "--blueprint", "mr-image", "--out", disk / "out", "--json")
            assert done.code == 1
            assert_one_error(done, ["No space left", "out"])
            assert sorted(disk.iterdir()) == before

    def test_full_while_overwriting_keeps_the_old_series(self, cli, nifti, tmp_path):
        large = nifti(
            np.random.default_rng(0).integers(0, 999, (128, 96, 20)).astype(np.int16), name="large.nii"
        )
        with mounted(tmp_path / "disk", "size=300k") as disk:
            arguments = ["--blueprint", "mr-image", "--out", disk / "out", "--overwrite", "--json"]
            assert cli("build", nifti(), *arguments).code == 0
            before = {path.name: path.read_bytes() for path in (disk / "out").iterdir()}
            done = cli("build", large, *arguments)
            assert_one_error(done, ["No space left"])
            assert {path.name: path.read_bytes() for path in (disk / "out").iterdir()} == before
            assert [path.name for path in disk.iterdir()] == ["out"]

    def test_read_only(self, cli, nifti, tmp_path):
        path = nifti()
        with mounted(tmp_path / "disk", "size=300k") as disk:
            subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
            done = cli("build", path, "--blueprint", "mr-image", "--out", disk / "out", "--json")
            assert done.code == 1
            assert_one_error(done, ["Read-only", "out"])

    @pytest.mark.parametrize("size", [100, 5000, 30000])
    def test_files_may_not_be_large(self, process, nifti, tmp_path, size):
        path = nifti(np.random.default_rng(0).integers(0, 999, (128, 160, 5)).astype(np.int16))
        out = tmp_path / "out"
        done = process(
            *("build", path, "--blueprint", "mr-image", "--out", out, "--json"),
            limits={resource.RLIMIT_FSIZE: size},
            tmp_path=tmp_path,
        )
        assert done.code == 1
        assert_one_error(done, ["too large", "out"])
        assert not out.exists()
        assert not list(tmp_path.glob(".out*"))

    def test_an_error_of_fsync(self, refused, nifti, monkeypatch):
        def broken(_):
            raise OSError(5, "Input/output error")

        monkeypatch.setattr("os.fsync", broken)
        refused(nifti(), words=["Input/output error"])

    def test_too_few_file_handles(self, process, nifti, tmp_path, make_series, write_series):
        write_series(make_series("MR", shape=(60, 4, 5)), tmp_path / "parents")
        path = nifti()
        done = process(
            *("build", path, "--blueprint", "mr-image", "--parent", tmp_path / "parents"),
            *("--out", tmp_path / "out", "--json"),
            limits={resource.RLIMIT_NOFILE: 24},
            tmp_path=tmp_path,
        )
        assert done.code == 0, done.err

    def test_little_memory(self, process, nifti, tmp_path):
        path = nifti(
            np.random.default_rng(0).integers(0, 999, (256, 256, 60)).astype(np.int16), name="b.nii.gz"
        )
        done = process(
            *("build", path, "--blueprint", "mr-image", "--out", tmp_path / "out", "--json"),
            limits={resource.RLIMIT_AS: 400 * 1024**2},
            env={"OPENBLAS_NUM_THREADS": "1"},
            tmp_path=tmp_path,
        )
        assert "Traceback" not in done.err
        if done.code:
            assert_one_error(done)
            assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "name", ["v05_mr_three_plane_localizer/dicom", "v17_pdf/sizes.pdf", "v18_pictures/card_rgb.png"]
)
def test_shared_files_of_other_kinds(refused, shared_data, name):
    refused(shared_data / name)


def test_no_data_of_the_patient_in_an_error(refused, nifti, make_series, write_series, tmp_path):
    elements = {"PatientName": "CANARY^NAME", "PatientBirthDate": "19440404", "AccessionNumber": "CANARYACC"}
    series = make_series("MR", shape=(3, 4, 5), elements=elements)
    series[1].SeriesInstanceUID = "2.25.77"
    write_series(series, tmp_path / "parents")
    error = refused(nifti(), "--parent", tmp_path / "parents")
    assert "CANARY" not in error
    assert "19440404" not in error


def test_everything_wrong_at_once_is_still_one_error(refused, tmp_path):
    shutil.copy("/dev/null", tmp_path / "x.nii")
    refused(tmp_path / "x.nii", "--parent", tmp_path / "none", "--set", "Nope=1", "--reader", "none")
