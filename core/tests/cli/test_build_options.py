"""Options of ``build`` that tell where the images come from, or have the result checked; ``explain`` of a source."""

from __future__ import annotations

import json

import pydicom


def test_derivation_and_algorithm(cli, source, tmp_path):
    done = cli(
        *("build", source(), "--blueprint", "mr-image", "--out", tmp_path / "out"),
        *("--derivation", "Smoothed", "--derivation-code", "113085,DCM,Spatial resampling"),
        *("--algorithm", "Net=2"),
    )
    assert done.code == 0, done.err
    dataset = pydicom.dcmread(tmp_path / "out" / "00001.dcm")
    assert dataset.DerivationDescription == "Smoothed"
    assert dataset.DerivationCodeSequence[0].CodeMeaning == "Spatial resampling"
    assert dataset.ContributingEquipmentSequence[-1].SoftwareVersions == "2"


def test_validate(cli, source, tmp_path):
    arguments = ("build", source(), "--blueprint", "mr-image", "--validate", "--json")
    done = cli(*arguments, "--out", tmp_path / "out")
    assert done.code == 0, done.err
    assert done.result["validate"]["verdict"] == "pass"


def test_verify(cli, source, tmp_path):
    arguments = ("build", source(), "--blueprint", "mr-image", "--verify", "--json")
    done = cli(*arguments, "--out", tmp_path / "out")
    assert done.code == 0, done.err
    assert '"max_mm"' in done.out


def test_explain_with_a_source(cli, source):
    done = cli("explain", "ct-image", "--source", source(), "--json")
    assert done.code == 0, done.err
    rows = {row["path"]: row for row in json.loads(done.out)}
    assert (rows["Rows"]["value"], rows["Columns"]["value"]) == ("4", "5")
    assert rows["PixelSpacing"]["value"] == "0.75\\1.25"


def test_explain_reads_and_encodes_as_told(cli, source):
    given = (
        "--reader",
        "grid",
        "--reader-opt",
        "scale=3",
        "--encoder",
        "image",
        "--encoder-opt",
        "slicing=coronal",
    )
    done = cli("explain", "ct-image", "--source", source(), *given, "--json")
    assert done.code == 0, done.err
    rows = {row["path"]: row for row in json.loads(done.out)}
    plain = {
        row["path"]: row for row in json.loads(cli("explain", "ct-image", "--source", source(), "--json").out)
    }
    assert float(rows["WindowCenter"]["value"]) == 3 * float(plain["WindowCenter"]["value"])
    assert (rows["Rows"]["value"], rows["Columns"]["value"]) == ("3", "5")
    assert cli("explain", "ct-image", "--source", source(), "--reader-opt", "size=3").code == 1
