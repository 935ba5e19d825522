"""What `process` may return, and what is said of the rest."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset, dcmread

from dicomwright import Blueprint, DicomFactory, Series
from dicomwright.uids import gen_uid
from dicomwright_node import Address, DicomOutput, FileOutput, MultiOutput, NoOutput, PipelineError
from dicomwright_node.jobs.written import EXPLANATION, write_output
from dicomwright_node.pipeline.outputs import PipelineOutput

PACS = Address("127.0.0.1", 11112, "PACS")


def series(make_series, count=2):
    parents = make_series(shape=(count, 4, 6))
    image = np.stack([dataset.pixel_array for dataset in parents])
    return DicomFactory().build_series(image, Blueprint.load("ct-image"), parents)


@pytest.mark.parametrize(
    ("address", "url"),
    [
        (Address("192.0.2.1", 104, "PACS"), "dicom://PACS@192.0.2.1:104"),
        (Address("2001:db8::1", 104, "MY PACS "), "dicom://MY%20PACS@[2001:db8::1]:104"),
        (Address("pacs.example", 4242, "A/B@C"), "dicom://A%2FB%40C@pacs.example:4242"),
    ],
)
def test_addresses(address, url):
    assert address.url == url


@pytest.mark.parametrize(
    "arguments",
    [
        ("", 104, "PACS"),
        ("a b", 104, "PACS"),
        ("a@b", 104, "PACS"),
        ("a", 0, "PACS"),
        ("a", 104, "P" * 17),
        (None, 1, "P"),
    ],
)
def test_wrong_addresses(arguments):
    with pytest.raises(PipelineError):
        Address(*arguments)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: DicomOutput(PACS), "DicomOutput has a Address, not a pair"),
        (lambda: DicomOutput([(PACS, None)]), "an output is a NoneType, not a series"),
        (lambda: DicomOutput([(PACS, [])]), "an output is empty, not a series"),
        (lambda: DicomOutput([("PACS", Dataset())]), "a destination is 'PACS'; give an Address or a URL"),
        (lambda: DicomOutput([(7, Dataset())]), "a destination is a int"),
        (lambda: FileOutput([("report.txt", "")]), "'report.txt' is no absolute path"),
        (lambda: FileOutput([("/a/../b", "")]), "'/a/../b' is no absolute path"),
        (lambda: FileOutput([("/", "")]), "FileOutput: '/' names no file"),
        (lambda: FileOutput([("/a", [Series.__new__(Series)] * 2)]), "'/a' is one folder for 2 series"),
        (lambda: FileOutput([("/a\0b", "")]), "names no file; give its whole path"),
        (lambda: MultiOutput([PACS]), "MultiOutput takes outputs, not a Address"),
    ],
)
def test_wrong_outputs(make, message):
    with pytest.raises(PipelineError) as caught:
        make()
    assert message in str(caught.value)


def test_outputs_are_written_before_they_are_sent(make_series, tmp_path):
    built = series(make_series)
    output = MultiOutput(
        [
            DicomOutput([(PACS, built), ("https://pacs.example/dicom-web", built)], {"timeout": 3}),
            FileOutput([(tmp_path / "copy", built), (tmp_path / "a b.txt", "text")]),
            NoOutput(),
        ]
    )
    written = write_output(output, tmp_path / "outputs" / "1-1")
    assert [(one.kind, one.files, one.destination) for one in written] == [
        ("dicom", 2, "dicom://PACS@127.0.0.1:11112"),
        ("dicom", 2, "https://pacs.example/dicom-web"),
        ("file", 2, (tmp_path / "copy").as_uri()),
        ("file", 1, (tmp_path / "a b.txt").as_uri()),
    ]
    assert written[0].options == {"timeout": "3"}
    assert len({one.path for one in written}) == 2  # a series is written once
    assert Path(written[0].path + EXPLANATION).stat().st_size > 1000
    assert Path(written[3].path).read_text() == "text"
    assert written[3].size == 4


def test_data_sets_of_the_user_get_an_empty_preamble(make_series, tmp_path):
    datasets = make_series(shape=(2, 3, 4))
    datasets[0].preamble = b"MZ" + bytes(126)
    (written,) = write_output(DicomOutput([(PACS, datasets)]), tmp_path / "out")
    files = sorted(Path(written.path).iterdir())
    assert [file.read_bytes()[:132] for file in files] == [bytes(128) + b"DICM"] * 2
    assert dcmread(files[1]).SOPInstanceUID == datasets[1].SOPInstanceUID


def test_data_sets_without_names_are_refused(tmp_path):
    dataset = Dataset()
    dataset.SOPInstanceUID = gen_uid()
    with pytest.raises(PipelineError, match="have no SOPInstanceUID, or the same one"):
        write_output(DicomOutput([(PACS, [dataset, dataset])]), tmp_path / "out")


@pytest.mark.parametrize(
    ("places", "message"),
    [
        (
            ["/r/4711", "/r/4711/report.txt"],
            "/r/4711/report.txt inside /r/4711, which is replaced as a whole",
        ),
        (["/r/a/b/c", "/r/a"], "/r/a/b/c inside /r/a, which is replaced as a whole"),
        (["/r/a", "/r/b", "/r/a"], "FileOutput has /r/a more than once"),
    ],
)
def test_outputs_that_take_the_place_of_each_other_are_refused(tmp_path, places, message):
    output = MultiOutput([FileOutput([(place, place)]) for place in places])
    with pytest.raises(PipelineError, match=message):
        write_output(output, tmp_path / "out")
    assert not (tmp_path / "out").exists()


class Strange(PipelineOutput):
    pass


def test_an_output_that_nobody_can_deliver(tmp_path):
    with pytest.raises(PipelineError, match="an output is a Strange, which the node cannot deliver"):
        write_output(Strange(), tmp_path / "out")
