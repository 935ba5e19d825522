"""The document in its instance: bytes, references, BurnedInAnnotation, and what independent programs say."""

from __future__ import annotations

import io
import zlib

import pydicom
import pypdf
import pytest

from dicomwright import Blueprint, CopyOrElseElement, DicomFactory, FunctionalElement, StaticElement
from dicomwright.errors import BlueprintError, SourceError
from dicomwright.payload import Document
from dicomwright_pdf.testing import pdf_of

SHIPPED = Blueprint.load("encapsulated-pdf")
NAMED = {"PatientName": "Olsen^Kari", "PatientID": "P7777-X", "PatientBirthDate": "19710503"}


@pytest.fixture(scope="module")
def parents(make_series):
    return make_series("CT", "oblique", shape=(3, 5, 4), elements=NAMED)


def encode(data: bytes, parents=None, blueprint: Blueprint = SHIPPED, **kwargs):
    (series,) = DicomFactory().encode_pdf(data, parents, blueprint, **kwargs)
    return series


@pytest.mark.parametrize("extra", [b"", b"\n"], ids=["one length", "one more"])
@pytest.mark.parametrize("with_parent", [False, True])
def test_files_are_right_and_the_document_comes_out_again(
    tmp_path, parents, dciodvfy, dcmdump, run_dcmtk, with_parent, extra
):
    data = pdf_of("Findings", title="Prüfbericht") + extra
    (tmp_path / "report.pdf").write_bytes(data)
    series = DicomFactory().build(tmp_path / "report.pdf", SHIPPED, parents if with_parent else None)
    (file,) = series.write(tmp_path / "out")
    assert dciodvfy(file) == []
    dcmdump(file)
    run_dcmtk("dcm2pdf", str(file), str(tmp_path / "again.pdf"))
    assert (tmp_path / "again.pdf").read_bytes() == data
    dataset = pydicom.dcmread(file)
    assert len(dataset.EncapsulatedDocument) % 2 == 0
    assert dataset.EncapsulatedDocument == data + b"\0" * (len(data) % 2)
    assert dataset.EncapsulatedDocumentLength == len(data)
    assert dataset.MIMETypeOfEncapsulatedDocument == "application/pdf"
    assert dataset.DocumentTitle == "Prüfbericht"
    assert (dataset.Modality, dataset.ConversionType, dataset.InstanceNumber) == ("DOC", "WSD", 1)
    assert dataset.SOPClassUID == pydicom.uid.EncapsulatedPDFStorage
    assert dataset["EncapsulatedDocument"].VR == "OB"


def test_patient_and_study_are_the_parents_and_all_its_instances_are_named(parents):
    dataset = encode(pdf_of("x"), parents)[0]
    for keyword in ("PatientName", "PatientID", "StudyInstanceUID", "StudyDate"):
        assert dataset[keyword].value == parents[0][keyword].value
    assert dataset.SeriesInstanceUID != parents[0].SeriesInstanceUID
    assert int(dataset.SeriesNumber) not in {0, int(parents[0].SeriesNumber)}
    named = [
        (item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID) for item in dataset.SourceInstanceSequence
    ]
    assert named == [(parent.SOPClassUID, parent.SOPInstanceUID) for parent in parents]
    for keyword in ("SourceImageSequence", "FrameOfReferenceUID", "PatientPosition", "PixelSpacing"):
        assert keyword not in dataset


def test_a_document_without_parents_names_none():
    assert "SourceInstanceSequence" not in encode(pdf_of("x"))[0]


def test_title_and_concept_by_option_and_by_blueprint():
    data = pdf_of("x", title="In the file")
    options = {"title": "By\toption ", "concept": "18748-4^LN^Diagnostic imaging report"}
    dataset = encode(data, encoder_options=options)[0]
    assert dataset.DocumentTitle == "By option"
    (concept,) = dataset.ConceptNameCodeSequence
    assert (concept.CodeValue, concept.CodingSchemeDesignator) == ("18748-4", "LN")
    blueprint = SHIPPED + Blueprint([StaticElement("DocumentTitle", "ST", "By blueprint")])
    assert encode(data, blueprint=blueprint, encoder_options=options)[0].DocumentTitle == "By blueprint"
    assert encode(data)[0].DocumentTitle == "In the file"
    assert len(encode(pdf_of("x"))[0].ConceptNameCodeSequence) == 0


