"""A PDF document as one instance of Encapsulated PDF Storage (PS3.3 A.45.1)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from dicomwright.blueprint.blueprint import Blueprint
from dicomwright.blueprint.elements import SequenceElement, StaticElement
from dicomwright.encoders.api import Encoding, PixelElement
from dicomwright.errors import BlueprintError, SourceError
from dicomwright.reading import shown
from dicomwright_pdf.document import DAMAGED
from dicomwright_pdf.files import check_whole, without_table
from dicomwright_pdf.identifiers import Identifiers, unknown
from dicomwright_pdf.search import Search, search

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dicomwright.blueprint.elements import VirtualElement
    from dicomwright.encoders.api import EncodeRequest
    from dicomwright.parents import ParentSeries
    from dicomwright.payload.volume import Document

__all__ = ["SOP_CLASS", "EncapsulatedPdfEncoder"]

SOP_CLASS: Final = "1.2.840.10008.5.1.4.1.1.104.1"
_MEDIA_TYPE: Final = "application/pdf"
_LONGEST_TITLE: Final = 1024  # of ST; as bytes, for programs that count those
_SERIES_NUMBER: Final = 0x00200011
_BURNED_IN: Final = "BurnedInAnnotation"
_ASIDE: Final = 1000  # from the parent's SeriesNumber to that of the document


@dataclass(frozen=True)
class _Code:
    """A code: value, scheme and meaning (PS3.3 section 8.8)."""

    value: str
    scheme: str
    meaning: str

    @classmethod
    def read(cls, text: str) -> _Code | None:
        """Return the code that a text stands for, None for no text."""
        if not text:
            return None
        parts = [part.strip() for part in text.split("^")]
        if len(parts) != 3 or not all(parts):  # noqa: PLR2004  # the parts of a code
            raise BlueprintError(
                f"concept={shown(text)!r} is not a code",
                hint="write VALUE^SCHEME^MEANING, as 18748-4^LN^Diagnostic imaging report",
                kind="option",
            )
        return cls(*parts)

    def blueprint(self) -> Blueprint:
        """Return the code as an item."""
        keyword, vr = ("CodeValue", "SH") if len(self.value) <= 16 else ("LongCodeValue", "UC")  # noqa: PLR2004  # SH
        return Blueprint(
            [
                StaticElement(keyword, vr, self.value),
                StaticElement("CodingSchemeDesignator", "SH", self.scheme),
                StaticElement("CodeMeaning", "LO", self.meaning),
            ]
        )


class EncapsulatedPdfEncoder:
    """Embeds a PDF document, byte for byte, in one instance.

    Examples
    --------
    >>> from dicomwright import Blueprint, DicomFactory
    >>> from dicomwright.testing import write_pdf
    >>> (document,) = DicomFactory().build(write_pdf("report.pdf"), Blueprint(), encoder="encapsulated-pdf")
    >>> document.MIMETypeOfEncapsulatedDocument
    'application/pdf'

    A parent series gives patient and study, and is what the document was derived from. Its patient is looked
    for in the text of the pages: BurnedInAnnotation is YES where one of its identifiers is found, or where
    not everything that can be read on the pages is text.
    """

    def encode(self, payload: Document, request: EncodeRequest) -> Encoding:
        """Return the blueprints of a document.

        Raises
        ------
        SourceError
            It is no PDF document.
        BlueprintError
            The blueprint is that of another SOP class, or an option is wrong.

        """
        if payload.media_type != _MEDIA_TYPE:
            raise SourceError(
                f"a document of type {shown(payload.media_type)} cannot be encapsulated as PDF",
                hint="give a PDF document",
                loc=payload.source,
                kind="media-type",
            )
        _check_sop_class(request)
        check_whole(payload.source, payload.data)
        found = _searched(payload, request)
        return Encoding(
            count=1,
            derived=Blueprint(_document(payload, found)),
            defaults=Blueprint(_defaults(payload, request, found)),
            warnings=(*payload.warnings, *_told(found, request.blueprint)),
            content=lambda: hashlib.sha256(payload.data).digest(),
            completed_by="encapsulated-pdf",
        )


def _searched(payload: Document, request: EncodeRequest) -> Search:
    """Return whether the pages name the patient, so far as that is known."""
    identifiers = Identifiers.of(request.parents, request.blueprint)
    found = search(payload.data, identifiers)
    if found.clean and DAMAGED in payload.warnings:
        found = search(without_table(payload.data), identifiers)  # as software shows it that repairs more
    missing = unknown(request.parents, request.blueprint) if found.clean else ""
    return Search(reason=f"{missing} is made by the blueprint, and was not searched") if missing else found


def _check_sop_class(request: EncodeRequest) -> None:
    """Refuse a blueprint that asks for another kind of object."""
    if "SOPClassUID" not in request.blueprint:
        return
    if request.sop_class_uid != SOP_CLASS:
        raise BlueprintError(
            f"SOPClassUID (0008,0016) {shown(request.sop_class_uid)} is not that of an encapsulated PDF",
            hint="use --blueprint encapsulated-pdf; for pages as images --encoder secondary-capture",
            loc=request.blueprint["SOPClassUID"].origin,
            kind="sop-class",
        )


def _document(payload: Document, found: Search) -> Iterator[VirtualElement]:
    """Give what follows from the document alone (PS3.3 C.24.2)."""
    data = payload.data
    padded = data + b"\0" * (len(data) % 2)
    yield PixelElement("EncapsulatedDocument", "OB", lambda: padded)
    yield StaticElement("EncapsulatedDocumentLength", "UL", len(data))
    yield StaticElement("MIMETypeOfEncapsulatedDocument", "LO", _MEDIA_TYPE)
    if found.named:
        yield StaticElement(_BURNED_IN, "CS", "YES")


def _defaults(payload: Document, request: EncodeRequest, found: Search) -> Iterator[VirtualElement]:
    """Give what a blueprint may override."""
    yield StaticElement("SOPClassUID", "UI", SOP_CLASS)
    yield StaticElement(_BURNED_IN, "CS", "NO" if found.clean else "YES")
    yield StaticElement("DocumentTitle", "ST", _title(payload, request.options))
    concept = _Code.read(str(request.options.get("concept") or ""))
    yield SequenceElement("ConceptNameCodeSequence", [] if concept is None else [concept.blueprint()])
    yield StaticElement("SeriesNumber", "IS", _series_number(request.parents))
    if request.parents is not None:
        yield SequenceElement("SourceInstanceSequence", [*_references(request.parents)])


def _title(payload: Document, options: Mapping[str, Any]) -> str:
    """Return the title as one line of text."""
    title = str(options.get("title") or payload.title)
    line = "".join(character if character.isprintable() else " " for character in title)
    return " ".join(line.split()).encode()[:_LONGEST_TITLE].decode(errors="ignore")


def _series_number(parents: ParentSeries | None) -> int:
    """Return a small SeriesNumber that is not the parent's."""
    element = None if parents is None else parents.element(_SERIES_NUMBER)
    try:
        number = int(str(element.value)) if element is not None else 0
    except ValueError:  # empty
        number = 0
    return number + _ASIDE if 0 < number < _ASIDE else 1


def _references(parents: ParentSeries) -> Iterator[Blueprint]:
    """Give a reference to each parent instance.

    Unlike elsewhere, SourceInstanceSequence (0042,0013) holds images too in this IOD: it has no
    SourceImageSequence, and the reference is required of a derived document (PS3.3 C.24.2).
    """
    for dataset in parents:
        sop_class, instance = dataset.get("SOPClassUID"), dataset.get("SOPInstanceUID")
        if sop_class and instance:
            yield Blueprint(
                [
                    StaticElement("ReferencedSOPClassUID", "UI", str(sop_class)),
                    StaticElement("ReferencedSOPInstanceUID", "UI", str(instance)),
                ]
            )


def _told(found: Search, blueprint: Blueprint) -> Iterator[str]:
    """Yield why BurnedInAnnotation (0028,0301) is what it is."""
    said = _BURNED_IN in blueprint
    if said and not found.named:
        return
    if found.named:
        overrides = ", whatever the blueprint says" if said else ""
        yield f"BurnedInAnnotation (0028,0301) is YES{overrides}: page {found.page} names the patient"
    elif not found.clean:
        yield f"BurnedInAnnotation (0028,0301) is YES to be safe: {found.reason}"
