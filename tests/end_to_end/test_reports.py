"""PDF reports as a document, as pages, and as both in one study."""

from __future__ import annotations

import json
from pathlib import Path

import pydicom
import pytest
from click.testing import CliRunner
from dicomwright_pdf.testing import file_of, pdf_of
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, RLELossless

from dicomwright import Blueprint, DicomFactory, StaticElement
from dicomwright.cli.group import cli
from dicomwright.errors import DicomwrightError, SourceError
from dicomwright.payload import Document

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


@pytest.mark.parametrize("form", ["pages", "both"])
def test_the_pages_of_a_document_in_memory(form):
    document = Document(REPORT, "application/pdf", title="By hand")
    *_, pages = DicomFactory().encode_pdf(document, None, SHIPPED, form=form, reader_options={"dpi": "36"})
    assert [(page.Rows, page.Columns) for page in pages] == [(421, 298)] * 3


def test_options_of_pages_are_not_ignored_in_silence():
    (document,) = DicomFactory().encode_pdf(REPORT, None, SHIPPED, reader_options={"pages": "1-2"})
    assert any("pages: only for pages as images" in text for text in document.warnings)
    with pytest.raises(DicomwrightError, match="option dpi of the PDF reader cannot be 'low'"):
        DicomFactory().encode_pdf(REPORT, None, SHIPPED, reader_options={"dpi": "low"})
    for form in ("encapsulated", "pages"):
        with pytest.raises(DicomwrightError, match=f"is for the form 'both', not for '{form}'"):
            DicomFactory().encode_pdf(REPORT, None, SHIPPED, form=form, pages_blueprint=SHIPPED)


def test_pages_of_a_blueprint_of_documents():
    (pages,) = DicomFactory().encode_pdf(REPORT, None, SHIPPED, form="pages", reader_options={"dpi": "36"})
    assert [(page.Modality, page.SeriesDescription) for page in pages] == [("OT", "Report")] * 3
    assert "MIMETypeOfEncapsulatedDocument" not in pages[0]


def test_pages_are_compressed_and_the_document_is_not():
    document, pages = DicomFactory().encode_pdf(
        REPORT, None, SHIPPED, form="both", reader_options={"dpi": "36"}, transfer_syntax="rle"
    )
    assert document[0].file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
    assert {page.file_meta.TransferSyntaxUID for page in pages} == {RLELossless}
    plain = DicomFactory().encode_pdf(REPORT, None, SHIPPED, form="pages", reader_options={"dpi": "36"})[0]
    for page, other in zip(pages, plain, strict=True):
        assert (page.pixel_array == other.pixel_array).all()


def test_a_document_has_no_pixels_to_compress():
    with pytest.raises(DicomwrightError, match="rle"):
        DicomFactory().encode_pdf(REPORT, None, SHIPPED, transfer_syntax="rle")
    (document,) = DicomFactory().encode_pdf(REPORT, None, SHIPPED, transfer_syntax="implicit-le")
    assert document[0].file_meta.TransferSyntaxUID == ImplicitVRLittleEndian


class TestCommand:
    """``dicomwright encode-pdf``."""

    @pytest.fixture
    def encode(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)

        def run(data, *arguments):
            Path("report.pdf").write_bytes(data)
            done = CliRunner().invoke(cli, ["encode-pdf", "report.pdf", *arguments])
            return done, sorted(path.as_posix() for path in Path().rglob("*.dcm"))

        return run

    @pytest.mark.parametrize(
        ("form", "names"),
        [
            ("encapsulated", ["out/00001.dcm"]),
            ("pages", ["out/00001.dcm", "out/00002.dcm"]),
            ("both", ["out/document/00001.dcm", "out/pages/00001.dcm", "out/pages/00002.dcm"]),
        ],
    )
    def test_forms(self, encode, make_series, dciodvfy, tmp_path, form, names):
        parents = make_series("CT", shape=(2, 3, 4))
        (tmp_path / "parents").mkdir()
        for number, parent in enumerate(parents):
            parent.save_as(tmp_path / "parents" / f"{number}", enforce_file_format=True)
        options = [
            "--parent",
            "parents",
            "--dpi",
            "36",
            "--pages",
            "2-3",
            "--out",
            "out",
            "--json",
            "--quiet",
        ]
        done, files = encode(REPORT, "--form", form, *options)
        assert done.exception is None
        assert files == names
        assert [error for file in files for error in dciodvfy(file)] == []
        result = json.loads(done.stdout)
        listed = [f"{each['directory']}/{name}" for each in result["series"] for name in each["files"]]
        assert listed == names
        datasets = [pydicom.dcmread(file) for file in files]
        assert {dataset.StudyInstanceUID for dataset in datasets} == {parents[0].StudyInstanceUID}
        assert {series["series_instance_uid"] for series in result["series"]} == {
            dataset.SeriesInstanceUID for dataset in datasets
        }

    def test_both_or_none(self, encode):
        claim = b"/Width 60000 /Height 60000 /BitsPerComponent 8 /ColorSpace /DeviceRGB"
        picture = b"<< /Type /XObject /Subtype /Image %b /Length 3 >>\nstream\n123\nendstream" % claim
        pages = b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>"
        resources = b"<< /XObject << /I 5 0 R >> >>"
        page = (
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 60 40] /Contents 4 0 R /Resources %b >>" % resources
        )
        content = b"<< /Length 21 >>\nstream\n60 0 0 40 0 0 cm /I Do\nendstream"
        data = file_of([b"<< /Type /Catalog /Pages 2 0 R >>", pages, page, content, picture])
        done, files = encode(data, "--form", "both", "--out", "out")
        assert isinstance(done.exception, SourceError)
        assert files == []
        assert not Path("out").exists()

    def test_overwriting(self, encode):
        options = ["--form", "both", "--dpi", "36", "--out", "out"]
        assert len(encode(REPORT, *options)[1]) == 4
        done, files = encode(pdf_of("One page."), *options)
        assert "out exists and is not empty (document, pages)" in str(done.exception)
        assert len(files) == 4
        done, files = encode(pdf_of("One page."), *options, "--overwrite")
        assert done.exception is None
        assert len(files) == 2


@pytest.mark.parametrize(("encoder", "modality"), [("encapsulated-pdf", "DOC"), ("secondary-capture", "OT")])
def test_an_encoder_of_one_kind_of_object_needs_no_blueprint(
    tmp_path, monkeypatch, dciodvfy, encoder, modality
):
    monkeypatch.chdir(tmp_path)
    Path("report.pdf").write_bytes(REPORT)
    done = CliRunner().invoke(cli, ["build", "report.pdf", "--encoder", encoder, "--out", "out"])
    assert done.exception is None
    assert dciodvfy("out/00001.dcm") == []
    assert pydicom.dcmread("out/00001.dcm").Modality == modality


def test_the_command_renders_for_an_encoder_of_images(tmp_path):
    (tmp_path / "report.pdf").write_bytes(REPORT)
    series = DicomFactory().build(
        tmp_path / "report.pdf", Blueprint(), encoder="secondary-capture", reader_options={"pages": "2-3"}
    )
    assert len(series) == 2
    assert series[0].Rows == 1755
    assert series.result["reader"]["name"] == "pdf"
