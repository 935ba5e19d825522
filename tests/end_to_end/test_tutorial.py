"""Every snippet of the tutorial, completed where it is only a fragment."""

from __future__ import annotations

import datetime as dt
from random import randint

import nibabel as nib
import numpy as np
import pydicom
import pytest
from pydicom import Dataset, Sequence
from pydicom.uid import SecondaryCaptureImageStorage

from dicomwright import (
    Blueprint,
    CopyElement,
    DicomFactory,
    DicomwrightError,
    DiscardElement,
    FillingStrategy,
    FunctionalElement,
    InstanceCopyElement,
    InstanceEnvironment,
    SequenceElement,
    SeriesElement,
    StaticElement,
    gen_uid,
)


@pytest.fixture
def parent_series(make_series):
    series = make_series("MR", "sagittal", shape=(4, 7, 5))
    for number, dataset in enumerate(series):
        dataset.SliceLocation = f"{number * 2.5}"
        dataset.AcquisitionTime = f"10000{number}"
    return series


@pytest.fixture
def image():
    return np.arange(140, dtype=np.int16).reshape(4, 7, 5)


@pytest.fixture
def factory():
    return DicomFactory()


def test_the_blueprint_and_a_static_element(factory, image, parent_series):
    blueprint = Blueprint()
    assert len(blueprint) == 0
    blueprint.add_virtual_element(StaticElement(0x0008103E, "LO", "My pipeline Series Description"))
    assert 0x0008103E in blueprint
    series = factory.build_series(image, blueprint, parent_series)
    assert {dataset.SeriesDescription for dataset in series} == {"My pipeline Series Description"}


def test_a_series_element_gives_one_value_to_all(factory, image, parent_series):
    blueprint = Blueprint()
    blueprint.add_virtual_element(SeriesElement(0x0020000E, "UI", gen_uid))
    first = factory.build_series(image, blueprint, parent_series)
    second = factory.build_series(image, blueprint, parent_series)
    uids = [{dataset.SeriesInstanceUID for dataset in series} for series in (first, second)]
    assert len(uids[0]) == len(uids[1]) == 1
    assert uids[0] != uids[1]
    assert parent_series[0].SeriesInstanceUID not in uids[0] | uids[1]
    assert all(uid.is_valid for uid in uids[0])


def test_a_copy_element_pulls_from_the_parent(factory, image, parent_series):
    blueprint = Blueprint()
    blueprint.add_virtual_element(CopyElement(0x00200010))
    assert blueprint.required_tags() == [0x00200010]
    series = factory.build_series(image, blueprint, parent_series)
    assert {dataset.StudyID for dataset in series} == {parent_series[0].StudyID}


def test_a_copy_aborts_by_default_and_goes_on_when_optional(factory, image, parent_series):
    for dataset in parent_series:
        del dataset.StudyDescription
    with pytest.raises(DicomwrightError, match=r"StudyDescription \(0008,1030\) is missing in the parent"):
        factory.build_series(image, Blueprint([CopyElement(0x00081030)]), parent_series)
    blueprint = Blueprint()
    blueprint.add_virtual_element(CopyElement(0x00081030, optional=True))
    series = factory.build_series(image, blueprint, parent_series)
    assert all("StudyDescription" not in dataset for dataset in series)


def test_a_discard_element_keeps_a_tag_out_of_what_is_filled(image, parent_series):
    for dataset in parent_series:
        dataset.PatientComments = "not for others"
        dataset.ProtocolName = "kept"
    blueprint = Blueprint([SeriesElement(0x0020000E, "UI", gen_uid)])
    filled = DicomFactory(FillingStrategy.COPY).build_series(image, blueprint, parent_series)
    assert filled[0].PatientComments == "not for others"
    assert filled[0].ProtocolName == "kept"
    blueprint.add_virtual_element(DiscardElement(0x00104000))
    series = DicomFactory(FillingStrategy.COPY).build_series(image, blueprint, parent_series)
    assert all("PatientComments" not in dataset for dataset in series)
    assert series[0].ProtocolName == "kept"
    unfilled = DicomFactory(FillingStrategy.DISCARD).build_series(image, blueprint, parent_series)
    assert "PatientComments" not in unfilled[0]


