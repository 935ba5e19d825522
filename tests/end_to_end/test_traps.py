"""Traps of the field, one test each: what other writers get wrong."""

from __future__ import annotations

import re

import nibabel as nib
import numpy as np
import pydicom
import pytest
from pydicom.uid import UID

from dicomwright import (
    Blueprint,
    CopyElement,
    DicomFactory,
    DicomwrightError,
    FillingStrategy,
    ParentSeries,
    StaticElement,
    Volume,
    gen_uid,
)

# (slice, row, column) → LPS: slices along z, rows towards P, columns towards L; three different steps
AXIAL = np.array([[0, 0, 1.25, -31.5], [0, 0.75, 0, 17.25], [2.5, 0, 0, -105.0], [0, 0, 0, 1.0]])
IMAGES = ("mr-image", "ct-image", "pet-image")
PATIENT = {
    "PatientName": "Ærø^Bo",
    "PatientID": "ø1",
    "IssuerOfPatientID": "HOSPITAL",
    "PatientBirthDate": "19700102",
    "PatientSex": "F",
    "AccessionNumber": "A1",
    "StudyID": "S7",
    "StudyDate": "20240101",
    "StudyTime": "101010",
    "StudyDescription": "Ж",
    "ReferringPhysicianName": "山田^太郎",
}


def build(array, name="ct-image", affine=AXIAL, parents=None, *more, **options):
    blueprint = Blueprint.load(name) + Blueprint(more)
    return DicomFactory().build(Volume(array, affine), blueprint, parents, **options)


def ramp(shape=(3, 4, 5), dtype=np.int16):
    return np.arange(np.prod(shape), dtype=dtype).reshape(shape)


class TestPositionOrientationPixelOrder:
    def test_ras_becomes_lps_by_negating_x_and_y_only(self, nifti):
        ras = np.array([[1.25, 0, 0, 10], [0, 0.75, 0, 20], [0, 0, 2.5, 30], [0, 0, 0, 1.0]])
        array = ramp((5, 4, 3))
        native = {"slicing": "native"}
        series = DicomFactory().build(nifti(array, ras), Blueprint.load("ct-image"), encoder_options=native)
        first = series[0]
        assert first.ImagePositionPatient == [-10, -20, 30]
        assert first.ImageOrientationPatient == [-1, 0, 0, 0, -1, 0]
        assert first.PixelSpacing == [0.75, 1.25]
        assert (first.Rows, first.Columns) == (4, 5)
        assert np.array_equal(first.pixel_array, array[:, :, 0].T)

    def test_pixel_spacing_is_between_rows_then_between_columns(self):
        assert build(ramp())[0].PixelSpacing == [0.75, 1.25]

    def test_nothing_is_rounded_to_few_decimals(self):
        affine = AXIAL.copy()
        affine[:3, :3] *= 0.9765432109
        series = build(ramp(), affine=affine)
        assert float(series[0].PixelSpacing[0]) == pytest.approx(0.75 * 0.9765432109, abs=1e-12)
        step = float(series[1].ImagePositionPatient[2]) - float(series[0].ImagePositionPatient[2])
        assert step == pytest.approx(2.5 * 0.9765432109, abs=1e-9)

    def test_shear_between_rows_and_columns_is_refused(self):
        affine = AXIAL.copy()
        affine[0, 1] = 0.1
        with pytest.raises(DicomwrightError, match="°"):
            build(ramp(), affine=affine)

    def test_shear_of_the_slices_is_refused_unless_positions_are_asked_for(self):
        affine = AXIAL.copy()
        affine[1, 0] = 0.5
        with pytest.raises(DicomwrightError, match=r"11\.3°"):
            build(ramp(), affine=affine)
        series = build(ramp(), affine=affine, encoder_options={"shear": "positions"})
        assert [dataset.ImagePositionPatient[1] for dataset in series] == [17.25, 17.75, 18.25]

    def test_orientation_stays_oblique(self):
        angle = np.deg2rad(3)
        turn = np.eye(4)
        turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
        iop = [float(v) for v in build(ramp(), affine=turn @ AXIAL)[0].ImageOrientationPatient]
        assert iop[1] == pytest.approx(np.sin(angle), abs=1e-9)


