"""Small parent series in every orientation: order, pairing, gaps, and what is refused."""

from __future__ import annotations

import numpy as np
import pydicom
import pytest

from dicomwright import (
    Blueprint,
    DicomFactory,
    DicomwrightError,
    InstanceCopyElement,
    ParentSeries,
    Volume,
)

ORIENTATIONS = ("axial", "coronal", "sagittal", "oblique")
KINDS = (("CT", "ct-image"), ("MR", "mr-image"))
COMMENT = Blueprint([InstanceCopyElement("ImageComments", "LT")])


def parents_of(make_series, modality, orientation, count=5):
    """Return parents whose comment says where they stand along the normal."""
    series = make_series(modality, orientation, shape=(count, 6, 4))
    for number, dataset in enumerate(series):
        dataset.ImageComments = f"slice {number}"
    return series


def affine_of(parents):
    """Return the matrix from (slice, row, column) to LPS of parents in order."""
    first = parents[0]
    across, down = np.array(first.ImageOrientationPatient, float).reshape(2, 3)
    places = [np.array(dataset.ImagePositionPatient, float) for dataset in parents]
    step = places[1] - places[0] if len(places) > 1 else np.cross(across, down)
    affine = np.eye(4)
    affine[:3] = np.column_stack(
        [step, down * float(first.PixelSpacing[0]), across * float(first.PixelSpacing[1]), places[0]]
    )
    return affine


