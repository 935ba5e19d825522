"""Series from real scanners."""

from __future__ import annotations

import shutil

import numpy as np
import pydicom
import pytest

from dicomwright.errors import ParentError
from dicomwright.parents import ParentSeries


@pytest.mark.parametrize(
    ("case", "count", "spacing", "size"),
    [
        ("v01_ct_axial", 4, 5.0, (512, 512)),
        ("v02_mr_sagittal", 8, 2.0, (256, 256)),
        ("v03_mr_oblique_triple", 12, 3.0, (64, 64)),
        ("v04_mr_oblique_ipp_off_normal", 8, 0.6667, (384, 274)),
        ("v06_pet_fdg", 16, 3.27, (128, 128)),
    ],
)
def test_stacks_shuffled_and_renamed(shared_data, tmp_path, case, count, spacing, size):
    paths = sorted((shared_data / case / "dicom").iterdir())
    for number, path in enumerate(paths):
        shutil.copy(path, tmp_path / f"{number * 7919 % 101:03}")
    series = ParentSeries.read(tmp_path)
    assert len(series) == count
    assert series.warnings == ()
    assert series.planes.spacing == pytest.approx(spacing, abs=1e-3)
    assert (series.planes.rows, series.planes.columns) == size
    assert (np.diff(series.planes.projections) > 0).all()
    assert series.pair(series.planes, count).indices == tuple(range(count))
    for position, image, path in zip(series.planes.positions, series, series.files, strict=True):
        assert position.tolist() == list(image.ImagePositionPatient)
        assert pydicom.dcmread(path, stop_before_pixels=True).SOPInstanceUID == image.SOPInstanceUID


def test_three_planes_in_one_series_are_named(shared_data):
    with pytest.raises(ParentError) as caught:
        ParentSeries.read(shared_data / "v05_mr_three_plane_localizer" / "dicom")
    assert caught.value.problems[0].message == (
        "the parent series holds 3 orientations: 5 axial (MR.02, MR.03, MR.04 and 2 more), "
        "5 sagittal (MR.09, MR.10, MR.11 and 2 more), 5 coronal (MR.16, MR.17, MR.18 and 2 more)"
    )


@pytest.mark.parametrize(("first", "axis"), [(0, 2), (5, 0), (10, 1)])
def test_each_plane_alone_is_a_series(shared_data, first, axis):
    paths = sorted((shared_data / "v05_mr_three_plane_localizer" / "dicom").iterdir())
    series = ParentSeries.read(paths[first : first + 5])
    assert series.planes.spacing == pytest.approx(15)
    assert int(np.argmax(np.abs(series.planes.normal))) == axis


def test_tilt_and_uneven_spacing(shared_data):
    series = ParentSeries.read(shared_data / "v07_ct_tilt_nonuniform" / "dicom")
    assert series.planes.spacing is None
    tilt, spacing = series.warnings
    assert "18.5° off their normal (gantry tilt)" in tilt
    assert spacing == "the parents' slices are not evenly spaced: 1.081 to 6.999 mm"
    assert series.pair(series.planes, 8).indices == tuple(range(8))


def test_every_transfer_syntax_gives_the_same_elements(shared_data):
    original = {
        image.SOPInstanceUID: image for image in ParentSeries.read(shared_data / "v02_mr_sagittal" / "dicom")
    }
    folders = sorted((shared_data / "v08_parents_transfer_syntaxes").glob("series_*"))
    assert len(folders) == 7
    for folder in folders:
        series = ParentSeries.read(folder)
        assert [image.InstanceNumber for image in series] == [25, 26, 27]
        assert series.warnings == ()
        for index, image in enumerate(series):
            reference = original[image.SOPInstanceUID]
            for tag in reference.keys():  # noqa: SIM118 - a Dataset iterates over elements
                if not tag.is_private and tag in image:
                    assert series.element(tag, index).value == reference[tag].value, (folder.name, tag)