class TestSliceOrder:
    @pytest.mark.parametrize("sign", [1, -1])
    def test_instance_numbers_grow_along_the_normal(self, sign):
        series = build(ramp(), affine=AXIAL @ np.diag([sign, 1, 1, 1.0]))
        normal = np.cross(*np.array(series[0].ImageOrientationPatient, float).reshape(2, 3))
        along = [float(np.dot(np.array(d.ImagePositionPatient, float), normal)) for d in series]
        assert along == sorted(along)
        assert [d.InstanceNumber for d in series] == [1, 2, 3]
        assert [float(d.SliceLocation) for d in series] == pytest.approx(along)

    def test_pet_counts_images_along_the_normal(self):
        assert [d.ImageIndex for d in build(ramp(), "pet-image")] == [1, 2, 3]
        assert build(ramp(), "pet-image")[0].NumberOfSlices == 3


class TestSliceThicknessIsNotSpacing:
    def test_it_is_empty_where_nobody_knows_it(self):
        assert build(ramp())[0]["SliceThickness"].is_empty

    def test_it_is_the_parents_where_planes_pair(self, make_series):
        parents = make_series("CT", "axial", shape=(3, 4, 5), elements={"SliceThickness": "1.5"})
        series = DicomFactory().build_series(ramp(), Blueprint.load("ct-image"), parents)
        assert {float(d.SliceThickness) for d in series} == {1.5}

    def test_spacing_between_slices_is_measured_for_mr(self):
        assert float(build(ramp(), "mr-image")[0].SpacingBetweenSlices) == 2.5


class TestBits:
    @pytest.mark.parametrize("name", IMAGES)
    @pytest.mark.parametrize("low", [-40000, -5, 0])
    def test_every_number_fits_what_is_declared(self, name, low):
        array = np.linspace(low, low + 60000, 60).reshape(3, 4, 5)
        series = build(array, name)
        assert len({d.PixelRepresentation for d in series}) == 1
        for dataset in series:
            assert dataset.BitsAllocated == 16
            assert dataset.HighBit == dataset.BitsStored - 1
            stored = dataset.pixel_array
            half = 2 ** (dataset.BitsStored - 1)
            limits = (-half, half - 1) if dataset.PixelRepresentation else (0, 2 * half - 1)
            assert limits[0] <= stored.min() <= stored.max() <= limits[1]
            assert len(dataset.PixelData) == 40

    def test_smallest_and_largest_are_true_or_absent(self):
        for dataset in build(ramp() - 30):
            for keyword, value in (
                ("SmallestImagePixelValue", dataset.pixel_array.min()),
                ("LargestImagePixelValue", dataset.pixel_array.max()),
            ):
                if keyword in dataset:
                    assert dataset[keyword].VR == "SS"
                    assert dataset[keyword].value == value

    def test_a_constant_float_image_has_pixels_of_the_right_size(self):
        dataset = build(np.full((2, 3, 5), 1.5, np.float32))[0]
        assert len(dataset.PixelData) == 30

    def test_the_file_has_an_even_number_of_bytes(self, tmp_path):
        for path in build(ramp((3, 3, 3))).write(tmp_path / "out"):
            assert path.stat().st_size % 2 == 0


class TestRescale:
    def test_one_slope_for_the_series(self):
        array = np.concatenate([np.full((1, 4, 5), 0.1), np.linspace(0, 1e4, 40).reshape(2, 4, 5)])
        series = build(array)
        assert len({(d.RescaleSlope, d.RescaleIntercept) for d in series}) == 1

    def test_ct_always_has_a_rescale_in_hounsfield_units(self):
        dataset = build(ramp())[0]
        assert (dataset.RescaleSlope, dataset.RescaleIntercept) == (1, 0)

    def test_mr_has_none_where_none_is_needed(self):
        dataset = build(ramp(), "mr-image")[0]
        assert "RescaleSlope" not in dataset
        assert "RescaleIntercept" not in dataset

    def test_pet_has_no_intercept(self):
        series = build(np.linspace(-3, 21.7, 60).reshape(3, 4, 5), "pet-image")
        assert {d.RescaleIntercept for d in series} == {0}
        assert series[0].ImageType[:2] == ["DERIVED", "PRIMARY"]

    def test_numbers_are_made_with_the_slope_as_it_is_written(self):
        array = np.linspace(0, 1 / 3, 60).reshape(3, 4, 5)
        series = build(array)
        stored = series.result["stored_values"]
        for dataset, values in zip(series, array, strict=True):
            assert len(str(dataset["RescaleSlope"].value.original_string)) <= 16
            slope, intercept = float(dataset.RescaleSlope), float(dataset.RescaleIntercept)
            assert slope == stored["slope"]
            again = dataset.pixel_array * slope + intercept
            assert np.abs(again - values).max() <= slope / 2 * (1 + 1e-9)

    def test_a_scaled_nifti_keeps_its_stored_numbers(self, tmp_path):
        image = nib.Nifti1Image(ramp((5, 4, 3)), np.diag([1.25, 0.75, 2.5, 1]))
        image.header.set_slope_inter(0.5, -100)
        image.to_filename(tmp_path / "scaled.nii")
        image = nib.load(tmp_path / "scaled.nii")
        raw = np.asanyarray(image.dataobj.get_unscaled())
        series = DicomFactory().build_nifti_series(tmp_path / "scaled.nii", Blueprint.load("ct-image"))
        assert series.result["stored_values"] == {
            "slope": pytest.approx(float(image.dataobj.slope)),
            "intercept": pytest.approx(float(image.dataobj.inter)),
            "max_abs_error": 0,
            "lossless": True,
        }
        assert np.array_equal(np.sort(series[0].pixel_array, axis=None), np.sort(raw[:, :, 0], axis=None))

    def test_the_parents_rescale_is_used_where_it_is_exact(self, make_series):
        elements = {"RescaleSlope": "0.5", "RescaleIntercept": "-10"}
        parents = make_series("CT", "axial", shape=(3, 4, 5), elements=elements)
        series = DicomFactory().build_series(ramp() * 0.5 - 10, Blueprint.load("ct-image"), parents)
        assert series.result["stored_values"]["lossless"]


