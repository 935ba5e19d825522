"""Finished files are proved against their source; files that lie are found out."""

import itertools

import numpy as np
import pydicom
import pytest

from dicomwright import Blueprint, DicomFactory, Document, Frames, ParentSeries, Volume
from dicomwright.errors import PublishError
from dicomwright.verify import prove, prover

TURNED = np.array([[0.36, 0.48, -0.8], [-0.8, 0.6, 0.0], [0.48, 0.64, 0.6]])  # orthonormal, oblique
AFFINE = np.eye(4)
AFFINE[:3, :3] = TURNED * [3.1, 1.3, 0.7]
AFFINE[:3, 3] = [11.5, -42.25, 7.125]


@pytest.fixture
def volume():
    return Volume(np.random.default_rng(1).integers(-900, 900, (5, 6, 7)).astype(np.int16), AFFINE)


@pytest.fixture
def written(volume, tmp_path):
    """Return the files of a series, and a function that rewrites each of them."""
    series = DicomFactory().build(volume, Blueprint.load("ct-image"))
    files = series.write(tmp_path / "out")

    def rewritten(change):
        for number, path in enumerate(files):
            dataset = pydicom.dcmread(path)
            change(dataset, number)
            dataset.save_as(path)
        return files

    return rewritten


def test_figures(volume, tmp_path):
    series = DicomFactory().build(volume, Blueprint.load("ct-image"))
    series.write(tmp_path / "out", checks=[prover(series)])
    proof = series.result["verify"]
    assert proof["instances"] == 5
    assert proof["pixels"] >= 5 * 4
    assert proof["max_mm"] < 1e-6
    assert proof["max_value_error"] == 0


@pytest.mark.parametrize("slicing", ["native", "axial", "coronal", "sagittal"])
@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_every_axis_order(tmp_path, volume, slicing, order):
    affine = np.eye(4)
    affine[:3, :3] = AFFINE[:3, order]
    affine[:3, 3] = AFFINE[:3, 3]
    turned = Volume(volume.array.transpose(order), affine)
    series = DicomFactory().build(turned, Blueprint.load("mr-image"), encoder_options={"slicing": slicing})
    series.write(tmp_path / "out", checks=[prover(series)])
    assert series.result["verify"]["max_mm"] < 1e-6


@pytest.mark.parametrize("kind", [np.float32, np.float64, np.uint8, np.int32])
@pytest.mark.parametrize("name", ["mr-image", "ct-image", "pet-image"])
def test_every_kind_of_value(tmp_path, kind, name):
    values = np.random.default_rng(2).normal(40, 20, (3, 4, 5)).clip(1, 200).astype(kind)
    series = DicomFactory().build(Volume(values, AFFINE, slope=2.5), Blueprint.load(name))
    series.write(tmp_path / "out", checks=[prover(series)])
    proof, stored = series.result["verify"], series.result["stored_values"]
    assert proof["max_value_error"] <= stored["max_abs_error"] * 1.000001 + 1e-6


@pytest.mark.parametrize("backwards", [False, True])
def test_arrays_in_the_place_of_their_parents(tmp_path, make_series, backwards):
    parents = sorted(
        make_series(orientation="oblique"), key=lambda one: ParentSeries(make_series()).first is one
    )
    parents = list(ParentSeries(parents))
    parents = parents[::-1] if backwards else parents
    array = np.random.default_rng(3).integers(0, 99, (len(parents), parents[0].Rows, parents[0].Columns))
    series = DicomFactory().build(array.astype(np.int16), Blueprint.load("ct-image"), parents)
    series.write(tmp_path / "out", checks=[prover(series)])
    assert series.result["verify"]["max_mm"] < 1e-6


def test_missing_values_are_not_compared(tmp_path):
    values = np.ones((2, 3, 4), np.float32)
    values[0, 0, 0] = np.nan
    series = DicomFactory().build(
        Volume(values, AFFINE), Blueprint.load("ct-image"), encoder_options={"non_finite": "-1024"}
    )
    series.write(tmp_path / "out", checks=[prover(series)])