def test_a_long_title_is_cut_to_bytes_that_every_program_takes(dciodvfy, tmp_path):
    (file,) = encode(pdf_of("x", title="x" * 1023 + "éé")).write(tmp_path / "out")
    assert dciodvfy(file) == []
    assert pydicom.dcmread(file).DocumentTitle == "x" * 1023


@pytest.mark.parametrize("concept", ["18748-4", "18748-4^LN^", "^LN^x", "a^b^c^d"])
def test_a_concept_that_is_no_code(concept):
    with pytest.raises(BlueprintError, match="is not a code; write VALUE"):
        encode(pdf_of("x"), encoder_options={"concept": concept})


# -- BurnedInAnnotation -----------------------------------------------------------------------------------------------


def burned_in(data: bytes, parents, blueprint: Blueprint = SHIPPED) -> tuple[str, str]:
    series = encode(data, parents, blueprint)
    told = [text for text in series.warnings if "BurnedInAnnotation" in text]
    return series[0].BurnedInAnnotation, told[0] if told else ""


def test_no_where_all_text_was_searched(parents):
    assert burned_in(pdf_of("Liver: normal.", "Page 2", ""), parents) == ("NO", "")


@pytest.mark.parametrize(
    "text", ["Mrs OLSEN", "ID: p7777-x", "born 3 May, i.e. 03.05.1971", "Ref. /Olsen/K."]
)
def test_yes_where_the_patient_is_named(parents, text):
    assert burned_in(pdf_of("Liver: normal.", text), parents) == (
        "YES",
        "BurnedInAnnotation (0028,0301) is YES: page 2 names the patient",
    )


def test_a_patient_that_the_blueprint_names():
    blueprint = SHIPPED + Blueprint([StaticElement("PatientName", "PN", "Berg^Liv")])
    assert burned_in(pdf_of("Frau Berg"), None, blueprint)[0] == "YES"
    assert burned_in(pdf_of("Frau Tal"), None, blueprint) == ("NO", "")


def test_a_name_that_is_made_cannot_be_searched(parents):
    number = StaticElement("PatientID", "LO", "X1234")
    made = FunctionalElement("PatientName", "PN", lambda _: "Berg^Liv")
    value, told = burned_in(pdf_of("Frau Berg"), None, SHIPPED + Blueprint([number, made]))
    assert value == "YES"
    assert "PatientName is made by the blueprint, and was not searched" in told
    for name in (made, CopyOrElseElement("PatientName", "PN", made)):
        assert burned_in(pdf_of("Frau Tal"), parents, SHIPPED + Blueprint([name]))[0] == "NO"
    fallen_back = SHIPPED + Blueprint([number, CopyOrElseElement("PatientName", "PN", "Berg^Liv")])
    assert "page 1 names the patient" in burned_in(pdf_of("Frau Berg"), None, fallen_back)[1]
    assert burned_in(pdf_of("Frau Tal"), None, fallen_back) == ("NO", "")


def test_yes_where_nothing_is_known_of_the_patient():
    value, told = burned_in(pdf_of("Liver: normal."), None)
    assert value == "YES"
    assert "nothing is known of the patient" in told


def picture(page, pdf_stream, side: int) -> bytes:
    kind = b"/Type /XObject /Subtype /Image /Width 8 /Height 8 /BitsPerComponent 8 /ColorSpace /DeviceGray"
    content = b"BT /F 12 Tf 10 10 Td (Text) Tj ET q %d 0 0 %d 5 5 cm /I Do Q" % (side, side)
    resources = (
        b"/XObject << /I 7 0 R >> /Font << /F << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >>"
    )
    objects = [pdf_stream(bytes(range(64)), kind, packed=1)]
    return page(content, box=b"/MediaBox [0 0 595 842]", resources=resources, objects=objects)


