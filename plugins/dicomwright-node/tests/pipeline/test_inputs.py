"""Which input takes an instance, when it is complete, and what its grinder makes of it."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset

from dicomwright import Blueprint, DicomFactory, DicomwrightError
from dicomwright_node import AbstractInput, AbstractPipeline, AbstractProcessor, NoOutput, PipelineError
from dicomwright_node.pipeline.grinders import (
    chain,
    many,
    to_array,
    to_datasets,
    to_nifti,
    to_parents,
    to_paths,
    to_volume,
)
from dicomwright_node.pipeline.routing import Router


class CTInput(AbstractInput):
    required_values = {"Modality": "CT"}
    required_tags = ["SliceThickness"]


class Original(AbstractInput):
    required_values = {"Modality": ["CT"], "ImageType": "ORIGINAL", "SeriesNumber": 30}


class Echo(AbstractPipeline):
    input = {"ct": CTInput, "original": Original}

    class Processor(AbstractProcessor):
        def process(self, input_container):
            self.logger.info("%s", input_container.key)
            sys.stdout.write(f"{ ({name: len(data) for name, data in input_container.items()}) }\n")
            return NoOutput()


def header(**values):
    made = Dataset()
    made.PatientID, made.Modality, made.SliceThickness = "4711", "CT", "2"
    made.update(values)
    return made


@pytest.mark.parametrize(
    ("values", "name", "reason"),
    [
        ({}, "ct", ""),
        ({"ImageType": ["ORIGINAL", "PRIMARY"], "SeriesNumber": "30"}, "original", ""),
        ({"ImageType": ["ORIGINAL", "PRIMARY"], "SeriesNumber": "4"}, "ct", ""),
        ({"Modality": "MR"}, "", "ct wants another Modality (0008,0060)"),
        ({"SliceThickness": None}, "", "it has no SliceThickness (0018,0050) for ct"),
        ({"PatientID": "  "}, "", "it has no PatientID (0010,0020), so that no job can be found for it"),
    ],
)
def test_an_instance_goes_to_the_input_that_asks_for_most_of_what_it_has(values, name, reason):
    dataset = header()
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    route = Router(Echo).route(dataset)
    assert route.input == name
    assert reason in route.reason
    assert "4711" not in route.reason
    assert route.key == ("4711" if "PatientID" not in values else "")


def test_instances_are_grouped_by_another_tag():
    grouped = type("Grouped", (Echo,), {"patient_identifier_tag": "StudyInstanceUID"})
    dataset = header()
    dataset.StudyInstanceUID = "1.2.3"
    assert Router(grouped).route(dataset).key == "1.2.3"
    grouped.patient_identifier_tag = "ImageType"
    dataset.ImageType = ["ORIGINAL", "PRIMARY"]
    assert Router(grouped).route(dataset).key == "ORIGINAL\\PRIMARY"


def test_an_input_may_ask_for_pixels(make_series, write_series, tmp_path):
    class Pixels(AbstractInput):
        required_tags = ["PixelData"]

    router = Router(type("WithPixels", (Echo,), {"input": {"all": Pixels}}))
    series = make_series()
    (path, bare) = write_series([series[0], series[1]], tmp_path)
    assert router.route(router.read(path)).input == "all"
    del series[1].PixelData
    series[1].save_as(bare, enforce_file_format=True)
    assert "no PixelData (7FE0,0010)" in router.route(router.read(bare)).reason


def test_a_file_that_is_damaged_is_no_error_of_the_node(tmp_path, monkeypatch):
    path = tmp_path / "damaged.dcm"
    path.write_bytes(bytes(128) + b"DICM" + b"\xff" * 40)
    with pytest.raises(PipelineError, match="the file holds no data elements"):
        Router(Echo).read(path)
    monkeypatch.chdir(tmp_path)
    Path("s").mkdir()
    with pytest.raises(PipelineError, match=r"^s: the file is a folder, not a file"):
        Router(Echo).read("s")


@pytest.fixture(params=["axial", "oblique"])
def series(request, make_series, write_series, tmp_path):
    """Return data sets of an anisotropic series in order, and an input with their files in another order."""
    datasets = make_series("CT", request.param, shape=(5, 6, 4), spacing=(2.5, 0.75, 1.25))
    paths = write_series(datasets, tmp_path / "series")
    shuffled = random.Random(3).sample(paths, len(paths))
    return datasets, AbstractInput(shuffled)


def test_everything_is_in_order_along_the_normal(series):
    datasets, one = series
    positions = [dataset.ImagePositionPatient for dataset in datasets]
    assert [dataset.ImagePositionPatient for dataset in to_datasets(one)] == positions
    assert [dataset.ImagePositionPatient for dataset in to_parents(one)] == positions
    assert [dataset.ImagePositionPatient for dataset in one.headers] == positions
    assert len(to_paths(one)) == one.images == 5
    assert one.series_uids == (datasets[0].SeriesInstanceUID,)
    assert one.gapless()


def test_arrays_have_the_values_of_the_files(series):
    datasets, one = series
    expected = [
        dataset.pixel_array * float(dataset.get("RescaleSlope", 1))
        + float(dataset.get("RescaleIntercept", 0))
        for dataset in datasets
    ]
    assert np.array_equal(to_array(one), np.stack(expected))
    assert to_array(one).dtype == np.int32


def test_a_fraction_needs_a_float(series, tmp_path):
    datasets, _ = series
    for number, dataset in enumerate(datasets):
        dataset.RescaleSlope = "0.5"
        dataset.save_as(tmp_path / f"{number}.dcm", enforce_file_format=True)
    array = to_array(AbstractInput([tmp_path / f"{number}.dcm" for number in range(5)]))
    assert array.dtype == np.float32
    intercept = float(datasets[2].get("RescaleIntercept", 0))
    assert np.array_equal(array[2], datasets[2].pixel_array * 0.5 + intercept)


def test_a_rescale_element_without_a_value_says_nothing(make_series, write_series, tmp_path):
    (dataset,) = make_series("CT", shape=(1, 6, 4))
    dataset.RescaleSlope, dataset.RescaleIntercept = "", ""
    array = to_array(AbstractInput(write_series([dataset], tmp_path)))
    assert np.array_equal(array[0], dataset.pixel_array)


def test_stored_floats_are_values(make_series, write_series, tmp_path):
    (dataset,) = make_series("CT", shape=(1, 2, 3))
    del dataset.PixelData, dataset.RescaleSlope, dataset.RescaleIntercept
    dataset.BitsAllocated = 32
    dataset.FloatPixelData = np.linspace(-1, 1, 6, dtype="<f4").tobytes()
    array = to_array(AbstractInput(write_series([dataset], tmp_path)))
    assert array.dtype == np.float32
    assert np.array_equal(array.ravel(), np.linspace(-1, 1, 6, dtype=np.float32))


def test_a_volume_is_where_its_files_are(series, sitk_read, compare_volumes):
    _, one = series
    volume = to_volume(one)
    read = sitk_read(one.paths[0].parent)
    assert compare_volumes(volume.affine.matrix, volume.array, read.affine, read.array)


def test_a_volume_that_is_built_again_has_the_place_and_the_values(series):
    datasets, one = series
    built = DicomFactory().build(to_volume(one), Blueprint.load("ct-image"), one.parents)
    for before, after in zip(datasets, built, strict=True):
        assert np.allclose(before.ImagePositionPatient, after.ImagePositionPatient, atol=1e-5)
        assert np.array_equal(
            before.pixel_array * float(before.get("RescaleSlope", 1))
            + float(before.get("RescaleIntercept", 0)),
            after.pixel_array * float(after.RescaleSlope) + float(after.RescaleIntercept),
        )


def test_a_nifti_image_is_where_its_files_are(series, dcm2niix, nifti_in_lps, compare_volumes):
    _, one = series
    mine = nifti_in_lps(to_nifti(one))
    (theirs,) = map(nifti_in_lps, dcm2niix(one.paths[0].parent))
    assert compare_volumes(mine.affine, mine.array, theirs.affine, theirs.array)


def test_grinders_are_put_together():
    grinder = chain(lambda one: one.images, many(half=lambda count: count / 2, text=str))
    assert grinder(AbstractInput(["a", "b", "c"])) == {"half": 1.5, "text": "3"}


def test_several_series_in_one_input(make_series, write_series, tmp_path):
    paths = [
        *write_series(make_series(seed=1, shape=(2, 3, 4)), tmp_path / "a"),
        *write_series(make_series(seed=2, shape=(2, 3, 4)), tmp_path / "b"),
    ]
    one = AbstractInput(paths[::-1])
    assert len(one.series_uids) == 2
    assert [header.InstanceNumber for header in one.headers] == [1, 2, 1, 2]
    assert not one.gapless()
    with pytest.raises(DicomwrightError, match="series"):
        to_array(one)


def test_when_a_series_is_complete(make_series, write_series, tmp_path):
    datasets = make_series(shape=(5, 3, 4), elements={"ImagesInAcquisition": 5})
    paths = write_series(datasets, tmp_path / "series")
    assert AbstractInput(paths).counted()
    assert not AbstractInput(paths[:4]).counted()
    assert not AbstractInput([*paths[:2], *paths[3:]]).gapless()
    assert not AbstractInput(paths).counted("NumberOfSlices")
    assert AbstractInput(paths[:1]).validate()
    assert not AbstractInput([]).validate()


def test_a_pipeline_runs_without_a_node(make_series, write_series, tmp_path, capsys):
    ct = write_series(make_series(elements={"SliceThickness": 2}), tmp_path / "ct")
    with pytest.raises(PipelineError, match="inputs are not complete: original has 0 images"):
        Echo().run(ct)
    original = make_series(seed=2, elements={"ImageType": ["ORIGINAL", "PRIMARY"], "SeriesNumber": 30})
    assert Echo().run([*ct, *write_series(original, tmp_path / "original")]) == NoOutput()
    assert capsys.readouterr().out == "{'ct': 5, 'original': 5}\n"
    for dataset in original:
        dataset.PatientID = "another"
    other = write_series(original, tmp_path / "other")
    with pytest.raises(PipelineError, match="the files are of 2 patients"):
        Echo().run([*ct, *other])
    with pytest.raises(PipelineError, match=r"run was given one path, not a list; give files"):
        Echo().run(str(tmp_path / "ct"))
    with pytest.raises(PipelineError, match="wants another Modality"):
        Echo().run(write_series(make_series("MR"), tmp_path / "mr"))
