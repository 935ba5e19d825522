"""What each option of `dicomwright build` does."""

from __future__ import annotations

import numpy as np
import pydicom
import pytest


def read(folder):
    return [pydicom.dcmread(path) for path in sorted(folder.iterdir())]


@pytest.fixture
def build(cli, source, tmp_path):
    """Return `build(*more) -> Outcome` with a source, `mr-image` and an out folder."""

    def run(*more, blueprint="mr-image"):
        return cli("build", source(), "--blueprint", blueprint, "--out", tmp_path / "out", "--json", *more)

    return run


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


def test_files_are_numbered_and_nothing_else_is_there(build, out, tmp_path):
    before = set(tmp_path.iterdir())
    done = build()
    assert done.code == 0
    assert sorted(path.name for path in out.iterdir()) == ["00001.dcm", "00002.dcm", "00003.dcm"]
    assert [dataset.InstanceNumber for dataset in read(out)] == [1, 2, 3]
    assert {path.name for path in set(tmp_path.iterdir()) - before} == {"out", "source.grid"}


def test_json_prints_one_object_and_nothing_else(build, out):
    done = build()
    result, dataset = done.result, read(out)[0]
    assert set(result) == {
        "series",
        "stored_values",
        "bundles",
        "reader",
        "encoder",
        "codec",
        "warnings",
        "filling",
        "seconds",
    }
    assert result["series"] == [
        {
            "directory": str(out),
            "files": ["00001.dcm", "00002.dcm", "00003.dcm"],
            "sop_class_uid": dataset.SOPClassUID,
            "study_instance_uid": dataset.StudyInstanceUID,
            "series_instance_uid": dataset.SeriesInstanceUID,
            "instances": 3,
        }
    ]
    assert result["stored_values"] == {
        "slope": 1.0,
        "intercept": 0.0,
        "max_abs_error": 0.0,
        "lossless": True,
    }
    assert result["reader"] == {"name": "grid", "distribution": "test-grid", "version": "1.5"}
    assert set(result["encoder"]) == {"name", "distribution", "version"}
    assert (result["encoder"]["name"], result["encoder"]["distribution"]) == ("image", "dicomwright")
    assert isinstance(result["warnings"], list)
    assert 0 < result["seconds"] < 60
    assert "the reader prints" in done.err


def test_without_json_nothing_is_on_standard_output(cli, source, out):
    done = cli("build", source(), "--blueprint", "mr-image", "--out", out)
    assert (done.code, done.out) == (0, "")
    assert str(out) in done.err


def test_quiet_says_nothing(cli, source, out):
    done = cli("build", source(), "--blueprint", "mr-image", "--out", out, "--quiet")
    assert (done.code, done.out, done.err.replace("the reader prints\n", "")) == (0, "", "")


def test_several_blueprints_combine_left_to_right(cli, source, toml, out):
    first = toml('SeriesDescription = { static = "first" }\nStudyID = { static = "1" }', "a.toml", [])
    second = toml('SeriesDescription = { static = "second" }', "b.toml", [])
    blueprints = ["--blueprint", "mr-image", "--blueprint", first, "--blueprint", second]
    assert cli("build", source(), *blueprints, "--out", out).code == 0
    assert (read(out)[0].SeriesDescription, read(out)[0].StudyID) == ("second", "1")
    reverse = ["--blueprint", second, "--blueprint", first, "--blueprint", "ct-image"]
    assert cli("build", source(), *reverse, "--out", out, "--overwrite").code == 0
    assert (read(out)[0].SeriesDescription, read(out)[0].Modality) == ("first", "CT")