def test_a_discard_element_wins_over_a_weaker_blueprint(factory, image, parent_series):
    blueprint = Blueprint.load("mr-image") + Blueprint([DiscardElement("SeriesDescription")])
    assert "SeriesDescription" not in factory.build_series(image, blueprint, parent_series)[0]


def test_the_instance_environment_has_the_fields_of_the_tutorial():
    env = InstanceEnvironment(3)
    assert env.instance_number == 3
    assert env.kwargs == {}
    for name in ("header_dataset", "image", "factory", "intercept", "slope", "scaled_image", "total_images"):
        assert getattr(env, name) is None
    env = InstanceEnvironment(1, {"a": 1}, Dataset(), "image", "factory", 0.0, 1.0, "scaled", 7)
    assert (env.image, env.factory, env.intercept, env.slope) == ("image", "factory", 0.0, 1.0)
    assert (env.scaled_image, env.total_images) == ("scaled", 7)


def test_a_functional_element_gives_a_value_per_slice(factory, image, parent_series):
    seen = []

    def my_function(instance_environment: InstanceEnvironment) -> str:
        seen.append(instance_environment)
        return f"slice {instance_environment.instance_number} of {instance_environment.total_images}"

    blueprint = Blueprint()
    blueprint.add_virtual_element(FunctionalElement(0x00204000, "LT", my_function))
    series = factory.build_series(image, blueprint, parent_series)
    assert [dataset.ImageComments for dataset in series] == [f"slice {n} of 4" for n in (1, 2, 3, 4)]
    env = seen[2]
    assert np.array_equal(env.image, image[2])
    assert np.array_equal(env.scaled_image * env.slope + env.intercept, image[2])
    assert env.factory is factory
    assert env.header_dataset.PatientID == "P-001"
    assert env.instance_dataset.SliceLocation == 5.0


def test_an_instance_copy_element_follows_the_paired_parent(factory, image, parent_series):
    blueprint = Blueprint([InstanceCopyElement(0x00080032, "TM")])
    assert 0x00200013 in blueprint.required_tags()
    series = factory.build_series(image, blueprint, parent_series)
    by_place = {tuple(d.ImagePositionPatient): d.AcquisitionTime for d in parent_series}
    assert len(set(by_place.values())) == 4
    assert [d.AcquisitionTime for d in series] == [by_place[tuple(d.ImagePositionPatient)] for d in series]


def test_a_sequence_element_has_an_item_per_blueprint(factory, image, parent_series):
    blueprint = Blueprint()
    sequence_blueprint = Blueprint(
        [
            StaticElement(0x00080100, "SH", "113076"),
            StaticElement(0x00080102, "SH", "DCM"),
            StaticElement(0x00080104, "LO", "Segmentation"),
        ]
    )
    varying_blueprint = Blueprint(
        [
            FunctionalElement(0x00080100, "SH", lambda env: str(env.instance_number)),
            StaticElement(0x00080102, "SH", "99LOCAL"),
            CopyElement(0x00081030),
        ]
    )
    blueprint.add_virtual_element(SequenceElement(0x00089215, [sequence_blueprint, varying_blueprint]))
    series = factory.build_series(image, blueprint, parent_series)
    for number, dataset in enumerate(series, 1):
        first, second = dataset.DerivationCodeSequence
        assert (first.CodeValue, first.CodingSchemeDesignator, first.CodeMeaning) == (
            "113076",
            "DCM",
            "Segmentation",
        )
        assert (second.CodeValue, second.StudyDescription) == (str(number), "Phantom study")


def test_sequences_of_dynamic_length(factory, image, parent_series, tmp_path):
    lengths = []

    def my_sequence_generator(instance_environment: InstanceEnvironment):
        sequence = [Dataset() for _ in range(randint(1, 10))]
        for item in sequence:
            item.ReferencedSOPClassUID = "1.2.840.10008.5.1.4.1.1.4"
            item.ReferencedSOPInstanceUID = gen_uid()
        lengths.append((instance_environment.instance_number, len(sequence)))
        return Sequence(sequence)

    blueprint = Blueprint()
    blueprint.add_virtual_element(FunctionalElement(0x00081140, "SQ", my_sequence_generator))
    files = factory.build_series(image, blueprint, parent_series).write(tmp_path / "out")
    written = [len(pydicom.dcmread(path).ReferencedImageSequence) for path in files]
    assert written == [length for _, length in sorted(lengths)]


