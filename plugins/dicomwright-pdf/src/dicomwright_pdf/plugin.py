"""What this distribution provides. Imports nothing heavy: PDFium only ever loads in a process of its own."""

from __future__ import annotations

from dicomwright.plugins import CommandSpec, EncoderSpec, OptionSpec, ReaderSpec, hookimpl

__all__ = ["PDF", "dicomwright_commands", "dicomwright_encoders", "dicomwright_readers"]

_READER = {
    "payload": "Document, or Frames: the pages as images (default: what the encoder takes)",
    "password": "the password of an encrypted document",
    "dpi": "resolution of pages as images, in pixels per inch (default 150)",
    "colour": "rgb or grey (default rgb)",
    "pages": "the pages that become images, such as 1-3,7 (default: all)",
    "max_pages": "most pages that a document may have (default 1000)",
    "max_pixels": "most pixels that a page may have (default 50000000)",
    "max_bytes": "most bytes that the file may have, such as 512MiB (default 100MiB)",
    "max_seconds": "most seconds of processor time for a page (default 2.5)",
}
_ENCODER = {
    "title": "DocumentTitle (0042,0010), instead of the title in the document's metadata",
    "concept": "ConceptNameCodeSequence (0040,A043) as VALUE^SCHEME^MEANING",
}


PDF = ReaderSpec(
    name="pdf",
    summary="PDF documents, as they are or as images of their pages",
    target="dicomwright_pdf.reader:PdfReader",
    extensions=(".pdf",),
    magic=((0, b"%PDF-"),),
    media_types=("application/pdf",),
    options=tuple(OptionSpec(name=name, summary=summary) for name, summary in _READER.items()),
)


@hookimpl
def dicomwright_readers() -> list[ReaderSpec]:
    """Give the PDF reader."""
    return [PDF]


@hookimpl
def dicomwright_encoders() -> list[EncoderSpec]:
    """Give the encoder of encapsulated PDF."""
    return [
        EncoderSpec(
            name="encapsulated-pdf",
            summary="a PDF document, embedded byte for byte in one instance",
            target="dicomwright_pdf.encoder:EncapsulatedPdfEncoder",
            payloads=("Document",),
            sop_classes=("1.2.840.10008.5.1.4.1.1.104.1",),
            options=tuple(OptionSpec(name=name, summary=summary) for name, summary in _ENCODER.items()),
        )
    ]


@hookimpl
def dicomwright_commands() -> list[CommandSpec]:
    """Give the command that stores a report in several forms at once."""
    return [
        CommandSpec(
            name="encode-pdf",
            summary="Store a PDF report as a document, as images of its pages, or both.",
            target="dicomwright_pdf.command:encode_pdf",
        )
    ]
