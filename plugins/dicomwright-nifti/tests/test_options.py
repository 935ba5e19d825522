"""Options are few, named in errors, and never ignored."""

from __future__ import annotations

import pytest

from dicomwright.errors import DicomwrightError, SourceError
from dicomwright_nifti.options import ReadOptions


def test_defaults():
    assert ReadOptions.parse({}) == ReadOptions(2 * 1024**3, 1000, "auto", "header")


@pytest.mark.parametrize(
    ("text", "size"), [("1", 1), (" 512MiB ", 512 * 1024**2), ("4 gib", 4 * 1024**3), ("3TiB", 3 * 1024**4)]
)
def test_sizes(text, size):
    assert ReadOptions.parse({"max_bytes": text}).max_bytes == size


@pytest.mark.parametrize("text", ["", "0", "-1", "1.5GiB", "1e9", "4GB", "\u0664", "9" * 30])
def test_sizes_that_are_none(text):
    with pytest.raises(SourceError, match=r"option max_bytes of the NIfTI reader cannot be .*512MiB or 4GiB"):
        ReadOptions.parse({"max_bytes": text})


@pytest.mark.parametrize("text", ["", "0", "-1", "x", "1.5"])
def test_ratios_that_are_none(text):
    with pytest.raises(SourceError, match=r"option max_ratio .* write a whole number above 0"):
        ReadOptions.parse({"max_ratio": text})


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("max_byte", "1", 'has no option "max_byte"; did you mean max_bytes?'),
        ("zzz", "1", "it has max_bytes, max_ratio, orientation, units"),
        ("orientation", "best", "cannot be 'best'; it is one of auto, sform, qform"),
        ("units", "cm", "cannot be 'cm'; it is one of header, mm"),
    ],
)
def test_mistakes_are_named(name, value, words):
    with pytest.raises(DicomwrightError) as caught:
        ReadOptions.parse({name: value})
    assert words in str(caught.value)
