from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicomwright_elements.patterns import MAX_TEXT, Pattern, Step


@pytest.mark.parametrize(
    ("rule", "given", "expected"),
    [
        ('{ regex = "^CT[ _]+", with = "" }', "CT__Thorax", "Thorax"),
        ('{ regex = "([A-Z]+)-([0-9]+)", with = "\\\\2 \\\\1" }', "AB-12", "12 AB"),
        ('{ regex = "(?P<site>[a-z]+)", with = "<\\\\g<site>>" }', "abc", "<abc>"),
        ('{ regex = [["_", " "], ["(?i)thorax", "Chest"]] }', "ct_THORAX", "ct Chest"),
        ('{ regex = "x", with = "y" }', "unchanged", "unchanged"),
        ('{ regex = ".*", with = "" }', "all of it", ""),
        ('{ regex = "é+", with = "e" }', "José", "Jose"),
    ],
)
def test_rewriting(values, rule, given, expected):
    parents = {"StudyDescription": [given]}
    if not given.isascii():
        parents["SpecificCharacterSet"] = ["ISO_IR 100"]
    assert values("StudyDescription", rule, parents=parents) == [expected] * 3


def test_each_instance_by_its_paired_parent(series):
    rule = r"ImageComments = { regex = '\.0*$', with = '', from = 'TriggerTime', of = 'copy-instance' }"
    made = series(rule, parents={"TriggerTime": ["0.0", "40.00", "80.5"]})
    assert [one.ImageComments for one in made] == ["0", "40", "80.5"]


def test_a_copy_that_pairs_only_where_it_differs(series):
    of = '{ copy = "optional", when-varying = "paired" }'
    rule = f'ImageComments = {{ regex = "^", with = "t=", from = "TriggerTime", of = {of} }}'
    made = series(rule, parents={"TriggerTime": ["1", None, "3"]})
    assert [one.get("ImageComments") for one in made] == ["t=1", None, "t=3"]


@pytest.mark.parametrize(("unmatched", "expected"), [("keep", "abc"), ("omit", None)])
def test_what_does_not_match(values, unmatched, expected):
    rule = f'{{ regex = "x", with = "y", unmatched = "{unmatched}" }}'
    assert values("StudyDescription", rule, parents={"StudyDescription": ["abc"]}) == [expected] * 3


def test_what_does_not_match_may_be_an_error(refusal):
    text = refusal(
        "StudyDescription",
        '{ regex = "x", with = "y", unmatched = "error" }',
        parents={"StudyDescription": ["abc"]},
    )
    assert "in which no pattern is found" in text
    assert "abc" not in text


def test_an_illegal_value_of_the_parent_may_be_made_legal(values):
    rule = '{ regex = "^(.{16}).*", with = "\\\\1" }'
    parents = {"StudyID": ["12345678901234567890"]}
    with pytest.warns(UserWarning, match="maximum length"):
        assert values("StudyID", rule, parents=parents) == ["1234567890123456"] * 3


def test_a_result_that_is_not_legal_is_an_error(refusal):
    rule = '{ regex = "$", with = "12345678901234567" }'
    assert "SH holds 16" in refusal("StudyID", rule, parents={"StudyID": ["1"]})


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ('{ regex = "(", with = "" }', "missing )"),
        ('{ regex = "(?=a)", with = "" }', "no look-around"),
        (r"{ regex = '(a)\1', with = '' }", "no back-references"),
        (r"{ regex = 'a', with = '\1' }", "no group 1"),
        (r"{ regex = 'a', with = '\g<x>' }", "no group x"),
        (r"{ regex = 'a', with = '\x' }", "backslash in the replacement"),
        ('{ regex = "a{1000}{1000}", with = "" }', "bad repetition"),
        (f'{{ regex = "{"a" * 501}", with = "" }}', "more than 500"),
        (f'{{ regex = "a", with = "{"a" * 501}" }}', "more than 500"),
        ('{ regex = "a" }', "regex needs with"),
        ('{ regex = ["a", "b"] }', "two texts each"),
        ('{ regex = [["a", "b"]], with = "c" }', "a list and with"),
        ("{ regex = [" + '["a", "b"],' * 21 + "] }", "more than 20"),
        ('{ regex = "a", with = "b", unmatched = "kep" }', 'did you mean "keep"?'),
        ('"regex"', "write { regex ="),
    ],
)
def test_what_is_wrong(problems, rule, expected):
    assert expected in problems(f"StudyDescription = {rule}")[0]


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|a)*b", "(.*)*c", "([a-z]+)*[0-9]$", "(a?){100}a{100}"])
def test_no_pattern_takes_long(pattern):
    start = time.process_time()
    Step.of(pattern, "").applied("a" * (MAX_TEXT - 1) + "!")
    assert time.process_time() - start < 1


def test_a_text_that_grows_too_long():
    with pytest.raises(ValueError, match="more than 65536"):
        Step.of("", "x" * 500).applied("a" * 1000)


@given(st.text(max_size=40), st.text(max_size=20))
def test_any_texts_give_a_step_or_say_why_not(pattern, replacement):
    try:
        step = Step.of(pattern, replacement)
    except ValueError:
        return
    text, count = step.applied("Thorax 3.0 B31f")
    assert isinstance(text, str)
    assert count >= 0


@given(st.text("ab(c)1-", max_size=30), st.sampled_from(["a", "b+", "[ab]", "a|b", "(a)(b)", "c\\)"]))
def test_the_same_as_python_where_both_have_it(text, pattern):
    assert Step.of(pattern, "<\\g<0>>").applied(text) == re.subn(pattern, r"<\g<0>>", text)
    assert Pattern.of(pattern).found_in(text) is bool(re.search(pattern, text))
