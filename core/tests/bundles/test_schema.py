"""The JSON Schema of blueprint files and bundle.toml: it says what the loader says, at the same place."""

from __future__ import annotations

import datetime as dt
import json
import tomllib
from functools import cache
from importlib.resources import files

import pytest
from jsonschema import Draft7Validator, Draft202012Validator
from jsonschema.exceptions import best_match

from dicomwright.bundles import shipped_names
from dicomwright.bundles.schema import (
    DRAFTS,
    as_text,
    blueprint_schema,
    manifest_schema,
    shipped_schema,
    shipped_schema_name,
)
from dicomwright.plugins import RuleValue, load

VALIDATORS = {"7": Draft7Validator, "2020-12": Draft202012Validator}
BUILTIN = load(enabled=False)
drafts = pytest.mark.parametrize("draft", DRAFTS)


def as_json(value):
    """Return TOML data as JSON has it: dates are texts."""
    if isinstance(value, dict):
        return {key: as_json(one) for key, one in value.items()}
    if isinstance(value, list):
        return [as_json(one) for one in value]
    return value.isoformat() if isinstance(value, dt.date | dt.time) else value


@cache
def validator_of(draft, manifest):
    return VALIDATORS[draft](json.loads(shipped_schema(draft, manifest=manifest)))


def errors_of(text, draft="7", manifest=False):
    validator = validator_of(draft, manifest)
    return sorted(
        validator.iter_errors(as_json(tomllib.loads(text))),
        key=lambda error: list(map(str, error.absolute_path)),
    )


@drafts
@pytest.mark.parametrize("manifest", [False, True])
def test_the_schemas_are_schemas(draft, manifest):
    schema = json.loads(shipped_schema(draft, manifest=manifest))
    assert schema["$schema"] == DRAFTS[draft]
    VALIDATORS[draft].check_schema(schema)
    assert (
        files("dicomwright.bundles")
        .joinpath("schemas", shipped_schema_name(draft, manifest=manifest))
        .is_file()
    )


@drafts
def test_the_shipped_ones_are_those_that_are_generated(draft):
    """If not: dicomwright schema --draft D > core/src/dicomwright/bundles/schemas/blueprint.draft-D.schema.json."""
    made, shipped = blueprint_schema(BUILTIN, draft), json.loads(shipped_schema(draft))
    names = "definitions" if draft == "7" else "$defs"
    keywords = [schema[names]["elements"]["allOf"][0].pop("properties") for schema in (made, shipped)]
    assert made == shipped
    assert keywords[1].items() <= keywords[0].items()  # a newer dictionary has more
    assert shipped_schema(draft, manifest=True) == as_text(manifest_schema(draft))


@drafts
@pytest.mark.parametrize("name", shipped_names())
def test_shipped_blueprints_are_good(draft, name):
    text = files("dicomwright.blueprints").joinpath(f"{name}.toml").read_text(encoding="utf-8")
    assert errors_of(text, draft) == []


GOOD = """
StudyDate = { static = 2026-01-02, final = true }
StudyTime = { static = 09:30:00 }
ImageType = { static = ["DERIVED", "PRIMARY"] }
KVP = { static = 120.5 }
StudyID = "copy"
PatientID = { copy = "usable", when-varying = "omit", among = ["a"] }
PatientName = { copy-or-else = { copy-or-else = "x" }, when-unusable = "else" }
SeriesInstanceUID = { series = "uid" }
InstanceNumber = { instance = "instance-number" }
SOPInstanceUID = { instance = "uid" }
OperatorsName = "discard"
PatientSex = { discard = true }
TriggerTime = { index = [0, 40.5, "80"] }
"(0008,1032)" = { sequence = [ { CodeValue = { static = "1" } } ] }
00081030 = "copy-instance"
"ACME 1.0:(0099,xx01)" = { static = "model", vr = "LO", only-if = { Modality = ["MR"], StudyID = true } }
"""


@drafts
def test_every_kind_of_rule(draft, blueprint_of):
    head = "schema = 1\nsummary = 'x'\nextends = ['mr-image']\n[elements]\n"
    assert errors_of(head + GOOD, draft) == []
    assert len(blueprint_of(GOOD)) == 16


