"""Nuclear medicine: a volume as a stack of planar images in one instance."""

from __future__ import annotations

import numpy as np
import pydicom
import pytest

from dicomwright import Blueprint, DicomFactory, StaticElement, Volume
from dicomwright.errors import BlueprintError, SourceError
from dicomwright.plugins import load
from dicomwright.verify import prover

COUNTS = np.arange(84, dtype=np.uint16).reshape(3, 4, 7) * 5
TURN = np.array(
    [[0.96, 0.28, 0], [-0.224, 0.768, 0.6], [0.168, -0.576, 0.8]]
)  # rows of directions: column, row, slice
AFFINE = np.eye(4)
AFFINE[:3, :3] = np.column_stack([TURN[2] * 3.5, TURN[1] * 2.25, TURN[0] * 1.25])
AFFINE[:3, 3] = (-12, 7.5, 101)


@pytest.fixture
def build():
    def built(array=COUNTS, *elements, affine=AFFINE, parents=None, **more):
        blueprint = Blueprint.load("nm-image") + Blueprint(elements)
        return DicomFactory(plugin_set=load(enabled=False)).build(
            Volume(array, affine), blueprint, parents, **more
        )

    return built


def detector_of(dataset, frame):
    return dataset.DetectorInformationSequence[dataset.DetectorVector[frame] - 1]


def test_one_instance_with_a_frame_for_each_slice(build):
    series = build()
    (dataset,) = series
    assert series.result["encoder"]["name"] == "planar-stack"
    assert (dataset.SOPClassUID, dataset.Modality) == ("1.2.840.10008.5.1.4.1.1.20", "NM")
    assert (dataset.NumberOfFrames, dataset.Rows, dataset.Columns) == (3, 4, 7)
    np.testing.assert_array_equal(dataset.pixel_array, COUNTS)
    assert list(dataset.FrameIncrementPointer) == [0x00540010, 0x00540020]
    assert list(dataset.EnergyWindowVector) == [1, 1, 1]
    assert list(dataset.DetectorVector) == [1, 2, 3]
    assert (dataset.NumberOfEnergyWindows, dataset.NumberOfDetectors) == (1, 3)


def test_each_frame_has_its_place(build):
    (dataset,) = build()
    assert list(dataset.PixelSpacing) == [2.25, 1.25]
    for frame in range(3):
        detector = detector_of(dataset, frame)
        np.testing.assert_allclose(
            detector.ImagePositionPatient, AFFINE[:3, 3] + frame * AFFINE[:3, 0], atol=1e-9
        )
        np.testing.assert_allclose(detector.ImageOrientationPatient, [*TURN[0], *TURN[1]], atol=1e-9)
    assert "FrameOfReferenceUID" in dataset


def test_without_a_place_nothing_is_said_of_it(build):
    (dataset,) = build(affine=None)
    assert list(dataset.DetectorInformationSequence) == []
    assert dataset["PixelSpacing"].is_empty
    assert "FrameOfReferenceUID" not in dataset


@pytest.mark.parametrize("kind", ["int16", "uint8", "float32"])
@pytest.mark.parametrize("with_parents", [False, True])
def test_values_and_validators(build, make_series, kind, with_parents, tmp_path, dciodvfy):
    parents, affine = (
        None,
        AFFINE[:, [0, 1, 2, 3]] * [-1, 1, 1, 1],
    )  # against the normal: the frames are turned round
    array = np.random.default_rng(3).uniform(0 if kind == "uint8" else -90, 250, (3, 4, 7)).astype(kind)
    if with_parents:
        parents, affine = make_series(modality="MR"), None
        array = np.resize(array, (len(parents), parents[0].Rows, parents[0].Columns))
    series = build(array, affine=affine, parents=parents)
    (file,) = series.write(tmp_path / "out", checks=[prover(series)])
    proof = series.result["verify"]
    assert proof["pixels"] == 32 * len(array)
    assert proof["max_mm"] < 1e-6
    assert dciodvfy(file) == []
    dataset = pydicom.dcmread(file)
    assert dataset.BitsAllocated == (8 if kind == "uint8" else 16)
    assert ("RescaleSlope" in dataset) is (kind == "float32")
    assert len(dataset.get("SourceImageSequence", ())) == (len(array) if with_parents else 0)


def test_a_stack_of_energy_windows_and_detectors(build):
    (dataset,) = build(
        COUNTS[:2],
        StaticElement("EnergyWindowVector", "US", [1, 2]),
        StaticElement("NumberOfEnergyWindows", "US", 2),
        StaticElement("DetectorVector", "US", [1, 1]),
        StaticElement("NumberOfDetectors", "US", 1),
        affine=None,
    )
    assert (list(dataset.EnergyWindowVector), dataset.NumberOfDetectors) == ([1, 2], 1)


def test_a_time_that_nobody_knows_is_told(build):
    assert [text for text in build().warnings if "ActualFrameDuration (0018,1242) must be said" in text]
    given = build(COUNTS, StaticElement("ActualFrameDuration", "IS", 60000))
    assert given[0].ActualFrameDuration == 60000
    assert not [text for text in given.warnings if "ActualFrameDuration" in text]


def test_a_parent_whose_frames_took_different_times(build, make_series):
    parents = make_series(modality="MR")
    for number, dataset in enumerate(parents):
        dataset.ActualFrameDuration = 1000 + number
    series = build(parents=parents)
    assert series[0].ActualFrameDuration == 0
    assert [text for text in series.warnings if "ActualFrameDuration" in text]


@pytest.mark.parametrize(
    ("element", "message"),
    [
        (
            StaticElement("DetectorVector", "US", [1, 2]),
            "DetectorVector has 2 values, and there are 3 frames",
        ),
        (StaticElement("EnergyWindowVector", "US", 1), "EnergyWindowVector has 1 value, and"),
        (StaticElement("ImageType", "CS", ["DERIVED", "PRIMARY", "TOMO", "EMISSION"]), "value 3 is TOMO"),
    ],
)
def test_other_stacks_are_refused(build, element, message):
    with pytest.raises(BlueprintError, match=message) as refusal:
        build(COUNTS, element)
    assert "test_planar_stack.py" in refusal.value.problems[0].loc


def test_colour_and_other_iods_are_refused(build):
    with pytest.raises(SourceError, match="colour cannot be stored as NM"):
        build(np.zeros((3, 4, 7, 3), np.uint8))
    with pytest.raises(SourceError, match="its frames take"):
        build(np.broadcast_to(np.uint8(0), (2, 40000, 40000)))
    with pytest.raises(BlueprintError, match="writes NM images, not CT Image Storage"):
        DicomFactory().build(Volume(COUNTS, AFFINE), Blueprint.load("ct-image"), encoder="planar-stack")


def test_large_stacks_are_made_part_by_part(build, monkeypatch):
    monkeypatch.setattr("dicomwright.encoders.frames._AT_ONCE", 10)
    np.testing.assert_array_equal(build()[0].pixel_array, COUNTS)
