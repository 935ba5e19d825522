"""Documents of many makers, against an independent program that renders them."""

from __future__ import annotations

import shutil
import subprocess

import numpy as np
import pytest

from dicomwright.errors import SourceError
from dicomwright_pdf.reader import PdfReader

PAGES = {
    "ArabicCIDTrueType": 1,
    "AutoCad_Diagram": 1,
    "issue14415": 1,
    "issue5747": 1,
    "knockout_groups_test": 3,
    "r4-aes-user-password": 1,
    "r6-empty-password": 1,
    "sizes": 3,
    "standard_fonts": 14,
    "vertical": 3,
}
SIZES = {
    "AutoCad_Diagram": [(842, 1191)],
    "issue5747": [(596, 420)],
    "sizes": [(792, 612), (323, 649), (612, 792)],
}


def options(name: str) -> dict[str, str]:
    return {"password": "asdfzxcv"} if name.startswith("r4") else {}


def poppler(path, name: str, shape, folder) -> np.ndarray:
    """Return the first page of a document as poppler renders it in grey."""
    if shutil.which("pdftoppm") is None:
        pytest.skip("pdftoppm is not installed: on Debian apt-get install poppler-utils")
    password = ["-upw", options(name)["password"]] if options(name) else []
    rows, columns = shape[:2]
    for width, height in ((columns, rows), (rows, columns)):  # it scales before it turns
        size = ["-scale-to-x", str(width), "-scale-to-y", str(height)]
        target = folder / "page"
        subprocess.run(
            ["pdftoppm", *password, "-gray", "-singlefile", *size, str(path), str(target)],
            check=True,
            capture_output=True,
        )
        data = target.with_suffix(".pgm").read_bytes()
        _, found, _, pixels = data.split(b"\n", 3)
        found_columns, found_rows = map(int, found.split())
        if (found_rows, found_columns) == (rows, columns):
            return np.frombuffer(pixels, np.uint8).reshape(rows, columns)
    raise AssertionError(found)


@pytest.mark.parametrize("name", PAGES)
def test_documents(shared_data, name):
    document = PdfReader().read(shared_data / "v17_pdf" / f"{name}.pdf", options(name))
    assert document.pages == PAGES[name]
    assert document.data == (shared_data / "v17_pdf" / f"{name}.pdf").read_bytes()
    assert not any("damaged" in text for text in document.warnings)


@pytest.mark.parametrize("name", PAGES)
def test_first_page_against_poppler(shared_data, tmp_path, name):
    path = shared_data / "v17_pdf" / f"{name}.pdf"
    frames = PdfReader().read(path, {"payload": "Frames", **options(name)})
    image = frames.images[0]
    frames.images.close()
    grey = image @ np.array([0.299, 0.587, 0.114])
    assert np.abs(grey - poppler(path, name, image.shape, tmp_path)).mean() < 12


@pytest.mark.parametrize("name", SIZES)
def test_sizes_and_rotation(shared_data, name):
    frames = PdfReader().read(shared_data / "v17_pdf" / f"{name}.pdf", {"payload": "Frames", "dpi": "72"})
    assert [shape[:2] for shape in frames.shapes] == SIZES[name]


@pytest.mark.parametrize(
    ("name", "message"),
    [("poppler-742-0-fuzzed", "damaged beyond repair"), ("r4-aes-user-password", "give its password")],
)
def test_refusals(shared_data, name, message):
    with pytest.raises(SourceError, match=message):
        PdfReader().read(shared_data / "v17_pdf" / f"{name}.pdf", {})
