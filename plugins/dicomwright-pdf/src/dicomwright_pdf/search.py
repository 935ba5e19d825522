"""Search the text of a document's pages for its patient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from dicomwright_pdf.child import Child, ChildError
from dicomwright_pdf.document import OPENING, memory_for

if TYPE_CHECKING:
    from dicomwright_pdf.identifiers import Identifiers

__all__ = ["Search", "search"]

_A_PAGE: Final = 2.0  # seconds of processor time
_MOST_PAGES: Final = 2000


@dataclass(frozen=True)
class Search:
    """What was found.

    Attributes
    ----------
    named : bool
        The patient is named on a page.
    page : int
        On which, from 1.
    reason : str
        Why the pages may show the patient although the search did not find it; empty if they do not.

    """

    named: bool = False
    page: int = 0
    reason: str = ""

    @property
    def clean(self) -> bool:
        """All that can be read on the pages was searched, and does not name the patient."""
        return not self.named and not self.reason


def search(data: bytes, identifiers: Identifiers) -> Search:
    """Return whether the pages of a document name the patient.

    Examples
    --------
    >>> from dicomwright_pdf.identifiers import Identifiers
    >>> from dicomwright_pdf.testing import pdf_of
    >>> search(pdf_of("Page one", "Seen: Mrs Olsen"), Identifiers(names=["Olsen^Ida"]))
    Search(named=True, page=2, reason='')

    """
    if not identifiers:
        return Search(reason="nothing is known of the patient, so the pages could not be searched")
    child = Child(data, memory=memory_for(data), seconds=OPENING)
    try:
        return _searched(child, identifiers)
    except ChildError as error:
        why = "the document is encrypted" if error.kind == "password" else str(error)
        return Search(reason=f"the pages could not be searched: {why}")
    finally:
        child.close()


def _searched(child: Child, identifiers: Identifiers) -> Search:
    """Search page by page."""
    pages = child.answer()["pages"]
    if pages > _MOST_PAGES:
        return Search(reason=f"only up to {_MOST_PAGES} pages are searched, and there are {pages}")
    reason = ""
    for page in range(pages):
        found = child.ask({"task": "text", "page": page}, _A_PAGE)
        if identifiers.anywhere_in(found["text"]):
            return Search(named=True, page=page + 1)
        if found.get("unsearched") and not reason:
            reason = f"page {page + 1} {found['unsearched']}, which cannot be searched"
    return Search(reason=reason)