@pytest.mark.parametrize(
    ("given", "keyword", "value"),
    [
        ("PatientName=Ærø^Bo", "PatientName", "Ærø^Bo"),
        ("PatientID=a=b", "PatientID", "a=b"),
        ("SeriesDescription=", "SeriesDescription", ""),
        (r"ImageType=DERIVED\SECONDARY\OTHER", "ImageType", ["DERIVED", "SECONDARY", "OTHER"]),
        ("(0008,103e)=by tag", "SeriesDescription", "by tag"),
        ("0008103E=by tag", "SeriesDescription", "by tag"),
        ("SeriesNumber=77", "SeriesNumber", 77),
        ("PatientWeight=70.5", "PatientWeight", 70.5),
        (r"ImageComments=a\b, one text", "ImageComments", r"a\b, one text"),
        ("StudyDate=20240229", "StudyDate", "20240229"),
    ],
)
def test_set_wins_over_the_blueprints(build, toml, out, given, keyword, value):
    blueprint = toml('SeriesDescription = { static = "weak" }\nPatientID = { static = "weak" }')
    done = build("--set", given, blueprint=blueprint)
    assert done.code == 0, done.err
    found = read(out)[0][keyword].value
    assert (found or "") == value


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("PatientNam=x", ["PatientNam", "did you mean PatientName"]),
        ("Rows=abc", ["Rows (0028,0010)", "'abc'"]),
        ("StudyDate=20260230", ["StudyDate (0008,0020)", "20260230"]),
        ("Modality=mr", ["Modality (0008,0060)", "mr"]),
        ("StudyInstanceUID=1.02.3", ["StudyInstanceUID", "1.02.3"]),
        ("PatientSex=" + "M" * 17, ["PatientSex"]),
        ("StudyID=" + "x" * 17, ["StudyID", "16"]),
        (r"PatientID=a\b", ["PatientID"]),
        ("PixelData=1", ["PixelData"]),
        ("DerivationCodeSequence=1", ["DerivationCodeSequence"]),
        ("(0009,1001)=x", ["0009,1001"]),
        ("PatientName=a\x01b", ["PatientName", r"\x01"]),
        ("TransferSyntaxUID=1.2.840.10008.1.2", ["TransferSyntaxUID"]),
    ],
)
def test_set_is_checked(build, out, given, words):
    done = build("--set", given)
    assert (done.code, done.out) == (1, "")
    for word in words:
        assert word in done.err
    assert "Traceback" not in done.err
    assert not out.exists()


def test_all_problems_of_set_come_at_once(build):
    done = build("--set", "PatientNam=x", "--set", "StudyDate=20260230", "--set", "Rows=abc")
    assert done.code == 1
    for word in ("PatientNam", "StudyDate", "Rows"):
        assert word in done.err


def test_a_kwarg_reaches_the_functions(build, toml, out):
    blueprint = toml('TriggerTime = { keyed-index = "times" }')
    done = build("--kwarg", r"times=0\40\80", blueprint=blueprint)
    assert done.code == 0, done.err
    assert [dataset.TriggerTime for dataset in read(out)] == [0, 40, 80]


def test_a_kwarg_is_not_read_letter_by_letter(build, toml, out):
    done = build("--kwarg", "times=123", blueprint=toml('TriggerTime = { keyed-index = "times" }'))
    assert done.code == 1
    assert "times" in done.err
    assert not out.exists()


def test_a_kwarg_that_is_missing_is_named(build, toml):
    done = build(blueprint=toml('TriggerTime = { keyed-index = "times" }'))
    assert done.code == 1
    assert "TriggerTime (0018,1060)" in done.err
    assert "times" in done.err
    assert "own.toml:4" in done.err


def test_reader_and_its_options(build, out):
    done = build("--reader", "grid", "--reader-opt", "scale=3")
    assert done.code == 0, done.err
    assert read(out)[2].pixel_array.max() == 59 * 3


def test_encoder_and_its_options(build, out):
    done = build("--encoder", "image", "--encoder-opt", "slicing=sagittal")
    assert done.code == 0, done.err
    assert len(list(out.iterdir())) == 5


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--reader", "gridd"], ["gridd", "did you mean grid"]),
        (["--encoder", "imago"], ["imago", "image"]),
        (["--reader-opt", "scal=1"], ["scal", "did you mean scale"]),
        (["--encoder-opt", "slicin=axial"], ["slicin", "did you mean slicing"]),
        (["--encoder-opt", "slicing=axiall"], ["axiall", "axial"]),
        (["--encoder-opt", "non_finite=x"], ["non_finite", "x"]),
        (["--blueprint", "mr-imag"], ["mr-imag", "did you mean mr-image"]),
        (["--blueprint", "./missing.toml"], ["missing.toml"]),
        (["--encoder", "pdf"], ["pdf"]),
    ],
    ids=" ".join,
)
def test_unknown_names_are_refused_with_the_nearest(build, out, arguments, words):
    done = build(*arguments)
    assert (done.code, done.out) == (1, "")
    assert done.err.replace("the reader prints\n", "").startswith("dicomwright: error: ")
    for word in words:
        assert word in done.err
    assert not out.exists()