def test_a_dynamic_sequence_may_hold_empty_items(factory, image, parent_series, tmp_path):
    def my_sequence_generator(_: InstanceEnvironment):
        return Sequence([Dataset() for _ in range(3)])

    blueprint = Blueprint([FunctionalElement(0x00081140, "SQ", my_sequence_generator)])
    path = factory.build_series(image, blueprint, parent_series).write(tmp_path / "out")[0]
    assert [len(item) for item in pydicom.dcmread(path).ReferencedImageSequence] == [0, 0, 0]


def test_a_dynamic_sequence_may_be_a_plain_list(factory, image, parent_series):
    blueprint = Blueprint([FunctionalElement(0x00081140, "SQ", lambda _: [Dataset(), Dataset()])])
    assert len(factory.build_series(image, blueprint, parent_series)[0].ReferencedImageSequence) == 2


def test_user_data_comes_in_through_kwargs(factory, image, parent_series):
    def bolus(env):
        return env.kwargs["doses"][env.instance_number - 1]

    blueprint = Blueprint([FunctionalElement("ContrastBolusVolume", "DS", bolus)])
    kwargs = {"doses": [1.5, 2.5, 3.5, 4.5]}
    positional = factory.build_series(image, blueprint, parent_series, kwargs)
    named = factory.build_series(image, blueprint, parent_series, kwargs=kwargs)
    for series in (positional, named):
        assert [dataset.ContrastBolusVolume for dataset in series] == [1.5, 2.5, 3.5, 4.5]


def test_build_series_sets_what_follows_from_the_image(factory, image, parent_series):
    blueprint = Blueprint(
        [
            StaticElement("Rows", "US", 3),
            StaticElement("Columns", "US", 3),
            StaticElement("BitsAllocated", "US", 8),
            StaticElement("ImagePositionPatient", "DS", [0, 0, 0]),
            StaticElement("PixelData", "OW", b"\0\0"),
        ]
    )
    series = factory.build_series(image, blueprint, parent_series)
    dataset = series[1]
    assert (dataset.Rows, dataset.Columns, dataset.BitsAllocated) == (7, 5, 16)
    assert np.array_equal(dataset.pixel_array, image[1])
    parent_places = sorted(tuple(d.ImagePositionPatient) for d in parent_series)
    assert sorted(tuple(d.ImagePositionPatient) for d in series) == parent_places


@pytest.mark.parametrize("given", ["image", "path", "text"])
def test_build_nifti_series(factory, tmp_path, given):
    affine = np.array([[0, 0, 3, -10], [1.5, 0, 0, 5], [0, 2, 0, 7], [0, 0, 0, 1.0]])
    nifti = nib.Nifti1Image(np.arange(60, dtype=np.int16).reshape(5, 4, 3), affine)
    path = tmp_path / "image.nii"
    nib.save(nifti, path)
    source = {"image": nifti, "path": path, "text": str(path)}[given]
    blueprint = Blueprint.load("mr-image") + Blueprint(
        [FunctionalElement("ImageComments", "LT", lambda env: env.kwargs["word"])]
    )
    series = factory.build_nifti_series(source, blueprint, {"word": "from outside"})
    assert len(series) == 3
    assert series[0].ImageComments == "from outside"
    assert len({dataset.StudyInstanceUID for dataset in series}) == 1


def test_a_copy_element_is_an_error_without_a_parent(factory, nifti):
    blueprint = Blueprint.load("mr-image") + Blueprint([CopyElement(0x00200010), CopyElement("StudyDate")])
    with pytest.raises(DicomwrightError, match="copied from the parent series, and there is none") as caught:
        factory.build_nifti_series(nifti(), blueprint)
    assert len(caught.value.problems) == 2


