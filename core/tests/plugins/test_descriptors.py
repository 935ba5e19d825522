"""Descriptors say at once all that is wrong with them."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicomwright.errors import PluginError
from dicomwright.plugins import EncoderSpec, FunctionSpec, OptionSpec, ReaderSpec, SenderSpec

GOOD = {"name": "acme.scan-2", "summary": "ACME scans", "target": "acme.reader:Reader"}


def problems(kind, **fields) -> list[str]:
    with pytest.raises(PluginError) as caught:
        kind(**{**GOOD, **fields})
    return [problem.message for problem in caught.value.problems]


def test_descriptors_are_frozen_and_hashable():
    spec = ReaderSpec(**GOOD, extensions=(".a",), magic=((0, b"A"),))
    assert hash(spec) == hash(ReaderSpec(**GOOD, extensions=(".a",), magic=((0, b"A"),)))
    with pytest.raises(dataclasses.FrozenInstanceError):
        spec.name = "other"
    with pytest.raises(TypeError):
        ReaderSpec("acme", "s", "a:b")


@pytest.mark.parametrize("name", ["", "A", "a b", "-a", "a-", "a--b", "a/b", "ä", "a\n", "a" * 65, 3, None])
def test_bad_name(name):
    assert problems(FunctionSpec, name=name)[0].startswith(
        f"FunctionSpec {name!r}: name is {name!r}; it is at most"
    )


@pytest.mark.parametrize("target", ["", "a", "a.b", "a:", ":b", "a:b:c", "a-b:c", "a..b:c", "a:b c", None, 5])
def test_bad_target(target):
    assert problems(FunctionSpec, target=target) == [
        f"FunctionSpec 'acme.scan-2': target is {target!r}; it is \"package.module:object\""
    ]


@pytest.mark.parametrize("summary", ["", "  ", "two\nlines", "\x1b[31m", None])
def test_bad_summary(summary):
    assert problems(FunctionSpec, summary=summary) == [
        f"FunctionSpec 'acme.scan-2': summary is {summary!r}; it is one line of text"
    ]


@pytest.mark.parametrize(
    ("kind", "field", "value", "text"),
    [
        (ReaderSpec, "extensions", ".nii", "extensions is '.nii'; it is a tuple of texts"),
        (ReaderSpec, "extensions", [".nii"], "extensions is ['.nii']; it is a tuple of texts"),
        (
            ReaderSpec,
            "extensions",
            (".NII",),
            "extensions has '.NII'; each is such as \".nii.gz\" (lower case)",
        ),
        (ReaderSpec, "extensions", (".",), "extensions has '.'; each is such as \".nii.gz\" (lower case)"),
        (
            ReaderSpec,
            "extensions",
            ("./x",),
            "extensions has './x'; each is such as \".nii.gz\" (lower case)",
        ),
        (ReaderSpec, "media_types", ("pdf",), "media_types has 'pdf'; each is such as \"application/pdf\""),
        (ReaderSpec, "magic", b"AB", "magic is b'AB'; it is a tuple of (offset, bytes)"),
        (ReaderSpec, "magic", (b"AB",), "magic has b'AB'; each is (offset, bytes) such as (0, b\"%PDF-\")"),
        (
            ReaderSpec,
            "magic",
            ((-1, b"A"),),
            "magic has (-1, b'A'); each is (offset, bytes) such as (0, b\"%PDF-\")",
        ),
        (
            ReaderSpec,
            "magic",
            ((0, b""),),
            "magic has (0, b''); each is (offset, bytes) such as (0, b\"%PDF-\")",
        ),
        (ReaderSpec, "options", ("dpi",), "options has 'dpi'; each is an OptionSpec"),
        (ReaderSpec, "options", {}, "options is {}; it is a tuple of OptionSpec"),
        (FunctionSpec, "level", "slice", 'level is \'slice\'; it is "series" or "instance"'),
        (SenderSpec, "schemes", ("HTTP",), "schemes has 'HTTP'; each is such as \"dicom\""),
    ],
)
def test_bad_field(kind, field, value, text):
    assert problems(kind, **{field: value}) == [f"{kind.__name__} 'acme.scan-2': {text}"]


def test_encoder_needs_payloads():
    assert problems(EncoderSpec, payloads=()) == [
        "EncoderSpec 'acme.scan-2': payloads is empty; name at least one, such as (\"Volume\",)"
    ]
    assert problems(EncoderSpec, payloads=("Volume",), sop_classes=("1.02",)) == [
        "EncoderSpec 'acme.scan-2': sop_classes has '1.02'; each is a UID"
    ]


def test_all_problems_at_once():
    assert len(problems(ReaderSpec, name="", summary="", target="", extensions="", magic="", options="")) == 6


def test_option_is_checked():
    with pytest.raises(PluginError, match="OptionSpec 'D P I': name is 'D P I'"):
        OptionSpec(name="D P I", summary="s")


@given(st.from_regex(r"[a-z0-9]{1,8}([._-][a-z0-9]{1,8}){0,3}", fullmatch=True))
def test_good_names_are_taken(name):
    assert FunctionSpec(**{**GOOD, "name": name}).name == name