@drafts
@pytest.mark.parametrize(
    ("rule", "path"),
    [
        ('PatientNam = "copy"', "elements.PatientNam"),
        ('PatientName = "copi"', "elements.PatientName"),
        ("PatientName = 3", "elements.PatientName"),
        ("PatientName = {}", "elements.PatientName"),
        ('PatientName = { statik = "x" }', "elements.PatientName"),
        ('PatientName = { static = "x", copy = "optional" }', "elements.PatientName"),
        ('PatientName = { static = "x", vrr = "PN" }', "elements.PatientName.vrr"),
        ("PatientName = { static = true }", "elements.PatientName.static"),
        ("PatientName = { static = [[1]] }", "elements.PatientName.static"),
        ('PatientName = { static = "x", vr = 3 }', "elements.PatientName.vr"),
        ('PatientName = { static = "x", final = "yes" }', "elements.PatientName.final"),
        ('PatientName = { copy = "maybe" }', "elements.PatientName.copy"),
        ('PatientName = { copy = "usable", when-varying = "else" }', "elements.PatientName.when-varying"),
        ('PatientName = { copy-or-else = "", among = "M" }', "elements.PatientName.among"),
        ('PatientName = { copy-or-else = "", among = [3] }', "elements.PatientName.among.0"),
        ("PatientName = { discard = 3 }", "elements.PatientName.discard"),
        ('PatientName = "static"', "elements.PatientName"),
        ("PatientName = { sequence = [] }", "elements.PatientName"),
        ('PatientName = { series = "uiid" }', "elements.PatientName.series"),
        ('PatientName = { series = "instance-number" }', "elements.PatientName.series"),
        ("PatientName = { index = [] }", "elements.PatientName.index"),
        (
            "PatientName = { copy-or-else = { copy-or-else = { statik = 1 } } }",
            "elements.PatientName.copy-or-else.copy-or-else",
        ),
        (
            "ProcedureCodeSequence = { sequence = [ {}, { CodeValu = 'copy' } ] }",
            "elements.ProcedureCodeSequence.sequence.1.CodeValu",
        ),
        ('ProcedureCodeSequence = { sequence = [ "copy" ] }', "elements.ProcedureCodeSequence.sequence.0"),
        ('PatientName = { static = "x", only-if = {} }', "elements.PatientName.only-if"),
        (
            'PatientName = { static = "x", only-if = { Modality = [] } }',
            "elements.PatientName.only-if.Modality",
        ),
        ('"(0010)" = "copy"', "elements.(0010)"),
        ('"ACME:(0009,01)" = "copy"', "elements.ACME:(0009,01)"),
        ('"ACME:(0010,xx01)" = "copy"', "elements.ACME:(0010,xx01)"),
        ('CommandField = "copy"', "elements.CommandField"),
    ],
)
def test_wrong_rules_fail_at_their_place(draft, rule, path, problems_of):
    found = errors_of(f"schema = 1\n[elements]\n{rule}", draft)
    assert path in {".".join(map(str, error.absolute_path)) for error in found}
    if "CommandField" not in rule:  # the loader leaves that to the build
        assert problems_of(rule)


@drafts
@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("", ""),
        ("schema = 2", "schema"),
        ("schema = 1\nextends = 'a'", "extends"),
        ("schema = 1\nextends = [3]", "extends.0"),
        ("schema = 1\nsumary = 'a'", "sumary"),
        ('schema = 1\nsummary = "a\\nb"', "summary"),
        ("schema = 1\nelements = 3", "elements"),
        ("schema = 1\n[parameters]\nx = 3", "parameters.x"),
        ("schema = 1\n[parameters]\nx = { type = 'LOO' }", "parameters.x.type"),
        ("schema = 1\n[parameters]\nx = { type = 'LO', defalt = 3 }", "parameters.x.defalt"),
        ("schema = 1\n[parameters]\nx = { default = 'a' }", "parameters.x"),
        ("schema = 1\n[parameters]\nx-y = { type = 'LO' }", "parameters"),
    ],
)
def test_wrong_frames_fail_at_their_place(draft, text, path):
    error = best_match(errors_of(text, draft))
    assert ".".join(map(str, error.absolute_path)) == path


@drafts
def test_another_default_for_a_parameter_of_what_is_extended(draft):
    assert (
        errors_of('schema = 1\nextends = ["./site.toml"]\n[parameters]\nx = { default = "a" }', draft) == []
    )


MANIFEST = """schema = 1
name = "st-elsewhere"
version = "1.2.0"
contact = "imaging@st-elsewhere.example"
requires-dicomwright = ">=0.1,<0.2"
requires-plugins = ["dicomwright-elements>=0.1"]

[blueprints]
ct = "ct.toml"
mr-head = "sub/mr.toml"
"""


@drafts
def test_a_good_manifest(draft):
    assert errors_of(MANIFEST, draft, manifest=True) == []


@drafts
@pytest.mark.parametrize(
    ("before", "after", "path"),
    [
        ("schema = 1", "schema = 2", "schema"),
        ('"st-elsewhere"', '"St Elsewhere"', "name"),
        ("contact", "contcat", "contcat"),
        ('["dicomwright-elements>=0.1"]', '"x"', "requires-plugins"),
        ('"ct.toml"', '"../ct.toml"', "blueprints.ct"),
        ('"ct.toml"', '"/ct.toml"', "blueprints.ct"),
        ('"ct.toml"', '"ct.json"', "blueprints.ct"),
        ("mr-head", "MR", "blueprints"),
    ],
)
def test_wrong_manifests_fail_at_their_place(draft, before, after, path):
    found = errors_of(MANIFEST.replace(before, after), draft, manifest=True)
    assert [".".join(map(str, error.absolute_path)) for error in found] == [path]


def test_element_types_of_plugins_are_in_it(plugin_set_with):
    def louder(*_):
        return None

    schema = blueprint_schema(plugin_set_with({"louder": louder}, {"site": (lambda: "x", "series")}))
    rule = schema["definitions"]["rule"]
    assert "louder" in rule["anyOf"][0]["enum"]
    assert rule["anyOf"][1]["properties"]["louder"] == {"description": "made up"}
    validator = Draft7Validator(schema)
    good = {
        "schema": 1,
        "elements": {"StudyID": {"louder": 3, "anything": 4}, "PatientID": {"series": "site"}},
    }
    assert list(validator.iter_errors(good)) == []


def test_every_example_is_as_the_schema_says():
    registry = BUILTIN.registry("element-type")
    for name in registry.names():
        value = registry.spec(name).value
        assert isinstance(value, RuleValue)
        tag = "ProcedureCodeSequence" if name == "sequence" else "StudyID"
        assert value.example
        assert errors_of(f"schema = 1\n[elements]\n{tag} = {value.example}") == [], name


def test_it_is_small_enough_for_an_editor():
    assert len(shipped_schema("7")) < 400_000
