"""Documents that are read, repaired, or refused; nothing that they carry is run or opened."""

from __future__ import annotations

import errno
import io
import os
import time

import pypdf
import pytest

from dicomwright_pdf.reader import PdfReader
from dicomwright_pdf.testing import file_of, pdf_of

GOOD = pdf_of("Findings", ["One", "Two"], title="Report on \\ (x)")
CATALOGUE = b"<< /Type /Catalog /Pages 2 0 R >>"


def changed(data: bytes, **kwargs) -> bytes:
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(data))
    for name, arguments in kwargs.items():
        getattr(writer, name)(*arguments)
    stream = io.BytesIO()
    writer.write(stream)
    return stream.getvalue()


def test_document(tmp_path):
    (tmp_path / "a.pdf").write_bytes(GOOD)
    document = PdfReader().read(tmp_path / "a.pdf", {})
    assert document.data == GOOD
    assert (document.pages, document.title, document.media_type) == (2, "Report on \\ (x)", "application/pdf")
    assert document.source == str(tmp_path / "a.pdf")
    assert document.warnings == ()


def test_rendering_options_do_not_fit_a_document():
    assert PdfReader.from_bytes(GOOD, {"dpi": "96", "pages": "1"}).warnings == (
        "dpi, pages: only for pages as images; the document is embedded whole",
    )


DAMAGED = "the document is damaged and was repaired in order to read it"


@pytest.mark.parametrize(
    ("data", "warning"),
    [
        (GOOD.replace(b"startxref\n", b"startxref\n9"), DAMAGED),
        (GOOD.replace(b" 00000 n", b" 00000 f"), DAMAGED),
        (GOOD[: GOOD.rfind(b"xref\n0")] + GOOD[GOOD.rfind(b"trailer") :], DAMAGED),
        (GOOD + b"\n" * 2000, "2.0 KiB follow the end of the document"),
        (changed(GOOD, add_attachment=("evil.exe", b"MZ")), "holds other files; they were not opened"),
        (
            changed(GOOD, add_open_action=(pypdf.actions.JavaScript("app.alert(1)"),)),
            "holds scripts or actions; they were not run",
        ),
        (
            GOOD.replace(CATALOGUE, CATALOGUE[:-2] + b"/AcroForm << /XFA (x) /Fields [] >> >>").replace(
                b"startxref\n", b"startxref\n9"
            ),
            "XFA form",
        ),
    ],
    ids=["startxref", "free", "no xref", "trailing", "files", "script", "xfa"],
)
def test_what_is_told_of_a_document_that_is_read(data, warning):
    document = PdfReader.from_bytes(data)
    assert document.pages == 2
    assert any(warning in text for text in document.warnings), document.warnings


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "the file is empty"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "this is no PDF document"),
        (b"%PDF-1.7\n", "cut off after 9 bytes"),
        (GOOD[: len(GOOD) // 2], "cut off"),
        (GOOD[:-6], "cut off"),
        (GOOD + b"7 0 obj\n<< /Type /Annot >>\nendobj\n", "cut off"),
        (b"%PDF-1.4\n" + bytes(10_000) + b"%%EOF", "damaged beyond repair"),
        (b"%PDF-1.4\n1 0 obj\n" + b"[" * 100_000 + b"\nendobj\n%%EOF", "damaged beyond repair"),
        (file_of([CATALOGUE, b"<< /Type /Pages /Kids [] /Count 0 >>"]), "has no pages"),
        (
            file_of([CATALOGUE, b"<< /Type /Pages /Kids [2 0 R] /Count 5 >>"]),
            "none of the pages can be shown",
        ),
        (file_of([b"<< /Type /Catalog >>"]), "damaged beyond repair"),
        (changed(GOOD, encrypt=("secret", None)), "is encrypted; give its password"),
    ],
    ids=[
        "empty",
        "png",
        "header",
        "half",
        "end",
        "update",
        "zeros",
        "nested",
        "none",
        "loop",
        "root",
        "encrypted",
    ],
)
def test_refusals(refused, tmp_path, data, message):
    path = tmp_path / "bad.pdf"
    path.write_bytes(data)
    start = time.perf_counter()
    text = refused(path)
    assert text.startswith(f"{path}: ")
    assert message in text
    assert time.perf_counter() - start < 5


