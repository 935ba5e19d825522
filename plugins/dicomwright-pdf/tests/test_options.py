"""Options of the reader: what is written and what is refused."""

from __future__ import annotations

import pytest

from dicomwright.errors import PluginError, SourceError
from dicomwright_pdf.options import ReadOptions


def test_defaults():
    options = ReadOptions.parse({})
    assert (options.payload, options.dpi, options.colour, options.pages) == ("Document", 150, "rgb", ())
    assert (options.max_pages, options.max_pixels, options.max_bytes) == (1000, 50_000_000, 100 * 2**20)


@pytest.mark.parametrize(
    ("given", "payload"),
    [
        ("Document", "Document"),
        ("Frames", "Frames"),
        ("Volume,Frames", "Frames"),
        ("Volume, Document", "Document"),
    ],
)
def test_the_first_payload_that_a_document_can_be(given, payload):
    assert ReadOptions.parse({"payload": given}).payload == payload


@pytest.mark.parametrize(
    ("text", "ranges"),
    [("", ()), ("3", ((3, 3),)), ("1-3,7", ((1, 3), (7, 7))), (" 2 - 4 , 9", ((2, 4), (9, 9)))],
)
def test_pages(text, ranges):
    assert ReadOptions.parse({"pages": text}).pages == ranges


@pytest.mark.parametrize(("text", "count"), [("1000", 1000), ("512MiB", 2**29), ("1 gib", 2**30)])
def test_sizes(text, count):
    assert ReadOptions.parse({"max_bytes": text}).max_bytes == count


@pytest.mark.parametrize(
    ("name", "value", "hint"),
    [
        ("payload", "Volume", "Document, or Frames"),
        ("dpi", "0", "from 10 to 2400"),
        ("dpi", "nan", "from 10 to 2400"),
        ("dpi", "1e3", "from 10 to 2400"),
        ("dpi", "100000", "from 10 to 2400"),
        ("colour", "cmyk", "rgb or grey"),
        ("pages", "0", "from 1 upwards"),
        ("pages", "3-1", "from 1 upwards"),
        ("pages", "1,,2", "from 1 upwards"),
        ("pages", "٣", "from 1 upwards"),
        ("max_pages", "-1", "above 0"),
        ("max_pixels", "0", "above 0"),
        ("max_bytes", "4GiB", "below 4GiB"),
        ("max_bytes", "lots", "below 4GiB"),
        ("max_seconds", "0", "above 0"),
    ],
)
def test_refusals(name, value, hint):
    with pytest.raises(SourceError, match=f"option {name} of the PDF reader cannot be") as caught:
        ReadOptions.parse({name: value})
    assert hint in caught.value.problems[0].hint


def test_an_unknown_option_is_named():
    with pytest.raises(PluginError, match='no option "resolution"'):
        ReadOptions.parse({"resolution": "150"})
    with pytest.raises(PluginError, match="did you mean colour"):
        ReadOptions.parse({"color": "grey"})
