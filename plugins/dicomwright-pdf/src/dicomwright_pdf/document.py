"""A document that was looked at: its pages, its title, and what to know of it."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from dicomwright.reading import refusal
from dicomwright_pdf.child import Child, ChildError
from dicomwright_pdf.files import check_size, check_whole, without_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from dicomwright.errors import SourceError
    from dicomwright_pdf.options import ReadOptions

__all__ = ["DAMAGED", "PdfFile", "inspect"]

#: Address space of a process that opens a document, and seconds of processor time to open it.
MEMORY: Final = 384 * 1024**2
OPENING: Final = 3.0
DAMAGED: Final = (
    "the document is damaged and was repaired in order to read it: other software may show it otherwise, "
    "or not at all"
)


@dataclass(frozen=True)
class PdfFile:
    """A document and what is known of it.

    Attributes
    ----------
    data : bytes
        The file.
    source : str
        Where it comes from.
    pages : int
        Number of pages.
    sizes : tuple of (float, float)
        Width and height of each chosen page in points, as it is shown.
    chosen : tuple of int
        The chosen pages, from 0.
    title : str
        From its metadata.
    warnings : tuple of str
        What the user should know.
    foreign : tuple of int
        The chosen pages, from 0, that have text in a font which the document does not hold and no program has.

    """

    data: bytes
    source: str
    pages: int
    sizes: tuple[tuple[float, float], ...]
    chosen: tuple[int, ...]
    title: str
    warnings: tuple[str, ...]
    foreign: tuple[int, ...] = ()


def memory_for(data: bytes) -> int:
    """Return the address space of a process that holds a document."""
    return MEMORY + 2 * len(data)


def inspect(data: bytes, source: str, options: ReadOptions) -> PdfFile:
    """Look at a document without rendering a page.

    PDFium opens it in one process, pypdf checks its structure in another, at the same time.

    Raises
    ------
    SourceError
        It is no PDF document, cut off, damaged beyond repair, encrypted, empty, or beyond a limit.

    """
    check_size(source, len(data), options.max_bytes)
    warnings = [*check_whole(source, data)]
    with ExitStack() as stack:
        memory = memory_for(data)
        checking = Child(data, task="structure", memory=memory, seconds=OPENING)
        stack.callback(checking.close)
        child = Child(data, password=options.password, memory=memory, seconds=OPENING)
        stack.callback(child.close)
        try:
            properties = child.answer()
            chosen = _chosen(source, properties["pages"], options)
            sizes = child.ask({"task": "sizes", "pages": list(chosen)}, OPENING)["sizes"]
        except ChildError as error:
            raise _unopened(source, error, checking, given=bool(options.password)) from error
        found = _findings(checking)
    warnings += _doubts(properties, found)
    file = PdfFile(
        data=data,
        source=source,
        pages=properties["pages"],
        sizes=_sizes(sizes, chosen, found),
        chosen=chosen,
        title=properties["title"].strip() or found.get("title", ""),
        warnings=tuple(warnings),
        foreign=tuple(page for page in chosen if page in found.get("foreign", ())),
    )
    return _found_again(file, memory, found) if found.get("lost") else file


def _sizes(
    sizes: Iterable[Sequence[float]], chosen: tuple[int, ...], found: dict[str, Any]
) -> tuple[tuple[float, float], ...]:
    """Return the sizes of pages, zero where the document says no size that can be shown."""
    flat = set(found.get("flat", ()))
    return tuple(
        (0.0, 0.0) if page in flat else (width, height)
        for page, (width, height) in zip(chosen, sizes, strict=True)
    )


def _found_again(file: PdfFile, memory: int, found: dict[str, Any]) -> PdfFile:
    """Return a document as PDFium reads it when it looks for objects itself.

    It believes a table of objects that can be read, and leaves out what is not where that says.
    """
    data = without_table(file.data)
    child = Child(data, memory=memory, seconds=OPENING)
    try:
        same = child.answer()["pages"] == file.pages
        sizes = child.ask({"task": "sizes", "pages": list(file.chosen)}, OPENING)["sizes"] if same else ()
    except ChildError:
        return file
    finally:
        child.close()
    return replace(file, data=data, sizes=_sizes(sizes, file.chosen, found)) if same else file


def _findings(checking: Child) -> dict[str, Any]:
    """Return what the check of the structure found."""
    try:
        return checking.answer()
    except ChildError as error:
        return {"unchecked": str(error)}


def _chosen(source: str, pages: int, options: ReadOptions) -> tuple[int, ...]:
    """Return the pages to take, from 0, in page order."""
    if pages < 1:
        raise refusal(source, "the document has no pages", "export it again", "no-pages")
    if pages > options.max_pages:
        raise refusal(
            source,
            f"the document has {pages} pages, more than max_pages ({options.max_pages})",
            f"if this is right, raise the limit: --reader-opt max_pages={pages}",
            "too-many-pages",
        )
    if not options.pages:
        return tuple(range(pages))
    last = max(last for _, last in options.pages)
    if last > pages:
        raise refusal(
            source,
            f"there is no page {last}: the document has {pages}",
            f"pages are 1-{pages}",
            "no-such-page",
        )
    return tuple(sorted({page - 1 for first, last in options.pages for page in range(first, last + 1)}))


def _unopened(source: str, error: ChildError, checking: Child, *, given: bool) -> SourceError:
    """Return the refusal of a document that PDFium cannot open."""
    if error.kind == "password":
        if given:
            return refusal(source, "the password does not open the document", "check it", "password")
        return refusal(
            source, "the document is encrypted", "give its password: --reader-opt password=...", "encrypted"
        )
    if error.kind == "security":
        return refusal(
            source,
            "the document is encrypted in a way that is not supported",
            "save it without protection",
            "encrypted",
        )
    if error.kind in ("time", "memory", "crash"):
        message = f"the document cannot be opened: {error}"
        return refusal(source, message, "export it again", error.kind)
    if _findings(checking).get("pages") == 0:
        return refusal(source, "the document has no pages", "export it again", "no-pages")
    return refusal(source, "the document is damaged beyond repair", "copy or export it again", "damaged")


def _doubts(properties: dict[str, Any], found: dict[str, Any]) -> Iterator[str]:
    """Yield what the user should know of the structure."""
    encrypted = properties["encrypted"]
    if encrypted:
        yield "the document is encrypted, and stays so where it is embedded"
    if "unchecked" in found:
        yield f"the structure of the document could not be checked: {found['unchecked']}"
    elif (found.get("broken") and not encrypted) or found.get("complaints"):
        yield DAMAGED
    elif found.get("pages", properties["pages"]) != properties["pages"]:
        yield f"the document has {properties['pages']} pages or {found['pages']}, depending on how it is read"
    if found.get("script"):
        yield "the document holds scripts or actions; they were not run"
    if found.get("files"):
        yield "the document holds other files; they were not opened"
    if found.get("xfa"):
        yield "the document is an XFA form, of which only the pages for other software are read"
