"""Tags in all the forms that people write them."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.tag import BaseTag, Tag

from dicomwright.blueprint.tags import PrivateTag, describe, sort_key, to_tag
from dicomwright.errors import BlueprintError


@pytest.mark.parametrize(
    "written",
    [
        "SeriesDescription",
        " SeriesDescription ",
        0x0008103E,
        np.uint32(0x0008103E),
        (0x0008, 0x103E),
        Tag(0x0008, 0x103E),
        "(0008,103E)",
        "(0008, 103e)",
        "0008,103E",
        "0008103e",
        "0x0008103E",
        "0x8103E",
    ],
)
def test_every_form_of_a_standard_tag_is_read(written):
    assert to_tag(written) == 0x0008103E
    assert isinstance(to_tag(written), BaseTag)
    assert describe(written) == "SeriesDescription (0008,103E)"


@pytest.mark.parametrize(
    "written",
    [
        PrivateTag(0x0009, "ACME: 1.1", 0x1F),
        "ACME: 1.1:(0009,xx1F)",
        "ACME: 1.1:0009,xx1f",
        "ACME: 1.1:(0009,101F)",
        "ACME: 1.1: (0009 , XX1F)",
    ],
)
def test_every_form_of_a_private_tag_is_read(written):
    assert to_tag(written) == PrivateTag(0x0009, "ACME: 1.1", 0x1F)
    assert describe(written) == str(to_tag(written)) == "ACME: 1.1:(0009,xx1F)"


def test_repeating_groups_are_described_by_their_keyword():
    assert describe(0x60020010) == "OverlayRows (6002,0010)"


def test_unknown_tags_are_described_by_number():
    assert describe(0x00091001) == "(0009,1001)"


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("SeriesDescripton", "did you mean SeriesDescription"),
        ("seriesdescription", "did you mean SeriesDescription?"),
        ("Series Description", "did you mean SeriesDescription?"),
        ("PatientsName", "PatientName"),
        ("OverlayRows", "several groups"),
        ("ACME:(0009,0001)", "creator:(gggg,xxee)"),
        ("qwxz", "give a DICOM keyword"),
        ("", "give a DICOM keyword"),
    ],
)
def test_a_text_that_is_no_tag_comes_with_the_way_out(written, hint):
    with pytest.raises(BlueprintError) as caught:
        to_tag(written)
    problem = caught.value.problems[0]
    assert problem.message == f"{written.strip()!r} is not a DICOM keyword or tag"
    assert hint in problem.hint
    assert problem.kind == "unknown-tag"


@pytest.mark.parametrize(
    "wrong",
    [
        -1,
        2**32,
        True,
        1.5,
        None,
        (1,),
        (1, 2, 3),
        (1, 2**16),
        (-1, 0),
        ("a", "b"),
        (True, 1),
        [8, 0x103E],
        b"x",
        {},
    ],
)
def test_other_objects_are_no_tags(wrong):
    with pytest.raises(BlueprintError, match="is not a DICOM tag"):
        to_tag(wrong)


@pytest.mark.parametrize(
    ("group", "creator", "offset", "reason"),
    [
        (0x0008, "ACME", 1, "0008 is not a private group"),
        (0x0007, "ACME", 1, "0007 is not a private group"),
        (0xFFFF, "ACME", 1, "FFFF is not a private group"),
        ("0009", "ACME", 1, "'0009' is not a private group"),
        (0x0009, "", 1, "'' is not a private creator: 1 to 64 characters"),
        (0x0009, "  ", 1, "is not a private creator"),
        (0x0009, "x" * 65, 1, "is not a private creator"),
        (0x0009, 5, 1, "5 is not a private creator"),
        (0x0009, "A\\B", 1, "no backslash or control character"),
        (0x0009, "A\nB", 1, r"'A\nB' is not a private creator"),
        (0x0009, "ACME", 0x100, "256 is not an element's place"),
        (0x0009, "ACME", -1, "-1 is not an element's place"),
        (0x0009, "ACME", None, "None is not an element's place"),
    ],
)
def test_private_tags_outside_the_standard_are_refused(group, creator, offset, reason):
    with pytest.raises(BlueprintError) as caught:
        PrivateTag(group, creator, offset)
    assert reason in str(caught.value)


def test_a_private_creator_is_compared_without_padding():
    padded = PrivateTag(np.uint16(0x0009), "ACME ", np.uint8(1))
    assert padded == PrivateTag(0x0009, "ACME", 1)
    assert hash(padded) == hash(PrivateTag(0x0009, "ACME", 1))
    assert type(padded.group) is type(padded.offset) is int


def test_tags_sort_by_group_with_private_blocks_behind_ordinary_tags():
    ordered = [
        to_tag("PatientName"),
        to_tag(0x00110010),
        to_tag(0x0011FFFF),
        PrivateTag(0x0011, "ACME", 2),
        PrivateTag(0x0011, "ACME", 3),
        PrivateTag(0x0011, "BETA", 1),
        to_tag("Modality") + 0x00200000,
    ]
    shuffled = random.Random(3).sample(ordered, len(ordered))
    assert sorted(shuffled, key=sort_key) == ordered


def test_private_tags_compare_with_both_kinds():
    tag = PrivateTag(0x0011, "ACME", 2)
    assert tag > to_tag(0x00110010)
    assert tag < to_tag(0x00120000)
    assert tag < PrivateTag(0x0011, "ACME", 3)
    assert not tag > PrivateTag(0x0011, "ACME", 3)
    assert tag != to_tag(0x00111002)
    with pytest.raises(TypeError):
        sorted([tag, "ACME"])


@given(st.integers(0, 2**32 - 1))
def test_the_number_form_is_read_back(number):
    tag = to_tag(number)
    assert to_tag(str(tag)) == to_tag((tag.group, tag.element)) == number


@given(st.integers(4, 0x7FFE), st.text(min_size=1, max_size=64), st.integers(0, 255))
def test_the_private_form_is_read_back(half, creator, offset):
    try:
        tag = PrivateTag(2 * half + 1, creator, offset)
    except BlueprintError:
        return
    assert to_tag(str(tag)) == tag


@given(st.one_of(st.text(), st.binary(), st.floats(), st.tuples(st.integers(), st.integers()), st.integers()))
def test_anything_is_a_tag_or_our_error(written):
    try:
        tag = to_tag(written)
    except BlueprintError:
        return
    assert to_tag(describe(tag).split()[-1]) == tag