class TestWindows:
    def test_they_are_in_output_units(self):
        dataset = build(np.linspace(-1000, 3000, 60).reshape(3, 4, 5))[1]
        assert float(dataset.WindowCenter) == pytest.approx(1000, rel=1e-3)
        assert float(dataset.WindowWidth) == pytest.approx(4000, rel=1e-3)

    @pytest.mark.parametrize("high", [1, 1e-4])
    def test_a_map_from_zero_to_one_has_a_legal_width(self, tmp_path, dciodvfy, high):
        series = build(np.linspace(0, high, 60).reshape(3, 4, 5), "mr-image")
        dataset = series[0]
        assert float(dataset.WindowWidth) > 0
        assert float(dataset.WindowWidth) >= 1 or dataset.VOILUTFunction == "LINEAR_EXACT"
        assert all(dciodvfy(path) == [] for path in series.write(tmp_path / "out"))

    def test_a_constant_image_has_a_width_of_one(self):
        assert float(build(np.zeros((2, 3, 5), np.int16))[0].WindowWidth) == 1

    def test_one_window_for_the_series(self):
        assert len({(str(d.WindowCenter), str(d.WindowWidth)) for d in build(ramp())}) == 1


class TestIdentity:
    def test_the_whole_patient_and_study_come_along(self, make_series):
        parents = make_series("CT", "axial", shape=(3, 4, 5), charset="ISO_IR 192", elements=PATIENT)
        dataset = DicomFactory().build_series(ramp(), Blueprint.load("ct-image"), parents)[0]
        for keyword, value in PATIENT.items():
            assert str(dataset.get(keyword)) == value, keyword
        assert dataset.StudyInstanceUID == parents[0].StudyInstanceUID

    def test_uids_are_new_legal_and_our_own(self, make_series, tmp_path):
        parents = make_series("CT", "axial", shape=(3, 4, 5))
        series = DicomFactory().build_series(ramp(), Blueprint.load("ct-image"), parents)
        written = [pydicom.dcmread(path) for path in series.write(tmp_path / "out")]
        assert len({d.SOPInstanceUID for d in written}) == 3
        assert len({d.SeriesInstanceUID for d in written}) == 1
        old = {d.SOPInstanceUID for d in parents} | {parents[0].SeriesInstanceUID}
        for dataset in written:
            for uid in (dataset.SOPInstanceUID, dataset.SeriesInstanceUID):
                assert re.fullmatch(r"2\.25\.[1-9][0-9]*", uid)
                assert len(uid) <= 64
                assert uid not in old
            meta = dataset.file_meta
            assert meta.MediaStorageSOPInstanceUID == dataset.SOPInstanceUID
            assert meta.MediaStorageSOPClassUID == dataset.SOPClassUID
            assert meta.ImplementationClassUID.startswith("2.25.")
            assert meta.TransferSyntaxUID == "1.2.840.10008.1.2.1"
            assert dataset.preamble == b"\0" * 128

    def test_gen_uid_is_legal(self):
        uids = {gen_uid() for _ in range(1000)}
        assert len(uids) == 1000
        assert all(UID(uid).is_valid and len(uid) <= 64 for uid in uids)

    def test_the_series_number_is_not_the_parents(self, make_series):
        parents = make_series("CT", "axial", shape=(3, 4, 5))
        series = DicomFactory().build_series(ramp(), Blueprint.load("ct-image"), parents)
        assert series[0].SeriesNumber != parents[0].SeriesNumber
        assert len({d.SeriesNumber for d in series}) == 1

    def test_one_frame_of_reference(self):
        assert len({d.FrameOfReferenceUID for d in build(ramp())}) == 1


