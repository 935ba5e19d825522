"""What descriptors of element types say of rules is checked when they are made."""

from __future__ import annotations

import pytest

from dicomwright.errors import PluginError
from dicomwright.plugins import ElementTypeSpec, RuleOption


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"value": "text"}, "value is 'text'; it is a RuleValue"),
        ({"options": ["times"]}, "options is ['times']; it is a tuple of RuleOption"),
        ({"options": ("times",)}, "options has 'times'; each is an RuleOption"),
        ({"options": (RuleOption(name="shout", summary="x"),)}, 'options has "shout" twice'),
        ({"vrs": ("lo",)}, "vrs has 'lo'; each is such as \"LO\""),
        ({"vr": 3}, "vr is 3; it is True or False"),
    ],
)
def test_descriptors_say_what_is_wrong_with_them(fields, text):
    with pytest.raises(PluginError) as caught:
        ElementTypeSpec(name="shout", summary="x", target="a:b", **fields)
    assert caught.value.problems[0].message == f"ElementTypeSpec 'shout': {text}"


@pytest.mark.parametrize("name", ["vr", "only-if", "final"])
def test_no_element_type_has_the_name_of_a_key_that_every_rule_may_have(name):
    with pytest.raises(PluginError, match=f"name is '{name}', which every rule may have"):
        ElementTypeSpec(name=name, summary="x", target="a:b")


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"kinds": "text"}, "kinds is 'text'; it is a tuple"),
        ({"kinds": ("string",)}, "kinds has 'string'; there are nothing, text"),
        ({"kinds": ("nothing",)}, 'an option has no kind "nothing"'),
        ({"choices": ["a"]}, "choices is ['a']; it is a tuple of texts"),
        ({"choices": ("a",), "kinds": ("whole",)}, 'choices are of the kind "text"'),
        ({"name": "When"}, "name is 'When'"),
        ({"name": "vr"}, "name is 'vr', which every rule may have"),
        ({"summary": "two\nlines"}, "summary is"),
        ({"example": "two\nlines"}, "example is"),
        ({"required": 3}, "required is 3"),
    ],
)
def test_options_say_what_is_wrong_with_them(fields, text):
    with pytest.raises(PluginError) as caught:
        RuleOption(**{"name": "times", "summary": "how often", **fields})
    assert text in caught.value.problems[0].message
