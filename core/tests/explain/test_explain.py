"""Every tag of a file is accounted for, with the rule that gave it."""

import json
from pathlib import Path

import numpy as np
import pydicom
import pytest
from click.testing import CliRunner

from dicomwright import (
    Blueprint,
    CopyElement,
    Derivation,
    DicomFactory,
    DiscardElement,
    FillingStrategy,
    FunctionalElement,
    ParentSeries,
    PrivateTag,
    StaticElement,
    Volume,
)
from dicomwright.cli.group import cli

AFFINE = [[0, 0, 1.5, -7], [0, 2, 0, 5], [3, 0, 0, 11], [0, 0, 0, 1]]


def paths_of(dataset, path=""):
    """Return every element of a dataset, at every level."""
    found = []
    for element in dataset:
        name = element.keyword or f"({element.tag.group:04X},{element.tag.element:04X})"
        found.append(f"{path}{name}")
        if element.VR == "SQ":
            for number, item in enumerate(element.value, 1):
                found += paths_of(item, f"{path}{name}[{number}].")
    return found


@pytest.fixture
def build(make_series, write_series, tmp_path):
    """Return `build(name, *elements, parents=False) -> series`."""

    def built(name, *elements, parents=False, kind=np.int16, **more):
        blueprint = Blueprint.load(name) + Blueprint(elements)
        array = np.arange(60).reshape(3, 4, 5).astype(kind)
        if not parents:
            return DicomFactory().build(Volume(array, AFFINE), blueprint, **more)
        datasets = make_series(modality="CT" if name == "ct-image" else "MR")
        write_series(datasets, tmp_path / "parents")
        series = ParentSeries.read(tmp_path / "parents")
        array = np.zeros((len(series), series.planes.rows, series.planes.columns), kind)
        return DicomFactory().build(array, blueprint, series, **more)

    return built


@pytest.mark.parametrize("name", ["mr-image", "ct-image", "pet-image"])
@pytest.mark.parametrize("parents", [False, True])
@pytest.mark.parametrize("kind", [np.int16, np.uint8, np.float32])
def test_every_tag_of_the_file(build, tmp_path, name, parents, kind):
    series = build(
        name, parents=parents, kind=kind, derivation=Derivation("x", (("1", "99X", "y"),), "algorithm", "1")
    )
    (first, *_) = series.write(tmp_path / "out")
    dataset = pydicom.dcmread(first)
    rows = series.explain()
    assert [row.path for row in rows] == [*paths_of(dataset.file_meta), *paths_of(dataset)]
    assert all(row.rule and row.layer and row.origin and row.level for row in rows)
    for row in rows:
        if "[" not in row.path and row.path in dataset and row.vr not in ("SQ", "OW"):
            element = dataset[row.path]
            text = "\\".join(str(one) for one in (element.value if element.VM > 1 else [element.value]))
            if len(text) <= 60 and element.keyword != "SOPInstanceUID":
                assert row.value == text.replace("None", ""), row


def test_everything_that_a_filling_strategy_copies(build, tmp_path):
    private = PrivateTag(0x0009, "ACME", 0x01)
    series = build(
        "ct-image", StaticElement(private, "LO", "ø"), parents=True, filling_strategy=FillingStrategy.COPY
    )
    dataset = pydicom.dcmread(series.write(tmp_path / "out")[0])
    rows = series.explain()
    assert [row.path for row in rows] == [*paths_of(dataset.file_meta), *paths_of(dataset)]
    assert rows.of(private) == () or rows.of(private)[0].rule == "static 'ø'"
    assert {row.layer for row in rows} >= {"filling", "character set", "private block", "blueprint", "engine"}
    assert [row.rule for row in rows if row.path == "(0009,1001)"] == ["static 'ø'"]


def test_layers_and_what_they_overrode(build):
    rows = build("mr-image", StaticElement("Modality", "CS", "MR"), StaticElement("Rows", "US", 7)).explain()
    (modality,) = rows.of("Modality")
    assert (modality.layer, modality.level, modality.value) == ("blueprint", "static", "MR")
    assert __file__ in modality.origin
    assert modality.overrode[0][0] == "mr-image"
    assert modality.overrode[0][2].startswith("dicomwright/blueprints/mr-image.toml:")
    (size,) = rows.of("(0028,0010)")
    assert (size.layer, size.value) == ("encoder image", "4")
    assert size.overrode[0][:2] == ("blueprint", "static 7")


def test_files_that_extend_each_other(tmp_path):
    for name, base, text in (("one", "mr-image", "first"), ("two", "./one.toml", "second")):
        (tmp_path / f"{name}.toml").write_text(
            f'schema = 1\nsummary = "x"\nextends = ["{base}"]\n[elements]\n'
            f'SeriesDescription = {{ static = "{text}" }}\n'
            f'SequenceVariant = {{ static = "{"SK" if name == "one" else "SP"}" }}\n'
        )
    own = StaticElement("SeriesDescription", "LO", "third")
    blueprint = Blueprint.load(tmp_path / "two.toml") + Blueprint([own])
    rows = DicomFactory().build(Volume(np.zeros((3, 4, 5), np.int16), AFFINE), blueprint).explain()
    (description,) = rows.of("SeriesDescription")
    assert description.value == "third"
    assert [(rule, Path(origin).name) for _, rule, origin in description.overrode] == [
        ("static 'second'", "two.toml:5"),
        ("static 'first'", "one.toml:5"),
    ]
    (variant,) = rows.of("SequenceVariant")
    assert [Path(origin).name.split(":")[0] for _, _, origin in variant.overrode] == [
        "one.toml",
        "mr-image.toml",
    ]
    assert [layer for layer, _, _ in variant.overrode] == ["blueprint", "mr-image"]


