from __future__ import annotations

from dicomwright.blueprint.elements import StaticElement
from dicomwright.bundles import takes


def upper(tag, data, context):
    text = context.value(tag, data)
    return StaticElement(tag, context.vr_of(tag), text.upper())


class Wrapped:
    """An element type that is a class with `from_data`, and has options of its own."""

    options = frozenset({"times"})

    @staticmethod
    def from_data(tag, data, context):
        return StaticElement(tag, context.vr_of(tag), data * context.options.get("times", 1))


def test_an_element_type_of_a_plugin(blueprint_of, plugin_set_with):
    plugins = plugin_set_with({"upper": upper, "again": Wrapped})
    blueprint = blueprint_of('StudyID = { upper = "x" }\nPatientID = { again = "ab", times = 2 }', plugins)
    assert blueprint["StudyID"].value == "X"
    assert blueprint["PatientID"].value == "abab"
    assert blueprint["PatientID"].origin.endswith(":4")


def test_it_is_held_to_its_own_options(problems_of, plugin_set_with):
    plugins = plugin_set_with({"again": Wrapped, "upper": upper})
    assert "did you mean times?" in problems_of('PatientID = { again = "a", time = 2 }', plugins)[0][1]
    assert "may be vr" in problems_of('PatientID = { upper = "a", x = 2 }', plugins)[0][1]


def test_it_may_read_rules_inside_its_own(blueprint_of, plugin_set_with, problems_of):
    @takes()
    def first(tag, data, context):
        return context.rule(tag, data[0], "first", 0)

    plugins = plugin_set_with({"first": first})
    assert blueprint_of('StudyID = { first = [ { static = "1" } ] }', plugins)["StudyID"].value == "1"
    line, text = problems_of('StudyID = { first = [\n\n { statik = "1" } ] }', plugins)[0]
    assert line == "5"
    assert "did you mean static?" in text


def broken(*_):
    text = "x"
    raise KeyError(text)


def test_a_broken_one_is_named_and_the_other_problems_are_still_told(problems_of, plugin_set_with):
    def wrong(*_):
        return "a value"

    def other(*_):
        return StaticElement("PatientID", "LO", "1")

    plugins = plugin_set_with({"broken": broken, "wrong": wrong, "other": other})
    problems = problems_of(
        "StudyID = { broken = 1 }\nPatientName = { wrong = 1 }\nPatientSex = { other = 1 }\nX = 'copy'",
        plugins,
    )
    assert [line for line, _ in problems] == ["3", "4", "5", "6"]
    assert "acme-dist 1.2 failed: KeyError" in problems[0][1]
    assert "gave" in problems[1][1]
    assert "not an element of PatientSex" in problems[2][1]


class Touchy:
    """Its options cannot be asked for."""

    @property
    def options(self):
        text = "no"
        raise RuntimeError(text)

    def __call__(self, tag, data, context):
        return StaticElement(tag, context.vr_of(tag), data)


def test_options_that_cannot_be_asked_for(problems_of, plugin_set_with):
    plugins = plugin_set_with({"touchy": Touchy()})
    assert (
        'a rule of type touchy has no "x"' in problems_of('StudyID = { touchy = "1", x = 2 }', plugins)[0][1]
    )


def test_functions_of_a_plugin(blueprint_of, problems_of, plugin_set_with):
    functions = {
        "site-name": (lambda: "Site", "series"),
        "of-parent": (lambda parent: parent.StudyID, "series"),
        "of-instance": (lambda env: str(env.instance_number), "instance"),
    }
    plugins = plugin_set_with(functions=functions)
    blueprint = blueprint_of(
        'StudyID = { series = "site-name" }\nPatientID = { instance = "site-name" }\n'
        'AccessionNumber = { series = "of-parent" }\nPatientName = { instance = "of-instance" }',
        plugins,
    )
    assert blueprint["StudyID"].func() == "Site"
    assert blueprint["PatientID"].func(None) == "Site"
    problems = problems_of(
        'StudyID = { instance = "of-parent" }\n'
        'PatientID = { series = "of-instance" }\n'
        'PatientName = { series = "site" }',
        plugins,
    )
    assert 'write { series = "of-parent" }' in problems[0][1]
    assert 'write { instance = "of-instance" }' in problems[1][1]
    assert "did you mean site-name?" in problems[2][1]


def test_a_function_that_is_no_function(problems_of, plugin_set_with):
    plugins = plugin_set_with(functions={"three": (3, "series")})
    assert "needs a function" in problems_of('StudyID = { series = "three" }', plugins)[0][1]