def mirrored(dataset, _):
    dataset.PixelData = dataset.pixel_array[:, ::-1].tobytes()


def shifted(dataset, _):
    dataset.ImagePositionPatient = [float(one) + 0.35 for one in dataset.ImagePositionPatient]


def turned(dataset, _):
    orientation = list(dataset.ImageOrientationPatient)
    dataset.ImageOrientationPatient = orientation[3:] + orientation[:3]


def respaced(dataset, _):
    dataset.PixelSpacing = [float(one) * 1.01 for one in dataset.PixelSpacing]


def one_more(dataset, number):
    if number == 3:
        dataset.PixelData = (dataset.pixel_array + 1).astype(np.int16).tobytes()


def rescaled(dataset, _):
    dataset.RescaleIntercept = "1"


def uneven(dataset, number):
    if number == 2:
        dataset.ImagePositionPatient = [float(one) + 0.02 for one in dataset.ImagePositionPatient]


def in_ras(dataset, _):
    x, y, z = dataset.ImagePositionPatient
    dataset.ImagePositionPatient = [-x, -y, z]


LIES = [mirrored, shifted, turned, respaced, one_more, rescaled, uneven, in_ras]


@pytest.mark.parametrize("lie", LIES, ids=lambda lie: lie.__name__)
def test_files_that_lie(volume, written, lie):
    files = written(lambda *_: None)
    assert prove(files, volume).max_value_error == 0
    with pytest.raises(PublishError, match=r"0000\d.dcm: the pixel of row"):
        prove(written(lie), volume)


def test_slices_that_are_swapped(volume, written):
    files = written(lambda *_: None)
    pixels = [pydicom.dcmread(path).PixelData for path in files]
    with pytest.raises(PublishError, match="has the value"):
        prove(written(lambda dataset, number: setattr(dataset, "PixelData", pixels[::-1][number])), volume)


def test_nothing_is_published(volume, tmp_path):
    series = DicomFactory().build(volume, Blueprint.load("ct-image"))
    shown = Volume(volume.array + 1, AFFINE)

    def lying(files):
        return {"verify": prove(files, shown).as_dict()}

    with pytest.raises(PublishError):
        series.write(tmp_path / "out", checks=[lying])
    assert list(tmp_path.iterdir()) == []


def test_images_without_space(tmp_path):
    dataset = pydicom.Dataset()
    dataset.file_meta = pydicom.dataset.FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    dataset.SOPClassUID, dataset.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.7", "1.2.3"
    dataset.Rows, dataset.Columns, dataset.SamplesPerPixel, dataset.PlanarConfiguration = 2, 3, 3, 0
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 8, 8, 7, 0
    dataset.PhotometricInterpretation = "RGB"
    image = np.arange(18, dtype=np.uint8).reshape(2, 3, 3)
    dataset.PixelData = image.tobytes()
    dataset.save_as(tmp_path / "1.dcm", enforce_file_format=True)
    assert prove([tmp_path / "1.dcm"], Frames([image])).max_mm is None
    with pytest.raises(PublishError, match="has the value"):
        prove([tmp_path / "1.dcm"], Frames([image[::-1]]))
    with pytest.raises(PublishError, match="are not slice 1"):
        prove([tmp_path / "1.dcm"], Frames([image[:, :2]]))


def test_documents(tmp_path):
    dataset = pydicom.Dataset()
    dataset.file_meta = pydicom.dataset.FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    dataset.SOPClassUID, dataset.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.104.1", "1.2.3"
    dataset.EncapsulatedDocument = b"%PDF-odd\0"
    dataset.save_as(tmp_path / "1.dcm", enforce_file_format=True)
    assert prove([tmp_path / "1.dcm"], Document(b"%PDF-odd", "application/pdf", 1, "")).instances == 1
    with pytest.raises(PublishError, match="is not that of the source"):
        prove([tmp_path / "1.dcm"], Document(b"%PDF-ood", "application/pdf", 1, ""))
