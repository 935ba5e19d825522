"""What pypdf finds in the structure of a document; it runs in a process of its own."""

from __future__ import annotations

import io
import logging
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["findings"]

_FARTHEST: Final = 2**31 - 1  # where a page may end in software that counts with 32 bits
#: How pypdf begins to complain about an object that is not where the table of objects says.
_LOST: Final = ("Ignoring wrong pointing object", "Object ")


class _Counter(logging.Handler):
    """Counts what pypdf complains about; its texts quote the document and go nowhere."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.count = 0
        self.lost = False

    def emit(self, record: logging.LogRecord) -> None:
        """Count one complaint; that an object was read twice is none about the document."""
        self.count += not str(record.msg).startswith("Overwriting cache")
        self.lost |= str(record.msg).startswith(_LOST)


def findings(data: bytes) -> dict[str, Any]:
    """Return whether the structure had to be repaired, and what it carries besides pages."""
    from pypdf import PdfReader

    counter = _Counter()
    logger = logging.getLogger("pypdf")
    logger.addHandler(counter)
    logger.propagate = False
    found: dict[str, Any] = {"broken": False, "script": False, "files": False, "xfa": False}
    try:
        reader = PdfReader(io.BytesIO(data), strict=False)
        found["encrypted"] = reader.is_encrypted
        if not reader.is_encrypted:
            found |= _carried(reader)
            pages = list(reader.pages)
            found["pages"] = len(pages)
            found["title"] = _title(reader)
            found["flat"] = [index for index, page in enumerate(pages) if _is_flat(page)]
            found["foreign"] = [index for index, page in enumerate(pages) if _is_foreign(page)]
    except Exception:  # noqa: BLE001  # pypdf raises many kinds on damaged files; any of them means damage
        found["broken"] = True
    found["complaints"] = counter.count
    found["lost"] = counter.lost
    return found


def _carried(reader: Any) -> dict[str, bool]:
    """Return whether a document carries scripts, files and an XFA form; none of them is opened."""
    root = _dictionary(reader.trailer["/Root"])
    names = _dictionary(root.get("/Names"))
    action = _dictionary(root.get("/OpenAction"))
    form = _dictionary(root.get("/AcroForm"))
    return {
        "script": "/JavaScript" in names or action.get("/S") == "/JavaScript" or "/AA" in root,
        "files": "/EmbeddedFiles" in names or "/AF" in root,
        "xfa": "/XFA" in form,
    }


def _is_foreign(page: Any) -> bool:
    """Tell whether a page has text in a font that is not in the document, and not replaced everywhere.

    All that the page shows is looked up for it, so that pypdf complains where the table of objects is wrong.
    """
    contents, resources = _resolved(page.get("/Contents")), _dictionary(page.get("/Resources"))
    for part in (*(contents if isinstance(contents, list) else ()), *_parts(resources, "/XObject")):
        _resolved(part)
    composite = [_dictionary(font).get("/DescendantFonts") for font in _parts(resources, "/Font")]
    return any(not _has_file(font) for fonts in composite for font in _resolved(fonts) or ())


def _parts(resources: dict[str, Any], kind: str) -> Iterable[Any]:
    return _dictionary(resources.get(kind)).values()


def _has_file(font: Any) -> bool:
    descriptor = _dictionary(_dictionary(font).get("/FontDescriptor"))
    return any(name in descriptor for name in ("/FontFile", "/FontFile2", "/FontFile3"))


def _title(reader: Any) -> str:
    """Return the title in the XMP metadata, which is all that some documents of PDF 2.0 have."""
    try:
        titles = reader.xmp_metadata.dc_title
        return str(titles.get("x-default") or next(iter(titles.values())))
    except Exception:  # noqa: BLE001  # there is none, or nothing that pypdf can read
        return ""


def _is_flat(page: Any) -> bool:
    """Tell whether a page says that it has no area, or too much; software then takes a size of its own choice."""
    box = page.get("/MediaBox")
    try:
        left, bottom, right, top = (float(side) for side in box or ())
    except (TypeError, ValueError):  # no box, which is damage of another kind
        return False
    return (right - left) * (top - bottom) == 0 or max(map(abs, (left, bottom, right, top))) > _FARTHEST


def _dictionary(value: Any) -> dict[str, Any]:
    """Return a value as a dictionary, empty if it is something else."""
    value = _resolved(value)
    return value if isinstance(value, dict) else {}


def _resolved(value: Any) -> Any:
    """Return what a reference refers to."""
    return value.get_object() if hasattr(value, "get_object") else value
