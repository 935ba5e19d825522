"""What is told of a codec: in the images, by lint, and by explain."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from dicomwright import DicomFactory, InstanceCopyElement, StaticElement
from dicomwright.blueprint.blueprint import Blueprint
from dicomwright.cli.group import cli


def equipment(series):
    (item,) = series[0].ContributingEquipmentSequence
    return item.ContributionDescription, list(item.SoftwareVersions)


def test_images_name_the_codec(build):
    told, versions = equipment(build("rle"))
    assert told == "Built with encoder image and codec rle"
    assert [text.split()[0] for text in versions] == ["dicomwright", "dicomwright-codecs"]


@pytest.mark.parametrize("name", ["", "deflated"])
def test_images_that_are_not_compressed_do_not(build, name):
    assert equipment(build(name))[0] == "Built with encoder image"


def test_the_users_word_counts_more(build):
    series = build("rle", elements=[StaticElement("ContributingEquipmentSequence", "SQ", [])])
    assert series[0].ContributingEquipmentSequence == []


def test_lint_asks_the_codec():
    blueprint = Blueprint.load("ct-image") + Blueprint([InstanceCopyElement("SOPInstanceUID", "UI")])
    factory = DicomFactory()
    assert [row for row in factory.lint(blueprint, transfer_syntax="rle") if row.severity == "error"] == []
    (error,) = [row for row in factory.lint(blueprint, transfer_syntax="jpeg2000") if row.severity == "error"]
    assert "is copied from the parent, but jpeg2000 changes pixels" in error.message


@pytest.mark.parametrize("name", ["jpeg-ls-near", "jpeg2000", "htj2k"])
def test_no_warning_says_that_the_method_is_wrong(build, name):
    assert [text for text in build(name).result["warnings"] if "LossyImageCompressionMethod" in text] == []


def test_lint_asks_for_right_options():
    done = CliRunner().invoke(
        cli, ["lint", "ct-image", "--transfer-syntax", "jpeg2000", "--codec-opt", "ratio=0"]
    )
    assert done.exit_code == 1
    assert "ratio='0' is not a number from 1" in done.stdout


def test_explain_shows_what_a_codec_gives():
    arguments = ["explain", "ct-image", "--transfer-syntax", "1.2.840.10008.1.2.4.203", "--json"]
    done = CliRunner().invoke(cli, [*arguments, "--tag", "LossyImageCompressionMethod"])
    (row,) = json.loads(done.stdout)
    assert (row["layer"], row["rule"]) == ("codec htj2k", "follows from the compression")
    assert row["overrode"][0]["layer"] == "blueprint"