def test_parent_and_fill(cli, source, make_series, write_series, tmp_path, out):
    parents = make_series("MR", shape=(3, 4, 5), elements={"PatientReligiousPreference": "P7"}, private=True)
    write_series(parents, tmp_path / "parents", shuffled=True)
    arguments = ["build", source(), "--blueprint", "mr-image", "--parent", tmp_path / "parents", "--json"]
    discarded = cli(*arguments, "--out", out)
    assert discarded.result["filling"] == []
    assert "PatientReligiousPreference" not in read(out)[0]
    assert read(out)[0].PatientID == "P-001"
    for name in ("discard", "copy"):
        done = cli(*arguments, "--out", tmp_path / name, "--fill", name)
        assert done.code == 0, done.err
    assert read(tmp_path / "copy")[0].PatientReligiousPreference == "P7"
    assert "PatientReligiousPreference" not in read(tmp_path / "discard")[0]
    assert done.result["filling"]
    for entry in done.result["filling"]:
        assert set(entry) == {"tag", "keyword", "rule"}
        assert len(entry["tag"]) == 8
    assert "00290010" in {entry["tag"] for entry in done.result["filling"]}


def test_several_files_as_parents(cli, source, make_series, write_series, tmp_path, out):
    paths = write_series(make_series("MR", shape=(3, 4, 5)), tmp_path / "parents")
    parents = [part for path in paths for part in ("--parent", path)]
    done = cli("build", source(), "--blueprint", "mr-image", *parents, "--out", out)
    assert done.code == 0, done.err
    assert read(out)[0].PatientID == "P-001"


def test_overwrite_replaces_only_what_we_wrote(build, out):
    assert build().code == 0
    first = read(out)[0].SOPInstanceUID
    refused = build()
    assert refused.code == 1
    assert "--overwrite" in refused.err
    assert read(out)[0].SOPInstanceUID == first
    assert build("--overwrite").code == 0
    assert read(out)[0].SOPInstanceUID != first
    (out / "notes.txt").write_text("mine")
    refused = build("--overwrite")
    assert refused.code == 1
    assert "notes.txt" in refused.err
    assert len(list(out.iterdir())) == 4


def test_overwrite_with_fewer_instances_leaves_no_old_file(cli, source, out):
    long = source(np.arange(100, dtype=np.int16).reshape(5, 4, 5), "long.grid")
    for path in (long, source()):
        assert cli("build", path, "--blueprint", "mr-image", "--out", out, "--overwrite").code == 0
    assert [path.name for path in sorted(out.iterdir())] == ["00001.dcm", "00002.dcm", "00003.dcm"]


def test_overwrite_of_a_foreign_dicom_file_is_refused(build, make_series, write_series, out):
    write_series(make_series(shape=(1, 4, 5)), out)
    (out / "IM00000").rename(out / "00001.dcm")
    assert build("--overwrite").code == 1
    assert len(list(out.iterdir())) == 1


def test_an_empty_folder_may_exist(build, out):
    out.mkdir()
    assert build().code == 0
    assert len(list(out.iterdir())) == 3


def test_out_is_made_with_its_parents(cli, source, tmp_path):
    assert cli("build", source(), "--blueprint", "mr-image", "--out", tmp_path / "a/b/c").code == 0
    assert len(list((tmp_path / "a/b/c").iterdir())) == 3


def test_out_may_be_relative(cli, source, tmp_path, monkeypatch):
    path = source()
    monkeypatch.chdir(tmp_path)
    done = cli("build", path.name, "--blueprint", "mr-image", "--out", "rel/", "--json")
    assert done.code == 0, done.err
    assert len(list((tmp_path / "rel").iterdir())) == 3


def test_jobs_do_not_change_the_bytes(cli, source, tmp_path):
    path = source(np.random.default_rng(1).integers(0, 4000, (9, 300, 300)).astype(np.int16))
    folders = []
    for jobs in ("1", "3"):
        folders.append(tmp_path / jobs)
        arguments = ["build", path, "--blueprint", "ct-image", "--uids", "derived", "--jobs", jobs]
        assert cli(*arguments, "--out", folders[-1]).code == 0
    first, second = ([file.read_bytes() for file in sorted(folder.iterdir())] for folder in folders)
    assert first == second


def test_instant_gives_the_dates(build, toml, out):
    blueprint = toml('ContentDate = { series = "today" }')
    done = build("--instant", "2024-02-29T09:30:00", blueprint=blueprint)
    assert done.code == 0, done.err
    assert read(out)[0].ContentDate == "20240229"


def test_keywords_of_the_result_are_those_of_the_python_result(build):
    import dicomwright

    series = dicomwright.DicomFactory().build(
        dicomwright.Volume(np.zeros((2, 3, 4), np.int16), np.eye(4)), dicomwright.Blueprint.load("mr-image")
    )
    assert set(build().result) == set(series.result)
    assert series.result["series"][0]["instances"] == 2
