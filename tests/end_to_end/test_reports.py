"""PDF reports as a document, as pages, and as both in one study."""

from __future__ import annotations

import pydicom
import pytest
from dicomwright_pdf.testing import pdf_of

from dicomwright import Blueprint, DicomFactory, StaticElement

SHIPPED = Blueprint.load("encapsulated-pdf") + Blueprint([StaticElement("SeriesDescription", "LO", "Report")])
REPORT = pdf_of("Liver: normal.", "Spleen: normal.", "Kidneys: normal.", title="Abdomen")


@pytest.mark.parametrize("with_parent", [False, True])
def test_both_are_two_series_of_one_study(tmp_path, make_series, dciodvfy, dcentvfy, with_parent):
    parents = make_series("CT", shape=(2, 3, 4)) if with_parent else None
    document, pages = DicomFactory().encode_pdf(
        REPORT, parents, SHIPPED, form="both", reader_options={"dpi": "72", "colour": "grey"}
    )
    files = document.write(tmp_path / "document") + pages.write(tmp_path / "pages")
    assert [error for file in files for error in dciodvfy(file)] == []
    assert dcentvfy(files) == []
    datasets = [pydicom.dcmread(file) for file in files]
    assert len({dataset.StudyInstanceUID for dataset in datasets}) == 1
    assert [dataset.Modality for dataset in datasets] == ["DOC", "OT", "OT", "OT"]
    assert {dataset.SeriesDescription for dataset in datasets} == {"Report"}
    assert [dataset.InstanceNumber for dataset in datasets[1:]] == [1, 2, 3]
    assert len({dataset.SeriesInstanceUID for dataset in datasets}) == 2
    assert "EncapsulatedDocument" not in datasets[1]
    if with_parent:
        assert {dataset.PatientID for dataset in datasets} == {parents[0].PatientID}
        assert datasets[0].StudyInstanceUID == parents[0].StudyInstanceUID


def test_pages_are_images_of_their_own_sizes(tmp_path, shared_data, dciodvfy):
    (pages,) = DicomFactory().encode_pdf(
        shared_data / "v17_pdf" / "sizes.pdf",
        None,
        Blueprint([StaticElement("SeriesDescription", "LO", "Pages")]),
        form="pages",
        reader_options={"dpi": "72"},
    )
    files = pages.write(tmp_path / "pages")
    assert [error for file in files for error in dciodvfy(file)] == []
    shapes = [pydicom.dcmread(file).pixel_array.shape for file in files]
    assert shapes == [(792, 612, 3), (323, 649, 3), (612, 792, 3)]


def test_the_blueprint_of_pages_may_be_given():
    photo = Blueprint([StaticElement("SeriesDescription", "LO", "Photo")])
    _, pages = DicomFactory().encode_pdf(REPORT, None, SHIPPED, form="both", pages_blueprint=photo)
    assert pages[0].SeriesDescription == "Photo"


def test_the_command_renders_for_an_encoder_of_images(tmp_path):
    (tmp_path / "report.pdf").write_bytes(REPORT)
    series = DicomFactory().build(
        tmp_path / "report.pdf", Blueprint(), encoder="secondary-capture", reader_options={"pages": "2-3"}
    )
    assert len(series) == 2
    assert series[0].Rows == 1755
    assert series.result["reader"]["name"] == "pdf"
