"""Secondary capture as independent programs read it: SOP classes, pixels, place."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from pydicom import dcmread

from dicomwright import Blueprint, DicomFactory
from dicomwright.blueprint.elements import StaticElement
from dicomwright.errors import PublishError, SourceError
from dicomwright.payload import Affine, Frames, Volume
from dicomwright.verify import prove
from dicomwright_sc.iods import SOP_CLASSES
from dicomwright_sc.multiframe import packed_bits

AFFINE = np.array([[0.1, -0.42, 0.4, 10], [0, 0.56, 0.3, -20], [2.5, 0, 0, 30.5], [0, 0, 0, 1]])
RGB = np.arange(4 * 5 * 6 * 3, dtype="u1").reshape(4, 5, 6, 3)
STACKS = {
    "1-bit": (np.indices((5, 7, 9)).sum(0) % 3 == 0, "1.2.840.10008.5.1.4.1.1.7.1"),
    "byte": (np.arange(5 * 7 * 9).reshape(5, 7, 9).astype("u1"), "1.2.840.10008.5.1.4.1.1.7.2"),
    "word": (np.arange(5 * 7 * 9).reshape(5, 7, 9).astype("u2") * 200, "1.2.840.10008.5.1.4.1.1.7.3"),
    "colour": (np.arange(5 * 7 * 9 * 3).reshape(5, 7, 9, 3).astype("u1"), "1.2.840.10008.5.1.4.1.1.7.4"),
}
SINGLE = "1.2.840.10008.5.1.4.1.1.7"


def stored(stack):
    return stack.astype("u1") * 255 if stack.dtype == bool else stack


@pytest.mark.parametrize("name", STACKS)
def test_an_instance_for_each_image(build, written, name):
    stack, _ = STACKS[name]
    datasets = written(build(Frames(list(stack))))
    assert len(datasets) == 5
    for number, (dataset, image) in enumerate(zip(datasets, stored(stack), strict=True), 1):
        assert dataset.SOPClassUID == dataset.file_meta.MediaStorageSOPClassUID == SINGLE
        assert dataset.InstanceNumber == number
        assert dataset.Modality == "OT"
        assert dataset.ConversionType == "WSD"
        assert list(dataset.ImageType) == ["DERIVED", "SECONDARY"]
        assert dataset.PatientOrientation == ""
        assert "PixelSpacing" not in dataset
        assert "BurnedInAnnotation" not in dataset
        assert (dataset.get("PlanarConfiguration"), dataset.PhotometricInterpretation) == (
            (0, "RGB") if name == "colour" else (None, "MONOCHROME2")
        )
        np.testing.assert_array_equal(dataset.pixel_array, image)


@pytest.mark.parametrize("name", STACKS)
def test_all_images_in_one_instance(build, written, name):
    stack, sop_class = STACKS[name]
    (dataset,) = written(build(Frames(list(stack)), mode="multiframe"))
    assert dataset.SOPClassUID == sop_class
    assert dataset.NumberOfFrames == 5
    assert dataset.FrameIncrementPointer == 0x00182001
    assert list(dataset.PageNumberVector) == [1, 2, 3, 4, 5]
    assert dataset.BurnedInAnnotation == "YES"
    assert (dataset.get("RescaleSlope"), dataset.get("PresentationLUTShape")) == (
        (1, "IDENTITY") if name in ("byte", "word") else (None, None)
    )
    np.testing.assert_array_equal(dataset.pixel_array, stack)


@pytest.mark.parametrize("name", STACKS)
def test_dcmtk_shows_the_same_frames(build, run_dcmtk, tmp_path, name):
    from PIL import Image

    stack, _ = STACKS[name]
    (file,) = build(Frames(list(stack)), mode="multiframe").write(tmp_path / "out")
    window = ["+on2", "+Ww", "32768", "65536"] if name == "word" else ["+on"]
    run_dcmtk("dcmj2pnm", "-q", *window, "+F", "3", file, tmp_path / "f.png")
    shown = np.asarray(Image.open(tmp_path / "f.png")).astype(int)
    expected = stored(stack)[2].astype(int)
    shown = shown.reshape(expected.shape)
    if name == "1-bit":
        shown = (shown > 0) * 255
    assert np.abs(shown - expected).max() <= (1 if name == "word" else 0)


def test_single_bits_have_no_padding_between_frames():
    frames = np.random.default_rng(5).random((6, 3, 5)) < 0.5
    expected = np.packbits(frames.reshape(-1), bitorder="little").tobytes()
    assert b"".join(packed_bits(frames)) == expected


@pytest.mark.parametrize("name", STACKS)
def test_large_frames_are_written_one_by_one(build, written, monkeypatch, name):
    monkeypatch.setattr("dicomwright.encoders.frames._AT_ONCE", 20)
    stack = STACKS[name][0]
    series = build(Frames(list(stack)), mode="multiframe")
    (dataset,) = written(series)
    np.testing.assert_array_equal(dataset.pixel_array, stack)
    np.testing.assert_array_equal(series[0].pixel_array, stack)


def test_images_of_different_sizes_and_kinds(build, written, refusal_of):
    images = [RGB[0], np.zeros((9, 4), "u2"), np.ones((3, 3), bool), RGB[1, :, :, 0]]
    datasets = written(build(Frames(images)))
    assert [dataset.pixel_array.shape for dataset in datasets] == [(5, 6, 3), (9, 4), (3, 3), (5, 6)]
    assert [dataset.BitsAllocated for dataset in datasets] == [8, 16, 8, 8]
    assert [dataset.get("PlanarConfiguration") for dataset in datasets] == [0, None, None, None]
    message = refusal_of(Frames(images), mode="multiframe")
    assert "image 1 is 5x6 and image 2 is 9x4; write an instance for each image" in message
    message = refusal_of(Frames([RGB[0], RGB[1, :, :, 0]]), mode="multiframe")
    assert "image 1 is 8 bit colour and image 2 is 8 bit grey" in message


@pytest.mark.parametrize("mode", ["single", "multiframe"])
@pytest.mark.parametrize("name", STACKS)
def test_what_is_written_is_found_in_the_source(build, tmp_path, name, mode):
    stack = STACKS[name][0]
    for number, source in enumerate(
        (Frames(list(stack)), Volume(stack, np.diag([3.0, 2, 1, 1])[[2, 1, 0, 3]]))
    ):
        series = build(source, mode=mode)
        files = series.write(tmp_path / str(number))
        assert prove(files, source).pixels == 5 * 32
        dataset = dcmread(files[0])
        dataset.PixelData = bytes(len(dataset.PixelData))
        dataset.save_as(files[0])
        with pytest.raises(PublishError, match="apart"):
            prove(files, source)


def test_images_that_nobody_can_count(refusal_of):
    message = refusal_of(Frames(page for page in RGB))
    assert message == "its images are a generator, which does not say how many there are; give a list"


def test_the_place_of_single_bits_in_one_instance_is_told_to_be_left_out(build):
    volume = Volume(STACKS["1-bit"][0], np.diag([3.0, 2.0, 1.5, 1.0])[[2, 1, 0, 3]])
    assert any("have no place in the patient" in text for text in build(volume, mode="multiframe").warnings)
    assert not any("have no place" in text for text in build(volume).warnings)


class Pages(Sequence):
    """Counts how many pages are made, and how often."""

    shapes = tuple((3, 4 + number, 3) for number in range(50))

    def __init__(self):
        self.asked = []

    def __len__(self):
        return len(self.shapes)

    def __getitem__(self, index):
        self.asked.append(index)
        return np.full(self.shapes[index], index, "u1")


def test_lazy_pages_are_made_once_and_only_to_be_written(build, tmp_path):
    pages = Pages()
    series = build(Frames(pages, shapes=pages.shapes, content=lambda: b"pages"))
    assert pages.asked == []
    assert series[7].Columns == 11
    assert pages.asked == []
    series.write(tmp_path / "out")
    assert sorted(pages.asked) == list(range(50))


class Told(Sequence):
    """Images of which is told what they are, rightly or not."""

    def __init__(self, images, shapes, dtypes):
        self.images, self.shapes, self.dtypes = images, shapes, dtypes

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        return self.images[index]


@pytest.mark.parametrize("mode", ["single", "multiframe"])
@pytest.mark.parametrize(
    ("shapes", "dtypes", "message"),
    [
        ([[5, 6, 3]] * 4, ["u2"] * 4, "image 1: its colour samples are uint16"),
        ([(5, 6)] * 4, ["u2"] * 4, "image 1: it is uint8 (5, 6, 3), but uint16 (5, 6) was told of it"),
        ([(6, 5, 3)] * 4, ["u1"] * 4, "image 1: it is uint8 (5, 6, 3), but uint8 (6, 5, 3) was told of it"),
        ([(5, 6, 3)] * 3, ["u1"] * 4, "shapes and types of 3 images are told, and it has 4"),
        ([(5, 6, 3)] * 4, ["f4"] * 4, "image 1: its type is float32; an image without place or unit is bool"),
    ],
)
def test_images_are_what_was_told_of_them(build, tmp_path, mode, shapes, dtypes, message):
    with pytest.raises(SourceError) as caught:
        build(Frames(Told(RGB, shapes, dtypes)), mode=mode).write(tmp_path / "out")
    assert message in str(caught.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["u1", "uint8", "|u1", np.uint8])
def test_types_have_any_name_that_numpy_knows(build, written, name):
    (dataset, *_) = written(build(Frames(Told(RGB, [(5, 6, 3)] * 4, [name] * 4))))
    assert dataset.BitsAllocated == 8
    np.testing.assert_array_equal(dataset.pixel_array, RGB[0])


def test_the_blueprint_chooses_the_mode_and_must_fit(build, refusal_of):
    frames = Frames(list(STACKS["byte"][0]))

    def asked(uid):
        return [StaticElement("SOPClassUID", "UI", uid)]

    assert len(build(frames, elements=asked(STACKS["byte"][1]))) == 1
    assert len(build(frames, elements=asked(SINGLE))) == 5
    message = refusal_of(frames, elements=asked(STACKS["colour"][1]))
    assert "Multi-frame True Color Secondary Capture, but the images are 8 bit grey" in message
    message = refusal_of(frames, elements=asked(STACKS["byte"][1]), mode="single")
    assert "mode=single does not go with SOPClassUID (0008,0016) of Multi-frame Grayscale Byte" in message
    (dataset,) = build(frames, elements=asked(SINGLE), mode="multiframe")
    assert dataset.SOPClassUID == STACKS["byte"][1]
    message = refusal_of(frames, elements=asked("1.2.840.10008.5.1.4.1.1.2"))
    assert "is that of CT Image Storage, not of a secondary capture" in message


@pytest.mark.parametrize("kind", STACKS)
def test_one_shipped_blueprint_for_all(kind, written):
    frames, sop_class = Frames(list(STACKS[kind][0])), STACKS[kind][1]
    blueprint = Blueprint.load("secondary-capture")
    assert {each.SOPClassUID for each in written(DicomFactory().build(frames, blueprint))} == {SINGLE}
    several = DicomFactory().build(frames, blueprint, encoder_options={"mode": "multiframe"})
    (dataset,) = written(several, "several")
    assert dataset.SOPClassUID == sop_class
    assert dataset.NumberOfFrames == len(frames.images)


def test_the_blueprint_alone_finds_this_encoder():
    blueprint = Blueprint([StaticElement("SOPClassUID", "UI", SINGLE)])
    for source in (Volume(RGB), Frames([RGB[0]])):
        assert DicomFactory().build(source, blueprint).result["encoder"]["name"] == "secondary-capture"


@pytest.mark.parametrize("array", [RGB, RGB[..., 0], RGB[..., 0].astype("i2") - 300, RGB[..., 0] / 7])
def test_volumes_keep_their_place(build, written, compare_volumes, array):
    series = build(Volume(array, AFFINE), shear="positions")
    datasets = written(series)
    assert any("older software" in warning for warning in series.warnings)
    assert {dataset.FrameOfReferenceUID for dataset in datasets} == {datasets[0].FrameOfReferenceUID}
    assert list(datasets[0].PatientOrientation) == ["LP", "PR"]
    found = np.stack([dataset.pixel_array for dataset in datasets])
    slope, intercept = (
        float(datasets[0].get(f"Rescale{name}", other)) for name, other in (("Slope", 1), ("Intercept", 0))
    )
    match = compare_volumes(AFFINE, array, affine_of(datasets), found * slope + intercept)
    assert match.corner_mm < 1e-3
    assert match.value_error < 1e-3


@pytest.mark.parametrize("array", [RGB, RGB[..., 0], RGB[..., 0].astype("u2") * 200, RGB[..., 0] > 99])
def test_multi_frame_volumes(build, written, array):
    (dataset,) = written(build(Volume(array, AFFINE), shear="positions", mode="multiframe"))
    frames = dataset.pixel_array
    assert dataset.FrameIncrementPointer == 0x00182005
    assert len(dataset.SliceLocationVector) == 4
    if array.dtype == bool:
        assert "PerFrameFunctionalGroupsSequence" not in dataset
    else:
        positions = [
            np.array(frame.PlanePositionSequence[0].ImagePositionPatient, float)
            for frame in dataset.PerFrameFunctionalGroupsSequence
        ]
        np.testing.assert_allclose(np.diff(positions, axis=0), [AFFINE[:3, 0]] * 3, atol=1e-9)
        (shared,) = dataset.SharedFunctionalGroupsSequence
        assert list(shared.PixelMeasuresSequence[0].PixelSpacing) == [0.7, 0.5]
        assert "FrameOfReferenceUID" in dataset
    np.testing.assert_array_equal(frames, array)


def test_signed_volumes_need_an_instance_for_each_slice(refusal_of):
    message = refusal_of(Volume(RGB[..., 0].astype("i2") - 300, AFFINE), shear="positions", mode="multiframe")
    assert "values from -300 to -45 cannot be stored" in message
    assert "--blueprint secondary-capture" in message


def test_beside_parents(build, written, make_series):
    parents = make_series("MR", orientation="oblique")
    rows, columns = parents[0].Rows, parents[0].Columns
    array = np.zeros((len(parents), rows, columns, 3), "u1")
    datasets = written(build(Volume(array), parents))
    ordered = sorted(dataset.ImagePositionPatient[2] for dataset in parents)
    assert sorted(dataset.ImagePositionPatient[2] for dataset in datasets) == ordered
    assert {dataset.FrameOfReferenceUID for dataset in datasets} == {parents[0].FrameOfReferenceUID}
    assert {dataset.StudyInstanceUID for dataset in datasets} == {parents[0].StudyInstanceUID}
    assert {str(dataset.PatientName) for dataset in datasets} == {str(parents[0].PatientName)}
    assert datasets[0].SeriesInstanceUID != parents[0].SeriesInstanceUID
    series = build(Volume(array[:-1]), parents)
    assert "ImagePositionPatient" not in written(series, "fewer")[0]
    assert any("they have no place" in warning for warning in series.warnings)
    (dataset,) = written(build(Frames([RGB[0]]), parents), "picture")
    assert dataset.PatientID == parents[0].PatientID
    assert "FrameOfReferenceUID" not in dataset


def test_pictures_that_lost_something_say_so(shared_data, build, written):
    (dataset,) = written(build(shared_data / "v18_pictures" / "card_exif6.jpg"))
    assert dataset.LossyImageCompression == "01"
    assert dataset.LossyImageCompressionMethod == "ISO_10918_1"
    assert 7 < dataset.LossyImageCompressionRatio < 8
    (dataset,) = build(shared_data / "v18_pictures" / "card_rgb_300dpi.png")
    assert "LossyImageCompression" not in dataset
    assert not {"PixelSpacing", "NominalScannedPixelSpacing"} & {element.keyword for element in dataset}


@pytest.mark.parametrize("mode", ["single", "multiframe"])
def test_shipped_blueprints_keep_the_loss_of_pictures(shared_data, mode):
    of_mode = {"single": "secondary-capture-image", "multiframe": "multi-frame-sc-true-color-image"}
    blueprint = Blueprint.load(of_mode[mode])
    (dataset,) = DicomFactory().build(shared_data / "v18_pictures" / "card_exif6.jpg", blueprint)
    assert dataset.LossyImageCompression == "01"
    assert dataset.LossyImageCompressionMethod == "ISO_10918_1"


def test_true_is_white_whatever_byte_it_is(build, written):
    bits = np.eye(16, 24, dtype=bool)
    loose = np.where(bits, np.uint8(255), np.uint8(0)).view(bool)  # as Pillow gives 1-bit pictures
    for image in (bits, loose):
        name = f"true as {int(image.view('u1').max())}"
        (dataset,) = written(build(Frames([image])), name)
        np.testing.assert_array_equal(dataset.pixel_array, bits * np.uint8(255))
        (dataset,) = written(build(Frames([image]), mode="multiframe"), f"frames, {name}")
        np.testing.assert_array_equal(dataset.pixel_array, bits)


@pytest.mark.parametrize("name", ["rgb24_oblique", "rgb24_us"])
def test_real_colour_volumes(shared_data, build, written, nifti_in_lps, compare_volumes, name):
    import nibabel

    image = nibabel.load(shared_data / "v12_nifti_colour" / f"{name}.nii.gz")
    voxels = np.asanyarray(image.dataobj)
    colour = np.stack([voxels[part] for part in "RGB"], axis=-1)
    volume = Volume(colour.transpose(2, 1, 0, 3), Affine.from_ras(image.affine))
    datasets = written(build(volume))
    frames = np.stack([dataset.pixel_array for dataset in datasets])
    match = compare_volumes(nifti_in_lps(image).affine, colour, affine_of(datasets), frames)
    assert match.corner_mm < 0.01
    assert match.value_error == 0
    (whole,) = written(build(volume, mode="multiframe"), "whole")
    np.testing.assert_array_equal(whole.pixel_array, frames)


def affine_of(datasets):
    """Return the matrix over (slice, row, column) that the headers of a series give."""
    affine = np.eye(4)
    first, second = (np.array(dataset.ImagePositionPatient, float) for dataset in datasets[:2])
    spacing, turn = datasets[0].PixelSpacing, np.array(datasets[0].ImageOrientationPatient, float)
    affine[:3] = np.column_stack([second - first, turn[3:] * spacing[0], turn[:3] * spacing[1], first])
    return affine


WRONG = {
    "none": (Frames([]), {}, "it holds no image"),
    "alpha": (Frames([np.zeros((3, 4, 4), "u1")]), {}, "its shape is (3, 4, 4)"),
    "float": (Frames([np.zeros((3, 4))]), {}, "its type is float64"),
    "deep colour": (Frames([RGB[0].astype("u2")]), {}, "colour of 8 bit"),
    "deep volume": (Volume(RGB.astype("u2")), {}, "colour of 8 bit"),
    "large": (Frames([np.broadcast_to(np.uint8(0), (2, 70000))]), {}, "DICOM has 1 to 65535"),
    "mode": (Frames([RGB[0]]), {"mode": "many"}, "mode='many' is not known"),
    "number": (Frames([RGB[0]]), {"non_finite": "nan"}, "non_finite='nan' is not a number"),
    "too much": (
        Frames(np.broadcast_to(np.uint8(0), (2, 60000, 60000))), {"mode": "multiframe"},
        "its frames take 7,200,000,000 bytes",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("payload", "options", "message"), WRONG.values(), ids=WRONG)
def test_wrong(refusal_of, payload, options, message):
    assert message in refusal_of(payload, **options)


def test_names_of_sop_classes_are_those_of_the_standard():
    from dicomwright import standard

    for uid, name in SOP_CLASSES.items():
        known = standard.sop_class(uid)
        assert known is not None
        assert known.name.replace(" Image Storage", "") == name


def test_derived_uids_follow_from_the_pixels():
    def uid(images):
        series = DicomFactory().build(
            Frames(images), Blueprint(), encoder="secondary-capture", uids="derived"
        )
        return series[0].SOPInstanceUID

    assert uid([RGB[0]]) == uid([RGB[0].copy()]) != uid([RGB[1]])
