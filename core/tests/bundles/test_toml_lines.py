from __future__ import annotations

import json
import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dicomwright.bundles.toml_lines import key_lines


def test_keys_of_all_forms_have_their_line():
    text = '''\
# a comment with = and [brackets]
schema = 1

"quoted key" = """
many
lines = 3
""" # behind
[elements]
A = 'copy' # comment
B.copy = "optional"
C = { copy-or-else = { series = "uid" }, vr = "UI" }
D = { sequence = [
  { X = "copy", Y = { static = ["]", '}'] } },
  # between
  { X = { static = 1979-05-27 07:32:00 } },
] }

[elements.E]
static = ""

[[elements.F.sequence]]
X = "copy"
[[elements.F.sequence]]
Y = "copy"
[elements.F.sequence.Z]
static = 1
'''
    lines = key_lines(text)
    tomllib.loads(text)
    assert lines["schema",] == 2
    assert lines["quoted key",] == 4
    assert lines["elements", "A"] == 9
    assert lines["elements", "B"] == lines["elements", "B", "copy"] == 10
    assert lines["elements", "C", "copy-or-else", "series"] == 11
    assert lines["elements", "C", "vr"] == 11
    assert lines["elements", "D", "sequence", 0, "Y"] == 13
    assert lines["elements", "D", "sequence", 1, "X"] == 15
    assert lines["elements", "E"] == 18
    assert lines["elements", "F", "sequence", 0, "X"] == 22
    assert lines["elements", "F", "sequence", 1, "Y"] == 24
    assert lines["elements", "F", "sequence", 1, "Z", "static"] == 26


@pytest.mark.parametrize(
    "value",
    [
        '"a\\"b # [ {"',
        "'a \\'",
        '"""a""""',
        '""""a"""',
        '""""""',
        "''''a''''",
        '"""\\""" \n x = 1"""',
        "[[], [{}], ['a', \"b\"]]",
        "1_000.5e-3",
        "{ a = [ 1, 2 ], 'b.c' = {} }",
        "2026-11-24T01:02:03Z",
    ],
)
def test_the_line_after_any_value_is_right(value):
    text = f"first = {value}\nsecond = 2"
    tomllib.loads(text)
    assert key_lines(text)["second",] == text.count("\n") + 1


def test_windows_line_ends():
    assert key_lines("a = 1\r\nb = 2\r\n")["b",] == 2


values = st.recursive(
    st.integers(-5, 5) | st.booleans() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


def as_toml(value):
    if isinstance(value, dict):
        return "{" + ", ".join(f"{quoted(key)} = {as_toml(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", # item\n".join(as_toml(one) for one in value) + "]"
    return quoted(value) if isinstance(value, str) else json.dumps(value)


def quoted(text):
    safe = "".join(character for character in text if not 0xD800 <= ord(character) < 0xE000)
    return json.dumps(safe, ensure_ascii=False).replace("\x7f", "\\u007F")


@settings(max_examples=60)
@given(st.lists(values, max_size=5))
def test_every_key_that_tomllib_sees_has_a_line(found):
    text = "\n".join(f"key{number} = {as_toml(value)}" for number, value in enumerate(found))
    lines = key_lines(text)

    def check(key, value):
        assert key in lines
        assert 1 <= lines[key] <= text.count("\n") + 1
        children = (
            value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        )
        for step, child in children:
            check((*key, step), child)

    for name, value in tomllib.loads(text).items():
        check((name,), value)
        start = text.index(f"{name} = ")
        assert lines[name,] == text.count("\n", 0, start) + 1 or name in text[:start]
