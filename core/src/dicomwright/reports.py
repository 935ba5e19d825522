"""The forms of a PDF report: the document itself, images of its pages, or both in one study."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pydicom.uid import EncapsulatedPDFStorage

from dicomwright._dataclass import dataclass
from dicomwright.blueprint.blueprint import Blueprint
from dicomwright.blueprint.elements import StaticElement
from dicomwright.blueprint.tags import to_tag
from dicomwright.errors import BlueprintError
from dicomwright.parents import ParentSeries
from dicomwright.payload import Document

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dicomwright.engine.series import Series

__all__ = ["Report", "build_report"]

_PAGES_ENCODER = "secondary-capture"
_RENDERING = ("dpi", "colour", "pages")  # options of the PDF reader that do not concern a document as a whole
#: What a blueprint says of a document itself, besides all of group 0042.
_OF_DOCUMENT = (
    "SOPClassUID",
    "Modality",
    "AcquisitionDateTime",
    "BurnedInAnnotation",
    "ConceptNameCodeSequence",
)
_DOCUMENT_GROUP = 0x0042


@dataclass(frozen=True)
class Report:
    """What is to be built from a report: see `dicomwright.DicomFactory.encode_pdf`."""

    source: Any
    parents: Any
    blueprint: Blueprint
    kwargs: Mapping[Any, Any] | None
    pages_blueprint: Blueprint | None
    reader_options: Mapping[str, Any]


def build_report(
    build: Callable[..., Series],
    report: Report,
    form: str,
    encoder_options: Mapping[str, Any] | None,
    as_files: Mapping[str, Any],
) -> list[Series]:
    """Return the series of a report in a form; `build` is that of a factory.

    Raises
    ------
    BlueprintError
        There is no such form, or it takes no blueprint of pages.

    """
    if form not in ("encapsulated", "pages", "both"):
        raise BlueprintError(f"form={form!r} is not 'encapsulated', 'pages' or 'both'")
    if report.pages_blueprint is not None and form != "both":
        raise BlueprintError(
            f"a blueprint of the pages beside that of the document is for the form 'both', not for {form!r}",
            hint="give it as the blueprint, or ask for both",
        )
    if form == "pages":
        own = report.blueprint
        of_pages = _pages_blueprint(own) if _is_of_document(own) else own
        return [_pages(build, report, of_pages, encoder_options=encoder_options, **as_files)]
    report = replace(report, parents=ParentSeries.of(report.parents))
    both = form == "both"
    document = build(
        report.source,
        report.blueprint,
        report.parents,
        "pdf",
        "encapsulated-pdf",
        kwargs=report.kwargs,
        reader_options={
            name: value for name, value in report.reader_options.items() if not both or name not in _RENDERING
        },
        encoder_options=encoder_options,
        **({} if both else as_files),
    )
    if form == "encapsulated":
        return [document]
    study = StaticElement("StudyInstanceUID", "UI", document.result["series"][0]["study_instance_uid"])
    of_pages = (report.pages_blueprint or _pages_blueprint(report.blueprint)) + Blueprint([study])
    return [document, _pages(build, report, of_pages, **as_files)]


def _pages(build: Callable[..., Series], report: Report, blueprint: Blueprint, **options: Any) -> Series:
    """Return images of the pages; the reader of PDF takes the bytes of a document."""
    source = report.source
    return build(
        source.data if isinstance(source, Document) else source,
        blueprint,
        report.parents,
        "pdf",
        _PAGES_ENCODER,
        kwargs=report.kwargs,
        reader_options=report.reader_options,
        **options,
    )


def _is_of_document(blueprint: Blueprint) -> bool:
    """Tell whether a blueprint is that of an encapsulated PDF."""
    if "SOPClassUID" not in blueprint:
        return False
    sop_class = blueprint["SOPClassUID"]
    return isinstance(sop_class, StaticElement) and str(sop_class.value) == EncapsulatedPDFStorage


def _pages_blueprint(blueprint: Blueprint) -> Blueprint:
    """Return a blueprint for the pages of a document as secondary captures."""
    of_document = {to_tag(keyword) for keyword in _OF_DOCUMENT}
    pages = blueprint + Blueprint()
    for element in blueprint:
        if element.tag in of_document or element.tag.group == _DOCUMENT_GROUP:
            del pages[element.tag]
    return pages