def test_build_series_without_image_encoding(factory, image, parent_series):
    def pixels(env):
        return (env.image % 256).astype(np.uint8).tobytes()

    blueprint = Blueprint(
        [
            StaticElement("SOPClassUID", "UI", SecondaryCaptureImageStorage),
            FunctionalElement("SOPInstanceUID", "UI", lambda _: gen_uid()),
            CopyElement("StudyInstanceUID"),
            SeriesElement("SeriesInstanceUID", "UI", gen_uid),
            StaticElement("SamplesPerPixel", "US", 1),
            StaticElement("PhotometricInterpretation", "CS", "MONOCHROME2"),
            FunctionalElement("Rows", "US", lambda env: env.image.shape[0]),
            FunctionalElement("Columns", "US", lambda env: env.image.shape[1]),
            StaticElement("BitsAllocated", "US", 8),
            StaticElement("BitsStored", "US", 8),
            StaticElement("HighBit", "US", 7),
            StaticElement("PixelRepresentation", "US", 0),
            FunctionalElement("PixelData", "OB", pixels),
            FunctionalElement("ImageComments", "LT", lambda env: env.kwargs["word"]),
        ]
    )
    series = factory.build_series_without_image_encoding(image, blueprint, parent_series, {"word": "mine"})
    assert len(series) == 4
    assert np.array_equal(series[3].pixel_array, image[3])
    assert "WindowCenter" not in series[0]
    assert "RescaleSlope" not in series[0]
    assert series[0].ImageComments == "mine"


def test_build_series_without_image_encoding_takes_a_list_of_images(factory, parent_series):
    blueprint = Blueprint(
        [
            StaticElement("SOPClassUID", "UI", SecondaryCaptureImageStorage),
            FunctionalElement("Rows", "US", lambda env: env.image.shape[0]),
        ]
    )
    images = [np.zeros((rows, 2)) for rows in (1, 2, 3)]
    series = factory.build_series_without_image_encoding(images, blueprint, parent_series)
    assert [dataset.Rows for dataset in series] == [1, 2, 3]


def test_build_instance(factory, parent_series, tmp_path):
    blueprint = Blueprint(
        [
            StaticElement("SOPClassUID", "UI", "1.2.840.10008.5.1.4.1.1.88.11"),
            CopyElement("PatientID"),
            SeriesElement("ContentDate", "DA", lambda: dt.date(2026, 11, 24)),
            FunctionalElement("ImageComments", "LT", lambda env: f"error {env.kwargs['code']}"),
        ]
    )
    dataset = factory.build_instance(parent_series[0], blueprint, {"code": 12})
    assert (dataset.PatientID, dataset.ContentDate, dataset.ImageComments) == (
        "P-001",
        "20261124",
        "error 12",
    )
    dataset.save_as(tmp_path / "message.dcm")
    assert pydicom.dcmread(tmp_path / "message.dcm").ImageComments == "error 12"


def test_build_instance_needs_no_parent(factory):
    blueprint = Blueprint([StaticElement("SOPClassUID", "UI", SecondaryCaptureImageStorage)])
    dataset = factory.build_instance(None, blueprint)
    assert dataset.SOPInstanceUID == dataset.file_meta.MediaStorageSOPInstanceUID


def test_starting_out_from_a_shipped_blueprint_and_combining_are_the_same(factory, image, parent_series):
    own = StaticElement(0x0008103E, "LO", "combined")
    started = Blueprint.load("mr-image")
    started.add_virtual_element(own)
    for blueprint in (
        started,
        Blueprint.load("mr-image") + Blueprint([own]),
        Blueprint.load("mr-image") | Blueprint([own]),
    ):
        series = factory.build_series(image, blueprint, parent_series)
        assert series[0].SeriesDescription == "combined"
        assert series[0].Modality == "MR"


def test_in_a_pipeline(factory, parent_series, tmp_path, dciodvfy):
    class Processor:
        dicom_factory = factory
        header_blueprint = Blueprint.load("mr-image")

        def process(self, input_container):
            parent = input_container["parent"]
            image = np.stack([dataset.pixel_array for dataset in parent]) * 2
            return self.dicom_factory.build_series(image, self.header_blueprint, parent)

    files = Processor().process({"parent": parent_series}).write(tmp_path / "out")
    assert [path.name for path in files] == ["00001.dcm", "00002.dcm", "00003.dcm", "00004.dcm"]
    for path in files:
        assert dciodvfy(path) == []
    written = [pydicom.dcmread(path) for path in files]
    parents = {tuple(d.ImagePositionPatient): d.pixel_array for d in parent_series}
    for dataset in written:
        values = dataset.pixel_array * float(dataset.get("RescaleSlope", 1))
        assert np.array_equal(values, 2 * parents[tuple(dataset.ImagePositionPatient)])