@pytest.mark.parametrize(("modality", "name"), KINDS)
@pytest.mark.parametrize("orientation", ORIENTATIONS)
class TestEveryOrientation:
    def test_files_in_any_order(
        self, make_series, write_series, tmp_path, judge, modality, name, orientation
    ):
        parents = parents_of(make_series, modality, orientation)
        write_series(parents, tmp_path / "parents", shuffled=True)
        array = np.random.default_rng(3).integers(-500, 900, (5, 6, 4)).astype(np.int16)
        series = DicomFactory().build_series(
            array, Blueprint.load(name) + COMMENT, ParentSeries.read(tmp_path / "parents")
        )
        series.write(tmp_path / "out")
        judge(tmp_path / "out", affine_of(parents), array, series.result)
        assert [dataset.ImageComments for dataset in series] == [f"slice {n}" for n in range(5)]
        assert {dataset.FrameOfReferenceUID for dataset in series} == {parents[0].FrameOfReferenceUID}
        assert {float(dataset.SliceThickness) for dataset in series} == {2.5}

    def test_an_array_follows_the_list_that_it_came_with(
        self, make_series, tmp_path, prove, modality, name, orientation
    ):
        parents = parents_of(make_series, modality, orientation)[::-1]
        array = np.stack([dataset.pixel_array for dataset in parents]).astype(np.int32) * 3
        series = DicomFactory().build_series(array, Blueprint.load(name) + COMMENT, parents)
        series.write(tmp_path / "out")
        proof = prove(tmp_path / "out", affine_of(parents), array)
        assert proof == (pytest.approx(0, abs=0.01), 0)

    def test_a_volume_pairs_by_place(self, make_series, tmp_path, judge, modality, name, orientation):
        """The volume has other axes than the parents: turned, flipped, and of another length."""
        parents = parents_of(make_series, modality, orientation)
        affine = affine_of(parents) @ np.array(
            [[0, 0, -1, 4], [-1, 0, 0, 5], [0, 1, 0, 0], [0, 0, 0, 1.0]]
        )  # array axes: (-row, column, -slice)
        array = np.arange(120, dtype=np.int16).reshape(6, 4, 5)
        series = DicomFactory().build_series(Volume(array, affine), Blueprint.load(name) + COMMENT, parents)
        series.write(tmp_path / "out")
        judge(tmp_path / "out", affine, array, series.result)
        by_place = {tuple(np.round(d.ImagePositionPatient, 3)): d.ImageComments for d in parents}
        for dataset in series:
            assert dataset.ImageComments == by_place[tuple(np.round(dataset.ImagePositionPatient, 3))]

    @pytest.mark.parametrize("slicing", ["native", "axial", "coronal", "sagittal", "like-parent"])
    def test_every_slicing(
        self, make_series, tmp_path, prove, conformance, modality, name, orientation, slicing
    ):
        parents = parents_of(make_series, modality, orientation)
        array = np.random.default_rng(5).integers(-500, 900, (4, 6, 5)).astype(np.int16)
        affine = affine_of(parents)[:, [2, 1, 0, 3]]
        series = DicomFactory().build(
            Volume(array, affine), Blueprint.load(name), parents, encoder_options={"slicing": slicing}
        )
        series.write(tmp_path / "out", fsync=False)
        assert prove(tmp_path / "out", affine, array) == (pytest.approx(0, abs=0.01), 0)
        assert conformance(tmp_path / "out", most=1) == []
        if slicing == "like-parent":
            assert np.allclose(series[0].ImageOrientationPatient, parents[0].ImageOrientationPatient)

    def test_missing_parents(self, make_series, tmp_path, judge, modality, name, orientation):
        parents = parents_of(make_series, modality, orientation)
        affine, array = affine_of(parents), np.arange(120, dtype=np.int16).reshape(5, 6, 4)
        incomplete = [parents[index] for index in (4, 0, 3)]
        with pytest.raises(DicomwrightError, match=r"ImageComments.*no pairing"):
            DicomFactory().build_series(Volume(array, affine), Blueprint.load(name) + COMMENT, incomplete)
        series = DicomFactory().build_series(Volume(array, affine), Blueprint.load(name), incomplete)
        assert series.warnings
        series.write(tmp_path / "out")
        judge(tmp_path / "out", affine, array, series.result)
        with pytest.raises(DicomwrightError, match="5 slices and the parent series 3 instances"):
            DicomFactory().build_series(array, Blueprint.load(name), incomplete)

    def test_an_array_takes_the_gaps_of_its_parents(
        self, make_series, tmp_path, conformance, modality, name, orientation
    ):
        parents = parents_of(make_series, modality, orientation)
        with_gap = [parents[index] for index in (0, 1, 4)]
        array = np.arange(72, dtype=np.int16).reshape(3, 6, 4)
        series = DicomFactory().build_series(array, Blueprint.load(name) + COMMENT, with_gap)
        assert any("space" in warning or "gap" in warning for warning in series.warnings)
        assert [dataset.ImageComments for dataset in series] == ["slice 0", "slice 1", "slice 4"]
        for dataset, parent, pixels in zip(series, with_gap, array, strict=True):
            assert np.allclose(dataset.ImagePositionPatient, parent.ImagePositionPatient, atol=1e-3)
            assert np.array_equal(dataset.pixel_array, pixels)
            assert "SpacingBetweenSlices" not in dataset
        series.write(tmp_path / "out")
        assert conformance(tmp_path / "out") == []


def test_a_part_of_the_parents_planes_pairs_too(make_series):
    parents = parents_of(make_series, "MR", "coronal")
    affine, array = affine_of(parents[1:4]), np.arange(72, dtype=np.int16).reshape(3, 6, 4)
    series = DicomFactory().build_series(Volume(array, affine), Blueprint.load("mr-image") + COMMENT, parents)
    assert [dataset.ImageComments for dataset in series] == ["slice 1", "slice 2", "slice 3"]
    assert series[0].FrameOfReferenceUID == parents[0].FrameOfReferenceUID


def test_a_volume_elsewhere_gets_its_own_frame_of_reference(make_series, tmp_path, conformance):
    parents = parents_of(make_series, "MR", "coronal")
    affine = affine_of(parents)
    affine[:3, 3] += 400
    series = DicomFactory().build_series(
        Volume(np.arange(120, dtype=np.int16).reshape(5, 6, 4), affine), Blueprint.load("mr-image"), parents
    )
    assert any("FrameOfReferenceUID" in warning for warning in series.warnings)
    assert {d.FrameOfReferenceUID for d in series} != {parents[0].FrameOfReferenceUID}
    assert len({d.FrameOfReferenceUID for d in series}) == 1
    series.write(tmp_path / "out")
    assert conformance(tmp_path / "out") == []