def test_a_scan_may_show_the_patient_and_a_logo_does_not(parents, page, pdf_stream):
    value, told = burned_in(picture(page, pdf_stream, 400), parents)
    assert value == "YES"
    assert "page 1 has pictures, which cannot be searched" in told
    assert burned_in(picture(page, pdf_stream, 60), parents) == ("NO", "")


TEXT = b"BT /F 12 Tf 10 10 Td (Text) Tj ET "
FONT = b"/Font << /F << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> "


@pytest.mark.parametrize("form", [False, True])
def test_text_that_says_that_it_is_other_text_is_read_as_it_is_shown(parents, page, pdf_stream, form):
    """As ActualText does; without a look at what is shown the other text alone would be searched."""
    shown = b"/Span << /MCID 0 /ActualText (Mrs Alsen) >> BDC " + TEXT.replace(b"Text", b"Mrs Olsen") + b"EMC"
    entries = b"/Type /XObject /Subtype /Form /BBox [0 0 60 40] /Resources << %b >>" % FONT
    resources = FONT + b"/XObject << /X 7 0 R >>"
    data = page(b"/X Do" if form else shown, resources=resources, objects=[pdf_stream(shown, entries)])
    assert "page 1 names the patient" in burned_in(data, parents)[1]
    assert burned_in(data.replace(b"Olsen", b"Ulsen"), parents) == ("NO", "")
    assert burned_in(data.replace(b"Olsen", b"Ulsen").replace(b"Alsen", b"Olsen"), parents)[0] == "YES"


def test_a_scan_in_strips_is_a_scan(parents, page, pdf_stream):
    kind = b"/Type /XObject /Subtype /Image /Width 8 /Height 8 /BitsPerComponent 8 /ColorSpace /DeviceGray"
    content = TEXT + b"".join(b"q 300 0 0 20 0 %d cm /I Do Q " % (400 - 20 * strip) for strip in range(15))
    resources = FONT + b"/XObject << /I 7 0 R >>"
    strips = page(
        content,
        box=b"/MediaBox [0 0 300 420]",
        resources=resources,
        objects=[pdf_stream(bytes(64), kind)],
    )
    assert "page 1 has pictures, which cannot be searched" in burned_in(strips, parents)[1]


def test_tiles_hold_pictures_and_text(parents, page, pdf_stream):
    entries = b"/PatternType 1 /PaintType 1 /TilingType 1 /BBox [0 0 300 420] /XStep 300 /YStep 420 "
    tile = pdf_stream(TEXT.replace(b"Text", b"Olsen"), entries + b"/Resources << %b >>" % FONT)
    content = TEXT + b"/Pattern cs /P scn 0 0 300 420 re f"
    box = b"/MediaBox [0 0 300 420]"
    tiled = page(content, box=box, resources=FONT + b"/Pattern << /P 7 0 R >>", objects=[tile])
    assert "page 1 has pictures, which cannot be searched" in burned_in(tiled, parents)[1]
    grey = page(TEXT + b"0.749 g 0 0 300 420 re f", box=box, resources=FONT)
    assert burned_in(grey, parents) == ("NO", "")


def test_drawn_letters_beside_text_cannot_be_searched_and_marks_of_a_chart_are_none(parents, page):
    def drawn(*curves: int) -> bytes:
        shapes = b"".join(b"0 0 m %b f " % (b"1 2 3 4 5 0 c " * count) for count in curves)
        return page(TEXT + shapes, resources=FONT)

    assert "page 1 has drawings that may be letters" in burned_in(drawn(*range(8, 14)), parents)[1]
    assert burned_in(drawn(*[8] * 50, 192), parents) == ("NO", "")


