"""Bulk values in parts: the same files and datasets as from one value, in every form of file."""

from __future__ import annotations

import numpy as np
import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicomwright import Blueprint, DicomFactory
from dicomwright.blueprint.elements import BulkElement, StaticElement
from dicomwright.engine.bulk import BulkParts, groups_of, in_pieces
from dicomwright.errors import BlueprintError

PARTS = [b"\1\2\3", memoryview(b"\4\5"), np.array([6, 7], "u1")]
WHOLE = b"\1\2\3\4\5\6\7"


def series_of(value):
    """Return a series of one instance with such a value."""
    elements = [
        StaticElement("SOPClassUID", "UI", "1.2.840.10008.5.1.4.1.1.66"),
        StaticElement("SOPInstanceUID", "UI", "2.25.1"),
        BulkElement("PixelData", "OB", lambda _: value()),
    ]
    return DicomFactory().build_series_without_image_encoding([np.zeros((1, 1))], Blueprint(elements), None)


def test_the_same_file_and_dataset(tmp_path):
    in_parts, at_once = series_of(lambda: BulkParts(iter(PARTS), 7)), series_of(lambda: WHOLE)
    (first,), (second,) = in_parts.write(tmp_path / "parts"), at_once.write(tmp_path / "whole")
    assert first.read_bytes() == second.read_bytes()
    assert pydicom.dcmread(first).PixelData == in_parts[0].PixelData == WHOLE + b"\0"


@given(st.lists(st.binary(max_size=9)), st.integers(1, 12))
def test_pieces_are_the_same_bytes(parts, size):
    pieces = [bytes(piece) for piece in in_pieces(parts, size)]
    assert b"".join(pieces) == b"".join(parts)
    assert all(len(piece) == size for piece in pieces[:-1])


def test_pieces_are_made_one_by_one():
    made = []
    pieces = in_pieces((made.append(number) or bytes(6) for number in range(9)), 3)
    assert len(next(pieces)) == 3
    assert made == [0]


def test_parts_are_not_kept():
    groups = groups_of([b"head", BulkParts((bytes(3) for _ in range(1000)), 3000), b"pad"])
    assert [sum(map(len, group)) for group in groups] == [4, *[3] * 1000, 3]


@pytest.mark.parametrize("size", [6, 8])
def test_wrong_size_leaves_nothing(tmp_path, size):
    with pytest.raises(BlueprintError, match="the parts of a value have 7 bytes, not"):
        series_of(lambda: BulkParts(PARTS, size)).write(tmp_path / "out")
    assert list(tmp_path.iterdir()) == []