class TestDerivation:
    def test_images_are_derived_and_say_from_what(self, make_series, tmp_path, dciodvfy):
        parents = make_series("MR", "coronal", shape=(3, 4, 5))
        series = DicomFactory().build_series(ramp(), Blueprint.load("mr-image"), parents)
        for dataset, parent in zip(series, parents, strict=True):
            assert dataset.ImageType[:2] == ["DERIVED", "SECONDARY"]
            assert "SourceInstanceSequence" not in dataset
            if "SourceImageSequence" in dataset:
                uids = {item.ReferencedSOPInstanceUID for item in dataset.SourceImageSequence}
                assert uids == {parent.SOPInstanceUID}
        assert all(dciodvfy(path) == [] for path in series.write(tmp_path / "out"))

    def test_lossy_stays_lossy(self, make_series, tmp_path, dciodvfy):
        elements = {
            "LossyImageCompression": "01",
            "LossyImageCompressionRatio": "8.5",
            "LossyImageCompressionMethod": "ISO_10918_1",
        }
        parents = make_series("CT", "axial", shape=(3, 4, 5), elements=elements)
        for strategy in FillingStrategy:
            series = DicomFactory(strategy).build_series(ramp(), Blueprint.load("ct-image"), parents)
            dataset = series[0]
            assert dataset.LossyImageCompression == "01"
            assert float(dataset.LossyImageCompressionRatio) == 8.5
            assert dataset.LossyImageCompressionMethod == "ISO_10918_1"
            assert all(dciodvfy(path) == [] for path in series.write(tmp_path / strategy.value))

    def test_a_lossy_parent_without_ratio_stops_nothing(self, make_series, tmp_path, dciodvfy):
        parents = make_series("CT", "axial", shape=(3, 4, 5), elements={"LossyImageCompression": "01"})
        series = DicomFactory().build_series(ramp(), Blueprint.load("ct-image"), parents)
        assert series[0].LossyImageCompression == "01"
        assert all(dciodvfy(path) == [] for path in series.write(tmp_path / "out"))

    def test_burned_in_annotation_is_never_claimed_absent(self, make_series):
        parents = make_series("CT", "axial", shape=(3, 4, 5), elements={"BurnedInAnnotation": "YES"})
        assert build(ramp())[0].get("BurnedInAnnotation") != "NO"
        series = DicomFactory().build_series(ramp(), Blueprint.load("ct-image"), parents)
        assert series[0].get("BurnedInAnnotation") != "NO"
        assert "PatientIdentityRemoved" not in series[0]


class TestTextAndPadding:
    def test_no_text_longer_than_its_vr(self):
        with pytest.raises(DicomwrightError, match=r"StudyID.*16"):
            build(ramp(), "ct-image", AXIAL, None, StaticElement("StudyID", "SH", "x" * 17))

    def test_ds_has_at_most_sixteen_characters(self, tmp_path):
        angle = 0.123456789
        turn = np.eye(4)
        turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
        series = build(np.linspace(-1 / 3, np.pi, 60).reshape(3, 4, 5), affine=turn @ AXIAL * 1.0)
        for path in series.write(tmp_path / "out"):
            for element in pydicom.dcmread(path):
                if element.VR == "DS" and not element.is_empty:
                    values = element.value if element.VM > 1 else [element.value]
                    assert all(len(value.original_string) <= 16 for value in values), element

    def test_values_are_padded_as_their_vr_asks(self, tmp_path):
        uid = "2.25.123"
        series = build(
            ramp((1, 3, 3)),
            "ct-image",
            AXIAL,
            None,
            StaticElement("SeriesInstanceUID", "UI", uid + "45"),
            StaticElement("SeriesDescription", "LO", "odd"),
        )
        data = series.write(tmp_path / "out")[0].read_bytes()
        assert b"LO\x04\x00odd " in data
        assert b"2.25.12345" in data
        assert uid.encode() + b" " not in data


def test_an_optional_copy_of_nothing_is_absent_not_empty(make_series):
    parents = make_series("CT", "axial", shape=(3, 4, 5))
    series = DicomFactory().build_series(
        ramp(),
        Blueprint.load("ct-image") + Blueprint([CopyElement("PatientComments", optional=True)]),
        parents,
    )
    assert "PatientComments" not in series[0]