def test_parents_that_values_were_copied_from(build, tmp_path):
    rows = build("mr-image", CopyElement("StudyDescription"), parents=True).explain()
    (study,) = rows.of("StudyDescription")
    assert study.parent.startswith(str(tmp_path / "parents"))
    assert rows.of("SeriesInstanceUID")[0].parent == ""
    assert rows.of("SeriesNumber")[0].parent == ""
    (number,) = (
        build("mr-image", FunctionalElement("ImageComments", "LT", lambda _: "x"))
        .explain()
        .of("ImageComments")
    )
    assert (number.parent, number.level, number.value) == ("", "instance", "x")


def test_tags_that_are_not_there(build):
    rows = build("mr-image", DiscardElement("ContentDate")).explain()
    (row,) = rows.of("ContentDate")
    assert (row.present, row.rule) == (False, "discard")
    assert row not in rows
    assert rows.of("PatientComments")[0].present is False
    assert rows.of("KVP") == ()


class TestCommand:
    @pytest.fixture
    def run(self, tmp_path, make_series, write_series):
        site = tmp_path / "site.toml"
        site.write_text(
            'schema = 1\nsummary = "x"\nextends = ["ct-image"]\n[elements]\nSeriesDescription = { static = "x" }\n'
        )
        write_series(make_series(modality="CT"), tmp_path / "parents")

        def ran(*arguments):
            return CliRunner().invoke(cli, ["explain", str(site), *arguments])

        ran.parents = str(tmp_path / "parents")
        return ran

    def test_rules_alone(self, run):
        done = run()
        assert done.exit_code == 0
        head, *lines = done.stdout.splitlines()
        assert head.split()[:3] == ["tag", "keyword", "VR"]
        (line,) = [line for line in lines if "SeriesDescription" in line]
        for text in ("(0008,103E)", "static 'x'", "site.toml:5"):
            assert text in line

    def test_with_parents(self, run):
        rows = {row["path"]: row for row in json.loads(run("--parent", run.parents, "--json").stdout)}
        assert rows["StudyInstanceUID"]["parent"].startswith(run.parents)
        assert rows["StudyInstanceUID"]["value"]
        assert rows["BitsStored"]["value"] is None
        assert set(rows["Modality"]) == {
            *("path", "tag", "keyword", "vr", "value", "rule", "level", "layer", "origin", "parent"),
            *("overrode", "present"),
        }
        assert rows["Modality"]["overrode"] == []  # the shipped rule came in by two ways, and is one
        inner = "ContributingEquipmentSequence[1].Manufacturer"
        assert rows[inner]["origin"] == rows["ContributingEquipmentSequence"]["origin"] == "dicomwright"

    def test_a_transfer_syntax(self, run):
        done = run(
            "--parent", run.parents, "--transfer-syntax", "deflated", "--json", "--tag", "TransferSyntaxUID"
        )
        assert json.loads(done.stdout)[0]["value"] == "1.2.840.10008.1.2.1.99"
        done = run("--transfer-syntax", "zip")
        assert (done.exit_code, type(done.exception).__name__) == (1, "PluginError")

    def test_one_tag(self, run):
        (row,) = json.loads(run("--tag", "KVP", "--json").stdout)
        assert row["tag"] == "(0018,0060)"
        assert "is not in the output" in run("--tag", "EchoTime").stdout

    def test_errors_are_told_beside(self, tmp_path):
        bad = tmp_path / "bad.toml"
        bad.write_text('schema = 1\nsummary = "x"\n[elements]\nStudyID = "discard"\n')
        done = CliRunner().invoke(cli, ["explain", "ct-image", str(bad)])
        assert done.exit_code == 1
        assert "StudyID (0020,0010), type 2" in done.stderr
        assert "(0020,000D)" in done.stdout


def test_a_value_of_the_parent_that_cannot_be_decoded(make_series, write_series, tmp_path):
    datasets = make_series("CT")
    for dataset in datasets:
        dataset["KVP"] = pydicom.dataelem.RawDataElement(
            pydicom.tag.Tag("KVP"), "DS", 4, b"none", 0, False, True
        )
    write_series(datasets, tmp_path / "parents")
    parents = ParentSeries.read(tmp_path / "parents")
    image = np.zeros((len(parents), parents.planes.rows, parents.planes.columns), np.int16)
    series = DicomFactory().build(image, Blueprint.load("ct-image"), parents)
    (row,) = series.explain().of("KVP")
    assert (row.value, row.parent) == ("", "")
