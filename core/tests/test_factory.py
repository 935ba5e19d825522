"""The front door: what it takes, what it gives, and what it refuses."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pydicom
import pytest
from pydicom import Dataset

from dicomwright import (
    Blueprint,
    CopyElement,
    DicomFactory,
    DicomwrightError,
    Document,
    FillingStrategy,
    FunctionalElement,
    InstanceCopyElement,
    ParentSeries,
    SeriesElement,
    StaticElement,
    Volume,
    gen_uid,
)

IMAGE = np.arange(60, dtype=np.int16).reshape(3, 4, 5)
AFFINE = np.array([[0, 0, 1.25, -31.5], [0, 0.75, 0, 17.25], [2.5, 0, 0, -105], [0, 0, 0, 1.0]])
MR = Blueprint.load("mr-image")


@pytest.fixture
def parents(make_series):
    return make_series("MR", "axial", shape=(3, 4, 5))


def build(*elements, **options):
    return DicomFactory().build(Volume(IMAGE, AFFINE), MR + Blueprint(elements), **options)


class TestParents:
    @pytest.mark.parametrize("kind", ["datasets", "tuple", "folder", "text", "files", "series", "generator"])
    def test_every_way_to_give_them(self, parents, write_series, tmp_path, kind):
        files = write_series(parents, tmp_path / "p")
        given = {
            "datasets": lambda: parents,
            "tuple": lambda: tuple(parents),
            "folder": lambda: tmp_path / "p",
            "text": lambda: str(tmp_path / "p"),
            "files": lambda: files,
            "series": lambda: ParentSeries.read(tmp_path / "p"),
            "generator": lambda: (dataset for dataset in parents),
        }[kind]()
        series = DicomFactory().build_series(IMAGE, MR, given)
        assert [d.ImagePositionPatient for d in series] == [d.ImagePositionPatient for d in parents]
        assert series[0].StudyInstanceUID == parents[0].StudyInstanceUID

    @pytest.mark.parametrize("given", [3, [], [None], [3], [[]], {}], ids=repr)
    def test_what_is_none(self, given):
        with pytest.raises(DicomwrightError):
            DicomFactory().build_series(IMAGE, MR, given)

    def test_the_kind_of_image_comes_from_them_where_the_blueprint_says_nothing(
        self, parents, dciodvfy, tmp_path
    ):
        series = DicomFactory().build_series(IMAGE, Blueprint(), parents)
        assert series[0].SOPClassUID == parents[0].SOPClassUID
        assert all(dciodvfy(path) == [] for path in series.write(tmp_path / "out"))

    def test_they_may_be_given_by_name(self, parents):
        factory = DicomFactory()
        assert len(factory.build_series(image=IMAGE, blueprint=MR, parent_series=parents, kwargs={})) == 3
        assert len(factory.build(source=IMAGE, blueprint=MR, parents=parents, reader=None, encoder=None)) == 3


class TestSources:
    def test_an_array_without_any_place_is_refused(self):
        with pytest.raises(DicomwrightError, match=r"Volume\(array, affine\)"):
            DicomFactory().build(IMAGE, MR)

    def test_an_array_with_a_place_in_the_blueprint(self):
        place = Blueprint(
            [
                StaticElement("ImageOrientationPatient", "DS", [1, 0, 0, 0, 1, 0]),
                StaticElement("PixelSpacing", "DS", [0.75, 1.25]),
                FunctionalElement(
                    "ImagePositionPatient", "DS", lambda env: [0, 0, 2.5 * env.instance_number]
                ),
            ]
        )
        series = DicomFactory().build(IMAGE, MR + place)
        assert [d.ImagePositionPatient[2] for d in series] == [2.5, 5, 7.5]

    @pytest.mark.parametrize(
        "source",
        [None, 3, 3.5, object(), [1, 2, 3], {"a": 1}, Document(b"%PDF", "application/pdf", 1)],
        ids=lambda value: type(value).__name__,
    )
    def test_what_cannot_be_built_from(self, source):
        with pytest.raises(DicomwrightError):
            DicomFactory().build(source, MR)

    @pytest.mark.parametrize(
        "array",
        [
            np.zeros((0, 4, 5)),
            np.zeros((3, 4)),
            np.zeros((2, 3, 4, 5)),
            np.zeros((3, 4, 5), complex),
            np.zeros((3, 4, 5), object),
            np.zeros((3, 4, 5), "U3"),
            np.zeros((3, 4, 5), "M8[s]"),
            np.array(5),
            np.zeros((3, 4, 5, 3), np.uint8),
        ],
        ids=lambda array: f"{array.dtype}{array.shape}",
    )
    def test_arrays_that_are_no_volume_of_one_value_a_voxel(self, array):
        with pytest.raises(DicomwrightError):
            DicomFactory().build(Volume(array, AFFINE), MR).write("never")

    def test_any_memory_layout_gives_the_same_pixels(self):
        layouts = {
            "C": IMAGE,
            "Fortran": np.asfortranarray(IMAGE),
            "strided": np.repeat(IMAGE, 2, axis=2)[:, :, ::2],
            "reversed": IMAGE[::-1, ::-1, ::-1].copy()[::-1, ::-1, ::-1],
            "big endian": IMAGE.astype(">i2"),
            "read-only": np.frombuffer(IMAGE.tobytes(), np.int16).reshape(IMAGE.shape),
            "list": IMAGE.tolist(),
        }
        for name, array in layouts.items():
            series = DicomFactory().build(Volume(array, AFFINE), MR)
            for index in range(3):
                assert np.array_equal(series[index].pixel_array, IMAGE[index]), name

    def test_a_mapped_file(self, tmp_path):
        mapped = np.memmap(tmp_path / "x.raw", np.int16, "w+", shape=IMAGE.shape)
        mapped[:] = IMAGE
        series = DicomFactory().build(Volume(mapped, AFFINE), MR)
        assert np.array_equal(series[1].pixel_array, IMAGE[1])

    def test_the_source_is_left_as_it_was(self):
        array = IMAGE.astype(np.float32) / 7
        before = array.copy()
        series = DicomFactory().build(Volume(array, AFFINE), MR)
        assert len(list(series)) == 3
        assert np.array_equal(array, before)

    def test_the_blueprint_is_left_as_it_was(self):
        before = [(element.tag, id(element), element.origin) for element in MR]
        build()
        assert [(element.tag, id(element), element.origin) for element in MR] == before


class TestProblemsComeFirst:
    def test_blueprint_problems_before_any_pixel(self, parents):
        image = IMAGE.astype(float)
        image[1, 2, 3] = np.nan
        with pytest.raises(DicomwrightError) as caught:
            DicomFactory().build_series(
                image,
                MR
                + Blueprint([CopyElement("PatientComments"), StaticElement("StudyDate", "DA", "20260230")]),
                parents,
            )
        assert len(caught.value.problems) == 2
        assert "NaN" not in str(caught.value)

    def test_no_function_of_an_instance_runs_before_it_is_asked_for(self):
        calls = []
        series = build(FunctionalElement("ImageComments", "LT", lambda env: calls.append(env) or "x"))
        assert calls == []
        assert series[1].ImageComments == "x"
        assert [env.instance_number for env in calls] == [2]

    def test_a_refused_value_is_told_once(self):
        with pytest.raises(DicomwrightError, match="Modality") as caught:
            build(StaticElement("Modality", "CS", "mr"))
        assert len(caught.value.problems) == 1

    def test_a_function_cannot_change_the_image(self):
        image = IMAGE.copy()

        def spoil(env):
            env.image[:] = 0
            return "x"

        blueprint = MR + Blueprint([FunctionalElement("ImageComments", "LT", spoil)])
        series = DicomFactory().build(Volume(image, AFFINE), blueprint)
        with pytest.raises(DicomwrightError, match=r"ImageComments \(0020,4000\) of instance 2.*read-only"):
            series[1]
        assert np.array_equal(image, IMAGE)

    def test_a_function_that_fails_leaves_no_file(self, tmp_path):
        def late(env):
            return "x" if env.instance_number < 3 else "x" * 20000

        series = build(FunctionalElement("StudyID", "SH", late))
        with pytest.raises(DicomwrightError, match=r"instance 3.*StudyID \(0020,0010\)|StudyID.*instance 3"):
            series.write(tmp_path / "out")
        assert list(tmp_path.iterdir()) == []

    def test_two_instances_with_one_uid_leave_no_file(self, tmp_path):
        series = build(
            FunctionalElement("SOPInstanceUID", "UI", lambda env: f"2.25.{env.instance_number % 2 + 1}")
        )
        with pytest.raises(DicomwrightError, match="instance 1 and of instance 3"):
            series.write(tmp_path / "out")
        assert list(tmp_path.iterdir()) == []


class TestSeries:
    def test_it_is_a_sequence(self):
        series = build()
        assert len(series) == 3
        assert [d.InstanceNumber for d in series] == [1, 2, 3]
        assert [d.InstanceNumber for d in series[1:]] == [2, 3]
        assert [d.InstanceNumber for d in reversed(series)] == [3, 2, 1]
        assert series[-1].InstanceNumber == 3
        for index in (3, -4):
            with pytest.raises(IndexError):
                series[index]
        with pytest.raises(TypeError):
            series["1"]

    def test_an_instance_keeps_its_identity(self, tmp_path):
        series = build()
        uids = [dataset.SOPInstanceUID for dataset in series]
        assert [dataset.SOPInstanceUID for dataset in series] == uids
        assert [pydicom.dcmread(path).SOPInstanceUID for path in series.write(tmp_path / "out")] == uids

    def test_what_is_written_is_what_was_seen(self, tmp_path):
        series = build(StaticElement("PatientName", "PN", "Ærø^Bo"))
        seen = [copy.deepcopy(dataset) for dataset in series]
        for path, dataset in zip(series.write(tmp_path / "out"), seen, strict=True):
            again = pydicom.dcmread(path)
            assert again == dataset
            assert again.file_meta == dataset.file_meta

    def test_files_are_those_of_pydicom(self, tmp_path, parents):
        series = DicomFactory(FillingStrategy.COPY).build_series(IMAGE, MR, parents)
        for path, dataset in zip(series.write(tmp_path / "out"), series, strict=True):
            pydicom.dcmwrite(tmp_path / "theirs.dcm", dataset, enforce_file_format=True)
            assert (tmp_path / "theirs.dcm").read_bytes() == path.read_bytes()

    def test_a_changed_dataset_is_written_as_changed(self, tmp_path):
        series = build()
        series[1].PatientComments = "by hand"
        series[2].pixel_array[:] = 0
        dataset = series[0]
        dataset.PixelData = b"\1\0" * 20
        files = series.write(tmp_path / "out")
        assert pydicom.dcmread(files[1]).PatientComments == "by hand"
        assert (pydicom.dcmread(files[0]).pixel_array == 1).all()
        assert "PatientComments" not in pydicom.dcmread(files[2])

    def test_it_can_be_written_twice(self, tmp_path):
        series = build()
        first, second = series.write(tmp_path / "a"), series.write(str(tmp_path / "b"))
        assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
        with pytest.raises(DicomwrightError, match="not empty"):
            series.write(tmp_path / "a")
        assert series.write(tmp_path / "a", overwrite=True) == first
        assert series.write(tmp_path / "c", 2)[0].name == "00001.dcm"

    def test_datasets_can_be_pickled_and_copied(self):
        dataset = build()[1]
        for again in (pickle.loads(pickle.dumps(dataset)), copy.deepcopy(dataset), copy.copy(dataset)):
            assert again.SOPInstanceUID == dataset.SOPInstanceUID
            assert np.array_equal(again.pixel_array, IMAGE[1])

    def test_datasets_are_saved_by_pydicom(self, tmp_path):
        dataset = build()[1]
        dataset.save_as(tmp_path / "x.dcm")
        assert np.array_equal(pydicom.dcmread(tmp_path / "x.dcm").pixel_array, IMAGE[1])
        assert pydicom.Dataset.from_json(dataset.to_json()).PatientID == dataset.PatientID

    def test_the_result_tells_what_json_prints(self, tmp_path):
        series = build()
        assert series.result["series"][0]["directory"] is None
        series.write(tmp_path / "out")
        (written,) = series.result["series"]
        assert written == {
            "directory": str(tmp_path / "out"),
            "files": ["00001.dcm", "00002.dcm", "00003.dcm"],
            "sop_class_uid": "1.2.840.10008.5.1.4.1.1.4",
            "study_instance_uid": series[0].StudyInstanceUID,
            "series_instance_uid": series[0].SeriesInstanceUID,
            "instances": 3,
        }
        assert series.result["reader"] is None
        assert series.result["encoder"]["name"] == "image"

    def test_equipment_is_recorded(self):
        (item,) = build()[0].ContributingEquipmentSequence
        assert "dicomwright" in f"{item.get('Manufacturer')} {item.get('ManufacturerModelName')}"
        assert item.SoftwareVersions


class TestBuildInstance:
    BLUEPRINT = Blueprint(
        [
            StaticElement("SOPClassUID", "UI", "1.2.840.10008.5.1.4.1.1.7"),
            CopyElement("PatientID", optional=True),
            InstanceCopyElement("ImageComments", "LT"),
        ]
    )

    def test_copies_come_from_the_pivot(self, parents):
        parents[1].ImageComments = "this one"
        dataset = DicomFactory().build_instance(parents[1], self.BLUEPRINT)
        assert (dataset.PatientID, dataset.ImageComments, dataset.InstanceNumber) == ("P-001", "this one", 1)
        assert type(dataset) is Dataset

    def test_without_a_pivot_a_copy_is_an_error(self):
        with pytest.raises(DicomwrightError, match="ImageComments"):
            DicomFactory().build_instance(None, self.BLUEPRINT)

    def test_without_a_sop_class_it_is_an_error(self):
        with pytest.raises(DicomwrightError, match=r"SOPClassUID \(0008,0016\)"):
            DicomFactory().build_instance(None, Blueprint([StaticElement("PatientID", "LO", "1")]))

    def test_a_series_function_of_the_parent(self, parents):
        blueprint = Blueprint(
            [CopyElement("SOPClassUID"), SeriesElement("StudyID", "SH", lambda parent: parent.StudyID + "x")]
        )
        assert DicomFactory().build_instance(parents[0], blueprint).StudyID == "S1x"

    def test_each_has_its_own_uid(self):
        blueprint = Blueprint([StaticElement("SOPClassUID", "UI", "1.2.840.10008.5.1.4.1.1.7")])
        uids = {DicomFactory().build_instance(None, blueprint).SOPInstanceUID for _ in range(20)}
        assert len(uids) == 20


class TestWithoutImageEncoding:
    def test_images_have_a_length(self):
        with pytest.raises(DicomwrightError, match="generator"):
            DicomFactory().build_series_without_image_encoding((i for i in IMAGE), MR, None)

    def test_the_blueprint_decides_everything_of_the_pixels(self, parents):
        blueprint = Blueprint([CopyElement("SOPClassUID"), StaticElement("Rows", "US", 99)])
        series = DicomFactory().build_series_without_image_encoding(IMAGE, blueprint, parents)
        assert series[0].Rows == 99
        assert "PixelData" not in series[0]


def test_reading_and_encoding_by_name():
    with pytest.raises(DicomwrightError, match="did you mean image"):
        build(encoder="imagee")
    assert len(build(encoder="image", encoder_options={"slicing": "coronal"})) == 4
    with pytest.raises(DicomwrightError, match="did you mean slicing"):
        build(encoder_options={"slicin": "coronal"})


@pytest.mark.parametrize(
    ("blueprint", "advice"),
    [("mr-image", r"Blueprint\.load\('mr-image'\)"), (None, "make one"), ([*MR], r"Blueprint\(\[element")],
)
def test_what_is_no_blueprint(parents, blueprint, advice):
    with pytest.raises(DicomwrightError, match=f"not a Blueprint; .*{advice}"):
        DicomFactory().build_series(IMAGE, blueprint, parents)
    with pytest.raises(DicomwrightError, match=f"not a Blueprint; .*{advice}"):
        DicomFactory().build_instance(None, blueprint)


@pytest.mark.parametrize("uids", ["", "Random", None, 3])
def test_an_unknown_way_to_make_uids(uids):
    with pytest.raises(DicomwrightError, match="'random' or 'derived'"):
        build(uids=uids)


def test_derived_uids_are_the_same_again_and_for_each_instance_another():
    first, second = build(uids="derived"), build(uids="derived")
    assert [d.SOPInstanceUID for d in first] == [d.SOPInstanceUID for d in second]
    assert len({d.SOPInstanceUID for d in first}) == 3
    own = SeriesElement("StudyInstanceUID", "UI", gen_uid)
    assert build(own, uids="derived")[0].StudyInstanceUID == build(own, uids="derived")[0].StudyInstanceUID


@pytest.mark.parametrize("strategy", [*FillingStrategy])
def test_the_filling_strategy_of_the_factory_holds_until_a_build_says_otherwise(parents, strategy):
    for dataset in parents:
        dataset.PatientReligiousPreference = "none"
    factory = DicomFactory(filling_strategy=strategy)
    filled = "PatientReligiousPreference" in factory.build_series(IMAGE, MR, parents)[0]
    assert filled is (strategy is FillingStrategy.COPY)
    for other in FillingStrategy:
        series = factory.build(IMAGE, MR, parents, filling_strategy=other)
        assert ("PatientReligiousPreference" in series[0]) is (other is FillingStrategy.COPY)


def test_threads_build_side_by_side(tmp_path):
    from concurrent.futures import ThreadPoolExecutor

    def one(number):
        series = build(StaticElement("StudyID", "SH", str(number)))
        files = series.write(tmp_path / str(number), fsync=False)
        return {pydicom.dcmread(path).StudyID for path in files}, series[0].SeriesInstanceUID

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(one, range(12)))
    assert [ids for ids, _ in found] == [{str(number)} for number in range(12)]
    assert len({uid for _, uid in found}) == 12