@pytest.mark.parametrize("name", IMAGES)
def test_nothing_is_missing_without_any_parent(tmp_path, conformance, name):
    build(ramp(), name).write(tmp_path / "out")
    assert conformance(tmp_path / "out") == []


@pytest.mark.parametrize("part", ["KNEE", "HEAD", "BREAST", "", "UNKNOWNPART"])
@pytest.mark.parametrize("name", ["mr-image", "ct-image"])
def test_laterality_is_no_error_whatever_the_body_part(make_series, tmp_path, conformance, name, part):
    kind = name[:2].upper()
    parents = make_series(kind, "sagittal", shape=(3, 4, 5), elements={"BodyPartExamined": part})
    DicomFactory().build_series(ramp(), Blueprint.load(name), parents).write(tmp_path / "out")
    assert conformance(tmp_path / "out", most=1) == []
    build(ramp(), name, AXIAL, None, StaticElement("BodyPartExamined", "CS", part or None)).write(
        tmp_path / "own"
    )
    assert conformance(tmp_path / "own", most=1) == []


def test_values_of_the_parent_that_no_longer_hold_are_not_inherited(make_series):
    elements = {
        "SmallestImagePixelValue": 0,
        "LargestImagePixelValue": 99,
        "WindowCenter": "40",
        "WindowWidth": "400",
        "PixelPaddingValue": 0,
        "NumberOfFrames": "1",
    }
    parents = make_series("CT", "axial", shape=(3, 4, 5), elements=elements)
    image = ramp().astype(np.int16) * 500 - 15000
    series = DicomFactory(FillingStrategy.COPY).build_series(image, Blueprint.load("ct-image"), parents)
    dataset = series[0]
    assert "PixelPaddingValue" not in dataset
    assert "NumberOfFrames" not in dataset
    assert float(dataset.WindowWidth) > 400
    assert dataset.get("LargestImagePixelValue") != 99
    left_out = {entry["keyword"] for entry in series.result["filling"]}
    assert {
        "PixelPaddingValue",
        "NumberOfFrames",
        "LargestImagePixelValue",
        "SmallestImagePixelValue",
    } <= left_out
    assert all(entry["rule"] for entry in series.result["filling"])


def test_overlays_icons_and_signatures_stay_with_the_parent(make_series, tmp_path, dciodvfy):
    parents = make_series("CT", "axial", shape=(3, 4, 5), private=True)
    for dataset in parents:
        dataset.add_new(0x60000010, "US", 4)
        dataset.add_new(0x60003000, "OW", b"\0\0\0\0")
        dataset.add_new(0x50000005, "US", 2)
        dataset.IconImageSequence = [pydicom.Dataset()]
        dataset.DigitalSignaturesSequence = [pydicom.Dataset()]
        dataset.add_new(0x00880200, "SQ", [pydicom.Dataset()])
        dataset.add_new(0x00080000, "UL", 1000)
        dataset.DataSetTrailingPadding = b"\0\0"
    series = DicomFactory(FillingStrategy.COPY).build_series(ramp(), Blueprint.load("ct-image"), parents)
    files = series.write(tmp_path / "out")
    tags = {int(element.tag) for element in pydicom.dcmread(files[0])}
    assert not tags & {0x60000010, 0x60003000, 0x50000005, 0x00880200, 0xFFFAFFFA, 0x00080000, 0xFFFCFFFC}
    assert not [tag for tag in tags if tag >> 16 & 1]
    rules = {entry["tag"]: entry["rule"] for entry in series.result["filling"]}
    assert {"60000010", "60003000", "50000005", "00880200", "FFFAFFFA"} <= set(rules)
    assert all(dciodvfy(path) == [] for path in files)


def test_a_parent_is_left_as_it_was(make_series):
    import copy

    parents = make_series("CT", "oblique", shape=(3, 4, 5), private=True, sequences=True)
    before = copy.deepcopy(parents)
    series = DicomFactory(FillingStrategy.COPY).build_series(ramp(), Blueprint.load("ct-image"), parents)
    for dataset in series:
        dataset.PatientName = "Somebody^Else"
        dataset.ProcedureCodeSequence[0].CodeMeaning = "changed"
    assert parents == before
    assert [d.file_meta for d in parents] == [d.file_meta for d in before]


def test_two_patients_in_one_parent_folder(make_series, write_series, tmp_path):
    folder = tmp_path / "parents"
    series = (
        make_series("CT", shape=(2, 4, 5)),
        make_series("CT", shape=(2, 4, 5), elements={"PatientID": "P-002"}),
    )
    write_series([*series[0], *series[1][:1]], folder)
    with pytest.raises(DicomwrightError, match="2 patients"):
        ParentSeries.read(folder)
