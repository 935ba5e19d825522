"""Reader and encoder pass the batteries that those of third parties pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dicomwright import Document
from dicomwright.testing import EncoderConformance, ReaderConformance, write_pdf

if TYPE_CHECKING:
    from pathlib import Path


class TestReader(ReaderConformance):
    module = "dicomwright_pdf.plugin"
    name = "pdf"

    @pytest.fixture
    def source(self, tmp_path: Path) -> Path:
        return write_pdf(tmp_path / "report.pdf", pages=2)


class TestEncoder(EncoderConformance):
    module = "dicomwright_pdf.plugin"
    name = "encapsulated-pdf"
    bad_options = {}  # any text is a title

    @pytest.fixture
    def payload(self, tmp_path: Path) -> Document:
        data = write_pdf(tmp_path / "report.pdf").read_bytes()
        return Document(data, "application/pdf", pages=1, title="Report")

    @pytest.fixture
    def refused(self) -> list[Document]:
        return [Document(b"no document", "text/plain")]