@pytest.mark.parametrize(("modality", "name"), KINDS)
def test_parents_with_private_blocks_and_sequences_fill_the_output(
    make_series, write_series, tmp_path, cli, judge, nifti, modality, name
):
    parents = make_series(modality, "oblique", shape=(5, 6, 4), private=True, sequences=True)
    write_series(parents, tmp_path / "parents", shuffled=True)
    lps = affine_of(parents)[:, [2, 1, 0, 3]]
    array = np.arange(120, dtype=np.int16).reshape(4, 6, 5)
    path = nifti(array, np.diag([-1, -1, 1, 1]) @ lps)
    arguments = [
        "build",
        path,
        "--blueprint",
        name,
        "--parent",
        tmp_path / "parents",
        "--json",
        "--fill",
        "copy",
    ]
    filled = cli(*arguments, "--out", tmp_path / "out")
    assert filled.code == 0, filled.err
    judge(tmp_path / "out", lps, array, filled.result)
    dataset = pydicom.dcmread(tmp_path / "out" / "00001.dcm")
    assert dataset.StudyDescription == "Phantom study"
    assert dataset.ProcedureCodeSequence[0].CodeMeaning == "Head"
    assert not [element.tag for element in dataset if element.tag.is_private]
    left_out = {one["keyword"] or one["tag"]: one["rule"] for one in filled.result["filling"]}
    assert any("private" in rule for rule in left_out.values()), left_out
    kept = cli(*arguments, "--keep-private", "--out", tmp_path / "private")
    assert kept.code == 0, kept.err
    dataset = pydicom.dcmread(tmp_path / "private" / "00001.dcm")
    assert dataset.private_block(0x0029, "PHANTOM WORKS")[0x01].value == "private text"
    judge(tmp_path / "private", lps, array, kept.result)


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.5"])
def test_the_transfer_syntax_of_the_parent_does_not_matter(make_series, write_series, tmp_path, syntax):
    def built(transfer_syntax):
        folder = tmp_path / transfer_syntax
        parents = make_series("CT", "oblique", private=True, sequences=True, transfer_syntax=transfer_syntax)
        write_series(parents, folder, shuffled=True)
        array = np.arange(120, dtype=np.int16).reshape(5, 6, 4)
        series = DicomFactory().build(array, Blueprint.load("ct-image"), folder, uids="derived")
        return [path.read_bytes() for path in series.write(tmp_path / f"out{transfer_syntax}")]

    assert built(syntax) == built("1.2.840.10008.1.2.1")


@pytest.mark.parametrize(
    ("charset", "name"),
    [
        ("ISO_IR 100", "Jørgensen^Åse"),
        ("ISO_IR 192", "山田^太郎"),
        ("ISO_IR 144", "Достоевский^Фёдор"),
        ("ISO_IR 127", "قباني^لنزار"),
        (["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎=やまだ^たろう"),
        (["", "ISO 2022 IR 149"], "Hong^Gildong=洪^吉洞=홍^길동"),
        ("GB18030", "Wang^XiaoDong=王^小东"),
    ],
    ids=lambda value: str(value)[:14],
)
def test_names_survive_with_new_text_beside_them(
    make_series, write_series, tmp_path, dcmdump, dciodvfy, charset, name
):
    from dicomwright import StaticElement

    parents = make_series("MR", "axial", charset=charset, elements={"PatientName": name})
    write_series(parents, tmp_path / "parents")
    blueprint = Blueprint.load("mr-image") + Blueprint([StaticElement("SeriesDescription", "LO", "Ж ø 山")])
    array = np.arange(120, dtype=np.int16).reshape(5, 6, 4)
    for number, one in enumerate((Blueprint.load("mr-image"), blueprint)):
        files = DicomFactory().build_series(array, one, tmp_path / "parents").write(tmp_path / str(number))
        dataset = pydicom.dcmread(files[2])
        assert str(dataset.PatientName) == name
        assert name.split("^")[0].split("=")[0] in dcmdump(files[2])
        assert dciodvfy(files[2]) == []
    assert dataset.SeriesDescription == "Ж ø 山"
    assert dataset.SpecificCharacterSet == "ISO_IR 192"