def test_password(refused):
    secret = changed(GOOD, encrypt=("secret", None))
    assert "the password does not open the document" in refused(secret, password="wrong")
    document = PdfReader.from_bytes(secret, {"password": "secret"})
    assert document.data == secret
    assert document.pages == 2
    assert "the document is encrypted, and stays so where it is embedded" in document.warnings


def test_a_password_may_begin_and_end_with_spaces():
    assert PdfReader.from_bytes(changed(GOOD, encrypt=(" a b ", None)), {"password": " a b "}).pages == 2


def info(entries: bytes, catalogue: bytes = CATALOGUE, objects: tuple[bytes, ...] = ()) -> bytes:
    """Return a document with such metadata; further objects have the numbers from 7."""
    tree = b"<< /Type /Pages /Kids [5 0 R] /Count 1 >>"
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 60 40] >>"
    return file_of([catalogue, tree, b"null", entries, page, b"null", *objects])


XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title><rdf:Alt>'
    b'<rdf:li xml:lang="x-default">Of XMP</rdf:li></rdf:Alt></dc:title></rdf:Description></rdf:RDF></x:xmpmeta>'
)
WITH_XMP = CATALOGUE[:-2] + b"/Metadata 7 0 R >>"


@pytest.mark.parametrize(
    ("entries", "xmp", "title"),
    [
        (b"<< >>", XMP, "Of XMP"),  # PDF 2.0 wants no other
        (b"<< /Title (Of Info) >>", XMP, "Of Info"),
        (b"<< >>", XMP[:-9], ""),
        (b"<< >>", b'<!DOCTYPE x [<!ENTITY a "&b;">]>' + XMP, ""),
        (b"<< /Title [1 2] >>", b"", ""),
        (b"<< /Title <FEFFD83D0041> >>", b"", "\ufffdA"),
    ],
    ids=["xmp", "both", "torn", "entity", "no text", "half a character"],
)
def test_titles(pdf_stream, entries, xmp, title):
    data = info(entries, WITH_XMP, (pdf_stream(xmp, b"/Type /Metadata /Subtype /XML"),))
    document = PdfReader.from_bytes(data)
    assert (document.title, document.warnings) == (title, ())


def test_a_document_that_was_changed_twice_is_not_damaged():
    data = changed(GOOD)
    for title in ("Second", "Third"):
        writer = pypdf.PdfWriter(io.BytesIO(data), incremental=True)
        writer.add_metadata({"/Title": title})
        stream = io.BytesIO()
        writer.write(stream)
        data = stream.getvalue()
    document = PdfReader.from_bytes(data)
    assert (document.title, document.warnings) == ("Third", ())


def test_limits(refused, tmp_path):
    path = tmp_path / "a.pdf"
    path.write_bytes(GOOD)
    assert "2 pages, more than max_pages (1)" in refused(path, max_pages="1")
    assert "more than max_bytes (100 bytes)" in refused(path, max_bytes="100")
    assert "there is no page 3: the document has 2" in refused(path, payload="Frames", pages="2-3")


def test_a_file_of_many_bytes_is_refused_before_it_is_read(refused, tmp_path):
    path = tmp_path / "large.pdf"
    with path.open("wb") as file:
        file.truncate(8 * 2**30)
    assert "8.0 GiB, more than max_bytes (100.0 MiB)" in refused(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names on this system")
def test_a_pipe_is_not_waited_for(refused, tmp_path):
    os.mkfifo(tmp_path / "pipe.pdf")
    assert "is not a regular file; name a PDF file" in refused(tmp_path / "pipe.pdf")


def test_what_a_site_prints_when_python_starts_is_no_answer(tmp_path, monkeypatch):
    (tmp_path / "sitecustomize.py").write_text('print("Welcome to this machine")')
    monkeypatch.syspath_prepend(tmp_path)
    assert PdfReader.from_bytes(GOOD).warnings == ()


def test_a_system_that_starts_no_process_is_told(refused, monkeypatch):
    def popen(*_, **__):
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    monkeypatch.setattr("subprocess.Popen", popen)
    assert "no process can be started to read the document: Resource temp" in refused(GOOD)


def test_a_missing_file(refused, tmp_path):
    assert "cannot be read" in refused(tmp_path / "absent.pdf")


def test_nothing_of_the_content_is_told():
    damaged = GOOD.replace(b"/Type /Font", b"/CANARY Font").replace(b"startxref\n", b"startxref\n9")
    assert not any("CANARY" in text for text in PdfReader.from_bytes(damaged).warnings)