def test_single_files_in_six_encodings_are_one(shared_data):
    singles = shared_data / "v08_parents_transfer_syntaxes" / "singles"
    reference = ParentSeries.read(singles / "MR_small.dcm")
    for path in sorted(singles.glob("MR_small_*.dcm")):
        series = ParentSeries.read(path)
        for keyword in (
            "PatientName",
            "StudyInstanceUID",
            "EchoTime",
            "ImagePositionPatient",
            "WindowCenter",
        ):
            tag = pydicom.tag.Tag(keyword)
            assert series.element(tag).value == reference.element(tag).value, path.name


def test_a_file_with_a_corrupt_beginning_is_refused(shared_data):
    with pytest.raises(ParentError, match=r"no_meta\.dcm is not a DICOM file"):
        ParentSeries.read(shared_data / "v08_parents_transfer_syntaxes" / "singles" / "no_meta.dcm")


@pytest.mark.parametrize(("name", "implicit"), [("MR_small.dcm", False), ("MR_small_implicit.dcm", True)])
def test_a_bare_data_set_is_read_with_a_warning(shared_data, tmp_path, name, implicit):
    source = shared_data / "v08_parents_transfer_syntaxes" / "singles" / name
    raw = source.read_bytes()
    start = 132 + 12 + int.from_bytes(raw[140:144], "little")
    (tmp_path / "bare").write_bytes(raw[start:])
    series = ParentSeries.read(tmp_path)
    assert series.first.original_encoding == (implicit, True)
    assert series.first.SOPInstanceUID == pydicom.dcmread(source).SOPInstanceUID
    assert series.warnings[0].endswith("it has no file meta information: the transfer syntax was guessed")


def test_private_sequences_are_whole(shared_data):
    series = ParentSeries.read(
        shared_data / "v08_parents_transfer_syntaxes" / "singles" / "nested_priv_SQ.dcm"
    )
    reference = pydicom.dcmread(series.files[0])
    del reference.PixelData
    for element in reference:
        if element.tag.element:
            assert series.element(element.tag) == element


def test_frames_of_enhanced_objects_have_planes(shared_data):
    series = ParentSeries.read(shared_data / "v10_enhanced_multiframe" / "enhanced_ct")
    assert len(series) == 1
    assert len(series.planes) == 2
    assert series.planes.spacing == pytest.approx(10)
    assert series.pair(series.planes, 2).indices == (0, 0)


def test_enhanced_objects_without_functional_groups_have_none(shared_data):
    for name in ("enhanced_mr", "enhanced_mr_jpegls"):
        series = ParentSeries.read(shared_data / "v10_enhanced_multiframe" / name)
        assert series.planes is None
        assert "say no position and orientation" in series.warnings[0]
        assert series.pair(None, 1).unpaired == (0,)


@pytest.mark.parametrize(
    ("folder", "instances", "planes", "times"),
    [("v10_enhanced_multiframe/enhanced_mr_4d", 4, 6, 4), ("v11_mr_4d/ge_dicom", 24, 8, 3)],
)
def test_time_series(shared_data, folder, instances, planes, times):
    series = ParentSeries.read(shared_data / folder)
    assert (len(series), len(series.planes)) == (instances, planes)
    assert f"up to {times} images at each of {planes} positions" in series.warnings[0]
    assert series.pair(series.planes, planes).problem.kind == "ambiguous-pairing"


def test_mosaics_have_no_planes(shared_data):
    series = ParentSeries.read(shared_data / "v11_mr_4d" / "mosaic_dicom")
    assert series.planes is None
    (warning,) = series.warnings
    assert warning == (
        "the parents are mosaics, each a whole volume: they have no slice positions "
        "(epi_pe_ap-00001.dcm, epi_pe_ap-00002.dcm)"
    )
    assert "none belongs to a single slice" in series.pair(None, 2).problem.message


def test_slopes_of_pet_slices_are_their_own(shared_data):
    series = ParentSeries.read(shared_data / "v06_pet_fdg" / "dicom")
    assert series.varies(0x00281053)
    slopes = [element.value for element in series.column(0x00281053, range(len(series)))]
    assert slopes == [image.RescaleSlope for image in series]
    assert len(set(slopes)) == 16