def test_drawn_letters_and_notes_cannot_be_searched(parents, page):
    drawn = page(b"0 0 m 10 10 l 20 0 l f")
    assert "has drawings and no text" in burned_in(drawn, parents)[1]
    note = b"<< /Type /Annot /Subtype /FreeText /Rect [0 0 50 20] /Contents (Olsen) /DA (/F 9 Tf) >>"
    noted = page(b"", box=b"/MediaBox [0 0 60 40] /Annots [7 0 R]", objects=[note])
    assert "has annotations or form fields" in burned_in(noted, parents)[1]


def test_a_page_that_is_only_seen_after_a_repair_is_searched(parents):
    data = pdf_of("Mrs Olsen")
    place = data.index(b"6 0 obj")
    broken = data.replace(b"%010d 00000 n" % place, b"%010d 00000 n" % (place + 7))
    assert "page 1 names the patient" in burned_in(broken, parents)[1]
    assert burned_in(broken.replace(b"Olsen", b"Alsen"), parents) == ("NO", "")


def test_an_encrypted_document_is_not_searched(parents):
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(pdf_of("Liver: normal.")))
    writer.encrypt("secret")
    stream = io.BytesIO()
    writer.write(stream)
    series = encode(stream.getvalue(), parents, reader_options={"password": "secret"})
    assert series[0].BurnedInAnnotation == "YES"
    assert any("the document is encrypted" in text for text in series.warnings)


def test_a_bomb_is_embedded_and_not_searched(parents, bomb):
    assert burned_in(bomb, parents)[0] == "YES"


def test_a_blueprint_may_say_what_it_is_unless_the_patient_is_named(parents):
    says = Blueprint([StaticElement("BurnedInAnnotation", "CS", "NO")])
    scan = pdf_of("", content=b"0 0 m 10 10 l f")
    assert burned_in(scan, parents, SHIPPED + says) == ("NO", "")
    value, told = burned_in(pdf_of("Olsen"), parents, SHIPPED + says)
    assert value == "YES"
    assert "whatever the blueprint says" in told


# -- what is not taken ------------------------------------------------------------------------------------------------


def test_other_kinds_are_refused():
    with pytest.raises(BlueprintError, match="is not that of an encapsulated PDF"):
        encode(pdf_of("x"), blueprint=Blueprint.load("ct-image"))
    with pytest.raises(SourceError, match="a document of type text/xml cannot be encapsulated as PDF"):
        encode(Document(b"<x/>", "text/xml"))
    with pytest.raises(SourceError, match="this is no PDF document"):
        encode(Document(b"<x/>", "application/pdf"))
    with pytest.raises(BlueprintError, match="form='image' is not"):
        encode(pdf_of("x"), form="image")


def test_a_document_made_by_hand(parents):
    series = encode(Document(pdf_of("x"), "application/pdf", title="By hand"), parents)
    assert series[0].DocumentTitle == "By hand"
    assert series.result["reader"] is None


def test_derived_uids_follow_from_the_document(parents):
    def uid(data: bytes) -> str:
        factory = DicomFactory()
        payload = Document(data, "application/pdf")
        return factory.build(payload, SHIPPED, parents, uids="derived")[0].SOPInstanceUID

    assert uid(pdf_of("x")) == uid(pdf_of("x")) != uid(pdf_of("y"))


def test_a_blueprint_of_its_own_is_completed(parents, dciodvfy, tmp_path):
    blueprint = Blueprint([CopyOrElseElement("StudyDescription", "LO", "Report")])
    series = DicomFactory().build(
        Document(pdf_of("x"), "application/pdf"), blueprint, parents, encoder="encapsulated-pdf"
    )
    (file,) = series.write(tmp_path / "out")
    assert dciodvfy(file) == []
    assert series[0].Modality == "DOC"


def test_random_bytes_inside_do_not_matter(tmp_path):
    noise = zlib.compress(b"x")  # no PDF object, in the middle of the document
    data = pdf_of("x").replace(b"xref\n0", b"%" + noise.replace(b"\n", b"") + b"\nxref\n0")
    series = encode(data)
    assert series[0].EncapsulatedDocument[: len(data)] == data
    series.write(tmp_path / "out")
